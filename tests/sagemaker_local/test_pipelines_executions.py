"""The operations on executions: tokens, quotas, parameters and pages."""

import json
import threading
from typing import Any

import pytest
from tests.sagemaker_local.support.pipeline_steps import document, fail, get, invoke, processing
from tests.sagemaker_local.support.pipelines import World

from sagemaker_local.core.errors import ApiError
from sagemaker_local.pipelines.settings import PipelineSettings

ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/abalone"
SIMPLE = document(invoke("a"))


@pytest.fixture
def world() -> World:
    return World()


def refused(code: str, sentence: str = "") -> Any:
    return pytest.raises(ApiError, match=f"^{code}: .*{sentence}")


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
    world = World(PipelineSettings(poll_seconds=0.002, concurrent_executions=2))
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
