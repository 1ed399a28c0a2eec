"""A person asks which files a run did not use, why, and what to do; a file that a run left out is not called done."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.dynamodb import created_table
from tests.support.projects import page
from tests.support.stack import OUTPUTS, CloudFormation
from tests.support.uploads import ABALONE, EXECUTION, PIPELINE, WINE
from tests.unit.test_operate_uploads import NOW
from tests.unit.test_quarantine import BAD, IGNORED
from typer.testing import CliRunner, Result

from signalbox.aws.table import Table
from signalbox.contracts.uploads import QuarantinedFile
from signalbox.uploads.model import CLAIMED, STARTED, Run, Upload
from signalbox.uploads.quarantined import QuarantineTable
from signalbox.uploads.table import UploadsTable
from signalbox_operate import account, cli

ARN, KEY = f"{EXECUTION}p4jn9xou8a8s", BAD["file"]


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The clients that the command gets: the stack has one execution of one pipeline."""
    settings = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    summary = {"PipelineExecutionArn": ARN, "PipelineExecutionStatus": "Failed", "StartTime": NOW}
    pages = {"get_parameter": client_error("ParameterNotFound"), "get_parameters_by_path": page(ABALONE, WINE)}
    sagemaker = {
        "list_pipelines": {"PipelineSummaries": [{"PipelineName": PIPELINE}]},
        "list_pipeline_executions": {"PipelineExecutionSummaries": [summary]},
    }
    with mock_aws():
        found: dict[str, Any] = {
            "cloudformation": CloudFormation(),
            "dynamodb": created_table(OUTPUTS["UploadsTable"]),
            "sagemaker": RecordingClient("sagemaker", sagemaker),
            "ssm": RecordingClient("ssm", pages),
        }
        monkeypatch.setattr(account, "client", found.__getitem__)
        yield found


def table(clients: dict[str, Any]) -> Table:
    return Table(OUTPUTS["UploadsTable"], clients["dynamodb"])


def a_run(clients: dict[str, Any], status: str, *files: QuarantinedFile, number: int = 1, execution: str = ARN) -> Run:
    """Let a run over one upload end, which did not use some files."""
    uploads, begun = UploadsTable(table(clients), PIPELINE), NOW + timedelta(minutes=number)
    upload = Upload(OUTPUTS["DataBucket"], KEY, f"v{number}", 10, f"2026-11-20T12:00:0{number}.000000Z")
    uploads.record(upload)
    run = Run(PIPELINE, number, begun)
    uploads.open(run)
    uploads.take(run, [upload])
    started = uploads.move(uploads.move(run, CLAIMED, at=begun), STARTED, at=begun, execution=execution)
    QuarantineTable(table(clients)).keep(execution, files, NOW)
    return uploads.move(started, status, at=begun)


def ask(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, list(arguments))


def test_the_files_of_a_failed_run_are_shown_with_every_line_and_how_the_others_run_again(
    clients: dict[str, Any],
) -> None:
    run = a_run(clients, "Failed", BAD, IGNORED)

    done = ask("quarantine", run.id)

    corrected = "Upload the corrected files under the same keys. To let the run's other files wait with them"
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        f"{run.id}  Failed",
        "  incoming/a.csv (bad)",
        "    line 3: has 4 cells, and 5 are wanted",
        "    line 9: Height is 'tall'",
        "    and 1 more line",
        "  incoming/notes.txt (ignored)",
        "    is not read, because only .csv is taken",
        f"  {corrected}: signalbox rerun {run.id} --without incoming/a.csv",
    ]


def test_without_a_run_the_newest_runs_that_left_files_out_are_shown(clients: dict[str, Any]) -> None:
    first = a_run(clients, "Succeeded", BAD)
    a_run(clients, "Succeeded", number=2, execution=f"{ARN}2")
    third = a_run(clients, "Succeeded", IGNORED, number=3, execution=f"{ARN}3")

    shown = ask("quarantine").output

    assert [line.split()[0] for line in shown.splitlines() if not line.startswith(" ")] == [third.id, first.id]
    assert "they are in the next run" in shown
    assert "signalbox rerun" not in shown, "the other files of a run that succeeded are done"
    assert ask("quarantine", "--project", "abalone").output == shown
    assert ask("quarantine", "--project", "wine").output.startswith("no file was left out")


def test_programs_get_the_same_as_json(clients: dict[str, Any]) -> None:
    run = a_run(clients, "Failed", IGNORED)
    assert json.loads(ask("quarantine", "--json").output) == [
        {"run": run.id, "status": "Failed", "files": [IGNORED], "advice": ""}
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none"], "there is no run 'none'"),
        (["--project", "none"], "there is no project 'none': the stack's projects are abalone, wine"),
    ],
)
def test_a_run_or_project_that_is_not_there_is_said(clients: dict[str, Any], arguments: list[str], said: str) -> None:
    done = ask("quarantine", *arguments)
    assert done.exit_code == 1
    assert said in done.stderr


@pytest.mark.parametrize("status", ["Succeeded", "Failed"])
def test_an_upload_that_its_run_left_out_is_named_as_that_and_not_as_done(clients: dict[str, Any], status: str) -> None:
    run = a_run(clients, status, BAD)
    (fate,) = json.loads(ask("uploads", KEY, "--json").output)
    assert fate["state"] == "quarantined"
    assert fate["detail"].startswith("incoming/a.csv, line 3: has 4 cells, and 5 are wanted (and 2 more lines); ")
    assert f"run {run.id}: quarantined: " in ask("uploads", KEY).output


def test_the_corrected_file_is_what_its_own_run_made_of_it(clients: dict[str, Any]) -> None:
    a_run(clients, "Failed", BAD)
    a_run(clients, "Succeeded", number=2, execution=f"{ARN}2")
    fates = json.loads(ask("uploads", KEY, "--json").output)
    assert [one["state"] for one in fates] == ["quarantined", "Succeeded"]
