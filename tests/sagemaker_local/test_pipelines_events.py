"""The events of executions and steps, against the documented ones."""

import pytest
from tests.sagemaker_local.support.pipeline_steps import document, invoke, processing
from tests.sagemaker_local.support.pipelines import World
from tests.support.samples import sample

ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/abalone"
SIMPLE = document(invoke("a"))


@pytest.fixture
def world() -> World:
    return World()


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

    sent = [event for event in world.events.sent if event[2].get("currentPipelineExecutionStatus") == status]

    ((detail_type, resources, detail),) = sent
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
