"""The review page over HTTP: reading changes nothing, and only its own form decides.

Mail scanners open every link, some with a browser. So GET, HEAD and OPTIONS only read, and a POST needs what only a
person's browser has after opening the page: the form's nonce together with the cookie that it is bound to.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qs

from signalbox import reviews
from signalbox.observability import count, logger
from signalbox.reviews import keys, pages
from signalbox.reviews.adapters import RegistryError, TaskError, secret
from signalbox.reviews.model import REASON_LIMIT, Review
from signalbox.reviews.rules import Decision, Desk, decide, finish
from signalbox.settings import ReviewPage

type Response = dict[str, Any]
_METHODS = "GET, HEAD, POST, OPTIONS"
_FORM = "application/x-www-form-urlencoded"
_BODY_LIMIT = 16_384  # characters; a form has at most a reason of 1,000 characters, nine of form encoding each
_AGENT_LIMIT = 200
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


@dataclass(frozen=True)
class Counter:
    """What the page needs from outside; `random` gives a new text of at least 16 URL-safe characters."""

    desk: Desk
    secret: Callable[[], bytes]
    random: Callable[[], str]


@dataclass(frozen=True)
class Visit:
    """One request, by somebody who showed a key of ours."""

    method: str
    review: Review
    approver: str
    key: str
    choice: pages.Choice
    cookie: str
    cookie_name: str
    secure: bool
    source_ip: str
    user_agent: str
    now: datetime


def counter(settings: ReviewPage) -> Counter:
    """Return the ports on AWS."""
    return Counter(
        desk=reviews.desk(settings.reviews_table, registry=True),
        secret=lambda: secret(settings.review_secret_arn),
        random=lambda: token_urlsafe(24),
    )


def answer(ports: Counter, event: dict[str, Any]) -> Response:
    """Answer a request of the HTTP API (payload format 2.0)."""
    method = str(event["requestContext"]["http"]["method"]).upper()
    if method == "OPTIONS":
        return {"statusCode": 204, "headers": {**_HEADERS, "allow": _METHODS}, "body": ""}
    if method not in _METHODS:
        count("ReviewMethodRefused")
        page = pages.note("This page only takes a form", f"Nothing here answers {method}.")
        return {**_page(405, page), "headers": {**_HEADERS, "allow": _METHODS}}
    visit = _visit(ports, event, method)
    if visit is None:
        count("ReviewNotFound")
        lead = "The link may have been cut or changed. Open it again from the mail that you got."
        response = _page(404, pages.note("There is no review here", lead))
    elif method == "POST":
        response = _post(ports, visit, event)
    else:
        count("ReviewShown")
        response = _show(ports, visit)
    return {**response, "body": ""} if method == "HEAD" else response


def _visit(ports: Counter, event: dict[str, Any], method: str) -> Visit | None:
    """Return who visits which review; None, whatever the reason, if the key does not open it."""
    context, asked = event["requestContext"], event.get("queryStringParameters") or {}
    review_id, key = str((event.get("pathParameters") or {}).get("review", "")), str(asked.get("key", ""))
    approver = keys.approver_of(ports.secret(), review_id, key)
    review = ports.desk.store.get(review_id) if approver else None
    if approver is None or review is None or approver not in review.approvers:
        return None
    secure = not _loopback(str(context.get("domainName", "")))
    # One cookie for each review, so that opening another one from its mail does not spoil this form.
    name = f"{'__Host-' if secure else ''}signalbox-{review.id}"
    return Visit(
        method=method,
        review=review,
        approver=approver,
        key=key,
        choice="reject" if asked.get("choice") == "reject" else "approve",
        cookie=_cookie(event, name),
        cookie_name=name,
        secure=secure,
        source_ip=str(context["http"].get("sourceIp", "")),
        user_agent=str(context["http"].get("userAgent", ""))[:_AGENT_LIMIT],
        now=ports.desk.clock(),
    )


def _loopback(host: str) -> bool:
    """Say whether the API is this machine's own, without TLS: a browser would not keep a `Secure` cookie from it."""
    name = host.rsplit(":", 1)[0] if ":" in host else host
    return name.endswith(("localhost", "127.0.0.1"))


def _cookie(event: dict[str, Any], name: str) -> str:
    """Return our cookie's value, "" if there is none of our shape."""
    pairs = event.get("cookies") or str((event.get("headers") or {}).get("cookie", "")).split(";")
    for pair in pairs:
        key, _, value = str(pair).strip().partition("=")
        if key == name and keys.cookie_is_ours(value):
            return value
    return ""


