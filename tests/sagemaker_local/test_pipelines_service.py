"""The operations on pipelines, and what is not there."""

import json
from typing import Any

import pytest
from tests.sagemaker_local.support.pipeline_steps import document, fail, invoke, processing
from tests.sagemaker_local.support.pipelines import ROLE, World

from sagemaker_local.core.errors import ApiError
from sagemaker_local.pipelines.service import Pipelines
from sagemaker_local.pipelines.settings import PipelineSettings

ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/abalone"
SIMPLE = document(invoke("a"))
OTHER_ROLE = "arn:aws:iam::123456789012:role/other"


@pytest.fixture
def world() -> World:
    return World()


def refused(code: str, sentence: str = "") -> Any:
    return pytest.raises(ApiError, match=f"^{code}: .*{sentence}")


def test_a_pipeline_has_an_arn_in_lower_case_and_is_found_by_both(world: World) -> None:
    text = json.dumps(SIMPLE)
    arn = world.create(text, PipelineDescription="nightly", Tags=[{"Key": "k", "Value": "v"}])

    described = world.call("DescribePipeline", PipelineName=arn)

    assert arn == ARN
    assert described == world.call("DescribePipeline", PipelineName="Abalone")
    assert described["PipelineName"] == described["PipelineDisplayName"] == "Abalone"
    assert described["PipelineDefinition"] == text
    assert described["PipelineStatus"] == "Active"
    assert described["RoleArn"] == ROLE
    assert "LastRunTime" not in described


def test_creating_asks_whether_the_caller_may_pass_the_role_and_tag(world: World) -> None:
    world.create(SIMPLE, Tags=[{"Key": "k", "Value": "v"}])

    asked = [(action, resource) for _, action, resource, _ in world.access.asked]
    assert asked == [("sagemaker:AddTags", ARN), ("iam:PassRole", ROLE)]
    assert world.access.asked[1] == ("key", "iam:PassRole", ROLE, {"iam:PassedToService": "sagemaker.amazonaws.com"})


def test_a_role_that_may_not_be_passed_is_refused_on_create_and_update(world: World) -> None:
    world.create(SIMPLE)
    world.access.forbidden.add("iam:PassRole")

    with refused("AccessDeniedException"):
        world.create(SIMPLE, name="Other")
    with refused("AccessDeniedException"):
        world.call("UpdatePipeline", PipelineName="Abalone", RoleArn=ROLE)


def test_a_role_that_sagemaker_may_not_assume_is_refused(world: World) -> None:
    world.access.untrusted.add(ROLE)

    with refused("ValidationException", "Could not assume role"):
        world.create(SIMPLE)


def test_the_same_create_request_again_answers_the_same(world: World) -> None:
    token = world.token()

    arns = {world.create(SIMPLE, ClientRequestToken=token) for _ in range(2)}

    assert arns == {ARN}


def test_a_create_token_that_is_used_for_another_request_is_a_conflict(world: World) -> None:
    token = world.token()
    world.create(SIMPLE, ClientRequestToken=token)

    with refused("ConflictException"):
        world.create(SIMPLE, name="Other", ClientRequestToken=token)


@pytest.mark.parametrize("name", ["Abalone", "abalone"])
def test_a_name_that_is_taken_is_refused_in_any_case(world: World, name: str) -> None:
    world.create(SIMPLE)

    with refused("ValidationException", "Pipeline names must be unique"):
        world.create(SIMPLE, name=name)


def test_more_pipelines_than_the_quota_are_refused() -> None:
    world = World(PipelineSettings(pipelines=1))
    world.create(SIMPLE)

    with refused("ResourceLimitExceeded", "limit is 1 pipelines"):
        world.create(SIMPLE, name="Other")


def test_a_definition_that_is_wrong_is_refused(world: World) -> None:
    with refused("ValidationException", "Unable to parse pipeline definition"):
        world.create("{")


