"""A person asks which run took a file, what became of that run, and what waits and why."""

import re
import time
from collections.abc import Iterator
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto import mock_aws
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.dynamodb import created_table
from tests.support.projects import page
from tests.support.stack import OUTPUTS, CloudFormation
from tests.support.uploads import ABALONE, PIPELINE, WINE
from typer.testing import CliRunner, Result

from signalbox import moments
from signalbox.aws.table import Table
from signalbox.project_documents import Window
from signalbox.uploads.model import CLAIMED, STARTED, UNCLAIMED, Run, Upload
from signalbox.uploads.table import UploadsTable
from signalbox_operate import account, cli
from signalbox_operate.stack import OperateError
from signalbox_operate.uploads import NOBODY, places, why_waiting

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BUCKET, NAME = OUTPUTS["DataBucket"], OUTPUTS["UploadsTable"]
KEY = "incoming/abalone.csv"


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The clients that the command gets; its clock on the wall is in UTC."""
    settings = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    ssm = RecordingClient(
        "ssm", {"get_parameter": client_error("ParameterNotFound"), "get_parameters_by_path": page(ABALONE, WINE)}
    )
    found: dict[str, Any] = {"cloudformation": CloudFormation(), "ssm": ssm}
    monkeypatch.setattr(account, "client", found.__getitem__)
    with monkeypatch.context() as zone:
        zone.setenv("TZ", "UTC")
        time.tzset()
        yield found
    time.tzset()


@pytest.fixture
def table(clients: dict[str, Any]) -> Iterator[UploadsTable]:
    """The stack's uploads table, empty."""
    with mock_aws():
        clients["dynamodb"] = created_table(NAME)
        yield UploadsTable(Table(NAME, clients["dynamodb"]), PIPELINE)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["uploads", *arguments])


QUIET = "once no other came for 60 s; at the latest 3,600 s after the first"


def an_upload(key: str = KEY, version: str = "v1", minute: int = 0) -> Upload:
    return Upload(BUCKET, key, version, 191_873, moments.text_of(NOW + timedelta(minutes=minute)))


def a_run(table: UploadsTable, number: int, *uploads: Upload) -> Run:
    """Let a run have taken uploads."""
    opened = Run(PIPELINE, number, NOW)
    for upload in uploads:
        table.record(upload)
    table.open(opened)
    table.take(opened, uploads)
    return table.move(opened, CLAIMED, at=NOW)


def started(table: UploadsTable, run: Run) -> Run:
    return table.move(run, STARTED, at=NOW, execution="arn:execution")


def test_every_upload_of_a_file_is_shown_with_its_run_and_what_became_of_it(table: UploadsTable) -> None:
    first = started(table, a_run(table, 1, an_upload(version="v9")))
    table.move(first, "Succeeded", at=NOW)
    second = started(table, a_run(table, 2, an_upload(version="v1", minute=1)))
    table.move(second, "Failed", at=NOW, reason="Step Train failed [exit code 1]")
    table.record(an_upload(version="v2", minute=2))

    done = run("abalone.csv")

    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        "2026-11-20 12:00:00  191,873 bytes, version v9",
        f"  run {first.id}: Succeeded",
        "2026-11-20 12:01:00  191,873 bytes, version v1",
        f"  run {second.id}: Failed: Step Train failed [exit code 1]",
        "2026-11-20 12:02:00  191,873 bytes, version v2",
        "  waiting: the next run takes it in a moment",
    ]


def test_an_upload_is_shown_with_whoever_uploaded_it_as_far_as_that_is_known(table: UploadsTable) -> None:
    table.record(replace(an_upload(), by="assumed-role/Uploader/ann [of data]"))
    assert "191,873 bytes, version v1, by assumed-role/Uploader/ann [of data]" in run("abalone.csv").output


def test_an_upload_whose_run_waits_says_what_for(table: UploadsTable) -> None:
    waiting = a_run(table, 1, an_upload())
    table.note(waiting, "the quota of running executions is used up")
    assert f"run {waiting.id}: Claimed: it waits: the quota of running executions is used up" in run(KEY).output


