"""The SageMaker side of a project: its package groups, and its pipelines. Safe to repeat."""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from botocore.exceptions import ClientError

from signalbox.aws.errors import code_of
from signalbox_operate.pipelines.form import Json, steps_of
from signalbox_operate.projects.definitions import as_list, same
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


def try_out(name: str, role_arn: str, definition: Json, tags: Mapping[str, str], sagemaker: Any) -> None:
    """Let SageMaker read a definition that is new to it, as a pipeline that is made and deleted at once.

    Only so are its words heard before anything of a project is changed.

    Raises:
        OperateError: SageMaker refuses it, in its words.
    """
    found, trial = _find(name, sagemaker), f"{name}--trial"  # two hyphens: no project's pipeline is called so
    if found is not None and same(json.loads(found["PipelineDefinition"]), definition):
        return
    delete(trial, sagemaker)  # of a deployment that was broken off
    with _in_its_words(name):
        _create(trial, json.dumps(definition), role_arn, tags, sagemaker)
    delete(trial, sagemaker)


def is_there(name: str, role_arn: str, definition: Json, sagemaker: Any) -> bool:
    """Say whether the pipeline has this definition, at this very commit, and this role."""
    found = _find(name, sagemaker)
    return found is not None and _has(found, role_arn, definition, exactly=True)


def _has(found: Any, role_arn: str, definition: Json, *, exactly: bool) -> bool:
    there: Json = json.loads(found["PipelineDefinition"])
    alike = there == definition if exactly else same(there, definition)
    return bool(alike and found["RoleArn"] == role_arn)


def put(
    name: str, role_arn: str, definition: Json, tags: Mapping[str, str], sagemaker: Any, *, exactly: bool = False
) -> Outcome:
    """Create the pipeline, or update it where its definition or role differs.

    A new commit alone changes nothing, unless the definition has to be there `exactly`.

    Raises:
        OperateError: SageMaker refuses the definition, in its words.
    """
    text, found = json.dumps(definition), _find(name, sagemaker)
    with _in_its_words(name):
        if found is None:
            _create(name, text, role_arn, tags, sagemaker)
            return "created"
        sagemaker.add_tags(ResourceArn=found["PipelineArn"], Tags=as_list(tags))
        if _has(found, role_arn, definition, exactly=exactly):
            return "unchanged"
        sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=text, RoleArn=role_arn)
    return "updated"


def kinds(name: str, sagemaker: Any) -> set[str]:
    """Return the types of the steps that a pipeline has; none where there is no such pipeline."""
    found = _find(name, sagemaker)
    return {str(step["Type"]) for step in steps_of(json.loads(found["PipelineDefinition"]))} if found else set()


def delete(name: str, sagemaker: Any) -> None:
    """Delete a pipeline, where there is one."""
    try:
        sagemaker.delete_pipeline(PipelineName=name, ClientRequestToken=secrets.token_hex())
    except ClientError as error:
        if code_of(error) != "ResourceNotFound":
            raise


def _create(name: str, definition: str, role_arn: str, tags: Mapping[str, str], sagemaker: Any) -> None:
    # Another token each time: with that of a pipeline that was deleted since, SageMaker would make none. Its name alone
    # makes it one.
    sagemaker.create_pipeline(
        PipelineName=name,
        PipelineDefinition=definition,
        RoleArn=role_arn,
        ClientRequestToken=secrets.token_hex(),
        Tags=as_list(tags),
    )


@contextmanager
def _in_its_words(name: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if code_of(error) != "ValidationException":
            raise
        said = error.response["Error"]["Message"]
        raise OperateError(f"SageMaker refuses the definition of the pipeline {name}: {said}") from error


def _find(name: str, sagemaker: Any) -> Any:
    try:
        return sagemaker.describe_pipeline(PipelineName=name)
    except ClientError as error:
        if code_of(error) != "ResourceNotFound":
            raise
        return None
