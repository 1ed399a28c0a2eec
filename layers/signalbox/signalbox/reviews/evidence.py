"""The evidence of a review: the evaluation report, cut to what a person is shown, and kept with the review.

The report is read once, when the review is requested. What a person decided on can be shown for ever after, whatever
becomes of the report.
"""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

from signalbox import plain, words
from signalbox.reviews import commits, comparison, costs, lineage, samples, standing, untested
from signalbox.reviews.comparison import Comparison
from signalbox.reviews.model import ReviewError
from signalbox.reviews.samples import ShownSample

if TYPE_CHECKING:
    from signalbox.contracts.common import StageServing
    from signalbox.reviews.kept import (
        ClassScore,
        KeptDifference,
        KeptLineage,
        KeptLive,
        KeptMetric,
        KeptReport,
        KeptUntested,
    )
    from signalbox.reviews.picture import Bars, Scatter
    from signalbox.words import Shortened

_TEXT_LIMIT = 120
_REASON = 300
_SAMPLES = 8
_METRICS = 12
_POINTS = 100
_PAIR = 2
_NUMBERS = (float, int)
_CLASSES = 12
_LARGEST = 1e300  # so that the difference of two numbers is one too
_UNKNOWN = lineage.NONE


class ShownEvidence(NamedTuple):
    """Evidence as the templates show it; without values where there was no report.

    `other` is what the model is compared with, `lives` are labels and names of what is or was live; `commits` are the
    facts about the commits of both.
    """

    problem: str = ""
    rows: int = 0
    commits: "Sequence[tuple[str, str | Shortened]]" = ()
    other: str = ""
    lives: Sequence[tuple[str, str]] = ()
    job: str = ""
    took: str = ""
    headline: str = ""
    explanation: str = ""
    comparisons: tuple[Comparison, ...] = ()
    samples: tuple[ShownSample, ...] = ()
    points: Sequence[tuple[float, float]] = ()
    classes: "Sequence[ClassScore]" = ()
    class_count: int = 0
    lineage: "KeptLineage" = _UNKNOWN
    costs: Sequence[tuple[str, str]] = ()
    untested: "KeptUntested | None" = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what a reviewer has to know of a model that was not tested; nothing of any other."""
        return untested.sentences(self.untested) if self.untested else ()

    @property
    def unused(self) -> Sequence[str]:
        """Return sentences about the first files of its run that the model has learnt nothing of."""
        return self.lineage.get("unused", ())

    @property
    def more_unused(self) -> int:
        """Return how many such files there are beside those."""
        return self.lineage.get("unused_count", 0) - len(self.unused)

    @property
    def scatter(self) -> "Scatter | None":
        """Return the picture of a regression: made for the page, which alone has it."""
        from signalbox.reviews import picture  # noqa: PLC0415  # a mail has no picture, and starts without it

        return picture.scatter(self.points, self.rows)

    @property
    def bars(self) -> "Bars | None":
        """Return the picture of a classification."""
        from signalbox.reviews import picture  # noqa: PLC0415  # the same

        return picture.bars(self.classes, self.class_count)

    @property
    def spreads(self) -> bool:
        """Say whether a metric has a standard error."""
        return any(row.spread for row in self.comparisons)

    @property
    def compared(self) -> bool:
        """Say whether a metric stands beside the live model's."""
        return any(row.live for row in self.comparisons)

    @property
    def pictured(self) -> bool:
        """Say whether the page has a picture of the test rows."""
        return bool(self.points or self.classes)


def freeze(report: str, uri: str = "", serving: "StageServing | None" = None) -> str:
    """Return the part of the report at `uri` that is shown, as JSON of a few kilobytes; "" stays "".

    `serving` is what the last stage serves by now, None where the model was tested a moment before.

    Raises:
        ReviewError: the report is not a JSON object with metrics that are numbers.
    """
    if not report:
        return ""
    try:
        found = json.loads(report)
        kept = _kept(found) | {"lineage": lineage.kept(found, uri), "serving": serving}
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        message = f"the evaluation report cannot be read ({error}): look at the step that evaluated the model"
        raise ReviewError(message) from error
    return json.dumps(kept, separators=(",", ":"), ensure_ascii=False)


