"""What a delivery, a vote, the registry's word and a close mean for a review: what is written, and who is notified.

A decision has three steps: the conditional write in the table, which decides; the registry (package reviews); the
answer to the waiting task. The last two leave a mark when they are done. A process that dies in between leaves a
decided review without its marks, and whatever touches it next (another POST, an event of the registry) repeats what
is missing. Every step may be done twice: the registry gets the same status again, the task says that it is closed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from signalbox import moments
from signalbox.reviews.model import DECIDED, Answer, Review, Texts

# How long a decision counts as still being passed on by the process that took it: longer than any of our functions run.
IN_FLIGHT = timedelta(seconds=30)
_DESCRIPTION_LIMIT = 1024  # botocore's sagemaker model: ApprovalDescription
type AnswerOutcome = Literal["answered", "already", "none", "unreviewed"]
type Reaction = Literal["decide", "repeat", "overturn", "leave"]


class Vote(NamedTuple):
    """Who decided what, from where, and why."""

    approved: bool
    by: str
    reason: str
    origin: Literal["page", "command", "registry"]
    source_ip: str = ""
    user_agent: str = ""


class RegistryWord(NamedTuple):
    """What the registry says about a package, by whom and with which words, and when we learnt of it."""

    approved: bool
    by: str
    description: str
    now: datetime


def answers_again(newest: Review, asked: Review) -> bool:
    """Say whether what was decided before answers a new task too, because a state that was answered is repeated."""
    return newest.status in DECIDED and newest.package == asked.package


def rearmed(token: str) -> Texts:
    """Return the changes that let a decided review answer another task."""
    return {"token": token, "answered_at": "", "answer": ""}


def decided(vote: Vote, now: datetime) -> Texts:
    """Return the changes that decide an open review."""
    return {
        "status": "approved" if vote.approved else "rejected",
        "by": vote.by,
        "at": moments.text_of(now),
        "reason": vote.reason,
        "origin": vote.origin,
        "source_ip": vote.source_ip,
        "user_agent": vote.user_agent,
    }


def open_as_read(review: Review) -> Texts:
    """Return what has to hold for a vote on the page: the review is open, and no word was tried since it was read."""
    return {"status": "open", "guesses": review.guesses}


def asked_again(review: Review, known: Sequence[Review]) -> bool:
    """Say whether people were asked the same about the package once more, later, by evidence of another test."""
    return any(
        (one.kind, one.stage) == (review.kind, review.stage)
        and one.execution_arn != review.execution_arn
        and one.created_at > review.created_at
        for one in known
    )


def answered(review: Review, answer: Answer, now: datetime) -> tuple[Texts, Texts]:
    """Return what has to hold, and the changes, to mark a review's task as answered.

    "sent" holds against "closed": two processes may answer at once, and only the first of them is let in.
    """
    expected = {"token": review.token} | ({"answered_at": ""} if answer == "closed" else {})
    return expected, {"answered_at": moments.text_of(now), "answer": answer}


def description(review: Review) -> str:
    """Return what the registry keeps of a decision, in one line."""
    if review.status == "expired":
        return f"expired unanswered {_minute(review.expires_at)} (review {review.id})"
    where = "by the command line" if review.origin == "command" else "on the review page"
    text = f"{review.status} by {review.by} {where} {_minute(review.at)}"
    line = " ".join(f"{text}: {review.reason}".split() if review.reason else text.split())
    return line if len(line) <= _DESCRIPTION_LIMIT else f"{line[: _DESCRIPTION_LIMIT - 1]}…"


def _minute(moment: str) -> str:
    return f"{moment[:16].replace('T', ' ')} UTC"


def concerned(reviews: Sequence[Review], word: RegistryWord) -> list[Review]:
    """Return those of a package's reviews that the registry's word may change, oldest first.

    These are its open package reviews or, where none is open, the newest of them; a rejection of the package is one of
    every stage that asks, and an approval lets nobody into a stage. An approval that the registry has from a review
    says nothing of the reviews that were asked for after that one, by other evidence: its event may come late.
    """
    asked = [review for review in reviews if review.kind == "package" and review.status != "superseded"]
    origin = next((review for review in asked if review.status == "approved" and _wrote(review, word)), None)
    if word.approved and origin is not None:
        asked = asked[: asked.index(origin) + 1]
    stages = [review for review in reviews if review.kind == "stage" and review.status == "open"]
    waiting = [review for review in asked if review.status == "open"]
    return (waiting or asked[-1:]) + ([] if word.approved else stages)


def _wrote(review: Review, word: RegistryWord) -> bool:
    """Say whether the registry's words are those that a decision on the page or by the command line left there."""
    return review.origin in ("page", "command") and description(review) == word.description


def reaction(review: Review, word: RegistryWord) -> Reaction:
    """Return what the registry's word does to a review: decide it, repeat its lost answer, overturn it, or nothing."""
    if review.status == "open":
        return "decide"
    if review.status not in DECIDED:
        return "leave"
    if (review.status == "approved") == word.approved:
        return "repeat" if review.unfinished else "leave"
    # The page that has just decided is about to write the registry, which then says what the page said.
    return "leave" if _in_flight(review, word) and review.unregistered else "overturn"


def reacted(review: Review, word: RegistryWord) -> Texts:
    """Return the changes of a review by the registry's word; none where nothing is decided by it."""
    match reaction(review, word):
        case "decide":
            subject = "decided" if review.kind == "package" else "the package was rejected"
            reason = f"{subject} in the model registry"
            return decided(Vote(word.approved, word.by, reason, origin="registry"), word.now)
        case "overturn":
            at = moments.text_of(word.now)
            return {
                "status": "overturned",
                "overturned_from": review.status,
                "overturned_by": word.by,
                "overturned_at": at,
            }
    return {}


def answered_elsewhere(before: Reaction, review: Review, answer: Answer, word: RegistryWord) -> bool:
    """Say whether a task that waits no more was answered this moment by the process that decided, which marks it."""
    return before == "repeat" and answer == "closed" and _in_flight(review, word)


def outcome(before: Reaction, review: Review, *, goes_on: bool) -> AnswerOutcome:
    """Return what a review, as it is after the reaction, means for whoever asked.

    "answered": the registry's word decided it and its machine goes on; "already": it was decided so before, and its
    machine goes on; "none": nobody goes on. A task that waits no more may have been closed by our own answer, of which
    only Step Functions' word was lost, or by its timeout, after which the decision is read: `goes_on` says whether the
    machine is, or was, at work behind it.
    """
    if review.status not in DECIDED or not goes_on:
        return "none"
    return "answered" if before == "decide" else "already"


def _in_flight(review: Review, word: RegistryWord) -> bool:
    return word.now - moments.moment_of(review.at) < IN_FLIGHT
