"""Asks the live model for the same test rows, so that the two models can be compared row by row.

The endpoint of the last stage is asked, because what it answers is what users get. It serves them meanwhile: so it gets
one request after the other, a bounded number of rows, and a bounded time.
"""

import json
from collections.abc import Callable, Iterator
from itertools import batched, islice
from typing import TYPE_CHECKING, NamedTuple

from signalbox import csv_rows, names, plain
from signalbox.aws.endpoints import Endpoints
from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox.aws.model import Endpoint
from signalbox.aws.predictions import EndpointCaller
from signalbox.aws.registry import ModelRegistry
from signalbox.aws.s3 import ObjectStore
from signalbox.evaluation.judging import METRICS
from signalbox.evaluation.model import EvaluationError, Row
from signalbox.evaluation.paired import Paired
from signalbox.stages import StagesDocument

if TYPE_CHECKING:
    from signalbox.aws.model import ModelPackage
    from signalbox.contracts.problems import Problem
    from signalbox.contracts.training import EvaluationPlan
    from signalbox.evaluation.documents import LiveModel

# With 10,000 rows an interval reaches a fiftieth of the differences' spread to each side: finer than people decide.
MOST_ROWS, MOST_BYTES = 10_000, 32_000_000
REQUEST_ROWS, REQUEST_BYTES = 500, 1_000_000
PATIENCE = 150.0  # seconds; the function has 600, and a request whose answer is lost six times takes 390 of them
_IN_SERVICE = frozenset({"InService", "SystemUpdating"})
_SHOWN = 200


class NotComparedError(Exception):
    """The live model cannot be compared with; the message says why, as the end of a sentence about it."""

    def __init__(self, reason: str) -> None:
        told = plain.line(reason)
        super().__init__(told if len(told) <= _SHOWN else f"{told[: _SHOWN - 1]}…")


