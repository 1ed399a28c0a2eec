"""CodeBuild's API: what is refused and how, what lists say, and what events tell."""

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from tests.contract.world import World, allow, name, until
from tests.sagemaker_local.support.builds import Builder, builder, context, environment, spec, statuses

from sagemaker_local.server import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["builder"]
# The shape of a state change (User Guide, "Build notifications input format reference").
_DETAIL = {
    "build-status",
    "project-name",
    "build-id",
    "additional-information",
    "current-phase",
    "current-phase-context",
    "version",
}
_INFORMATION = {
    "artifact",
    "environment",
    "timeout-in-minutes",
    "build-complete",
    "initiator",
    "build-start-time",
    "source",
    "logs",
    "phases",
}
_ENVIRONMENT = {"image", "privileged-mode", "compute-type", "type", "environment-variables"}
_PHASE = {"phase-type", "phase-status", "start-time", "end-time", "duration-in-seconds", "phase-context"}


@pytest.mark.parametrize(
    ("changed", "code", "told"),
    [
        ({"timeoutInMinutes": 4}, "ValidationException", "timeoutInMinutes"),
        ({"serviceRole": f"arn:aws:iam::{ACCOUNT}:role/nobody"}, "InvalidInputException", "sts:AssumeRole on arn"),
        ({"serviceRole": "nobody"}, "InvalidInputException", "Invalid service role"),
        ({"source": {"type": "NO_SOURCE"}}, "InvalidInputException", "a buildspec is required"),
        ({"source": {"type": "S3"}}, "InvalidInputException", "location is required for source type S3"),
        (
            {"source": {"type": "GITHUB", "location": "https://github.com/a/b"}},
            "InvalidInputException",
            "github.com/a/b is not emulated here",
        ),
        ({"artifacts": {"type": "S3"}}, "InvalidInputException", "location is required for artifacts"),
        ({"environment": environment(image="python:3")}, "InvalidInputException", "python:3 is not emulated here"),
        ({"environment": environment(type="MAC_ARM")}, "InvalidInputException", "type MAC_ARM is not emulated here"),
        ({"badgeEnabled": True}, "InvalidInputException", "badgeEnabled is not emulated here"),
        ({"logsConfig": {"s3Logs": {"status": "ENABLED"}}}, "InvalidInputException", "s3Logs.status ENABLED"),
    ],
)
def test_a_project_that_cannot_be_is_refused_with_the_reason(
    builder: Builder, changed: dict[str, Any], code: str, told: str
) -> None:
    with pytest.raises(ClientError, match=code) as refused:
        builder.project(spec("true"), **changed)

    assert told in str(refused.value)


def test_projects_are_made_changed_listed_and_deleted(builder: Builder) -> None:
    api, project = builder.api, builder.project(spec("true"), concurrentBuildLimit=2)

    with pytest.raises(ClientError, match="ResourceAlreadyExistsException"):
        api.create_project(**_request(builder, project))
    api.update_project(name=project, description="new", concurrentBuildLimit=-1)
    [found] = api.batch_get_projects(names=[project, "none"])["projects"]
    assert (found["description"], found["timeoutInMinutes"]) == ("new", 60)
    assert "concurrentBuildLimit" not in found
    assert project in api.list_projects()["projects"]
    api.delete_project(name=project)
    api.delete_project(name=project)
    assert api.batch_get_projects(names=[project]) | {"ResponseMetadata": {}} == {
        "projects": [],
        "projectsNotFound": [project],
        "ResponseMetadata": {},
    }


def test_what_is_not_there_is_told_so(builder: Builder) -> None:
    calls: list[Callable[[Any], Any]] = [
        lambda api: api.start_build(projectName="none"),
        lambda api: api.list_builds_for_project(projectName="none"),
        lambda api: api.update_project(name="none"),
        lambda api: api.stop_build(id="none:1"),
        lambda api: api.retry_build(id="none:1"),
    ]
    for call in calls:
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            call(builder.api)
    with pytest.raises(ClientError, match=r"UnknownOperationException.*CreateFleet"):
        builder.api.create_fleet(name="fleet", baseCapacity=1, environmentType="LINUX_CONTAINER", computeType="X")


def test_a_limit_of_builds_at_once_is_held(builder: Builder) -> None:
    project = builder.project(spec("sleep 900"), concurrentBuildLimit=1)
    first = builder.start(project)

    with pytest.raises(ClientError, match="AccountLimitExceededException"):
        builder.start(project)

    kept = builder.api.batch_delete_builds(ids=[first])["buildsNotDeleted"]
    assert kept == [{"id": first, "statusCode": "BUILD_IN_PROGRESS"}]
    builder.api.stop_build(id=first)
    builder.ended(first)
    assert builder.api.batch_delete_builds(ids=[first])["buildsDeleted"]
    assert builder.api.batch_get_builds(ids=[first])["buildsNotFound"] == [first]


