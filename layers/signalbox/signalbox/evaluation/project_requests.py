"""Golden requests that a project brings itself: JSON lines, each a request; a stage's first answers are kept to them.

{"content_type": "text/plain", "body": "a good film"}
{"content_type": "image/png", "body_base64": "iVBORw0KGgo="}
"""

import base64
import binascii
import json
from typing import TYPE_CHECKING

from signalbox.aws.errors import CallRefusedError
from signalbox.aws.s3 import ObjectStore, ObjectTooLargeError
from signalbox.evaluation.model import EvaluationError
from signalbox.evaluation.report import TOLERANCE
from signalbox.reading import Fields

if TYPE_CHECKING:
    from signalbox.evaluation.documents import AskedRequest, ProjectGolden

# InvokeEndpoint takes 25 MB (Runtime API reference); all of these are kept in one document beside the report.
_MOST_BYTES, _MOST = 5_000_000, 100


def read(uri: str, objects: ObjectStore) -> "list[AskedRequest]":
    """Return the requests of a project's file.

    Raises:
        EvaluationError: there is no such file, it is too large, or a line is no request; the message names it.
        ServiceBusyError: S3 could not answer in this moment.
    """
    try:
        text = objects.text(uri, _MOST_BYTES)
    except (CallRefusedError, ObjectTooLargeError, ValueError) as error:
        raise EvaluationError(f"the golden requests {uri} cannot be read: {error}") from error
    if text is None:
        raise EvaluationError(
            f"the golden requests {uri} are not there: put them there, or take them out of the project"
        )
    return parse(text, uri)


def parse(text: str, place: str) -> "list[AskedRequest]":
    """Return the requests in the text of a file; `place` is what the file is called.

    Raises:
        EvaluationError: there are none or too many, or a line is no request; the message names it.
    """
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not 0 < len(lines) <= _MOST:
        raise EvaluationError(f"the golden requests {place} are {len(lines)}: give 1 to {_MOST}, one in a line")
    return [_request(f"line {number} of {place}", line) for number, line in lines]


def golden(asked: "list[AskedRequest]", content_type: str, answers: str) -> "ProjectGolden":
    """Return golden.json of a package that is not tested; `answers` is where the first answers will be kept."""
    return {"content_type": content_type, "requests": asked, "tolerance": TOLERANCE, "answers": answers}


def _request(place: str, line: str) -> "AskedRequest":
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise EvaluationError(f"{place} is no JSON ({error}): give an object with content_type and body") from error
    fields = Fields(document, lambda problem: EvaluationError(f"{place}: {problem}"))
    fields.only("content_type", "body", "body_base64")
    if ("body" in fields) == ("body_base64" in fields):
        raise EvaluationError(f"{place} needs either body, a text, or body_base64, bytes")
    content_type = fields.text("content_type")
    if "body" in fields:
        return {"content_type": content_type, "body": fields.any_text("body")}
    encoded = fields.text("body_base64")
    try:
        base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise EvaluationError(f"{place}: body_base64 is no Base64 ({error})") from error
    return {"content_type": content_type, "body_base64": encoded}
