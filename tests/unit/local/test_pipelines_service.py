"""The operations: pipelines, executions, tokens, quotas and pages; and the events that they send."""

import json
import threading
from typing import Any

import pytest
from tests.support.pipelines import ROLE, World, document, fail, get, invoke, processing
from tests.support.samples import sample

from signalbox_local.pipelines.service import Pipelines
from signalbox_local.pipelines.settings import Settings
from signalbox_local.sagemaker.errors import ApiError

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
    world = World(Settings(pipelines=1))
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


def test_an_execution_is_described_with_what_it_was_started_with(world: World) -> None:
    experiment = {"ExperimentName": get("Execution.PipelineName"), "TrialName": get("Execution.PipelineExecutionId")}
    world.create(document(invoke("a"), PipelineExperimentConfig=experiment))

    arn = world.start(PipelineExecutionDisplayName="run-42", PipelineExecutionDescription="nightly")
    described = world.ended(arn)

    identity = arn.rsplit("/", 1)[-1]
    assert arn == f"{ARN}/execution/{identity}"
    assert identity.isalnum()
    assert identity.islower()
    assert len(identity) == 12
    assert described["PipelineArn"] == ARN
    assert described["PipelineExecutionDisplayName"] == "run-42"
    assert described["PipelineExecutionDescription"] == "nightly"
    assert described["PipelineExecutionStatus"] == "Succeeded"
    assert described["PipelineExperimentConfig"] == {"ExperimentName": "Abalone", "TrialName": identity}
    assert world.call("DescribePipeline", PipelineName="Abalone")["LastRunTime"] == world.now
    definition = world.call("DescribePipelineDefinitionForExecution", PipelineExecutionArn=arn)
    assert json.loads(definition["PipelineDefinition"])["PipelineExperimentConfig"] == experiment


def test_an_experiment_whose_name_is_not_legal_is_refused_at_the_start(world: World) -> None:
    world.create(document(invoke("a"), PipelineExperimentConfig={"ExperimentName": "not legal"}))

    with refused("ValidationException", "PipelineExperimentConfig"):
        world.start()


@pytest.mark.parametrize(
    "member", [{"MlflowExperimentName": "m"}, {"SelectiveExecutionConfig": {"SelectedSteps": [{"StepName": "a"}]}}]
)
def test_what_is_not_emulated_is_refused_by_name(world: World, member: dict[str, Any]) -> None:
    world.create(SIMPLE)

    with refused("ValidationException", f"{next(iter(member))} is not emulated here"):
        world.start(**member)


def test_the_same_token_with_the_same_request_answers_the_same_execution(world: World) -> None:
    world.create(document(invoke("a"), parameters=[{"Name": "A", "Type": "String"}, {"Name": "B", "Type": "String"}]))
    token = world.token()

    first = world.start(parameters={"A": "1", "B": "2"}, ClientRequestToken=token)
    world.ended(first)
    second = world.start(name=ARN, parameters={"B": "2", "A": "1"}, ClientRequestToken=token)

    assert first == second
    assert len(world.call("ListPipelineExecutions", PipelineName="Abalone")["PipelineExecutionSummaries"]) == 1


def test_the_same_token_with_another_request_is_a_conflict(world: World) -> None:
    world.create(document(invoke("a"), parameters=[{"Name": "A", "Type": "String"}]))
    token = world.token()
    world.start(parameters={"A": "1"}, ClientRequestToken=token)

    with refused("ConflictException"):
        world.start(parameters={"A": "2"}, ClientRequestToken=token)


def test_the_same_token_from_many_callers_at_once_starts_one_execution(world: World) -> None:
    world.create(SIMPLE)
    arns: list[str] = []
    token = world.token()
    callers = [threading.Thread(target=lambda: arns.append(world.start(ClientRequestToken=token))) for _ in range(8)]

    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert len(arns) == 8
    assert len(set(arns)) == 1


