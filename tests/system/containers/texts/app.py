"""Tells the kind of each text: a text in a row of CSV, a label in a line."""

import csv
import io

import flask
import joblib  # type: ignore[import-untyped]  # it ships no types

app = flask.Flask(__name__)
model = joblib.load("/opt/ml/model/texts.joblib")


@app.get("/ping")
def ping() -> flask.Response:
    return flask.Response(status=200)


@app.post("/invocations")
def invocations() -> flask.Response:
    texts = [row[0] for row in csv.reader(io.StringIO(flask.request.get_data(as_text=True))) if row]
    return flask.Response("".join(f"{label}\n" for label in model.predict(texts)), mimetype="text/csv")
