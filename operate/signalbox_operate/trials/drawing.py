"""Draw what a trial has found: in the terminal, and as a page beside the project."""

import html
from collections import Counter
from collections.abc import Sequence
from string import Template

from signalbox import plain
from signalbox.reviews import picture
from signalbox.reviews.kept import ClassScore
from signalbox_operate.trials.results import Results

_WIDTH, _HEIGHT = 60, 20
_BAR = 30
_MOST_CLASSES, _MOST_POINTS = 12, 1000
_NAME = 20

_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>$title</title>
<style>
:root { color-scheme: light dark; --ink: #1c2024; --soft: #60646c; --line: #d9d9e0; --mark: #3358d4; --back: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #edeef0; --soft: #b0b4ba; --line: #43484e; --mark: #9eb1ff; --back: #111113; }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back); }
body { max-width: 36rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .4rem .5rem .4rem 0; border-bottom: 1px solid var(--line); }
p, caption { color: var(--soft); }
svg { width: 100%; height: auto; margin-top: 1rem; }
text { font-size: 12px; fill: var(--soft); }
.name { fill: var(--ink); }
.axis, .track { stroke: var(--line); fill: none; }
.even { stroke: var(--soft); stroke-dasharray: 4 4; fill: none; }
.dot { stroke: var(--mark); stroke-width: 5; stroke-linecap: round; stroke-opacity: .6; fill: none; }
.track { fill: var(--line); stroke: none; }
.bar { fill: var(--mark); }
</style>
<h1>$title</h1>
<table>
<tr><th>metric</th><th>value</th><th>standard deviation</th></tr>
$metrics
</table>
$drawing
</html>
""")


def page(title: str, results: Results) -> str:
    """Return a page with the metrics and the picture, which needs nothing besides itself."""
    rows = "\n".join(
        f"<tr><td>{html.escape(name)}</td><td>{value:g}</td><td>{'' if spread is None else f'{spread:.3g}'}</td></tr>"
        for name, value, spread in results.metrics
    )
    return _PAGE.substitute(title=html.escape(title), metrics=rows, drawing=_svg(results))


def terminal(results: Results) -> list[str]:
    """Return the picture as lines of text; none where there are no predictions."""
    if not results.pairs:
        return []
    return _scatter(results.numbers) if results.regression else _bars(scores(results.pairs), len(results.pairs))


def scores(pairs: Sequence[tuple[str, str]]) -> list[ClassScore]:
    """Return how many rows of each label are right, the commonest label first."""
    rows, right = Counter(label for label, _ in pairs), Counter(label for label, answer in pairs if label == answer)
    return [{"name": name, "rows": number, "right": right[name]} for name, number in rows.most_common()]


def _scatter(points: Sequence[tuple[float, float]]) -> list[str]:
    values = [value for point in points for value in point]
    least, most = min(values), max(values)
    scale = (most - least) or 1.0
    cells = [[" "] * (_WIDTH + 1) for _ in range(_HEIGHT + 1)]
    for column in range(_WIDTH + 1):
        cells[_HEIGHT - column * _HEIGHT // _WIDTH][column] = "·"
    for label, answer in points:
        column = round((label - least) / scale * _WIDTH)
        cells[_HEIGHT - round((answer - least) / scale * _HEIGHT)][column] = "●"
    lines = [f"  predicted, {least:g} to {most:g}", *(f"  │{''.join(line).rstrip()}" for line in cells)]
    return [*lines, f"  └{'─' * _WIDTH}", f"   expected, {least:g} to {most:g}; on the dots, both are equal"]


def _bars(classes: Sequence[ClassScore], rows: int) -> list[str]:
    drawn = classes[:_MOST_CLASSES]
    lines = []
    for one in drawn:
        full = round(one["right"] / one["rows"] * _BAR)
        bar = "█" * full + "░" * (_BAR - full)
        lines.append(f"  {_short(one['name']):<{_NAME}} {bar} {one['right']:,} of {one['rows']:,} right")
    if len(classes) > len(drawn):
        lines.append(f"  and {len(classes) - len(drawn)} smaller classes")
    return [*lines, f"  each bar is the share right of a class's rows; {rows:,} rows were held out"]


def _short(name: str) -> str:
    line = plain.line(name)  # of strangers
    return line if len(line) <= _NAME else f"{line[: _NAME - 1]}…"


def _svg(results: Results) -> str:
    if not results.pairs:
        return ""
    if results.regression:
        points = results.numbers[:: max(len(results.numbers) // _MOST_POINTS, 1)]
        return _drawn_scatter(picture.scatter(points, len(results.numbers)))
    classes = scores(results.pairs)
    return _drawn_bars(picture.bars(classes[:_MOST_CLASSES], len(classes)))


def _drawn_scatter(drawn: picture.Scatter | None) -> str:
    if drawn is None:
        return ""
    end, floor = drawn.left + drawn.side, drawn.top + drawn.side
    return (
        f'<svg viewBox="0 0 {drawn.width} {drawn.height}" role="img"><title>{drawn.title}</title>'
        f'<path class="axis" d="M{drawn.left} {drawn.top}V{floor}H{end}"/>'
        f'<path class="even" d="M{drawn.left} {floor}L{end} {drawn.top}"/>'
        f'<path class="dot" d="{drawn.path}"/>'
        f'<text x="{drawn.left}" y="{floor + 19}">{drawn.least}</text>'
        f'<text x="{(drawn.left + end) / 2}" y="{floor + 19}" text-anchor="middle">Expected &rarr;</text>'
        f'<text x="{end}" y="{floor + 19}" text-anchor="end">{drawn.most}</text>'
        f'<text transform="rotate(-90) translate({-(drawn.top + floor) / 2} {drawn.left - 10})" '
        f'text-anchor="middle">Predicted &rarr;</text></svg><p>{drawn.caption}</p>'
    )


def _drawn_bars(drawn: picture.Bars | None) -> str:
    if drawn is None:
        return ""
    rows = "".join(
        f'<text class="name" x="0" y="{bar.y + 14}">{html.escape(bar.name)}</text>'
        f'<text x="{drawn.width}" y="{bar.y + 14}" text-anchor="end">{bar.share}</text>'
        f'<rect class="track" x="0" y="{bar.y + 21}" width="{drawn.width}" height="9" rx="4.5"/>'
        f'<rect class="bar" x="0" y="{bar.y + 21}" width="{bar.length}" height="9" rx="4.5"/>'
        for bar in drawn.bars
    )
    title = f'<svg viewBox="0 0 {drawn.width} {drawn.height}" role="img"><title>{drawn.title}</title>'
    return f"{title}{rows}</svg><p>{html.escape(drawn.caption)}</p>"