def test_a_definition_is_read_from_s3_as_the_role(world: World) -> None:
    world.access.s3.objects["s3://the-bucket/p.json"] = json.dumps(SIMPLE).encode()
    request = {"PipelineName": "Abalone", "RoleArn": ROLE, "ClientRequestToken": world.token()}
    place = {"Bucket": "the-bucket", "ObjectKey": "p.json", "VersionId": "3"}

    world.call("CreatePipeline", **request, PipelineDefinitionS3Location=place)

    assert json.loads(world.call("DescribePipeline", PipelineName="Abalone")["PipelineDefinition"]) == SIMPLE
    assert world.access.acted == [("s3", ROLE)]
    assert world.access.s3.requests("GetObject") == [{"Bucket": "the-bucket", "Key": "p.json", "VersionId": "3"}]


def test_a_definition_that_cannot_be_read_from_s3_is_refused(world: World) -> None:
    request = {"PipelineName": "Abalone", "RoleArn": ROLE, "ClientRequestToken": world.token()}
    world.access.s3.objects["s3://the-bucket/binary"] = b"\xff"

    for key, sentence in (("none.json", "The specified key does not exist"), ("binary", "codec can't decode")):
        with refused("ValidationException", f"s3://the-bucket/{key}: .*{sentence}"):
            place = {"Bucket": "the-bucket", "ObjectKey": key}
            world.call("CreatePipeline", **request, PipelineDefinitionS3Location=place)


def test_a_definition_comes_from_exactly_one_place(world: World) -> None:
    request = {"PipelineName": "Abalone", "RoleArn": ROLE, "ClientRequestToken": world.token()}
    place = {"Bucket": "the-bucket", "ObjectKey": "p.json"}

    with refused("ValidationException", "is required"):
        world.call("CreatePipeline", **request)
    with refused("ValidationException", "exclude each other"):
        world.call("CreatePipeline", **request, PipelineDefinition="{}", PipelineDefinitionS3Location=place)


def test_an_update_makes_a_version_and_leaves_alone_what_it_does_not_name(world: World) -> None:
    world.create(SIMPLE, PipelineDescription="first")
    new = json.dumps(document(invoke("b")))
    world.later(seconds=5)

    answer = world.call("UpdatePipeline", PipelineName="Abalone", PipelineDefinition=new, RoleArn=OTHER_ROLE)
    again = world.call("UpdatePipeline", PipelineName="Abalone", PipelineDescription="second")

    assert answer == {"PipelineArn": ARN, "PipelineVersionId": 2}
    assert again["PipelineVersionId"] == 3
    described = world.call("DescribePipeline", PipelineName="Abalone")
    assert described["PipelineDefinition"] == new
    assert described["PipelineDescription"] == "second"
    assert described["RoleArn"] == OTHER_ROLE
    assert described["LastModifiedTime"] > described["CreationTime"]
    first = world.call("DescribePipeline", PipelineName="Abalone", PipelineVersionId=1)
    assert json.loads(first["PipelineDefinition"]) == SIMPLE


def test_an_execution_runs_the_version_that_is_asked_for(world: World) -> None:
    world.create(SIMPLE)
    world.call("UpdatePipeline", PipelineName="Abalone", PipelineDefinition=json.dumps(document(fail("b"))))

    arn = world.start(PipelineVersionId=1)

    assert world.ended(arn)["PipelineVersionId"] == 1
    assert list(world.steps(arn)) == ["a"]
    with refused("ResourceNotFound", "has no version 3"):
        world.start(PipelineVersionId=3)


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("DescribePipeline", {}),
        ("UpdatePipeline", {}),
        ("DeletePipeline", {"ClientRequestToken": "x" * 32}),
        ("StartPipelineExecution", {"ClientRequestToken": "x" * 32}),
        ("ListPipelineExecutions", {}),
    ],
)
def test_an_unknown_pipeline_is_not_found(world: World, operation: str, members: dict[str, Any]) -> None:
    with refused("ResourceNotFound", "does not exist"):
        world.call(operation, PipelineName="Nothing", **members)


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("DescribePipelineExecution", {}),
        ("StopPipelineExecution", {"ClientRequestToken": "x" * 32}),
        ("RetryPipelineExecution", {"ClientRequestToken": "x" * 32}),
        ("ListPipelineExecutionSteps", {}),
        ("ListPipelineParametersForExecution", {}),
        ("DescribePipelineDefinitionForExecution", {}),
    ],
)
def test_an_unknown_execution_is_not_found(world: World, operation: str, members: dict[str, Any]) -> None:
    with refused("ResourceNotFound", "does not exist"):
        world.call(operation, PipelineExecutionArn=f"{ARN}/execution/abcdefghijkl", **members)