def shown(evidence: str) -> ShownEvidence:
    """Return frozen evidence as the templates show it."""
    if not evidence:
        return ShownEvidence()
    report: KeptReport = json.loads(evidence)
    origin = report.get("lineage", lineage.NONE)
    return ShownEvidence(
        problem=report["problem"],
        rows=report["rows"],
        commits=commits.facts(report["commit"], standing.live_commit(report)),
        other=standing.other(report),
        lives=standing.lives(report),
        job=report["job"],
        took=words.duration(report["seconds"]) if report["job"] else "",
        headline=comparison.headline(report),
        explanation=comparison.explanation(report),
        comparisons=tuple(comparison.comparisons(report)),
        samples=samples.shown(report["samples"], origin["columns"]),
        points=report.get("points", ()),
        classes=report.get("classes", ()),
        class_count=report.get("class_count", 0),
        lineage=origin,
        costs=[(label, text) for label, text in report.get("costs", [])],
        untested=report.get("untested"),
    )


def _kept(report: Mapping[str, Any]) -> "KeptReport":
    live, training, classes = report.get("live"), report.get("training") or {}, _classes(report.get("classes"))
    return {
        "problem": _text(report.get("problem", "")),
        "primary": _text(report["primary"]),
        "lower_is_better": bool(report["lower_is_better"]),
        "rows": int(report["rows"]),
        "commit": _text(report.get("commit") or ""),
        "metrics": _metrics(report["metrics"]),
        "live": _live(live) if live else None,
        "live_commit": _text((live or report).get("commit" if live else "live_commit") or ""),
        "samples": [
            {
                "input": _text(sample["input"]),
                "expected": _text(sample["expected"]),
                "predicted": _text(sample["predicted"]),
            }
            for sample in report.get("samples", [])[:_SAMPLES]
        ],
        "job": _text(training.get("job") or ""),
        "seconds": float(training.get("seconds") or 0),
        "points": _points(report.get("points")),
        "classes": sorted(classes, key=lambda score: -score["rows"])[:_CLASSES],
        "class_count": len(classes),
        "costs": costs.kept(report),
        "untested": untested.kept(report),
    }


def _live(live: Mapping[str, Any]) -> "KeptLive":
    kept: KeptLive = {"package": str(live["package"])[:2048], "metrics": _metrics(live["metrics"])}
    if live.get("differences"):
        kept |= {"rows": int(live["rows"]), "own": _metrics(live["own"])}
        kept["differences"] = {
            _text(name): _difference(one) for name, one in list(live["differences"].items())[:_METRICS]
        }
    elif live.get("reason"):
        kept["reason"] = plain.line(str(live["reason"]))[:_REASON]
    return kept


def _difference(one: Mapping[str, Any]) -> "KeptDifference":
    low, high = (None if one[bound] is None else float(one[bound]) for bound in ("low", "high"))
    return {"value": float(one["value"]), "low": low, "high": high, "verdict": _text(one["verdict"])}


def _metrics(metrics: Mapping[str, Any]) -> "dict[str, KeptMetric]":
    kept: dict[str, KeptMetric] = {}
    for name, metric in list(metrics.items())[:_METRICS]:
        spread = metric.get("standard_deviation")
        kept[_text(name)] = {"value": float(metric["value"]), "spread": None if spread is None else float(spread)}
    return kept


def _points(points: object) -> list[tuple[float, float]]:
    """Return the points that can be drawn; a report may have none, or others: they are only a picture."""
    if not isinstance(points, list):
        return []
    return [(point[0], point[1]) for point in points if _is_point(point)][:_POINTS]


def _is_point(point: object) -> TypeGuard[list[float]]:
    """Say whether a value of JSON is a pair of numbers that can be drawn (a truth value is none, nor is NaN)."""
    if type(point) is not list or len(point) != _PAIR:
        return False
    label, guess = point
    if type(label) not in _NUMBERS or type(guess) not in _NUMBERS:
        return False
    return bool(-_LARGEST < label < _LARGEST and -_LARGEST < guess < _LARGEST)


def _classes(classes: object) -> "list[ClassScore]":
    """Return the classes that can be drawn, as for points."""
    scores: list[ClassScore] = []
    for name, counts in classes.items() if isinstance(classes, dict) else ():
        rows, right = (counts.get("rows"), counts.get("right")) if isinstance(counts, dict) else (None, None)
        if isinstance(rows, int) and isinstance(right, int) and 0 <= right <= rows > 0:
            scores.append({"name": _text(name), "rows": rows, "right": right})
    return scores


def _text(value: object) -> str:
    text = plain.line(str(value))
    return text if len(text) <= _TEXT_LIMIT else f"{text[: _TEXT_LIMIT - 1]}…"
