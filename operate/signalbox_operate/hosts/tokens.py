"""Read a host's token from Secrets Manager: as it is, or as JSON with `token`, and `user` where the host wants it."""

import json
import re
from typing import Any

from botocore.exceptions import ClientError

from signalbox.aws.errors import code_of
from signalbox_operate.hosts.model import HostError, Token

_TEXT = r"[!-~]+"  # what a header may have in it
_USER = r"[!-9;-~]+"  # without the colon, which ends a user in `Authorization: Basic`


def read(secret: str, secrets: Any) -> Token:
    """Return the token in a secret.

    Args:
        secret: the name or ARN of the secret.
        secrets: a client of Secrets Manager.

    Raises:
        HostError: there is no such secret, or no token in it.
    """
    try:
        text = secrets.get_secret_value(SecretId=secret).get("SecretString", "")
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        raise HostError(
            f"there is no secret {secret} in this account and region: `aws secretsmanager create-secret --name NAME "
            "--secret-string file://FILE` makes one of a file with the token"
        ) from error
    token, user = _parts(text.strip())
    if not re.fullmatch(_TEXT, token) or (user and not re.fullmatch(_USER, user)):
        raise HostError(
            f"the secret {secret} has no token: its value has to be the token alone, or "
            '{"token": "…"}, for an API token of Bitbucket {"user": "<e-mail address>", "token": "…"}'
        )
    return Token(token, user, secret)


def _parts(text: str) -> tuple[str, str]:
    """Return the token and the user in a secret; "" for what is not there."""
    if not text.startswith("{"):
        return text, ""
    try:
        found = json.loads(text)
    except ValueError:
        return "", ""
    token, user = found.get("token"), found.get("user", "")
    return (token, user) if isinstance(token, str) and isinstance(user, str) else ("", "")
