"""Predictions over HTTP: the caller names a stage, never an endpoint, and the body goes through as it is.

Types and ports first, then the verb and its rules, then the adapter. Payloads are never logged.
"""

import base64
import binascii
import json
import re
import time
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import NamedTuple, Protocol, TypedDict

from signalbox import names, stages
from signalbox.aws import parameters
from signalbox.aws.errors import ServiceBusyError
from signalbox.aws.model_endpoints import (
    DOWN,
    InvocationError,
    InvocationResponse,
    NoEndpointError,
    Prediction,
    RuntimeEndpoints,
)
from signalbox.observability import count, logger
from signalbox.settings import NO_MODEL, InvokeEndpoint
from signalbox.stages import StagesDocument

# botocore's `sagemaker-runtime` model, BodyBlob; also what Lambda answers with at most.
BODY_LIMIT = 6_291_456
# Lambda's answer is one JSON document of at most 6 MB; the rest is for the headers.
_ANSWER_LIMIT = BODY_LIMIT - 8_192
_MODEL = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
_TEXT = r"(?i)text/|application/(?:[\w.+-]+\+)?(?:json|xml|jsonlines)\b"
_FRESH_SECONDS = 60


class InvocationRequest(TypedDict, total=False):
    """An event of the HTTP API (payload format 2.0), as far as it is read: `POST /stages/{stage}/invocations?model=…`.

    API Gateway leaves out what a request does not have.
    """

    pathParameters: Mapping[str, str] | None
    queryStringParameters: Mapping[str, str] | None
    headers: Mapping[str, str] | None
    body: str | None
    isBase64Encoded: bool


class ModelEndpoints(Protocol):
    """The endpoints of all stages."""

    def invoke(self, endpoint: str, body: bytes, content_type: str | None, accept: str | None) -> Prediction:
        """Return the model's answer; InvocationError where there is none."""


class KnownNames[Found]:
    """The names of the stages, or of the models that have a document: `names_in` what was loaded at most a minute ago.

    So a new one is known soon, and a storm of requests does not become a storm on the parameter store (40 reads a
    second by default).
    """

    def __init__(
        self, load: Callable[[], Found], names_in: Callable[[Found], tuple[str, ...]], clock: Callable[[], float]
    ) -> None:
        self._load = load
        self._names_in = names_in
        self._clock = clock
        self._names: tuple[str, ...] = ()
        self._read_at: float | None = None

    def names(self) -> tuple[str, ...]:
        """Return the names, as they were at most a minute ago."""
        now = self._clock()
        if self._read_at is None or now - self._read_at > _FRESH_SECONDS:
            self._names, self._read_at = self._names_in(self._load()), now
        return self._names


class InvocationPorts(NamedTuple):
    """The stages, in the order of release, the projects' models, the stages of their own, and the endpoints.

    `default_model` answers where no model is named, "" stands for none.
    """

    prefix: str
    default_model: str
    stages: KnownNames[StagesDocument]
    models: KnownNames[list[tuple[str, str]]]
    own_stages: KnownNames[list[tuple[str, str]]]
    endpoints: ModelEndpoints


def invocation_ports(settings: InvokeEndpoint) -> InvocationPorts:
    """Return the ports on AWS."""
    documents = partial(parameters.below, names.model_parameter(settings.prefix, ""))
    return InvocationPorts(
        prefix=settings.prefix,
        default_model=settings.default_model.removesuffix(NO_MODEL),
        stages=KnownNames(partial(stages.load, settings.stages_parameter), _stage_names, time.monotonic),
        models=KnownNames(documents, _first_parts, time.monotonic),
        own_stages=KnownNames(documents, own_stages, time.monotonic),
        endpoints=RuntimeEndpoints(),
    )


def _stage_names(document: StagesDocument) -> tuple[str, ...]:
    return tuple(stage.name for stage in document.stages)


