"""Small pipeline definitions, and the steps to make them of."""

import json
from typing import Any

import pytest

from sagemaker_local.core.errors import ApiError
from sagemaker_local.pipelines.definition import parse
from sagemaker_local.pipelines.model import Definition

JOB_ROLE = "arn:aws:iam::123456789012:role/jobs"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:count"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/own:1"


def get(path: str) -> dict[str, str]:
    """Return a reference."""
    return {"Get": path}


FILE = {"PropertyFileName": "Report", "OutputName": "out", "FilePath": "report.json"}
MSE = {"Std:JsonGet": {"PropertyFile": get("Steps.evaluate.PropertyFiles.Report"), "Path": "mse"}}


def document(*steps: dict[str, Any], parameters: Any = (), **members: Any) -> dict[str, Any]:
    """Return a definition."""
    return {"Version": "2020-12-01", "Parameters": list(parameters), "Steps": list(steps), **members}


def processing(name: str, inputs: Any = (), outputs: Any = ("out",), **fields: Any) -> dict[str, Any]:
    """Return a Processing step that reads `inputs` (URIs) and writes `outputs` (names)."""
    arguments = {
        "AppSpecification": {"ImageUri": IMAGE},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
        },
        "RoleArn": JOB_ROLE,
        "ProcessingInputs": [
            {
                "InputName": f"in-{number}",
                "S3Input": {"S3Uri": uri, "LocalPath": "/opt/ml/processing/in", "S3DataType": "S3Prefix"},
            }
            for number, uri in enumerate(inputs)
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": output,
                    "S3Output": {
                        "S3Uri": f"s3://bucket/{name}/{output}",
                        "LocalPath": f"/opt/ml/processing/{output}",
                        "S3UploadMode": "EndOfJob",
                    },
                }
                for output in outputs
            ]
        },
    }
    return {"Name": name, "Type": "Processing", "Arguments": arguments, **fields}


def training(name: str, data: Any = "s3://bucket/train", rate: Any = "0.2", **fields: Any) -> dict[str, Any]:
    """Return a Training step."""
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": data}}
    arguments = {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "HyperParameters": {"eta": rate},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": source}],
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "RoleArn": JOB_ROLE,
    }
    return {"Name": name, "Type": "Training", "Arguments": arguments, **fields}


def condition(name: str, conditions: Any, then: Any = (), otherwise: Any = (), **fields: Any) -> dict[str, Any]:
    """Return a Condition step."""
    arguments = {"Conditions": conditions, "IfSteps": list(then), "ElseSteps": list(otherwise)}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **fields}


def compare(kind: str, left: Any, right: Any) -> dict[str, Any]:
    """Return a comparison."""
    return {"Type": kind, "LeftValue": left, "RightValue": right}


def fail(name: str, message: Any = "stop here", **fields: Any) -> dict[str, Any]:
    """Return a Fail step."""
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **fields}


def invoke(name: str, arguments: Any = (), outputs: Any = (), **fields: Any) -> dict[str, Any]:
    """Return a Lambda step with `outputs` as (name, type)."""
    return {
        "Name": name,
        "Type": "Lambda",
        "FunctionArn": FUNCTION,
        "Arguments": dict(arguments),
        "OutputParameters": [{"OutputName": output, "OutputType": kind} for output, kind in outputs],
        **fields,
    }


def register(
    name: str, group: str = "abalone", data: Any = "s3://bucket/model.tar.gz", **fields: Any
) -> dict[str, Any]:
    """Return a RegisterModel step."""
    arguments = {
        "ModelPackageGroupName": group,
        "InferenceSpecification": {
            "Containers": [{"Image": IMAGE, "ModelDataUrl": data}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        "ModelApprovalStatus": "PendingManualApproval",
    }
    return {"Name": name, "Type": "RegisterModel", "Arguments": arguments, **fields}


def model(name: str, data: Any = "s3://bucket/model.tar.gz", **fields: Any) -> dict[str, Any]:
    """Return a Model step."""
    arguments = {"ExecutionRoleArn": JOB_ROLE, "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": data}}
    return {"Name": name, "Type": "Model", "Arguments": arguments, **fields}


def transform(name: str, model_name: Any, **fields: Any) -> dict[str, Any]:
    """Return a Transform step."""
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/test"}}
    arguments = {
        "ModelName": model_name,
        "TransformInput": {"DataSource": source},
        "TransformOutput": {"S3OutputPath": "s3://bucket/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    return {"Name": name, "Type": "Transform", "Arguments": arguments, **fields}


def read(*steps: Any, **members: Any) -> Definition:
    """Return a definition of these steps as the service reads it."""
    return parse(json.dumps(document(*steps, **members)))


def refusal(*steps: Any, **members: Any) -> str:
    """Return the sentence, without its usual beginning, by which the service refuses a definition of these steps."""
    with pytest.raises(ApiError) as caught:
        read(*steps, **members)
    assert caught.value.code == "ValidationException"
    assert caught.value.message.startswith("Unable to parse pipeline definition. ")
    return caught.value.message.removeprefix("Unable to parse pipeline definition. ")


def with_argument(step: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """Return a step with one of its arguments set."""
    return {**step, "Arguments": {**step["Arguments"], name: value}}
