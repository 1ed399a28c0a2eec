"""Tags of any resource: set, replaced, listed, removed, limited; and the right to tag at creation."""

from pathlib import Path

import pytest
from tests.sagemaker_local.support.service import PREFIX, ROLE, SageMaker

MODEL = f"{PREFIX}model/m"


@pytest.fixture
def sagemaker(tmp_path: Path) -> SageMaker:
    """A service with a tagged model."""
    made = SageMaker(tmp_path)
    made.model(Tags=[{"Key": "a", "Value": "1"}])
    return made


def tags(sagemaker: SageMaker, arn: str = MODEL) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in sagemaker.call("ListTags", ResourceArn=arn)["Tags"]}


def test_tags_are_added_replaced_and_removed(sagemaker: SageMaker) -> None:
    added = sagemaker.call("AddTags", ResourceArn=MODEL, Tags=[{"Key": k, "Value": "2"} for k in "ab"])["Tags"]
    assert added == [{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "2"}]
    sagemaker.call("DeleteTags", ResourceArn=MODEL, TagKeys=["a", "none"])
    assert tags(sagemaker) == {"b": "2"}


def test_a_pipeline_is_found_by_its_arn_in_lower_case(sagemaker: SageMaker) -> None:
    arn = f"{PREFIX}pipeline/abalone"
    sagemaker.cloud.store.create("Pipeline", "Abalone", {"PipelineName": "Abalone", "PipelineArn": arn})
    sagemaker.call("AddTags", ResourceArn=f"{PREFIX}pipeline/Abalone", Tags=[{"Key": "k", "Value": "v"}])
    assert tags(sagemaker, arn) == {"k": "v"}
    assert "Could not find the resource" in sagemaker.refused("ListTags", ResourceArn=f"{PREFIX}pipeline/other")


def test_a_package_is_found_by_its_whole_arn(sagemaker: SageMaker) -> None:
    arn = f"{PREFIX}model-package/g/1"
    sagemaker.cloud.store.create("ModelPackage", arn, {})
    sagemaker.call("AddTags", ResourceArn=arn, Tags=[{"Key": "k", "Value": "v"}])
    assert tags(sagemaker, arn) == {"k": "v"}


@pytest.mark.parametrize("arn", [f"{PREFIX}model/none", f"{PREFIX}project/p"])
def test_a_resource_that_is_not_there_is_refused(sagemaker: SageMaker, arn: str) -> None:
    assert sagemaker.refused("ListTags", ResourceArn=arn) == f"ValidationException: Could not find the resource {arn}."


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [(["aws:mine"], "reserved"), (["x", "x"], "are not unique"), ([str(number) for number in range(50)], "at most 50")],
)
def test_tags_that_aws_does_not_take_are_refused(sagemaker: SageMaker, keys: list[str], sentence: str) -> None:
    new = [{"Key": key, "Value": "v"} for key in keys]
    assert sentence in sagemaker.refused("AddTags", ResourceArn=MODEL, Tags=new)
    assert tags(sagemaker) == {"a": "1"}


def test_tags_at_creation_are_checked_and_need_the_right_to_tag(sagemaker: SageMaker) -> None:
    request = {"ModelName": "n", "ExecutionRoleArn": ROLE}
    many = [{"Key": str(number), "Value": "v"} for number in range(51)]
    assert sagemaker.refused("CreateModel", **request, Tags=many).startswith("ValidationException")
    sagemaker.access.forbidden.add(("sagemaker:AddTags", f"{PREFIX}model/n"))
    assert sagemaker.refused("CreateModel", **request, Tags=many[:1]).startswith("AccessDeniedException")
