"""Uploads are shown by how they stand, and one of them waits again where a person wants it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.support.botocore_strict import RecordingClient
from tests.support.dynamodb import created_table
from tests.support.projects import page
from tests.support.stack import OUTPUTS, CloudFormation
from tests.support.uploads import ABALONE, PIPELINE
from typer.testing import CliRunner, Result

from signalbox import moments
from signalbox.aws.table import Table
from signalbox.uploads import starting
from signalbox.uploads.model import CLAIMED, STARTED, SUCCEEDED, Run, Upload
from signalbox.uploads.starting import RunRequested
from signalbox.uploads.table import UploadsTable
from signalbox_operate import account, cli
from signalbox_operate.upload_states import UploadState

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BUCKET, NAME = OUTPUTS["DataBucket"], OUTPUTS["UploadsTable"]


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The clients that the commands get."""
    settings = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        found: dict[str, Any] = {
            "cloudformation": CloudFormation(),
            "dynamodb": created_table(NAME),
            "s3": s3,
            "sqs": RecordingClient("sqs", {"send_message": {}}),
            "ssm": RecordingClient("ssm", {"get_parameters_by_path": page(ABALONE)}),
        }
        monkeypatch.setattr(account, "client", found.__getitem__)
        yield found


@pytest.fixture
def table(clients: dict[str, Any]) -> UploadsTable:
    """The stack's uploads table, empty."""
    return UploadsTable(Table(NAME, clients["dynamodb"]), PIPELINE)


def ask(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, arguments)


def uploaded(clients: dict[str, Any], name: str, second: int = 0) -> Upload:
    """Put a file into the bucket, which keeps no versions; return its upload."""
    key = f"incoming/{name}"
    clients["s3"].put_object(Bucket=BUCKET, Key=key, Body=b"0123456789")
    return Upload(BUCKET, key, "v1", 10, moments.text_of(NOW + timedelta(seconds=second)))


def took(table: UploadsTable, number: int, *uploads: Upload, without: tuple[Upload, ...] = ()) -> Run:
    """Let a run take uploads, and go on without some of them."""
    run = Run(PIPELINE, number, NOW + timedelta(hours=number))
    for upload in uploads:
        table.record(upload)
    table.open(run)
    table.take(run, uploads)
    if without:
        table.leave_out(run, without, NOW)
    return table.move(run, CLAIMED, at=NOW)


def ended(table: UploadsTable, run: Run, status: str, reason: str | None = None) -> Run:
    started = table.move(run, STARTED, at=NOW, execution=f"arn:{run.number}")
    return started if status == STARTED else table.move(started, status, at=NOW, reason=reason)


def every_kind(clients: dict[str, Any], table: UploadsTable) -> None:
    names = ("done", "lost", "failed", "running", "waits")
    done, lost, failed, running, waits = (uploaded(clients, name, second) for second, name in enumerate(names))
    ended(table, took(table, 1, done, lost, without=(lost,)), SUCCEEDED)
    ended(table, took(table, 2, failed), "Failed", "Step Train failed")
    ended(table, took(table, 3, running), STARTED)
    table.record(waits)


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (UploadState.WAITING, [("waits", "waiting")]),
        (UploadState.RUNNING, [("running", "Started")]),
        (UploadState.DONE, [("done", "Succeeded")]),
        (UploadState.FAILED, [("failed", "Failed")]),
        (UploadState.GONE, [("lost", "gone")]),
    ],
)
def test_uploads_are_shown_by_their_state(
    clients: dict[str, Any], table: UploadsTable, state: UploadState, shown: list[tuple[str, str]]
) -> None:
    every_kind(clients, table)
    listed = json.loads(ask("uploads", "--state", state, "--json").stdout)
    assert [(one["upload"]["key"].removeprefix("incoming/"), one["state"]) for one in listed] == shown
    text = ask("uploads", "--state", state)
    assert text.exit_code == 0, text.output
    assert all(f"s3://{BUCKET}/incoming/{name}" in text.output for name, _ in shown)


