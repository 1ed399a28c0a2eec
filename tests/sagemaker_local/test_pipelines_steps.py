"""Steps by type: the calls that they make as the pipeline's role, and what they leave."""

import io
import json
import re
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ParamValidationError
from tests.sagemaker_local.support.pipeline_steps import (
    FUNCTION,
    compare,
    condition,
    document,
    fail,
    get,
    invoke,
    model,
    processing,
    register,
    training,
    transform,
)
from tests.sagemaker_local.support.pipelines import ROLE, World
from tests.support.botocore_strict import client_error

from sagemaker_local.core.resources import PACKAGE_GROUP


@pytest.fixture
def world() -> World:
    return World()


def reason(world: World, arn: str, step: str) -> str:
    return str(world.steps(arn)[step]["FailureReason"])


def test_a_job_is_named_after_execution_and_step_and_made_as_the_role(world: World) -> None:
    _, arn = world.run(document(processing("Prepare_the-Data-of-the-Shells")))

    (request,) = world.sagemaker.requests("CreateProcessingJob")
    execution = arn.rsplit("/", 1)[-1]
    name = request["ProcessingJobName"]
    assert re.fullmatch(rf"pipelines-{execution}-Prepare-the-Data-of-[a-zA-Z0-9]{{10}}", name)
    assert world.access.acted == [("sagemaker", ROLE)]
    job = world.steps(arn)["Prepare_the-Data-of-the-Shells"]["Metadata"]["ProcessingJob"]
    assert job["Arn"].endswith(f"processing-job/{name}")


