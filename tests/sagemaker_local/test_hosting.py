"""What an endpoint does beside answering: data capture, shadow variants, and requests that wait for their turn."""

import base64
import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.sagemaker_local.support.jobs import until
from tests.sagemaker_local.support.service import SageMaker, refusal, variant

from sagemaker_local.serving import InvocationError, ServerStartError

INVOKE, WAIT = "/endpoints/e/invocations", "/endpoints/e/async-invocations"
KINDS = {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]}
INPUT = {"X-Amzn-SageMaker-InputLocation": "s3://data/ask"}


@pytest.fixture
def sagemaker(tmp_path: Path) -> SageMaker:
    """A service with the model `m`, and an input in S3."""
    made = SageMaker(tmp_path)
    made.model()
    made.access.s3.put("s3://data/ask", "1,2")
    return made


def capture(**changes: Any) -> dict[str, Any]:
    given = {
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://captured/x/",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": KINDS,
        **changes,
    }
    return {"DataCaptureConfig": {name: value for name, value in given.items() if value is not None}}


def shadow(weight: float = 1.0) -> dict[str, Any]:
    return {"ShadowProductionVariants": [variant("b", InitialVariantWeight=weight)]}


def waiting(**outputs: Any) -> dict[str, Any]:
    places = {"S3OutputPath": "s3://answers/x/", "S3FailurePath": "s3://failures/x", **outputs}
    return {"AsyncInferenceConfig": {"OutputConfig": {key: value for key, value in places.items() if value}}}