def test_what_a_run_has_taken_waits_until_it_starts_and_status_says_since_when_and_why(
    table: UploadsTable, clients: dict[str, Any]
) -> None:
    clients["sagemaker"] = RecordingClient(
        "sagemaker", {"list_pipeline_executions": client_error("ResourceNotFound"), "list_endpoints": {"Endpoints": []}}
    )
    clients["stepfunctions"] = RecordingClient("stepfunctions", {"list_executions": {"executions": []}})
    waiting = a_run(table, 1, an_upload())
    table.record(an_upload("incoming/later.csv", minute=1))
    table.note(waiting, "the pipeline signalbox-abalone [of Ann] does not exist")

    listed = run().output.splitlines()
    assert listed[0].startswith(
        f"2 waiting for {PIPELINE}: {waiting.id} has to start first, and waits: the pipeline signalbox-abalone"
    )
    assert listed[1:] == [
        f"2026-11-20 12:00:00  s3://{BUCKET}/{KEY}",
        f"2026-11-20 12:01:00  s3://{BUCKET}/incoming/later.csv",
    ]
    shown = CliRunner().invoke(cli.app, ["status"]).output
    assert "2 uploads" in shown
    assert "2026-11-20 12:00:00" in shown
    assert "the pipeline signalbox-abalone [of Ann] does not exist" in shown

    started(table, waiting)
    assert run().output.startswith(f"1 waiting for {PIPELINE}: {waiting.id} is active")


def test_an_upload_that_was_deleted_before_its_run_is_shown_as_gone(table: UploadsTable) -> None:
    upload = Upload(BUCKET, KEY, "v1", 10, moments.text_of(NOW))
    started = Run(PIPELINE, 1, NOW)
    table.record(upload)
    table.open(started)
    table.take(started, [upload])
    table.leave_out(started, [upload], NOW + timedelta(seconds=5))
    shown = run("abalone.csv").stdout
    assert f"run {started.id}: gone: it was deleted before the run could start" in " ".join(shown.split())
    assert "2026-11-20T12:00:05" in shown


def test_an_upload_whose_run_the_table_has_lost_says_so(table: UploadsTable, clients: dict[str, Any]) -> None:
    lost = a_run(table, 1, an_upload())
    clients["dynamodb"].delete_item(
        TableName=NAME, Key={"pk": {"S": f"pipeline#{PIPELINE}"}, "sk": {"S": "run#00000001"}}
    )
    assert f"run {lost.id}: unknown: the table does not know the run any more" in run(KEY).output


def test_a_file_that_was_never_recorded_is_told_where_to_look(table: UploadsTable) -> None:
    done = run("shells.csv")
    assert done.exit_code == 1
    told = " ".join(done.stderr.split())
    where = f"s3://{BUCKET}/incoming/shells.csv or s3://{BUCKET}/incoming/wine/shells.csv"
    assert f"no upload of {where} is recorded: is it under the watched prefix" in told
    assert "UploadsDeadLetters" in done.stderr


@pytest.mark.parametrize(
    ("file", "found"),
    [
        ("abalone.csv", (BUCKET, KEY)),
        ("data/of/mine/abalone.csv", (BUCKET, KEY)),
        (KEY, (BUCKET, KEY)),
        ("incoming/2026/a.csv", (BUCKET, "incoming/2026/a.csv")),
        ("s3://another/incoming/a 1+2.csv", ("another", "incoming/a 1+2.csv")),
    ],
)
def test_a_file_is_named_by_its_path_its_key_or_its_uri(file: str, found: tuple[str, str]) -> None:
    assert places(file, BUCKET, ["incoming/"]) == [found]


def test_a_uri_of_no_object_is_refused() -> None:
    with pytest.raises(OperateError, match="'s3://bucket' is not the S3 URI of a file"):
        places("s3://bucket", BUCKET, ["incoming/"])


def test_another_prefix_is_looked_under_where_it_is_named(table: UploadsTable) -> None:
    table.record(an_upload("drop/abalone.csv"))
    assert "version v1" in run("abalone.csv", "--prefix", "drop/").output


