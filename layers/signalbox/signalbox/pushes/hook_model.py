"""What the receiving of webhooks speaks of: requests, answers, refusals, and what a request tells."""

import base64
import binascii
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple, Self, TypedDict

# Bytes. A push tells some commits with their files: GitHub sends 25 MB at most, and hardly any has more than this.
BODY_LIMIT = 1_048_576
_BASE64 = 4 / 3  # characters for each byte
_HEADERS = {"content-type": "application/json", "cache-control": "no-store", "x-content-type-options": "nosniff"}


class HookResponse(TypedDict):
    """An answer to the HTTP API."""

    statusCode: int
    headers: dict[str, str]
    body: str


class HookRefusedError(Exception):
    """A request is not what it should be; the message says what is wrong and what to do, and nothing of any secret."""

    def __init__(self, status: HTTPStatus, problem: str) -> None:
        super().__init__(problem)
        self.status = status


class HookRequest(NamedTuple):
    """What is read of a request to `POST /hooks/{project}`; the names of `headers` are in lower case."""

    project: str
    headers: Mapping[str, str]
    text: str
    encoded: bool

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Self:
        """Return the request in an event of the HTTP API (payload format 2.0)."""
        headers = event.get("headers") or {}
        return cls(
            project=str((event.get("pathParameters") or {}).get("project", "")),
            headers={str(name).lower(): str(value) for name, value in headers.items()},
            text=str(event.get("body") or ""),
            encoded=bool(event.get("isBase64Encoded")),
        )

    def body(self) -> bytes:
        """Return the body as it was signed, byte for byte.

        Raises:
            HookRefusedError: it is larger than a push is, or not the base64 that it says it is.
        """
        if len(self.text) <= BODY_LIMIT * _BASE64 + len("===="):
            try:
                body = base64.b64decode(self.text, validate=True) if self.encoded else self.text.encode()
            except (binascii.Error, ValueError):
                raise HookRefusedError(HTTPStatus.BAD_REQUEST, "the body is not base64: send it as it is") from None
            if len(body) <= BODY_LIMIT:
                return body
        told = f"the body has more than {BODY_LIMIT:,} bytes, which is no push: push fewer commits at once"
        raise HookRefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, told)

    @property
    def content_type(self) -> str:
        """Return the type of the body, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class RefMoved(NamedTuple):
    """A ref that was pushed: `kind` is `branch`, or what else it is; `before` and `after` are as in `Move`.

    `at` is when it was pushed, "" where the provider does not say it.
    """

    kind: str
    name: str
    before: str
    after: str
    by: str
    address: str
    at: str = ""


def answered(status: HTTPStatus, told: str) -> HookResponse:
    """Return an answer that says in a sentence what was done."""
    return {"statusCode": status.value, "headers": _HEADERS, "body": json.dumps({"message": told})}
