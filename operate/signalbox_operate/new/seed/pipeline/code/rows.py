"""What the cells of rows mean, of uploaded files, test data and requests; and what a model learns from them."""

import pandas as pd
import table

# Texts that stand for a missing value, in lower case; of a label, `none`, `-` and `.` may be classes.
MISSING = {"", "?", "na", "n/a", "nan", "null", "none", "#n/a", "-", "."}
NO_LABEL = MISSING - {"none", "-", "."}
FEATURES = [name for name in table.COLUMNS if name != table.LABEL]


class RowsError(ValueError):
    """Rows cannot be used; the message says which and why."""


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
