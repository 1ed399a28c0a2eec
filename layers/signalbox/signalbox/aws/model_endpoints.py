"""The endpoints that predictions are asked of, and what a caller is told where there is no answer."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple, NotRequired, TypedDict

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError

from signalbox.aws import clients
from signalbox.aws.errors import code_of, is_lost

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_sagemaker_runtime.type_defs import InvokeEndpointInputTypeDef

_RETRY_SECONDS = "5"
# An HTTP API answers 504 by itself after 30 seconds (API Gateway quotas, HTTP API), the time of this function too: what
# is asked only once and ends before has an answer of ours, with a hint.
_MODEL_SECONDS = 25


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


class NoEndpointError(InvocationError):
    """The model has no endpoint in the stage."""

    def __init__(self) -> None:
        hint = "release a model to it first: nothing has been released to that stage"
        super().__init__(HTTPStatus.NOT_FOUND, "this model has no endpoint in that stage", hint)


class Prediction(NamedTuple):
    """What a model answered."""

    body: bytes
    content_type: str


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
            raise InvocationError(*DOWN) from error


_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, "too many requests", "wait and try again")
DOWN = (HTTPStatus.SERVICE_UNAVAILABLE, "the endpoint is not available", "try again")
_BY_CODE = {
    "ThrottlingException": _BUSY,
    "Throttling": _BUSY,
    "TooManyRequestsException": _BUSY,
    "ModelNotReadyException": (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "the model is not ready yet",
        "wait until it is loaded and try again",
    ),
    "ServiceUnavailable": DOWN,
    "InternalFailure": DOWN,
    "InternalDependencyException": DOWN,
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
        return NoEndpointError()
    if code == "ValidationError":
        return InvocationError(HTTPStatus.BAD_REQUEST, "SageMaker refused the request", message)
    if code in _BY_CODE:
        return InvocationError(*_BY_CODE[code])
    hint = "try again; if it stays, look at this function's log"
    return InvocationError(HTTPStatus.BAD_GATEWAY, f"SageMaker answered {code}", hint)
