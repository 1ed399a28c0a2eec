"""A small world for reviews: fakes that remember, and a review's evidence."""

import itertools
import json
import re
from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from signalbox.aws.errors import ServiceBusyError
from signalbox.aws.machines import TaskClosedError
from signalbox.contracts.reviews import ReviewClosing, ReviewDecision, ReviewKind, ReviewRequest
from signalbox.mail import Mail, MailError
from signalbox.reviews import answering, closing, deciding, requesting
from signalbox.reviews.closing import ClosingPorts
from signalbox.reviews.deciding import DecidingPorts
from signalbox.reviews.model import Review, Texts, texts
from signalbox.reviews.ports import ReviewStore
from signalbox.reviews.requesting import RequestingPorts
from signalbox.reviews.responses import PagePorts
from signalbox.reviews.rules import Vote

START = datetime(2026, 3, 1, 10, 20, tzinfo=UTC)
WEEK = 604_800
SECRET = b"a secret of at least thirty-two bytes"
ANN, BOB = "ann@example.com", "bob+ml@example.com"
PACKAGE = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/signalbox-abalone/3"
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:signalbox-mlops:run-7"
REPORT = "s3://artifacts/evaluations/run-7/report.json"


def report(**changes: Any) -> dict[str, Any]:
    """Return an evaluation report, with members replaced."""
    return {
        "model": "abalone",
        "package": None,
        "commit": "4f1c2e9a",
        "created_at": "2026-03-01T10:00:00Z",
        "problem": "regression",
        "primary": "mse",
        "lower_is_better": True,
        "metrics": {"mse": {"value": 4.8923, "standard_deviation": 2.2011}, "r2": {"value": 0.5412}},
        "rows": 1418,
        "live": live(),
        "samples": [{"input": "M,0.455,0.365", "expected": "15", "predicted": "9.71204"}],
        "training": {"job": "abalone-train-0f8a3b21", "seconds": 134},
        **changes,
    }


def live(**changes: Any) -> dict[str, Any]:
    """Return the live model beside the one of `report`, on the same rows, with members replaced."""
    return {
        "package": PACKAGE[:-1] + "2",
        "rows": 1418,
        "metrics": {
            "mse": {"value": 5.3012, "standard_deviation": 2.4007},
            "r2": {"value": 0.5601, "standard_deviation": 0.02},
        },
        "own": {"mse": {"value": 4.8923, "standard_deviation": 2.2011}, "r2": {"value": 0.5412}},
        "differences": {
            "mse": {"value": -0.4089, "low": -0.6123, "high": -0.2055, "verdict": "better"},
            "r2": {"value": -0.0189, "low": -0.03, "high": -0.01, "verdict": "worse"},
        },
        "reason": None,
        **changes,
    }


def payload(**changes: Any) -> ReviewRequest:
    """Return what the machine sends to `request_review`, with members replaced."""
    usual: ReviewRequest = {
        "token": "token-1",
        "execution_arn": EXECUTION,
        "kind": "package",
        "stage": None,
        "model": "abalone",
        "package": PACKAGE,
        "report": REPORT,
        "expires_in": WEEK,
    }
    return cast("ReviewRequest", {**usual, **changes})


def closing_payload(kind: ReviewKind = "package", stage: str | None = None) -> ReviewClosing:
    """Return what the machine sends to `close_review`."""
    return {"execution_arn": EXECUTION, "kind": kind, "stage": stage}


class MemoryStore:
    """Reviews in a dictionary, with the port's conditions; `writes` counts what was written."""

    def __init__(self) -> None:
        self.reviews: dict[str, Review] = {}
        self.newest: dict[tuple[str, str, str], str] = {}
        self.writes = 0

    def get(self, review_id: str) -> Review | None:
        """See ReviewStore."""
        return self.reviews.get(review_id)

    def current(self, execution_arn: str, kind: ReviewKind, stage: str) -> Review | None:
        """See ReviewStore."""
        return self.reviews.get(self.newest.get((execution_arn, kind, stage), ""))

    def of_package(self, package: str) -> list[Review]:
        """See ReviewStore."""
        found = [review for review in self.reviews.values() if review.package == package]
        return sorted(found, key=lambda review: (review.created_at, review.id))

    def create(self, review: Review, instead_of: Review | None) -> bool:
        """See ReviewStore."""
        key = (review.execution_arn, review.kind, review.stage)
        if review.id in self.reviews or self.newest.get(key, "") != (instead_of.id if instead_of else ""):
            return False
        if instead_of is not None and instead_of.status == "open":
            superseded: Texts = {"status": "superseded", "superseded_by": review.id}
            if self.change(instead_of.id, {"status": "open"}, superseded) is None:
                return False
        self.reviews[review.id] = review
        self.newest[key] = review.id
        self.writes += 1
        return True

    def change(self, review_id: str, expected: Texts, changes: Texts) -> Review | None:
        """See ReviewStore."""
        known = self.reviews.get(review_id)
        if known is None or any(texts(known._asdict())[name] != value for name, value in texts(expected).items()):
            return None
        self.reviews[review_id] = replace(known, **cast("dict[str, Any]", dict(changes)))
        self.writes += 1
        return self.reviews[review_id]


