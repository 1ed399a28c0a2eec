"""CodeCommit, CodeBuild and SageMaker are asked as their models say, and what they refuse becomes our errors."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from moto import mock_aws
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.dynamodb import created_table
from tests.support.pushes import WINE, MemoryBranches, commit

from signalbox import names
from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox.aws.logs import BuildLogs
from signalbox.aws.machines import StateMachines
from signalbox.aws.table import Table
from signalbox.pushes import rules
from signalbox.pushes.adapters import CodeBuilds, CodeCommitRepositories
from signalbox.pushes.experiments import BranchResources
from signalbox.pushes.handing import Handing
from signalbox.pushes.model import BranchConflictError, Build, Changed, RepositoryUnknownError, TrainedImage
from signalbox.pushes.table import BranchTable
from signalbox.uploads import starting
from signalbox.uploads.starting import RunRequested

A, B = commit(1), commit(2)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MAIN = rules.next_build("wine", "main", A, None, "user/ann", NOW)
FEATURE = rules.next_build("wine", "feature/🚀", A, None, "user/ann", NOW)
IMAGE = TrainedImage("bottles", "123456789012.dkr.ecr.us-east-1.amazonaws.com/signalbox/wine:bottles-1", A)
FOUND = {
    "id": "signalbox-wine:1",
    "buildStatus": "FAILED",
    "sourceVersion": A,
    "startTime": NOW,
    "environment": {
        "type": "LINUX_CONTAINER",
        "image": "x",
        "computeType": "BUILD_GENERAL1_SMALL",
        "environmentVariables": [{"name": "SIGNALBOX_BRANCH", "value": "main", "type": "PLAINTEXT"}],
    },
    "logs": {"groupName": "/aws/codebuild/signalbox-wine", "streamName": "1", "deepLink": "https://log"},
    "phases": [
        {"phaseType": "SUBMITTED", "phaseStatus": "SUCCEEDED"},
        {"phaseType": "BUILD", "phaseStatus": "FAILED", "contexts": [{"message": "exit status 1"}]},
        {"phaseType": "COMPLETED"},
    ],
}


@pytest.fixture(params=["memory", "dynamodb"])
def table(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    if request.param == "memory":
        yield MemoryBranches()
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield BranchTable(Table("pushes", created_table("pushes")))


# ---- the table of branches -----------------------------------------------------------------------------------------


def test_a_branch_is_found_as_it_was_written(table: Any) -> None:
    assert table.find("wine", "feature/🚀") is None
    table.put(FEATURE, None)
    assert table.find("wine", "feature/🚀") == FEATURE
    later = FEATURE._replace(status="BUILDING", build="b:1", next_by="user/bob")
    table.put(later, FEATURE)
    assert table.find("wine", "feature/🚀") == later
    table.put(later._replace(next_by=""), later)
    assert table.find("wine", "feature/🚀").next_by == ""
    assert table.find("wine", "main") is None


def test_a_branch_that_changed_meanwhile_is_not_written_over(table: Any) -> None:
    table.put(MAIN, None)
    with pytest.raises(BranchConflictError, match="main of wine"):
        table.put(MAIN, None)
    table.put(MAIN._replace(status="BUILDING"), MAIN)
    with pytest.raises(BranchConflictError):
        table.put(MAIN._replace(status="FAILED"), MAIN)


def test_a_branch_that_is_forgotten_is_new_again(table: Any) -> None:
    table.put(MAIN, None)
    table.remove(MAIN)
    table.remove(MAIN)
    table.put(MAIN, None)
    assert table.find("wine", "main") == MAIN


def test_an_image_counts_as_trained_until_another_one_is(table: Any) -> None:
    other = IMAGE._replace(image=f"{IMAGE.image}2")
    assert not table.trained("wine", IMAGE)
    table.note_trained("wine", IMAGE)
    assert table.trained("wine", IMAGE)
    assert not table.trained("wine", other)
    table.note_trained("wine", other)
    assert not table.trained("wine", IMAGE)


def test_the_branches_of_a_project_are_listed_without_those_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        table = BranchTable(Table("pushes", created_table("pushes")))
        for branch in (MAIN, FEATURE, MAIN._replace(project="wine-red")):
            table.put(branch, None)
        assert list(table.all("wine")) == [FEATURE, MAIN]


# ---- repositories --------------------------------------------------------------------------------------------------


def codecommit(**answers: Any) -> CodeCommitRepositories:
    client: Any = RecordingClient("codecommit", answers)
    return CodeCommitRepositories(client)


def test_the_head_of_a_branch_is_its_newest_commit() -> None:
    assert codecommit(get_branch={"branch": {"branchName": "main", "commitId": A}}).head("r", "main") == A


def test_a_branch_that_is_not_there_has_no_head() -> None:
    assert codecommit(get_branch=client_error("BranchDoesNotExistException")).head("r", "main") is None


def test_a_repository_that_is_not_there_is_an_error_of_its_own() -> None:
    gone = client_error("RepositoryDoesNotExistException")
    with pytest.raises(RepositoryUnknownError, match="signalbox-wine"):
        codecommit(get_branch=gone).head("signalbox-wine", "main")
    with pytest.raises(RepositoryUnknownError):
        codecommit(get_commit=gone).address("signalbox-wine", A)


def test_another_refusal_of_codecommit_is_told() -> None:
    with pytest.raises(CallRefusedError, match="EncryptionKeyDisabledException"):
        codecommit(get_branch=client_error("EncryptionKeyDisabledException")).head("r", "main")


@pytest.mark.parametrize("committer", [{}, {"committer": {"name": "Ann"}}])
def test_a_commit_without_an_address_has_none(committer: dict[str, Any]) -> None:
    assert codecommit(get_commit={"commit": committer}).address("r", A) == ""


def test_the_address_of_a_commit_is_its_committers() -> None:
    told = {"commit": {"author": {"email": "a@example.com"}, "committer": {"email": "ann@example.com"}}}
    assert codecommit(get_commit=told).address("r", A) == "ann@example.com"


# ---- builds --------------------------------------------------------------------------------------------------------


def test_a_build_is_started_at_its_commit_with_its_branch_and_a_token_of_both() -> None:
    client: Any = RecordingClient("codebuild", {"start_build": {"build": {"id": "signalbox-wine--branches:1"}}})
    assert CodeBuilds(client).start(WINE, FEATURE) == "signalbox-wine--branches:1"
    (request,) = client.requests("StartBuild")
    assert request == {
        "projectName": "signalbox-wine--branches",
        "sourceVersion": A,
        "idempotencyToken": rules.build_token(WINE, FEATURE),
        "environmentVariablesOverride": [{"name": "SIGNALBOX_BRANCH", "value": "feature/🚀", "type": "PLAINTEXT"}],
    }


def test_the_token_differs_by_branch_commit_and_number() -> None:
    others = [MAIN, MAIN._replace(commit=B), MAIN._replace(name="feature"), MAIN._replace(number=2)]
    assert len({rules.build_token(WINE, branch) for branch in others}) == 4


def test_a_start_for_which_there_is_no_room_is_worth_another_try() -> None:
    client: Any = RecordingClient("codebuild", {"start_build": client_error("AccountLimitExceededException")})
    with pytest.raises(ServiceBusyError, match="AccountLimitExceeded"):
        CodeBuilds(client).start(WINE, MAIN)


def test_a_start_that_is_refused_is_told() -> None:
    client: Any = RecordingClient("codebuild", {"start_build": client_error("ResourceNotFoundException")})
    with pytest.raises(CallRefusedError, match="signalbox-wine was refused"):
        CodeBuilds(client).start(WINE, MAIN)


def test_a_build_is_read_with_the_phase_that_failed() -> None:
    client: Any = RecordingClient("codebuild", {"batch_get_builds": {"builds": [FOUND]}})
    group = "/aws/codebuild/signalbox-wine"
    assert CodeBuilds(client).look("signalbox-wine:1") == Build(
        "signalbox-wine:1", A, "main", "FAILED", NOW, "BUILD", "exit status 1", group, "1", "https://log"
    )


def test_a_build_that_runs_has_no_status_yet() -> None:
    running = {"id": "x:1", "buildStatus": "IN_PROGRESS", "startTime": NOW}
    client: Any = RecordingClient("codebuild", {"batch_get_builds": {"builds": [running]}})
    build = CodeBuilds(client).look("x:1")
    assert build is not None
    assert (build.status, build.branch, build.phase) == (None, "", "")


def test_a_build_that_is_gone_is_none() -> None:
    client: Any = RecordingClient("codebuild", {"batch_get_builds": {"builds": [], "buildsNotFound": ["x:1"]}})
    assert CodeBuilds(client).look("x:1") is None


def test_the_newest_builds_of_a_project_come_with_their_commits() -> None:
    answers = {"list_builds_for_project": {"ids": ["signalbox-wine:1"]}, "batch_get_builds": {"builds": [FOUND]}}
    client: Any = RecordingClient("codebuild", answers)
    assert [build.commit for build in CodeBuilds(client).newest(WINE, MAIN)] == [A]
    assert client.requests("ListBuildsForProject") == [{"projectName": "signalbox-wine", "sortOrder": "DESCENDING"}]


def test_a_project_without_builds_has_none() -> None:
    client: Any = RecordingClient("codebuild", {"list_builds_for_project": {}})
    assert CodeBuilds(client).newest(WINE, MAIN) == []


def test_the_last_lines_of_a_build_are_those_of_its_stream() -> None:
    logs: Any = RecordingClient("logs", {"get_log_events": {"events": [{"message": "one\ntwo\n"}]}})
    build = Build("x:1", A, "main", "FAILED", NOW, group="g", stream="s")
    assert CodeBuilds(RecordingClient("codebuild"), BuildLogs(logs)).log(build) == ("one", "two")  # type: ignore[arg-type]  # a stand-in
    (request,) = logs.requests("GetLogEvents")
    assert (request["logGroupName"], request["logStreamName"]) == ("g", "s")


@pytest.mark.parametrize("stream", ["", "s"])
def test_a_log_that_is_not_there_or_may_not_be_read_has_no_lines(stream: str) -> None:
    logs: Any = RecordingClient("logs", {"get_log_events": client_error("AccessDeniedException")})
    build = Build("x:1", A, "main", "FAILED", NOW, group="g", stream=stream)
    assert CodeBuilds(RecordingClient("codebuild"), BuildLogs(logs)).log(build) == ()  # type: ignore[arg-type]  # a stand-in


# ---- what branches have made ---------------------------------------------------------------------------------------

PIPELINE = names.branch_pipeline("signalbox", "wine", "train", "feature/🚀")
GROUP = names.branch_group("signalbox", "wine", "wine", "feature/🚀")
PACKAGE = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{GROUP}/1"


NOTE: dict[str, object] = {"branch": "feature/🚀", "commit": A, "pipelines": {}, "groups": {}}


def resources(made: object, **answers: Any) -> tuple[BranchResources, Any, Any]:
    text = {"Parameter": {"Value": json.dumps(made)}}
    ssm: Any = RecordingClient("ssm", {"get_parameter": text if made else client_error("ParameterNotFound")})
    summary = {
        "ModelPackageArn": PACKAGE,
        "CreationTime": NOW,
        "ModelPackageStatus": "Completed",
    }
    sagemaker: Any = RecordingClient(
        "sagemaker", {"list_model_packages": {"ModelPackageSummaryList": [summary]}, **answers}
    )
    return BranchResources("signalbox", sagemaker, ssm), sagemaker, ssm


def test_a_branch_is_removed_with_its_pipelines_groups_and_packages_and_the_note_last() -> None:
    found, sagemaker, ssm = resources(NOTE | {"pipelines": {"train": PIPELINE}, "groups": {"wine": GROUP}})
    assert found.remove("wine", "feature/🚀") == [PIPELINE, GROUP]
    assert [one["PipelineName"] for one in sagemaker.requests("DeletePipeline")] == [PIPELINE]
    assert sagemaker.requests("DeleteModelPackage") == [{"ModelPackageName": PACKAGE}]
    assert sagemaker.requests("DeleteModelPackageGroup") == [{"ModelPackageGroupName": GROUP}]
    assert ssm.requests("DeleteParameter") == [{"Name": names.experiment_parameter("signalbox", "wine", "feature/🚀")}]


def test_a_branch_that_made_nothing_is_removed_by_doing_nothing() -> None:
    found, sagemaker, _ = resources(None)
    assert found.remove("wine", "feature/🚀") == ()
    assert not sagemaker.requests("DeletePipeline")


@pytest.mark.parametrize(
    "name",
    [
        "signalbox-wine--train",
        "signalbox-abalone--train--feature-00000000",
        names.branch_pipeline("signalbox", "wine", "train", "other"),
        "signalbox-wine-red--train--x",
    ],
)
def test_whatever_a_branch_says_it_made_only_its_own_is_deleted(name: str) -> None:
    found, sagemaker, _ = resources(NOTE | {"pipelines": {"x": name}, "groups": {"x": "signalbox-wine"}})
    assert found.remove("wine", "feature/🚀") == []
    assert not sagemaker.requests("DeletePipeline")
    assert not sagemaker.requests("DeleteModelPackageGroup")


@pytest.mark.parametrize("spoiled", [[], {"pipelines": {"train": PIPELINE}}, {**NOTE, "groups": {"wine": 1}}])
def test_a_note_that_a_build_spoiled_goes_and_nothing_that_it_names(spoiled: object) -> None:
    found, sagemaker, ssm = resources(spoiled or "no object")
    assert found.remove("wine", "feature/🚀") == []
    assert not sagemaker.requests("DeletePipeline")
    assert ssm.requests("DeleteParameter")


def test_a_pipeline_that_runs_is_stopped_and_removed_later() -> None:
    execution = f"arn:aws:sagemaker:us-east-1:123456789012:pipeline/{PIPELINE}/execution/abcdefghijkl"
    running = {"PipelineExecutionArn": execution, "PipelineExecutionStatus": "Executing"}
    over = {"PipelineExecutionArn": f"{execution[:-1]}m", "PipelineExecutionStatus": "Succeeded"}
    found, sagemaker, ssm = resources(
        NOTE | {"pipelines": {"train": PIPELINE}},
        delete_pipeline=client_error("ConflictException"),
        list_pipeline_executions={"PipelineExecutionSummaries": [running, over]},
    )
    with pytest.raises(ServiceBusyError, match="is being stopped"):
        found.remove("wine", "feature/🚀")
    assert [one["PipelineExecutionArn"] for one in sagemaker.requests("StopPipelineExecution")] == [execution]
    assert not ssm.requests("DeleteParameter")


# ---- whom it hands on to -------------------------------------------------------------------------------------------


def test_a_run_is_asked_for_in_the_group_of_its_pipeline_once_for_a_commit() -> None:
    sqs: Any = RecordingClient("sqs")
    machines = StateMachines(RecordingClient("stepfunctions"))  # type: ignore[arg-type]  # a stand-in
    handing = Handing("https://sqs/runs.fifo", "arn:machine", sqs, machines)
    for given in (Changed(A, "d"), Changed(A, "d"), Changed(B, "e", 2), Changed(A, "d", 3)):
        handing.run_again("signalbox-wine--train", given)
    requests = sqs.requests("SendMessage")
    assert json.loads(requests[0]["MessageBody"]) == {
        "kind": "repeat-requested",
        "pipeline": "signalbox-wine--train",
        "commit": A,
        "number": 1,
    }
    # Whoever takes it reads it so.
    assert starting.read(json.loads(requests[3]["MessageBody"]), "signalbox") == RunRequested(
        "signalbox-wine--train", A, 3
    )
    assert {one["MessageGroupId"] for one in requests} == {names.slug("signalbox-wine--train", 128)}
    assert len({one["MessageDeduplicationId"] for one in requests}) == 3


def test_an_image_is_trained_under_the_name_that_the_command_line_makes() -> None:
    from signalbox_operate.start import Training  # noqa: PLC0415  # whose name it has to be

    stepfunctions: Any = RecordingClient(
        "stepfunctions", {"start_execution": {"executionArn": "arn:x", "startDate": NOW}}
    )
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:mlops"
    handing = Handing("https://sqs/runs.fifo", machine, RecordingClient("sqs"), StateMachines(stepfunctions))  # type: ignore[arg-type]  # a stand-in
    assert handing.train(IMAGE, "arn:ann")
    (request,) = stepfunctions.requests("StartExecution")
    assert request["name"] == Training(IMAGE.image, A, "binary", "bottles").name
    assert json.loads(request["input"]) == {
        "image": IMAGE.image,
        "commit": A,
        "model": "bottles",
        "started_by": "arn:ann",
    }
