"""Look at a table, and say in sentences what was decided about it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from signalbox_operate.new import columns, leaks, reading, target, values
from signalbox_operate.new.model import Answers, Column, Profile, Table, TableError, Target

_RARE = 10  # rows of a class


def look(path: Path, answers: Answers) -> Profile:
    """Return what is known of the table in a file.

    Raises:
        TableError: it cannot become a project.
        OpenQuestionError: something has to be asked.
    """
    table = reading.read(path, answers)
    label = target.label_of(table, answers)
    columns.check_names(table, label, answers)
    found = target.find(table, label, answers)
    features = [columns.column(name, table, answers) for name in table.names if name != label]
    if not any(column.used for column in features):
        told = "; ".join(f"{column.name}: {column.why}" for column in features)
        raise TableError(f"no column is left to learn from ({told}): keep one with --keep, or add columns")
    leaks.ask(features, table, found, answers)
    return Profile(table, found, tuple(features), tuple(_sentences(path, table, found, features)))


def _sentences(path: Path, table: Table, found: Target, features: Sequence[Column]) -> Iterator[str]:
    yield _file(path, table)
    yield f"{found.label} is predicted: a {found.problem} problem, {found.why}."
    unlabelled = sum(cell.lower() in values.NO_LABEL for cell in table.values(found.label))
    if unlabelled:
        yield f"{_rows(unlabelled)} no label: they are left out."
    rare = [name for name, number in Counter(table.values(found.label)).items() if number < _RARE and found.classes]
    if rare:
        yield f"Few rows are {', '.join(sorted(rare)[:5])}: a model can hardly learn them; bring more of these."
    yield from _features(features)
    bound = "at most" if found.metric == "mse" else "at least"
    yield (
        f"A model is registered where its {found.metric.upper() if found.metric == 'mse' else found.metric} on rows "
        f"that it has not seen is {bound} {found.threshold:g}: {found.threshold_why}."
    )
    twice = len(table.rows) - len({tuple(row) for row in table.rows})
    if twice:
        yield f"{_rows(twice)} come a second time: equal rows are all learnt from, or all tested on."


def _file(path: Path, table: Table) -> str:
    written = table.format
    sign = reading.DELIMITERS.get(written.delimiter, repr(written.delimiter))
    encoding = "UTF-8" if written.encoding.startswith("utf-8") else written.encoding
    header = "names the columns" if written.header else "is a row already, so the columns are numbered"
    looked_at = "" if table.whole else f" ({len(table.rows):,} from all of it were looked at)"
    rows = f"{'' if table.whole else 'about '}{table.count:,} rows{looked_at}"
    comma = ", with decimal commas" if written.decimal == "," else ""
    return (
        f"{path.name} has {rows} and {len(table.names)} columns; {sign} between them{comma}, {encoding}; "
        f"its first line {header}."
    )


def _features(features: Sequence[Column]) -> Iterator[str]:
    for kind, told in (("number", "Numbers"), ("category", "Categories"), ("date", "Dates")):
        names = [column.name for column in features if column.kind == kind]
        if names:
            yield f"{told}: {', '.join(names)}."
    for column in features:
        if not column.used:
            yield f"{column.name} is not learnt from: {column.why}."
        elif column.kind == "number" and column.why:
            yield f"{column.name}: {column.why}."
    gaps = [f"{column.name} ({column.missing})" for column in features if column.used and column.missing]
    if gaps:
        yield f"Values are missing in {', '.join(gaps)}: a number gets the median, a category is one of its own."
    if any(column.kind == "date" for column in features):
        yield "Rows are dealt to training and test by chance, not by time: `split` in prepare.py is where to change it."


def _rows(number: int) -> str:
    return "1 row has" if number == 1 else f"{number:,} rows have"
