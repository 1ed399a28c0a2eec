"""Answer with the tree: the Flask app of the container.

`GET /ping` says that the model is loaded; `POST /invocations` takes CSV rows without label, and answers with one label
a line.
"""

import csv
from functools import cache
from http import HTTPStatus
from typing import Any

import joblib  # type: ignore[import-untyped]  # ships no types
from flask import Flask, Response, abort, request
from werkzeug.exceptions import HTTPException

from iris_tree.contract import MODEL_FILE, ContainerError, Folders, read_row

CONTENT_TYPE = "text/csv"
BODY_LIMIT = 6 * 1024 * 1024  # bytes that SageMaker sends at most

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT


@cache
def load_model() -> Any:
    """Return the trained tree; it is read once."""
    return joblib.load(Folders.of_environment().model / MODEL_FILE)


@app.get("/ping")
def ping() -> Response:
    """Answer the health check."""
    load_model()
    return Response()


@app.post("/invocations")
def invocations() -> Response:
    """Answer a prediction."""
    if request.content_length is None:  # Flask would cut such a body off at the limit, and say nothing
        abort(HTTPStatus.CONTENT_TOO_LARGE)
    body = request.get_data()
    if request.mimetype != CONTENT_TYPE:
        given = request.headers.get("Content-Type", "")
        abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"content type {given!r} is not taken: send {CONTENT_TYPE}")
    try:
        rows = read_rows(body)
    except ContainerError as error:
        abort(HTTPStatus.BAD_REQUEST, str(error))
    labels = load_model().predict(rows)
    return Response("".join(f"{label}\n" for label in labels), content_type=CONTENT_TYPE)


@app.errorhandler(HTTPException)
def refuse(error: HTTPException) -> Any:
    """Answer a refusal with its reason as plain text, and log it."""
    own = {
        HTTPStatus.NOT_FOUND: f"no such path: {request.path}",
        HTTPStatus.CONTENT_TOO_LARGE: f"the body has no stated length, or more than {BODY_LIMIT} bytes",
    }
    reason = own.get(HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR), error.description)
    app.logger.warning("%s answered %s: %s", request.path, error.code, reason)
    answer = error.get_response()
    answer.content_type = "text/plain; charset=utf-8"
    answer.data = f"{reason}\n"
    return answer


def read_rows(body: bytes) -> list[list[float]]:
    """Return the features of each row of a CSV body.

    Raises:
        ContainerError: the body is not CSV text, has no rows, or one of them is not four numbers.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise ContainerError("the body is not UTF-8 text") from None
    numbered = enumerate(csv.reader(text.splitlines()), start=1)
    try:
        rows = [read_row(fields, f"row {number}") for number, fields in numbered if fields]
    except csv.Error as error:
        raise ContainerError(f"the body is not CSV: {error}") from error
    if not rows:
        raise ContainerError("the body has no rows")
    return rows
