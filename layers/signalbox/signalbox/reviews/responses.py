"""What the review page answers over HTTP: a page, its headers, and the cookie that its form needs."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, NotRequired, TypedDict

from signalbox.reviews import keys, pages
from signalbox.reviews.deciding import DecidingPorts
from signalbox.reviews.model import Review
from signalbox.reviews.page_request import PageRequest

if TYPE_CHECKING:
    from signalbox.mail import Mailer

_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # With "no-referrer", browsers would send the form with "Origin: null", which any other page can send too.
    "referrer-policy": "same-origin",
    "strict-transport-security": "max-age=31536000",  # a year; browsers pass over it where there is no TLS
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex, nofollow",
}


class PageResponse(TypedDict):
    """An answer to the HTTP API."""

    statusCode: int
    headers: dict[str, str]
    body: str
    cookies: NotRequired[list[str]]


class PagePorts(NamedTuple):
    """What the page needs from outside.

    `random` gives a new text of at least 16 URL-safe characters; `url` is the address that people reach the page under,
    "" for the one that the API has by itself; `mailer` is made where a mail is sent.
    """

    deciding: DecidingPorts
    secret: Callable[[], bytes]
    random: Callable[[], str]
    mailer: "Callable[[], Mailer]"
    url: str = ""


class OpenedReview(NamedTuple):
    """A review as it is now, opened by a request with a key of ours, which names the approver."""

    request: PageRequest
    review: Review
    approver: str
    now: datetime

    @property
    def undecided(self) -> bool:
        """Say whether the review can be decided now."""
        return self.review.status_at(self.now) == "open"


def show(
    opened: OpenedReview, ports: PagePorts, *, status: int = 200, typed: str = "", problem: str = ""
) -> PageResponse:
    """Return the form of an open review, or the page of a closed one. Writes nothing."""
    request, review, approver = opened.request, opened.review, opened.approver
    cookie = request.cookie or ports.random()
    nonce = keys.form_nonce(ports.secret(), review.id, approver, cookie, opened.now)
    if opened.undecided:
        choice = request.choice
        body = pages.form(review, approver, key=request.key, nonce=nonce, choice=choice, reason=typed, problem=problem)
    elif review.unfinished:
        body = pages.closed(review, approver, opened.now, key=request.key, nonce=nonce)
    else:
        return page(status, pages.closed(review, approver, opened.now))
    attributes = "; Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if request.secure else "")
    return {**page(status, body), "cookies": [f"{request.cookie_name}={cookie}{attributes}"]}


def page(status: int, body: str, **more: str) -> PageResponse:
    """Return a page with the headers that each of ours has, and `more` of them."""
    return {"statusCode": status, "headers": {**_HEADERS, **more}, "body": body}
