"""What an evaluation writes down: the report, the golden requests, and the whole of it in one sentence."""

from typing import Any

from signalbox.evaluation.ports import Report
from signalbox.evaluation.rows import Row
from signalbox.evaluation.scores import LOWER_IS_BETTER, Scores, better

SAMPLES, GOLDEN, POINTS = 8, 10, 150
# Relative difference up to which an endpoint's number is the batch transform's: the same model on another processor
# differs in the last digits of single precision (1e-7), and servers round to 5 or 6 digits.
TOLERANCE = 0.001
_LABELS = {"mse": "Mean squared error", "mae": "Mean absolute error", "accuracy": "Accuracy"}


def label_of(metric: str) -> str:
    """Return a metric's name for people."""
    return _LABELS.get(metric, metric)


def number(value: float) -> str:
    """Return a number for people: four significant digits."""
    return f"{value:.4g}"


def make_report(
    plan: dict[str, Any],
    training: dict[str, Any] | None,
    *,
    scores: Scores,
    rows: list[Row],
    live: dict[str, Any] | None,
    created_at: str,
) -> Report:
    """Return report.json; `live` is `{"package", "metrics"}` of the model that serves now."""
    metrics = scores.metrics()
    primary = scores.primary
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
        "better": better(primary, metrics, live["metrics"] if live else None),
        "samples": [{"input": row.body, "expected": row.label, "predicted": row.prediction} for row in rows],
        "training": training,
        "test_data": plan["test_data"],
    }


def make_golden(content_type: str, problem: str, rows: list[Row]) -> dict[str, Any]:
    """Return golden.json: requests, and the batch transform's answers, which an endpoint has to give too."""
    return {
        "content_type": content_type,
        "problem": problem,
        "requests": [{"body": row.body, "expected": row.prediction} for row in rows],
        "tolerance": TOLERANCE,
    }


def summarise(report: Report) -> str:
    """Return the report in one sentence."""
    primary = report["primary"]
    rows = f"{report['rows']} row{'' if report['rows'] == 1 else 's'}"
    sentence = f"{label_of(primary)} {_with_error(report['metrics'][primary])} on {rows} of held-out data"
    live = report["live"]
    if live is None:
        return f"{sentence}; no model is live to compare with."
    if report["better"] is None:
        return f"{sentence}; the live model has no {label_of(primary).lower()} to compare with."
    verdict = "better" if report["better"] else "not better"
    return f"{sentence}, {verdict} than the live model's {_with_error(live['metrics'][primary])}."


def _with_error(metric: dict[str, float]) -> str:
    error = metric.get("standard_deviation")
    return number(metric["value"]) + (f" ± {number(error)}" if error is not None else "")
