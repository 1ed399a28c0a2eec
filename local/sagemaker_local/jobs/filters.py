"""Batch transform's InputFilter, OutputFilter and JoinSource, as pure functions over one record.

Source: developer guide, "Associate Prediction Results with Input Records". A CSV row is a JSON array, so its filters
are index paths; a slice's upper bound belongs to the slice (`$[1:4]` is the second to the fifth column). An index that
the record does not have is an error.
"""

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import Any, Literal

type RecordFormat = Literal["csv", "json", "text"]

OUTPUT = "SageMakerOutput"
INPUT = "SageMakerInput"
_EVERYTHING = "$"
_SEGMENT = re.compile(r"\.(?P<name>[A-Za-z_][\w-]*)|\[(?P<inner>[^\[\]]+)\]")
_QUOTED = re.compile(r"\s*(?:'([^']*)'|\"([^\"]*)\")\s*")
_INDEX = re.compile(r"\s*(-?\d+)\s*")
_SLICE = re.compile(r"\s*(-?\d+)?\s*:\s*(-?\d+)?\s*")


class FilterError(Exception):
    """A filter is not one that batch transform takes, or does not fit the record."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"filter {path!r} {problem}")


def kind_of(content_type: str | None) -> RecordFormat:
    """Return how records of a content type are read; `text` can be neither filtered nor joined."""
    plain = (content_type or "").split(";")[0].strip().lower()
    if plain == "text/csv":
        return "csv"
    return "json" if plain in ("application/json", "application/jsonlines", "application/x-jsonlines") else "text"


def check(path: str, kind: RecordFormat) -> None:
    """Refuse a filter that can fit no record of this kind.

    Raises:
        FilterError: the filter is malformed, or names keys where the records are CSV rows.
    """
    if path == _EVERYTHING:
        return
    if kind == "text":
        raise FilterError(path, "needs records of text/csv, application/json or application/jsonlines")
    segments = _parse(path)
    if kind == "csv" and (len(segments) != 1 or any(isinstance(choice, str) for choice in segments[0])):
        raise FilterError(path, "does not fit CSV: use indexes only, such as $[0], $[1:] or $[0,-1]")


def select(path: str, record: str, kind: RecordFormat) -> str:
    """Return the part of a record that `path` chooses, as a record of the same kind.

    Raises:
        FilterError: the filter is malformed or does not fit the record.
    """
    if path == _EVERYTHING:
        return record
    check(path, kind)
    if kind == "csv":
        return _row_text(_choose(path, _parse(path)[0], _row(record)))
    document = _json(path, record)
    for choices in _parse(path):
        document = _step(path, choices, document)
    return json.dumps(document)


def join(record: str, answer: str, kind: RecordFormat) -> str:
    """Return the unfiltered input record with the model's answer to it.

    Raises:
        FilterError: the kind cannot be joined, or one of the two is not JSON.
    """
    if kind == "csv":
        return f"{record},{answer}"
    if kind == "text":
        raise FilterError("JoinSource", "needs records of text/csv, application/json or application/jsonlines")
    document, output = _json("JoinSource", record), _json("JoinSource", answer)
    joined = {**document, OUTPUT: output} if isinstance(document, dict) else {INPUT: document, OUTPUT: output}
    return json.dumps(joined)


type _Choice = int | str | slice


def _parse(path: str) -> list[list[_Choice]]:
    """Return the choices of each segment behind the `$`."""
    if not path.startswith("$"):
        raise FilterError(path, "does not start with $")
    segments: list[list[_Choice]] = []
    position = 1
    while position < len(path):
        match = _SEGMENT.match(path, position)
        if match is None:
            raise FilterError(path, f"cannot be read from {path[position:]!r} on")
        segments.append([match["name"]] if match["name"] else [_one(path, part) for part in match["inner"].split(",")])
        position = match.end()
    return segments


def _one(path: str, text: str) -> _Choice:
    if match := _QUOTED.fullmatch(text):
        return match[1] if match[1] is not None else match[2]
    if match := _INDEX.fullmatch(text):
        return int(match[1])
    if match := _SLICE.fullmatch(text):
        return slice(int(match[1]) if match[1] else None, int(match[2]) if match[2] else None)
    raise FilterError(path, f"has {text!r} where an index, a slice or a quoted key belongs")


def _choose(path: str, choices: Sequence[_Choice], values: Sequence[Any]) -> list[Any]:
    """Return the chosen elements of an array, in the order of the choices."""
    chosen: list[Any] = []
    for choice in choices:
        if isinstance(choice, str):
            raise FilterError(path, f"asks an array for the key {choice!r}")
        if isinstance(choice, int):
            _inside(path, choice, values)
            chosen.append(values[choice])
        else:
            chosen += values[_inclusive(path, choice, values)]
    return chosen


def _inclusive(path: str, bounds: slice, values: Sequence[Any]) -> slice:
    """Return Python's slice for one whose upper bound is included."""
    for bound in (bounds.start, bounds.stop):
        if bound is not None:
            _inside(path, bound, values)
    # Behind index -1 there is nothing: its exclusive bound is the end, not 0.
    return slice(bounds.start, None if bounds.stop in (None, -1) else bounds.stop + 1)


def _inside(path: str, index: int, values: Sequence[Any]) -> None:
    if not -len(values) <= index < len(values):
        raise FilterError(path, f"asks for index {index} of a record of {len(values)}")


def _step(path: str, choices: Sequence[_Choice], document: Any) -> Any:
    if isinstance(document, list):
        chosen = _choose(path, choices, document)
        return chosen[0] if len(choices) == 1 and isinstance(choices[0], int) else chosen
    if not isinstance(document, dict):
        raise FilterError(path, "goes deeper than the record does")
    missing = [choice for choice in choices if choice not in document]
    if missing:
        raise FilterError(path, f"asks for {missing[0]!r}, which the record does not have")
    # Several keys keep their names, so that a joined record can be cut down to an id and the answer.
    return document[choices[0]] if len(choices) == 1 else {choice: document[choice] for choice in choices}


def _json(path: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise FilterError(path, f"needs JSON, which {text[:60]!r} is not: {error}") from error


def _row(record: str) -> list[str]:
    return next(csv.reader([record]), [])


def _row_text(values: Sequence[str]) -> str:
    output = io.StringIO()
    csv.writer(output, lineterminator="").writerow(values)
    return output.getvalue()
