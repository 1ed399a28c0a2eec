"""The wire: JSON 1.1, and REST-JSON for SageMaker's run-time APIs, both validated by botocore in both directions."""

import asyncio
import base64
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote

from sagemaker_local.core import members
from sagemaker_local.core.cloud import Call, Handler, HttpResponse
from sagemaker_local.core.errors import ApiError, invalid
from sagemaker_local.core.eventstream import CONTENT_TYPE, events
from sagemaker_local.core.shapes import Problem, from_wire, problems, service_model, to_wire, walk
from sagemaker_local.core.wire import REST_MODELS, parsed

_JSON = {"Content-Type": "application/x-amz-json-1.1"}
_EMPTY = "Value at '{}' failed to satisfy constraint: Member must have value or length greater than or equal to 1"
# Members that the model calls required and the service leaves out: a package of a group has no name of its own, a job
# that has not ended has no artifacts, and the features of a group come on one page. CodeBuild's lists may be empty.
_LEFT_OUT = {
    "DescribeModelPackage": {"ModelPackageName: is missing"},
    "DescribeTrainingJob": {"ModelArtifacts: is missing"},
    "DescribeFeatureGroup": {"NextToken: is missing"},
    "BatchGetBuilds": {_EMPTY.format("builds"), _EMPTY.format("buildsNotFound")},
    "BatchGetProjects": {_EMPTY.format("projects"), _EMPTY.format("projectsNotFound")},
    "ListProjects": {_EMPTY.format("projects")},
    "BatchDeleteBuilds": {_EMPTY.format("buildsDeleted")},
}
_LOG = logging.getLogger("sagemaker_local")


@dataclass(frozen=True)
class Caller:
    """Who signed a request."""

    access_key: str
    principal: str


type Refuse = Callable[[str, Sequence[Problem]], ApiError]
"""Makes of an operation and of what is wrong with a request the error that the service answers."""


def _invalid(_operation: str, wrong: Sequence[Problem]) -> ApiError:
    count = f"{len(wrong)} validation error{'s' if len(wrong) > 1 else ''} detected: "
    return invalid(count + "; ".join(map(str, wrong)))


