"""The golden requests of a package: what an endpoint is asked, and what it has to answer."""

import json
from base64 import b64decode
from typing import NamedTuple

from signalbox.contracts.problems import PROBLEMS
from signalbox.contracts.training import ModelContent
from signalbox.reading import Fields
from signalbox.releases import content
from signalbox.releases.model import ReleaseError
from signalbox.releases.ports import EvidenceReader

_MOST_REQUESTS = 10_000
# What 0.1.0 wrote for binary and multiclass.
_CLASSES = "classification"


class ExpectedAnswer(NamedTuple):
    """One request, and the answer that the batch transform gave to it."""

    body: str
    expected: str


class AskedAnswer(NamedTuple):
    """One request of a project's own, whose answer is still to come."""

    body: str | bytes
    content_type: str


class GoldenFile(NamedTuple):
    """The golden requests of a package.

    `numbers` says whether every answer has to be a number. Two numbers may differ by `tolerance`, relative to what is
    expected: 0 for classes. `content` is the model that answered them, None where contents were not recorded yet.
    A package that was not tested has requests of its project instead, which are `asked`, and `first` is the S3 URI
    where its first answers are kept.
    """

    numbers: bool
    content_type: str
    tolerance: float
    requests: tuple[ExpectedAnswer, ...]
    content: ModelContent | None
    asked: tuple[AskedAnswer, ...] = ()
    first: str = ""


def load(uri: str, files: EvidenceReader) -> GoldenFile:
    """Return the golden requests at an S3 URI.

    Raises:
        ReleaseError: they are not there, or cannot be used; the message names the field.
    """
    try:
        text = files.text(uri)
    except ValueError as error:
        raise ReleaseError(f"{error}: correct the package's property 'golden'") from None
    if text is None:
        raise ReleaseError(f"{uri} does not exist: evaluate the package again, which writes its golden requests")
    return parse_golden(text, uri)


def parse_golden(text: str, uri: str) -> GoldenFile:
    """Return the golden requests in the text of the file at `uri`.

    Raises:
        ReleaseError: they cannot be used; the message names the field.
    """

    def refuse(problem: str) -> ReleaseError:
        return ReleaseError(f"{uri} has no usable golden requests ({problem}): evaluate the package again")

    try:
        document = json.loads(text)
    except ValueError as error:
        raise refuse(f"the text is not JSON: {error}") from None
    fields = Fields(document, refuse)
    if "answers" in fields:
        return _of_project(fields)
    problem = fields.choice("problem", (*PROBLEMS, _CLASSES))
    numbers, classes = problem == "regression", problem in ("multiclass", _CLASSES)
    requests = [_golden_request(one, numbers=numbers) for one in fields.objects("requests", (0, _MOST_REQUESTS))]
    return GoldenFile(
        numbers=numbers,
        content_type=fields.text("content_type"),
        tolerance=0.0 if classes else fields.numeric("tolerance"),
        requests=tuple(requests),
        content=content.read(fields) if "content" in fields else None,
    )


def _of_project(fields: Fields) -> GoldenFile:
    return GoldenFile(
        numbers=False,
        content_type=fields.text("content_type"),
        tolerance=fields.numeric("tolerance"),
        requests=(),
        content=content.read(fields),
        asked=tuple(_asked(one) for one in fields.objects("requests", (0, _MOST_REQUESTS))),
        first=fields.text("answers"),
    )


def _asked(fields: Fields) -> AskedAnswer:
    body = b64decode(fields.text("body_base64")) if "body_base64" in fields else fields.any_text("body")
    return AskedAnswer(body, fields.text("content_type"))


def _golden_request(fields: Fields, *, numbers: bool) -> ExpectedAnswer:
    if numbers:
        fields.numeric("expected")
    return ExpectedAnswer(fields.any_text("body"), fields.scalar("expected").strip())
