"""Which of the uploaded files cannot be used, where and why: all of them, in a report that Signalbox reads.

A file is taken whole or not at all: one bad row makes it bad, so that nobody has to guess which of its rows were
learnt from. Nothing in this module is about one table. The images bring Python 3.8 at the oldest.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REPORT = "quarantine.json"
BAD, EMPTY, IGNORED = "bad", "empty", "ignored"
# A line is read in so many characters at most, so that a file without line ends does not fill the memory.
LONGEST_LINE = 1_000_000
# What the report has of one file, and of how many files; the rest is counted.
MOST_FAULTS, MOST_FILES = 5, 200
_TEXT, _PROBLEM = 300, 1000  # characters of a reason, and of what the run fails with
# How files begin that are no text, and what to do about them.
_ARCHIVE = "unpack it, and upload the files in it"
_BEGINNINGS = {
    b"\x1f\x8b": f"is packed with gzip: {_ARCHIVE}",
    b"PK\x03\x04": f"is a zip archive, or an Excel workbook: {_ARCHIVE}, or save it as CSV",
    b"\xff\xfe": "is UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "is UTF-16 text: save it as UTF-8",
}


class FileError(ValueError):
    """A file cannot be read any further; the message says why, `line` where: None is the whole file."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


def lines(path: Path, encoding: str) -> Iterator[str]:
    """Yield the lines of a text file with their ends, for `csv.reader`.

    Raises:
        FileError: it is no text, is written in another encoding, or has a line longer than `LONGEST_LINE`.
    """
    _check_beginning(path, encoding)
    number = 0
    with path.open(newline="", encoding=encoding) as text:
        while True:
            try:
                line = text.readline(LONGEST_LINE + 1)
            except UnicodeDecodeError as error:
                at = number + 1 + error.object[: error.start].count(b"\n")
                raise FileError(f"is not {_named(encoding)} text: save the file as {_named(encoding)}", at) from error
            if not line:
                return
            number += 1
            if len(line) > LONGEST_LINE:
                raise FileError(f"is longer than {LONGEST_LINE:,} characters: write one row in each line", number)
            if "\0" in line:
                raise FileError("has a zero byte, which no text has: save the file as CSV", number)
            yield line


def _check_beginning(path: Path, encoding: str) -> None:
    with path.open("rb") as raw:
        head = raw.read(4)
    for beginning, reason in _BEGINNINGS.items():
        if head.startswith(beginning) and not encoding.startswith("utf-16"):
            raise FileError(reason)


def _named(encoding: str) -> str:
    return encoding.replace("-sig", "").upper()


class Quarantine:
    """The files of a run that are not used, by their names, and how many are.

    `taken` says which are read, such as `.csv or .data`.
    """

    def __init__(self, taken: str) -> None:
        self.taken = taken
        self.good = 0
        self._files: dict[str, dict[str, Any]] = {}

    def __contains__(self, file: str) -> bool:
        return file in self._files

    def add(self, file: str, reason: str, line: int | None = None, kind: str = BAD) -> None:
        """Write down what is wrong with a file, and in which line."""
        entry = self._files.setdefault(file, {"file": file, "kind": kind, "faults": [], "more": 0})
        if len(entry["faults"]) == MOST_FAULTS:
            entry["more"] += 1
            return
        fault = {"reason": reason if len(reason) <= _TEXT else f"{reason[: _TEXT - 1]}…"}
        entry["faults"].append(fault if line is None else {"line": line, **fault})

    def ignore(self, file: str) -> None:
        """Write down a file of another type, which is no fault of the run."""
        self.add(file, f"is not read, because only {self.taken} is taken", kind=IGNORED)

    def accept(self, file: str) -> bool:
        """Count a file that was read to its end; False where something was found to be wrong with it."""
        self.good += file not in self
        return file not in self

    def problem(self, share: float) -> str:
        """Return why the run cannot go on where a `share` of its files may be bad, from 0 to 1; "" where it can."""
        bad = [entry for entry in self._files.values() if entry["kind"] != IGNORED]
        total = self.good + len(bad)
        if not total:
            others = ", ".join(sorted(self._files)[:MOST_FAULTS])
            return f"no data file ({self.taken}) among the uploads: {others or 'nothing was uploaded'}"
        if self.good and len(bad) <= round(share * total, 9):
            return ""
        allowed = "none is good" if not self.good else f"the project allows a share of {share:g} (bad_share)"
        return _shortened(f"{len(bad)} of {total} files cannot be used, and {allowed}. ", list(self.sentences(bad)))

    def sentences(self, entries: list[dict[str, Any]] | None = None) -> Iterator[str]:
        """Yield what is wrong with each file, at its first lines."""
        for entry in self._files.values() if entries is None else entries:
            found = [
                f"line {one['line']} {one['reason']}" if "line" in one else one["reason"] for one in entry["faults"]
            ]
            more = f"; {entry['more']} more lines" if entry["more"] else ""
            yield f"{entry['file']}: {'; '.join(found)}{more}"

    def write(self, folder: Path, problem: str) -> None:
        """Write the report; where the run does not go on, it says why, and counts no good file."""
        listed = sorted(self._files.values(), key=lambda entry: (entry["kind"] == IGNORED, entry["file"]))
        report = {
            "good": 0 if problem else self.good,
            "problem": problem,
            "quarantined": listed[:MOST_FILES],
            "more": max(0, len(listed) - MOST_FILES),
        }
        folder.mkdir(parents=True, exist_ok=True)
        (folder / REPORT).write_text(json.dumps(report), encoding="utf-8")


def _shortened(text: str, sentences: list[str]) -> str:
    """Return a text with as many sentences as there is room for."""
    for place, sentence in enumerate(sentences):
        rest = f"And {len(sentences) - place} more files: the report names them."
        if len(text) + len(sentence) + len(rest) > _PROBLEM:
            return f"{text}{rest}"
        text += f"{sentence}. "
    return text.rstrip()