def _show(ports: Counter, visit: Visit, *, status: int = 200, typed: str = "", problem: str = "") -> Response:
    """Return the form of an open review, or the page of a closed one. Writes nothing."""
    cookie = visit.cookie or ports.random()
    nonce = keys.form_nonce(ports.secret(), visit.review.id, visit.approver, cookie, visit.now)
    review = visit.review
    if review.status_at(visit.now) == "open":
        page = pages.form(
            review, visit.approver, key=visit.key, nonce=nonce, choice=visit.choice, reason=typed, problem=problem
        )
    elif review.unfinished:
        page = pages.closed(review, visit.approver, visit.now, key=visit.key, nonce=nonce)
    else:
        return _page(status, pages.closed(review, visit.approver, visit.now))
    attributes = "; Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if visit.secure else "")
    return {**_page(status, page), "cookies": [f"{visit.cookie_name}={cookie}{attributes}"]}


def _post(ports: Counter, visit: Visit, event: dict[str, Any]) -> Response:
    fields = _fields(event)
    if fields is None:
        lead = "What was sent is not this page's form. Open the link from your mail and use the form there."
        return _page(400, pages.note("This is not the form", lead, again=visit.key, choice=visit.choice))
    typed = fields.get("reason", "").replace("\r\n", "\n").strip()
    nonce = fields.get("nonce", "")
    if not keys.nonce_holds(ports.secret(), nonce, visit.review.id, visit.approver, visit.cookie, now=visit.now):
        count("ReviewFormRefused")
        lead = "The form was open for too long, or in another window, or your browser refused its cookie."
        return _page(
            403, pages.note("Please open the review again", lead, typed=typed, again=visit.key, choice=visit.choice)
        )
    if visit.review.status_at(visit.now) != "open":
        return _repeat(ports, visit)
    problem = _problem(fields.get("choice", ""), typed)
    if problem:
        wanted: pages.Choice = "reject" if fields.get("choice") == "reject" else visit.choice
        return _show(ports, replace(visit, choice=wanted), status=400, typed=typed, problem=problem)
    return _decide(ports, visit, approved=fields["choice"] == "approve", reason=typed)


def _fields(event: dict[str, Any]) -> dict[str, str] | None:
    """Return the form's fields, the first of each name; None if the body is no form of ours."""
    kind = str((event.get("headers") or {}).get("content-type", ""))
    body = str(event.get("body") or "")
    if kind.partition(";")[0].strip().lower() != _FORM or len(body) > _BODY_LIMIT:
        return None
    try:
        text = base64.b64decode(body, validate=True).decode() if event.get("isBase64Encoded") else body
        return {name: values[0] for name, values in parse_qs(text, keep_blank_values=True, max_num_fields=8).items()}
    except (binascii.Error, ValueError):
        return None


def _problem(choice: str, reason: str) -> str:
    if choice not in ("approve", "reject"):
        return "Please choose Approve or Reject."
    if choice == "reject" and not reason:
        return "Please say why you reject it. The people who trained the model will read it."
    if len(reason) > REASON_LIMIT:
        return f"The reason has {len(reason):,} characters; at most {REASON_LIMIT:,} are kept. Please shorten it."
    return ""


def _decide(ports: Counter, visit: Visit, *, approved: bool, reason: str) -> Response:
    decision = Decision(
        approved=approved,
        by=visit.approver,
        reason=reason,
        origin="page",
        source_ip=visit.source_ip,
        user_agent=visit.user_agent,
    )
    try:
        decided = decide(ports.desk, visit.review, decision)
    except (RegistryError, TaskError):
        return _not_passed_on(ports, visit)
    if decided is None:  # somebody else was first
        return _repeat(ports, _again(ports, visit))
    logger.info("review decided", extra={"review": decided.id, "decision": decided.status, "answer": decided.answer})
    count("ReviewApproved" if approved else "ReviewRejected")
    return _page(200, pages.closed(decided, visit.approver, visit.now))


def _repeat(ports: Counter, visit: Visit) -> Response:
    """Answer a form for a review that is over: pass its decision on if that was lost, and show who decided what."""
    if not visit.review.unfinished:
        return _show(ports, visit, status=409)
    try:
        review = finish(ports.desk, visit.review)
    except (RegistryError, TaskError):
        return _not_passed_on(ports, visit)
    count("ReviewAnswerRepeated")
    return _show(ports, replace(visit, review=review), status=409)


def _not_passed_on(ports: Counter, visit: Visit) -> Response:
    """The decision is kept and a step after it failed: show that, with a form that repeats it."""
    logger.exception("review decision not passed on", extra={"review": visit.review.id})
    count("ReviewAnswerFailed")
    return _show(ports, _again(ports, visit), status=502)


def _again(ports: Counter, visit: Visit) -> Visit:
    return replace(visit, review=ports.desk.store.get(visit.review.id) or visit.review)


def _page(status: int, body: str) -> Response:
    return {"statusCode": status, "headers": dict(_HEADERS), "body": body}
