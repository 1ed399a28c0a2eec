"""A person asks what waits, and is told of each set: which files it lacks, until when, and what is wrong with it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from moto import mock_aws
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.dynamodb import created_table
from tests.support.objects import RememberedObjects
from tests.support.projects import page
from tests.support.sets import with_sets
from tests.support.stack import OUTPUTS, CloudFormation
from tests.support.uploads import PIPELINE
from typer.testing import CliRunner, Result

from signalbox.aws.table import Table
from signalbox.uploads.model import STARTED, Run, Upload
from signalbox.uploads.table import UploadsTable
from signalbox_operate import account, cli

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BUCKET = OUTPUTS["DataBucket"]
MANIFEST = f"s3://{BUCKET}/incoming/manifest.json"


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The clients that the command gets, of a stack with a project that takes sets."""
    for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "us-east-1")
    ssm = RecordingClient("ssm", {"get_parameters_by_path": page(with_sets())})
    found: dict[str, Any] = {"cloudformation": CloudFormation(), "ssm": ssm, "s3": RememberedObjects()}
    monkeypatch.setattr(account, "client", found.__getitem__)
    with mock_aws():
        found["dynamodb"] = created_table(OUTPUTS["UploadsTable"])
        yield found


@pytest.fixture
def table(clients: dict[str, Any]) -> UploadsTable:
    """The pipeline's part of the stack's uploads table, empty."""
    return UploadsTable(Table(OUTPUTS["UploadsTable"], clients["dynamodb"]), PIPELINE)


@pytest.fixture
def texts(clients: dict[str, Any]) -> dict[str, str]:
    """What objects say, by their URIs."""
    found: dict[str, str] = clients["s3"].texts
    return found


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["uploads", *arguments])


def send(table: UploadsTable, key: str, second: int, **more: Any) -> Upload:
    upload = Upload(BUCKET, f"incoming/{key}", "v1", 10, f"2026-11-20T12:00:{second:02d}.000000Z", **more)
    table.record(upload)
    return upload


def test_each_set_says_which_of_its_files_it_waits_for_and_until_when(
    table: UploadsTable, texts: dict[str, str]
) -> None:
    texts[MANIFEST] = json.dumps([f"{number}.csv" for number in range(10)])
    texts[f"s3://{BUCKET}/incoming/2-manifest.json"] = '["x.csv"]'
    texts[f"s3://{BUCKET}/incoming/3-manifest.json"] = "[oh"
    for second, key in enumerate(("manifest.json", "0.csv", "1.csv", "x.csv", "2-manifest.json", "3-manifest.json")):
        send(table, key, second)
    send(table, "stranger.csv", 9)

    lines = run().output.splitlines()

    assert lines[:4] == [
        (
            f"7 waiting for {PIPELINE}: a set runs once all its files are there, and what no set names waits for one "
            "that does"
        ),
        (
            f"set {MANIFEST} waits for 8 of its 10 files until 2026-11-20T13:00:00Z: incoming/2.csv, incoming/3.csv, "
            "incoming/4.csv, incoming/5.csv, incoming/6.csv, …"
        ),
        f"set s3://{BUCKET}/incoming/2-manifest.json is whole: the next run takes it",
        (
            f"set s3://{BUCKET}/incoming/3-manifest.json cannot be used: it is no JSON: line 1, column 2: "
            "Expecting value: correct it, and upload it again"
        ),
    ]
    assert f"waiting: the set of {MANIFEST} waits for 8 of its 10 files" in run("0.csv").output
    assert "waiting: its set waits for 8 of its 10 files until" in run("manifest.json").output
    assert "waiting: no set names it: an object that ends in manifest.json has to" in run("stranger.csv").output
    (shown,) = json.loads(run("--json").output)
    assert len(shown["sets"][0]["missing"]) == 8


def test_what_is_set_aside_says_what_became_of_it_and_why(table: UploadsTable) -> None:
    table.set_aside(send(table, "a.csv", 1), "replaced", "by version v2", NOW)
    table.set_aside(
        send(table, "manifest.json", 2), "refused", "it names no file: correct it, and upload it again", NOW
    )
    assert run("a.csv").output.splitlines()[1] == "  replaced: by version v2"
    assert run("manifest.json").output.splitlines()[1] == (
        "  refused: it names no file: correct it, and upload it again"
    )


def test_who_may_not_read_what_names_a_set_is_told_so_and_sees_the_rest(
    table: UploadsTable,
    clients: dict[str, Any],
) -> None:
    clients["s3"] = RecordingClient("s3", {"get_object": client_error("AccessDenied")})
    send(table, "manifest.json", 1)
    lines = run().output.splitlines()
    assert lines[1] == (
        f"set {MANIFEST} cannot be used: you may not read it (AccessDenied): ask for s3:GetObjectVersion on it"
    )
    assert lines[2].endswith(MANIFEST)


def test_while_a_run_is_active_its_end_is_what_is_waited_for(table: UploadsTable, texts: dict[str, str]) -> None:
    texts[MANIFEST] = '["a.csv"]'
    opened = Run(PIPELINE, 1, NOW)
    table.open(opened)
    table.move(opened, STARTED, at=NOW, execution="arn:x")
    send(table, "manifest.json", 1)
    assert "is active, and its end starts the next run" in run().output.splitlines()[0]


def test_where_nothing_waits_no_object_is_read(clients: dict[str, Any]) -> None:
    del clients["s3"]
    assert run().output == "no upload waits\n"
