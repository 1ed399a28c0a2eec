"""The evidence of a review: the evaluation report, cut to what a person is shown, and kept with the review.

The report is read once, when the review is requested. What a person decided on can be shown for ever after, whatever
becomes of the report.
"""

import json
import math
from dataclasses import dataclass
from typing import Any

from signalbox.reviews.model import ReviewError

_TEXT_LIMIT = 120
_SAMPLES = 8
_METRICS = 12
_ACRONYM = 4
_ERROR_METRICS = ("mse", "rmse", "mae", "loss", "error")
_SCORE_METRICS = ("accuracy", "precision", "recall", "f1", "auc", "r2")
_MINUTE, _HOUR = 60, 3600


@dataclass(frozen=True)
class Comparison:
    """One metric beside the live model's, as texts; `verdict` is "better", "worse", "same" or "" (not comparable)."""

    name: str
    value: str
    spread: str
    live: str
    difference: str
    verdict: str


def freeze(report: str) -> str:
    """Return the part of a report (`report.json`) that is shown, as JSON of a few kilobytes; "" stays "".

    Raises:
        ReviewError: the report is not a JSON object with metrics that are numbers.
    """
    if not report:
        return ""
    try:
        kept = _kept(json.loads(report))
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        message = f"the evaluation report cannot be read ({error}): look at the step that evaluated the model"
        raise ReviewError(message) from error
    return json.dumps(kept, separators=(",", ":"), ensure_ascii=False)


def shown(evidence: str) -> dict[str, Any]:
    """Return frozen evidence as what the templates show; `{}` where there was no report."""
    if not evidence:
        return {}
    report: dict[str, Any] = json.loads(evidence)
    return {
        **report,
        "comparisons": _comparisons(report),
        "headline": _headline(report),
        "took": _duration(report["seconds"]) if report["job"] else "",
    }


def _kept(report: dict[str, Any]) -> dict[str, Any]:
    live, training = report.get("live"), report.get("training") or {}
    return {
        "problem": _text(report.get("problem", "")),
        "primary": _text(report["primary"]),
        "lower_is_better": bool(report["lower_is_better"]),
        "rows": int(report["rows"]),
        "commit": _text(report.get("commit") or ""),
        "metrics": _metrics(report["metrics"]),
        "live": {"package": str(live["package"])[:2048], "metrics": _metrics(live["metrics"])} if live else None,
        "samples": [
            {name: _text(sample[name]) for name in ("input", "expected", "predicted")}
            for sample in report.get("samples", [])[:_SAMPLES]
        ],
        "job": _text(training.get("job") or ""),
        "seconds": float(training.get("seconds") or 0),
    }


def _metrics(metrics: dict[str, Any]) -> dict[str, dict[str, float | None]]:
    kept: dict[str, dict[str, float | None]] = {}
    for name, metric in list(metrics.items())[:_METRICS]:
        spread = metric.get("standard_deviation")
        kept[_text(name)] = {"value": float(metric["value"]), "spread": None if spread is None else float(spread)}
    return kept


def _text(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _TEXT_LIMIT else f"{text[: _TEXT_LIMIT - 1]}…"


def _comparisons(report: dict[str, Any]) -> list[Comparison]:
    """Return the metrics, the one that decides first."""
    names = sorted(report["metrics"], key=lambda name: name != report["primary"])
    return [_comparison(name, report) for name in names]


def _comparison(name: str, report: dict[str, Any]) -> Comparison:
    metric = report["metrics"][name]
    live = ((report["live"] or {}).get("metrics") or {}).get(name)
    spread = "" if metric["spread"] is None else number(metric["spread"])
    if live is None:
        return Comparison(label(name), number(metric["value"]), spread, "", "", "")
    difference = metric["value"] - live["value"]
    verdict = _verdict(difference, _lower_is_better(name, report))
    return Comparison(
        label(name), number(metric["value"]), spread, number(live["value"]), number(difference, signed=True), verdict
    )


def _lower_is_better(name: str, report: dict[str, Any]) -> bool | None:
    if name == report["primary"]:
        return bool(report["lower_is_better"])
    if name.lower() in _ERROR_METRICS:
        return True
    return False if name.lower() in _SCORE_METRICS else None


def _verdict(difference: float, lower_is_better: bool | None) -> str:
    if not math.isfinite(difference):
        return ""
    if number(difference) == number(0):
        return "same"
    if lower_is_better is None:
        return ""
    return "better" if (difference < 0) == lower_is_better else "worse"


def _headline(report: dict[str, Any]) -> str:
    """Return one sentence about the metric that decides."""
    if report["primary"] not in report["metrics"]:
        return ""
    first = _comparison(report["primary"], report)
    if not first.live:
        return f"{first.name} {first.value}. No live model to compare with."
    if first.verdict not in ("better", "worse"):
        return f"{first.name} {first.value}, the same as the live model."
    return f"{first.name} {first.value}, {first.verdict} than the live model ({first.live})."


def label(metric: str) -> str:
    """Return a metric's name for people: `MSE`, `R²`, `Accuracy`, `Balanced accuracy`."""
    if metric.lower() == "r2":
        return "R²"
    words = metric.replace("_", " ")
    return words.upper() if len(words) <= _ACRONYM and words.isalnum() else words[:1].upper() + words[1:]


def number(value: float, *, signed: bool = False) -> str:
    """Return a number for people: four significant digits, a true minus sign, a sign in front if asked for."""
    if not math.isfinite(value):
        return "not a number"
    text = f"{value:+.4g}" if signed else f"{value:.4g}"
    if "e" in text and 1 <= abs(value) < 1e15:  # noqa: PLR2004  # up to there every whole number is exact
        text = f"{value:+,.0f}" if signed else f"{value:,.0f}"
    return text.replace("-", "\N{MINUS SIGN}") if value else "0"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
