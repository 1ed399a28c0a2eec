"""Read rows: of uploaded files, of test data, and of requests; and make of them what a model learns from."""

import csv

import pandas as pd
import table

# Texts that stand for a missing value, in lower case; of a label, `none`, `-` and `.` may be classes.
MISSING = {"", "?", "na", "n/a", "nan", "null", "none", "#n/a", "-", "."}
NO_LABEL = MISSING - {"none", "-", "."}
FEATURES = [name for name in table.COLUMNS if name != table.LABEL]


class RowsError(ValueError):
    """Rows cannot be used; the message says which and why."""


def read_file(path):
    """Return all rows of an uploaded file as texts, with one blank where there are several, or line ends."""
    try:
        with path.open(newline="", encoding=table.ENCODING) as lines:
            reader = csv.reader(lines, delimiter=table.DELIMITER, quotechar=table.QUOTE, skipinitialspace=True)
            found = [cells(row, f"{path.name}, line {reader.line_num}") for row in reader if any(row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise RowsError(f"{path.name} cannot be read as a table: {error}") from error
    if table.HEADER:
        first = [name or f"column{place}" for place, name in enumerate(found[0] if found else [], start=1)]
        if first != table.COLUMNS:
            raise RowsError(f"{path.name}: its first line has to name the columns {', '.join(table.COLUMNS)}")
        found = found[1:]
    return pd.DataFrame(found, columns=table.COLUMNS, dtype=object)


def cells(row, where):
    """Return the cells of a row; there are as many as columns."""
    if len(row) != len(table.COLUMNS):
        raise RowsError(f"{where}: {len(row)} cells, and {len(table.COLUMNS)} are wanted: {', '.join(table.COLUMNS)}")
    return [" ".join(cell.split()) for cell in row]


def number(texts):
    """Return the numbers in texts of uploaded files; what is none is missing (NaN)."""
    if table.DECIMAL == ",":
        texts = texts.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    else:  # thousands
        texts = texts.str.replace(r"(?<=\d),(?=\d{3}(?:\D|$))", "", regex=True)
    return finite(texts)


def finite(texts):
    """Return the numbers in texts; what is none, or not finite, is missing (NaN)."""
    found = pd.to_numeric(texts, errors="coerce")
    return found.where(found.abs() < float("inf")).astype(float)


def features(rows):
    """Return what the model learns from: numbers, categories, and what a date says."""
    found = {name: finite(rows[name]) for name in table.NUMBERS}
    for name in table.CATEGORIES:
        found[name] = rows[name].where(~rows[name].str.lower().isin(MISSING), "").astype(object)
    for name, written in table.DATES.items():
        date = pd.to_datetime(rows[name], format=written, errors="coerce", utc=True)
        days = (date - pd.Timestamp("1970-01-01", tz="UTC")).dt.total_seconds() / 86400
        found[f"{name}: days"], found[f"{name}: weekday"] = days, days // 1 % 7
        found[f"{name}: month"], found[f"{name}: day"] = date.dt.month, date.dt.day
        found[f"{name}: hour"] = date.dt.hour
    return pd.DataFrame(found, index=rows.index)
