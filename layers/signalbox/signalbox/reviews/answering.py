"""A decision that was made in the model registry answers the reviews of the package."""

from collections import deque

from signalbox.reviews import rules
from signalbox.reviews.deciding import DecidingPorts, answer_task
from signalbox.reviews.model import Review
from signalbox.reviews.rules import AnswerOutcome, RegistryWord


def answer_from_registry(
    package: str,
    approved: bool,  # the port of the registry's rule passes it by position
    by: str,
    description: str,
    *,
    ports: DecidingPorts,
) -> AnswerOutcome:
    """Let a decision that was made in the registry answer the reviews of a package.

    `description` are the words that were left there with it, by a person or by the page.

    Returns:
        "answered": an open package review is now decided and its machine has been told; "already": the package review
        was decided the same way before, and its machine carries on; "none": nobody carries on, so the caller has to;
        "unreviewed": nobody was ever asked about the package.
    """
    word, outcomes = RegistryWord(approved, by, description, ports.clock()), list[AnswerOutcome]()
    known = ports.store.of_package(package)
    waiting = deque(rules.concerned(known, word))
    while waiting:
        review = waiting.popleft()
        reaction, changes = rules.reaction(review, word), rules.reacted(review, word)
        changed = ports.store.change(review.id, {"status": review.status}, changes) if changes else review
        if changed is None:  # somebody was quicker: what was decided is looked at instead
            waiting.extend(filter(None, [ports.store.get(review.id)]))
            continue
        answer = changed.answer
        if reaction != "leave" and not changed.answered_at:
            answer = answer_task(changed, ports.tasks)
            if not rules.answered_elsewhere(reaction, changed, answer, word):
                marked = ports.store.change(changed.id, *rules.answered(changed, answer, word.now))
                changed = marked or ports.store.get(changed.id) or changed
        outcomes += [_outcome(reaction, changed, answer, ports)] if changed.kind == "package" else []
    if not any(review.kind == "package" for review in known):
        return "unreviewed"
    return "answered" if "answered" in outcomes else outcomes[-1] if outcomes else "none"


def _outcome(reaction: rules.Reaction, review: Review, answer: str, ports: DecidingPorts) -> AnswerOutcome:
    # A task that waits no more says nothing of its machine, whoever marks it: it was answered, or stopped before.
    goes_on = answer != "closed" or ports.tasks.goes_on(review.execution_arn)
    return rules.outcome(reaction, review, goes_on=goes_on)