def test_a_project_without_builds_has_an_empty_list_of_them(builder: Builder) -> None:
    assert builder.api.list_builds_for_project(projectName=builder.project(spec("true"))).get("ids", []) == []


def test_lists_have_the_newest_build_first(builder: Builder) -> None:
    project = builder.project(spec("true"))
    first, second = (builder.ended(builder.start(project))["id"] for _ in range(2))

    assert builder.api.list_builds_for_project(projectName=project)["ids"] == [second, first]
    assert builder.api.list_builds_for_project(projectName=project, sortOrder="ASCENDING")["ids"] == [first, second]
    assert {first, second} <= set(builder.api.list_builds()["ids"])


def test_who_may_start_a_build_is_decided_on_its_project(builder: Builder) -> None:
    project, other = builder.project(spec("true")), builder.project(spec("true"))
    arn = f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/{project}"
    role = builder.world.role(allow("codebuild:StartBuild", "codebuild:BatchGetBuilds", resource=arn))
    api = builder.world.as_role(role, "codebuild")

    build = api.start_build(projectName=project)["build"]

    assert build["initiator"] == f"{role.rpartition('/')[2]}/test"
    with pytest.raises(ClientError, match="AccessDeniedException"):
        api.start_build(projectName=other)
    with pytest.raises(ClientError, match="AccessDeniedException"):
        api.batch_get_builds(ids=[build["id"], f"{other}:1"])
    with pytest.raises(ClientError, match=r"AccessDeniedException.*iam:PassRole"):
        api.start_build(projectName=project, serviceRoleOverride=builder.role())


@pytest.mark.parametrize(
    ("buildspec", "told"),
    [("missing.yml", "src/missing.yml: no such file or directory"), ("version: 7", "version 7 is not supported")],
)
def test_a_buildspec_that_cannot_be_used_fails_the_download(builder: Builder, buildspec: str, told: str) -> None:
    build = builder.built(buildspec)

    assert statuses(build)["DOWNLOAD_SOURCE"] == "FAILED"
    assert "INSTALL" not in statuses(build)
    code, message = context(build)
    assert code == "YAML_FILE_ERROR"
    assert told in message
    assert "Phase context status code: YAML_FILE_ERROR Message:" in builder.log(build)


def test_events_tell_each_phase_and_state_in_their_shape_and_may_come_twice(builder: Builder) -> None:
    project = builder.project(spec("false"))
    queue = _queue_of_events(builder.world, project)

    build = builder.ended(builder.start(project))

    events = _received(builder.world, queue)
    states = [event for event in events if event["detail-type"] == "CodeBuild Build State Change"]
    assert [event["detail"]["build-status"] for event in states] == ["IN_PROGRESS"] * 2 + ["FAILED"] * 2
    last = states[-1]
    assert last["resources"] == [build["arn"]]
    assert last["source"] == "aws.codebuild"
    assert set(last["detail"]) == _DETAIL
    information = last["detail"]["additional-information"]
    assert set(information) >= _INFORMATION
    assert set(information["environment"]) >= _ENVIRONMENT
    assert set(information["phases"][0]) == _PHASE
    assert information["phases"][-1] == {**information["phases"][-1], "phase-type": "COMPLETED"}
    assert set(information["logs"]) == {"group-name", "stream-name", "deep-link"}
    phases = [event["detail"] for event in events if event["detail-type"] == "CodeBuild Build Phase Change"]
    failed = next(detail for detail in phases if detail["completed-phase-status"] == "FAILED")
    assert failed["completed-phase"] == "BUILD"
    assert failed["completed-phase-context"].startswith("[COMMAND_EXECUTION_ERROR: ")
    assert len(phases) == 2 * (len(build["phases"]) - 1)


def _request(builder: Builder, project: str) -> dict[str, Any]:
    return {
        "name": project,
        "source": {"type": "NO_SOURCE", "buildspec": spec("true")},
        "artifacts": {"type": "NO_ARTIFACTS"},
        "environment": environment(),
        "serviceRole": builder.role(),
    }


def _queue_of_events(world: World, project: str) -> str:
    """Let a project's events go to a queue, and return its URL."""
    sqs, events, rule = world.client("sqs"), world.client("events"), name("rule")
    queue = sqs.create_queue(QueueName=rule)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps({"Statement": [allowed]})})
    pattern = {"source": ["aws.codebuild"], "detail": {"project-name": [project]}}
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])
    return str(queue)


def _received(world: World, queue: str) -> list[dict[str, Any]]:
    sqs, found = world.client("sqs"), list[dict[str, Any]]()

    def complete() -> bool:
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        ended = [event for event in found if event["detail"].get("current-phase") == "COMPLETED"]
        return len(ended) >= 2

    until(complete)
    return found
