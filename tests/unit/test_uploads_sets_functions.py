"""Sets with the real adapters: from the events of a bucket with versions to the run, and to the mails."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.support.botocore_strict import RecordingClient
from tests.support.dynamodb import created_table
from tests.support.samples import sample, sqs_event, with_detail
from tests.support.sets import with_sets
from tests.support.uploads import BUCKET, EXECUTION, PIPELINE
from tests.unit.test_uploads_functions import CLIENT, _forget, asked, call

from signalbox import projects
from signalbox.aws import clients
from signalbox.aws.table import Table
from signalbox.uploads.table import UploadsTable
from signalbox_operate import rerunning

REQUEST = {"kind": "run-requested", "pipeline": PIPELINE}


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, RecordingClient]]:
    """A bucket with versions, a project that takes sets, and SageMaker and SES that remember what they are asked."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    _forget()
    with mock_aws():
        s3 = boto3.client("s3")
        for bucket in (BUCKET, "artifacts"):
            s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        created_table("uploads")
        project = projects.to_json(with_sets())
        boto3.client("ssm").put_parameter(Name="/signalbox/projects/abalone", Value=project, Type="String")
        urls = [
            boto3.client("sqs").create_queue(QueueName=name, Attributes={"FifoQueue": "true"})["QueueUrl"]
            for name in ("runs.fifo", "dead.fifo")
        ]
        environment = {
            "UPLOADS_TABLE": "uploads",
            "RUNS_QUEUE_URL": urls[0],
            "DEAD_LETTERS_URL": urls[1],
            "POLL_SECONDS": "15",
            "ARTIFACTS_BUCKET": "artifacts",
            "SENDER": "models@example.com",
            "REPLY_TO": "models@example.com",
            "MAIL_SETTINGS": "untracked",
            "APPROVERS": "ann@example.com",
            "PREFIX": "signalbox",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        arn = {"PipelineExecutionArn": f"{EXECUTION}p4jn9xou8a8s"}
        made = {
            "sagemaker": RecordingClient("sagemaker", {"start_pipeline_execution": arn}),
            "sesv2": RecordingClient("sesv2"),
        }
        monkeypatch.setattr(clients, "client", lambda name, **_: made.get(name) or CLIENT(name))
        yield made
    _forget()


def put(key: str, body: str) -> None:
    """Put an object, whose event is told."""
    version = boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body.encode())["VersionId"]
    native = sample("s3/object-created")
    told = with_detail(native, object=native["detail"]["object"] | {"key": key, "version-id": version})
    assert call("record_uploads", sqs_event(told)) == {"batchItemFailures": []}


def look() -> None:
    assert call("start_run", sqs_event(REQUEST, group=PIPELINE)) == {"batchItemFailures": []}


def test_a_set_is_one_run_of_its_files_in_the_version_in_which_it_was_named(fakes: dict[str, RecordingClient]) -> None:
    put("incoming/a.csv", "1\n")
    put("incoming/stranger.csv", "1\n")
    put("incoming/manifest.json", '["a.csv", "b.csv"]')
    look()
    boto3.client("s3").put_object(Bucket=BUCKET, Key="incoming/manifest.json", Body=b"[]")  # its event is under way
    assert fakes["sagemaker"].calls == []
    put("incoming/b.csv", "2\n")
    look()
    (request,) = fakes["sagemaker"].requests("StartPipelineExecution")
    (parameter,) = request["PipelineParameters"]
    key = parameter["Value"].removeprefix("s3://artifacts/")
    manifest = boto3.client("s3").get_object(Bucket="artifacts", Key=key)["Body"].read()
    assert json.loads(manifest) == [{"prefix": f"s3://{BUCKET}/"}, "incoming/a.csv", "incoming/b.csv"]
    assert fakes["sesv2"].calls == []


def test_a_set_whose_run_failed_waits_again_for_the_corrected_file(fakes: dict[str, RecordingClient]) -> None:
    put("incoming/bad.csv", "1\n")
    put("incoming/good.csv", "1\n")
    put("incoming/manifest.json", '["bad.csv", "good.csv"]')
    look()
    fakes["sagemaker"].answers["describe_pipeline_execution"] = {"PipelineExecutionStatus": "Failed"}
    table = Table("uploads")
    store = UploadsTable(table, PIPELINE)
    look()
    run = store.latest()
    assert run is not None
    assert run.status == "Failed"
    chosen = rerunning.chosen(run, ["incoming/bad.csv"], store)
    assert rerunning.give_back(run, chosen, table, datetime.now(UTC)) == 2
    look()
    assert len(fakes["sagemaker"].requests("StartPipelineExecution")) == 1
    put("incoming/bad.csv", "2\n")
    look()
    again = store.latest()
    assert again is not None
    assert {(one.key, one.names_files) for one in store.taken(again)} == {
        ("incoming/bad.csv", False),
        ("incoming/good.csv", False),
        ("incoming/manifest.json", True),
    }
    assert fakes["sesv2"].calls == []


def test_what_cannot_be_used_is_mailed_once_to_the_approvers(fakes: dict[str, RecordingClient]) -> None:
    put("incoming/manifest.json", '["../../models/a.csv", "b.txt"]')
    look()
    look()
    (mail,) = fakes["sesv2"].requests("SendEmail")
    content: Any = mail["Content"]["Simple"]
    assert content["Subject"]["Data"] == "abalone: a set of uploads cannot be used"
    assert 'entry 2 is "incoming/b.txt", which does not end in .csv' in content["Body"]["Text"]["Data"]
    assert [one["kind"] for one in asked()] == ["run-requested"]  # by who recorded it: nothing is open
