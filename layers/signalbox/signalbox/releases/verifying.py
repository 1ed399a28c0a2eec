"""Is the stage released? The endpoint serves, on the expected config, an approved package that answers as it should."""

from typing import NamedTuple

from signalbox import csv_rows
from signalbox.aws.model import Endpoint, ModelAnswer
from signalbox.contracts.releases import VerificationQuestion, Verified
from signalbox.contracts.training import ModelContent
from signalbox.numerals import number_or_none
from signalbox.observability import count, logger
from signalbox.releases import content, first_answers, golden
from signalbox.releases.content import ContentChangedError
from signalbox.releases.golden import GoldenFile
from signalbox.releases.model import (
    IN_SERVICE,
    EndpointNotInServiceError,
    GoldenMismatchError,
    PackageWithdrawnError,
    RolledBackError,
)
from signalbox.releases.ports import AnswerKeeper, EndpointReader, EvidenceReader, ModelCaller, PackageReader

# Below this difference two numbers are the same: a tolerance that is relative alone cannot hold at zero.
_SAME = 1e-9


class VerifyingPorts(NamedTuple):
    """What a verification needs from outside."""

    packages: PackageReader
    endpoints: EndpointReader
    models: ModelCaller
    files: AnswerKeeper


def verify(question: VerificationQuestion, ports: VerifyingPorts) -> Verified:
    """Return how many golden requests were answered as they should be.

    Nothing is changed, but that the first answers to a project's own requests are kept.

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
    verified, worst = _answered(question, endpoint, ports)
    fields = {"endpoint": question["endpoint"], "worst_difference": worst, **verified}
    logger.info("release verified", extra=fields)
    count("ReleaseVerified")
    return verified


def _answered(question: VerificationQuestion, endpoint: Endpoint, ports: VerifyingPorts) -> tuple[Verified, float]:
    """Return what was answered as it should be, and the worst relative difference among the numbers."""
    approved = question.get("content")
    if not question["golden"]:
        return {"answers": 0}, 0.0
    found = golden.load(question["golden"], ports.files)
    if approved and found.content != approved:
        raise ContentChangedError(endpoint.name, f"its golden requests {question['golden']} are another model's")
    if found.first:
        return first_answers.check(endpoint.name, found, ports.models, ports.files), 0.0
    answers, worst = _compare(endpoint.name, found, ports.models)
    return {"answers": answers}, worst


def _compare(endpoint: str, found: GoldenFile, models: ModelCaller) -> tuple[int, float]:
    """Return how many requests were answered as they should be, and the worst relative difference among them."""
    answers = [models.ask(endpoint, one.body, found.content_type) for one in found.requests]
    differences = [_difference(number, answer, found) for number, answer in enumerate(answers)]
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


def _difference(index: int, answer: ModelAnswer, found: GoldenFile) -> float:
    """Return how far the answer is from what was expected: relative for numbers, 0 for an equal text."""

    def mismatch(problem: str) -> GoldenMismatchError:
        return GoldenMismatchError(f"golden request {index + 1} of {len(found.requests)} was {problem}")

    expected = found.requests[index].expected
    if answer.failure:
        raise mismatch(f"refused ({answer.failure})")
    try:
        (value,) = csv_rows.answers(answer.text, 1)
    except csv_rows.AnswerError as error:
        raise mismatch(f"no value: the model {error}") from None
    if value == expected:
        return 0.0
    own, wanted = number_or_none(value), number_or_none(expected)
    if own is None and found.numbers:
        raise mismatch(f"answered {value[:80]!r}, which is not a number")
    if own is None or wanted is None:
        raise mismatch(f"answered {value[:80]!r}, expected {expected!r}")
    apart = abs(own - wanted)
    difference = 0.0 if apart <= _SAME else apart / max(abs(wanted), _SAME)
    if difference > found.tolerance:
        raise mismatch(f"answered {value}, expected {expected} within {found.tolerance:g} of it")
    return difference
