"""Is the stage released? The endpoint serves, on the expected config, an approved package that answers as it should."""

import json
from typing import NamedTuple

from signalbox import csv_rows
from signalbox.aws.model import Endpoint, ModelAnswer
from signalbox.contracts.releases import VerificationQuestion, Verified
from signalbox.contracts.training import PROBLEMS, ModelContent
from signalbox.numerals import number_or_none
from signalbox.observability import count, logger
from signalbox.reading import Fields
from signalbox.releases import content
from signalbox.releases.content import ContentChangedError
from signalbox.releases.model import (
    IN_SERVICE,
    EndpointNotInServiceError,
    GoldenMismatchError,
    PackageWithdrawnError,
    ReleaseError,
    RolledBackError,
)
from signalbox.releases.ports import EndpointReader, EvidenceReader, ModelCaller, PackageReader

# Below this difference two numbers are the same: a tolerance that is relative alone cannot hold at zero.
_SAME = 1e-9
_MOST_REQUESTS = 10_000
# What 0.1.0 wrote for binary and multiclass.
_CLASSES = "classification"


class VerifyingPorts(NamedTuple):
    """What a verification needs from outside."""

    packages: PackageReader
    endpoints: EndpointReader
    models: ModelCaller
    files: EvidenceReader


class ExpectedAnswer(NamedTuple):
    """One request, and the answer that the batch transform gave to it."""

    body: str
    expected: str


class GoldenFile(NamedTuple):
    """The golden requests of a package.

    `numbers` says whether every answer has to be a number. Two numbers may differ by `tolerance`, relative to what is
    expected: 0 for classes. `content` is the model that answered them, None where contents were not recorded yet.
    """

    numbers: bool
    content_type: str
    tolerance: float
    requests: tuple[ExpectedAnswer, ...]
    content: ModelContent | None


def verify(question: VerificationQuestion, ports: VerifyingPorts) -> Verified:
    """Return how many golden requests were answered as they should be; changes nothing.

    Without golden requests only the config is compared; without a package its approval is not asked for.

    Raises:
        EndpointNotInServiceError: the endpoint does not serve.
        RolledBackError: it serves another config.
        PackageWithdrawnError: the package lost its approval meanwhile. A rejection finds the endpoint either before
            or after the update: before, this check sees it; after, the rejection's own release does.
        GoldenMismatchError: an answer differs from that of the batch transform.
        ContentChangedError: the model's data or the image that runs are not what was approved, or the golden requests
            are another package's.
        ReleaseError: the golden requests cannot be read.
    """
    endpoint = _serving(question["endpoint"], question["config"], ports.endpoints)
    if question["package"]:
        package = ports.packages.find(question["package"])
        if package is None or not package.approved:
            raise PackageWithdrawnError(question["package"], package.approval if package else "not registered")
    approved = question.get("content")
    if approved:
        _check_content(approved, endpoint, ports.files)
    answers, worst = 0, 0.0
    if question["golden"]:
        golden = _golden(question["golden"], ports.files)
        if approved and golden.content != approved:
            raise ContentChangedError(endpoint.name, f"its golden requests {question['golden']} are another model's")
        answers, worst = _compare(question["endpoint"], golden, ports.models)
    fields = {"endpoint": question["endpoint"], "answers": answers, "worst_difference": worst}
    logger.info("release verified", extra=fields)
    count("ReleaseVerified")
    return {"answers": answers}


def _compare(endpoint: str, golden: GoldenFile, models: ModelCaller) -> tuple[int, float]:
    """Return how many requests were answered as they should be, and the worst relative difference among them."""
    answers = [models.ask(endpoint, one.body, golden.content_type) for one in golden.requests]
    differences = [_difference(number, answer, golden) for number, answer in enumerate(answers)]
    return len(answers), max(differences, default=0.0)


def _check_content(approved: ModelContent, endpoint: Endpoint, files: EvidenceReader) -> None:
    content.check_data(approved, endpoint.name, files)
    content.check_images(approved, endpoint)


def _serving(name: str, expected: str, endpoints: EndpointReader) -> Endpoint:
    endpoint = endpoints.find(name)
    if endpoint is None:
        raise EndpointNotInServiceError(name, "gone", "somebody deleted it")
    if endpoint.status != IN_SERVICE:
        raise EndpointNotInServiceError(name, endpoint.status, endpoint.reason)
    if endpoint.config != expected:
        raise RolledBackError(name, endpoint.config, expected, endpoint.reason)
    return endpoint


def _golden(uri: str, files: EvidenceReader) -> GoldenFile:
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


def _golden_request(fields: Fields, *, numbers: bool) -> ExpectedAnswer:
    if numbers:
        fields.numeric("expected")
    return ExpectedAnswer(fields.any_text("body"), fields.scalar("expected").strip())


def _difference(index: int, answer: ModelAnswer, golden: GoldenFile) -> float:
    """Return how far the answer is from what was expected: relative for numbers, 0 for an equal text."""

    def mismatch(problem: str) -> GoldenMismatchError:
        return GoldenMismatchError(f"golden request {index + 1} of {len(golden.requests)} was {problem}")

    expected = golden.requests[index].expected
    if answer.failure:
        raise mismatch(f"refused ({answer.failure})")
    try:
        (value,) = csv_rows.answers(answer.text, 1)
    except csv_rows.AnswerError as error:
        raise mismatch(f"no value: the model {error}") from None
    if value == expected:
        return 0.0
    own, wanted = number_or_none(value), number_or_none(expected)
    if own is None and golden.numbers:
        raise mismatch(f"answered {value[:80]!r}, which is not a number")
    if own is None or wanted is None:
        raise mismatch(f"answered {value[:80]!r}, expected {expected!r}")
    apart = abs(own - wanted)
    difference = 0.0 if apart <= _SAME else apart / max(abs(wanted), _SAME)
    if difference > golden.tolerance:
        raise mismatch(f"answered {value}, expected {expected} within {golden.tolerance:g} of it")
    return difference