class Api:
    """Answers requests by handlers, one per operation.

    `own` is what the ARNs of this region and account begin with; without it, no ARN is a stranger's. `service` is
    botocore's name of the API that is asked by JSON 1.1, `refuse` names what breaks its model, and `check` refuses what
    of a request is not emulated.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        own: str = "",
        service: str = "sagemaker",
        refuse: Refuse = _invalid,
        check: Callable[[str, str, Mapping[str, Any], str], None] = members.check,
    ) -> None:
        self._handlers = handlers
        self._own = own
        self._service = service
        self._refuse = refuse
        self._check = check

    async def answer_json(self, operation: str, body: bytes, caller: Caller) -> HttpResponse:
        """Answer a JSON 1.1 request; the handler works in a thread, so that the cloud goes on."""
        try:
            answer = await asyncio.to_thread(self._call, self._service, operation, parsed(body), caller)
        except ApiError as error:
            return _refusal(self._service, error)
        shape = service_model(self._service).operation_model(operation).output_shape
        return 200, dict(_JSON), json.dumps(to_wire(shape, answer) if shape else {}, default=str).encode()

    async def answer_rest(
        self, request_line: tuple[str, str], values: Mapping[str, str], body: bytes, caller: Caller
    ) -> HttpResponse:
        """Answer a REST-JSON request of a run-time API: method and path, header and query values, body."""
        service = REST_MODELS[0]
        try:
            service, operation, uri = route(*request_line)
            request = _read_rest(service, operation, {**values, **uri}, body)
            answer = await asyncio.to_thread(self._call, service, operation, request, caller)
        except ApiError as error:
            # The run-time APIs spell this one code differently (botocore's models).
            code = "ValidationError" if error.code == "ValidationException" else error.code
            return _refusal(service, ApiError(code, error.message, error.status, **error.members))
        return _write_rest(service, operation, answer)

    def _call(self, service: str, operation: str, request: dict[str, Any], caller: Caller) -> Any:
        model = service_model(service)
        handler = self._handlers.get(operation)
        if operation not in model.operation_names or handler is None:
            raise ApiError("UnknownOperationException", f"{operation} is not an operation that is emulated here.")
        shape = model.operation_model(operation)
        request = _decoded(shape.input_shape, request) if service == self._service else request
        wrong = list(walk(shape.input_shape, request)) if shape.input_shape else []
        if wrong:
            raise self._refuse(operation, wrong)
        self._check(service, operation, request, self._own)
        answer = self._handled(handler, Call(operation, request, caller.access_key, caller.principal))
        odd = problems(shape.output_shape, answer) if shape.output_shape else []
        if set(odd) - _LEFT_OUT.get(operation, set()):
            _LOG.error("the answer of %s breaks botocore's model: %s", operation, odd)
            raise ApiError(
                "InternalFailure", f"the answer of {operation} breaks the API's model: {'; '.join(odd)}", 500
            )
        return answer

    @staticmethod
    def _handled(handler: Handler, call: Call) -> dict[str, Any]:
        try:
            return handler(call)
        except ApiError:
            raise
        except Exception as error:
            _LOG.exception("%s failed unexpectedly", call.operation)
            raise ApiError("InternalFailure", f"{call.operation} failed unexpectedly: {error!r}", 500) from error


def _decoded(shape: Any, request: Any) -> Any:
    try:
        return from_wire(shape, request) if shape else request
    except ValueError as error:
        raise ApiError(
            "SerializationException", f"The request is not encoded as the API's model says: {error}."
        ) from error


def _refusal(service: str, error: ApiError) -> HttpResponse:
    body = {"__type": error.code, "message": error.message, "Message": error.message, **error.members}
    model = service_model(service)
    modelled: Any = model.shape_for(error.code).metadata if error.code in model.shape_names else {}
    status = modelled.get("error", {}).get("httpStatusCode", error.status)
    kind = {"Content-Type": "application/json"} if service in REST_MODELS else _JSON
    return status, {**kind, "x-amzn-ErrorType": error.code}, json.dumps(body).encode()


@cache
def _routes() -> list[tuple[str, re.Pattern[str], str, str]]:
    routes = []
    for service in REST_MODELS:
        model = service_model(service)
        for name in model.operation_names:
            http = model.operation_model(name).http
            # A name may be an ARN, and its slash may come decoded.
            pattern = re.sub(r"\{(\w+)\+?\}", r"(?P<\1>arn:[^/]+/[^/]+|[^/]+)", http["requestUri"])
            routes.append((http["method"], re.compile(pattern), service, name))
    return routes


def route(method: str, path: str) -> tuple[str, str, dict[str, str]]:
    """Return service, operation and the path's members of a REST request.

    Raises:
        ApiError: no operation has that method and path.
    """
    for verb, pattern, service, operation in _routes():
        match = pattern.fullmatch(path)
        if verb == method and match:
            return service, operation, {name: unquote(value) for name, value in match.groupdict().items()}
    raise ApiError("UnknownOperationException", f"{method} {path} is not an operation that is emulated here.", 404)


def _read_rest(service: str, operation: str, values: Mapping[str, str], body: bytes) -> dict[str, Any]:
    shape: Any = service_model(service).operation_model(operation).input_shape
    payload = shape.serialization.get("payload")
    request: dict[str, Any] = {}
    for name, member in shape.members.items():
        place = member.serialization.get("name", name)
        value = values.get(place, values.get(place.lower()))
        if member.serialization.get("location") and value is not None:
            request[name] = _read_text(member, value)
    if payload:
        request[payload] = body
    elif body:
        given = parsed(body)
        if not isinstance(given, dict):
            raise ApiError("SerializationException", "The request is not a JSON object.")
        misplaced = sorted(given.keys() & _located(shape).keys())
        if misplaced:
            raise ApiError("SerializationException", f"{misplaced[0]} does not belong into the body of {operation}.")
        request.update(given)
    return request


def _located(shape: Any) -> dict[str, Any]:
    """Return the members that stand in the path, the query or the headers: who may ask is decided on them."""
    return {name: member for name, member in shape.members.items() if member.serialization.get("location")}


def _read_text(shape: Any, value: str) -> Any:
    """Return what a header or a part of a query holds."""
    if shape.type_name == "integer":
        return int(value) if value.isdecimal() else value
    return value.split(",") if shape.type_name == "list" else value


def _write_rest(service: str, operation: str, answer: dict[str, Any]) -> HttpResponse:
    shape: Any = service_model(service).operation_model(operation).output_shape
    headers, members = {"Content-Type": "application/json"}, {}
    for name, value in answer.items():
        member = shape.members[name]
        if member.serialization.get("location") == "header":
            headers[member.serialization.get("name", name)] = str(value)
        elif name != shape.serialization.get("payload"):
            members[name] = to_wire(member, value)
    payload = shape.serialization.get("payload") if shape else None
    status = service_model(service).operation_model(operation).http.get("responseCode", 200)
    if not payload:
        return status, headers, json.dumps(members, default=_text).encode()
    if shape.members[payload].serialization.get("eventstream"):
        return status, {**headers, "Content-Type": CONTENT_TYPE}, events(shape.members[payload], answer[payload])
    return status, headers, answer[payload]


def _text(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
