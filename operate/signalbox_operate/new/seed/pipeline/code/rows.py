"""Read rows: of uploaded files, of test data, and of requests; and make of them what a model learns from."""

import pandas as pd
import table

# Texts that stand for a missing value, in lower case; of a label, `none`, `-` and `.` may be classes.
MISSING = {"", "?", "na", "n/a", "nan", "null", "none", "#n/a", "-", "."}
NO_LABEL = MISSING - {"none", "-", "."}
FEATURES = [name for name in table.COLUMNS if name != table.LABEL]


class RowsError(ValueError):
    """Rows cannot be used; the message says which and why."""


def read_file(path):
    """Return all rows of an uploaded file as texts."""
    try:
        rows = pd.read_csv(
            path,
            sep=table.DELIMITER,
            quotechar=table.QUOTE,
            encoding=table.ENCODING,
            header=None,
            dtype=str,
            keep_default_na=False,
            skipinitialspace=True,
        )
    except (ValueError, OSError) as error:  # pandas' errors of reading are among them
        raise RowsError(f"{path.name} cannot be read as a table: {error}") from error
    if rows.shape[1] != len(table.COLUMNS) or rows.isna().any(axis=None):
        raise RowsError(f"{path.name}: not every row has {len(table.COLUMNS)} cells: {', '.join(table.COLUMNS)}")
    rows.columns = table.COLUMNS
    # A batch transform cuts rows at line ends, so a cell has none.
    rows = rows.apply(lambda cells: cells.str.replace(r"\s+", " ", regex=True).str.strip())
    return _below_header(path, rows) if table.HEADER else rows


def _below_header(path, rows):
    first = [name or f"column{place}" for place, name in enumerate(rows.iloc[0], start=1)]
    if first != table.COLUMNS:
        raise RowsError(f"{path.name}: its first line has to name the columns {', '.join(table.COLUMNS)}")
    return rows.iloc[1:]


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
        found[f"{name}: days"] = (date - pd.Timestamp("1970-01-01", tz="UTC")).dt.total_seconds() / 86400
        found[f"{name}: day of year"] = date.dt.dayofyear
        found[f"{name}: weekday"] = date.dt.dayofweek
        found[f"{name}: hour"] = date.dt.hour
    return pd.DataFrame(found, index=rows.index)
