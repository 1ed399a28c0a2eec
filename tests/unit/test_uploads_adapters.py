"""S3, SQS and SageMaker are asked for what the upload journey needs, and their refusals are told apart."""

import json
from collections.abc import Iterator
from copy import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.uploads import ABALONE, BUCKET, EXECUTION, PIPELINE, Clock, MemoryExecutions

from signalbox.aws.dead_letters import SqsDeadLetterQueue
from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox.aws.objects import StoredObject
from signalbox.aws.s3 import ObjectStore
from signalbox.batch import DeadLetter
from signalbox.uploads.adapters import SageMakerExecutions, SqsRunRequests
from signalbox.uploads.model import ExecutionState, RunPostponedError, RunRefusedError

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.mark.usefixtures("aws")
def test_s3_is_asked_what_is_under_a_key_now() -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="a 1+2.csv", Body=b"1,2\n")
    plain = ObjectStore(s3).look(BUCKET, "a 1+2.csv")
    assert plain is not None
    assert (plain.version, plain.size, len(plain.etag), plain.modified.tzinfo is not None) == (None, 4, 32, True)

    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=BUCKET, Key="a 1+2.csv", Body=b"1,2\n")["VersionId"]
    found = ObjectStore(s3).look(BUCKET, "a 1+2.csv")
    assert found is not None
    assert found.version == version

    s3.delete_object(Bucket=BUCKET, Key="a 1+2.csv")
    assert ObjectStore(s3).look(BUCKET, "a 1+2.csv") is None


def test_the_null_version_of_a_suspended_bucket_is_no_version() -> None:
    answer = {"VersionId": "null", "ETag": '"e1"', "ContentLength": 3, "LastModified": NOW}
    client: Any = RecordingClient("s3", {"head_object": answer})
    assert ObjectStore(client).look(BUCKET, "a.csv") == StoredObject(None, "e1", 3, NOW)
    assert client.calls == [("HeadObject", {"Bucket": BUCKET, "Key": "a.csv"})]


@pytest.mark.parametrize(("code", "error"), [("404", None), ("403", CallRefusedError), ("503", ServiceBusyError)])
def test_only_not_found_means_that_an_object_is_gone(code: str, error: type[Exception] | None) -> None:
    client: Any = RecordingClient("s3", {"head_object": client_error(code)})
    if error is None:
        assert ObjectStore(client).look(BUCKET, "a.csv") is None
        return
    with pytest.raises(error, match=rf"s3:HeadObject of s3://signalbox-data-123456789012/a\.csv.*{code}"):
        ObjectStore(client).look(BUCKET, "a.csv")


@pytest.mark.usefixtures("aws")
def test_a_manifest_is_written_where_the_run_says() -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="artifacts")
    for _ in range(2):
        ObjectStore(s3).write("s3://artifacts/manifests/run-1.json", '["ü"]', "application/json")
    found = s3.get_object(Bucket="artifacts", Key="manifests/run-1.json")
    assert (found["Body"].read().decode(), found["ContentType"]) == ('["ü"]', "application/json")
    with pytest.raises(CallRefusedError, match=r"s3:PutObject of s3://missing/manifests/run-1\.json was refused"):
        ObjectStore(s3).write("s3://missing/manifests/run-1.json", "[]", "application/json")


@pytest.mark.usefixtures("aws")
def test_requests_of_one_half_window_become_one_message_and_later_ones_another() -> None:
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="runs.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    clock = Clock()
    requests = SqsRunRequests(queue, 60, clock, sqs)
    requests.ask(PIPELINE)
    clock.forward(29)
    requests.ask(PIPELINE)
    clock.forward(1)
    requests.ask(PIPELINE)
    received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, AttributeNames=["All"])["Messages"]
    assert [json.loads(message["Body"]) for message in received] == [
        {"kind": "run-requested", "pipeline": PIPELINE}
    ] * 2
    assert {message["Attributes"]["MessageGroupId"] for message in received} == {PIPELINE}


def test_a_request_that_sqs_refuses_is_an_error() -> None:
    client: Any = RecordingClient("sqs", {"send_message": client_error("AWS.SimpleQueueService.NonExistentQueue")})
    with pytest.raises(CallRefusedError, match="sqs:SendMessage of a message about signalbox-abalone was refused: AWS"):
        SqsRunRequests("https://sqs/runs.fifo", 60, Clock(), client).ask(PIPELINE)


LETTER = DeadLetter("m-0", "{}", "no member \x00 'id'", "arn:aws:sqs:us-east-1:123456789012:runs.fifo", PIPELINE)


@pytest.mark.usefixtures("aws")
def test_a_dead_letter_has_its_reason_its_source_and_how_to_replay_it() -> None:
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="dead.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    SqsDeadLetterQueue(queue, sqs).send(LETTER)
    SqsDeadLetterQueue(queue, sqs).send(LETTER)
    answer = sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
    )
    (message,) = answer["Messages"]
    texts = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert message["Body"] == "{}"
    assert message["Attributes"]["MessageGroupId"] == PIPELINE
    assert texts["Reason"] == "no member ? 'id'"
    assert texts["Source"] == LETTER.source
    assert (
        f"start-message-move-task --source-arn <ARN of this queue> --destination-arn {LETTER.source}"
        in (texts["Replay"])
    )


