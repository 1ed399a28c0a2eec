"""Asking for a review: keep it with its evidence, and mail every approver a link of their own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from signalbox import reviews
from signalbox.mail import Mail, Mailer, SesMailer, addresses, send_each
from signalbox.observability import count, logger
from signalbox.reviews import evidence, keys, pages
from signalbox.reviews.adapters import S3Reports, secret
from signalbox.reviews.model import Review, ReviewError, timestamp
from signalbox.reviews.ports import Reports
from signalbox.reviews.rules import Desk, place
from signalbox.settings import RequestReview

_LONGEST = 31_536_000  # seconds: a Step Functions execution ends after a year


@dataclass(frozen=True)
class Ask:
    """What the machine asks: `expires_in` in seconds; `stage` and `report` may be empty."""

    token: str
    execution_arn: str
    kind: str
    stage: str
    model: str
    package: str
    report: str
    expires_in: float

    @classmethod
    def of(cls, payload: dict[str, Any]) -> Self:
        """Return the payload of the machine. Raises ReviewError naming the field that is wrong."""
        for name in ("token", "execution_arn", "model", "package"):
            if not isinstance(payload.get(name), str) or not payload[name]:
                raise ReviewError(f"review request: {name} is missing: correct the state's Arguments")
        kind, stage, seconds = payload.get("kind"), payload.get("stage") or "", payload.get("expires_in")
        if kind not in ("package", "stage") or (kind == "stage") != bool(stage):
            raise ReviewError(f"review request: kind {kind!r} with stage {stage!r}: a stage review has a stage")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= _LONGEST:
            raise ReviewError(f"review request: expires_in is {seconds!r}, not 1 to {_LONGEST} seconds")
        known = {name: payload[name] for name in ("token", "execution_arn", "model", "package")}
        return cls(**known, kind=kind, stage=stage, report=payload.get("report") or "", expires_in=seconds)


@dataclass(frozen=True)
class Sender:
    """What asking needs from outside."""

    desk: Desk
    reports: Reports
    mailer: Mailer
    secret: Callable[[], bytes]
    url: str
    approvers: tuple[str, ...]


def sender(settings: RequestReview) -> Sender:
    """Return the ports on AWS. Raises MailError where the list of approvers is wrong."""
    return Sender(
        # No registry: a decision that the registry has not heard of is left to the page.
        desk=reviews.desk(settings.reviews_table, registry=False),
        reports=S3Reports(),
        mailer=SesMailer(settings.sender),
        secret=lambda: secret(settings.review_secret_arn),
        url=settings.review_url.rstrip("/"),
        approvers=addresses(settings.approvers),
    )


def request(ports: Sender, payload: dict[str, Any]) -> dict[str, Any]:
    """Ask for a review. A repetition finds the same review, and mails only those who have no mail yet.

    Raises:
        ReviewError: the payload or the report is wrong.
        MailError: nobody could be reached.
    """
    review = place(ports.desk, _review(ports, Ask.of(payload)))
    mailed = _mail(ports, review) if review.status == "open" else 0
    fields = {"review": review.id, "kind": review.kind, "stage": review.stage, "package": review.package}
    logger.info("review requested", extra={**fields, "mailed": mailed})
    count("ReviewRequested")
    return {"review": review.id, "mailed": mailed}


def _review(ports: Sender, ask: Ask) -> Review:
    now = ports.desk.clock()
    return Review(
        id=keys.review_id(ports.secret(), ask.token),
        kind="stage" if ask.kind == "stage" else "package",
        stage=ask.stage,
        model=ask.model,
        package=ask.package,
        execution_arn=ask.execution_arn,
        token=ask.token,
        evidence=evidence.freeze(ports.reports.read(ask.report) if ask.report else ""),
        approvers=ports.approvers,
        created_at=timestamp(now),
        expires_at=timestamp(now + timedelta(seconds=ask.expires_in)),
    )


def _mail(ports: Sender, review: Review) -> int:
    """Mail whoever has no mail yet, marking each; dying before the mark sends one mail twice, which harms nobody."""
    mailed = review.mailed

    def mark(mail: Mail) -> None:
        nonlocal mailed
        mailed = (*mailed, mail.to)
        ports.desk.store.change(review.id, {"status": "open"}, {"mailed": mailed})

    waiting = [approver for approver in review.approvers if approver not in review.mailed]
    return send_each(ports.mailer, (pages.mail(review, one, _link(ports, review, one)) for one in waiting), mark)


def _link(ports: Sender, review: Review, approver: str) -> str:
    return f"{ports.url}/reviews/{review.id}?key={keys.link_key(ports.secret(), review.id, approver)}"
