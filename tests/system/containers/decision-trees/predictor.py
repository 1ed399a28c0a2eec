"""Answers with the trained tree: rows of CSV in, a label for each out."""

import csv
import io
import pickle
from functools import cache
from pathlib import Path
from typing import Any

import flask

app = flask.Flask(__name__)


@cache
def model() -> Any:
    return pickle.loads(Path("/opt/ml/model/decision-tree-model.pkl").read_bytes())  # noqa: S301  # its own


@app.get("/ping")
def ping() -> flask.Response:
    return flask.Response("\n", status=200 if model() else 404, mimetype="application/json")


@app.post("/invocations")
def invocations() -> flask.Response:
    if flask.request.content_type != "text/csv":
        return flask.Response("This predictor only supports CSV data", status=415, mimetype="text/plain")
    rows = [[float(cell) for cell in row] for row in csv.reader(io.StringIO(flask.request.get_data(as_text=True)))]
    answers = "".join(f"{label}\n" for label in model().predict(rows))
    return flask.Response(answers, status=200, mimetype="text/csv")
