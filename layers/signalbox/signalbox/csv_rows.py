"""CSV as a batch transform and an endpoint have it: a line of test data is a row, and an answer is a value a row."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from signalbox.numerals import number_or_none

_BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
# What stands for a missing number, so a row with it is no header.
_MISSING = frozenset(("", "?", "-", "n/a", "na", "nan", "none", "null", "inf", "-inf"))


class NotOneRowError(Exception):
    """A line is not one row; the message says why, and its place is to be put in front."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class AnswerError(Exception):
    """A model's answer is not one value for each row; the message shows what it is."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


def numbered(uri: str, lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the place and the text of each line that is not blank, without a byte order mark in front of the first."""
    for index, line in enumerate(lines, start=1):
        text = line.removeprefix(_BYTE_ORDER_MARK) if index == 1 else line
        if text.strip():
            yield f"line {index} of {uri}", text.rstrip("\r\n")


def cells(line: str) -> list[str]:
    """Return the cells of a line.

    Raises:
        NotOneRowError: it is not CSV, or ends inside a quoted cell.
    """
    try:
        found = next(csv.reader([f"{line}\n"]))
    except csv.Error as error:
        raise NotOneRowError(f"is not CSV ({error})") from error
    if found[-1:] and found[-1].endswith("\n"):
        raise NotOneRowError(
            f"ends inside a quoted cell ({line[-40:]!r}): a batch transform cuts rows at line ends, "
            "so a cell may hold no line break"
        )
    return found


def text_of(row: Sequence[str]) -> str:
    """Return cells as one line of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(row)
    return text.getvalue()


def is_header(first: Sequence[str], second: Sequence[str]) -> bool:
    """Say whether `first` has words wherever the row below it has numbers.

    A missing value is no word; a lone one with a digit may be a code, as SW1A over 90210.
    """
    pairs = [(above.strip().lower(), below.strip()) for above, below in zip(first, second, strict=False)]
    words = [above for above, below in pairs if number_or_none(below) is not None]
    lone_code = len(words) == 1 and any(character.isdigit() for character in words[0])
    return (
        bool(words) and not lone_code and all(number_or_none(word) is None and word not in _MISSING for word in words)
    )


def answers(text: str, rows: int) -> list[str]:
    """Return the values that a model answered to a request of `rows` rows.

    A line a row, or all values in one line, as SageMaker's own XGBoost image answers: with the number of rows known,
    both can be told apart.

    Raises:
        AnswerError: it is neither.
    """
    try:
        found = [row for row in csv.reader(io.StringIO(text)) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise AnswerError(f"answered {_shown(text)}, which is not CSV ({error})") from error
    if len(found) == 1 and len(found[0]) == rows:
        return [cell.strip() for cell in found[0]]
    if len(found) != rows:
        raise AnswerError(f"answered {len(found)} lines to {rows} rows, beginning with {_shown(text)}")
    if wide := next((row for row in found if len(row) != 1), None):
        raise AnswerError(f"answered {len(wide)} columns a row ({text_of(wide)[:80]}) in place of one value")
    return [row[0].strip() for row in found]


def _shown(text: str) -> str:
    return repr(text[:80])
