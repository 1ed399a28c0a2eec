"""The functions of the upload and invocation journeys, from the event to AWS's answer."""

import importlib
import io
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.support.botocore_strict import RecordingClient
from tests.support.dynamodb import created_table
from tests.support.samples import http_event, lambda_context, sample, sqs_event
from tests.support.uploads import ABALONE, BUCKET, EXECUTION, PIPELINE, WINE

from signalbox import projects
from signalbox.aws import clients

KEY = "incoming/abalone.csv"
CLIENT = clients.client  # the real one, also while a test replaces it


@pytest.fixture(autouse=True)
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A bucket with one upload, a table, and a queue without delay."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    _forget()
    with mock_aws():
        for bucket in (BUCKET, "artifacts"):
            boto3.client("s3").create_bucket(Bucket=bucket)
        boto3.client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=b"9,M,0.455\n")
        created_table("uploads")
        for project in (ABALONE, WINE):
            name = f"/signalbox/projects/{project.project}"
            boto3.client("ssm").put_parameter(Name=name, Value=projects.to_json(project), Type="String")
        queue = boto3.client("sqs").create_queue(QueueName="runs.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        dead = boto3.client("sqs").create_queue(QueueName="dead.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        environment = {
            "UPLOADS_TABLE": "uploads",
            "RUNS_QUEUE_URL": queue,
            "DEAD_LETTERS_URL": dead,
            "POLL_SECONDS": "15",
            "ARTIFACTS_BUCKET": "artifacts",
            "SENDER": "models@example.com",
            "REPLY_TO": "models@example.com",
            "MAIL_SETTINGS": "untracked",
            "APPROVERS": "ann@example.com",
            "PREFIX": "signalbox",
            "DEFAULT_MODEL": "abalone",
            "STAGES_PARAMETER": "/signalbox/stages",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield
    _forget()


def _forget() -> None:
    CLIENT.cache_clear()
    clients._session.cache_clear()  # as in a new execution environment
    for name in ("record_uploads", "start_run", "report_run", "invoke_endpoint"):
        importlib.import_module(f"functions.{name}.app")._ports.cache_clear()  # the same


def call(function: str, event: dict[str, Any]) -> dict[str, Any]:
    """Call a function's handler as Lambda does."""
    answer: dict[str, Any] = importlib.import_module(f"functions.{function}.app").handler(event, lambda_context())
    return answer


def _given(monkeypatch: pytest.MonkeyPatch, service: str, client: RecordingClient) -> None:
    """Let boto3 make `client` for a service, and its own for the others."""
    monkeypatch.setattr(clients, "client", lambda name, **_: client if name == service else CLIENT(name))


def test_an_upload_becomes_a_run_with_the_real_adapters(monkeypatch: pytest.MonkeyPatch) -> None:
    started = RecordingClient(
        "sagemaker", {"start_pipeline_execution": {"PipelineExecutionArn": f"{EXECUTION}p4jn9xou8a8s"}}
    )
    assert call("record_uploads", sqs_event(sample("s3/object-created-unversioned"))) == {"batchItemFailures": []}
    sqs = boto3.client("sqs")
    queue = sqs.get_queue_url(QueueName="runs.fifo")["QueueUrl"]
    (message,) = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]

    _given(monkeypatch, "sagemaker", started)
    assert call("start_run", sqs_event(message["Body"], group=PIPELINE)) == {"batchItemFailures": []}
    (request,) = started.requests("StartPipelineExecution")
    (parameter,) = request["PipelineParameters"]
    key = parameter["Value"].removeprefix("s3://artifacts/")
    manifest = boto3.client("s3").get_object(Bucket="artifacts", Key=key)["Body"].read()
    assert json.loads(manifest) == [{"prefix": f"s3://{BUCKET}/"}, KEY]

    over = sample("sagemaker/pipeline-execution-succeeded")
    assert call("start_run", sqs_event(over, over, group=PIPELINE)) == {"batchItemFailures": []}
    assert len(started.calls) == 1


def granted(*prefixes: str) -> None:
    """Write what the builds of abalone may claim."""
    value = json.dumps({"prefixes": prefixes, "models": []})
    boto3.client("ssm").put_parameter(Name="/signalbox/grants/abalone", Value=value, Type="String", Overwrite=True)


def asked() -> list[dict[str, Any]]:
    """Return what is in the queue of runs, and take it out."""
    sqs = boto3.client("sqs")
    queue = sqs.get_queue_url(QueueName="runs.fifo")["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in messages]


def test_an_upload_under_a_prefix_that_is_not_granted_waits_and_runs_once_it_is() -> None:
    granted("incoming/birds/")
    assert call("record_uploads", sqs_event(sample("s3/object-created-unversioned"))) == {"batchItemFailures": []}
    assert [one["kind"] for one in asked()] == ["claim-requested"]

    granted("incoming/birds/", ABALONE.uploads[0].prefix)
    told = sqs_event(sample("ssm/grant-updated"), group="unclaimed")
    assert call("start_run", told) == {"batchItemFailures": []}

    assert {"kind": "run-requested", "pipeline": PIPELINE} in asked()


def test_a_push_is_run_again_over_the_last_upload_with_the_real_adapters(monkeypatch: pytest.MonkeyPatch) -> None:
    arn, state = {"PipelineExecutionArn": f"{EXECUTION}p4jn9xou8a8s"}, {"PipelineExecutionStatus": "Executing"}
    answers = {"start_pipeline_execution": arn, "describe_pipeline_execution": state}
    started = RecordingClient("sagemaker", answers)
    push = {"kind": "repeat-requested", "pipeline": PIPELINE, "commit": "0123456789abcdef"}
    call("record_uploads", sqs_event(sample("s3/object-created-unversioned")))
    _given(monkeypatch, "sagemaker", started)
    over = sample("sagemaker/pipeline-execution-succeeded")
    request = {"kind": "run-requested", "pipeline": PIPELINE}
    assert call("start_run", sqs_event(request, over, push, push, group=PIPELINE)) == {"batchItemFailures": []}
    first, again = started.requests("StartPipelineExecution")
    assert first["PipelineParameters"] == again["PipelineParameters"]
    assert first["ClientRequestToken"] != again["ClientRequestToken"]
    assert again["PipelineExecutionDisplayName"] == "run-2-again"


@pytest.mark.parametrize("function", ["record_uploads", "start_run"])
def test_a_bad_message_is_in_the_dead_letter_queue_with_its_reason(function: str) -> None:
    assert call(function, sqs_event("nonsense", group=PIPELINE)) == {"batchItemFailures": []}
    sqs = boto3.client("sqs")
    queue = sqs.get_queue_url(QueueName="dead.fifo")["QueueUrl"]
    (letter,) = sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"])["Messages"]
    assert letter["Body"] == "nonsense"
    assert "the message is not JSON" in letter["MessageAttributes"]["Reason"]["StringValue"]


def test_a_failed_run_is_mailed_once_with_the_words_of_its_job(monkeypatch: pytest.MonkeyPatch) -> None:
    job = "arn:aws:sagemaker:us-east-1:123456789012:processing-job/pipelines-p4-Preprocess-1"
    step = {"StepName": "Preprocess", "StepStatus": "Failed", "Metadata": {"ProcessingJob": {"Arn": job}}}
    sagemaker = RecordingClient(
        "sagemaker",
        {
            "list_pipeline_execution_steps": {"PipelineExecutionSteps": [step]},
            "describe_processing_job": {"ExitMessage": "a.csv: the data file has no rows"},
        },
    )
    ses = RecordingClient("sesv2")
    fakes = {"sagemaker": sagemaker, "sesv2": ses}
    monkeypatch.setattr(clients, "client", lambda name: fakes.get(name) or CLIENT(name))
    event = sample("sagemaker/pipeline-execution-failed")

    assert call("report_run", event)["outcome"] == "notified"
    assert call("report_run", event)["outcome"] == "notified-before"

    (mail,) = ses.requests("SendEmail")
    assert mail["Content"]["Simple"]["Subject"]["Data"] == "abalone: the pipeline run has failed in Preprocess"
    assert "a.csv: the data file has no rows" in mail["Content"]["Simple"]["Body"]["Text"]["Data"]


def test_a_request_is_answered_by_the_endpoint_of_its_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    document = {
        "stages": [{"name": "prod", "approval": True, "instance_type": "ml.m5.large", "instance_count": 1}],
    }
    boto3.client("ssm").put_parameter(Name="/signalbox/stages", Value=json.dumps(document), Type="String")
    runtime = RecordingClient(
        "sagemaker-runtime", {"invoke_endpoint": {"Body": io.BytesIO(b"8.7\n"), "ContentType": "text/csv"}}
    )
    _given(monkeypatch, "sagemaker-runtime", runtime)
    assert call("invoke_endpoint", http_event("invoke"))["body"] == "8.7\n"
    assert call("invoke_endpoint", http_event("invoke", pathParameters={"stage": "qa"}))["statusCode"] == 404
    assert [request["EndpointName"] for request in runtime.requests("InvokeEndpoint")] == ["signalbox-abalone-prod"]
