"""Small definitions of features and files for them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from signalbox_features import definition as definitions
from signalbox_features import fitting, running
from signalbox_features.fitting import Artefact
from signalbox_features.model import FeatureDefinition
from signalbox_features.running import RunResult
from signalbox_features.sources import SourceFile
from signalbox_features.tables import FeatureRecord
from signalbox_features.tables import read as read_records
from signalbox_operate.features import reading
from tests.support.documents import ROOT

UPLOADED = 1_795_780_800.0  # 2026-11-27T12:00:00Z
ABALONE = ROOT / "projects" / "abalone"


def given(**changes: Any) -> dict[str, Any]:
    """Return a compiled definition of shells: a key, a sex, a length; a change to None leaves a field out."""
    made = {
        "group": "shells",
        "columns": [
            {"name": "id", "type": "string"},
            {"name": "sex", "type": "string"},
            {"name": "length", "type": "number"},
        ],
        "identifier": {"name": "record_id", "column": "id"},
        "event_time": {"name": "record_time"},
        "features": [{"name": "length", "scale": "standard"}, {"name": "sex", "encode": "one-hot"}],
        "quarantine": {"rows": 1},
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def definition(**changes: Any) -> FeatureDefinition:
    """Return such a definition, read."""
    return definitions.parse(given(**changes))


def file(folder: Path, content: str | bytes, name: str = "a.csv", version: str = "1") -> SourceFile:
    """Write a file and return it as a source that was uploaded at a fixed time."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return SourceFile(path, name, version, UPLOADED)


def rows(*lines: str) -> str:
    """Return a CSV file of shells, with its header."""
    return "\n".join(["id,sex,length", *lines, ""])


def run(made: FeatureDefinition, artefact: Artefact, sources: list[SourceFile], folder: Path) -> RunResult:
    """Run over files, with the output in a folder of its own."""
    return running.run(made, artefact, sources, folder / "out")


def fitted(made: FeatureDefinition, folder: Path, *lines: str) -> Artefact:
    """Fit on rows of shells: `a,F,1` and `b,M,3` if none are given."""
    return fitting.fit(made, [file(folder, rows(*(lines or ("a,F,1", "b,M,3"))), "fitted.csv")])


def records(folder: Path) -> list[dict[str, str]]:
    """Return the records of a run by their features' names."""
    names, found = read_records(folder / "out" / running.RECORDS)
    return [_values(names, record) for record in found]


def _values(names: Iterable[str], record: FeatureRecord) -> dict[str, str]:
    return {"file": record.file, "line": record.line, **dict(zip(names, record.cells, strict=True))}


def quarantine(folder: Path) -> list[dict[str, Any]]:
    """Return what is in quarantine after a run."""
    return [json.loads(line) for line in (folder / "out" / running.QUARANTINE).read_text().splitlines()]


def abalone() -> FeatureDefinition:
    """Return the definition of the project abalone."""
    return reading.read(ABALONE)