def test_the_steps_of_no_execution_are_refused(world: World) -> None:
    with refused("ValidationException", "PipelineExecutionArn is required"):
        world.call("ListPipelineExecutionSteps")


def test_pipelines_are_listed_by_prefix_and_time_a_page_at_a_time(world: World) -> None:
    for name in ("one", "other", "Two"):
        world.create(SIMPLE, name=name)
        world.later(minutes=1)

    page = world.call("ListPipelines", PipelineNamePrefix="o", MaxResults=1)
    rest = world.call("ListPipelines", PipelineNamePrefix="o", MaxResults=1, NextToken=page["NextToken"])
    late = world.call("ListPipelines", CreatedAfter=world.now.timestamp() - 61)
    by_name = world.call("ListPipelines", SortBy="Name", SortOrder="Ascending")

    assert [item["PipelineName"] for item in page["PipelineSummaries"]] == ["other"]
    assert [item["PipelineName"] for item in rest["PipelineSummaries"]] == ["one"]
    assert "NextToken" not in rest
    assert [item["PipelineName"] for item in late["PipelineSummaries"]] == ["Two"]
    assert [item["PipelineName"] for item in by_name["PipelineSummaries"]] == ["Two", "one", "other"]


def test_a_deleted_pipeline_takes_its_executions_along(world: World) -> None:
    world.create(SIMPLE)
    arn = world.start()
    world.ended(arn)

    answer = world.call("DeletePipeline", PipelineName="Abalone", ClientRequestToken=world.token())

    assert answer == {"PipelineArn": ARN}
    with refused("ResourceNotFound"):
        world.call("DescribePipelineExecution", PipelineExecutionArn=arn)


def test_a_pipeline_with_a_running_execution_is_not_deleted(world: World) -> None:
    world.sagemaker.hold("a")
    world.create(document(processing("a")))
    arn = world.start()

    with refused("ConflictException", "running executions"):
        world.call("DeletePipeline", PipelineName="Abalone", ClientRequestToken=world.token())

    world.sagemaker.end("a")
    world.ended(arn)


def test_the_settings_have_the_quotas_of_the_service(world: World) -> None:
    assert set(Pipelines(world.cloud, world.resources).operations()) == set(world.operations)
    assert (PipelineSettings().concurrent_executions, PipelineSettings().pipelines) == (20, 500)


def test_the_versions_of_a_pipeline_are_listed_with_their_last_executions(world: World) -> None:
    world.create(document(invoke("a")))
    world.call("UpdatePipeline", PipelineName="Abalone", PipelineDefinition=json.dumps(document(invoke("b"))))
    arn = world.start(PipelineVersionId=1)
    world.ended(arn)

    listed = world.call("ListPipelineVersions", PipelineName="Abalone")["PipelineVersionSummaries"]

    assert {item["PipelineVersionId"]: item.get("LastExecutionPipelineExecutionArn") for item in listed} == {
        1: arn,
        2: None,
    }
    first = world.call("ListPipelineVersions", PipelineName="Abalone", SortOrder="Ascending", MaxResults=1)
    assert [item["PipelineVersionId"] for item in first["PipelineVersionSummaries"]] == [1]
    assert first["NextToken"]


def test_the_same_token_deletes_a_pipeline_once_and_answers_alike(world: World) -> None:
    arn = world.create(document(invoke("a")))
    request = {"PipelineName": "Abalone", "ClientRequestToken": world.token()}
    assert world.call("DeletePipeline", **request) == {"PipelineArn": arn}
    world.create(document(invoke("a")))
    assert world.call("DeletePipeline", **request) == {"PipelineArn": arn}
    assert world.call("DescribePipeline", PipelineName="Abalone")["PipelineArn"] == arn


def test_a_step_that_asks_for_what_is_not_emulated_is_refused_with_its_definition(world: World) -> None:
    step = processing("a")
    step["Arguments"]["ExperimentConfig"] = {"ExperimentName": "e"}
    with refused("ValidationException", "Step 'a': ExperimentConfig is not emulated here"):
        world.create(document(step))
