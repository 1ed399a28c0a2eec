"""Deciding a review in three steps: the table, the registry, the waiting task. `rules.py` says why, and who repeats."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from signalbox import moments
from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox.aws.machines import TaskClosedError
from signalbox.contracts.errors import REVIEW_REJECTED
from signalbox.reviews import rules
from signalbox.reviews.model import Answer, DecisionNotPassedOnError, Review

if TYPE_CHECKING:
    from signalbox.reviews.ports import ApprovalWriter, ReviewStore, WaitingTasks


class DecidingPorts(NamedTuple):
    """What decisions go through. Without a registry, its step is left to whoever has one."""

    store: "ReviewStore"
    tasks: "WaitingTasks"
    clock: Callable[[], datetime]
    registry: "ApprovalWriter | None" = None


def decide(review: Review, vote: rules.Vote, ports: DecidingPorts) -> Review | None:
    """Decide an open review, which `finish` passes on; None if it is not as it was read.

    Then somebody else was first, or a wrong word was counted meanwhile: many words at once are tried one by one.
    """
    return ports.store.change(review.id, rules.open_as_read(review), rules.decided(vote, ports.clock()))


def count_guess(review: Review, approver: str, ports: DecidingPorts) -> Review | None:
    """Count a wrong word that came by an approver's link; None if the review is not as it was read."""
    return ports.store.change(review.id, rules.open_as_read(review), {"guesses": (*review.guesses, approver)})


def finish(review: Review, ports: DecidingPorts) -> Review:
    """Do what is still missing of a decision; nothing if all of it is done.

    Without a registry, a decision that the registry has not heard of is left to a process that has one: the machine
    must not go on to release a package that is not approved yet.

    Raises:
        DecisionNotPassedOnError: the decision is kept, the registry or the task did not take it; a repetition helps.
    """
    if not review.unfinished or (ports.registry is None and review.unregistered):
        return review
    try:
        if ports.registry is not None and review.unregistered:
            approved, description = review.status == "approved", rules.description(review)
            ports.registry.decide(review.package, approved=approved, description=description)
            registered = {"registered_at": moments.text_of(ports.clock())}
            review = ports.store.change(review.id, {"status": review.status}, registered) or review
        expected, answered = rules.answered(review, answer_task(review, ports.tasks), ports.clock())
        return ports.store.change(review.id, expected, answered) or ports.store.get(review.id) or review
    except (ServiceBusyError, CallRefusedError) as error:
        raise DecisionNotPassedOnError(review.package, error) from error


def answer_task(review: Review, tasks: "WaitingTasks") -> Answer:
    """Tell the waiting task how the review ended; "closed" where it waits no more."""
    try:
        if review.status == "approved":
            tasks.succeed(review.token, review.decision())
        else:
            tasks.fail(review.token, REVIEW_REJECTED, review.decision())
    except TaskClosedError:
        return "closed"
    return "sent"