def config(sagemaker: SageMaker, name: str = "one", **members: Any) -> str:
    sagemaker.call("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=[variant("a")], **members)
    return name


def serve(sagemaker: SageMaker, **members: Any) -> None:
    sagemaker.endpoint(config(sagemaker, **members))


def lines(sagemaker: SageMaker, count: int = 1, prefix: str = "s3://captured/") -> list[dict[str, Any]]:
    """Return the captured exchanges, once there are so many."""
    until(lambda: len(sagemaker.access.s3.uris(prefix)) >= count)
    texts = [sagemaker.access.s3.get(uri) for uri in sagemaker.access.s3.uris(prefix)]
    assert all(text.endswith(b"\n") and text.count(b"\n") == 1 for text in texts)
    return [json.loads(text) for text in texts]


def test_an_exchange_is_captured_where_and_as_aws_does(sagemaker: SageMaker) -> None:
    serve(sagemaker, **capture(KmsKeyId="key"))
    sent = {"Content-Type": "text/csv; charset=utf-8", "X-Amzn-SageMaker-Inference-Id": "i"}
    sagemaker.rest("POST", INVOKE, b"1,2", **sent, **{"X-Amzn-SageMaker-Custom-Attributes": "trace"})

    [line] = lines(sagemaker)
    [uri] = sagemaker.access.s3.uris("s3://captured/")
    assert re.fullmatch(r"s3://captured/x/e/a/2026/11/20/12/\d\d-\d\d-\d{3}-[0-9a-f-]{36}\.jsonl", uri)
    assert line["captureData"] == {
        "endpointInput": {
            "observedContentType": "text/csv; charset=utf-8",
            "mode": "INPUT",
            "data": "1,2",
            "encoding": "CSV",
        },
        "endpointOutput": {"observedContentType": "text/csv", "mode": "OUTPUT", "data": "one", "encoding": "CSV"},
    }
    event = line["eventMetadata"]
    assert (event["inferenceId"], event["customAttributes"], line["eventVersion"]) == ("i", ["trace"], "0")
    assert re.fullmatch(r"2026-11-20T12:\d\d:\d\dZ", event["inferenceTime"])
    assert sagemaker.access.keys == ["key"]


@pytest.mark.parametrize(
    ("changes", "kind", "encoding", "data"),
    [
        ({}, "application/json", "JSON", "[1]"),
        ({}, "text/plain", "BASE64", base64.b64encode(b"[1]").decode()),
        ({"CaptureContentTypeHeader": None}, "text/csv", "BASE64", base64.b64encode(b"[1]").decode()),
    ],
)
def test_a_body_is_text_where_its_type_is_named_and_base64_elsewhere(
    sagemaker: SageMaker, changes: dict[str, Any], kind: str, encoding: str, data: str
) -> None:
    serve(sagemaker, **capture(**changes))
    sagemaker.rest("POST", INVOKE, b"[1]", **{"Content-Type": kind})
    found = lines(sagemaker)[0]["captureData"]["endpointInput"]
    assert (found["encoding"], found["data"]) == (encoding, data)


def test_only_the_sides_and_the_share_that_are_asked_for_are_captured(sagemaker: SageMaker) -> None:
    serve(sagemaker, **capture(CaptureOptions=[{"CaptureMode": "Output"}], InitialSamplingPercentage=50))
    for _ in range(40):
        sagemaker.invoke(b"1")
    refusal(lambda: sagemaker.invoke(b"bad"))
    sagemaker.endpoints.close()

    found = lines(sagemaker)
    assert 8 <= len(found) <= 32
    assert all(list(line["captureData"]) == ["endpointOutput"] for line in found)


@pytest.mark.parametrize(("enabled", "status"), [(True, "Started"), (False, "Stopped")])
def test_an_endpoint_says_whether_it_captures(sagemaker: SageMaker, enabled: bool, status: str) -> None:
    serve(sagemaker, **capture(EnableCapture=enabled))
    sagemaker.invoke(b"1")
    assert sagemaker.describe()["DataCaptureConfig"] == {
        "EnableCapture": enabled,
        "CaptureStatus": status,
        "CurrentSamplingPercentage": 100,
        "DestinationS3Uri": "s3://captured/x/",
        "KmsKeyId": "",
    }
    if enabled:
        assert lines(sagemaker)
    sagemaker.call("UpdateEndpoint", EndpointName="e", EndpointConfigName=config(sagemaker, "two"))
    sagemaker.until("InService")
    assert "DataCaptureConfig" not in sagemaker.describe()


def test_a_role_that_may_not_write_captures_nothing_and_the_endpoint_serves_on(
    sagemaker: SageMaker, caplog: pytest.LogCaptureFixture
) -> None:
    sagemaker.access.s3.denied.add("captured")
    serve(sagemaker, **capture())
    assert sagemaker.invoke(b"1") == "one"
    until(lambda: "an exchange of endpoint e was not captured" in caplog.text)
    assert sagemaker.invoke(b"1") == "one"


def test_a_shadow_gets_a_copy_and_its_answer_goes_nowhere(sagemaker: SageMaker) -> None:
    serve(sagemaker, **shadow(), **capture())
    assert [sagemaker.invoke(body) for body in (b"1", b"2")] == ["one", "one"]
    copies = sagemaker.fake.fleets["one shadow"]
    until(lambda: sorted(copies.bodies) == [b"1", b"2"])
    assert len(lines(sagemaker, 2, "s3://captured/x/e/b/")) == 2
    assert sagemaker.describe()["ShadowProductionVariants"][0]["VariantName"] == "b"
    refused = refusal(lambda: sagemaker.invoke(b"1", **{"X-Amzn-SageMaker-Target-Variant": "b"}))
    assert "Variant b not found" in refused


def test_a_shadow_that_is_slow_or_broken_holds_nobody_up(sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(sagemaker, **shadow())
    asked, go_on = threading.Event(), threading.Event()

    def slow(*_: Any, **__: Any) -> None:
        asked.set()
        assert go_on.wait(60)
        raise InvocationError("no answer")

    monkeypatch.setattr(sagemaker.fake.fleets["one shadow"], "invoke", slow)
    assert sagemaker.invoke(b"1") == "one"
    assert asked.wait(60)
    assert sagemaker.invoke(b"1") == "one"
    go_on.set()


def test_a_shadow_gets_its_weights_share_of_the_requests(sagemaker: SageMaker) -> None:
    serve(sagemaker, **shadow(0.5))
    for _ in range(40):
        sagemaker.invoke(b"1")
    wanted = [{"VariantName": "b", "DesiredWeight": 0.0}]
    sagemaker.call("UpdateEndpointWeightsAndCapacities", EndpointName="e", DesiredWeightsAndCapacities=wanted)
    for _ in range(10):
        sagemaker.invoke(b"later")
    assert sagemaker.describe()["ShadowProductionVariants"][0]["DesiredWeight"] == 0.0
    copies = sagemaker.fake.fleets["one shadow"].bodies
    sagemaker.call("DeleteEndpoint", EndpointName="e")
    until(sagemaker.fake.fleets["one shadow"].closed.is_set)
    assert 8 <= len(copies) <= 32
    assert b"later" not in copies


def test_a_shadow_that_does_not_start_leaves_no_server_running(sagemaker: SageMaker) -> None:
    sagemaker.fake.broken["one shadow"] = ServerStartError("no ping")
    sagemaker.call("CreateEndpoint", EndpointName="e", EndpointConfigName=config(sagemaker, **shadow()))
    sagemaker.until("Failed")
    assert sagemaker.fake.fleets["one"].closed.is_set()


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"ShadowProductionVariants": [variant("a")]}, "are not unique"),
        ({"ShadowProductionVariants": [variant("b", ModelName="none")]}, "Could not find model"),
        ({"ShadowProductionVariants": [variant("b", InstanceType=None)]}, "needs InstanceType"),
        ({**shadow(), "ProductionVariants": [variant("a"), variant("c")]}, "one variant in ProductionVariants"),
        (waiting(S3OutputPath=None), "needs an S3OutputPath"),
        ({**capture(), "ProductionVariants": ["serverless"]}, "does not go with DataCaptureConfig"),
        ({**waiting(), "ProductionVariants": ["serverless"]}, "does not go with AsyncInferenceConfig"),
        ({"ProductionVariants": ["serverless", variant("b")]}, "does not go with other variants"),
    ],
)
def test_a_configuration_that_aws_refuses_is_refused(
    sagemaker: SageMaker, members: dict[str, Any], sentence: str
) -> None:
    serverless = {
        "VariantName": "a",
        "ModelName": "m",
        "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
    }
    request = {"ProductionVariants": [variant("a")], **members}
    for member in ("ProductionVariants", "ShadowProductionVariants"):
        given = [serverless if one == "serverless" else one for one in request.get(member, [])]
        request[member] = [{name: value for name, value in one.items() if value is not None} for one in given]
    if not request["ShadowProductionVariants"]:
        del request["ShadowProductionVariants"]
    assert sentence in sagemaker.refused("CreateEndpointConfig", EndpointConfigName="c", **request)


