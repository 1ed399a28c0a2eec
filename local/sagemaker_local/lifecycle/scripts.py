"""Lifecycle scripts as requests have them: in base64."""

import base64
import binascii

from sagemaker_local.core.errors import invalid


def check_script(member: str, content: str) -> None:
    """Refuse a script that is not encoded; `member` says which, as `The Content of OnStart`.

    Raises:
        ApiError: ValidationException.
    """
    try:
        decoded(content)
    except binascii.Error as error:
        raise invalid(f"{member} is not encoded in base64: {error}.") from error


def decoded(content: str) -> bytes:
    """Return the bytes of a script; lines may be broken anywhere.

    Raises:
        binascii.Error: it is no base64.
    """
    return base64.b64decode("".join(content.split()), validate=True)
