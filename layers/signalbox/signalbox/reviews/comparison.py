"""A model's metrics beside those of the live model, as a person reads them."""

import math
from typing import TYPE_CHECKING, NamedTuple

from signalbox import words
from signalbox.reviews import standing, untested

if TYPE_CHECKING:
    from signalbox.reviews.kept import KeptDifference, KeptMetric, KeptReport

_OTHER_ROWS = "it was measured on other rows"


class Comparison(NamedTuple):
    """One metric beside the live model's, as texts, "" where there is none.

    `verdict` is "better", "worse", "no clear difference" or "" (not compared).
    """

    name: str
    value: str
    spread: str
    live: str = ""
    live_spread: str = ""
    difference: str = ""
    interval: str = ""
    verdict: str = ""

    @property
    def tone(self) -> str:
        """Return the class of the verdict behind another one: only a clear verdict has a colour."""
        return f" {self.verdict}" if self.verdict in ("better", "worse") else ""


def comparisons(report: "KeptReport") -> list[Comparison]:
    """Return the metrics, the one that decides first."""
    names = sorted(report["metrics"], key=lambda name: name != report["primary"])
    return [_comparison(name, report) for name in names]


def headline(report: "KeptReport") -> str:
    """Return one sentence about the metric that decides, "" where the report has none."""
    known = report["primary"] in report["metrics"]
    first = _comparison(report["primary"], report) if known else Comparison("", "", "")
    if report.get("untested"):
        return untested.headline(f"{first.name} {first.value}".strip())
    if not known:
        return ""
    if not first.verdict:
        return f"{first.name} {first.value}. {standing.not_compared(report)}"
    than = "from" if first.verdict == "no clear difference" else "than"
    other = standing.other(report)
    which = (
        f"{other} ({first.live}), which is live no more" if standing.moved(report) else f"the {other} ({first.live})"
    )
    return f"{first.name} {first.value}, {first.verdict} {than} {which}."


def explanation(report: "KeptReport") -> str:
    """Return what stands behind the comparison, or why there is none, and what is live by now; "" without any model."""
    live, since = report["live"], standing.since(report)
    if not live:
        return since
    label = words.package_label(live["package"])
    name = f"{label[:1].upper()}{label[1:]}, live when this model was tested," if since else f"The live model ({label})"
    if not live.get("differences"):
        return f"{name} is not compared: {live.get('reason') or _OTHER_ROWS}. {since}".rstrip()
    rows, every = live.get("rows", 0), live.get("rows", 0) >= report["rows"]
    which = (
        f"the same {rows:,} rows" if every else f"{rows:,} of the {report['rows']:,} rows; both columns are of these"
    )
    interval = "The interval holds the true difference in 95 of 100 evaluations; a difference is clear if 0 is outside."
    if all(one["low"] is None for one in live["differences"].values()):
        interval = "These are too few rows for an interval, so no difference counts as clear."
    return f"{name} was asked for {which}. {interval} {since}".rstrip()


def _comparison(name: str, report: "KeptReport") -> Comparison:
    live = report["live"]
    difference = live.get("differences", {}).get(name) if live else None
    if live is None or difference is None or name not in live["metrics"] or not math.isfinite(difference["value"]):
        return Comparison(words.label(name), *_texts(report["metrics"][name]))
    # On the rows that both models answered, which may be fewer than all.
    own, other = live.get("own", {}).get(name, report["metrics"][name]), live["metrics"][name]
    value = words.number(difference["value"], signed=True)
    return Comparison(
        words.label(name), *_texts(own), *_texts(other), value, _interval(difference), difference["verdict"]
    )


def _texts(metric: "KeptMetric") -> tuple[str, str]:
    return words.number(metric["value"]), "" if metric["spread"] is None else words.number(metric["spread"])


def _interval(difference: "KeptDifference") -> str:
    low, high = difference["low"], difference["high"]
    if low is None or high is None:
        return ""
    return f"{words.number(low, signed=True)} to {words.number(high, signed=True)}"
