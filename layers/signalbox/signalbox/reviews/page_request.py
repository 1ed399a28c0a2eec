"""A request to the review page, as the HTTP API passes it on (payload format 2.0)."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs

from signalbox import plain
from signalbox.reviews import keys
from signalbox.reviews.model import REASON_LIMIT
from signalbox.reviews.pages import Choice

_FORM = "application/x-www-form-urlencoded"
_BODY_LIMIT = 16_384  # characters; a form has at most a reason of 1,000 characters, nine of form encoding each
_AGENT_LIMIT = 200


class PageRequest(NamedTuple):
    """What is read of a request; `choice` is what its link preselects, `cookies` are `name=value`.

    `origin` and `site` are what a browser says of the page that sent the request, "" where it says nothing.
    """

    method: str
    review: str
    key: str
    choice: Choice
    host: str
    cookies: tuple[str, ...]
    origin: str
    site: str
    content_type: str
    body: str
    encoded: bool
    source_ip: str
    user_agent: str

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Self:
        """Return the request in an event."""
        context, asked = event["requestContext"], event.get("queryStringParameters") or {}
        headers = event.get("headers") or {}
        return cls(
            method=str(context["http"]["method"]).upper(),
            review=str((event.get("pathParameters") or {}).get("review", "")),
            key=str(asked.get("key", "")),
            choice="reject" if asked.get("choice") == "reject" else "approve",
            host=str(context.get("domainName", "")),
            cookies=tuple(map(str, event.get("cookies") or str(headers.get("cookie", "")).split(";"))),
            origin=str(headers.get("origin", "")),
            site=str(headers.get("sec-fetch-site", "")),
            content_type=str(headers.get("content-type", "")).partition(";")[0].strip().lower(),
            body=str(event.get("body") or ""),
            encoded=bool(event.get("isBase64Encoded")),
            source_ip=str(context["http"].get("sourceIp", "")),
            user_agent=plain.line(str(context["http"].get("userAgent", "")))[:_AGENT_LIMIT],
        )

    @property
    def secure(self) -> bool:
        """Say whether the page is reached over TLS: a browser keeps no `Secure` cookie of this machine's own API."""
        name = self.host.rsplit(":", 1)[0] if ":" in self.host else self.host
        return not name.endswith(("localhost", "127.0.0.1"))

    def sent_from_elsewhere(self, address: str) -> bool:
        """Say whether the browser says that a page of another site sent this; `address` is ours, "" for the API's own.

        A program can say what it likes; a browser that somebody's page has taken along cannot. ("none" is said of what
        a person does, such as loading the page again.)
        """
        scheme, _, rest = (address or f"https://{self.host}").partition("://")
        ours = f"{scheme}://{rest.partition('/')[0]}"
        return self.site not in ("", "same-origin", "none") or self.origin.lower() not in ("", ours.lower())

    @property
    def cookie_name(self) -> str:
        """Return our cookie's name, one for each review: opening another review does not spoil this one's form."""
        return f"{'__Host-' if self.secure else ''}signalbox-{self.review}"

    @property
    def cookie(self) -> str:
        """Return our cookie's value, "" if there is none of our shape."""
        for pair in self.cookies:
            name, _, value = pair.strip().partition("=")
            if name == self.cookie_name and keys.cookie_is_ours(value):
                return value
        return ""


class DecisionForm(NamedTuple):
    """What was sent with the page's form: the pressed button's value, the word's letters, the reason, the nonce."""

    choice: str
    word: str
    reason: str
    nonce: str

    @classmethod
    def of(cls, request: PageRequest) -> Self | None:
        """Return the form, the first field of each name; None if the body is no form of ours."""
        if request.content_type != _FORM or len(request.body) > _BODY_LIMIT:
            return None
        try:
            text = base64.b64decode(request.body, validate=True).decode() if request.encoded else request.body
            fields = parse_qs(text, keep_blank_values=True, max_num_fields=8)
        except (binascii.Error, ValueError):
            return None
        choice, word, reason, nonce = (fields.get(name, [""])[0] for name in ("choice", "word", "reason", "nonce"))
        return cls(choice, keys.letters(word), plain.lines(reason).strip(), nonce)

    @property
    def approves(self) -> bool:
        """Say whether Approve was pressed."""
        return self.choice == "approve"

    @property
    def problem(self) -> str:
        """Return what keeps the form from deciding, "" if nothing does."""
        if self.choice not in ("approve", "reject"):
            return "Please choose Approve or Reject."
        if self.approves and not self.word:
            return "Please type the word that stands in your mail, under its two links. It is not on this page."
        if self.choice == "reject" and not self.reason:
            return "Please say why you reject it. The people who trained the model will read it."
        if len(self.reason) > REASON_LIMIT:
            return (
                f"The reason has {len(self.reason):,} characters; at most {REASON_LIMIT:,} are kept. Please shorten it."
            )
        return ""