def test_references_carry_values_from_step_to_step(world: World) -> None:
    output = get("Steps.prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri")
    artifacts = get("Steps.train.ModelArtifacts.S3ModelArtifacts")
    steps = [
        processing("prepare", outputs=("test", "train")),
        training("train", data=output, rate={"Std:Join": {"Values": [get("Parameters.Rate")]}}),
        model("model", data=artifacts),
        transform("predict", get("Steps.model.ModelName")),
        processing("report", inputs=[get("Steps.predict.TransformOutput.S3OutputPath")]),
        register("register", data=artifacts),
    ]
    declared = [{"Name": "Rate", "Type": "Float", "DefaultValue": 0.2}]

    described, arn = world.run(document(*steps, parameters=declared))

    assert described["PipelineExecutionStatus"] == "Succeeded"
    (trained,) = world.sagemaker.requests("CreateTrainingJob")
    assert trained["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] == "s3://bucket/prepare/train"
    assert trained["HyperParameters"] == {"eta": "0.2"}
    (made,) = world.sagemaker.requests("CreateModel")
    assert made["PrimaryContainer"]["ModelDataUrl"] == "s3://bucket/models/train/model.tar.gz"
    (predicted,) = world.sagemaker.requests("CreateTransformJob")
    assert predicted["ModelName"] == made["ModelName"]
    metadata = {name: step["Metadata"] for name, step in world.steps(arn).items()}
    assert metadata["model"]["Model"]["Arn"].endswith(f"model/{made['ModelName'].lower()}")
    assert list(metadata["predict"]) == ["TransformJob"]


def test_facts_of_the_execution_reach_the_steps(world: World) -> None:
    facts = ["StartDateTime", "CurrentDateTime", "PipelineName", "PipelineArn", "PipelineExecutionId"]
    facts += ["PipelineExecutionArn", "TrainingJobName"]
    rate = {"Std:Join": {"On": " ", "Values": [get(f"Execution.{fact}") for fact in facts]}}
    world.create(document(training("train", rate=rate)))
    arn = world.start()
    world.ended(arn)

    (request,) = world.sagemaker.requests("CreateTrainingJob")
    pipeline, _, identity = arn.rsplit("/", 2)
    now = "2026-11-20T16:03:13.000Z"
    assert request["HyperParameters"]["eta"].split() == [
        *(now, now, "Abalone", pipeline, identity, arn, request["TrainingJobName"])
    ]


def test_the_name_of_another_kind_of_job_has_no_value(world: World) -> None:
    _, arn = world.run(document(training("train", rate=get("Execution.ProcessingJobName"))))

    assert reason(world, arn, "train") == "ClientError: 'Execution.ProcessingJobName' has no value in this step"


def test_a_refused_call_fails_the_step_with_the_service_s_words(world: World) -> None:
    sentence = "User: x is not authorized to perform: sagemaker:CreateTrainingJob"
    world.sagemaker.answers["create_training_job"] = client_error("AccessDeniedException", sentence)

    _, arn = world.run(document(training("train")))

    assert reason(world, arn, "train") == (
        f"ClientError: Failed to invoke sagemaker:CreateTrainingJob. Error Details: {sentence}"
    )
    assert "Metadata" not in world.steps(arn)["train"]


def test_a_request_that_the_client_itself_refuses_fails_the_step_at_once(world: World) -> None:
    world.sagemaker.answers["create_training_job"] = ParamValidationError(report="no such type")

    _, arn = world.run(document(training("train")))

    assert "no such type" in reason(world, arn, "train")
    assert world.steps(arn)["train"]["AttemptCount"] == 1


def test_a_description_that_fails_for_a_moment_does_not_fail_the_step(world: World) -> None:
    job = {"ProcessingJobStatus": "Completed"}
    unreachable = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
    world.sagemaker.answers["describe_processing_job"] = [client_error("ThrottlingException"), unreachable, job]

    described, _ = world.run(document(processing("a")))

    assert described["PipelineExecutionStatus"] == "Succeeded"
    assert len(world.sagemaker.jobs) == 1


@pytest.mark.parametrize(("code", "looks"), [("AccessDeniedException", 1), ("ThrottlingException", 10)])
def test_a_job_that_cannot_be_described_fails_the_step_and_is_not_started_twice(
    world: World, code: str, looks: int
) -> None:
    world.sagemaker.answers["describe_processing_job"] = client_error(code)

    _, arn = world.run(document(processing("a")))

    assert "Failed to invoke sagemaker:DescribeProcessingJob" in reason(world, arn, "a")
    assert list(world.steps(arn)["a"]["Metadata"]) == ["ProcessingJob"]
    assert len(world.sagemaker.requests("DescribeProcessingJob")) == looks
    assert len(world.sagemaker.jobs) == 1


def test_registering_makes_the_group_and_names_the_execution_as_its_origin(world: World) -> None:
    _, arn = world.run(document(register("register")))

    (group,) = world.sagemaker.requests("CreateModelPackageGroup")
    (package,) = world.sagemaker.requests("CreateModelPackage")
    assert group == {"ModelPackageGroupName": "abalone"}
    assert package["MetadataProperties"] == {"GeneratedBy": arn}
    metadata = world.steps(arn)["register"]["Metadata"]["RegisterModel"]
    assert metadata["Arn"].endswith("model-package/abalone/1")


def test_registering_into_a_group_that_exists_does_not_make_it(world: World) -> None:
    world.resources.create(PACKAGE_GROUP, {"ModelPackageGroupName": "abalone"})

    world.run(document(register("register")))

    assert [name for name, _ in world.sagemaker.calls] == ["CreateModelPackage"]


@pytest.mark.parametrize(
    ("sentence", "status"),
    [("Model Package Group already exists: arn", "Succeeded"), ("not authorized", "Failed")],
)
def test_a_group_that_appears_meanwhile_does_no_harm_but_a_refusal_does(
    world: World, sentence: str, status: str
) -> None:
    world.sagemaker.answers["create_model_package_group"] = client_error("ValidationException", sentence)

    described, _ = world.run(document(register("register")))

    assert described["PipelineExecutionStatus"] == status


def test_a_package_without_a_group_is_left_to_the_service_to_judge(world: World) -> None:
    step = register("register")
    step["Arguments"] = {"ModelPackageName": "alone"}
    world.sagemaker.answers["create_model_package"] = client_error("ValidationException", "no versions here")

    _, arn = world.run(document(step))

    assert "no versions here" in reason(world, arn, "register")
    assert world.sagemaker.requests("CreateModelPackageGroup") == []


def test_a_function_gets_the_arguments_and_its_typed_outputs_are_used(world: World) -> None:
    world.access.functions.answer = {"rows": 3, "ratio": 0.5, "fine": True, "name": "x", "more": [1]}
    outputs = [("rows", "Integer"), ("ratio", "Float"), ("fine", "Boolean"), ("name", "String")]
    count = invoke("count", {"uri": get("Parameters.Uri"), "limit": 5}, outputs)
    expected = {"rows": 3.0, "ratio": 0.5, "fine": True, "name": "x"}
    checks = [
        compare("Equals", get(f"Steps.count.OutputParameters['{name}']"), value) for name, value in expected.items()
    ]
    declared = [{"Name": "Uri", "Type": "String", "DefaultValue": "s3://b/k"}]

    _, arn = world.run(document(count, condition("check", checks), parameters=declared))

    (request,) = world.access.functions.requests("Invoke")
    assert request["FunctionName"] == FUNCTION
    assert json.loads(request["Payload"]) == {"uri": "s3://b/k", "limit": 5}
    assert world.steps(arn)["check"]["Metadata"]["Condition"]["Outcome"] == "True"
    assert world.steps(arn)["count"]["Metadata"]["Lambda"] == {
        "Arn": FUNCTION,
        "OutputParameters": [
            {"Name": "rows", "Value": "3"},
            {"Name": "ratio", "Value": "0.5"},
            {"Name": "fine", "Value": "true"},
            {"Name": "name", "Value": "x"},
        ],
    }


def test_a_function_that_fails_fails_the_step_with_its_answer(world: World) -> None:
    world.access.functions.error, world.access.functions.answer = "Unhandled", {"errorMessage": "no rows"}

    _, arn = world.run(document(invoke("count")))

    assert "no rows" in reason(world, arn, "count")
    assert world.steps(arn)["count"]["Metadata"]["Lambda"]["Arn"] == FUNCTION


@pytest.mark.parametrize("answer", [{}, {"rows": "3"}, {"rows": True}, [3], None])
def test_a_function_that_leaves_out_an_output_fails_the_step(world: World, answer: Any) -> None:
    world.access.functions.answer = answer

    _, arn = world.run(document(invoke("count", outputs=[("rows", "Integer")])))

    assert reason(world, arn, "count") == "ClientError: the function's answer has no output 'rows' of type Integer"


def test_a_function_whose_answer_is_not_json_fails_the_step(world: World) -> None:
    world.access.functions.answers["invoke"] = {"StatusCode": 200, "Payload": io.BytesIO(b"<html>")}

    _, arn = world.run(document(invoke("count", outputs=[("rows", "Integer")])))

    assert "no output 'rows'" in reason(world, arn, "count")


def evaluated(world: World, content: str | None, path: str = "metrics.mse.value") -> tuple[dict[str, Any], str]:
    """Run an evaluation whose report has `content`, and a condition that reads it."""
    file = {"PropertyFileName": "Report", "OutputName": "report", "FilePath": "deep/report.json"}
    mse = {"Std:JsonGet": {"PropertyFile": get("Steps.evaluate.PropertyFiles.Report"), "Path": path}}
    if content is not None:
        world.access.s3.objects["s3://bucket/evaluate/report/deep/report.json"] = content.encode()
    steps = [
        processing("evaluate", outputs=["other", "report"], PropertyFiles=[file]),
        condition("check", [compare("LessThanOrEqualTo", mse, 6)], [], [fail("no", {"Std:Join": {"Values": [mse]}})]),
    ]
    return world.run(document(*steps))


@pytest.mark.parametrize("path", ["metrics.mse.value", "$.metrics.mse.value", "metrics['mse'][\"value\"]", "list[1]"])
def test_a_condition_reads_a_number_from_a_property_file_as_the_role(world: World, path: str) -> None:
    described, arn = evaluated(world, json.dumps({"metrics": {"mse": {"value": 4.5}}, "list": [9, 4.5]}), path)

    assert described["PipelineExecutionStatus"] == "Succeeded"
    assert world.steps(arn)["check"]["Metadata"]["Condition"]["Outcome"] == "True"
    assert ("s3", ROLE) in world.access.acted


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "The specified key does not exist. (s3://bucket/evaluate/report/deep/report.json)"),
        ("{", "report.json is not JSON"),
        ("{}", "'metrics.mse.value' in s3://bucket/evaluate/report/deep/report.json: there is no 'metrics'"),
        ('{"metrics": {"mse": {"value": [1]}}}', "is not a string, a number or a boolean"),
    ],
)
def test_a_property_file_that_cannot_be_used_fails_the_condition(
    world: World, content: str | None, sentence: str
) -> None:
    described, arn = evaluated(world, content)

    assert described["PipelineExecutionStatus"] == "Failed"
    assert sentence in reason(world, arn, "check")


def test_a_condition_reads_json_from_any_uri(world: World) -> None:
    world.access.s3.objects["s3://bucket/limits.json"] = b'{"mse": 6}'
    limit = {
        "Std:JsonGet": {"S3Uri": {"Std:Join": {"On": "/", "Values": ["s3://bucket", "limits.json"]}}, "Path": "mse"}
    }

    _, arn = world.run(document(condition("check", [compare("Equals", limit, 6)])))

    assert world.steps(arn)["check"]["Metadata"]["Condition"]["Outcome"] == "True"


def test_a_uri_that_names_no_object_fails_the_condition(world: World) -> None:
    limit = {"Std:JsonGet": {"S3Uri": "https://bucket/limits.json", "Path": "mse"}}

    _, arn = world.run(document(condition("check", [compare("Equals", limit, 6)])))

    assert "is not the URI of an S3 object" in reason(world, arn, "check")
