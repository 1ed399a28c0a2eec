"""Whether files are CSV as a container gets it: no header, the label first, commas, each row as wide as the next."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from signalbox import csv_rows
from signalbox.contracts.problems import Problem
from signalbox.csv_rows import HeaderSearch, NotOneRowError
from signalbox.numerals import number_or_none
from signalbox.training import overlap
from signalbox_operate.datasets.model import DataError, Dataset, Looked

_BINARY = 2
_LEAST_COLUMNS = 2  # a label and a feature
# More different labels than this are not kept: then it is no class, or each row is one.
_MOST_LABELS = 1_000
_OTHER_DELIMITERS = (";", "\t", "|")
_BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


def look(dataset: Dataset, problem: Problem) -> Looked:
    """Return what a dataset holds.

    Raises:
        DataError: a row is none, or the first column is not the label of such a problem.
    """
    rows = columns = 0
    labels: set[str] = set()
    for _, file in dataset.files:
        for place, row in _without_header(file):
            columns = columns or len(row)
            _check_row(place, row, columns, problem)
            if len(labels) <= _MOST_LABELS:
                labels.add(row[0].strip())
            rows += 1
    looked = Looked(rows, columns, frozenset(labels))
    _check_labels(dataset, looked, problem)
    return looked


def _without_header(file: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield place and cells of each row of a file, seen to begin with none that names the columns."""
    search, began = HeaderSearch(), False
    for place, row in _rows(file):
        search.add(place, row, first=not began)
        began = True
        if header := search.found():
            raise _header(header)
        yield place, row
    if header := search.found(at_the_end=True):
        raise _header(header)


def _header(found: tuple[str, Sequence[str]]) -> DataError:
    return DataError(f"{found[0]} is a header ({csv_rows.text_of(found[1])[:80]}): take it out, the data have none")


def compare(train: Dataset, test: Dataset) -> str:
    """Return a remark about rows that are in both, "" where none is.

    Raises:
        DataError: a twentieth of the test rows, or more, are training rows too.
    """
    size = sum(file.stat().st_size for dataset in (train, test) for _, file in dataset.files)
    if size > overlap.MOST_BYTES:
        return f"training and test data have {size:,} bytes: whether they share rows was not looked at"
    found = overlap.compare(_lines(train), _lines(test))
    told = f"{found.shared:,} of {found.rows:,} test rows are training rows too"
    if found.too_large:
        raise DataError(f"{told}: the test would measure what the model has learnt by heart; take them out of one")
    return told if found.shared else ""


def _lines(dataset: Dataset) -> Iterator[str]:
    for _, file in dataset.files:
        with file.open(encoding="utf-8", errors="replace") as stream:
            yield from stream


def _rows(file: Path) -> Iterator[tuple[str, list[str]]]:
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            for number, line in enumerate(stream, start=1):
                if number == 1 and line.startswith(_BYTE_ORDER_MARK):
                    raise DataError(f"{file} begins with a byte order mark, a part of the first label: save it without")
                if line.strip():
                    yield f"line {number} of {file}", csv_rows.cells(line.rstrip("\r\n"))
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not UTF-8 ({error.reason} at byte {error.start:,}): save it as that") from error
    except NotOneRowError as error:
        raise DataError(f"line {number} of {file} {error}") from error


def _check_row(place: str, row: list[str], columns: int, problem: Problem) -> None:
    if len(row) < _LEAST_COLUMNS:
        other = next((mark for mark in _OTHER_DELIMITERS if mark in row[0]), "")
        told = (
            f"its columns have {other!r} between them: put commas there" if other else "a label and features are needed"
        )
        raise DataError(f"{place} has one column: {told}")
    if len(row) != columns:
        raise DataError(f"{place} has {len(row)} columns, and the rows before it have {columns}")
    if not row[0].strip():
        raise DataError(f"{place} has no label: the first column is empty")
    if problem == "regression" and number_or_none(row[0]) is None:
        raise DataError(
            f"{place} begins with {row[0][:40]!r}, and the label of a regression is a number: put the label into the "
            "first column, and take out a header"
        )


def _check_labels(dataset: Dataset, looked: Looked, problem: Problem) -> None:
    count = len(looked.labels)
    first = dataset.files[0][1]
    if not looked.rows:
        raise DataError(f"{first} has no rows")
    if dataset.kind == "train" and count == 1:
        raise DataError(f"every row of {first} has the label {next(iter(looked.labels))!r}: there is nothing to learn")
    shown = ", ".join(sorted(looked.labels)[:5])
    if problem == "binary" and count > _BINARY:
        raise DataError(
            f"the first column of {first} has {count:,} different values ({shown}, …), and the label of a binary "
            "problem has two: put the label into the first column"
        )
    if problem == "multiclass" and count > max(looked.rows // 2, _BINARY):
        raise DataError(
            f"the first column of {first} has {count:,} different values in {looked.rows:,} rows ({shown}, …): is the "
            "label in another column? It has to be in the first"
        )
