"""Files of a run that are not used: what the run's job has reported of them, and how people are told.

    {"quarantined": [{"file": "incoming/wine/a.csv", "kind": "bad", "more": 2,
                      "faults": [{"line": 3, "reason": "has 4 cells, and 5 are wanted"}]}], "more": 0}

Of a file of the kind `rows` the other rows are used. A job that makes features says in `features` what became of them.

That is the report's shape; docs/own-pipeline.md says it to those whose pipelines write one. It comes from a job, so it
is bounded, checked, and freed of what nobody may see before anything else is done with it.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from signalbox import plain
from signalbox.contracts.uploads import QuarantinedFile
from signalbox.reading import Fields

if TYPE_CHECKING:
    from signalbox.contracts.uploads import FileFault, Quarantine

NOTHING: "Quarantine" = {"files": [], "more": 0}
FILE, PAGE = "quarantine.json", "report.html"  # the page is beside the report of features
OUTPUT, FEATURES = "quarantine", "features"
LIMIT = 1_000_000  # bytes of a report
MOST_FILES, MOST_FAULTS = 200, 5
MOST_NAMED = 20  # files in a mail or on a page
BAD, EMPTY, IGNORED, MISSING, ROWS = "bad", "empty", "ignored", "missing", "rows"
KINDS = (BAD, EMPTY, IGNORED, MISSING, ROWS)
_SAID = {ROWS: "its other rows are used"}
_NAME, _REASON = 1_024, 300  # characters; a key of S3 has 1,024 bytes at most
_LAST_LINE = 10**12


class QuarantineError(ValueError):
    """A report of quarantined files cannot be read; the message names the field."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{FILE}: {problem}")


def places(artifacts: str, project: str, pipeline: str, execution: str) -> tuple[str, str]:
    """Return the S3 URIs of an execution's reports, of its files and of its features.

    They are fixed places under what a project's pipeline is told as its output. `execution` is an ARN, or the last part
    of one.
    """
    run = f"s3://{artifacts}/pipelines/{project}/{pipeline}/runs/{execution.rpartition('/')[2]}"
    return f"{run}/{OUTPUT}/{FILE}", f"{run}/{FEATURES}/{FILE}"


def parse(text: str) -> "Quarantine":
    """Return what a report says.

    Raises:
        QuarantineError: it is not JSON, or a field is missing or out of bounds.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise QuarantineError(f"is not JSON ({error})") from error
    fields = Fields(document, QuarantineError)
    files = [_file(one) for one in fields.objects("quarantined", (0, MOST_FILES))]
    found: Quarantine = {"files": files, "more": fields.whole("more", (0, _LAST_LINE), 0)}
    if "features" in fields:
        found["features"] = plain.cut(plain.line(fields.text("features")), _REASON)
    return found


def merged(one: "Quarantine", other: "Quarantine") -> "Quarantine":
    """Return two reports as one; where both have a file, the first one's kind and faults stand first."""
    files = {file["file"]: file for file in one["files"]}
    for file in other["files"]:
        known = files.get(file["file"])
        files[file["file"]] = _joined(known, file) if known else file
    found: Quarantine = {"files": list(files.values()), "more": one["more"] + other["more"]}
    features = one.get("features") or other.get("features")
    if features:
        found["features"] = features
    return found


def _joined(one: QuarantinedFile, other: QuarantinedFile) -> QuarantinedFile:
    faults = [*one["faults"], *(fault for fault in other["faults"] if fault not in one["faults"])]
    more = one["more"] + other["more"] + len(faults[MOST_FAULTS:])
    kind = other["kind"] if one["kind"] == ROWS else one["kind"]
    return {"file": one["file"], "kind": kind, "faults": faults[:MOST_FAULTS], "more": more}


def _file(fields: Fields) -> QuarantinedFile:
    return {
        "file": plain.cut(plain.line(fields.text("file")), _NAME),
        "kind": fields.choice("kind", KINDS),
        "faults": [_fault(one) for one in fields.objects("faults", (1, MOST_FAULTS))],
        "more": fields.whole("more", (0, _LAST_LINE), 0),
    }


def _fault(fields: Fields) -> "FileFault":
    reason = plain.cut(plain.line(fields.text("reason")), _REASON)
    return {"line": fields.whole("line", (1, _LAST_LINE)), "reason": reason} if "line" in fields else {"reason": reason}


def sentences(files: Sequence[QuarantinedFile], most: int = MOST_NAMED) -> list[str]:
    """Return what is wrong with the first files, each by its name, its first line and the reason.

    Nothing in them is made a link of, for a job chooses its words.
    """
    return [_sentence(one) for one in files[:most]]


def _sentence(file: QuarantinedFile) -> str:
    first, *others = file["faults"]
    kind = "" if file["kind"] == BAD else f" ({_SAID.get(file['kind'], file['kind'])})"
    where = f", line {first['line']:,}" if "line" in first else ""
    more = len(others) + file["more"]
    rest = f" (and {more:,} more line{'' if more == 1 else 's'})" if more else ""
    return plain.unlinked(f"{file['file']}{where}{kind}: {first['reason']}{rest}")


def wrong(files: Sequence[QuarantinedFile]) -> list[str]:
    """Return the names of the files that are to be corrected: what was ignored has no fault, bad rows are left out."""
    return [one["file"] for one in files if one["kind"] not in (IGNORED, ROWS)]
