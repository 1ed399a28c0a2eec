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
from typing import TYPE_CHECKING, NamedTuple, NotRequired, Protocol, TypedDict

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError

from signalbox import names, stages
from signalbox.aws import clients
from signalbox.aws.errors import ServiceBusyError, code_of, is_lost
from signalbox.observability import count, logger
from signalbox.settings import InvokeEndpoint
from signalbox.stages import StagesDocument

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_sagemaker_runtime.type_defs import InvokeEndpointInputTypeDef

# botocore's `sagemaker-runtime` model, BodyBlob; also what Lambda answers with at most.
BODY_LIMIT = 6_291_456
# Lambda's answer is one JSON document of at most 6 MB; the rest is for the headers.
_ANSWER_LIMIT = BODY_LIMIT - 8_192
_MODEL = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
_TEXT = r"(?i)text/|application/(?:[\w.+-]+\+)?(?:json|xml|jsonlines)\b"
_RETRY_SECONDS = "5"
_FRESH_SECONDS = 60
# An HTTP API answers 504 by itself after 30 seconds (API Gateway quotas, HTTP API), the time of this function too: what
# is asked only once and ends before has an answer of ours, with a hint.
_MODEL_SECONDS = 25


class InvocationRequest(TypedDict, total=False):
    """An event of the HTTP API (payload format 2.0), as far as it is read: `POST /stages/{stage}/invocations?model=…`.

    API Gateway leaves out what a request does not have.
    """

    pathParameters: Mapping[str, str] | None
    queryStringParameters: Mapping[str, str] | None
    headers: Mapping[str, str] | None
    body: str | None
    isBase64Encoded: bool


class InvocationResponse(TypedDict):
    """What the HTTP API is answered, in the same format."""

    statusCode: int
    headers: Mapping[str, str]
    body: str
    isBase64Encoded: NotRequired[bool]


