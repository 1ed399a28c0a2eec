"""Read an uploaded file whole, or find out what is wrong with it and where."""

import csv

import pandas as pd
import quarantine
import rows
import table


def read(path, name, found):
    """Return all rows of a file as texts, with one blank where there are several, or line ends.

    What is wrong with it, and in which lines, is written down in `found`, a `Quarantine`, under its name.
    """
    cells, lines = [], []
    options = {"delimiter": table.DELIMITER, "quotechar": table.QUOTE, "skipinitialspace": True}
    reader = csv.reader(quarantine.lines(path, table.ENCODING), **options)
    try:
        if table.HEADER:
            check_header(next(reader, []), name, found)
        for row in reader:
            if any(row) and check_length(row, name, reader.line_num, found):
                cells.append([" ".join(cell.split()) for cell in row])
                lines.append(reader.line_num)
    except quarantine.FileError as error:
        found.add(name, str(error), error.line)
    except csv.Error as error:
        found.add(name, f"cannot be read as a table ({error}): save the file as CSV", reader.line_num)
    if not cells and name not in found:
        found.add(name, "has no rows: upload it with its rows", kind=quarantine.EMPTY)
    read_rows = pd.DataFrame(cells, columns=table.COLUMNS, index=lines, dtype=object)
    check_labels(read_rows[table.LABEL], name, found)
    return read_rows


def check_header(first, name, found):
    """Write down a first line that does not name the columns."""
    named = [one or f"column{place}" for place, one in enumerate(first, start=1)]
    if first and named != table.COLUMNS:
        found.add(name, f"has to name the columns {', '.join(table.COLUMNS)}; it has {', '.join(named)}", 1)


def check_length(row, name, line, found):
    """Say whether a row has as many cells as there are columns; else write it down."""
    if len(row) == len(table.COLUMNS):
        return True
    found.add(name, f"has {len(row)} cells, and {len(table.COLUMNS)} are wanted: {', '.join(table.COLUMNS)}", line)
    return False


def check_labels(labels, name, found):
    """Write down the labels of a regression that are no numbers; one that is missing leaves its row out later."""
    if table.PROBLEM != "regression" or labels.empty:
        return
    wrong = rows.number(labels).isna() & ~labels.str.lower().isin(rows.NO_LABEL)
    for line, label in labels[wrong].items():
        found.add(name, f"has the label {label!r}: {table.LABEL} has to be a number", line)