def test_without_a_file_all_that_waits_is_shown_and_why(table: UploadsTable) -> None:
    assert run().output == "no upload waits\n"
    active = started(table, a_run(table, 1, an_upload()))
    for number in range(23):
        table.record(an_upload(f"incoming/[{number:02d}].csv", minute=number))

    lines = run().output.splitlines()

    assert lines[0] == f"23 waiting for {PIPELINE}: {active.id} is active, and its end starts the next run"
    assert lines[1] == f"2026-11-20 12:00:00  s3://{BUCKET}/incoming/[00].csv"
    assert len(lines) == 22
    assert lines[-1] == "and 3 later ones"


def test_what_waits_is_shown_for_each_project_and_what_nobody_claims(
    table: UploadsTable, clients: dict[str, Any]
) -> None:
    table.record(an_upload(minute=2))
    for pipeline, key in (("signalbox-wine", "incoming/wine/a.csv"), (UNCLAIMED, "elsewhere/a.csv")):
        UploadsTable(Table(NAME, clients["dynamodb"]), pipeline).record(an_upload(key, minute=len(pipeline)))
    assert [line for line in run().output.splitlines() if "waiting" in line] == [
        f"1 waiting for {PIPELINE}: the next run takes it in a moment",
        f"1 waiting that nobody claims: {NOBODY}",
        "1 waiting for signalbox-wine: the next run takes it in a moment",
    ]
    assert f"waiting: {NOBODY}" in run("s3://signalbox-data/elsewhere/a.csv").output
    assert "wine/a.csv" not in run("a.csv", "--project", "wine").stderr


def test_what_a_run_of_a_removed_project_has_taken_is_shown_as_waiting(
    table: UploadsTable, clients: dict[str, Any]
) -> None:
    waiting = a_run(table, 1, an_upload())
    table.note(waiting, f"no project has the pipeline {PIPELINE} any more")
    clients["ssm"] = RecordingClient("ssm", {"get_parameters_by_path": page(WINE)})
    assert run().output.startswith(f"1 waiting for {PIPELINE}: {waiting.id} has to start first, and waits: no project")


@pytest.mark.parametrize(
    ("latest", "reason"),
    [
        (None, f"the next run takes it {QUIET}"),
        (Run(PIPELINE, 1, NOW, "Failed"), f"the next run takes it {QUIET}"),
        (Run(PIPELINE, 1, NOW), "is about to start"),
        (Run(PIPELINE, 1, NOW, CLAIMED), "is about to start"),
        (Run(PIPELINE, 1, NOW, CLAIMED, waits_for="the quota is used up"), "start first, and waits: the quota is used"),
        (Run(PIPELINE, 1, NOW, STARTED), "is active, and its end starts the next run"),
    ],
)
def test_why_an_upload_waits_is_what_the_newest_run_does(latest: Run | None, reason: str) -> None:
    assert reason in why_waiting(latest, Window(60, 3600, None))


def test_the_times_and_the_batch_that_end_the_waiting_are_said() -> None:
    assert why_waiting(None, Window(5, 900, 1000)) == (
        "the next run takes it once no other came for 5 s, or 1,000 wait; at the latest 900 s after the first"
    )
    assert why_waiting(None, None) == "the next run takes it once a project has its pipeline"


def test_a_refusal_of_the_table_is_one_sentence(clients: dict[str, Any]) -> None:
    clients["dynamodb"] = RecordingClient("dynamodb", {"query": client_error("AccessDeniedException", "not yours")})
    done = run("abalone.csv")
    assert done.exit_code == 1
    assert done.stderr.startswith("error: dynamodb:Query of upload#signalbox-data/incoming/abalone.csv in signalbox-")
    assert "was refused: AccessDeniedException not yours" in done.stderr
    assert "Traceback" not in done.output


def test_the_help_says_what_to_give_and_what_is_shown() -> None:
    text = " ".join(re.sub(r"[│╭╮╰╯─]|\x1b\[[\d;]*m", " ", run("--help").output).split())
    for words in (
        "Show which run took a file and what became of it, or what waits for a run and why.",
        "An S3 URI, a key, or the file that was uploaded; without it: all that waits",
        "A place under the stack's UploadPrefix; else the project's own",
    ):
        assert words in text
