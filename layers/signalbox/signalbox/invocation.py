"""Predictions over HTTP: the caller names a stage, never an endpoint, and the body goes through as it is.

Rules first, then the port, then the adapter. Payloads are never logged.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from signalbox import names
from signalbox.aws import clients
from signalbox.observability import count, logger

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

# botocore's `sagemaker-runtime` model, BodyBlob; also what Lambda answers with at most.
BODY_LIMIT = 6_291_456
# Lambda's answer is one JSON document of at most 6 MB; the rest is for the headers.
_ANSWER_LIMIT = BODY_LIMIT - 8_192
_MODEL = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_TEXT = re.compile(r"text/|application/(?:[\w.+-]+\+)?(?:json|xml|jsonlines)\b", re.IGNORECASE)
_RETRY_SECONDS = "5"


class InvocationError(Exception):
    """The request gets no prediction: `status` for the client, what is wrong, and what to do."""

    def __init__(self, status: HTTPStatus, problem: str, hint: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{problem}: {hint}")
        self.status = status
        self.body = {"error": problem, "hint": hint, **(details or {})}

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of the answer: a busy service says when to come back."""
        later = self.status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
        return {"content-type": "application/json", **({"retry-after": _RETRY_SECONDS} if later else {})}


@dataclass(frozen=True)
class Prediction:
    """What a model answered."""

    body: bytes
    content_type: str


class Endpoints(Protocol):
    """The endpoints of all stages."""

    def invoke(self, endpoint: str, body: bytes, content_type: str | None, accept: str | None) -> Prediction:
        """Return the model's answer; InvocationError where there is none."""


class Invoker:
    """Answers requests `POST /stages/{stage}/invocations?model=…`.

    `stages` returns the names of the known stages. It is asked again after a minute, so a new stage is known soon,
    and a storm of requests does not become a storm on the parameter store (40 reads a second by default).
    """

    def __init__(
        self,
        *,
        prefix: str,
        default_model: str,
        stages: Callable[[], Sequence[str]],
        endpoints: Endpoints,
        clock: Callable[[], float],
    ) -> None:
        self._prefix = prefix
        self._default_model = default_model
        self._stages = stages
        self._endpoints = endpoints
        self._clock = clock
        self._known: tuple[float, Sequence[str]] | None = None

    def answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to an HTTP API event (payload format 2.0), in the same format; errors have JSON bodies."""
        try:
            response = _response(self._predict(event))
        except InvocationError as error:
            count("InvocationRefused")
            logger.warning("invocation refused", extra={"status": error.status.value, "reason": error.body["error"]})
            return {"statusCode": error.status.value, "headers": error.headers, "body": json.dumps(error.body)}
        count("InvocationAnswered")
        return response

    def _predict(self, event: Mapping[str, Any]) -> Prediction:
        stage = (event.get("pathParameters") or {}).get("stage") or ""
        model = (event.get("queryStringParameters") or {}).get("model") or self._default_model
        known = self._known_stages()
        if stage not in known:
            raise InvocationError(
                HTTPStatus.NOT_FOUND, f"there is no stage {stage!r}", f"name one of these stages: {', '.join(known)}"
            )
        if not _MODEL.fullmatch(model):
            hint = f"a model has letters, digits and dashes, as {self._default_model!r}; stages: {', '.join(known)}"
            raise InvocationError(HTTPStatus.NOT_FOUND, f"there is no model {model!r}", hint)
        body = request_body(event)
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        logger.info("invocation", extra={"stage": stage, "model": model, "request_bytes": len(body)})
        endpoint = names.endpoint(self._prefix, model, stage)
        prediction = self._endpoints.invoke(endpoint, body, headers.get("content-type"), headers.get("accept"))
        logger.info("invocation answered", extra={"endpoint": endpoint, "response_bytes": len(prediction.body)})
        return prediction

    def _known_stages(self) -> Sequence[str]:
        now = self._clock()
        if self._known is None or now - self._known[0] > 60:  # noqa: PLR2004  # a minute
            self._known = now, self._stages()
        return self._known[1]


def request_body(event: Mapping[str, Any]) -> bytes:
    """Return the body of an HTTP API event.

    Raises:
        InvocationError: it is empty, not the base64 it says it is, or larger than SageMaker takes.
    """
    text = event.get("body") or ""
    try:
        body = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
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


def _response(prediction: Prediction) -> dict[str, Any]:
    """Return a prediction as the API's answer: text as it is, anything else in base64."""
    text = _text(prediction)
    body = base64.b64encode(prediction.body).decode() if text is None else text
    if len(json.dumps(body)) > _ANSWER_LIMIT:
        problem = f"the model's answer has {len(prediction.body)} bytes, more than this path can carry"
        raise InvocationError(HTTPStatus.BAD_GATEWAY, problem, "send fewer rows at once, or use a batch transform")
    headers = {"content-type": prediction.content_type}
    return {"statusCode": HTTPStatus.OK.value, "headers": headers, "body": body, "isBase64Encoded": text is None}


def _text(prediction: Prediction) -> str | None:
    if not _TEXT.match(prediction.content_type):
        return None
    try:
        return prediction.body.decode()
    except UnicodeDecodeError:
        return None


class SageMakerEndpoints:
    """SageMaker's real-time endpoints."""

    def __init__(self, client: "SageMakerRuntimeClient | None" = None) -> None:
        self._runtime = client or clients.client("sagemaker-runtime")

    def invoke(self, endpoint: str, body: bytes, content_type: str | None, accept: str | None) -> Prediction:
        """Return the model's answer; InvocationError where there is none."""
        headers: dict[str, Any] = {"ContentType": content_type, "Accept": accept}
        given = {name: value for name, value in headers.items() if value}
        try:
            answer = self._runtime.invoke_endpoint(EndpointName=endpoint, Body=body, **given)
            return Prediction(answer["Body"].read(), answer.get("ContentType") or "application/octet-stream")
        except ClientError as error:
            raise _translated(error) from error
        except (ConnectTimeoutError, ReadTimeoutError) as error:
            hint = "send fewer rows at once, or try again"
            raise InvocationError(HTTPStatus.GATEWAY_TIMEOUT, "the model did not answer in time", hint) from error


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
    answer: Any = error.response
    code, message = answer["Error"]["Code"], answer["Error"].get("Message", "")
    if code == "ModelError":
        hint = "look at the model's own message; it may be about the input, or in the log group of the endpoint"
        details = {"model_status": answer.get("OriginalStatusCode"), "model_message": answer.get("OriginalMessage")}
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
