"""The pages that lists of CodeCommit come in."""

from collections.abc import Sequence
from typing import Any

from sagemaker_local.core.errors import ApiError

PAGE = 100  # how many CodeCommit returns at once is not documented


def page(items: Sequence[Any], member: str, token: str | None, size: int = PAGE, name: str = "nextToken") -> Any:
    """Return the items from a token on, and the token of the next page.

    Raises:
        ApiError: the token was not returned by this operation.
    """
    if token is not None and not token.isdecimal():
        raise ApiError("InvalidContinuationTokenException", f"{token!r} was not returned by this operation.")
    start = int(token or 0)
    end = start + size
    return {member: list(items[start:end]), **({name: str(end)} if end < len(items) else {})}
