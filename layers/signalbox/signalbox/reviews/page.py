"""The review page over HTTP: reading changes nothing, and only its own form decides.

Mail scanners open every link, some with a browser that presses buttons. So GET, HEAD and OPTIONS only read; a POST
needs the form's nonce together with the cookie that it is bound to; an approval needs a word that stands in the mail
alone.
"""

from collections.abc import Mapping
from copy import replace
from typing import Any

from signalbox.aws.errors import ServiceBusyError
from signalbox.observability import count, logger
from signalbox.reviews import deciding, keys, pages, rules, tries, voting
from signalbox.reviews.model import DecisionNotPassedOnError
from signalbox.reviews.page_request import DecisionForm, PageRequest
from signalbox.reviews.responses import OpenedReview, PagePorts, PageResponse, page, show

_METHODS = ("GET", "HEAD", "POST", "OPTIONS")


def answer(event: Mapping[str, Any], ports: PagePorts) -> PageResponse:
    """Answer a request of the HTTP API (payload format 2.0)."""
    request = PageRequest.of(event)
    if request.method not in ("GET", "HEAD", "POST"):
        return _other_method(request.method)
    try:
        response = _answered(request, ports)
    except ServiceBusyError:
        response = _busy(request)
    return {**response, "body": ""} if request.method == "HEAD" else response


def _answered(request: PageRequest, ports: PagePorts) -> PageResponse:
    opened = _opened(request, ports)
    if opened is None:
        count("ReviewNotFound")
        lead = "The link may have been cut or changed. Open it again from the mail that you got."
        return page(404, pages.note("There is no review here", lead))
    if request.method == "POST":
        return _posted(opened, ports)
    count("ReviewShown")
    return show(opened, ports)


def _busy(request: PageRequest) -> PageResponse:
    """Return the page for a moment in which AWS does not answer: what was decided, if anything, is shown again."""
    logger.exception("review page cannot be answered now", extra={"review": request.review})
    count("ReviewPageBusy")
    form = DecisionForm.of(request) if request.method == "POST" else None
    lead = "Open the review again in a moment: it shows whether your decision has arrived."
    title, typed = "The review cannot be reached right now", form.reason if form else ""
    return page(503, pages.note(title, lead, typed=typed, again=request.key, choice=request.choice))


def _other_method(method: str) -> PageResponse:
    allow = ", ".join(_METHODS)
    if method == "OPTIONS":
        return page(204, "", allow=allow)
    count("ReviewMethodRefused")
    return page(405, pages.note("This page only takes a form", f"Nothing here answers {method}."), allow=allow)


def _opened(request: PageRequest, ports: PagePorts) -> OpenedReview | None:
    """Return who opens which review; None, whatever the reason, if the key does not open it."""
    approver = keys.approver_of(ports.secret(), request.review, request.key)
    review = ports.deciding.store.get(request.review) if approver else None
    if approver is None or review is None or approver not in review.approvers:
        return None
    return OpenedReview(request, review, approver, ports.deciding.clock())


def _posted(opened: OpenedReview, ports: PagePorts) -> PageResponse:
    """Decide by the form where the review is open, else pass on what was decided before, if that was lost."""
    form = DecisionForm.of(opened.request)
    if form is None:
        return _no_form(opened)
    if refusal := _refusal(opened, form, ports):
        return refusal
    opened, written = voting.vote(opened, form, ports)
    if opened.undecided:
        return _wrong_word(opened, form, counted=written, ports=ports)
    lost = not written and opened.review.unfinished
    try:
        opened = replace(opened, review=deciding.finish(opened.review, ports.deciding))
    except DecisionNotPassedOnError:
        # The decision is kept and a step after it failed: show that, with a form that repeats it.
        logger.exception("review decision not passed on", extra={"review": opened.review.id})
        count("ReviewAnswerFailed")
        opened = replace(opened, review=ports.deciding.store.get(opened.review.id) or opened.review)
        return show(opened, ports, status=502)
    if written:
        return _done(opened)
    if lost:
        count("ReviewAnswerRepeated")
    return show(opened, ports, status=409)


def _refusal(opened: OpenedReview, form: DecisionForm, ports: PagePorts) -> PageResponse | None:
    """Return the page that refuses a form: it is not of this page and browser, or it cannot decide an open review."""
    request, review = opened.request, opened.review
    lead = ""
    if request.sent_from_elsewhere(ports.url):
        lead = "Your browser says that this form was sent by a page of somebody else."
    elif not keys.nonce_holds(ports.secret(), form.nonce, review.id, opened.approver, request.cookie, now=opened.now):
        lead = "The form was open for too long, or in another window, or your browser refused its cookie."
    if lead:
        count("ReviewFormRefused")
        title, choice = "Please open the review again", request.choice
        return page(403, pages.note(title, lead, typed=form.reason, again=request.key, choice=choice))
    if not opened.undecided:
        return None
    if form.problem:
        return show(_chosen(opened, form), ports, status=400, typed=form.reason, problem=form.problem)
    if form.approves and rules.asked_again(review, ports.deciding.store.of_package(review.package)):
        count("ReviewOutdated")
        return page(409, pages.asked_again(review, typed=form.reason, again=request.key))
    return None


def _chosen(opened: OpenedReview, form: DecisionForm) -> OpenedReview:
    """Return what is shown again to somebody who pressed Reject: that button first."""
    return replace(opened, request=replace(opened.request, choice="reject")) if form.choice == "reject" else opened


def _no_form(opened: OpenedReview) -> PageResponse:
    lead = "What was sent is not this page's form. Open the link from your mail and use the form there."
    request = opened.request
    return page(400, pages.note("This is not the form", lead, again=request.key, choice=request.choice))


def _wrong_word(opened: OpenedReview, form: DecisionForm, *, counted: bool, ports: PagePorts) -> PageResponse:
    """Return the form again; where this word was the last try, every approver is told."""
    left = opened.review.tries_left(opened.approver)
    count("ReviewWordRefused")
    if counted and not left:
        voting.tell_used_up(opened.review, opened.approver, ports.mailer)
    return show(opened, ports, status=403, typed=form.reason, problem=tries.wrong_word(left))


def _done(opened: OpenedReview) -> PageResponse:
    review = opened.review
    logger.info("review decided", extra={"review": review.id, "decision": review.status, "answer": review.answer})
    count("ReviewApproved" if review.status == "approved" else "ReviewRejected")
    return page(200, pages.closed(review, opened.approver, opened.now))
