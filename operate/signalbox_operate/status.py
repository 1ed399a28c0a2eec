"""What waits and what runs: pipeline executions, open executions of the machines, endpoints of every stage."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from signalbox import moments, stages, words
from signalbox.aws.errors import CallRefusedError
from signalbox.aws.table import Table
from signalbox.releases.adapters import ReleasesTable, action_in
from signalbox.reviews.adapters import DynamoReviews
from signalbox.stages import StagesDocument, StagesDocumentError
from signalbox.uploads.model import UNCLAIMED
from signalbox_operate.stack import Stack
from signalbox_operate.uploads import UploadsOfStack

_SHOWN = 10  # pipeline executions, newest first


@dataclass(frozen=True)
class Line:
    """One thing that runs, waits or serves; `since` is in the service's own zone."""

    kind: str
    name: str
    state: str
    since: datetime
    detail: str = ""


def waiting_uploads(found: UploadsOfStack) -> Iterator[Line]:
    """Yield a line for all uploads of a pipeline that no run has yet: since when the oldest waits, and why."""
    for waiting in found.waiting():
        number = "1 upload" if len(waiting.uploads) == 1 else f"{len(waiting.uploads):,} uploads"
        whose = "that nobody claims" if waiting.pipeline == UNCLAIMED else f"for {waiting.pipeline}"
        since = moments.moment_of(waiting.uploads[0].recorded_at)
        yield Line("upload", f"{number} {whose}", "waiting", since, waiting.reason)


def pipeline_runs(found: UploadsOfStack, sagemaker: Any) -> list[Line]:
    """Return the newest executions of all pipelines, the newest first."""
    lines = [line for pipeline in found.pipelines() for line in _runs_of(pipeline, sagemaker)]
    return sorted(lines, key=lambda line: line.since, reverse=True)[:_SHOWN]


def _runs_of(pipeline: str, sagemaker: Any) -> Iterator[Line]:
    """Yield the newest executions of a pipeline; none where it is not there (yet, or any more)."""
    try:
        page = sagemaker.list_pipeline_executions(
            PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=_SHOWN
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFound":
            raise
        return
    for run in page["PipelineExecutionSummaries"]:
        name = run.get("PipelineExecutionDisplayName") or run["PipelineExecutionArn"].rsplit("/", 1)[1]
        reason = run.get("PipelineExecutionFailureReason", "")
        yield Line("pipeline run", f"{pipeline}/{name}", run["PipelineExecutionStatus"], run["StartTime"], reason)


def open_executions(stack: Stack, stepfunctions: Any, dynamodb: Any) -> Iterator[Line]:
    """Yield what the two machines are doing, or waiting for: a release's last action, and the reviews that are open."""
    reviews = DynamoReviews(Table(stack.output("ReviewsTable"), dynamodb))
    releases = ReleasesTable(stack.output("ReleasesTable"), dynamodb)
    pages = stepfunctions.get_paginator("list_executions")
    for kind, output in (("train and review", "MlopsMachineArn"), ("release", "ReleaseMachineArn")):
        for page in pages.paginate(stateMachineArn=stack.output(output), statusFilter="RUNNING"):
            for execution in page["executions"]:
                known = [_last_action(execution, releases, stepfunctions)] if kind == "release" else []
                detail = "; ".join(
                    text for text in (*known, *_open_reviews(execution["executionArn"], reviews)) if text
                )
                yield Line(kind, execution["name"], execution["status"], execution["startDate"], detail)


def _last_action(execution: dict[str, Any], releases: ReleasesTable, stepfunctions: Any) -> str:
    """Return what a release was told to do last, since when, and what it waits for."""
    given = json.loads(stepfunctions.describe_execution(executionArn=execution["executionArn"])["input"])
    item = releases.last_note(str(given.get("model")), execution["name"])
    if item is None:
        return ""
    done = f"{action_in(item)}, since {str(item['at'])[:19]}Z"
    # Items of earlier versions do not say what is waited for.
    return f"{done}, for {item['waits_for']}" if item.get("waits_for") else done


def _open_reviews(execution: str, reviews: DynamoReviews) -> Iterator[str]:
    """Yield what people are asked for an execution, since when and until when."""
    for review in reviews.of_execution(execution):
        if review.status == "open":
            stage = f" for {review.stage}" if review.stage else ""
            asked = f"asked {review.created_at[:19]}Z, expires {review.expires_at[:19]}Z"
            yield f"the approval of {words.package_name(review.package)}{stage} is open: {asked}"


def endpoints(stack: Stack, sagemaker: Any, ssm: Any) -> Iterator[Line]:
    """Yield the stack's endpoints, which are called `<prefix>-<model>-<stage>`; those of no stage say so."""
    prefix, document = f"{stack.output('Prefix')}-", _stages(stack, ssm)
    for page in sagemaker.get_paginator("list_endpoints").paginate(NameContains=prefix):
        for endpoint in page["Endpoints"]:
            name = endpoint["EndpointName"]
            if name.startswith(prefix):
                left = _left_over(name, document)
                yield Line("endpoint", name, endpoint["EndpointStatus"], endpoint["LastModifiedTime"], left)


def _stages(stack: Stack, ssm: Any) -> StagesDocument | None:
    """Return the stages document; None where it cannot be read or used, which no status has to wait for."""
    try:
        return stages.load(stack.output("StagesParameter"), ssm)
    except (StagesDocumentError, CallRefusedError):
        return None


def _left_over(endpoint: str, document: StagesDocument | None) -> str:
    """Return what to do with an endpoint whose stage was taken out of the document; "" for every other one."""
    stage = endpoint.rpartition("-")[2]
    if document is None or document.find(stage):
        return ""
    return (
        f"the stages document has no stage {stage}, so nothing is released to it any more, and it is paid for by the "
        f"hour: delete it with aws sagemaker delete-endpoint --endpoint-name {endpoint}"
    )
