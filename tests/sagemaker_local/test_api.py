"""The wire of the local SageMaker: both protocols, validation in both directions, and errors as boto3 reads them."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from tests.sagemaker_local.support.service import SageMaker, refusal

from sagemaker_local.core.cloud import Call, lower_id, short_name
from sagemaker_local.core.errors import ApiError, in_use, limit_exceeded, not_found
from sagemaker_local.sagemaker.api import Api, Caller, route

CALLER = Caller("KEY", "arn:aws:iam::123456789012:root")


def api(answer: Any) -> Api:
    """Return an API whose operations answer, or raise, the same."""

    def handler(call: Call) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    names = ("DescribeModel", "DeleteModel", "InvokeEndpoint", "GetRecord", "BatchGetRecord", "CreateModel")
    return Api(dict.fromkeys(names, handler))


def ask(answer: Any, operation: str = "DescribeModel", body: bytes = b'{"ModelName": "m"}') -> tuple[int, Any]:
    status, _, content = asyncio.run(api(answer).answer_json(operation, body, CALLER))
    return status, json.loads(content)


def test_an_answer_is_written_by_its_shape(tmp_path: Path) -> None:
    sagemaker = SageMaker(tmp_path)
    sagemaker.model()
    answer = sagemaker.call("DescribeModel", ModelName="m")
    assert answer["CreationTime"] == sagemaker.cloud.store.get("Model", "m")["CreationTime"].timestamp()
    assert sagemaker.call("DeleteModel", ModelName="m") == {}


@pytest.mark.parametrize(
    ("operation", "body", "code", "words"),
    [
        ("DescribeModel", b"{", "SerializationException", "not JSON"),
        ("DescribeModel", b"[]", "ValidationException", "a structure is expected"),
        ("DescribeModel", b"", "ValidationException", "1 validation error detected: ModelName: is missing"),
        ("DescribeModel", b'{"ModelName": "-", "A": 1}', "ValidationException", "2 validation errors detected: "),
        ("CreateWorld", b"{}", "UnknownOperationException", "CreateWorld is not an operation that is emulated here."),
        ("CreateDomain", b"{}", "UnknownOperationException", "CreateDomain is not"),
    ],
)
def test_a_request_that_cannot_be_one_is_refused(operation: str, body: bytes, code: str, words: str) -> None:
    status, answer = ask({}, operation, body)
    assert (status, answer["__type"]) == (400, code)
    assert words in answer["message"]


def test_an_answer_that_the_model_does_not_know_is_an_error_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        status, answer = ask({"ModelName": "m", "Wrong": 1})
    assert (status, answer["__type"]) == (500, "InternalFailure")
    assert "Wrong: is not a member" in answer["message"]
    assert "breaks botocore's model" in caplog.text


def test_an_exception_that_nobody_foresaw_is_an_internal_failure(caplog: pytest.LogCaptureFixture) -> None:
    status, answer = ask(ZeroDivisionError("oh"))
    assert (status, answer["__type"], "ZeroDivisionError('oh')" in answer["message"]) == (500, "InternalFailure", True)
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("error", [not_found("x"), in_use("x"), limit_exceeded("x")])
def test_refusals_of_the_json_api_are_bad_requests(error: ApiError) -> None:
    assert ask(error)[0] == 400


def rest(answer: Any, method: str, path: str, body: bytes = b"", **values: str) -> tuple[int, dict[str, str], bytes]:
    return asyncio.run(api(answer).answer_rest((method, path), values, body, CALLER))


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (not_found("x"), 404, "ResourceNotFound"),
        (ApiError("ValidationException", "x"), 400, "ValidationError"),
        (ApiError("AccessForbidden", "x"), 403, "AccessForbidden"),
        (ApiError("SomethingElse", "x", 418), 418, "SomethingElse"),
    ],
)
def test_refusals_of_the_run_time_apis_have_the_status_and_the_spelling_of_their_model(
    error: ApiError, status: int, code: str
) -> None:
    path = "/FeatureGroup/g"
    answer = rest(error, "GET", path, RecordIdentifierValueAsString="1")
    assert (answer[0], answer[1]["x-amzn-ErrorType"]) == (status, code)


def test_members_come_from_path_query_headers_and_body(tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []

    def keep(call: Call) -> dict[str, Any]:
        seen.append(call.request)
        return {"Body": b"out", "ContentType": "text/csv"} if call.operation == "InvokeEndpoint" else {}

    service = Api({"InvokeEndpoint": keep, "GetRecord": keep})

    def asked(method: str, path: str, body: bytes = b"", **values: str) -> tuple[int, dict[str, str], bytes]:
        return asyncio.run(service.answer_rest((method, path), values, body, CALLER))

    out = asked("POST", "/endpoints/e/invocations", b"\x00\xff", **{"content-type": "text/csv", "other": "x"})
    asked("GET", "/FeatureGroup/g%2D1", RecordIdentifierValueAsString="a,b", FeatureName="x,y")

    assert seen[0] == {"EndpointName": "e", "ContentType": "text/csv", "Body": b"\x00\xff"}
    assert seen[1] == {"FeatureGroupName": "g-1", "RecordIdentifierValueAsString": "a,b", "FeatureNames": ["x", "y"]}
    assert (out[1]["Content-Type"], out[2]) == ("text/csv", b"out")


@pytest.mark.parametrize(("body", "words"), [(b"{", "not JSON"), (b"[]", "not a JSON object")])
def test_a_body_that_is_no_object_is_refused(body: bytes, words: str) -> None:
    status, headers, content = rest({}, "POST", "/BatchGetRecord", body)
    assert (status, headers["x-amzn-ErrorType"]) == (400, "SerializationException")
    assert words in json.loads(content)["message"]


def test_a_name_in_the_path_may_be_an_arn() -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:feature-group/g"
    expected = ("sagemaker-featurestore-runtime", "GetRecord", {"FeatureGroupName": arn})
    assert route("GET", f"/FeatureGroup/{arn}") == expected
    assert route("GET", f"/FeatureGroup/{arn.replace('/', '%2F').replace(':', '%3A')}") == expected


def test_a_path_of_no_operation_is_refused() -> None:
    assert "GET /nowhere is not an operation" in refusal(lambda: route("GET", "/nowhere"))
    assert rest({}, "GET", "/nowhere")[0] == 404


def test_names_and_ids() -> None:
    assert short_name("arn:aws:sagemaker:us-east-1:1:model-package-group/g") == "g"
    assert short_name("plain") == "plain"
    assert len(lower_id()) == 12
    assert lower_id().isalnum()
