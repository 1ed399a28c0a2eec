"""What an evaluation writes down: the report, the golden requests, and the whole of it in one sentence."""

from typing import TYPE_CHECKING

from signalbox import numerals, words
from signalbox.evaluation.judging import LOWER_IS_BETTER
from signalbox.evaluation.model import Row
from signalbox.evaluation.paired import LEAST_ROWS
from signalbox.evaluation.rows import Spread
from signalbox.evaluation.scores import Scores

if TYPE_CHECKING:
    from signalbox.contracts.training import EvaluationPlan, EvaluationQuestion, TrainingDone
    from signalbox.evaluation.documents import Cost, Difference, GoldenRequests, LiveModel, Metric, Report

SAMPLES, GOLDEN, POINTS = 8, 10, 100
# Relative difference up to which an endpoint's number is the batch transform's: the same model on another processor
# differs in the last digits of single precision (1e-7), and servers round to 5 or 6 digits.
TOLERANCE = 0.001


def make_report(
    question: "EvaluationQuestion",
    scores: Scores,
    spread: Spread,
    *,
    live: "LiveModel | None",
    costs: "list[Cost]",
    created_at: str,
) -> "Report":
    """Return report.json.

    Raises:
        EvaluationError: there are no rows, or no answer is one of the labels.
    """
    plan, metrics, primary = question["plan"], scores.metrics(), scores.primary
    return {
        "model": plan["model"],
        "package": plan["package"],
        "commit": plan["commit"],
        "created_at": created_at,
        "problem": scores.problem,
        "primary": primary,
        "lower_is_better": LOWER_IS_BETTER[primary],
        "metrics": metrics,
        "classes": scores.classes(),
        "rows": scores.rows,
        "live": live,
        "verdict": live["differences"][primary]["verdict"] if live and live["differences"] else None,
        "threshold": scores.threshold,
        "samples": [
            {"input": row.body, "expected": row.label, "predicted": row.prediction} for row in spread.rows(SAMPLES)
        ],
        "points": _points(spread.rows(POINTS)) if scores.problem == "regression" else [],
        "training": question["training"] or trained_before(plan),
        "test_data": plan["test_data"],
        "image": plan["image"],
        "lineage": plan.get("lineage", {}),
        "costs": costs,
    }


def trained_before(plan: "EvaluationPlan") -> "TrainingDone | None":
    """Return the training of a package."""
    trained = plan.get("trained")
    return {"job": trained["job"], "seconds": trained["seconds"]} if trained else None


def make_golden(report: "Report", content_type: str, spread: Spread) -> "GoldenRequests":
    """Return golden.json."""
    return {
        "content_type": content_type,
        "problem": report["problem"],
        "requests": [{"body": row.body, "expected": row.prediction} for row in spread.rows(GOLDEN)],
        "tolerance": 0.0 if report["problem"] == "multiclass" else TOLERANCE,
    }


def summarise(report: "Report") -> str:
    """Return the report in one sentence."""
    primary = report["primary"]
    rows = f"{report['rows']:,} test row{'' if report['rows'] == 1 else 's'}"
    sentence = f"{words.label(primary)} {_with_error(report['metrics'][primary])} on {rows}"
    live = report["live"]
    if live is None:
        return f"{sentence}; no model was live to compare with."
    name = f"the live model ({words.package_label(live['package'])})"
    if live["reason"]:
        return f"{sentence}; not compared with {name}: {live['reason']}."
    difference, other = live["differences"][primary], _with_error(live["metrics"][primary])
    same = "the same rows"
    if live["rows"] < report["rows"]:
        same = f"{live['rows']:,} of these rows, this model {_with_error(live['own'][primary])}"
    return f"{sentence}; {name} had {other} on {same}: {difference['verdict']}, {_of(difference)}."


def _of(difference: "Difference") -> str:
    value, low, high = difference["value"], difference["low"], difference["high"]
    if low is None or high is None:
        return f"the difference is {words.number(value, signed=True)}, of fewer than {LEAST_ROWS} rows"
    bounds = f"{words.number(low, signed=True)} to {words.number(high, signed=True)}"
    return f"the difference is {words.number(value, signed=True)} (95 % interval {bounds})"


def _points(rows: list[Row]) -> list[list[float]]:
    """Return label and prediction of each row with four significant digits, which no picture shows more of."""
    return [[float(f"{numerals.number(text):.4g}") for text in (row.label, row.prediction)] for row in rows]


def _with_error(metric: "Metric") -> str:
    error = metric.get("standard_deviation")
    return words.number(metric["value"]) + (f" ± {words.number(error)}" if error is not None else "")
