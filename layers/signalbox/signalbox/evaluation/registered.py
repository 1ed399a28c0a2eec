"""The evidence of a package that is not tested: the metrics that it was registered with, and its golden requests."""

import json
import math
from typing import TYPE_CHECKING, NamedTuple

from signalbox.aws.errors import CallRefusedError
from signalbox.aws.s3 import ObjectStore, ObjectTooLargeError
from signalbox.evaluation import comparing, kept, project_requests, requests
from signalbox.evaluation.comparing import ComparingPorts
from signalbox.evaluation.report import trained_before
from signalbox.observability import count, logger

if TYPE_CHECKING:
    from signalbox.contracts.training import Evaluated, EvaluationQuestion, Untested
    from signalbox.evaluation.documents import Metric, UntestedReport

_MOST_BYTES = 1_000_000
# The groups of SageMaker's metrics (Developer Guide, "Model quality metrics and CloudWatch monitoring").
_PROBLEMS = {
    "regression_metrics": "regression",
    "binary_classification_metrics": "binary",
    "multiclass_classification_metrics": "multiclass",
}


class RegisteredMetrics(NamedTuple):
    """The metrics of a statistics file by name, the problem that they are of, and why there are none, a sentence."""

    metrics: "dict[str, Metric]"
    problem: str = ""
    missing: str = ""


def evaluate(question: "EvaluationQuestion", untested: "Untested", ports: ComparingPorts) -> "Evaluated":
    """Write the report of a package that is not tested, and its golden requests, whose answers are still to come.

    A repetition writes the same bytes to the same keys.

    Raises:
        EvaluationError: the project's golden requests cannot be used.
        ServiceBusyError: S3 or SSM could not answer in this moment.
    """
    plan = question["plan"]
    report_uri, golden_uri = f"{plan['evidence']}report.json", f"{plan['evidence']}golden.json"
    asked = project_requests.read(untested["golden"], ports.objects) if untested["golden"] else []
    golden = project_requests.golden(asked, plan["content_type"], untested["first"])
    found = read_metrics(untested["statistics"], ports.objects)
    live = comparing.live_commit(plan["model"], ports)
    report = _report(question, untested, found, asked=len(asked), live_commit=live)
    kept.write(golden_uri, golden, question, ports.objects)
    kept.write(report_uri, {**report, "costs": kept.costs_of(question, ports)}, question, ports.objects)
    logger.info("model kept untested", extra={"report": report_uri, "reasons": untested["reasons"]})
    count("ModelKeptUntested")
    return {"report": report_uri, "record": requests.record(question, report_uri, golden_uri, "")}


def read_metrics(uri: str | None, objects: ObjectStore) -> RegisteredMetrics:
    """Return the metrics in a statistics file, SageMaker's JSON or a flat one; what cannot be read says why.

    Raises:
        ServiceBusyError: S3 could not answer in this moment.
    """
    if uri is None:
        return RegisteredMetrics({}, missing="It was registered without metrics.")
    try:
        text = objects.text(uri, _MOST_BYTES)
        document = json.loads(text) if text is not None else None
    except (CallRefusedError, ObjectTooLargeError, ValueError, RecursionError) as error:
        return RegisteredMetrics({}, missing=f"Its metrics {uri} cannot be read: {error}.")
    if not isinstance(document, dict):
        reason = "there is no such file" if document is None else "they are no JSON object"
        return RegisteredMetrics({}, missing=f"Its metrics {uri} cannot be read: {reason}.")
    problem = next((_PROBLEMS[name] for name in document if name in _PROBLEMS), "")
    metrics = _metrics(document)
    return RegisteredMetrics(metrics, problem, "" if metrics else f"Its metrics {uri} have no values.")


def _metrics(document: dict[str, object]) -> "dict[str, Metric]":
    """Return the metrics of a document: those of its groups, and those that stand in no group."""
    found: dict[str, Metric] = {}
    for name, value in document.items():
        group = value if isinstance(value, dict) and "value" not in value else {name: value}
        found |= {key: metric for key, one in group.items() if key != "version" and (metric := _metric(one))}
    return found


def _metric(one: object) -> "Metric | None":
    value = _finite(one.get("value") if isinstance(one, dict) else one)
    if value is None:
        return None
    spread = _finite(one.get("standard_deviation")) if isinstance(one, dict) else None
    return {"value": value} if spread is None else {"value": value, "standard_deviation": spread}


def _finite(value: object) -> float | None:
    """Return a number of JSON, None for a truth value, NaN and everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _report(
    question: "EvaluationQuestion",
    untested: "Untested",
    found: RegisteredMetrics,
    *,
    asked: int,
    live_commit: str | None,
) -> "UntestedReport":
    plan = question["plan"]
    return {
        "model": plan["model"],
        "package": plan["package"],
        "commit": plan["commit"],
        "problem": found.problem,
        "primary": next(iter(found.metrics), ""),
        "lower_is_better": False,
        "metrics": found.metrics,
        "rows": 0,
        "live": None,
        "live_commit": live_commit,
        "untested": {
            "reasons": untested["reasons"],
            "metrics": untested["statistics"] if found.metrics else None,
            "missing": found.missing,
            "golden": untested["golden"],
            "requests": asked,
        },
        "training": trained_before(plan),
        "image": plan["image"],
        "lineage": plan.get("lineage", {}),
    }