class TasksFake:
    """Tasks that wait until they are answered once, as Step Functions has it; `lost` fails the next calls.

    `unheard` lets the next answers arrive, whose repetition by the library then finds the task closed. The execution
    goes on once it has an answer, until it is `over`.
    """

    def __init__(self) -> None:
        self.answers: list[tuple[str, str, Mapping[str, object]]] = []
        self.closed: set[str] = set()
        self.lost = 0
        self.unheard = 0
        self.over = False

    def goes_on(self, execution: str) -> bool:
        """See WaitingTasks."""
        return bool(self.answers) and not self.over

    def succeed(self, token: str, output: Mapping[str, object]) -> None:
        """See WaitingTasks."""
        self._answer(token, "succeeded", output)

    def fail(self, token: str, error: str, cause: Mapping[str, object]) -> None:
        """See WaitingTasks."""
        self._answer(token, error, cause)

    def _answer(self, token: str, how: str, what: Mapping[str, object]) -> None:
        if self.lost:
            self.lost -= 1
            raise ProcessDiedError
        if token in self.closed:
            raise TaskClosedError
        self.closed.add(token)
        self.answers.append((token, how, what))
        if self.unheard:
            self.unheard -= 1
            raise TaskClosedError


class ProcessDiedError(BaseException):
    """The process was killed here."""


class RegistryFake:
    """A registry that keeps the last decision; `broken` refuses the next calls."""

    def __init__(self) -> None:
        self.packages: dict[str, tuple[bool, str]] = {}
        self.calls = 0
        self.broken = 0

    def decide(self, arn: str, *, approved: bool, description: str) -> None:
        """See ApprovalWriter."""
        self.calls += 1
        if self.broken:
            self.broken -= 1
            raise ServiceBusyError(f"sagemaker:UpdateModelPackage of {arn}", "ThrottlingException")
        self.packages[arn] = (approved, description)


class ReportsFake:
    """Reports by their address."""

    def __init__(self, **changes: Any) -> None:
        self.texts = {REPORT: json.dumps(report(**changes))}
        self.reads = 0

    def read(self, uri: str) -> str:
        """Return a report's text, as the port reads it."""
        self.reads += 1
        return self.texts[uri]


class OutboxFake:
    """A mailer that keeps the mails; addresses in `refused` get none."""

    def __init__(self, *refused: str) -> None:
        self.mails: list[Mail] = []
        self.refused = set(refused)

    def send(self, mail: Mail) -> None:
        """See Mailer."""
        if mail.to in self.refused:
            raise MailError(f"no mail for {mail.to}")
        self.mails.append(mail)


@dataclass
class World:
    """Everything around one stack's reviews, with a clock that moves only when told."""

    store: ReviewStore = field(default_factory=MemoryStore)
    tasks: TasksFake = field(default_factory=TasksFake)
    registry: RegistryFake = field(default_factory=RegistryFake)
    reports: ReportsFake = field(default_factory=ReportsFake)
    outbox: OutboxFake = field(default_factory=OutboxFake)
    approvers: tuple[str, ...] = (ANN, BOB)
    page_url: str = ""
    now: datetime = START
    randoms: "itertools.count[int]" = field(default_factory=itertools.count)

    def deciding_ports(self, *, registry: bool = True) -> DecidingPorts:
        """Return the ports of the page, or of a function without the registry."""
        return DecidingPorts(self.store, self.tasks, lambda: self.now, self.registry if registry else None)

    def closing_ports(self) -> ClosingPorts:
        """Return the ports of `close_review`."""
        return ClosingPorts(self.store, self.registry, lambda: self.now)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def request(self, **changes: Any) -> Review:
        """Ask for a review as the machine does, and return it as it is kept."""
        review = self.store.get(requesting.request(payload(**changes), self.requesting_ports())["review"])
        assert review is not None
        return review

    def decide(self, review: Review, vote: Vote) -> Review | None:
        """Let somebody decide on the page: all three steps, of which a failing one raises."""
        decided = deciding.decide(review, vote, self.deciding_ports())
        return decided and self.finish(decided)

    def finish(self, review: Review) -> Review:
        """Repeat what is missing of a decision, as the page does."""
        return deciding.finish(review, self.deciding_ports())

    def close(self, kind: ReviewKind = "package", stage: str | None = None) -> ReviewDecision:
        """Close the execution's review, as the machine does."""
        return closing.close(closing_payload(kind, stage), self.closing_ports())

    def registry_says(self, by: str, *, approved: bool, words: str = "looks good") -> str:
        """Let somebody decide in the model registry, and return what became of the package's reviews."""
        ports = self.deciding_ports(registry=False)
        return answering.answer_from_registry(PACKAGE, approved, by, words, ports=ports)

    def requesting_ports(self) -> RequestingPorts:
        """Return the ports of `request_review`."""
        url = "https://abc.execute-api.eu-west-1.amazonaws.com"
        ports, report = self.deciding_ports(registry=False), self.reports.read
        return RequestingPorts(ports, report, self.outbox, lambda: SECRET, url, self.approvers)

    def page_ports(self) -> PagePorts:
        """Return the ports of `review_page`."""
        ports = self.deciding_ports()
        return PagePorts(ports, lambda: SECRET, self._random, lambda: self.outbox, self.page_url)

    def _random(self) -> str:
        return f"random-text-number-{next(self.randoms):05}"

    def read(self, review: Review) -> Review:
        """Return a review as it is kept now."""
        found = self.store.get(review.id)
        assert found is not None
        return found

    def link(self, choice: str = "approve", to: str = ANN, number: int = -1) -> str:
        """Return a link from the newest mail that asks somebody."""
        mails = [mail for mail in self.outbox.mails if mail.to == to and "choice=" in mail.text]
        links: list[str] = re.findall(r"https://\S+", mails[number].text)
        return next(url for url in links if url.endswith(f"choice={choice}"))

    def word(self, link: str) -> str:
        """Return the word in the mail that a link came with, as its reader finds it; "" for a link of no mail."""
        mails = [mail.text for mail in self.outbox.mails if link in mail.text]
        return re.findall(r"type this word on the page: (\w+)", mails[-1])[0] if mails else ""
