"""Asking for a review: keep it with its evidence, and mail every approver a link and a word of their own."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from signalbox import moments
from signalbox.mail import Mail, Mailer, nobody, send_each
from signalbox.observability import count, logger
from signalbox.reading import Fields, shown
from signalbox.reviews import evidence, keys, mails, rules
from signalbox.reviews.deciding import DecidingPorts, finish
from signalbox.reviews.model import Review, ReviewError

if TYPE_CHECKING:
    from signalbox.contracts.reviews import ReviewKind, ReviewRequest, ReviewRequested

_LONGEST = 31_536_000  # seconds: a Step Functions execution ends after a year
_ATTEMPTS = 5


class RequestingPorts(NamedTuple):
    """What asking needs from outside. `report` reads an evaluation report by its URI and raises ReviewError.

    `deciding` has no registry: a decision that the registry has not heard of is left to the page. `own` returns the
    addresses of a model's own approvers, none where the stack's `approvers` are asked.
    """

    deciding: DecidingPorts
    report: Callable[[str], str]
    mailer: Mailer
    secret: Callable[[], bytes]
    url: str
    approvers: tuple[str, ...]
    own: Callable[[str], tuple[str, ...]] = nobody


def request(event: "ReviewRequest", ports: RequestingPorts) -> "ReviewRequested":
    """Ask for a review. A repetition finds the same review, and mails only those who have no mail yet.

    Raises:
        ReviewError: the payload or the report is wrong, or others kept changing the execution's review.
        MailError: nobody could be reached.
        DecisionNotPassedOnError: the review was decided before, and its task could not be answered.
    """
    review = place(_review(event, ports), ports.deciding)
    waiting = _mails(review, ports) if review.status == "open" else []
    mailed = send_each(ports.mailer, waiting, _marking(review, ports))
    fields = {"review": review.id, "kind": review.kind, "stage": review.stage, "package": review.package}
    logger.info("review requested", extra={**fields, "mailed": mailed})
    count("ReviewRequested")
    return {"review": review.id, "mailed": mailed}


def place(review: Review, ports: DecidingPorts) -> Review:
    """Keep a new review, or return the review that this task, or this execution, already has.

    The id comes from the task token, so a second delivery of the same request finds its own review. A new token of the
    same execution, kind and stage is a retry of the state: the open review before it is superseded; a review that a
    person has decided answers the new task too.

    Raises:
        ReviewError: others kept changing the execution's review at the same time.
        DecisionNotPassedOnError: the decision that was made before could not be passed on.
    """
    for _ in range(_ATTEMPTS):
        known = ports.store.get(review.id)
        if known is not None:
            return finish(known, ports)
        newest = ports.store.current(review.execution_arn, review.kind, review.stage)
        if newest is not None and rules.answers_again(newest, review):
            as_read = {"status": newest.status, "token": newest.token}
            rearmed = ports.store.change(newest.id, as_read, rules.rearmed(review.token))
            if rearmed is not None:
                return finish(rearmed, ports)
        elif ports.store.create(review, newest):
            return review
    raise ReviewError(f"the review of {review.package} is being changed by others: request it again")


def _review(event: "ReviewRequest", ports: RequestingPorts) -> Review:
    """Return the new review that is asked for, refusing a payload that cannot be right by the field's name."""
    asked = Fields(event, _refusal)
    kind, stage = _subject(asked)
    seconds, now = asked.number("expires_in", (1, _LONGEST)), ports.deciding.clock()
    token, report, model = asked.text("token"), asked.optional("report"), asked.text("model")
    return Review(
        id=keys.review_id(ports.secret(), token),
        kind=kind,
        stage=stage,
        model=model,
        package=asked.text("package"),
        execution_arn=asked.text("execution_arn"),
        token=token,
        evidence=evidence.freeze(ports.report(report), report, event.get("serving")) if report else "",
        approvers=ports.own(model) or ports.approvers,
        created_at=moments.text_of(now),
        expires_at=moments.text_of(now + timedelta(seconds=seconds)),
    )


def _subject(asked: Fields) -> "tuple[ReviewKind, str]":
    kind, stage = asked.choice("kind", ("package", "stage")), asked.optional("stage")
    if kind == "stage":
        if stage is None:
            raise asked.refuse("stage", "is missing: a stage review has a stage")
        return "stage", stage
    if stage is not None:
        raise asked.refuse("stage", f"is {shown(stage)}: the review of a package has no stage")
    return "package", ""


def _refusal(sentence: str) -> ReviewError:
    return ReviewError(f"review request: {sentence}; correct the state's Arguments")


def _mails(review: Review, ports: RequestingPorts) -> list[Mail]:
    """Return the mails to those who have none yet."""
    address, secret = f"{ports.url}/reviews/{review.id}", ports.secret()
    waiting = [approver for approver in review.approvers if approver not in review.mailed]
    return [
        mails.asking(
            review,
            one,
            f"{address}?key={keys.link_key(secret, review.id, one)}",
            keys.approval_word(secret, review.id, one),
        )
        for one in waiting
    ]


def _marking(review: Review, ports: RequestingPorts) -> Callable[[Mail], None]:
    """Return what marks a receiver as mailed; dying before the mark sends one mail twice, which harms nobody."""
    mailed = list(review.mailed)

    def mark(mail: Mail) -> None:
        mailed.append(mail.to)
        ports.deciding.store.change(review.id, {"status": "open"}, {"mailed": tuple(mailed)})

    return mark
