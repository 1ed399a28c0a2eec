"""Answer with the abalone model: CSV rows as they were uploaded, without the label; one number of rings a row.

The four functions are the ones that the serving images of XGBoost and scikit-learn call.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xgboost

    from . import encoding
else:  # they lie beside this file in the model archive
    import encoding
    from boosting import xgboost

CSV, JSON = "text/csv", "application/json"
# What a caller takes → what it gets.
ANSWERS = {CSV: CSV, "text/*": CSV, "*/*": CSV, "": CSV, JSON: JSON, "application/*": JSON}


class RequestError(ValueError):
    """A request cannot be answered; the message says which row and why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


def model_fn(model_dir: str) -> tuple[xgboost.Booster, dict[str, Any]]:
    """Return the booster and the encoding it was trained with."""
    folder = Path(model_dir)
    booster = xgboost.Booster()
    booster.load_model(bytearray((folder / "xgboost-model").read_bytes()))
    return booster, json.loads((folder / "transform.json").read_text(encoding="utf-8"))


def input_fn(request_body: str | bytes, request_content_type: str) -> list[list[str | float]]:
    """Return the features of each row.

    Raises:
        RequestError: the content is not CSV, has no rows, or one of them is wrong.
    """
    if request_content_type.partition(";")[0].strip().lower() != CSV:
        raise RequestError(f"content type {request_content_type!r} is not taken: send {CSV}")
    try:
        text = request_body.decode("utf-8") if isinstance(request_body, (bytes, bytearray)) else request_body
    except UnicodeDecodeError:
        raise RequestError("the body is not UTF-8 text") from None
    rows = []
    for number, fields in enumerate(csv.reader(text.splitlines()), start=1):
        if not fields:
            continue
        try:
            rows.append(encoding.read_features(fields))
        except encoding.RowError as error:
            raise RequestError(f"row {number} {error}") from error
    if not rows:
        raise RequestError("the body has no rows")
    return rows


def predict_fn(input_data: list[list[str | float]], model: tuple[xgboost.Booster, dict[str, Any]]) -> np.ndarray:
    """Return the predicted number of rings of each row."""
    booster, transform = model
    encoded = np.array([encoding.encode(row, transform) for row in input_data])
    return booster.predict(xgboost.DMatrix(encoded))


def output_fn(prediction: np.ndarray, accept: str) -> tuple[str, str]:
    """Return one line per prediction, or one JSON list of all, and its content type.

    Raises:
        RequestError: the caller takes neither.
    """
    wanted = [kind.partition(";")[0].strip().lower() for kind in (accept or "").split(",")]
    content_type = next((ANSWERS[kind] for kind in wanted if kind in ANSWERS), None)
    if content_type is None:
        raise RequestError(f"the answer is {CSV} or {JSON}, and {accept!r} takes neither")
    if content_type == JSON:
        return json.dumps([round(float(value), 5) for value in prediction]), JSON
    return "".join(f"{value:.5f}\n" for value in prediction), CSV