class HeldOutRows(NamedTuple):
    """The test rows, as often as they are read anew; `number` of them in files of `size` bytes together."""

    read: Callable[[], Iterator[Row]]
    number: int
    size: int

    @property
    def step(self) -> int:
        """Return which rows the live model is asked for: every one, every second one, …."""
        return max(-(-self.number // MOST_ROWS), -(-self.size // MOST_BYTES), 1)

    @property
    def together(self) -> int:
        """Return how many rows one request has."""
        return max(min(REQUEST_ROWS, REQUEST_BYTES * self.number // max(self.size, 1)), 1)


class ComparingPorts(NamedTuple):
    """What a comparison needs; `stages` reads a model's stages anew, `clock` counts seconds."""

    prefix: str
    objects: ObjectStore
    packages: ModelRegistry
    endpoints: Endpoints
    models: EndpointCaller
    stages: Callable[[str], StagesDocument]
    clock: Callable[[], float]


def compare(plan: "EvaluationPlan", problem: "Problem", rows: HeldOutRows, ports: ComparingPorts) -> "LiveModel | None":
    """Return the live model beside the new one, or why they are not compared; None where no model is live.

    Raises:
        EvaluationError: the live model is measured by another metric.
        ServiceBusyError: SageMaker, S3 or SSM could not answer in this moment.
    """
    name, endpoint, package = _serving(plan["model"], ports.stages(plan["model"]), ports)
    if endpoint is None or package is None:
        return None
    registered = ports.packages.find(package)
    commit = registered.commit if registered else None
    try:
        _check_other(package, plan["package"])
        _check_metric(package, registered, problem, ports)
        _check_serving(endpoint, endpoint)
        paired = _ask(name, plan["content_type"], rows, Paired(problem), ports)
        _check_serving(endpoint, ports.endpoints.find(name))
        return _compared(package, commit, paired)
    except NotComparedError as error:
        return _not_compared(package, commit, str(error))


def live_commit(model: str, ports: ComparingPorts) -> str | None:
    """Return the commit of the package that serves the last stage; None where it has none, or cannot be read.

    Raises:
        ServiceBusyError: SageMaker or SSM could not answer in this moment.
    """
    _, _, package = _serving(model, ports.stages(model), ports)
    try:
        registered = ports.packages.find(package) if package else None
    except CallRefusedError:
        return None
    return registered.commit if registered else None


def _serving(model: str, stages: StagesDocument, ports: ComparingPorts) -> tuple[str, Endpoint | None, str | None]:
    """Return the name of the last stage's endpoint, the endpoint, and the package that it serves."""
    name = names.endpoint(ports.prefix, model, stages.last.name)
    endpoint = ports.endpoints.find(name)
    return name, endpoint, ports.endpoints.package_of(endpoint.config) if endpoint else None


def _compared(package: str, commit: str | None, paired: Paired) -> "LiveModel":
    try:
        metrics = paired.live.metrics()
    except EvaluationError as error:
        raise NotComparedError(str(error)) from error
    return {
        "package": package,
        "commit": commit,
        "rows": paired.own.rows,
        "metrics": metrics,
        "own": paired.own.metrics(),
        "differences": paired.differences(),
        "reason": None,
    }


def _not_compared(package: str, commit: str | None, reason: str) -> "LiveModel":
    return {
        "package": package,
        "commit": commit,
        "rows": 0,
        "metrics": {},
        "own": {},
        "differences": {},
        "reason": reason,
    }


def _check_other(live: str, package: str | None) -> None:
    if live == package:
        raise NotComparedError("it is this version itself")


def _check_serving(asked: Endpoint, now: Endpoint | None) -> None:
    if now is None or now.config != asked.config:
        raise NotComparedError("it was replaced while it was asked")
    if now.status not in _IN_SERVICE:
        raise NotComparedError(f"its endpoint is {now.status}")


def _check_metric(package: str, registered: "ModelPackage | None", problem: "Problem", ports: ComparingPorts) -> None:
    """Refuse to compare by another metric than the live model's: its package states the problem, or its report."""
    stated = registered.properties.get("problem") if registered else None
    primary = METRICS[problem][0]
    known = next((METRICS[other][0] for other in METRICS if other == stated), None)
    uri = registered.report if registered else None
    text = ports.objects.text(uri) if uri and not known else None
    live = known or (_primary(text, uri) if uri and text else None)
    if live and live != primary:
        raise EvaluationError(
            f"the problem is {problem}, measured by {primary}, and the live package {package} is measured by {live}: "
            "a model keeps its problem; state the same one, or give the new model another name"
        )


def _primary(report: str, uri: str) -> str | None:
    """Return the metric that decides in the report of the live model; None where nobody here has measured it."""
    try:
        document = json.loads(report)
        found = None if document.get("untested") else document.get("primary")
    except (ValueError, AttributeError) as error:
        raise NotComparedError(f"its report {uri} cannot be read ({error!r})") from error
    return found if isinstance(found, str) else None


def _ask(name: str, content_type: str, rows: HeldOutRows, paired: Paired, ports: ComparingPorts) -> Paired:
    """Ask the live model for the rows, and return both models' scores."""
    end = ports.clock() + PATIENCE
    for batch in batched(islice(rows.read(), 0, None, rows.step), rows.together, strict=False):
        if ports.clock() > end:
            raise NotComparedError(f"it took more than {PATIENCE:.0f} seconds for {paired.own.rows:,} rows")
        body = "\n".join(row.body for row in batch)
        try:
            answer = ports.models.ask(name, body, content_type)
            if answer.failure:
                raise NotComparedError(f"it refused the rows ({answer.failure})")
            for row, value in zip(batch, csv_rows.answers(answer.text, len(batch)), strict=True):
                paired.add(row, value)
        except csv_rows.AnswerError as error:
            raise NotComparedError(f"it {error}") from error
        except (EvaluationError, CallRefusedError, ServiceBusyError) as error:
            raise NotComparedError(str(error)) from error
    return paired
