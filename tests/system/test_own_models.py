"""Models of other people's pipelines: without our properties, of several containers, of JSON, two at once."""

import base64
import json
import struct
from pathlib import Path
from typing import Any

import httpx
import pytest

from sagemaker_local import inbox
from signalbox_local.browser import link
from tests.system.test_what_is_served import SCIKIT_LEARN
from tests.system.world import REGISTRY, World

FACTOR = f"{REGISTRY}/factor:1"
JSON = "application/json"
# Writes models, and how good each of them is: `name:factor:accuracy`.
MAKE = """
import io, json, sys, tarfile
from pathlib import Path
for given in sys.argv[1:]:
    name, factor, accuracy = given.split(":")
    home = Path("/opt/ml/processing/output", name)
    home.mkdir(parents=True, exist_ok=True)
    with tarfile.open(home / "model.tar.gz", "w:gz") as archive:
        entry = tarfile.TarInfo("factor")
        entry.size = len(factor)
        archive.addfile(entry, io.BytesIO(factor.encode()))
    metrics = {"accuracy": {"value": float(accuracy), "standard_deviation": 0.01}}
    (home / "evaluation.json").write_text(json.dumps({"regression_metrics": metrics}))
"""


def output_of(model: str) -> dict[str, str]:
    return {"Get": f"Steps.Make.ProcessingOutputConfig.Outputs['{model}'].S3Output.S3Uri"}


def in_output(model: str, name: str) -> dict[str, Any]:
    return {"Std:Join": {"On": "/", "Values": [output_of(model), name]}}


def made(world: World, pipeline: str, **models: str) -> dict[str, Any]:
    """Return the step that makes the models: each has a factor and an accuracy."""
    bucket = world.outputs["ArtifactsBucket"]
    home, code = f"s3://{bucket}/pipelines/{pipeline}/runs/1", f"code/{pipeline}/make.py"
    world.client("s3").put_object(Bucket=bucket, Key=code, Body=MAKE.encode())
    source = {
        "S3Uri": f"s3://{bucket}/{code}",
        "LocalPath": "/opt/ml/processing/code",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    outputs = [
        {
            "OutputName": name,
            "S3Output": {
                "S3Uri": f"{home}/{name}",
                "LocalPath": f"/opt/ml/processing/output/{name}",
                "S3UploadMode": "EndOfJob",
            },
        }
        for name in models
    ]
    return {
        "Name": "Make",
        "Type": "Processing",
        "Arguments": {
            "ProcessingResources": {
                "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
            },
            "AppSpecification": {
                "ImageUri": SCIKIT_LEARN,
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/code/make.py"],
                "ContainerArguments": [f"{name}:{how}" for name, how in models.items()],
            },
            "RoleArn": world.outputs["JobRoleArn"],
            "ProcessingInputs": [{"InputName": "code", "S3Input": source}],
            "ProcessingOutputConfig": {"Outputs": outputs},
        },
        "PropertyFiles": [
            {"PropertyFileName": name, "OutputName": name, "FilePath": "evaluation.json"} for name in models
        ],
    }


def registered(world: World, model: str, **specification: Any) -> dict[str, Any]:
    """Return the step that registers one of the models, as the SageMaker SDK writes it: without properties of ours."""
    container = {"Image": FACTOR, "ModelDataUrl": in_output(model, "model.tar.gz")}
    statistics = {"ContentType": JSON, "S3Uri": in_output(model, "evaluation.json")}
    return {
        "Name": f"Register-{model}",
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": world.group(model),
            "ModelMetrics": {"ModelQuality": {"Statistics": statistics}},
            "InferenceSpecification": {
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
                **specification,
            },
            "ModelApprovalStatus": "PendingManualApproval",
        },
    }


def good_enough(model: str, step: dict[str, Any]) -> dict[str, Any]:
    """Return a step that goes on with another where a model is accurate enough."""
    accuracy = {
        "PropertyFile": {"Get": f"Steps.Make.PropertyFiles.{model}"},
        "Path": "regression_metrics.accuracy.value",
    }
    condition = {"Type": "GreaterThanOrEqualTo", "LeftValue": {"Std:JsonGet": accuracy}, "RightValue": 0.8}
    return {
        "Name": f"Check-{model}",
        "Type": "Condition",
        "Arguments": {"Conditions": [condition], "IfSteps": [step], "ElseSteps": []},
    }