def test_a_dead_letter_of_a_standard_queue_has_no_group_and_a_short_reason() -> None:
    client: Any = RecordingClient("sqs")
    SqsDeadLetterQueue("https://sqs/dead", client).send(replace(LETTER, group=None, reason="x" * 5000))
    (request,) = client.requests("SendMessage")
    assert "MessageGroupId" not in request
    assert len(request["MessageAttributes"]["Reason"]["StringValue"]) == 1000


def test_a_dead_letter_that_sqs_refuses_is_an_error() -> None:
    client: Any = RecordingClient("sqs", {"send_message": client_error("AWS.SimpleQueueService.NonExistentQueue")})
    with pytest.raises(CallRefusedError, match="sqs:SendMessage to the dead-letter queue was refused: AWS"):
        SqsDeadLetterQueue("https://sqs/dead", client).send(LETTER)


TRAIN = ABALONE.pipelines["abalone"]
START = {"token": "t" * 64, "value": "s3://a/manifests/r.json", "display_name": "run-1", "description": "1 upload"}


@pytest.mark.parametrize("kind", ["memory", "sagemaker"])
def test_the_same_token_is_the_same_execution(kind: str) -> None:
    client: Any = _Pipelines()
    executions: Any = MemoryExecutions() if kind == "memory" else SageMakerExecutions(client)
    first = executions.start(TRAIN, **START)
    assert executions.start(TRAIN, **START) == first
    assert executions.start(TRAIN, **{**START, "token": "u" * 64}) != first
    assert executions.state(first) == ExecutionState("Executing")
    assert executions.state(f"{EXECUTION}none") is None


class _Pipelines(RecordingClient):
    """SageMaker as the journey uses it."""

    def __init__(self) -> None:
        super().__init__("sagemaker")
        self.executions: dict[str, str] = {}

    def _start_pipeline_execution(self, **request: Any) -> dict[str, str]:
        arn = self.executions.setdefault(request["ClientRequestToken"], f"{EXECUTION}{len(self.executions):012d}")
        return {"PipelineExecutionArn": arn}

    def _describe_pipeline_execution(self, **request: Any) -> dict[str, str]:
        if request["PipelineExecutionArn"] not in self.executions.values():
            raise client_error("ResourceNotFound")
        return {"PipelineExecutionStatus": "Executing"}


def test_a_pipeline_that_takes_nothing_is_started_without_parameters() -> None:
    client: Any = _Pipelines()
    nothing: Any = {**START, "value": None}
    SageMakerExecutions(client).start(TRAIN._replace(takes="nothing", parameter=None), **nothing)
    (request,) = client.requests("StartPipelineExecution")
    assert "PipelineParameters" not in request


def test_a_start_asks_sagemaker_for_what_the_run_says() -> None:
    client: Any = _Pipelines()
    SageMakerExecutions(client).start(TRAIN, **START)
    assert client.requests("StartPipelineExecution") == [
        {
            "PipelineName": PIPELINE,
            "ClientRequestToken": "t" * 64,
            "PipelineExecutionDisplayName": "run-1",
            "PipelineExecutionDescription": "1 upload",
            "PipelineParameters": [{"Name": "InputManifest", "Value": "s3://a/manifests/r.json"}],
        }
    ]


@pytest.mark.parametrize(
    ("code", "error", "reason"),
    [
        ("ResourceLimitExceeded", RunPostponedError, "the quota of running executions is used up"),
        ("ConflictException", RunPostponedError, "the pipeline is being changed"),
        ("ThrottlingException", RunPostponedError, r"SageMaker is busy \(ThrottlingException refused\)"),
        ("ServiceUnavailable", RunPostponedError, r"SageMaker is busy \(ServiceUnavailable refused\)"),
        ("ResourceNotFound", RunRefusedError, "the pipeline signalbox-abalone does not exist"),
        ("ValidationException", RunRefusedError, "sagemaker:StartPipelineExecution of signalbox-abalone was refused"),
        ("AccessDeniedException", RunRefusedError, "sagemaker:StartPipelineExecution of signalbox-abalone was refused"),
    ],
)
def test_a_refused_start_is_tried_later_or_waits_for_somebody_who_mends_it(
    code: str, error: type[Exception], reason: str
) -> None:
    client: Any = RecordingClient("sagemaker", {"start_pipeline_execution": client_error(code)})
    with pytest.raises(RunPostponedError, match=reason) as raised:
        SageMakerExecutions(client).start(TRAIN, **START)
    assert type(raised.value) is error


def test_a_refused_look_at_an_execution_is_tried_later_or_waits_for_somebody_who_mends_it() -> None:
    errors = [client_error("ThrottlingException"), client_error("AccessDeniedException")]
    client: Any = RecordingClient("sagemaker", {"describe_pipeline_execution": errors})
    with pytest.raises(RunPostponedError):
        SageMakerExecutions(client).state(f"{EXECUTION}1")
    with pytest.raises(RunRefusedError, match=f"sagemaker:DescribePipelineExecution of {EXECUTION}1 was refused"):
        SageMakerExecutions(client).state(f"{EXECUTION}1")


def test_why_an_execution_failed_is_read_with_its_state() -> None:
    answer = {"PipelineExecutionStatus": "Failed", "FailureReason": "Step Train failed"}
    client: Any = RecordingClient("sagemaker", {"describe_pipeline_execution": answer})
    assert SageMakerExecutions(client).state(f"{EXECUTION}1") == ExecutionState("Failed", "Step Train failed")
