"""Where a model comes from, as a person reads it: cut to what is kept, and written as facts and links."""

from collections.abc import Mapping

from signalbox import links, plain, words
from signalbox.reviews.model import KeptLineage

_TEXT_LIMIT = 300
_FILES = 5

NONE: KeptLineage = {
    "report": "",
    "run": "",
    "files": [],
    "file_count": 0,
    "train_data": "",
    "test_data": "",
    "threshold": "",
    "cut": "",
    "columns": [],
    "image": "",
}


def kept(report: Mapping[str, object], uri: str) -> KeptLineage:
    """Return what is kept of a report's lineage; reports of earlier versions have none, and others may have less."""
    known = report.get("lineage")
    origin: Mapping[str, object] = known if isinstance(known, dict) else {}
    named, number, cut = _texts(origin.get("files"))[:_FILES], origin.get("file_count"), report.get("threshold")
    trained = origin.get("train_rows")
    return {
        "report": uri,
        "run": _text(origin.get("run")),
        "files": named,
        "file_count": max(number if isinstance(number, int) else 0, len(named)),
        "train_data": _text(origin.get("train_data")),
        "train_rows": trained if isinstance(trained, int) else None,
        "columns": _texts(origin.get("columns")),
        "test_data": _text(report.get("test_data")),
        "threshold": _text(origin.get("threshold")),
        "cut": words.number(cut) if isinstance(cut, float) else "",
        "image": _text(report.get("image")),
    }


def facts(lineage: KeptLineage) -> list[tuple[str, str]]:
    """Return labels and values, as far as they are known."""
    more = lineage["file_count"] - len(lineage["files"])
    files = ", ".join(lineage["files"]) + (f" and {more:,} more" if more else "")
    found = (
        ("Files", files),
        ("Run", lineage["run"]),
        ("Training data", lineage["train_data"]),
        ("Test data", lineage["test_data"]),
        ("Threshold", lineage["threshold"]),
        ("Counts as 1 from", lineage["cut"]),
        ("Image", lineage["image"]),
    )
    return [(label, value) for label, value in found if value]


def rows(lineage: KeptLineage, tested: int) -> list[tuple[str, str]]:
    """Return labels and numbers of the rows that a model was trained and tested on."""
    trained = lineage.get("train_rows")
    return [("Training rows", "not counted" if trained is None else f"{trained:,}"), ("Test rows", f"{tested:,}")]


def places(lineage: KeptLineage, execution: str) -> list[tuple[str, str]]:
    """Return label and address of the report and of the execution (its ARN) that asked, as far as there are any."""
    found = (
        ("The evaluation report in the S3 console", links.stored_object(lineage["report"], execution)),
        ("The execution in the Step Functions console", links.execution(execution)),
    )
    return [(label, address) for label, address in found if address]


def _texts(values: object) -> list[str]:
    return [_text(value) for value in values] if isinstance(values, list) else []


def _text(value: object) -> str:
    return plain.line(value)[:_TEXT_LIMIT] if isinstance(value, str) else ""