def run(world: World, name: str, *steps: dict[str, Any]) -> str:
    """Run a pipeline of somebody's own to its end, and return how it ended."""
    sagemaker, pipeline = world.client("sagemaker"), world.group(name)
    definition = json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": list(steps)})
    role = world.outputs["PipelineRoleArn"]
    sagemaker.create_pipeline(PipelineName=pipeline, PipelineDefinition=definition, RoleArn=role)
    execution = sagemaker.start_pipeline_execution(PipelineName=pipeline)["PipelineExecutionArn"]

    def ended() -> str | None:
        status: str = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)["PipelineExecutionStatus"]
        return None if status == "Executing" else status

    return world.wait_for(f"the end of {name}", ended)


def ask(world: World, model: str, stage: str, body: str, content_type: str) -> str:
    """Return what a stage's model answers."""
    endpoint = f"{world.outputs['Prefix']}-{model}-{stage}"
    runtime = world.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=endpoint, Body=body.encode(), ContentType=content_type)
    return str(answer["Body"].read().decode())


def words(mail: dict[str, Any]) -> str:
    return " ".join(inbox.text(mail).split())


def test_a_package_without_our_properties_is_reviewed_by_the_metrics_of_the_registry_and_goes_to_prod(
    world: World,
) -> None:
    ended = run(world, "stranger", made(world, "stranger", stranger="3:0.97"), registered(world, "stranger"))
    assert ended == "Succeeded"

    mail = world.mail("approve", "stranger version 1")
    assert "Not tested on held-out rows; registered with Accuracy 0.97." in inbox.subject(mail)
    for said in (words(mail), " ".join(httpx.get(link(mail, "approve"), timeout=30).text.split())):
        assert "This model was not tested on held-out rows." in said
        assert "which problem it solves" in said
        assert "No golden requests are there" in said
    world.approve(mail)
    world.approve(world.mail("to prod", "stranger version 1"))

    assert "There were no golden requests to compare its answers with." in words(
        world.mail("stranger version 1 is released")
    )
    assert ask(world, "stranger", "prod", "1,2\n", "text/csv") == "9.0\n"
    assert world.package("stranger", 1)["ModelApprovalStatus"] == "Approved"


def test_a_pipeline_model_of_two_containers_is_tested_released_and_asked_as_one_model(world: World) -> None:
    bucket, s3 = world.outputs["ArtifactsBucket"], world.client("s3")
    s3.put_object(Bucket=bucket, Key="pipelines/chained/runs/1/unpacked/factor", Body=b"5")
    rows = "".join(f"{2 * 5 * (a + b)},{a},{b}\n" for a in range(4) for b in range(5))
    s3.put_object(Bucket=world.outputs["DataBucket"], Key="models/chained/test/rows.csv", Body=rows.encode())
    unpacked = {
        "S3Uri": f"s3://{bucket}/pipelines/chained/runs/1/unpacked/",
        "S3DataType": "S3Prefix",
        "CompressionType": "None",
    }
    containers = [{"Image": FACTOR}, {"Image": FACTOR, "ModelDataSource": {"S3DataSource": unpacked}}]
    step = registered(world, "chained", Containers=containers)
    del step["Arguments"]["ModelMetrics"]
    step["Arguments"]["CustomerMetadataProperties"] = {
        "problem": "regression",
        "test-data": f"s3://{world.outputs['DataBucket']}/models/chained/test/",
    }
    assert run(world, "chained", step) == "Succeeded"

    mail = world.mail("approve", "chained version 1")
    assert "MSE 0." in inbox.subject(mail)
    world.approve(mail)
    world.approve(world.mail("to prod", "chained version 1"))

    told = words(world.mail("chained version 1 is released"))
    assert "answered the golden requests as the batch transform did." in told
    assert ask(world, "chained", "prod", "1,2\n", "text/csv") == "30.0\n"
    images = world.endpoint("chained", "prod")["ProductionVariants"][0]["DeployedImages"]  # type: ignore[index]  # it serves
    assert len(images) == 2


def document(world: World, model: str, **changes: Any) -> None:
    """Write a model's document, as the stack of its project does; it runs as the roles of the main stack."""
    roles = {"job": "JobRoleArn", "test": "JobRoleArn", "model": "ModelRoleArn"}
    whole = {
        "model": model,
        "project": "speech",
        "id": "speech-0123456789ab",
        "roles": {role: world.outputs[output] for role, output in roles.items()},
        **changes,
    }
    world.client("ssm").put_parameter(
        Name=f"/{world.outputs['Prefix']}/models/{model}", Type="String", Value=json.dumps(whole)
    )