def ask(sagemaker: SageMaker, body: bytes = b"", **headers: str) -> dict[str, Any]:
    return sagemaker.rest("POST", WAIT, body, **headers)


def test_a_request_that_waits_is_answered_in_s3_and_told_to_its_topic(sagemaker: SageMaker) -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:done"
    serve(sagemaker, **waiting(KmsKeyId="key", NotificationConfig={"SuccessTopic": topic}))
    headers = {"X-Amzn-SageMaker-Content-Type": "text/csv", "X-Amzn-SageMaker-Inference-Id": "i"}

    answer = ask(sagemaker, b"", **INPUT, **headers)

    until(lambda: topic in sagemaker.access.topics.sent)
    assert answer["InferenceId"] == "i"
    [place] = sagemaker.access.s3.uris("s3://answers/x/")
    assert place.endswith(".out")
    assert sagemaker.access.s3.get(place) == b"one"
    assert sagemaker.fake.fleets["one"].bodies == [b"1,2"]
    [message] = sagemaker.access.topics.sent[topic]
    assert (message["invocationStatus"], message["inferenceId"]) == ("Completed", "i")
    assert message["requestParameters"] == {
        "endpointName": "e",
        "contentType": "text/csv",
        "inputLocation": "s3://data/ask",
    }
    assert message["responseParameters"] == {"contentType": "text/csv", "outputLocation": place}
    assert "key" in sagemaker.access.keys


def test_an_answer_of_async_inference_says_202_and_where_the_answer_will_be(sagemaker: SageMaker) -> None:
    serve(sagemaker, **waiting())
    extension = {"X-Amzn-SageMaker-S3OutputPathExtension": "team", "X-Amzn-SageMaker-Filename": "mine.csv"}
    answered = sagemaker.api.answer_rest(("POST", WAIT), extension, b"1", sagemaker.caller)
    status, headers, _ = sagemaker.run(answered)
    assert status == 202
    assert headers["X-Amzn-SageMaker-OutputLocation"] == "s3://answers/x/team/mine.csv"
    assert headers["X-Amzn-SageMaker-FailureLocation"].startswith("s3://failures/x/")
    until(lambda: sagemaker.access.s3.uris("s3://answers/") == ["s3://answers/x/team/mine.csv"])


