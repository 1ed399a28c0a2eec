"""The review page over HTTP: reading changes nothing, and only its own form decides.

Mail scanners open every link, some with a browser. So GET, HEAD and OPTIONS only read, and a POST needs what only a
person's browser has after opening the page: the form's nonce together with the cookie that it is bound to.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NotRequired, TypedDict

from signalbox.observability import count, logger
from signalbox.reviews import deciding, keys, pages
from signalbox.reviews.deciding import DecidingPorts
from signalbox.reviews.model import DecisionNotPassedOnError, Review
from signalbox.reviews.page_request import DecisionForm, PageRequest
from signalbox.reviews.rules import Vote

_METHODS = ("GET", "HEAD", "POST", "OPTIONS")
_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
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


@dataclass(frozen=True)
class PagePorts:
    """What the page needs from outside; `random` gives a new text of at least 16 URL-safe characters."""

    deciding: DecidingPorts
    secret: Callable[[], bytes]
    random: Callable[[], str]


@dataclass(frozen=True)
class OpenedReview:
    """A review as it is now, opened by a request with a key of ours, which names the approver."""

    request: PageRequest
    review: Review
    approver: str
    now: datetime


def answer(event: Mapping[str, Any], ports: PagePorts) -> PageResponse:
    """Answer a request of the HTTP API (payload format 2.0)."""
    request = PageRequest.of(event)
    if request.method not in ("GET", "HEAD", "POST"):
        return _other_method(request.method)
    opened = _opened(request, ports)
    if opened is None:
        count("ReviewNotFound")
        lead = "The link may have been cut or changed. Open it again from the mail that you got."
        response = _page(404, pages.note("There is no review here", lead))
    elif request.method == "POST":
        response = _posted(opened, ports)
    else:
        count("ReviewShown")
        response = _show(opened, ports)
    return {**response, "body": ""} if request.method == "HEAD" else response


def _other_method(method: str) -> PageResponse:
    headers = {**_HEADERS, "allow": ", ".join(_METHODS)}
    if method == "OPTIONS":
        return {"statusCode": 204, "headers": headers, "body": ""}
    count("ReviewMethodRefused")
    page = pages.note("This page only takes a form", f"Nothing here answers {method}.")
    return {"statusCode": 405, "headers": headers, "body": page}


def _opened(request: PageRequest, ports: PagePorts) -> OpenedReview | None:
    """Return who opens which review; None, whatever the reason, if the key does not open it."""
    approver = keys.approver_of(ports.secret(), request.review, request.key)
    review = ports.deciding.store.get(request.review) if approver else None
    if approver is None or review is None or approver not in review.approvers:
        return None
    return OpenedReview(request, review, approver, ports.deciding.clock())


def _show(
    opened: OpenedReview, ports: PagePorts, *, status: int = 200, typed: str = "", problem: str = ""
) -> PageResponse:
    """Return the form of an open review, or the page of a closed one. Writes nothing."""
    request, review, approver = opened.request, opened.review, opened.approver
    cookie = request.cookie or ports.random()
    nonce = keys.form_nonce(ports.secret(), review.id, approver, cookie, opened.now)
    if review.status_at(opened.now) == "open":
        choice = request.choice
        page = pages.form(review, approver, key=request.key, nonce=nonce, choice=choice, reason=typed, problem=problem)
    elif review.unfinished:
        page = pages.closed(review, approver, opened.now, key=request.key, nonce=nonce)
    else:
        return _page(status, pages.closed(review, approver, opened.now))
    attributes = "; Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if request.secure else "")
    return {**_page(status, page), "cookies": [f"{request.cookie_name}={cookie}{attributes}"]}


def _posted(opened: OpenedReview, ports: PagePorts) -> PageResponse:
    """Decide by the form where the review is open, else pass on what was decided before, if that was lost."""
    form = DecisionForm.of(opened.request)
    if form is None:
        return _no_form(opened)
    if refusal := _refusal(opened, form, ports):
        return refusal
    decided = None
    if opened.review.status_at(opened.now) == "open":
        decided = deciding.decide(opened.review, _vote(opened, form), ports.deciding)
        # Where somebody else was first, what they decided is looked at instead.
        opened = replace(opened, review=decided or ports.deciding.store.get(opened.review.id) or opened.review)
    lost = decided is None and opened.review.unfinished
    try:
        opened = replace(opened, review=deciding.finish(opened.review, ports.deciding))
    except DecisionNotPassedOnError:
        # The decision is kept and a step after it failed: show that, with a form that repeats it.
        logger.exception("review decision not passed on", extra={"review": opened.review.id})
        count("ReviewAnswerFailed")
        opened = replace(opened, review=ports.deciding.store.get(opened.review.id) or opened.review)
        return _show(opened, ports, status=502)
    if decided is not None:
        return _done(opened)
    if lost:
        count("ReviewAnswerRepeated")
    return _show(opened, ports, status=409)


def _refusal(opened: OpenedReview, form: DecisionForm, ports: PagePorts) -> PageResponse | None:
    """Return the page that refuses a form: it is not of this browser, or it cannot decide an open review."""
    request, review, now = opened.request, opened.review, opened.now
    if not keys.nonce_holds(ports.secret(), form.nonce, review.id, opened.approver, request.cookie, now=now):
        count("ReviewFormRefused")
        lead = "The form was open for too long, or in another window, or your browser refused its cookie."
        title, choice = "Please open the review again", request.choice
        return _page(403, pages.note(title, lead, typed=form.reason, again=request.key, choice=choice))
    if review.status_at(now) != "open" or not form.problem:
        return None
    chosen = replace(request, choice="reject") if form.choice == "reject" else request
    return _show(replace(opened, request=chosen), ports, status=400, typed=form.reason, problem=form.problem)


def _no_form(opened: OpenedReview) -> PageResponse:
    lead = "What was sent is not this page's form. Open the link from your mail and use the form there."
    request = opened.request
    return _page(400, pages.note("This is not the form", lead, again=request.key, choice=request.choice))


def _vote(opened: OpenedReview, form: DecisionForm) -> Vote:
    return Vote(
        approved=form.choice == "approve",
        by=opened.approver,
        reason=form.reason,
        origin="page",
        source_ip=opened.request.source_ip,
        user_agent=opened.request.user_agent,
    )


def _done(opened: OpenedReview) -> PageResponse:
    review = opened.review
    logger.info("review decided", extra={"review": review.id, "decision": review.status, "answer": review.answer})
    count("ReviewApproved" if review.status == "approved" else "ReviewRejected")
    return _page(200, pages.closed(review, opened.approver, opened.now))


def _page(status: int, body: str) -> PageResponse:
    return {"statusCode": status, "headers": dict(_HEADERS), "body": body}
