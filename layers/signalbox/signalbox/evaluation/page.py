"""report.html: the report for people. One file of its own, no scripts, nothing loaded from elsewhere."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signalbox.evaluation.ports import Report
from signalbox.evaluation.report import label_of, number, summarise
from signalbox.evaluation.rows import Row

if TYPE_CHECKING:
    from jinja2 import Template

# The chart's side and margin, in its own units.
_SIDE, _MARGIN = 300.0, 12.0


def render(report: Report, rows: Sequence[Row]) -> str:
    """Return the page; `rows` are drawn as points of label and prediction where the problem is a regression."""
    points = _points(rows) if report["problem"] == "regression" else []
    return _template().render(report=report, summary=summarise(report), points=points, side=_SIDE, margin=_MARGIN)


@cache
def _template() -> "Template":
    """Return the compiled template: compiling it takes ten times as long as filling it."""
    import jinja2  # noqa: PLC0415  # 60 ms that a cold start does not need

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(label=label_of, number=number)
    return environment.get_template("report.html.j2")


def _points(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return each row's place in the chart: the label to the right, the prediction upwards, one scale for both."""
    values = [(float(row.label), float(row.prediction)) for row in rows]
    numbers = [value for pair in values for value in pair]
    least, most = min(numbers), max(numbers)
    scale = (_SIDE - 2 * _MARGIN) / ((most - least) or 1)
    return [
        {
            "x": round(_MARGIN + (label - least) * scale, 1),
            "y": round(_SIDE - _MARGIN - (prediction - least) * scale, 1),
        }
        for label, prediction in values
    ]