def test_the_newest_of_a_state_are_shown_first_and_no_more_than_asked_for(
    clients: dict[str, Any], table: UploadsTable
) -> None:
    ended(table, took(table, 1, uploaded(clients, "old")), "Failed")
    ended(table, took(table, 2, *(uploaded(clients, f"{second}", second) for second in (1, 2, 3))), "Stopped")
    lines = ask("uploads", "--state", "failed", "--most", "2").stdout.splitlines()
    assert [line.split()[2].rpartition("/")[2] for line in lines] == ["3", "2"]
    assert ask("uploads", "--state", "gone").stdout == "no upload is gone\n"
    refused = ask("uploads", "old", "--state", "gone")
    assert "give the one or the other" in refused.stderr


def test_what_a_push_ran_again_with_success_is_done(clients: dict[str, Any], table: UploadsTable) -> None:
    failed = ended(table, took(table, 1, uploaded(clients, "a")), "Failed")
    again = Run(PIPELINE, 2, NOW, status=CLAIMED, repeats=failed.id)
    table.open(again)
    ended(table, again, SUCCEEDED)
    assert ask("uploads", "--state", "failed").stdout == "no upload is failed\n"
    assert "/a" in ask("uploads", "--state", "done").stdout


def test_the_upload_of_a_failed_run_waits_again_alone_and_a_run_is_asked_for(
    clients: dict[str, Any], table: UploadsTable
) -> None:
    ended(table, took(table, 1, uploaded(clients, "a"), uploaded(clients, "b")), "Failed")
    done = ask("retry", "a")
    assert done.exit_code == 0, done.output
    assert "waits again" in done.stdout
    assert [upload.key for upload in table.waiting()] == ["incoming/a"]
    (sent,) = clients["sqs"].calls
    assert starting.read(json.loads(sent[1]["MessageBody"]), "signalbox") == RunRequested(PIPELINE)
    assert "/b" in ask("uploads", "--state", "failed").stdout
    assert "/a " not in ask("uploads", "--state", "failed").stdout
    assert "waits already" in ask("retry", "a").stderr


def test_an_upload_that_was_deleted_and_is_back_waits_again_and_one_that_is_not_back_does_not(
    clients: dict[str, Any], table: UploadsTable
) -> None:
    back, lost = uploaded(clients, "back"), uploaded(clients, "lost")
    took(table, 1, back, lost, without=(back, lost))
    clients["s3"].delete_object(Bucket=BUCKET, Key=lost.key)
    assert ask("retry", "back").exit_code == 0
    (waiting,) = table.waiting()
    assert waiting.key == back.key
    (known,) = table.history(BUCKET, back.key)
    assert (known.run, known.gone) == (None, "")
    assert "nothing is under" in ask("retry", "lost").stderr
    assert [one["upload"]["key"] for one in json.loads(ask("uploads", "--state", "gone", "--json").stdout)] == [
        lost.key
    ]


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (SUCCEEDED, "are in a run that succeeded"),
        (STARTED, "is not over"),
        (CLAIMED, "is not over"),
    ],
)
def test_what_cannot_be_tried_again_is_said_and_nothing_is_moved(
    clients: dict[str, Any], table: UploadsTable, status: str, told: str
) -> None:
    run = took(table, 1, uploaded(clients, "a"))
    if status != CLAIMED:
        ended(table, run, status)
    refused = ask("retry", "a")
    assert refused.exit_code == 1
    assert told in refused.stderr
    assert table.waiting() == []
    assert clients["sqs"].calls == []


def test_another_version_under_the_key_has_an_upload_of_its_own(clients: dict[str, Any], table: UploadsTable) -> None:
    clients["s3"].put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    ended(table, took(table, 1, uploaded(clients, "a")), "Failed")
    assert "has another version by now" in ask("retry", "a").stderr
    assert table.waiting() == []


def test_an_upload_whose_run_is_forgotten_is_to_be_uploaded_again(clients: dict[str, Any], table: UploadsTable) -> None:
    run = ended(table, took(table, 1, uploaded(clients, "a")), "Failed")
    clients["dynamodb"].delete_item(
        TableName=NAME, Key={"pk": {"S": f"pipeline#{PIPELINE}"}, "sk": {"S": f"run#{run.number:08d}"}}
    )
    assert "does not know" in ask("retry", "a").stderr