def test_more_concurrent_executions_than_the_quota_are_refused_until_one_ends() -> None:
    world = World(Settings(poll_seconds=0.002, concurrent_executions=2))
    world.sagemaker.hold("a")
    world.create(document(processing("a")))
    arns = [world.start(), world.start()]

    with refused("ResourceLimitExceeded", "limit is 2 concurrent"):
        world.start()
    world.stop(arns[0])
    world.ended(arns[0])
    arns.append(world.start())
    with refused("ResourceLimitExceeded"):
        world.call("RetryPipelineExecution", PipelineExecutionArn=arns[0], ClientRequestToken=world.token())

    for arn in arns[1:]:
        world.stop(arn)
        world.ended(arn)


PARAMETERS: list[dict[str, Any]] = [
    {"Name": "Text", "Type": "String"},
    {"Name": "Count", "Type": "Integer", "DefaultValue": 1},
    {"Name": "Limit", "Type": "Float", "DefaultValue": 6},
    {"Name": "Fine", "Type": "Boolean", "DefaultValue": False},
    {"Name": "Size", "Type": "String", "DefaultValue": "small", "EnumValues": ["small", "large"]},
]


def test_parameters_are_typed_and_listed_as_text(world: World) -> None:
    message = {"Std:Join": {"On": " ", "Values": [get(f"Parameters.{item['Name']}") for item in PARAMETERS]}}
    world.create(document(fail("a", message), parameters=PARAMETERS))

    arn = world.start(parameters={"Text": "x", "Count": "+7", "Limit": "1e1", "Fine": "True", "Size": "large"})

    assert world.ended(arn)["FailureReason"] == "x 7 10.0 true large"
    page = world.call("ListPipelineParametersForExecution", PipelineExecutionArn=arn, MaxResults=3)
    rest = world.call("ListPipelineParametersForExecution", PipelineExecutionArn=arn, NextToken=page["NextToken"])
    assert [item["Value"] for item in [*page["PipelineParameters"], *rest["PipelineParameters"]]] == [
        *("x", "7", "10.0", "true", "large")
    ]
    with refused("ValidationException", "NextToken"):
        world.call("ListPipelineParametersForExecution", PipelineExecutionArn=arn, NextToken="x")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "'Text' has no default: a value must be given"),
        ({"Text": "x", "No": "1"}, "'No' is not declared"),
        ({"Text": "x", "Count": "1.5"}, "'Count' is of type Integer, but got '1.5'"),
        ({"Text": "x", "Limit": "high"}, "'Limit' is of type Float"),
        ({"Text": "x", "Limit": "nan"}, "'Limit' is of type Float"),
        ({"Text": "x", "Fine": "yes"}, "'Fine' is of type Boolean"),
        ({"Text": "x", "Size": "huge"}, r"'Size' is huge, but must be one of \[small, large\]"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_at_the_start(
    world: World, given: dict[str, str], sentence: str
) -> None:
    world.create(document(invoke("a"), parameters=PARAMETERS))

    with refused("ValidationException", sentence):
        world.start(parameters=given)


def test_a_parameter_given_twice_is_refused(world: World) -> None:
    world.create(document(invoke("a"), parameters=PARAMETERS))

    with refused("ValidationException", "'Text' is given twice"):
        world.start(PipelineParameters=[{"Name": "Text", "Value": "1"}, {"Name": "Text", "Value": "2"}])


def test_executions_are_listed_the_latest_first_by_time_and_by_arn(world: World) -> None:
    world.create(document(fail("a")))
    arns = []
    for _ in range(3):
        arns.append(world.start())
        world.ended(arns[-1])
        world.later(minutes=1)

    def listed(**request: Any) -> list[str]:
        answer = world.call("ListPipelineExecutions", PipelineName="Abalone", **request)
        return [item["PipelineExecutionArn"] for item in answer["PipelineExecutionSummaries"]]

    assert listed() == arns[::-1]
    assert listed(SortOrder="Ascending", SortBy="PipelineExecutionArn") == sorted(arns)
    assert listed(CreatedAfter=world.now.timestamp() - 130, CreatedBefore=world.now.timestamp() - 70) == [arns[1]]
    (summary, *_) = world.call("ListPipelineExecutions", PipelineName="Abalone")["PipelineExecutionSummaries"]
    assert summary["PipelineExecutionStatus"] == "Failed"
    assert summary["PipelineExecutionFailureReason"] == "stop here"


def test_steps_are_listed_the_latest_first(world: World) -> None:
    _, arn = world.run(document(invoke("a", DisplayName="A", Description="first"), invoke("b", DependsOn=["a"])))

    answer = world.call("ListPipelineExecutionSteps", PipelineExecutionArn=arn)["PipelineExecutionSteps"]

    assert [step["StepName"] for step in answer] == ["b", "a"]
    assert answer[1]["StepDisplayName"] == "A"
    assert answer[1]["StepDescription"] == "first"
    assert answer[1]["AttemptCount"] == 1


def test_the_same_stop_token_again_changes_nothing(world: World) -> None:
    world.sagemaker.hold("a")
    world.create(document(processing("a")))
    arn = world.start()
    token = world.token()

    for _ in range(2):
        answer = world.call("StopPipelineExecution", PipelineExecutionArn=arn, ClientRequestToken=token)
        world.ended(arn)

    assert answer == {"PipelineExecutionArn": arn}
    stopping = [d for d in world.events.details() if d["currentPipelineExecutionStatus"] == "Stopping"]
    assert len(stopping) == 1


@pytest.mark.parametrize(
    ("status", "name"),
    [
        ("Executing", "sagemaker/near-misses/pipeline-execution-executing"),
        ("Succeeded", "sagemaker/pipeline-execution-succeeded"),
    ],
)
def test_an_execution_s_event_has_the_members_of_the_documented_one(world: World, status: str, name: str) -> None:
    world.create(SIMPLE)
    arn = world.start(PipelineExecutionDisplayName="run-42", PipelineExecutionDescription="nightly")
    world.ended(arn)

    told = [event for event in world.events.sent if event[2].get("currentPipelineExecutionStatus") == status]

    ((detail_type, resources, detail),) = told
    expected = sample(name)
    assert detail_type == expected["detail-type"]
    assert resources == [ARN, arn]
    assert set(detail) == set(expected["detail"])
    assert detail["executionStartTime"] == "2026-11-20T16:03:13Z"


def test_a_failed_step_s_event_has_the_members_of_the_documented_one(world: World) -> None:
    world.sagemaker.fail("Preprocess", "exit code 1")
    _, arn = world.run(document(processing("Preprocess")))

    detail_type, resources, detail = [event for event in world.events.sent if "stepName" in event[2]][-1]

    expected = sample("sagemaker/near-misses/pipeline-step-failed")
    assert detail_type == expected["detail-type"]
    assert resources == [ARN, arn]
    assert set(detail) == set(expected["detail"])
    assert {key: detail[key] for key in ("stepName", "stepType", "previousStepStatus", "failureReason")} == {
        key: expected["detail"][key] for key in ("stepName", "stepType", "previousStepStatus", "failureReason")
    }
    assert list(detail["metadata"]) == ["processingJob"]
    assert list(detail["metadata"]["processingJob"]) == ["arn"]


def test_outputs_of_a_function_are_told_in_camel_case(world: World) -> None:
    world.access.functions.answer = {"rows": 3}
    world.run(document(invoke("count", outputs=[("rows", "Integer")])))

    detail = world.events.details("Step")[-1]

    assert detail["metadata"]["lambda"]["outputParameters"] == [{"name": "rows", "value": "3"}]


def test_the_settings_have_the_quotas_of_the_service(world: World) -> None:
    assert set(Pipelines(world.cloud, world.resources).operations()) == set(world.operations)
    assert (Settings().concurrent_executions, Settings().pipelines) == (20, 500)
