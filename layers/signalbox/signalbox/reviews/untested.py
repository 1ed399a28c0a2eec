"""A model that was not tested on held-out rows: why, and what its review goes by instead, as a person reads it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from signalbox import plain

if TYPE_CHECKING:
    from signalbox.reviews.kept import KeptUntested

_TEXT_LIMIT = 300
_MOST = 5
_NO_REQUESTS = (
    "No golden requests are there, so a release compares no answers: it looks only whether the endpoint serves."
)


def kept(report: Mapping[str, object]) -> "KeptUntested | None":
    """Return what is kept of a report that was not measured on rows; None for every other."""
    given = report.get("untested")
    if not isinstance(given, dict):
        return None
    reasons, requests = given.get("reasons"), given.get("requests")
    return {
        "reasons": [_text(one) for one in reasons[:_MOST]] if isinstance(reasons, list) else [],
        "metrics": _text(given.get("metrics")),
        "missing": _text(given.get("missing")),
        "golden": _text(given.get("golden")),
        "requests": requests if isinstance(requests, int) else 0,
    }


def headline(first: str) -> str:
    """Return the first sentence; `first` is the metric that it was registered with, and its value, or ""."""
    return f"Not tested on held-out rows; registered {f'with {first}' if first else 'without metrics'}."


def sentences(untested: "KeptUntested") -> tuple[str, ...]:
    """Return what a reviewer has to know before the figures."""
    why = " ".join(untested["reasons"])
    source = untested["missing"] or "The metrics are those that it was registered with; nobody here has measured them."
    golden = _NO_REQUESTS
    if untested["golden"]:
        count = f"{untested['requests']} golden request{'' if untested['requests'] == 1 else 's'}"
        golden = (
            f"Its project has {count}, without right answers: what the first stage answers is kept, and what later "
            "stages answer is compared with that."
        )
    return f"This model was not tested on held-out rows. {why}".rstrip(), source, golden


def facts(untested: "KeptUntested") -> list[tuple[str, str]]:
    """Return labels and places, as far as there are any."""
    found = (("Metrics from", untested["metrics"]), ("Golden requests", untested["golden"]))
    return [(label, value) for label, value in found if value]


def _text(value: object) -> str:
    return plain.line(value)[:_TEXT_LIMIT] if isinstance(value, str) else ""
