"""A request to a stage reaches its endpoint and nothing else, and every refusal says what to do."""

import base64
import contextlib
import io
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.documents import ROOT
from tests.support.samples import http_event

from signalbox import invocation
from signalbox.aws import clients, model_endpoints
from signalbox.aws.errors import ServiceBusyError
from signalbox.aws.model_endpoints import (
    InvocationError,
    InvocationResponse,
    NoEndpointError,
    Prediction,
    RuntimeEndpoints,
)
from signalbox.invocation import BODY_LIMIT, InvocationPorts, KnownNames

ROW = "M,0.455,0.365,0.095,0.514,0.2245,0.101,0.15\n"


class Parrot:
    """Endpoints that remember what they were asked, and answer as told."""

    def __init__(self, answer: Prediction | InvocationError) -> None:
        self.answer = answer
        self.asked: list[tuple[str, bytes, str | None, str | None]] = []

    def invoke(self, endpoint: str, body: bytes, content_type: str | None, accept: str | None) -> Prediction:
        """Answer."""
        self.asked.append((endpoint, body, content_type, accept))
        if isinstance(self.answer, InvocationError):
            raise self.answer
        return self.answer


class Stages:
    """The names of the stages, and how often they were asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> tuple[str, ...]:
        """Return them."""
        self.asked += 1
        return ("staging", "prod")


# Of a model, as far as it is read: `live` is a stage of its project alone.
DOCUMENT = json.dumps({"stages": [{"name": "trial"}, {"name": "live"}]})


def ports(
    endpoints: Any, stages: Any = None, clock: Any = lambda: 0.0, models: tuple[str, ...] = (), default: str = "abalone"
) -> InvocationPorts:
    documents = [(model, DOCUMENT) for model in models]
    of_the_stack: Any = KnownNames(stages or Stages(), tuple, clock)
    return InvocationPorts(
        "signalbox",
        default,
        stages=of_the_stack,
        models=KnownNames(lambda: documents, lambda found: tuple(name for name, _ in found), clock),
        own_stages=KnownNames(lambda: documents, invocation.own_stages, clock),
        endpoints=endpoints,
    )


def response_to(event: dict[str, Any], endpoints: Any) -> InvocationResponse:
    """Return the answer to an event."""
    return invocation.answer(cast("invocation.InvocationRequest", event), ports(endpoints))


def answer(event: dict[str, Any], endpoints: Any | None = None) -> tuple[int, dict[str, Any]]:
    """Return status and JSON body of the answer to an event."""
    response = response_to(event, endpoints or Parrot(Prediction(b"{}", "application/json")))
    return response["statusCode"], json.loads(response["body"])


def test_body_and_content_type_go_through_in_both_directions() -> None:
    parrot = Parrot(Prediction(b"8.7\n", "text/csv; charset=utf-8"))
    response = response_to(http_event("invoke"), parrot)
    assert parrot.asked == [("signalbox-abalone-prod", ROW.encode(), "text/csv", "text/csv")]
    assert response == {
        "statusCode": 200,
        "headers": {"content-type": "text/csv; charset=utf-8"},
        "body": "8.7\n",
        "isBase64Encoded": False,
    }


def test_bytes_go_through_in_base64() -> None:
    parrot = Parrot(Prediction(b"\x93NUMPY", "application/x-npy"))
    response = response_to(http_event("invoke", body=b"\x93\x00"), parrot)
    assert parrot.asked[0][1] == b"\x93\x00"
    assert (response["body"], response["isBase64Encoded"]) == (base64.b64encode(b"\x93NUMPY").decode(), True)


def test_a_text_that_is_not_utf_8_goes_through_in_base64() -> None:
    response = response_to(http_event("invoke"), Parrot(Prediction(b"\xff", "text/csv")))
    assert response["isBase64Encoded"]


@pytest.mark.parametrize("query", [None, {}, {"model": ""}])
def test_the_default_model_answers_when_none_is_named(query: dict[str, str] | None) -> None:
    parrot = Parrot(Prediction(b"1", "text/csv"))
    response_to(http_event("invoke", queryStringParameters=query, headers={}), parrot)
    assert parrot.asked == [("signalbox-abalone-prod", ROW.encode(), None, None)]


class Hosted:
    """Endpoints of some models."""

    def __init__(self, *models: str) -> None:
        self.models = models
        self.asked: list[str] = []

    def invoke(self, endpoint: str, *_: object) -> Prediction:
        """Answer for a model that is there."""
        model = endpoint.removeprefix("signalbox-").removesuffix("-prod")
        self.asked.append(model)
        if model not in self.models:
            raise NoEndpointError
        return Prediction(model.encode(), "text/csv")


UNNAMED = http_event("invoke", queryStringParameters={})


@pytest.mark.parametrize(
    ("default", "models", "hosted", "answers"),
    [
        ("abalone", (), ("abalone",), "abalone"),  # a stack from before projects
        ("abalone", ("wine",), ("abalone", "wine"), "abalone"),  # a project is added to it
        ("abalone", ("wine",), ("wine",), "wine"),
        ("", ("wine",), ("wine",), "wine"),
        ("wine", ("beer", "wine"), ("beer", "wine"), "wine"),
    ],
)
def test_where_no_model_is_named_the_default_one_answers_or_the_only_one_there_is(
    default: str, models: tuple[str, ...], hosted: tuple[str, ...], answers: str
) -> None:
    response = invocation.answer(
        cast("invocation.InvocationRequest", UNNAMED), ports(Hosted(*hosted), models=models, default=default)
    )
    assert (response["statusCode"], response["body"]) == (200, answers)


@pytest.mark.parametrize(
    ("default", "models", "problem", "hint"),
    [
        ("abalone", ("beer", "wine"), "the request names no model", "name one of these by ?model=: beer, wine"),
        ("", ("beer", "wine"), "the request names no model", "name one of these by ?model=: beer, wine"),
        ("", (), "the request names no model", "name one by ?model="),
        ("abalone", (), "this model has no endpoint in that stage", "release a model to it first"),
        ("wine", ("wine",), "this model has no endpoint in that stage", "release a model to it first"),
    ],
)
def test_where_no_model_is_named_and_none_can_be_meant_the_answer_names_them(
    default: str, models: tuple[str, ...], problem: str, hint: str
) -> None:
    response = invocation.answer(
        cast("invocation.InvocationRequest", UNNAMED), ports(Hosted(), models=models, default=default)
    )
    body = json.loads(response["body"])
    assert (response["statusCode"], body["error"]) == (404, problem)
    assert body["hint"].startswith(hint)


def test_a_model_that_is_named_is_not_stood_in_for() -> None:
    hosted = Hosted("wine")
    event = cast("invocation.InvocationRequest", http_event("invoke", queryStringParameters={"model": "beer"}))
    assert invocation.answer(event, ports(hosted, models=("wine",)))["statusCode"] == 404
    assert hosted.asked == ["beer"]


def test_another_model_may_be_named() -> None:
    parrot = Parrot(Prediction(b"1", "text/csv"))
    response_to(http_event("invoke", queryStringParameters={"model": "iris-decision-tree"}), parrot)
    assert parrot.asked[0][0] == "signalbox-iris-decision-tree-prod"


@pytest.mark.parametrize("stage", [{"stage": "canary"}, {"stage": ""}, {}, None, {"stage": "../prod"}])
def test_an_unknown_stage_is_not_found_and_the_known_ones_are_named(stage: dict[str, str] | None) -> None:
    status, body = answer(http_event("invoke", pathParameters=stage))
    assert status == 404
    assert body["error"].startswith("there is no stage")
    assert body["hint"] == "name one of these stages: staging, prod"


def test_a_stage_of_a_models_own_is_asked_too_and_named_with_the_others() -> None:
    parrot = Parrot(Prediction(b"1", "text/csv"))
    asked = ports(parrot, models=("wine",))
    event: Any = http_event("invoke", pathParameters={"stage": "live"}, queryStringParameters={"model": "wine"})
    assert invocation.answer(event, asked)["statusCode"] == 200
    assert parrot.asked[0][0] == "signalbox-wine-live"
    event["pathParameters"] = {"stage": "canary"}
    assert json.loads(invocation.answer(event, asked)["body"])["hint"] == (
        "name one of these stages: staging, prod, live, trial"
    )


@pytest.mark.parametrize("model", ["-abalone", "a b", "a/b", "x" * 64, "abalone\n"])
def test_an_illegal_model_is_not_found(model: str) -> None:
    status, body = answer(http_event("invoke", queryStringParameters={"model": model}))
    assert status == 404
    assert "there is no model" in body["error"]
    assert "staging, prod" in body["hint"]


@pytest.mark.parametrize("body", [None, "", b""])
def test_an_empty_body_is_refused(body: str | bytes | None) -> None:
    assert answer(http_event("invoke", body=body)) == (
        400,
        {
            "error": "the body is empty",
            "hint": "send the model's input as the body, for example one CSV row without the label",
        },
    )


def test_a_body_that_is_not_the_base64_it_says_it_is_is_refused() -> None:
    status, body = answer(http_event("invoke", body="%%%", isBase64Encoded=True))
    assert (status, body["error"]) == (400, "the body is not base64")


def test_the_largest_body_passes_and_a_larger_one_does_not() -> None:
    assert answer(http_event("invoke", body="x" * BODY_LIMIT))[0] == 200
    status, body = answer(http_event("invoke", body="x" * (BODY_LIMIT + 1)))
    assert status == 413
    assert body["error"] == "the body has 6291457 bytes, and an endpoint takes 6291456"


def test_an_answer_too_large_for_the_way_back_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invocation, "_ANSWER_LIMIT", 10)
    status, body = answer(http_event("invoke"), Parrot(Prediction(b"x" * 11, "text/csv")))
    assert (status, body["error"]) == (502, "the model's answer has 11 bytes, more than this path can carry")


def test_the_stages_are_asked_for_once_a_minute() -> None:
    stages, times = Stages(), [0.0]
    asked = ports(Parrot(Prediction(b"1", "text/csv")), stages, lambda: times[0])
    event: Any = http_event("invoke")
    for times[0] in (0.0, 59.0, 60.0, 61.0, 62.0):
        assert invocation.answer(event, asked)["statusCode"] == 200
    assert stages.asked == 2


MISSING = "Endpoint signalbox-abalone-prod of account 123456789012 not found."


@pytest.mark.parametrize(
    ("code", "message", "status", "hint"),
    [
        ("ValidationError", MISSING, 404, "release a model to it first: nothing has been released to that stage"),
        ("ValidationError", "ContentType is illegal", 400, "ContentType is illegal"),
        ("ThrottlingException", "Rate exceeded", 429, "wait and try again"),
        ("ModelNotReadyException", "loading", 503, "wait until it is loaded and try again"),
        ("ServiceUnavailable", "down", 503, "try again"),
        ("AccessDeniedException", "no", 502, "try again; if it stays, look at this function's log"),
    ],
)
def test_each_refusal_of_the_runtime_has_its_own_status(code: str, message: str, status: int, hint: str) -> None:
    client: Any = RecordingClient("sagemaker-runtime", {"invoke_endpoint": client_error(code, message)})
    assert answer(http_event("invoke"), RuntimeEndpoints(client))[0] == status
    assert answer(http_event("invoke"), RuntimeEndpoints(client))[1]["hint"] == hint


@pytest.mark.parametrize(("status", "waits"), [("ThrottlingException", True), ("ModelError", False)])
def test_a_busy_service_says_when_to_come_back(status: str, waits: bool) -> None:
    client: Any = RecordingClient("sagemaker-runtime", {"invoke_endpoint": client_error(status)})
    response = response_to(http_event("invoke"), RuntimeEndpoints(client))
    assert ("retry-after" in response["headers"]) is waits


def test_an_error_of_the_model_is_told_with_its_own_status_and_message() -> None:
    error = client_error("ModelError", "Received server error (500)", status=424)
    told: Any = error.response
    told |= {"OriginalStatusCode": 500, "OriginalMessage": "could not convert string to float: 'M'"}
    client: Any = RecordingClient("sagemaker-runtime", {"invoke_endpoint": error})
    status, body = answer(http_event("invoke"), RuntimeEndpoints(client))
    assert (status, body["error"]) == (424, "the model answered with an error")
    assert (body["model_status"], body["model_message"]) == (500, "could not convert string to float: 'M'")


def test_a_model_that_does_not_answer_in_time_is_a_timeout() -> None:
    client: Any = RecordingClient("sagemaker-runtime", {"invoke_endpoint": ReadTimeoutError(endpoint_url="x")})
    assert answer(http_event("invoke"), RuntimeEndpoints(client))[0] == 504


class SlowModel(BaseHTTPRequestHandler):
    """A model that takes its time, and counts how often it is asked."""

    asked = 0

    def do_POST(self) -> None:
        """Answer too late."""
        type(self).asked += 1
        time.sleep(0.6)
        with contextlib.suppress(OSError):  # nobody waits any more
            self.send_response(200)
            self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Write nothing."""