class InvocationError(Exception):
    """The request gets no prediction: `status` for the client, what is wrong, and what to do."""

    def __init__(
        self, status: HTTPStatus, problem: str, hint: str, details: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(f"{problem}: {hint}")
        self.status = status
        self.problem = problem
        self.body = {"error": problem, "hint": hint, **(details or {})}

    @property
    def response(self) -> InvocationResponse:
        """Return the answer, whose body is JSON; that of a busy service says when to come back."""
        later = self.status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
        headers = {"content-type": "application/json", **({"retry-after": _RETRY_SECONDS} if later else {})}
        return {"statusCode": self.status.value, "headers": headers, "body": json.dumps(self.body)}


class Prediction(NamedTuple):
    """What a model answered."""

    body: bytes
    content_type: str


class ModelEndpoints(Protocol):
    """The endpoints of all stages."""

    def invoke(self, endpoint: str, body: bytes, content_type: str | None, accept: str | None) -> Prediction:
        """Return the model's answer; InvocationError where there is none."""


class KnownStages:
    """The names of the stages, read again after a minute.

    So a new stage is known soon, and a storm of requests does not become a storm on the parameter store (40 reads a
    second by default).
    """

    def __init__(self, load: Callable[[], StagesDocument], clock: Callable[[], float]) -> None:
        self._load = load
        self._clock = clock
        self._names: tuple[str, ...] = ()
        self._read_at: float | None = None

    def names(self) -> tuple[str, ...]:
        """Return the names, in the order of release."""
        now = self._clock()
        if self._read_at is None or now - self._read_at > _FRESH_SECONDS:
            self._names, self._read_at = tuple(stage.name for stage in self._load().stages), now
        return self._names


class InvocationPorts(NamedTuple):
    """The stages and their endpoints; `default_model` answers where no model is named."""

    prefix: str
    default_model: str
    stages: KnownStages
    endpoints: ModelEndpoints


def invocation_ports(settings: InvokeEndpoint) -> InvocationPorts:
    """Return the ports on AWS."""
    return InvocationPorts(
        prefix=settings.prefix,
        default_model=settings.default_model,
        stages=KnownStages(partial(stages.load, settings.stages_parameter), time.monotonic),
        endpoints=RuntimeEndpoints(),
    )


def answer(request: InvocationRequest, ports: InvocationPorts) -> InvocationResponse:
    """Answer a request with the model's prediction, or with an error that says what to do."""
    try:
        response = _response(_predict(request, ports))
    except (InvocationError, ServiceBusyError) as error:
        refused = error if isinstance(error, InvocationError) else InvocationError(*_DOWN)
        count("InvocationRefused")
        logger.warning("invocation refused", extra={"status": refused.status.value, "reason": str(error)})
        return refused.response
    count("InvocationAnswered")
    return response


def _predict(request: InvocationRequest, ports: InvocationPorts) -> Prediction:
    stage, model = _target(request, ports)
    body = request_body(request)
    headers = {name.lower(): value for name, value in (request.get("headers") or {}).items()}
    logger.info("invocation", extra={"stage": stage, "model": model, "request_bytes": len(body)})
    endpoint = names.endpoint(ports.prefix, model, stage)
    prediction = ports.endpoints.invoke(endpoint, body, headers.get("content-type"), headers.get("accept"))
    logger.info("invocation answered", extra={"endpoint": endpoint, "response_bytes": len(prediction.body)})
    return prediction


def _target(request: InvocationRequest, ports: InvocationPorts) -> tuple[str, str]:
    """Return the stage and the model that a request is for; InvocationError where there are none such."""
    stage = (request.get("pathParameters") or {}).get("stage") or ""
    model = (request.get("queryStringParameters") or {}).get("model") or ports.default_model
    known = ports.stages.names()
    if stage not in known:
        hint = f"name one of these stages: {', '.join(known)}"
        raise InvocationError(HTTPStatus.NOT_FOUND, f"there is no stage {stage!r}", hint)
    if not re.fullmatch(_MODEL, model):
        hint = f"a model has letters, digits and dashes, as {ports.default_model!r}; stages: {', '.join(known)}"
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


class RuntimeEndpoints:
    """SageMaker's real-time endpoints."""

    def __init__(self, client: "SageMakerRuntimeClient | None" = None) -> None:
        self._runtime: SageMakerRuntimeClient = client or clients.client(
            "sagemaker-runtime", read_seconds=_MODEL_SECONDS, attempts=1
        )

    def invoke(self, endpoint: str, body: bytes, content_type: str | None, accept: str | None) -> Prediction:
        """Return the model's answer; InvocationError where there is none."""
        request: InvokeEndpointInputTypeDef = {"EndpointName": endpoint, "Body": body}
        if content_type:
            request["ContentType"] = content_type
        if accept:
            request["Accept"] = accept
        try:
            found = self._runtime.invoke_endpoint(**request)
            return Prediction(found["Body"].read(), found.get("ContentType") or "application/octet-stream")
        except ClientError as error:
            raise _translated(error) from error
        except (ConnectTimeoutError, ReadTimeoutError) as error:
            hint = f"it has {_MODEL_SECONDS} seconds here: send fewer rows at once, or use a batch transform"
            raise InvocationError(HTTPStatus.GATEWAY_TIMEOUT, "the model did not answer in time", hint) from error
        except BotoCoreError as error:
            if not is_lost(error):
                raise
            raise InvocationError(*_DOWN) from error


_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, "too many requests", "wait and try again")
_DOWN = (HTTPStatus.SERVICE_UNAVAILABLE, "the endpoint is not available", "try again")
_BY_CODE = {
    "ThrottlingException": _BUSY,
    "Throttling": _BUSY,
    "TooManyRequestsException": _BUSY,
    "ModelNotReadyException": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "the model is not ready yet",
        "wait until it is loaded and try again",
    ),
    "ServiceUnavailable": _DOWN,
    "InternalFailure": _DOWN,
    "InternalDependencyException": _DOWN,
}


def _translated(error: ClientError) -> InvocationError:
    code, message = code_of(error), error.response["Error"].get("Message", "")
    if code == "ModelError":
        hint = "look at the model's own message; it may be about the input, or in the log group of the endpoint"
        told: Mapping[str, object] = {**error.response}
        details = {"model_status": told.get("OriginalStatusCode"), "model_message": told.get("OriginalMessage")}
        return InvocationError(HTTPStatus.FAILED_DEPENDENCY, "the model answered with an error", hint, details)
    # SageMaker has one code for a missing endpoint and for an illegal header: only its text tells them apart.
    if code == "ValidationError" and "not found" in message:
        hint = "release a model to it first: nothing has been released to that stage"
        return InvocationError(HTTPStatus.NOT_FOUND, "this model has no endpoint in that stage", hint)
    if code == "ValidationError":
        return InvocationError(HTTPStatus.BAD_REQUEST, "SageMaker refused the request", message)
    if code in _BY_CODE:
        return InvocationError(*_BY_CODE[code])
    hint = "try again; if it stays, look at this function's log"
    return InvocationError(HTTPStatus.BAD_GATEWAY, f"SageMaker answered {code}", hint)
