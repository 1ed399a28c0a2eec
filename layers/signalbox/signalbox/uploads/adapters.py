"""The upload journey's queues and executions; its table is in `table`, and why executions failed in `failures`."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING

from signalbox import grants, names, projects
from signalbox.aws import clients, parameters
from signalbox.aws.errors import CallRefusedError, ServiceBusyError, or_none, translated
from signalbox.events import ExecutionChange
from signalbox.project_documents import Project, ProjectPipeline
from signalbox.uploads import rules
from signalbox.uploads.model import UNCLAIMED, ExecutionState, RunPostponedError, RunRefusedError

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sqs import SQSClient

NO_PIPELINE = "ResourceNotFound"  # Amazon SageMaker AI API reference, StartPipelineExecution
# AWS's refusals of a start that say "later" (Amazon SageMaker AI API reference, StartPipelineExecution).
_LATER = {
    "ResourceLimitExceeded": "the quota of running executions is used up",
    "ConflictException": "the pipeline is being changed",
}


class KnownProjects:
    """The projects of a stack, kept from one invocation to the next for those who need no newer ones."""

    def __init__(
        self,
        prefix: str,
        clock: Callable[[], datetime],
        load: Callable[[str], list[tuple[str, str]]] = parameters.below,
    ) -> None:
        self._prefix = prefix
        self._load = load
        self._clock = clock
        self._found: tuple[Project, ...] = ()
        self._asked_at: datetime | None = None
        self._asking = Lock()

    def read_after(self, moment: datetime) -> tuple[Project, ...]:
        """Return the projects as they were at some time after `moment`.

        Raises:
            ProjectDocumentError: a grant cannot be read.
            ServiceBusyError, CallRefusedError: the parameter store did not answer.
        """
        with self._asking:  # whoever waits here finds the answer
            if self._asked_at is None or self._asked_at <= moment:
                now = self._clock()  # as old as the question may the answer be
                found = self._load(names.project_parameter(self._prefix, ""))
                granted = grants.parse(self._load(names.grant_parameter(self._prefix, "")))
                self._found, self._asked_at = projects.readable(self._prefix, found, granted), now
            return self._found


class SqsRunRequests:
    """The FIFO queue of requests, whose delay is `delay_seconds`: see `rules.request_id`.

    A request that SQS would swallow because of one of this process is not sent. So a process that writes down upload
    after upload sends one request for each pipeline and half delay, and not one for each batch. `ticks` are seconds of
    a clock that nobody sets: a request is not taken for sent because the other clock was set back to its number.
    """

    def __init__(
        self,
        queue_url: str,
        delay_seconds: int,
        clock: Callable[[], datetime],
        sqs: "SQSClient | None" = None,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue_url = queue_url
        self._delay_seconds = delay_seconds
        self._clock = clock
        self._ticks = ticks
        self._sent: dict[tuple[str, str], tuple[str, float]] = {}  # the last of each kind and pipeline, and when
        self._sqs: SQSClient = sqs or clients.client("sqs")

    def ask(self, pipeline: str) -> None:
        """Send a request for a run, or let it be swallowed by one that will be handled after this moment.

        Raises:
            ServiceBusyError, CallRefusedError: SQS did not take it.
        """
        self._request(rules.RUN_REQUESTED, pipeline)

    def ask_for_claims(self, pipeline: str = UNCLAIMED) -> None:
        """Send a request to look at what no project claims, in the message group of a pipeline.

        Raises:
            ServiceBusyError, CallRefusedError: SQS did not take it.
        """
        self._request(rules.CLAIM_REQUESTED, pipeline)

    def pass_on(self, change: ExecutionChange, event: Mapping[str, object]) -> None:
        """Send the event about an execution's end; a second one about the same end is swallowed for 5 minutes.

        Raises:
            ServiceBusyError, CallRefusedError: SQS did not take it.
        """
        self._send(change.pipeline, json.dumps(event), names.token("end", change.execution_arn, change.status))

    def _request(self, kind: str, pipeline: str) -> None:
        identity, began = rules.request_id(kind, pipeline, self._clock(), self._delay_seconds), self._ticks()
        last, sent_at = self._sent.get((kind, pipeline), ("", began))
        if last == identity and began - sent_at < self._delay_seconds / 2:
            return
        self._send(pipeline, json.dumps({"kind": kind, "pipeline": pipeline}), identity)
        self._sent[kind, pipeline] = identity, began  # only now: what SQS did not take is sent again

    def _send(self, pipeline: str, body: str, identity: str) -> None:
        with translated(f"sqs:SendMessage of a message about {pipeline}"):
            self._sqs.send_message(
                QueueUrl=self._queue_url,
                MessageBody=body,
                MessageGroupId=names.slug(pipeline, rules.QUEUE_NAME_LIMIT),
                MessageDeduplicationId=identity,
            )


class SageMakerExecutions:
    """The executions of pipelines."""

    def __init__(self, sagemaker: "SageMakerClient | None" = None) -> None:
        self._sagemaker: SageMakerClient = sagemaker or clients.client("sagemaker")

    def start(
        self, pipeline: ProjectPipeline, value: str | None, *, token: str, display_name: str, description: str
    ) -> str:
        """Start an execution whose parameter has `value`, or find the one started with the same token; return its ARN.

        Without a value it is started without parameters.

        Raises:
            RunPostponedError: the quota is used up, the service is busy, or the pipeline is being changed.
            RunRefusedError: SageMaker refused the call for good, or there is no such pipeline.
        """
        given: dict[str, object] = {}
        if value is not None:
            given = {"PipelineParameters": [{"Name": pipeline.parameter, "Value": value}]}
        try:
            answer = or_none(
                f"sagemaker:StartPipelineExecution of {pipeline.name}",
                self._sagemaker.start_pipeline_execution,
                PipelineName=pipeline.name,
                ClientRequestToken=token,
                PipelineExecutionDisplayName=display_name,
                PipelineExecutionDescription=description,
                **given,
            )
        except (ServiceBusyError, CallRefusedError) as error:
            raise _postponed(error) from error
        if answer is None:
            raise RunRefusedError(NO_PIPELINE, f"the pipeline {pipeline.name} does not exist")
        return answer["PipelineExecutionArn"]

    def state(self, execution: str) -> ExecutionState | None:
        """Return how the execution stands; None if there is no such execution.

        Raises:
            RunPostponedError: the service is busy.
            RunRefusedError: SageMaker refused the call for good.
        """
        operation, describe = "sagemaker:DescribePipelineExecution", self._sagemaker.describe_pipeline_execution
        try:
            answer = or_none(f"{operation} of {execution}", describe, PipelineExecutionArn=execution)
        except (ServiceBusyError, CallRefusedError) as error:
            raise _postponed(error) from error
        return answer and ExecutionState(answer["PipelineExecutionStatus"], answer.get("FailureReason"))


def _postponed(error: ServiceBusyError | CallRefusedError) -> RunPostponedError:
    """Return the error that a refusal of SageMaker is for a run: a later try helps, or only somebody who mends it."""
    if isinstance(error, ServiceBusyError):
        return RunPostponedError(f"SageMaker is busy ({error.reason})")
    if error.code in _LATER:
        return RunPostponedError(_LATER[error.code])
    return RunRefusedError(error.code, str(error))
