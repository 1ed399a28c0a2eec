"""Requests and answers held against botocore's own service models, closer than botocore does it itself.

botocore's validation finds missing, unknown and mistyped members. It lets pass a value that is in no enum, a name that
does not fit its pattern, and a text or list that is too long, all of which AWS refuses: the local cloud's own walker
finds them.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.errorfactory import ClientExceptionsFactory
from botocore.exceptions import ClientError
from botocore.model import OperationModel
from botocore.paginate import Paginator
from botocore.validate import ParamValidator

from sagemaker_local.core.shapes import Problem, service_model, walk


def check_request(service: str, operation: str, request: Mapping[str, Any]) -> None:
    """Raise AssertionError with every reason for which AWS would refuse `request` (`operation` as in `CreateModel`).

    A required idempotency token (`ClientRequestToken`) that is left out is such a reason: botocore would make up a
    random one, and a repetition of the call would no longer be the same call.
    """
    shape = operation_model(service, operation).input_shape
    if shape is None:
        problems = [f"takes no parameters, but got {sorted(request)}"] if request else []
    else:
        report = ParamValidator().validate(dict(request), shape)
        problems = [report.generate_report()] if report.has_errors() else []
        problems += [_words(problem) for problem in walk(shape, request, operation) if problem.about_value]
    _fail(f"request {service}:{operation}", problems)


def check_response(service: str, operation: str, response: Mapping[str, Any]) -> None:
    """Raise AssertionError if `response` has a member or a value that AWS never sends; it may leave members out."""
    shape = operation_model(service, operation).output_shape
    answer = {key: value for key, value in response.items() if key != "ResponseMetadata"}
    if shape is None:
        problems = [f"{operation}: {name!r} is not in the model" for name in answer]
    else:
        found = (problem for problem in walk(shape, answer, operation) if problem.fault not in ("missing", "type"))
        problems = [_words(problem) for problem in found]
    _fail(f"response {service}:{operation}", problems)


def client_error(code: str, message: str = "refused", operation: str = "Operation", status: int = 400) -> ClientError:
    """Return the error that boto3 raises when AWS answers with `code`."""
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, operation)


class RecordingClient:
    """A fake boto3 client that checks each request against the API's model and remembers it.

    `answers` maps a method (`start_pipeline_execution`) to what the call does: a response (mapping), an exception to
    raise, a function of the request's keywords, or a list of those, used up one per call. A subclass may define
    `_start_pipeline_execution(self, **request)` instead. A method without either answers `{}`.

    `calls` is the list of `(operation, request)` in the order of the calls, also of those that raised.
    """

    def __init__(self, service: str, answers: Mapping[str, Any] | None = None) -> None:
        self.service = service
        self.answers = dict(answers or {})
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.exceptions: Any = ClientExceptionsFactory().create_client_exceptions(service_model(service))

    def requests(self, operation: str) -> list[dict[str, Any]]:
        """Return the requests of one operation (`StartPipelineExecution`), oldest first."""
        return [request for name, request in self.calls if name == operation]

    def can_paginate(self, method: str) -> bool:
        """Say whether boto3 has a paginator for `method`."""
        return _pagination(self.service, _operations(self.service)[method]) is not None

    def get_paginator(self, method: str) -> "Paginator[Any]":
        """Return botocore's own paginator over this client's method."""
        operation = _operations(self.service)[method]
        return Paginator(
            getattr(self, method),
            _pagination(self.service, operation),
            operation_model(self.service, operation),
        )

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method.startswith("_") or method not in _operations(self.service):
            raise AttributeError(f"the {self.service} client has no method {method!r}")
        operation = _operations(self.service)[method]

        def call(**request: Any) -> Any:
            check_request(self.service, operation, request)
            self.calls.append((operation, request))
            response = self._answer(method, operation, request)
            check_response(self.service, operation, response)
            return response

        return call

    def _answer(self, method: str, operation: str, request: dict[str, Any]) -> Any:
        answer = self.answers.get(method, getattr(type(self), f"_{method}", None))
        own = method not in self.answers and answer is not None
        if isinstance(answer, list):
            assert answer, f"no answer is left for call {len(self.requests(operation))} of {method}"
            answer = answer.pop(0)
        try:
            if isinstance(answer, BaseException):
                raise answer
            if callable(answer):
                return answer(self, **request) if own else answer(**request)
        except ClientError as error:
            # boto3 raises the modelled class, and code may catch `client.exceptions.ResourceNotFound`.
            raise self.exceptions.from_code(error.response["Error"]["Code"])(error.response, operation) from None
        return answer or {}


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def _operations(service: str) -> dict[str, str]:
    return {xform_name(name): name for name in service_model(service).operation_names}


def operation_model(service: str, operation: str) -> OperationModel:
    """Return botocore's model of one operation; AssertionError if the service has none of that name."""
    model = service_model(service)
    assert operation in model.operation_names, f"{service} has no operation {operation!r}"
    return model.operation_model(operation)


def _pagination(service: str, operation: str) -> Any:
    try:
        return _session().get_paginator_model(service).get_paginator(operation)
    except ValueError:
        return None


def _fail(what: str, problems: Sequence[str]) -> None:
    if problems:
        raise AssertionError("\n".join([what, *(f"  {problem}" for problem in problems)]))


def _words(problem: Problem) -> str:
    match problem.fault:
        case "unknown":
            place, _, name = problem.path.rpartition(".")
            return f"{place}: {name!r} is not in the model"
        case "enum":
            return f"{problem.path}: {problem.found!r} is none of {problem.wanted}"
        case "pattern":
            return f"{problem.path}: {problem.found!r} does not match {problem.wanted}"
        case "least":
            return f"{problem.path}: {problem.found} is under the minimum {problem.wanted}"
        case "most":
            return f"{problem.path}: {problem.found} is over the maximum {problem.wanted}"
    return str(problem)
