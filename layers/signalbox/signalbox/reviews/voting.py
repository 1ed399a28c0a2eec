"""A vote by the page's form: it decides, or its wrong word is counted."""

from copy import replace
from typing import TYPE_CHECKING

from signalbox.observability import logger
from signalbox.reviews import deciding, keys
from signalbox.reviews.model import WORD_TRIES, Review
from signalbox.reviews.page_request import DecisionForm
from signalbox.reviews.responses import OpenedReview, PagePorts
from signalbox.reviews.rules import Vote

if TYPE_CHECKING:
    from collections.abc import Callable

    from signalbox.mail import Mailer


def vote(opened: OpenedReview, form: DecisionForm, ports: PagePorts) -> tuple[OpenedReview, bool]:
    """Decide an open review, or count a wrong word. Return it as it is then, and whether this form wrote that.

    Nothing is written for a review that is not open, or whose approver has no try left. A review that is not as it was
    read is read again; each time somebody else has decided it, or used up one of all approvers' tries.
    """
    for _ in range(WORD_TRIES * len(opened.review.approvers) + 1):
        review = opened.review
        if not opened.undecided or (form.approves and not review.tries_left(opened.approver)):
            break
        changed = _write(opened, form, ports)
        opened = replace(opened, review=changed or ports.deciding.store.get(review.id) or review)
        if changed is not None:
            return opened, True
    return opened, False


def _write(opened: OpenedReview, form: DecisionForm, ports: PagePorts) -> Review | None:
    review, approver = opened.review, opened.approver
    if form.approves and not keys.word_holds(ports.secret(), form.word, review.id, approver):
        return deciding.count_guess(review, approver, ports.deciding)
    by_form = Vote(
        approved=form.approves,
        by=approver,
        reason=form.reason,
        origin="page",
        source_ip=opened.request.source_ip,
        user_agent=opened.request.user_agent,
    )
    return deciding.decide(review, by_form, ports.deciding)


def tell_used_up(review: Review, approver: str, mailer: "Callable[[], Mailer]") -> None:
    """Mail every approver that somebody's link approves no more; where that fails, the page says it alone."""
    from signalbox.mail import MailError, send_each  # noqa: PLC0415  # this is rare, and mails take time to load
    from signalbox.reviews import mails  # noqa: PLC0415  # the same

    logger.warning("review words used up", extra={"review": review.id})
    try:
        send_each(mailer(), [mails.used_up(review, approver, to) for to in review.approvers])
    except MailError:
        logger.exception("nobody was told that words are used up", extra={"review": review.id})
