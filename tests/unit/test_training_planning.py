"""Planning one run of the mlops machine."""

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.support.botocore_strict import RecordingClient, check_request, client_error
from tests.support.training import (
    ARN,
    CONTAINER,
    HOME,
    IMAGE,
    IMAGE_INPUT,
    PACKAGE,
    SETTINGS,
    TEST_DATA,
    ports,
    question,
)

from signalbox.aws.errors import CallRefusedError
from signalbox.aws.s3 import ObjectStore
from signalbox.contracts import TrainingPlan
from signalbox.training.model import InvalidRequestError
from signalbox.training.planning import plan

KEY = SETTINGS.key_arn


def image_plan(**more: str) -> TrainingPlan:
    return plan(question(IMAGE_INPUT | more), ports())


def test_an_image_gets_its_names_and_places_from_the_model_and_the_execution() -> None:
    planned = image_plan()
    assert (planned["entry"], planned["model"], planned["package"]) == ("image", "iris-decision-tree", None)
    assert len(set(planned["names"].values())) == 3
    evaluation = planned["evaluation"]
    assert evaluation == {
        "model": "iris-decision-tree",
        "group": "signalbox-iris-decision-tree",
        "package": None,
        "commit": "8c1d",
        "image": IMAGE,
        "model_data": f"s3://artifacts-bucket/training/run-1/{planned['names']['training']}/output/model.tar.gz",
        "content_type": "text/csv",
        "test_data": f"{HOME}/test/",
        "predictions": "s3://artifacts-bucket/transforms/run-1/",
        "evidence": "s3://artifacts-bucket/evaluations/run-1/",
        "client_token": evaluation["client_token"],
        "lineage": {"train_data": f"{HOME}/train/"},
    }


@pytest.mark.parametrize("machine_input", [IMAGE_INPUT, {"package": ARN}])
def test_every_request_is_one_that_sagemaker_takes(machine_input: dict[str, Any]) -> None:
    planned = plan(question(machine_input), ports())
    operations = {
        "training": "CreateTrainingJob",
        "model": "CreateModel",
        "transform": "CreateTransformJob",
        "group": "CreateModelPackageGroup",
    }
    for name, request in planned["requests"].items():
        if request is not None:
            check_request("sagemaker", operations[name], json.loads(json.dumps(request)))
    check_request("sagemaker", "StopTrainingJob", {"TrainingJobName": planned["names"]["training"]})
    check_request("sagemaker", "StopTransformJob", {"TransformJobName": planned["names"]["transform"]})
    evaluation = planned["evaluation"]
    token = {"ClientToken": evaluation["client_token"], "ModelPackageGroupName": evaluation["group"]}
    check_request("sagemaker", "CreateModelPackage", token)


def test_an_image_is_trained_on_its_training_data_as_the_stack_is_set_up() -> None:
    planned = image_plan()
    assert planned["requests"]["training"] == {
        "TrainingJobName": planned["names"]["training"],
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": "arn:aws:iam::123456789012:role/jobs",
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"{HOME}/train/",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
        ],
        "OutputDataConfig": {
            "S3OutputPath": "s3://artifacts-bucket/training/run-1",
            "CompressionType": "GZIP",
            "KmsKeyId": KEY,
        },
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 14400},
        "HyperParameters": {"max_leaf_nodes": "30"},
        "Tags": [
            {"Key": "signalbox:model", "Value": "iris-decision-tree"},
            {"Key": "signalbox:execution", "Value": "run-1"},
        ],
    }


def test_the_model_is_what_the_training_will_leave() -> None:
    planned = image_plan()
    assert planned["requests"]["model"] == {
        "ModelName": planned["names"]["model"],
        "PrimaryContainer": {
            "Image": IMAGE,
            "ModelDataUrl": planned["evaluation"]["model_data"],
            "Environment": {},
        },
        "ExecutionRoleArn": "arn:aws:iam::123456789012:role/jobs",
        "Tags": [
            {"Key": "signalbox:model", "Value": "iris-decision-tree"},
            {"Key": "signalbox:execution", "Value": "run-1"},
        ],
    }


def test_the_transform_hides_the_label_from_the_model_and_joins_it_again() -> None:
    planned = image_plan()
    assert planned["requests"]["transform"] == {
        "TransformJobName": planned["names"]["transform"],
        "ModelName": planned["names"]["model"],
        "BatchStrategy": "MultiRecord",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{HOME}/test/"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": "s3://artifacts-bucket/transforms/run-1/",
            "Accept": "text/csv",
            "KmsKeyId": KEY,
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "DataProcessing": {"InputFilter": "$[1:]", "JoinSource": "Input"},
        "Tags": [
            {"Key": "signalbox:model", "Value": "iris-decision-tree"},
            {"Key": "signalbox:execution", "Value": "run-1"},
        ],
    }