def test_a_model_of_json_cannot_be_tested_and_is_held_to_its_first_answers_from_stage_to_stage(world: World) -> None:
    asked = json.dumps({"content_type": JSON, "body": '{"x": 3}'})
    golden = "models/spoken/golden.jsonl"
    world.client("s3").put_object(Bucket=world.outputs["DataBucket"], Key=golden, Body=asked.encode())
    place = f"s3://{world.outputs['DataBucket']}/{golden}"
    stages = [{"name": name, "instance_type": "ml.m5.large", "instance_count": 1} for name in ("trial", "live")]
    document(world, "spoken", stages=stages, test={"content_type": JSON, "golden": place}, tags={"team": "x"})
    takes = {"SupportedContentTypes": [JSON], "SupportedResponseMIMETypes": [JSON]}
    step = registered(world, "spoken", **takes)
    step["Arguments"]["InferenceSpecification"]["Containers"][0]["Environment"] = {"SPEAKS": JSON}
    assert run(world, "spoken", made(world, "spoken", spoken="4:0.5"), step) == "Succeeded"

    mail = world.mail("approve", "spoken version 1")
    assert "It takes application/json, and test rows are text/csv." in words(mail)
    assert "Its project has 1 golden request, without right answers" in words(mail)
    world.approve(mail)

    told = words(world.mail("spoken version 1 is released to trial and live"))
    assert "answered its project's golden requests: these first answers are what later ones are held to." in told
    asked_for = ("--model", "spoken", "--content-type", JSON, "--data", '{"x": 2}')
    assert json.loads(world.signalbox("invoke", "live", *asked_for)) == {"y": 8.0}  # no stage of the stack
    arn = world.endpoint("spoken", "live")["EndpointArn"]  # type: ignore[index]  # it serves
    tags = {tag["Key"]: tag["Value"] for tag in world.client("sagemaker").list_tags(ResourceArn=arn)["Tags"]}
    assert (tags["sagemaker:project-name"], tags["team"]) == ("speech", "x")


# A PNG of 3 by 2 pixels, as far as it is read: what is no UTF-8 shows that bytes come through as they are.
PICTURE = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", 3, 2) + b"\x08\xff\xfe\x00"


@pytest.mark.parametrize(
    ("content_type", "answers", "golden", "asked", "answer"),
    [
        ("image/png", JSON, PICTURE, PICTURE, '{"y": 30.0}'),
        ("application/jsonlines", "application/jsonlines", b'{"x": 1}\n{"x": 2}\n', b'{"x": 4}\n', '{"y": 20.0}'),
    ],
    ids=["images", "lines"],
)
def test_a_model_of_another_content_type_goes_to_prod_and_answers_there(
    world: World, tmp_path: Path, content_type: str, answers: str, golden: bytes, asked: bytes, answer: str
) -> None:
    model = f"of-{content_type.partition('/')[2]}"
    request = {"content_type": content_type, "body_base64": base64.b64encode(golden).decode()}
    key = f"models/{model}/golden.jsonl"
    world.client("s3").put_object(Bucket=world.outputs["DataBucket"], Key=key, Body=json.dumps(request).encode())
    place = f"s3://{world.outputs['DataBucket']}/{key}"
    document(world, model, test={"content_type": content_type, "golden": place})
    takes = {"SupportedContentTypes": [content_type], "SupportedResponseMIMETypes": [answers]}
    step = registered(world, model, **takes)
    step["Arguments"]["InferenceSpecification"]["Containers"][0]["Environment"] = {"SPEAKS": content_type}
    assert run(world, model, made(world, model, **{model: "5:0.5"}), step) == "Succeeded"

    mail = world.mail("approve", f"{model} version 1")
    assert f"It takes {content_type}, and test rows are text/csv." in words(mail)
    world.approve(mail)
    world.approve(world.mail("to prod", f"{model} version 1"))

    told = words(world.mail(f"{model} version 1 is released"))
    assert "answered its project's golden requests: these first answers are what later ones are held to." in told
    (tmp_path / "asked").write_bytes(asked)
    words_of = ("--model", model, "--content-type", content_type, "--file", str(tmp_path / "asked"))
    assert world.signalbox("invoke", "prod", *words_of).decode().strip() == answer


def test_of_two_models_of_one_pipeline_the_one_below_its_threshold_is_not_registered(world: World) -> None:
    made_both = made(world, "pair", good="6:0.9", poor="7:0.5")
    steps = [good_enough(model, registered(world, model)) for model in ("good", "poor")]
    assert run(world, "pair", made_both, *steps) == "Succeeded"

    world.approve(world.mail("approve", "good version 1"))
    world.approve(world.mail("to prod", "good version 1"))

    world.mail("good version 1 is released")
    assert ask(world, "good", "prod", "1\n", "text/csv") == "6.0\n"
    assert not world.has_group("poor")
    assert not world.mails("poor version")
