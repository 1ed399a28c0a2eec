"""Requests and answers held against botocore's own service models, closer than botocore does it itself.

botocore's validation finds missing, unknown and mistyped members. It lets pass a value that is in no enum, a name that
does not fit its pattern, and a text or list that is too long, all of which AWS refuses: the walker below finds them.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.errorfactory import ClientExceptionsFactory
from botocore.exceptions import ClientError
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StringShape, StructureShape
from botocore.paginate import Paginator
from botocore.validate import ParamValidator

# Java's character classes, as the inside of a Python class. Letters, marks and digits are one class in Python's `re`;
# the difference (an underscore is let through) does not matter to any name that we make.
_CLASSES = {
    "L": r"\w",
    "M": r"\w",
    "N": r"\w",
    "Z": r"\s",
    "S": r"!-/:-@\[-`{-~\u00a1-\uffff",
    "P": r"!-/:-@\[-`{-~\u00a1-\uffff",
    "Alnum": "a-zA-Z0-9",
    "Alpha": "a-zA-Z",
    "ASCII": r"\x00-\x7f",
    "Print": r"\x20-\x7e",
}
_TOKEN = re.compile(r"\\p\{(?P<name>\w+)\}|\\.|\[|\]", re.DOTALL)


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
        problems += _value_problems(shape, request, operation)
    _fail(f"request {service}:{operation}", problems)


def check_response(service: str, operation: str, response: Mapping[str, Any]) -> None:
    """Raise AssertionError if `response` has a member or a value that AWS never sends; it may leave members out."""
    shape = operation_model(service, operation).output_shape
    answer = {key: value for key, value in response.items() if key != "ResponseMetadata"}
    problems = list(_unknown_members(shape, answer, operation)) + _value_problems(shape, answer, operation)
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
        self.exceptions: Any = ClientExceptionsFactory().create_client_exceptions(_service_model(service))

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
def _service_model(service: str) -> ServiceModel:
    return _session().get_service_model(service)


@cache
def _operations(service: str) -> dict[str, str]:
    return {xform_name(name): name for name in _service_model(service).operation_names}


def operation_model(service: str, operation: str) -> OperationModel:
    """Return botocore's model of one operation; AssertionError if the service has none of that name."""
    model = _service_model(service)
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


def _value_problems(shape: Shape | None, value: Any, path: str) -> list[str]:
    """Return what is wrong with the values under `value`: enums, patterns and lengths."""
    if shape is None or value is None:
        return []
    problems = list(_length_problems(shape, value, path))
    if isinstance(shape, StringShape) and isinstance(value, str):
        problems += _text_problems(shape, value, path)
    for child, inner, where in _children(shape, value, path):
        problems += _value_problems(child, inner, where)
    return problems


def _children(shape: Shape, value: Any, path: str) -> Iterator[tuple[Shape, Any, str]]:
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        members = [(name, inner) for name, inner in value.items() if name in shape.members]
        yield from ((shape.members[name], inner, f"{path}.{name}") for name, inner in members)
    elif isinstance(shape, ListShape) and isinstance(value, list | tuple):
        yield from ((shape.member, inner, f"{path}[{index}]") for index, inner in enumerate(value))
    elif isinstance(shape, MapShape) and isinstance(value, Mapping):
        for key, inner in value.items():
            yield shape.key, key, f"{path} key {key!r}"
            yield shape.value, inner, f"{path}[{key!r}]"


def _unknown_members(shape: Shape | None, value: Any, path: str) -> Iterator[str]:
    if shape is None:
        yield from (f"{path}: {name!r} is not in the model" for name in value)
        return
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        yield from (f"{path}: {name!r} is not in the model" for name in value if name not in shape.members)
    for child, inner, where in _children(shape, value, path):
        yield from _unknown_members(child, inner, where)


def _length_problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    sized = (str, list, tuple, Mapping, bytes, bytearray)
    size = len(value) if isinstance(value, sized) else value if isinstance(value, int | float) else None
    if size is None or isinstance(value, bool):
        return
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield f"{path}: {size} is under the minimum {least}"
    if most is not None and size > most:
        yield f"{path}: {size} is over the maximum {most}"


def _text_problems(shape: StringShape, value: str, path: str) -> Iterator[str]:
    if shape.enum and value not in shape.enum:
        yield f"{path}: {value!r} is none of {shape.enum}"
    pattern = shape.metadata.get("pattern")
    if pattern and not compiled(pattern).fullmatch(value):  # AWS matches the whole value, anchors or not
        yield f"{path}: {value!r} does not match {pattern}"


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern of the models, which are written for Java, as Python's.

    Raises:
        re.error: the pattern has something that is not translated; teach it here.
    """
    text = pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF").replace(r"\z", r"\Z")
    text = re.sub(r"\$\{\d+,\d+\}", "$", text).replace(r"[\w-\/", r"[\w\-\/")
    depth = 0

    def translate(match: re.Match[str]) -> str:
        nonlocal depth
        if match["name"]:
            inside = _CLASSES[match["name"]]
            return inside if depth else f"[{inside}]"
        depth += {"[": 1, "]": -1}.get(match[0], 0)
        return match[0]

    return re.compile(_TOKEN.sub(translate, text))