@pytest.mark.parametrize(
    ("headers", "body", "reason"),
    [
        ({"X-Amzn-SageMaker-InputLocation": "s3://data/none"}, b"", "The specified key does not exist"),
        ({}, b"bad", 'Received client error (400) from primary with message "one"'),
        ({"X-Amzn-SageMaker-RequestTTLSeconds": "60"}, b"late", "waited longer than its RequestTTLSeconds"),
    ],
)
def test_a_failure_of_async_inference_goes_to_its_own_place_and_topic(
    sagemaker: SageMaker, headers: dict[str, str], body: bytes, reason: str
) -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:failed"
    serve(sagemaker, **waiting(NotificationConfig={"ErrorTopic": topic}))
    if body == b"late":
        sagemaker.tick_seconds = 61

    ask(sagemaker, body, **headers)

    until(lambda: topic in sagemaker.access.topics.sent)
    [place] = sagemaker.access.s3.uris("s3://failures/x/")
    assert place.endswith("-error.out")
    assert reason in sagemaker.access.s3.get(place).decode()
    [message] = sagemaker.access.topics.sent[topic]
    assert (message["invocationStatus"], message["responseParameters"]) == ("Failed", {"failureLocation": place})
    assert reason in message["failureReason"]
    assert sagemaker.access.s3.uris("s3://answers/") == []


def test_what_cannot_be_written_or_told_ends_in_the_log_and_the_next_request_is_served(
    sagemaker: SageMaker, caplog: pytest.LogCaptureFixture
) -> None:
    topics = {"ErrorTopic": "arn:aws:sns:us-east-1:123456789012:forbidden"}
    serve(sagemaker, **waiting(NotificationConfig=topics))
    sagemaker.access.s3.denied |= {"answers", "failures"}
    ask(sagemaker, b"1")
    until(lambda: "was not told to arn:aws:sns" in caplog.text)
    assert "could not be written" in caplog.text
    sagemaker.access.s3.denied.clear()
    ask(sagemaker, b"2")
    until(lambda: len(sagemaker.access.s3.uris("s3://answers/")) == 1)


def test_each_kind_of_endpoint_refuses_the_others_requests(sagemaker: SageMaker) -> None:
    assert "Endpoint e of account 123456789012 not found." in refusal(lambda: ask(sagemaker, b"1"))
    serve(sagemaker)
    assert "has no AsyncInferenceConfig: use InvokeEndpoint" in refusal(lambda: ask(sagemaker, b"1"))
    sagemaker.call("UpdateEndpoint", EndpointName="e", EndpointConfigName=config(sagemaker, "two", **waiting()))
    sagemaker.until("InService")
    assert "answers asynchronously: use InvokeEndpointAsync" in refusal(lambda: sagemaker.invoke(b"1"))
    wanted = "Exactly one of InputLocation and Body"
    assert wanted in refusal(lambda: ask(sagemaker))
    assert wanted in refusal(lambda: ask(sagemaker, b"1", **INPUT))


def test_an_asynchronous_endpoint_is_found_by_its_name_in_any_case(sagemaker: SageMaker) -> None:
    name = {"EndpointName": "Mixed", "EndpointConfigName": config(sagemaker, **waiting())}
    sagemaker.call("CreateEndpoint", **name)
    sagemaker.events.wait_until(
        lambda: sagemaker.call("DescribeEndpoint", EndpointName="Mixed")["EndpointStatus"] == "InService"
    )
    answers = [sagemaker.rest("POST", f"/endpoints/{one}/async-invocations", b"1") for one in ("Mixed", "mixed")]
    assert all(answer["InferenceId"] for answer in answers)
    refused = refusal(lambda: sagemaker.rest("POST", "/endpoints/mixed/invocations", b"1"))
    assert "use InvokeEndpointAsync" in refused
