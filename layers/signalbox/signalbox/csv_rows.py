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

    A missing value is no word, but beside two different words it is a column's name: `NA` may be sodium, and a column
    may have no name. A lone word with a digit may be a code, as SW1A over 90210.
    """
    pairs = [(above.strip().lower(), below.strip()) for above, below in zip(first, second, strict=False)]
    above_numbers = [above for above, below in pairs if number_or_none(below) is not None]
    if any(number_or_none(cell) is not None for cell in above_numbers):
        return False
    words = set(above_numbers) - _MISSING
    lone = len(above_numbers) == 1 and not any(character.isdigit() for word in words for character in word)
    return len(words) > 1 or (len(words) == 1 and lone)


class HeaderSearch:
    """Finds a first row of a file that is a header, by the values of the rows that are no first ones.

    A missing value says nothing about its column, so a column waits for the first row that has a value there. Where
    no feature is a number, the labels tell, if all of them are numbers.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[str, Sequence[str]]] = []
        self._compared: list[tuple[str, Sequence[str]]] = []
        self._below: Sequence[str] = ()
        self._open = self._only_numbers = True

    def add(self, place: str, row: Sequence[str], *, first: bool) -> None:
        """Take one more row, its label first."""
        if first:
            self._waiting.append((place, row))
            return
        self._only_numbers = self._only_numbers and number_or_none(row[0]) is not None
        if self._open:
            pairs = zip(self._below or row, row, strict=False)
            self._below = [new if _is_missing(old) else old for old, new in pairs]
            self._open = any(_is_missing(cell) for cell in self._below[1:])

    def found(self, *, at_the_end: bool = False) -> tuple[str, Sequence[str]] | None:
        """Return place and cells of a header, as far as the rows so far show one; in the end, as far as all do."""
        if not self._below or not (at_the_end or (self._waiting and not self._open)):
            return None
        waiting, features = self._waiting, self._below[1:]
        self._compared, self._waiting = self._compared + waiting, []
        if header := next((one for one in waiting if is_header(one[1][1:], features)), None):
            return header
        if not at_the_end or not self._only_numbers or any(number_or_none(cell) is not None for cell in features):
            return None
        return next((one for one in self._compared if is_header(one[1][:1], self._below[:1])), None)


def _is_missing(cell: str) -> bool:
    return cell.strip().lower() in _MISSING


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
