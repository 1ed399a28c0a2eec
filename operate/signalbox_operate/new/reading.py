"""Read a table: find its delimiter, its quotes and its header, and take its rows."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from signalbox_operate.new import files, values
from signalbox_operate.new.model import Answers, Format, OpenQuestionError, Table, TableError

# In the order in which they are tried: a comma also stands inside of numbers, a blank inside of texts.
DELIMITERS = {"\t": "tab", ";": "semicolon", "|": "bar", ",": "comma", " ": "blank"}
_LOOKED_AT = 200  # lines
_CONSISTENT = 0.95
LEAST_ROWS = 20
_QUOTED = re.compile(r"'[^']*'")
_SHOWN = 8


def read(path: Path, answers: Answers) -> Table:
    """Return the table in a file.

    Raises:
        TableError: it is none that can be learnt from.
        OpenQuestionError: it does not say whether it has a header.
    """
    text = files.read(path)
    lines = text.pieces[0].splitlines()[:_LOOKED_AT]
    delimiter = _delimiter(lines, answers.delimiter, path)
    quote = "'" if all(_QUOTED.fullmatch(cell.strip()) for cell in lines[0].split(delimiter)) else '"'
    rows = [row for piece in text.pieces for row in _rows(piece, delimiter, quote)]
    rows = _even(rows, path, whole=text.whole)
    header = _has_header(rows, answers)
    names = tuple(rows[0]) if header else tuple(f"column{number}" for number in range(1, len(rows[0]) + 1))
    encoding = "utf-8-sig" if text.encoding == "utf-8" else text.encoding  # another file may come with its mark
    written = Format(encoding, delimiter, quote, header, values.decimal(rows[1:], delimiter))
    rows = rows[1:] if header else rows
    count = len(rows) if text.whole else round(len(rows) * text.size / sum(map(len, text.pieces)))
    table = Table(written, _named(names, path), rows, text.size, count, text.whole)
    if len(table.rows) < LEAST_ROWS:
        counted = "1 row" if len(table.rows) == 1 else f"{len(table.rows)} rows"
        raise TableError(f"{path} has {counted}: a model needs {LEAST_ROWS} at the least, and learns from hundreds")
    return table


def _delimiter(lines: Sequence[str], given: str | None, path: Path) -> str:
    if given is not None:
        found = next((sign for sign, name in DELIMITERS.items() if given in (sign, name, repr(sign)[1:-1])), given)
        if len(found) != 1:
            raise TableError(f"--delimiter {given!r} is none: give one character, or {', '.join(DELIMITERS.values())}")
        return found
    for sign in DELIMITERS:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=sign) if row)
        width, number = widths.most_common(1)[0] if widths else (0, 0)
        if width > 1 and number >= _CONSISTENT * widths.total():
            return sign
    raise TableError(
        f"{path} has one column: a label and at least one feature are needed. If its columns are separated by another "
        f"sign than {', '.join(DELIMITERS.values())}, name it with --delimiter"
    )


def _rows(text: str, delimiter: str, quote: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, quotechar=quote, skipinitialspace=True)
    try:
        rows = [[cell.strip() for cell in row] for row in reader]
    except csv.Error as error:
        raise TableError(f"line {reader.line_num} cannot be read ({error}): correct it") from error
    return [row for row in rows if any(row)]


def _even(rows: list[list[str]], path: Path, *, whole: bool) -> list[list[str]]:
    """Return rows of one width: of a whole file all have it; a piece of a large one may begin inside of a cell."""
    width = len(rows[0])
    other = next((number for number, row in enumerate(rows, start=1) if len(row) != width), None)
    if other and whole:
        raise TableError(
            f"{path}: row {other} has {len(rows[other - 1])} cells, and the first has {width}: correct that row, or "
            "name another --delimiter"
        )
    if width == 1:
        raise TableError(f"{path} has one column: a label and at least one feature are needed; see --delimiter")
    return [row for row in rows if len(row) == width] if other else rows


def _has_header(rows: Sequence[Sequence[str]], answers: Answers) -> bool:
    """Say whether the first row has the columns' names: where it has words above numbers, or the label's name."""
    if answers.header is not None:
        return answers.header
    first = rows[0]
    if answers.label in first:
        return True
    below = [values.share_of_numbers([row[place] for row in rows[1:]]) for place in range(len(first))]
    above = [values.number(first[place]) is None for place, share in enumerate(below) if share == 1]
    if above and (all(above) or not any(above)):
        return above[0]
    shown = ", ".join(first[:_SHOWN])
    raise OpenQuestionError(
        "--header or --no-header", f"Are these the names of the columns: {shown}?", ["--header", "--no-header"]
    )


def _named(names: tuple[str, ...], path: Path) -> tuple[str, ...]:
    named = tuple(name or f"column{place}" for place, name in enumerate(names, start=1))
    twice = [name for name, number in Counter(named).items() if number > 1]
    if twice:
        raise TableError(
            f"{path} has more than one column named {twice[0]!r}: give each column a name of its own in its first line"
            + (", or say that it has none with --no-header" if len(twice) > 1 else "")
        )
    return named
