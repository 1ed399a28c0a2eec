"""Where a model comes from, as a person reads it: cut to what is kept, and written as facts and links."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from signalbox import links, plain, words

if TYPE_CHECKING:
    from signalbox.reviews.kept import KeptLineage

_TEXT_LIMIT = 300
_MOST = 5  # files, and uploaders
_MOST_UNUSED, _LONGEST_UNUSED = 20, 1_500  # files, and characters about one, of which its key may have 1,024

NONE: "KeptLineage" = {
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


def kept(report: Mapping[str, object], uri: str) -> "KeptLineage":
    """Return what is kept of a report's lineage; reports of earlier versions have none, and others may have less."""
    known = report.get("lineage")
    origin: Mapping[str, object] = known if isinstance(known, dict) else {}
    named, number, cut = _texts(origin.get("files"))[:_MOST], origin.get("file_count"), report.get("threshold")
    trained, given = origin.get("train_rows"), origin.get("uploaders")
    people: Mapping[str, object] = given if isinstance(given, dict) else {}
    uploaders = _texts(people.get("names"))[:_MOST]
    unused = _texts(origin.get("unused"), _LONGEST_UNUSED)[:_MOST_UNUSED]
    return {
        "report": uri,
        "run": _text(origin.get("run")),
        "files": named,
        "file_count": max(_number(number), len(named)),
        "uploaders": uploaders,
        "uploader_count": max(_number(people.get("count")), len(uploaders)),
        "unknown_uploads": _number(people.get("unknown")),
        "unused": unused,
        "unused_count": max(_number(origin.get("unused_count")), len(unused)),
        "features": _text(origin.get("features")),
        "features_report": _text(origin.get("features_report"), _LONGEST_UNUSED),
        "started_by": _person(origin.get("started_by")),
        "registered_by": _person(report.get("registered_by")),
        "train_data": _text(origin.get("train_data")),
        "train_rows": trained if isinstance(trained, int) else None,
        "columns": _texts(origin.get("columns")),
        "test_data": _text(report.get("test_data")),
        "threshold": _text(origin.get("threshold")),
        "cut": words.number(cut) if isinstance(cut, float) else "",
        "image": _text(report.get("image")),
    }


def facts(lineage: "KeptLineage") -> list[tuple[str, str]]:
    """Return labels and values, as far as they are known."""
    # An execution does not know who started it: what its input says is not proven.
    started = f"{lineage['started_by']}, as the request says" if lineage.get("started_by") else ""
    found = (
        ("Started by", started),
        ("Registered by", lineage.get("registered_by", "")),
        ("Files", _first(lineage["files"], lineage["file_count"])),
        ("Uploaded by", _uploaders(lineage)),
        ("Run", lineage["run"]),
        ("Features", lineage.get("features", "")),
        ("Training data", lineage["train_data"]),
        ("Test data", lineage["test_data"]),
        ("Threshold", lineage["threshold"]),
        ("Counts as 1 from", lineage["cut"]),
        ("Image", lineage["image"]),
    )
    return [(label, value) for label, value in found if value]


def rows(lineage: "KeptLineage", tested: int) -> list[tuple[str, str]]:
    """Return labels and numbers of the rows that a model was trained and tested on."""
    trained = lineage.get("train_rows")
    return [("Training rows", "not counted" if trained is None else f"{trained:,}"), ("Test rows", f"{tested:,}")]


def places(lineage: "KeptLineage", execution: str) -> list[tuple[str, str]]:
    """Return label and address of the report and of the execution (its ARN) that asked, as far as there are any."""
    features = lineage.get("features_report", "")
    found = (
        ("The evaluation report in the S3 console", links.stored_object(lineage["report"], execution)),
        ("The report of its run's features in the S3 console", links.stored_object(features, execution)),
        ("The execution in the Step Functions console", links.execution(execution)),
    )
    return [(label, address) for label, address in found if address]


def _uploaders(lineage: "KeptLineage") -> str:
    """Return who uploaded the files, as far as there are files."""
    if not lineage["file_count"]:
        return ""
    names = lineage.get("uploaders", [])
    if not names:
        return "not recorded"
    unknown = lineage.get("unknown_uploads", 0)
    rest = f"; not recorded for {unknown:,} file{'' if unknown == 1 else 's'}" if unknown else ""
    return _first(names, lineage.get("uploader_count", 0)) + rest


def _first(names: list[str], number: int) -> str:
    more = number - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more > 0 else "")


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _texts(values: object, limit: int = _TEXT_LIMIT) -> list[str]:
    return [_text(value, limit) for value in values] if isinstance(values, list) else []


def _person(value: object) -> str:
    """Return who somebody is within the account: an ARN's last part."""
    return _text(value).split(":", 5)[-1]


def _text(value: object, limit: int = _TEXT_LIMIT) -> str:
    return plain.line(value)[:limit] if isinstance(value, str) else ""
