"""What of a project is in use: uploads that wait, runs that are active, reviews that are open, models that are live."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from signalbox import names
from signalbox.aws.errors import code_of
from signalbox.aws.table import Table
from signalbox.uploads.table import UploadsTable
from signalbox.uploads.waiting import unstarted
from signalbox_operate.projects.place import Place


def waiting(pipeline: str, place: Place) -> int:
    """Return how many uploads have no execution of a pipeline yet, by SageMaker's name of it."""
    table = Table(place.stack.output("UploadsTable"), place.client("dynamodb"))
    return len(unstarted(UploadsTable(table, pipeline)))


def live(model: str, place: Place) -> list[str]:
    """Return the endpoints of a model; a stage's name has no hyphen."""
    prefix = f"{place.prefix}-{model}-"
    pages = place.client("sagemaker").get_paginator("list_endpoints").paginate(NameContains=prefix)
    found = [endpoint["EndpointName"] for page in pages for endpoint in page["Endpoints"]]
    return [name for name in found if re.fullmatch(rf"{re.escape(prefix)}[a-z0-9]+", name)]


def reasons(pipelines: Sequence[str], models: Sequence[str], place: Place, *, endpoints: bool = False) -> Iterator[str]:
    """Yield a sentence for each pipeline or model that cannot go now; pipelines are called by SageMaker's names.

    With `endpoints`, those that serve a model go with it, and are no reason.
    """
    for pipeline in pipelines:
        number = waiting(pipeline, place)
        if number:
            what = "1 upload waits" if number == 1 else f"{number:,} uploads wait"
            yield f"{what} for the pipeline {pipeline}: let a run take what waits first"
        for run in _active(pipeline, place):
            yield f"the run {run} of the pipeline {pipeline} is active: wait for its end, or stop it"
    executions = list(_running(place)) if models else []
    for model in models:
        for name in (name for name, of in executions if of == model):
            yield f"the model {model} is being trained, reviewed or released by {name}: wait for its end, or stop it"
        for endpoint in () if endpoints else live(model, place):
            yield f"the model {model} is live: {endpoint} serves it; reject its package, and its endpoint is taken down"


def _active(pipeline: str, place: Place) -> list[str]:
    try:
        pages = place.client("sagemaker").get_paginator("list_pipeline_executions").paginate(PipelineName=pipeline)
        runs = [run for page in pages for run in page["PipelineExecutionSummaries"]]
    except ClientError as error:
        if code_of(error) != "ResourceNotFound":
            raise
        return []
    return [
        run.get("PipelineExecutionDisplayName") or run["PipelineExecutionArn"].rsplit("/", 1)[1]
        for run in runs
        if run["PipelineExecutionStatus"] in {"Executing", "Stopping"}
    ]


def _running(place: Place) -> Iterator[tuple[str, str]]:
    """Yield the name of each open execution of the two machines, with the model that it is about."""
    stepfunctions = place.client("stepfunctions")
    for output in ("MlopsMachineArn", "ReleaseMachineArn"):
        pages = stepfunctions.get_paginator("list_executions")
        for page in pages.paginate(stateMachineArn=place.stack.output(output), statusFilter="RUNNING"):
            for execution in page["executions"]:
                given = json.loads(stepfunctions.describe_execution(executionArn=execution["executionArn"])["input"])
                yield execution["name"], _model(given, place.prefix)


def _model(given: dict[str, Any], prefix: str) -> str:
    """Return the model that an execution is about: it is told so, or by a package, or by an image."""
    if given.get("model"):
        return str(given["model"])
    try:
        return names.model_of_group(prefix, names.group_of_package(str(given.get("package"))))
    except ValueError:
        return str(given.get("image", "")).rsplit("/", 1)[-1].split(":")[0].split("@")[0]
