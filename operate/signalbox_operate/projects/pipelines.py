"""The SageMaker side of a project: its package groups, and its pipelines. Safe to repeat."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from botocore.exceptions import ClientError

from signalbox import names
from signalbox.aws.errors import code_of
from signalbox_operate.projects.definitions import as_list
from signalbox_operate.stack import OperateError

type Outcome = Literal["created", "updated", "unchanged"]

# What SageMaker answers to a group that is there (API reference, CreateModelPackageGroup: a ValidationException).
_THERE = "already exists"


def put_group(group: str, group_arn: str, tags: Mapping[str, str], sagemaker: Any) -> None:
    """Create a model's package group, or tag the one that is there: its packages have the tags of their group."""
    try:
        sagemaker.create_model_package_group(ModelPackageGroupName=group, Tags=as_list(tags))
    except ClientError as error:
        if _THERE not in str(error):
            raise
        sagemaker.add_tags(ResourceArn=group_arn, Tags=as_list(tags))


def put(name: str, role_arn: str, definition: Mapping[str, Any], tags: Mapping[str, str], sagemaker: Any) -> Outcome:
    """Create the pipeline, or update it where its definition or role differs.

    Raises:
        OperateError: SageMaker refuses the definition, in its words.
    """
    text = json.dumps(definition)
    try:
        found = _find(name, sagemaker)
        if found is None:
            # The token makes a repetition of the same creation one creation.
            sagemaker.create_pipeline(
                PipelineName=name,
                PipelineDefinition=text,
                RoleArn=role_arn,
                ClientRequestToken=names.token("create-pipeline", name, text, role_arn),
                Tags=as_list(tags),
            )
            return "created"
        sagemaker.add_tags(ResourceArn=found["PipelineArn"], Tags=as_list(tags))
        if json.loads(found["PipelineDefinition"]) == definition and found["RoleArn"] == role_arn:
            return "unchanged"
        sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=text, RoleArn=role_arn)
    except ClientError as error:
        if code_of(error) != "ValidationException":
            raise
        said = error.response["Error"]["Message"]
        raise OperateError(f"SageMaker refuses the definition of the pipeline {name}: {said}") from error
    return "updated"


def _find(name: str, sagemaker: Any) -> Any:
    try:
        return sagemaker.describe_pipeline(PipelineName=name)
    except ClientError as error:
        if code_of(error) != "ResourceNotFound":
            raise
        return None
