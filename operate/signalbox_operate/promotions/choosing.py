"""Which run is promoted: one that has succeeded, with the definition that it really ran."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from signalbox.aws.errors import code_of
from signalbox.aws.table import Table
from signalbox.uploads.table import UploadsTable
from signalbox_operate.projects import definitions
from signalbox_operate.promotions.model import Deployed, Ran, Wanted
from signalbox_operate.stack import OperateError

_COMMIT = re.compile("[0-9a-f]{7,64}")  # as a request of a run has to have it
_SUCCEEDED = "Succeeded"
_MOST = 100  # runs whose definitions are asked for a commit

type _Summary = Mapping[str, Any]


def choose(wanted: Wanted, source: Deployed) -> Ran:
    """Return the run that is wanted: the named one, else the newest that has succeeded, at a commit if one is given.

    Raises:
        OperateError: there is none, or the named one has not succeeded.
    """
    if wanted.run and wanted.commit:
        raise OperateError("give --run or --commit, not both: a run has one commit")
    if wanted.run:
        return _ran(_named(wanted.run, source), source)
    good = (one for one in _executions(source) if one["PipelineExecutionStatus"] == _SUCCEEDED)
    if wanted.commit:
        return _at(wanted.commit, good, source)
    newest = next(good, None)
    if newest is None:
        raise OperateError(
            f"the pipeline {source.pipeline.name} has had no run that succeeded: what has not run is not promoted"
        )
    return _ran(newest, source)


def _at(commit: str, good: Iterator[_Summary], source: Deployed) -> Ran:
    for _, one in zip(range(_MOST), good, strict=False):
        ran = _ran(one, source)
        if ran.commit.startswith(commit):
            return ran
    raise OperateError(
        f"no run of {source.pipeline.name} at the commit {commit} has succeeded: `signalbox runs` shows them"
    )


def _named(asked: str, source: Deployed) -> _Summary:
    """Return an execution by its ARN, id or display name, or by what `signalbox runs` calls it."""
    called = asked.removeprefix(f"{source.pipeline.name}/")
    for one in _executions(source):
        arn = str(one["PipelineExecutionArn"])
        if called in {arn, arn.rpartition("/")[2], one.get("PipelineExecutionDisplayName")}:
            return _good(asked, one)
    stack, client = source.side.place.stack, source.side.place.client
    run = UploadsTable(Table(stack.output("UploadsTable"), client("dynamodb")), source.pipeline.name).find(asked)
    for one in _executions(source) if run is not None else ():
        if run is not None and one["PipelineExecutionArn"] == run.execution:
            return _good(asked, one)
    raise OperateError(f"the pipeline {source.pipeline.name} has no run {asked!r}: `signalbox runs` shows the newest")


def _good(asked: str, found: _Summary) -> _Summary:
    if found["PipelineExecutionStatus"] != _SUCCEEDED:
        raise OperateError(
            f"the run {asked} is {found['PipelineExecutionStatus']}: only what has succeeded is promoted"
        )
    return found


def _executions(source: Deployed) -> Iterator[_Summary]:
    """Yield the executions of a pipeline, the newest first; none where there is no such pipeline."""
    pages = source.side.place.client("sagemaker").get_paginator("list_pipeline_executions")
    try:
        for page in pages.paginate(PipelineName=source.pipeline.name, SortBy="CreationTime", SortOrder="Descending"):
            yield from page["PipelineExecutionSummaries"]
    except ClientError as error:
        if code_of(error) != "ResourceNotFound":
            raise


def _ran(found: _Summary, source: Deployed) -> Ran:
    arn = str(found["PipelineExecutionArn"])
    sagemaker = source.side.place.client("sagemaker")
    text = str(sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)["PipelineDefinition"])
    definition = json.loads(text)
    said = definitions.commits(definition)
    commit = said.pop() if len(said) == 1 else ""
    return Ran(arn, definition, hashlib.sha256(text.encode()).hexdigest(), commit if _COMMIT.fullmatch(commit) else "")