def _first_parts(found: list[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(sorted(name for name, _ in found))


def own_stages(documents: list[tuple[str, str]]) -> tuple[str, ...]:
    """Return the names of the stages that documents of models have for themselves."""
    listed = (json.loads(text).get("stages", ()) for _, text in documents)
    return tuple(sorted({str(stage["name"]) for stages_of_one in listed for stage in stages_of_one}))


def answer(request: InvocationRequest, ports: InvocationPorts) -> InvocationResponse:
    """Answer a request with the model's prediction, or with an error that says what to do."""
    try:
        response = _response(_predict(request, ports))
    except (InvocationError, ServiceBusyError) as error:
        refused = error if isinstance(error, InvocationError) else InvocationError(*DOWN)
        count("InvocationRefused")
        logger.warning("invocation refused", extra={"status": refused.status.value, "reason": str(error)})
        return refused.response
    count("InvocationAnswered")
    return response


def _predict(request: InvocationRequest, ports: InvocationPorts) -> Prediction:
    stage, named = _target(request, ports)
    body = request_body(request)
    headers = {name.lower(): value for name, value in (request.get("headers") or {}).items()}

    def ask(model: str) -> Prediction:
        logger.info("invocation", extra={"stage": stage, "model": model, "request_bytes": len(body)})
        endpoint = names.endpoint(ports.prefix, model, stage)
        prediction = ports.endpoints.invoke(endpoint, body, headers.get("content-type"), headers.get("accept"))
        logger.info("invocation answered", extra={"endpoint": endpoint, "response_bytes": len(prediction.body)})
        return prediction

    return ask(named) if named else _unnamed(ask, ports)


def _unnamed(ask: Callable[[str], Prediction], ports: InvocationPorts) -> Prediction:
    """Ask the default model; where it has no endpoint in the stage, the only model that the projects have.

    The default comes first: who calls a stack from before projects without naming a model gets the same one when a
    project is added beside it.
    """
    if ports.default_model:
        try:
            return ask(ports.default_model)
        except NoEndpointError:
            if ports.models.names() in ((), (ports.default_model,)):
                raise
    known = ports.models.names()
    if len(known) == 1:
        return ask(known[0])
    hint = f"name one of these by ?model=: {', '.join(known)}" if known else "name one by ?model="
    raise InvocationError(HTTPStatus.NOT_FOUND, "the request names no model", hint)


def _target(request: InvocationRequest, ports: InvocationPorts) -> tuple[str, str]:
    """Return the stage and the model that a request names, "" for no model.

    Raises:
        InvocationError: there is no such stage, or can be no such model.
    """
    stage = (request.get("pathParameters") or {}).get("stage") or ""
    model = (request.get("queryStringParameters") or {}).get("model") or ""
    known = ports.stages.names()
    if stage not in known and stage not in ports.own_stages.names():
        known = tuple(dict.fromkeys((*known, *ports.own_stages.names())))
        hint = f"name one of these stages: {', '.join(known)}"
        raise InvocationError(HTTPStatus.NOT_FOUND, f"there is no stage {stage!r}", hint)
    if model and not re.fullmatch(_MODEL, model):
        hint = f"a model has letters, digits and dashes, as 'abalone'; stages: {', '.join(known)}"
        raise InvocationError(HTTPStatus.NOT_FOUND, f"there is no model {model!r}", hint)
    return stage, model


def request_body(request: InvocationRequest) -> bytes:
    """Return the body of a request.

    Raises:
        InvocationError: it is empty, not the base64 it says it is, or larger than SageMaker takes.
    """
    text = request.get("body") or ""
    try:
        body = base64.b64decode(text, validate=True) if request.get("isBase64Encoded") else text.encode()
    except binascii.Error:
        raise InvocationError(
            HTTPStatus.BAD_REQUEST, "the body is not base64", "send the body as it is, or as legal base64"
        ) from None
    if not body:
        hint = "send the model's input as the body, for example one CSV row without the label"
        raise InvocationError(HTTPStatus.BAD_REQUEST, "the body is empty", hint)
    if len(body) > BODY_LIMIT:
        problem = f"the body has {len(body)} bytes, and an endpoint takes {BODY_LIMIT}"
        hint = "send it in parts, or use a batch transform"
        raise InvocationError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, problem, hint)
    return body


def _response(prediction: Prediction) -> InvocationResponse:
    """Return a prediction as the API's answer: text as it is, anything else in base64."""
    text = _text(prediction)
    body = base64.b64encode(prediction.body).decode() if text is None else text
    if len(json.dumps(body)) > _ANSWER_LIMIT:
        problem = f"the model's answer has {len(prediction.body)} bytes, more than this path can carry"
        raise InvocationError(HTTPStatus.BAD_GATEWAY, problem, "send fewer rows at once, or use a batch transform")
    headers = {"content-type": prediction.content_type}
    return {"statusCode": HTTPStatus.OK.value, "headers": headers, "body": body, "isBase64Encoded": text is None}


def _text(prediction: Prediction) -> str | None:
    if not re.match(_TEXT, prediction.content_type):
        return None
    try:
        return prediction.body.decode()
    except UnicodeDecodeError:
        return None
