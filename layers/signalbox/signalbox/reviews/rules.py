"""How a review is requested, decided once, and closed.

A decision has three steps: the conditional write in the table, which decides; the registry (package reviews); the
answer to the waiting task. The last two leave a mark when they are done. A process that dies in between leaves a
decided review without its marks, and whatever touches it next (another POST, an event of the registry) repeats what
is missing. Every step may be done twice: the registry gets the same status again, the task says that it is closed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from signalbox.reviews.model import DECIDED, Review, ReviewError, moment_of, timestamp
from signalbox.reviews.ports import Registry, Store, TaskClosedError, Tasks

ERROR_NAME = "ReviewRejected"
# How long a decision counts as still being passed on by the process that took it: longer than any of our functions run.
IN_FLIGHT = timedelta(seconds=30)
_DESCRIPTION_LIMIT = 1024  # botocore's sagemaker model: ApprovalDescription
_ATTEMPTS = 5
type Verdict = Literal["answered", "already", "none"]


@dataclass(frozen=True)
class Decision:
    """Who decided what, from where, and why."""

    approved: bool
    by: str
    reason: str
    origin: Literal["page", "registry"]
    source_ip: str = ""
    user_agent: str = ""


@dataclass(frozen=True)
class Desk:
    """The ports that decisions go through. Without a registry, its step is left to whoever has one."""

    store: Store
    tasks: Tasks
    clock: Callable[[], datetime]
    registry: Registry | None = None


def place(desk: Desk, review: Review) -> Review:
    """Keep a new review, or return the one that this task, or this execution, already has.

    The id comes from the task token, so a second delivery of the same request finds its own review. A new token of the
    same execution, kind and stage is a retry of the state: the open review before it is superseded; one that a person
    has decided answers the new task too.

    Raises:
        ReviewError: others kept changing the execution's review at the same time.
    """
    for _ in range(_ATTEMPTS):
        known = desk.store.get(review.id)
        if known is not None:
            return finish(desk, known)
        before = desk.store.current(review.execution_arn, review.kind, review.stage)
        if before is not None and before.status in DECIDED and before.package == review.package:
            passed_on = _pass_on(desk, before, review.token)
        else:
            passed_on = review if desk.store.create(review, before) else None
        if passed_on is not None:
            return passed_on
    raise ReviewError(f"the review of {review.package} is being changed by others: request it again")


def _pass_on(desk: Desk, decided: Review, token: str) -> Review | None:
    """Let a decided review answer another task."""
    expected = {"status": decided.status, "token": decided.token}
    rearmed = desk.store.change(decided.id, expected, {"token": token, "answered_at": "", "answer": ""})
    return rearmed and finish(desk, rearmed)


def decide(desk: Desk, review: Review, decision: Decision) -> Review | None:
    """Decide an open review and pass the decision on; None if somebody else was first.

    Raises:
        RegistryError: the decision is kept, the registry did not take it; `finish` repeats it.
    """
    changes = {
        "status": "approved" if decision.approved else "rejected",
        "by": decision.by,
        "at": timestamp(desk.clock()),
        "reason": decision.reason,
        "origin": decision.origin,
        "source_ip": decision.source_ip,
        "user_agent": decision.user_agent,
    }
    decided = desk.store.change(review.id, {"status": "open"}, changes)
    return decided and finish(desk, decided)


def finish(desk: Desk, review: Review) -> Review:
    """Do what is still missing of a decision; nothing if all of it is done. Raises RegistryError.

    A desk without a registry leaves a decision that the registry has not heard of to one that has: the machine must
    not go on to release a package that is not approved yet.
    """
    if not review.unfinished or (desk.registry is None and review.unregistered):
        return review
    review = _register(desk, review)
    return _mark(desk, review, _answer(desk, review))


def _mark(desk: Desk, review: Review, answer: Literal["sent", "closed"]) -> Review:
    # "sent" holds against "closed": two processes may answer at once, and only the first of them is let in.
    expected = {"token": review.token} | ({"answered_at": ""} if answer == "closed" else {})
    marked = desk.store.change(review.id, expected, {"answered_at": timestamp(desk.clock()), "answer": answer})
    return marked or desk.store.get(review.id) or review


def _register(desk: Desk, review: Review) -> Review:
    if desk.registry is None or not review.unregistered:
        return review
    approved = review.status == "approved"
    desk.registry.decide(review.package, approved=approved, description=description(review))
    return desk.store.change(review.id, {"status": review.status}, {"registered_at": timestamp(desk.clock())}) or review


def description(review: Review) -> str:
    """Return what the registry keeps of a decision, in one line."""
    if review.status == "expired":
        return f"expired unanswered {review.expires_at[:16].replace('T', ' ')} UTC (review {review.id})"
    text = f"{review.status} by {review.by} on the review page {review.at[:16].replace('T', ' ')} UTC"
    line = " ".join(f"{text}: {review.reason}".split() if review.reason else text.split())
    return line if len(line) <= _DESCRIPTION_LIMIT else f"{line[: _DESCRIPTION_LIMIT - 1]}…"


def _answer(desk: Desk, review: Review) -> Literal["sent", "closed"]:
    try:
        if review.status == "approved":
            desk.tasks.succeed(review.token, review.decision())
        else:
            desk.tasks.fail(review.token, ERROR_NAME, review.decision())
    except TaskClosedError:
        return "closed"
    return "sent"


def close(desk: Desk, execution_arn: str, kind: str, stage: str) -> dict[str, str]:
    """Expire the execution's open review, since its task has timed out, and return what was decided.

    A decision that was taken before this write counts, although its answer came too late: the machine gets it here.

    Raises:
        ReviewError: the execution never asked for such a review.
        RegistryError: the registry did not take the rejection; a repetition of the call does it again.
    """
    review = desk.store.current(execution_arn, kind, stage)
    if review is None:
        raise ReviewError(f"execution {execution_arn} has no {kind} review to close: see whether it was requested")
    now = timestamp(desk.clock())
    review = desk.store.change(review.id, {"status": "open"}, {"status": "expired", "at": now}) or review
    if review.status == "open":  # decided between the reading and the write
        review = desk.store.get(review.id) or review
    if review.status == "expired":
        _register(desk, review)
    elif review.status in DECIDED:
        # The machine carries on with this decision, so the registry's events need not start anything.
        review = _register(desk, review)
        desk.store.change(review.id, {"status": review.status}, {"answered_at": now, "answer": "sent"})
    return review.decision()


def answer_from_registry(desk: Desk, package: str, *, approved: bool, by: str) -> Verdict:
    """Let a decision made in the registry answer what is open; see `signalbox.reviews` for the verdicts."""
    reviews = desk.store.of_package(package)
    asked = [review for review in reviews if review.kind == "package" and review.status != "superseded"]
    decision = Decision(approved=approved, by=by, reason="decided in the model registry", origin="registry")
    verdicts = [_answer_open(desk, review, decision) for review in asked if review.status == "open"]
    if not approved:
        for review in reviews:
            if review.kind == "stage" and review.status == "open":
                decide(desk, review, replace(decision, reason="the package was rejected in the model registry"))
    if verdicts:
        return "answered" if "answered" in verdicts else verdicts[-1]
    return _standing(desk, asked[-1], approved=approved, by=by) if asked else "none"


def _answer_open(desk: Desk, review: Review, decision: Decision) -> Verdict:
    decided = decide(desk, review, decision)
    if decided is None:  # the page was quicker: what it decided is looked at instead
        now = desk.store.get(review.id) or review
        return _standing(desk, now, approved=decision.approved, by=decision.by)
    # A task that waits no more leaves nobody to carry on, so the caller has to. Where the machine has just timed out
    # and carries on after all, a release is asked for twice, which changes nothing.
    return "answered" if decided.answer == "sent" else "none"


def _standing(desk: Desk, review: Review, *, approved: bool, by: str) -> Verdict:
    """Say whether a review that is no longer open stands for what the registry now says."""
    if review.status not in DECIDED:
        return "none"
    in_flight = desk.clock() - moment_of(review.at) < IN_FLIGHT
    if (review.status == "approved") == approved:
        return _carried_on(desk, review, in_flight=in_flight)
    if in_flight and review.unregistered:
        return "already"  # the page decided first and is about to write the registry
    _overturn(desk, review, by)
    return "none"


def _carried_on(desk: Desk, review: Review, *, in_flight: bool) -> Verdict:
    """Repeat a lost answer, and say whether a machine carries on with the decision."""
    if review.unfinished:
        answer = _answer(desk, review)
        if answer == "closed" and in_flight:
            return "already"  # the process that decided has answered this moment, and marks it next
        review = _mark(desk, review, answer)
    return "none" if review.answer == "closed" else "already"


def _overturn(desk: Desk, review: Review, by: str) -> None:
    """Mark a decision as no longer standing. A task that never heard of it is failed."""
    now = timestamp(desk.clock())
    changes = {"overturned_from": review.status, "overturned_by": by, "overturned_at": now}
    overturned = desk.store.change(review.id, {"status": review.status}, {"status": "overturned", **changes})
    if overturned is not None and not overturned.answered_at:
        answered = {"answered_at": now, "answer": _answer(desk, overturned)}
        desk.store.change(review.id, {"status": "overturned"}, answered)