def test_a_slow_model_is_asked_once_and_answered_for_before_the_api_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), SlowModel) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        settings = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}
        for name, value in {**settings, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(model_endpoints, "_MODEL_SECONDS", 0.2)
        SlowModel.asked = 0
        clients._session.cache_clear()

        status, body = answer(http_event("invoke"), RuntimeEndpoints())
        server.shutdown()
    clients._session.cache_clear()

    assert (status, body["error"], SlowModel.asked) == (504, "the model did not answer in time", 1)


def test_the_functions_own_time_is_longer_than_the_models_and_the_apis_is_not_shorter() -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    limit = re.search(r"^    Timeout: (\d+)$", template, re.MULTILINE)
    assert limit is not None
    assert model_endpoints._MODEL_SECONDS + clients._CONNECT_SECONDS < int(limit[1]) <= 30  # HTTP APIs: 30 seconds


@pytest.mark.parametrize("error", [EndpointConnectionError(endpoint_url="x"), ConnectionClosedError(endpoint_url="x")])
def test_a_connection_that_breaks_is_an_endpoint_that_is_not_available(error: Exception) -> None:
    client: Any = RecordingClient("sagemaker-runtime", {"invoke_endpoint": error})
    response = response_to(http_event("invoke"), RuntimeEndpoints(client))
    assert (response["statusCode"], response["headers"]["retry-after"]) == (503, "5")


def test_stages_that_cannot_be_read_now_are_no_failure_of_the_function() -> None:
    def busy() -> tuple[str, ...]:
        raise ServiceBusyError("ssm:GetParameter", "the connection was closed")

    known = ports(Parrot(Prediction(b"1", "text/csv")), stages=busy)
    response = invocation.answer(cast("invocation.InvocationRequest", http_event("invoke")), known)
    assert response["statusCode"] == 503


def test_sagemaker_is_asked_with_what_the_caller_sent_and_no_more() -> None:
    replies = [{"Body": io.BytesIO(b"8.7"), "ContentType": "text/csv"}, {"Body": io.BytesIO(b"8.7")}]
    client: Any = RecordingClient("sagemaker-runtime", {"invoke_endpoint": replies})
    endpoints = RuntimeEndpoints(client)
    assert endpoints.invoke("e", b"1", "text/csv", None) == Prediction(b"8.7", "text/csv")
    assert endpoints.invoke("e", b"1", None, "*/*").content_type == "application/octet-stream"
    assert client.requests("InvokeEndpoint") == [
        {"EndpointName": "e", "Body": b"1", "ContentType": "text/csv"},
        {"EndpointName": "e", "Body": b"1", "Accept": "*/*"},
    ]


def test_no_payload_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    response_to(http_event("invoke", body="secret-in"), Parrot(Prediction(b"secret-out", "text/csv")))
    printed = capsys.readouterr()
    assert "secret" not in printed.out + printed.err
