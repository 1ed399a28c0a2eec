"""What a project's `signalbox.yaml` says about a container: where it is, and what it is tried out with."""

import csv
import io
from dataclasses import replace
from pathlib import Path

from signalbox_operate.containers import tree
from signalbox_operate.containers.model import Trial
from signalbox_operate.projects import reading
from signalbox_operate.projects.model import ContainerEntry
from signalbox_operate.projects.schema import FILE
from signalbox_operate.stack import OperateError

_LEVELS = 3  # that a container's folder may lie below the project's
_CSV = "text/csv"


def find(folder: Path) -> ContainerEntry | None:
    """Return the container that a folder is in a project, or the only one of a project's folder; None outside of one.

    Raises:
        OperateError: the project has several containers, or none with a folder.
        ProjectError: its file cannot be used.
    """
    here = folder.resolve()
    home = next((path for path in (here, *here.parents[:_LEVELS]) if (path / FILE).is_file()), None)
    if home is None:
        return None
    entries = [entry for entry in reading.read(home).containers.values() if entry.folder]
    around = [entry for entry in entries if entry.folder and here.is_relative_to(entry.folder.resolve())]
    if around:
        return around[0]
    if here != home:
        return None
    if len(entries) != 1:
        named = ", ".join(str(entry.folder) for entry in entries) or "none with a folder"
        raise OperateError(f"{home / FILE} has several containers or none: name the folder of one of {named}")
    return entries[0]


def trial_of(entry: ContainerEntry, given: Trial, *, content_type: str | None) -> Trial:
    """Return what a container is tried out with: what is given, else what its project says."""
    said = entry.given.get("content_type", _CSV)
    environment = dict(entry.given.get("environment", {}))
    taken = content_type or said
    channels = given.channels or {**({entry.channel: entry.train} if entry.train else {}), **entry.channels}
    request = given.request
    if request is None and entry.test and taken == _CSV:
        request = _first_row(entry.test)
    return replace(
        given,
        channels=channels,
        hyperparameters={**entry.hyperparameters, **given.hyperparameters},
        environment={**environment, **given.environment},
        request=request,
        content_type=taken,
    )


def _first_row(data: Path) -> bytes | None:
    """Return the first row of the test data without its label, as a request has it; None where there is none."""
    listed = [data] if data.is_file() else tree.files(data)
    for path in listed:
        with path.open(newline="", encoding="utf-8", errors="replace") as lines:
            for row in csv.reader(lines):
                if len(row) > 1:
                    text = io.StringIO()
                    csv.writer(text, lineterminator="\n").writerow(row[1:])
                    return text.getvalue().encode()
    return None
