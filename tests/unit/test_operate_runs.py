"""The runs of every pipeline are shown with what they took; a run's steps, its logs, and a start by hand."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from rich.console import Console
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.dynamodb import created_table
from tests.support.projects import page
from tests.support.stack import OUTPUTS, CloudFormation
from tests.support.uploads import ABALONE as PROJECT
from typer.testing import CliRunner, Result

from signalbox import names
from signalbox.aws.table import Table
from signalbox.uploads import starting
from signalbox.uploads.model import CLAIMED, NO_UPLOADS, Run, Upload
from signalbox.uploads.starting import RunRequested
from signalbox.uploads.table import UploadsTable
from signalbox_operate import account, cli, logs, rerunning
from signalbox_operate.commands import terminal
from signalbox_operate.logs import Job

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
ABALONE, WINE = "signalbox-abalone", "signalbox-wine--train"
EXECUTION = f"arn:aws:sagemaker:us-east-1:123456789012:pipeline/{ABALONE}/execution/p4jn9xou8a8s"
BY_HAND = f"arn:aws:sagemaker:us-east-1:123456789012:pipeline/{WINE}/execution/q4jn9xou8a8s"
JOB = "pipelines-p4jn9xou8a8s-Train-1"
# SageMaker writes ARNs in lower case.
TRAINING = f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{JOB.lower()}"
DEFINITION = {
    "Version": "2020-12-01",
    "Parameters": [
        {"Name": "InputManifest", "Type": "String"},
        {"Name": "Depth", "Type": "Integer", "DefaultValue": 5},
    ],
    "Steps": [],
}


def summary(arn: str, status: str, **more: Any) -> dict[str, Any]:
    return {"PipelineExecutionArn": arn, "PipelineExecutionStatus": status, "StartTime": NOW, **more}


class SageMaker(RecordingClient):
    """Two pipelines: abalone with a run that failed, wine with one that somebody started."""

    def __init__(self) -> None:
        super().__init__("sagemaker")
        reason = "step 'Train' failed"
        named = {"PipelineExecutionDisplayName": "run-1-1-upload", "PipelineExecutionFailureReason": reason}
        self.executions = {
            ABALONE: [summary(EXECUTION, "Failed", **named)],
            WINE: [summary(BY_HAND, "Executing") | {"StartTime": NOW + timedelta(hours=1)}],
        }
        self.jobs = {JOB.lower(): "Failed"}

    def _list_pipelines(self, **request: Any) -> dict[str, Any]:
        assert request["PipelineNamePrefix"] == "signalbox"
        return {"PipelineSummaries": [{"PipelineName": name} for name in [*self.executions, "signalboxes"]]}

    def _list_pipeline_executions(self, **request: Any) -> dict[str, Any]:
        return {"PipelineExecutionSummaries": self.executions[request["PipelineName"]]}

    def _list_pipeline_execution_steps(self, **_request: Any) -> dict[str, Any]:
        failed = {"StepStatus": "Failed", "FailureReason": "ClientError: no rows", "StartTime": NOW}
        metadata = {"TrainingJob": {"Arn": TRAINING}}
        train = {"StepName": "Train", "EndTime": NOW + timedelta(seconds=75), "Metadata": metadata, **failed}
        return {"PipelineExecutionSteps": [train]}

    def _list_pipeline_parameters_for_execution(self, **_request: Any) -> dict[str, Any]:
        return {"PipelineParameters": [{"Name": "Depth", "Value": "7"}]}

    def _describe_pipeline_execution(self, **_request: Any) -> dict[str, Any]:
        return {"PipelineExecutionStatus": "Failed"}

    def _describe_pipeline(self, **_request: Any) -> dict[str, Any]:
        return {"PipelineDefinition": json.dumps(DEFINITION)}

    def _start_pipeline_execution(self, **_request: Any) -> dict[str, Any]:
        return {"PipelineExecutionArn": BY_HAND}

    def _describe_training_job(self, **request: Any) -> dict[str, Any]:
        if request["TrainingJobName"].lower() not in self.jobs:
            raise client_error("ValidationException", "Requested resource not found.")
        return {"TrainingJobName": JOB, "TrainingJobStatus": self.jobs[request["TrainingJobName"].lower()]}

    def _describe_processing_job(self, **_request: Any) -> dict[str, Any]:
        raise client_error("ResourceNotFound")

    def _describe_transform_job(self, **_request: Any) -> dict[str, Any]:
        raise client_error("ResourceNotFound")


class Logs(RecordingClient):
    """CloudWatch Logs, in which a job writes one more line for each time that it is read."""

    def __init__(self) -> None:
        super().__init__("logs")
        self.written = ["epoch 1", "epoch 2"]
        self.shown = 1

    def _filter_log_events(self, **request: Any) -> dict[str, Any]:
        if request["logGroupName"] != "/aws/sagemaker/TrainingJobs":
            raise client_error("ResourceNotFoundException", "The specified log group does not exist.")
        events = [
            {"eventId": str(number), "timestamp": int(NOW.timestamp() * 1000) + number, "message": f"{text}\x1b[2J\n"}
            for number, text in enumerate(self.written[: self.shown])
        ]
        self.shown += 1
        return {"events": events}


@pytest.fixture
def run() -> Run:
    """The run that failed."""
    return Run(ABALONE, 1, NOW)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch, run: Run) -> Iterator[dict[str, Any]]:
    """The clients of a stack with two pipelines."""
    settings = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    missing = {"describe_execution": client_error("ExecutionDoesNotExist")}
    with mock_aws():
        found: dict[str, Any] = {
            "cloudformation": CloudFormation(),
            "dynamodb": created_table(OUTPUTS["UploadsTable"]),
            "sagemaker": SageMaker(),
            "logs": Logs(),
            "sqs": RecordingClient("sqs"),
            "ssm": RecordingClient("ssm", {"get_parameters_by_path": page(PROJECT)}),
            "s3": boto3.client("s3"),
            "stepfunctions": RecordingClient("stepfunctions", missing),
        }
        found["s3"].create_bucket(Bucket=OUTPUTS["ArtifactsBucket"])
        table = uploads(found)
        upload = Upload("signalbox-data", "incoming/a.csv", "v1", 120, "2026-11-20T09:59:00.000000Z")
        table.record(upload)
        table.open(run)
        table.take(run, [upload])
        table.move(run, CLAIMED, at=NOW)
        table.move(run.at(CLAIMED), "Failed", at=NOW, execution=EXECUTION)
        monkeypatch.setattr(account, "client", found.__getitem__)
        yield found


def uploads(clients: dict[str, Any]) -> UploadsTable:
    return UploadsTable(Table(OUTPUTS["UploadsTable"], clients["dynamodb"]), ABALONE)


def ask(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, list(arguments))


def test_the_runs_of_all_pipelines_are_shown_the_newest_first_with_uploads_and_reasons(
    clients: dict[str, Any], run: Run
) -> None:
    shown = ask("runs").output.splitlines()

    assert [line.split("\t")[0] for line in shown[:2]] == [f"{WINE}/q4jn9xou8a8s", run.id]
    assert [line.split("\t")[3] for line in shown[:2]] == ["by hand", "1"]
    assert shown[1].split("\t")[1] == "Failed"
    assert shown[2] == f"{run.id}: step 'Train' failed"


def test_a_run_that_has_not_started_is_shown_with_what_it_waits_for(clients: dict[str, Any]) -> None:
    later = Run(ABALONE, 2, NOW + timedelta(days=1))
    uploads(clients).open(later)
    uploads(clients).note(later, "the quota is used up")

    assert f"{later.id}: it waits: the quota is used up" in ask("runs").output
    assert "it waits: the quota is used up" in ask("runs", later.id).output
    refused = ask("logs", later.id)
    assert refused.exit_code == 1
    assert f"run {later.id} has not started" in refused.stderr


def test_a_run_whose_uploads_were_all_deleted_is_shown_with_that(clients: dict[str, Any]) -> None:
    empty = Run(ABALONE, 9, NOW)
    uploads(clients).open(empty)
    uploads(clients).move(empty, "Empty", at=NOW, reason="all its uploads were deleted before it could start")
    assert f"{empty.id}: all its uploads were deleted before it could start" in ask("runs").output


def test_a_run_that_a_push_asked_for_is_shown_with_the_run_that_it_repeats_and_the_commit(
    clients: dict[str, Any], run: Run
) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    again = Run(ABALONE, 2, NOW + timedelta(days=1), status=CLAIMED, repeats=run.id, commit=commit)
    uploads(clients).open(again)

    shown = ask("runs").output.splitlines()
    assert shown[0].split("\t")[::3] == [again.id, "again"]
    assert f"{again.id}: again: {run.id}, commit 0123456789ab" in shown
    assert ask("runs", again.id).output.splitlines()[1:] == [f"again: {run.id}", "commit 0123456789ab"]
    listed = json.loads(ask("runs", "--json").output)
    assert [(found["repeats"], found["commit"]) for found in listed] == [(run.id, commit), ("", ""), ("", "")]
    assert json.loads(ask("runs", again.id, "--json").output)["run"]["repeats"] == run.id


def test_a_run_of_a_push_without_uploads_and_one_over_its_own_are_shown_with_the_commit_alone(
    clients: dict[str, Any],
) -> None:
    later = Run(ABALONE, 2, NOW + timedelta(days=1), commit="0123456")
    uploads(clients).open(later)
    uploads(clients).move(later, "Empty", at=NOW)
    none = Run(ABALONE, 3, NOW + timedelta(days=2), status=CLAIMED, repeats=NO_UPLOADS, commit="abcdef0")
    uploads(clients).open(none)

    assert f"{none.id}: commit abcdef0" in ask("runs").output
    assert ask("runs", none.id).output.splitlines()[1:] == ["commit abcdef0"]
    assert ask("runs", later.id).output.splitlines()[1:] == ["commit 0123456"]


@pytest.mark.parametrize("name", ["", "run-1-1-upload", "p4jn9xou8a8s", f"{ABALONE}/run-1-1-upload", EXECUTION])
def test_a_run_is_shown_with_its_uploads_parameters_and_steps(clients: dict[str, Any], run: Run, name: str) -> None:
    shown = ask("runs", name or run.id).output

    assert shown.startswith(f"{run.id}  Failed")
    assert "upload s3://signalbox-data/incoming/a.csv" in shown
    assert "parameter Depth = 7" in shown
    assert f"Train\tFailed\t75\t{JOB.lower()}" in shown
    assert "Train: ClientError: no rows" in shown


def reported(clients: dict[str, Any], **objects: str) -> None:
    """Let the job of the failed run have left a report of its features."""
    for name, text in objects.items():
        key = f"pipelines/abalone/abalone/runs/p4jn9xou8a8s/features/{name.replace('_', '.')}"
        clients["s3"].put_object(Bucket=OUTPUTS["ArtifactsBucket"], Key=key, Body=text)


TOLD = json.dumps({"quarantined": [], "more": 0, "features": "1 files, 3 rows: 3 records"})


def test_the_report_of_a_runs_features_is_told_with_the_run_and_fetched_as_a_page(
    clients: dict[str, Any], run: Run, tmp_path: Path
) -> None:
    reported(clients, quarantine_json=TOLD, report_html="<p>plots</p>", report_json="{}")

    shown = ask("runs", run.id).output
    assert f"features: 1 files, 3 rows: 3 records; `signalbox features report {run.id}` has the plots" in shown
    assert json.loads(ask("runs", run.id, "--json").output)["features"]["told"] == "1 files, 3 rows: 3 records"

    fetched = ask("features", "report", run.id, "--output", str(tmp_path / "report"))
    assert fetched.output.replace("\n", "").startswith("1 files, 3 rows: 3 records; see ")
    assert (tmp_path / "report" / "report.html").read_text() == "<p>plots</p>"
    asked = json.loads(ask("features", "report", run.id, "--output", str(tmp_path / "report"), "--json").output)
    assert asked["folder"].endswith("/abalone/runs/p4jn9xou8a8s/features")


def test_a_run_without_features_or_whose_report_has_expired_says_so(
    clients: dict[str, Any], run: Run, tmp_path: Path
) -> None:
    assert "features" not in ask("runs", run.id).output
    assert "has no report of features" in ask("features", "report", run.id).stderr
    reported(clients, quarantine_json=TOLD)
    assert "is not there any more" in ask("features", "report", run.id, "--output", str(tmp_path)).stderr
    reported(clients, quarantine_json="no report")
    assert "features" not in ask("runs", run.id).output


@pytest.mark.parametrize("service", ["ssm", "s3"])
def test_whoever_may_not_read_projects_or_reports_sees_the_run_all_the_same(
    clients: dict[str, Any], run: Run, service: str
) -> None:
    denied = client_error("AccessDeniedException" if service == "ssm" else "AccessDenied")
    clients[service] = RecordingClient(service, dict.fromkeys(("get_parameters_by_path", "get_object"), denied))

    shown = ask("runs", run.id)

    assert shown.exit_code == 0
    assert "Train: ClientError: no rows" in shown.output
    assert "features" not in shown.output


def test_a_run_that_is_unknown_is_told(clients: dict[str, Any]) -> None:
    done = ask("runs", "nothing")

    assert done.exit_code == 1
    assert "there is no run 'nothing': `signalbox runs` shows the newest ones" in done.stderr


def test_what_is_shown_is_json_where_a_program_asks(clients: dict[str, Any], run: Run) -> None:
    listed = json.loads(ask("runs", "--json").output)
    one = json.loads(ask("runs", run.id, "--json").output)

    assert [(found["pipeline"], found["uploads"]) for found in listed] == [(WINE, None), (ABALONE, 1)]
    assert listed[1]["since"] == "2026-11-20T10:00:00+00:00"
    assert one["run"]["execution"] == EXECUTION
    assert [step["job"] for step in one["steps"]] == [JOB.lower()]
    assert one["uploads"][0]["key"] == "incoming/a.csv"


def test_a_table_fits_80_columns_and_keeps_every_name_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Console(soft_wrap=True, markup=False, force_terminal=True, width=80, color_system=None, record=True)
    monkeypatch.setattr(terminal, "console", screen)
    name = "signalbox-" + "w" * 30 + "--" + "t" * 20 + "-000001-20261120T100000Z"

    terminal.print_table(("run", "status", "started", "uploads"), [[name, "Executing", "2026-11-20 10:00:00", "12"]])

    lines = screen.export_text().splitlines()
    assert max(map(len, lines)) <= 80
    assert "".join(line.split(" ")[0] for line in lines[1:]) == name


@pytest.mark.parametrize("name", ["p4jn9xou8a8s", JOB, TRAINING])
def test_the_logs_of_a_run_are_those_of_its_jobs_and_a_job_has_its_own(clients: dict[str, Any], name: str) -> None:
    shown = ask("logs", name)

    assert shown.exit_code == 0, shown.output
    head, line = shown.output.splitlines()
    assert head == f"==> {JOB} <=="
    assert line.startswith("epoch 1")
    assert "\x1b" not in line
    assert clients["logs"].requests("FilterLogEvents")[0]["logStreamNamePrefix"] == f"{JOB}/"


def test_the_logs_of_a_training_are_those_of_the_jobs_that_are_named_after_it(clients: dict[str, Any]) -> None:
    given = {"image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris:1", "commit": "1", "problem": "multiclass"}
    found = {"name": "train-iris", "status": "SUCCEEDED", "input": json.dumps(given)}
    clients["stepfunctions"] = RecordingClient("stepfunctions", {"describe_execution": found})
    job = names.job("signalbox-iris", "train-iris", "training")

    assert ask("logs", "train-iris").output.splitlines()[0] == f"==> {job} <=="
    groups = [one["logGroupName"] for one in clients["logs"].requests("FilterLogEvents")]
    assert groups == ["/aws/sagemaker/TrainingJobs", "/aws/sagemaker/TransformJobs"]


def test_the_logs_of_a_training_whose_image_its_project_names_are_found_by_its_model(clients: dict[str, Any]) -> None:
    found = {"name": "by-document", "status": "SUCCEEDED", "input": '{"model": "iris", "commit": "1"}'}
    clients["stepfunctions"] = RecordingClient("stepfunctions", {"describe_execution": found})
    job = names.job("signalbox-iris", "by-document", "training")

    assert ask("logs", "by-document").output.splitlines()[0] == f"==> {job} <=="


def test_the_logs_of_a_training_whose_input_was_refused_are_none(clients: dict[str, Any]) -> None:
    found = {"name": "by-hand", "status": "FAILED", "input": "{}"}
    clients["stepfunctions"] = RecordingClient("stepfunctions", {"describe_execution": found})

    done = ask("logs", "by-hand")

    assert done.exit_code == 1
    assert "by-hand started no jobs: its input names no model" in done.stderr


def test_logs_are_followed_until_all_has_ended_and_each_line_is_shown_once() -> None:
    job, states = Job("TrainingJob", "train"), [True, True, False, False]
    pauses: list[float] = []

    lines = list(logs.read(lambda: ([job], states.pop(0)), Logs(), follow=True, sleep=pauses.append))

    assert [line.text.partition("\x1b")[0] for line in lines] == ["epoch 1", "epoch 2"]
    assert len(pauses) == 3
    assert states == []


def test_a_job_whose_kind_has_no_log_group_yet_has_written_nothing() -> None:
    def look() -> tuple[list[Job], bool]:
        return [Job("TransformJob", "predict")], False

    assert list(logs.read(look, Logs(), follow=False)) == []


def test_logs_of_what_is_unknown_name_the_commands_that_show_what_there_is(clients: dict[str, Any]) -> None:
    done = ask("logs", "nothing")

    assert done.exit_code == 1
    assert "there is no run, training or job 'nothing': `signalbox runs` and `signalbox status`" in done.stderr


@pytest.mark.parametrize("pipeline", ["wine--train", "wine/train", "signalbox-wine--train"])
def test_a_pipeline_is_started_by_hand_with_other_values_and_a_token(clients: dict[str, Any], pipeline: str) -> None:
    done = ask("start", pipeline, "-p", "Depth=7", "-p", "InputManifest=s3://b/a=b.json", "--name", "try-1")

    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == ["started: signalbox runs try-1 shows how it stands", BY_HAND]
    (request,) = clients["sagemaker"].requests("StartPipelineExecution")
    assert request["PipelineName"] == WINE
    assert request["PipelineParameters"] == [
        {"Name": "Depth", "Value": "7"},
        {"Name": "InputManifest", "Value": "s3://b/a=b.json"},
    ]
    assert request["PipelineExecutionDisplayName"] == "try-1"
    assert len(request["ClientRequestToken"]) >= 32


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["whales"], "there is no pipeline 'whales': the pipelines are signalbox-abalone, signalbox-wine--train"),
        (["wine/train", "-p", "Depth"], "parameter 'Depth' has to be NAME=VALUE"),
        (["wine/train", "-p", "=7"], "parameter '=7' has to be NAME=VALUE"),
        (["wine/train", "-p", "Depth=7", "-p", "Depth=8"], "parameter 'Depth' is given twice"),
        (
            ["wine/train", "-p", "Breadth=7"],
            "has no parameter Breadth; its parameters are Depth (5), InputManifest (no default)",
        ),
        (["wine/train"], "has no default for InputManifest: give -p InputManifest=VALUE"),
        (["wine/train", "-p", "InputManifest=x", "--name", "a run"], "'a run' is no name of a run"),
    ],
)
def test_a_start_that_cannot_be_is_refused_by_name_and_starts_nothing(
    clients: dict[str, Any], arguments: list[str], told: str
) -> None:
    done = ask("start", *arguments)

    assert done.exit_code == 1
    assert told in done.stderr
    assert clients["sagemaker"].requests("StartPipelineExecution") == []


def test_what_sagemaker_says_about_a_value_is_told(clients: dict[str, Any]) -> None:
    refused = client_error("ValidationException", "Depth has to be an Integer")
    clients["sagemaker"].answers["start_pipeline_execution"] = refused

    assert (
        "nothing was started: Depth has to be an Integer" in ask("start", "wine/train", "-p", "InputManifest=x").stderr
    )


def test_what_a_run_lacks_of_its_sets_is_said_with_it(clients: dict[str, Any]) -> None:
    lacks = "without 1 that did not come (incoming/a.csv)"
    late, table = Run(ABALONE, 2, NOW + timedelta(hours=2)), uploads(clients)
    table.open(late)
    claimed = table.move(late._replace(lacks=lacks), CLAIMED, at=NOW)
    assert lacks in ask("runs", late.id).output
    execution = f"{EXECUTION[:-1]}t"
    table.move(claimed, "Failed", at=NOW, execution=execution)
    clients["sagemaker"].executions[ABALONE].insert(0, summary(execution, "Failed"))
    assert lacks in ask("runs", late.id).output


def failed_with_three(clients: dict[str, Any]) -> Run:
    """Let the next run of abalone take three files and fail."""
    later, table = Run(ABALONE, 2, NOW + timedelta(hours=2)), uploads(clients)
    names_ = ("good.csv", "bad.csv", "fine.csv")
    taken = [Upload("signalbox-data", f"incoming/{name}", "v1", 9, "2026-11-20T11:59:00.000000Z") for name in names_]
    for one in taken:
        table.record(one)
    table.open(later)
    table.take(later, taken)
    table.move(later, CLAIMED, at=NOW)
    execution = f"{EXECUTION[:-1]}t"
    table.move(later.at(CLAIMED), "Failed", at=NOW, execution=execution)
    clients["sagemaker"].executions[ABALONE].insert(0, summary(execution, "Failed"))
    return later


def waiting(clients: dict[str, Any]) -> list[str]:
    return sorted(one.key for one in uploads(clients).waiting())


def test_the_good_files_of_a_run_that_failed_wait_again_with_the_corrected_one(clients: dict[str, Any]) -> None:
    run = failed_with_three(clients)
    corrected = Upload("signalbox-data", "incoming/bad.csv", "v2", 9, "2026-11-20T12:30:00.000000Z")
    uploads(clients).record(corrected)

    done = ask("rerun", run.id, "--without", "incoming/bad.csv")

    assert done.exit_code == 0, done.output
    assert done.output.startswith(f"2 uploads of {run.id} wait again")
    found = {one.key: one.version for one in uploads(clients).waiting()}
    assert found == {"incoming/bad.csv": "v2", "incoming/fine.csv": "v1", "incoming/good.csv": "v1"}
    (request,) = clients["sqs"].requests("SendMessage")
    assert starting.read(json.loads(request["MessageBody"]), "signalbox") == RunRequested(ABALONE)
    assert uploads(clients).history("signalbox-data", "incoming/bad.csv")[0].run == run.id


def test_the_next_run_takes_what_waits_again_and_a_repetition_moves_nothing(clients: dict[str, Any]) -> None:
    run, table = failed_with_three(clients), uploads(clients)
    assert ask("rerun", run.id).exit_code == 0
    following = Run(ABALONE, 3, NOW + timedelta(days=1))
    table.open(following)
    table.take(following, table.waiting())

    done = ask("rerun", run.id)

    assert "0 uploads" in done.output
    assert "3 others wait already, or are in a later run" in done.output
    assert len(table.taken(following)) == 3
    assert waiting(clients) == []
    assert table.history("signalbox-data", "incoming/good.csv")[0].run == following.id


def test_what_died_half_way_is_moved_to_the_end_by_a_repetition(clients: dict[str, Any]) -> None:
    run, table = failed_with_three(clients), Table(OUTPUTS["UploadsTable"], clients["dynamodb"])
    first = rerunning.chosen(run, ["incoming/bad.csv", "incoming/good.csv"], uploads(clients))
    assert rerunning.give_back(run, first, table, NOW) == 1

    assert ask("rerun", run.id).output.startswith("2 uploads")

    assert waiting(clients) == ["incoming/bad.csv", "incoming/fine.csv", "incoming/good.csv"]


@pytest.mark.parametrize(
    ("status", "without", "told"),
    [
        ("Succeeded", [], "are in a run that succeeded, "),
        (CLAIMED, [], "is not over"),
        ("Failed", ["incoming/none.csv"], "has no upload 'incoming/none.csv'"),
        ("Failed", ["incoming/good.csv", "incoming/bad.csv", "incoming/fine.csv"], "is left to run again"),
    ],
)
def test_what_cannot_be_run_again_is_said_and_nothing_is_moved(
    clients: dict[str, Any], status: str, without: list[str], told: str
) -> None:
    run = failed_with_three(clients)
    uploads(clients).move(run.at("Failed"), status, at=NOW)

    done = ask("rerun", run.id, *(word for key in without for word in ("--without", key)))

    assert done.exit_code == 1
    assert told in done.stderr
    assert waiting(clients) == []
    assert clients["sqs"].requests("SendMessage") == []


@pytest.mark.parametrize(("status", "told"), [("Succeeded", "are in a run that succeeded"), (CLAIMED, "is not over")])
def test_uploads_that_a_push_has_run_again_with_success_or_does_now_are_in_no_further_run(
    clients: dict[str, Any], status: str, told: str
) -> None:
    run, table = failed_with_three(clients), uploads(clients)
    again = Run(ABALONE, 3, NOW + timedelta(days=1), status=CLAIMED, repeats=run.id, commit="c" * 40)
    table.open(again)
    table.move(again, status, at=NOW)

    done = ask("rerun", run.id)

    assert done.exit_code == 1
    assert told in done.stderr
    assert again.id in done.stderr
    assert waiting(clients) == []


def test_a_run_that_was_started_by_hand_has_no_uploads_to_run_again(clients: dict[str, Any]) -> None:
    done = ask("rerun", BY_HAND)

    assert done.exit_code == 1
    assert f"took no uploads: `signalbox start {WINE}`" in done.stderr
