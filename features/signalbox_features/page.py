"""The report of a run as a page: one file without scripts, that a phone shows as well, with plots as SVG in it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_WIDTH, _HEIGHT = 300, 90
_SHOWN = 12  # categories of a plot
_LARGE = 0.25  # the index from which on drift counts as large
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --now: #2a78c2; --was: #e0902a; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
table { border-collapse: collapse; width: 100%; } .wide { overflow-x: auto; }
td, th { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
section { border-top: 1px solid var(--line); padding: .5rem 0; }
figure { display: inline-block; margin: 0 1rem .5rem 0; width: 300px; max-width: 100%; }
figcaption { font-size: .85rem; } svg { width: 100%; height: auto; } .bad { color: #c0392b; font-weight: 600; }
td.drift { min-width: 8rem; } .now { fill: var(--now); } .was { fill: none; stroke: var(--was); stroke-width: 1.5; }
"""


def page(report: Mapping[str, Any]) -> str:
    """Return the page of a report, as `job` has put it together."""
    rows, files = report["rows"], report["files"]
    verdict = "".join(f'<p class="bad">{escape(one)}</p>' for one in report["problems"]) or "<p>Nothing is wrong.</p>"
    counts = [
        ("rows in the files", rows["in"]),
        ("records", rows["out"]),
        ("rows in quarantine", rows["quarantined"]),
        ("files", files["in"]),
        ("files in quarantine", files["refused"]),
        *_written(report),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Features of {escape(report['group'])}</title><style>{_STYLE}</style></head><body>"
        f"<h1>Features of {escape(report['group'])}</h1>{verdict}"
        f"<p>Fitted artefact {escape(report['artefact'])}.</p>"
        f"{_table(('what', 'number'), [(what, f'{count:,}') for what, count in counts])}"
        f"{_reasons(rows['reasons'], files['reasons'])}"
        f"<h2>Features</h2><p>Bars are this run, the line is what was fitted. Drift is the population stability index: "
        f"below 0.1 it is small, above {_LARGE} large.</p>"
        f"{_drift(report['features'])}"
        f"{''.join(_feature(name, one, report['after'].get(name)) for name, one in report['features'].items())}"
        f"<h2>After the transformation</h2>{_after(report['after'])}</body></html>\n"
    )


def _written(report: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    written = report["written"]
    if written:
        yield "records written", written["written"] + written["before"]
        yield "records refused by the Feature Store", written["refused"]
        yield "records left over", written["left"]


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in headings)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def _reasons(rows: Sequence[Mapping[str, Any]], files: Sequence[Mapping[str, str]]) -> str:
    made = ""
    if rows:
        told = [(one["reason"], f"{one['rows']:,}", one["first"]) for one in rows]
        made += f"<h2>Rows in quarantine</h2>{_table(('reason', 'rows', 'the first'), told)}"
    if files:
        made += f"<h2>Files in quarantine</h2>{_table(('file', 'why'), [(one['file'], one['told']) for one in files])}"
    return made


def _drift(features: Mapping[str, Any]) -> str:
    """Return a bar for each feature whose drift is known, up to what counts as large."""
    known = [(name, one["psi"]) for name, one in features.items() if one["psi"] is not None]
    if not known:
        return "<p>There are too few rows to tell drift.</p>"
    rows = ""
    for name, index in known:
        wide = min(index / _LARGE, 1.0) * _WIDTH
        bar = f'<rect class="now" x="0" y="0" width="{max(wide, 1):.1f}" height="12"/>'
        plot = (
            f'<svg viewBox="0 0 {_WIDTH} 12" role="img" aria-label="Drift of {escape(name)}: {index:.3f}">{bar}</svg>'
        )
        rows += f'<tr><td>{escape(name)}</td><td>{index:.3f}</td><td class="drift">{plot}</td></tr>'
    return (
        f'<div class="wide"><table><tr><th>feature</th><th>drift</th><th>up to {_LARGE}</th></tr>{rows}</table></div>'
    )


def _feature(name: str, one: Mapping[str, Any], after: Mapping[str, Any] | None) -> str:
    fitted, before = one["fitted"], one["before"]
    number = one["kind"] == "number"
    told = f"{before['count']:,} values, {before['nulls']:,} missing"
    plots = _figure(f"{name} before", f"{told}{_range(before)}" if number else told, fitted, before)
    if number and after and after.get("shares"):
        plots += _figure(f"{name} after", f"{after['count']:,} values{_range(after)}", after["fitted"], after)
    return f"<section><h3>{escape(name)}</h3>{plots}</section>"


def _range(found: Mapping[str, Any]) -> str:
    return f"; mean {_short(found['mean'])}, from {_short(found['min'])} to {_short(found['max'])}"


def _figure(what: str, told: str, fitted: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    plot = _histogram(fitted, found) if "edges" in fitted else _bars(fitted, found)
    return (
        f'<figure><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Distribution of {escape(what)}">{plot}'
        f"</svg><figcaption>{escape(what)}: {escape(told)}</figcaption></figure>"
    )


def _histogram(fitted: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """Return bars whose areas are shares: the bins hold equally many of the fitted values, and so are not as wide."""
    if not before["count"] or not fitted["count"]:
        return ""
    low, high = min(fitted["min"], before["min"]), max(fitted["max"], before["max"])
    edges = [low, *fitted["edges"], high]
    wide = (high - low) or 1.0
    spans = [((one - low) / wide * _WIDTH, (other - low) / wide * _WIDTH) for one, other in zip(edges, edges[1:])]
    was, now = _dense(spans, fitted["shares"]), _dense(spans, before["shares"])
    top = max([*was, *now]) or 1.0
    return "".join(_bar(left, right, height / top, "now") for (left, right), height in zip(spans, now)) + "".join(
        _bar(left, right, height / top, "was") for (left, right), height in zip(spans, was)
    )


def _dense(spans: Sequence[tuple[float, float]], shares: Sequence[float]) -> list[float]:
    return [share / max(right - left, 1.0) for (left, right), share in zip(spans, shares)]


def _bar(left: float, right: float, height: float, kind: str) -> str:
    tall = height * (_HEIGHT - 2)
    shape = f'x="{left:.1f}" y="{_HEIGHT - tall:.1f}" width="{max(right - left, 1):.1f}" height="{tall:.1f}"'
    return f'<rect class="{kind}" {shape}/>'


def _bars(fitted: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    names = sorted(fitted["categories"], key=lambda name: -fitted["categories"][name])[:_SHOWN]
    was = [fitted["categories"][name] / (fitted["count"] or 1) for name in names]
    now = [before["categories"].get(name, 0) / (before["count"] or 1) for name in names]
    top, step = max([*was, *now, 0.0]) or 1.0, _WIDTH / max(len(names), 1)
    made = ""
    for place, name in enumerate(names):
        left, right = place * step + 2, (place + 1) * step - 2
        made += f"<g><title>{escape(name)}</title>{_bar(left, right, now[place] / top, 'now')}"
        made += f"{_bar(left, right, was[place] / top, 'was')}</g>"
    return made


def _after(after: Mapping[str, Mapping[str, Any]]) -> str:
    names = ("mean", "std", "min", "max")
    rows = [(name, *(_short(one[key]) for key in names), f"{one['nulls']:,}") for name, one in after.items()]
    return _table(("feature", *names, "missing"), rows)


def _short(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
