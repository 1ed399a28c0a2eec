"""Planning one run of the mlops machine."""

from dataclasses import replace
from typing import Any

import pytest
from tests.support.botocore_strict import check_request

from signalbox.training.plan import InvalidRequestError, Places, plan
from signalbox.training.ports import Container, Package

PLACES = Places("signalbox", "data-bucket", "artifacts-bucket")
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris-decision-tree:8c1d"
ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/signalbox-abalone/3"
TEST_DATA = "s3://artifacts-bucket/pipelines/abalone/test/"
PACKAGE = Package(
    arn=ARN,
    status="Completed",
    containers=[Container("image", "s3://artifacts-bucket/model.tar.gz", {"A": "b"})],
    properties={"test-data": TEST_DATA},
    content_types=["text/csv"],
    commit="8c1d",
)


class FakeObjects:
    """Remembers which prefixes hold data."""

    def __init__(self, *uris: str) -> None:
        self.uris = uris

    def holds_data(self, uri: str) -> bool:
        """See `Objects`."""
        return uri in self.uris


class FakePackages:
    """A registry of a few packages."""

    def __init__(self, *packages: Package) -> None:
        self.packages = {package.arn: package for package in packages}

    def find(self, arn: str) -> Package | None:
        """See `Packages`."""
        return self.packages.get(arn)


DEFAULTS = FakeObjects(
    "s3://data-bucket/models/iris-decision-tree/train/", "s3://data-bucket/models/iris-decision-tree/test/", TEST_DATA
)


def event(machine_input: Any) -> dict[str, Any]:
    arn = "arn:aws:states:us-east-1:123456789012:execution:mlops:run-1"
    return {"execution": "run-1", "execution_arn": arn, "input": machine_input}


def test_an_image_gets_its_data_names_and_places_from_the_model_and_the_execution() -> None:
    planned = plan(event({"image": IMAGE, "commit": "8c1d"}), PLACES, DEFAULTS, FakePackages())
    assert planned["entry"] == "image"
    assert (planned["model"], planned["group"]) == ("iris-decision-tree", "signalbox-iris-decision-tree")
    assert planned["train_data"] == "s3://data-bucket/models/iris-decision-tree/train/"
    assert planned["test_data"] == "s3://data-bucket/models/iris-decision-tree/test/"
    assert planned["outputs"] == {
        "training": "s3://artifacts-bucket/training/run-1/",
        "transform": "s3://artifacts-bucket/transforms/run-1/",
        "evaluation": "s3://artifacts-bucket/evaluations/run-1/",
    }
    assert (planned["package"], planned["model_data"], planned["environment"]) == (None, None, {})
    assert len(set(planned["names"].values())) == 3


def test_every_name_is_one_that_sagemaker_takes() -> None:
    planned = plan(event({"image": IMAGE, "commit": "8c1d"}), PLACES, DEFAULTS, FakePackages())
    check_request("sagemaker", "StopTrainingJob", {"TrainingJobName": planned["names"]["training"]})
    check_request("sagemaker", "StopTransformJob", {"TransformJobName": planned["names"]["transform"]})
    check_request("sagemaker", "DeleteModel", {"ModelName": planned["names"]["model"]})
    token = {"ClientToken": planned["client_token"], "ModelPackageGroupName": planned["group"]}
    check_request("sagemaker", "CreateModelPackage", token)


def test_the_same_execution_gets_the_same_plan_and_another_one_other_names() -> None:
    first = plan(event({"image": IMAGE, "commit": "8c1d"}), PLACES, DEFAULTS, FakePackages())
    assert plan(event({"image": IMAGE, "commit": "8c1d"}), PLACES, DEFAULTS, FakePackages()) == first
    other = event({"image": IMAGE, "commit": "8c1d"}) | {"execution": "run-2", "execution_arn": "arn:run-2"}
    second = plan(other, PLACES, DEFAULTS, FakePackages())
    assert not set(first["names"].values()) & set(second["names"].values())
    assert second["client_token"] != first["client_token"]


def test_a_package_brings_its_container_and_its_test_data() -> None:
    planned = plan(event({"package": ARN}), PLACES, DEFAULTS, FakePackages(PACKAGE))
    assert planned["entry"] == "package"
    assert (planned["package"], planned["model"], planned["commit"]) == (ARN, "abalone", "8c1d")
    assert (planned["image"], planned["model_data"], planned["environment"]) == (
        "image",
        "s3://artifacts-bucket/model.tar.gz",
        {"A": "b"},
    )
    assert (planned["train_data"], planned["test_data"], planned["content_type"]) == (None, TEST_DATA, "text/csv")


@pytest.mark.parametrize(
    ("package", "message"),
    [
        (None, "is not in the registry"),
        (replace(PACKAGE, status="Failed"), "is Failed"),
        (replace(PACKAGE, containers=[]), "has 0 containers"),
        (replace(PACKAGE, containers=PACKAGE.containers * 2), "has 2 containers"),
        (replace(PACKAGE, containers=[Container("image", None)]), "no ModelDataUrl"),
        (replace(PACKAGE, properties={}), "'test-data'"),
        (replace(PACKAGE, properties={"test-data": TEST_DATA, "content-type": "application/json"}), "application/json"),
        (replace(PACKAGE, content_types=["text/libsvm"]), "text/libsvm"),
    ],
)
def test_a_package_that_cannot_be_evaluated_is_refused_with_the_reason(package: Package | None, message: str) -> None:
    packages = FakePackages(package) if package else FakePackages()
    with pytest.raises(InvalidRequestError, match=message):
        plan(event({"package": ARN}), PLACES, DEFAULTS, packages)


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
        plan(event({"image": IMAGE, "commit": "8c1d"} | given), PLACES, DEFAULTS, FakePackages())
