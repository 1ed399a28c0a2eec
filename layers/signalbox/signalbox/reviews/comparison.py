"""A model's metrics beside those of the live model, as a person reads them."""

import math
from dataclasses import dataclass

from signalbox import words
from signalbox.reviews.model import KeptReport

_ERROR_METRICS = ("mse", "rmse", "mae", "loss", "error")
_SCORE_METRICS = ("accuracy", "precision", "recall", "f1", "auc", "r2")


@dataclass(frozen=True)
class Comparison:
    """One metric beside the live model's, as texts; `verdict` is "better", "worse", "same" or "" (not comparable)."""

    name: str
    value: str
    spread: str
    live: str
    difference: str
    verdict: str


def comparisons(report: KeptReport) -> list[Comparison]:
    """Return the metrics, the one that decides first."""
    names = sorted(report["metrics"], key=lambda name: name != report["primary"])
    return [_comparison(name, report) for name in names]


def headline(report: KeptReport) -> str:
    """Return one sentence about the metric that decides, "" where the report has none."""
    if report["primary"] not in report["metrics"]:
        return ""
    first = _comparison(report["primary"], report)
    if not first.live:
        return f"{first.name} {first.value}. No live model to compare with."
    if first.verdict not in ("better", "worse"):
        return f"{first.name} {first.value}, the same as the live model."
    return f"{first.name} {first.value}, {first.verdict} than the live model ({first.live})."


def _comparison(name: str, report: KeptReport) -> Comparison:
    metric = report["metrics"][name]
    live = report["live"]["metrics"].get(name) if report["live"] else None
    spread = "" if metric["spread"] is None else words.number(metric["spread"])
    if live is None:
        return Comparison(words.label(name), words.number(metric["value"]), spread, "", "", "")
    difference = metric["value"] - live["value"]
    verdict = _verdict(difference, _lower_is_better(name, report))
    return Comparison(
        words.label(name),
        words.number(metric["value"]),
        spread,
        words.number(live["value"]),
        words.number(difference, signed=True),
        verdict,
    )


def _lower_is_better(name: str, report: KeptReport) -> bool | None:
    if name == report["primary"]:
        return bool(report["lower_is_better"])
    if name.lower() in _ERROR_METRICS:
        return True
    return False if name.lower() in _SCORE_METRICS else None


def _verdict(difference: float, lower_is_better: bool | None) -> str:
    if not math.isfinite(difference):
        return ""
    if words.number(difference) == words.number(0):
        return "same"
    if lower_is_better is None:
        return ""
    return "better" if (difference < 0) == lower_is_better else "worse"
