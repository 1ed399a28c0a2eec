"""Closing a review whose waiting task has ended without an approval."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from signalbox import moments
from signalbox.observability import count
from signalbox.reviews import rules
from signalbox.reviews.model import DECIDED, Review, ReviewError

if TYPE_CHECKING:
    from signalbox.contracts.reviews import ReviewClosing, ReviewDecision
    from signalbox.reviews.ports import ApprovalWriter, ReviewStore


class ClosingPorts(NamedTuple):
    """What closing needs from outside."""

    store: "ReviewStore"
    registry: "ApprovalWriter"
    clock: Callable[[], datetime]


def close(event: "ReviewClosing", ports: ClosingPorts) -> "ReviewDecision":
    """Return what was decided; a review that is still open expires, which rejects its package.

    A decision that was taken before this write counts, although its answer came too late: the machine gets it here.

    Raises:
        ReviewError: the execution never asked for such a review.
        ServiceBusyError: the table or the registry could not answer now; a repetition of the call does the rest.
        CallRefusedError: the table or the registry refused the call; a repetition does the rest as soon as they do not.
    """
    review = _ended(event, ports)
    if review.unregistered:
        approved, description = review.status == "approved", rules.description(review)
        ports.registry.decide(review.package, approved=approved, description=description)
        registered = {"registered_at": moments.text_of(ports.clock())}
        review = ports.store.change(review.id, {"status": review.status}, registered) or review
    if review.status in DECIDED and review.answer != "sent":
        # The machine carries on with this decision, so the registry's events need not start anything.
        answered = {"answered_at": moments.text_of(ports.clock()), "answer": "sent"}
        ports.store.change(review.id, {"status": review.status}, answered)
    count("ReviewClosed")
    return review.decision()


def _ended(event: "ReviewClosing", ports: ClosingPorts) -> Review:
    """Return the execution's newest review, which is open no more."""
    execution, kind = event["execution_arn"], event["kind"]
    review = ports.store.current(execution, kind, event["stage"] or "")
    if review is None:
        raise ReviewError(f"execution {execution} has no {kind} review to close: see whether it was requested")
    if review.status != "open":
        return review
    expired = {"status": "expired", "at": moments.text_of(ports.clock())}
    changed = ports.store.change(review.id, {"status": "open"}, expired)
    return changed or ports.store.get(review.id) or review  # it was decided between the reading and the write
