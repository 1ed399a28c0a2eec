"""Answer requests: rows of CSV as they were uploaded, without the label; one prediction a row.

The four functions are those that the serving image of scikit-learn calls.
"""

import csv
import io
import json
from pathlib import Path

import joblib
import pandas as pd
import rows
import table


def model_fn(model_dir):
    """Return the model."""
    return joblib.load(Path(model_dir) / "model.joblib")


def input_fn(request_body, request_content_type):
    """Return the request's rows, all columns but the label; numbers have a point."""
    if request_content_type.partition(";")[0].strip().lower() != "text/csv":
        raise ValueError(f"content type {request_content_type} is not taken: send text/csv")
    text = request_body.decode() if isinstance(request_body, (bytes, bytearray)) else request_body
    found = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text)) if row]
    if not found:
        raise ValueError("the request has no rows")
    for number, row in enumerate(found, start=1):
        if len(row) != len(rows.FEATURES):
            wanted = ", ".join(rows.FEATURES)
            raise ValueError(f"row {number} has {len(row)} cells, and {len(rows.FEATURES)} are wanted: {wanted}")
    return pd.DataFrame(found, columns=rows.FEATURES)


def predict_fn(input_data, model):
    """Return a number or a label for each row."""
    return model.predict(rows.features(input_data))


def output_fn(prediction, accept):
    """Return one prediction a line, or all in one JSON list, and the content type."""
    answers = [float(one) if table.PROBLEM == "regression" else str(one) for one in prediction]
    if "json" in (accept or ""):
        return json.dumps(answers), "application/json"
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([one] for one in answers)
    return text.getvalue(), "text/csv"