def test_an_image_is_registered_in_the_group_of_its_model() -> None:
    assert image_plan()["requests"]["group"] == {
        "ModelPackageGroupName": "signalbox-iris-decision-tree",
        "Tags": [{"Key": "signalbox:model", "Value": "iris-decision-tree"}],
    }


def test_the_same_execution_gets_the_same_plan_and_another_one_other_names() -> None:
    first = image_plan()
    assert image_plan() == first
    other = question(IMAGE_INPUT)
    other["execution"], other["execution_arn"] = "run-2", "arn:run-2"
    second = plan(other, ports())
    assert not set(first["names"].values()) & set(second["names"].values())
    assert second["evaluation"]["client_token"] != first["evaluation"]["client_token"]


def test_a_package_brings_its_container_and_its_test_data_and_is_not_trained() -> None:
    planned = plan(question({"package": ARN}), ports())
    assert (planned["entry"], planned["model"], planned["package"]) == ("package", "abalone", ARN)
    assert (planned["requests"]["training"], planned["requests"]["group"]) == (None, None)
    assert planned["requests"]["model"]["PrimaryContainer"] == CONTAINER
    assert (planned["evaluation"]["commit"], planned["evaluation"]["test_data"]) == ("8c1d", TEST_DATA)


def described(**changes: Any) -> dict[str, Any]:
    return PACKAGE | {"InferenceSpecification": PACKAGE["InferenceSpecification"] | changes}


@pytest.mark.parametrize(
    ("package", "message"),
    [
        (client_error("ValidationException", "the package does not exist"), "is not in the registry"),
        (PACKAGE | {"ModelPackageStatus": "Failed"}, "is Failed"),
        (PACKAGE | {"InferenceSpecification": {"SupportedContentTypes": ["text/csv"]}}, "has 0 containers"),
        (described(Containers=[CONTAINER, CONTAINER]), "has 2 containers"),
        (described(Containers=[{"Image": "image"}]), "no ModelDataUrl"),
        (PACKAGE | {"CustomerMetadataProperties": {"owner": "ann"}}, "'test-data'"),
        (
            PACKAGE | {"CustomerMetadataProperties": {"test-data": TEST_DATA, "content-type": "application/json"}},
            "application/json",
        ),
        (described(SupportedContentTypes=["text/libsvm"]), "text/libsvm"),
    ],
)
def test_a_package_that_cannot_be_evaluated_is_refused_with_the_reason(package: Any, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        plan(question({"package": ARN}), ports(package))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model": "unknown"}, "train_data s3://data-bucket/models/unknown/train/ holds no data"),
        ({"test_data": "s3://data-bucket/nothing/"}, "test_data s3://data-bucket/nothing/ holds no data"),
        ({"test_data": "s3://other-bucket/test/"}, "test_data is in the bucket other-bucket"),
        ({"train_data": "s3://data-bucket"}, "train_data is 's3://data-bucket': give an S3 prefix"),
    ],
)
def test_missing_or_foreign_data_are_refused_before_anything_runs(given: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        image_plan(**given)


def test_folder_markers_and_empty_files_are_no_data_however_many_there_are() -> None:
    empty = {f"{HOME}/train/": "", f"{HOME}/train/a.csv": "", f"{HOME}/train/b.csv": "", f"{HOME}/test/a.csv": "9,M"}
    with pytest.raises(InvalidRequestError, match=f"train_data {HOME}/train/ holds no data"):
        plan(question(IMAGE_INPUT), ports(data=empty))
    planned = plan(question(IMAGE_INPUT), ports(data=empty | {f"{HOME}/train/c.csv": "9,M"}))
    assert planned["entry"] == "image"


def test_a_bucket_that_does_not_exist_holds_no_data() -> None:
    with pytest.raises(InvalidRequestError, match="holds no data"):
        plan(question(IMAGE_INPUT), ports(data={}))


def test_a_refused_listing_is_not_taken_for_missing_data() -> None:
    client: Any = RecordingClient("s3", {"list_objects_v2": client_error("AccessDenied")})
    with pytest.raises(CallRefusedError, match="AccessDenied"):
        plan(question(IMAGE_INPUT), replace(ports(), objects=ObjectStore(client)))
