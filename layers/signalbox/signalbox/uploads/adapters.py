"""The upload journey's S3, SQS and SageMaker; its table is in `table`."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from signalbox import names
from signalbox.aws import clients
from signalbox.aws.errors import is_missing
from signalbox.batch import DeadLetter
from signalbox.observability import logger
from signalbox.uploads import rules
from signalbox.uploads.items import Ending, ExecutionState, FailedStep, RunPostponedError, StoredObject, UploadsError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sqs import SQSClient

PARAMETER = "InputManifest"
# AWS's answers that say "later" (Amazon SageMaker AI API reference, Common Errors; botocore's throttling codes).
_LATER = {
    "ResourceLimitExceeded": "the quota of running executions is used up",
    "ConflictException": "the pipeline is being changed",
    "ThrottlingException": "SageMaker is throttling",
    "Throttling": "SageMaker is throttling",
    "TooManyRequestsException": "SageMaker is throttling",
    "RequestLimitExceeded": "SageMaker is throttling",
    "ServiceUnavailable": "SageMaker is not available",
    "InternalFailure": "SageMaker is not available",
}
# What a message attribute may not hold (Amazon SQS API reference, SendMessage).
_NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REASON_LIMIT = 1_000  # characters: enough for a person, and the whole message must not outgrow SQS's limit


class S3Objects:
    """The watched bucket."""

    def __init__(self, client: "S3Client | None" = None) -> None:
        self._s3 = client or clients.client("s3")

    def look(self, bucket: str, key: str) -> StoredObject | None:
        """Return what is under the key now, or None if there is nothing.

        S3 says 404 only to those who may list the bucket, and 403 to others: then nobody knows, and it is an error.

        Raises:
            UploadsError: S3 refused the call.
        """
        try:
            answer = self._s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NotFound"}:
                return None
            raise UploadsError(f"s3:HeadObject of s3://{bucket}/{key}", str(error)) from error
        version = answer.get("VersionId")
        return StoredObject(
            version=None if version == "null" else version,  # "null" where versioning is suspended
            etag=answer["ETag"].strip('"'),
            size=answer["ContentLength"],
            modified=answer["LastModified"],
        )


class S3Manifests:
    """The manifests, under `manifests/` in the artifacts bucket."""

    def __init__(self, bucket: str, client: "S3Client | None" = None) -> None:
        self._bucket = bucket
        self._s3 = client or clients.client("s3")

    def write(self, run_id: str, content: str) -> str:
        """Write the run's manifest; return its S3 URI. Written twice, it is the same.

        Raises:
            UploadsError: S3 refused the call.
        """
        key = f"manifests/{run_id}.json"
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=content.encode(), ContentType="application/json")
        except ClientError as error:
            raise UploadsError(f"s3:PutObject of s3://{self._bucket}/{key}", str(error)) from error
        return f"s3://{self._bucket}/{key}"


class SqsRunRequests:
    """The FIFO queue of requests. Its DelaySeconds must be the quiet window: see `rules.request_id`."""

    def __init__(
        self,
        queue_url: str,
        pipeline: str,
        quiet_seconds: int,
        clock: Callable[[], datetime],
        client: "SQSClient | None" = None,
    ) -> None:
        self._queue_url = queue_url
        self._pipeline = pipeline
        self._quiet_seconds = quiet_seconds
        self._clock = clock
        self._sqs = client or clients.client("sqs")

    def ask(self) -> None:
        """Send a request for a run, or let it be swallowed by one that will be handled after this moment.

        Raises:
            UploadsError: SQS refused the call.
        """
        try:
            self._sqs.send_message(
                QueueUrl=self._queue_url,
                MessageBody=json.dumps({"kind": rules.RUN_REQUESTED, "pipeline": self._pipeline}),
                MessageGroupId=names.slug(self._pipeline, rules.QUEUE_NAME_LIMIT),
                MessageDeduplicationId=rules.request_id(self._pipeline, self._clock(), self._quiet_seconds),
            )
        except ClientError as error:
            raise UploadsError("sqs:SendMessage of a request for a run", str(error)) from error


class SqsDeadLetters:
    """The dead-letter queue of a queue, for the messages of it that cannot be understood."""

    def __init__(self, queue_url: str, client: "SQSClient | None" = None) -> None:
        self._queue_url = queue_url
        self._sqs = client or clients.client("sqs")

    def bury(self, letter: DeadLetter) -> None:
        """Send the message as it came, with the attributes `Reason`, `Source` and `Replay` beside it.

        In a FIFO queue its own id is its deduplication id, so that a second delivery buries it once.

        Raises:
            UploadsError: SQS refused the call.
        """
        replay = (
            "Mend what the reason names, then: aws sqs start-message-move-task --source-arn <ARN of this queue> "
            f"--destination-arn {letter.source}. It is safe: what was handled before changes nothing."
        )
        texts = {"Reason": letter.reason[:_REASON_LIMIT], "Source": letter.source, "Replay": replay}
        fifo: Any = (
            {"MessageGroupId": letter.group, "MessageDeduplicationId": letter.message_id} if letter.group else {}
        )
        try:
            self._sqs.send_message(
                QueueUrl=self._queue_url,
                MessageBody=letter.body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": _NO_XML.sub("?", text)} for name, text in texts.items()
                },
                **fifo,
            )
        except ClientError as error:
            raise UploadsError("sqs:SendMessage to the dead-letter queue", str(error)) from error


class SageMakerExecutions:
    """The executions of one pipeline, which takes its input by the parameter `InputManifest`."""

    def __init__(self, pipeline: str, client: "SageMakerClient | None" = None) -> None:
        self._pipeline = pipeline
        self._sagemaker = client or clients.client("sagemaker")

    def start(self, *, token: str, manifest: str, display_name: str, description: str) -> str:
        """Start an execution, or find the one started with the same token; return its ARN.

        Raises:
            RunPostponedError: the quota is used up, the service is busy, or the pipeline does not exist yet.
            UploadsError: SageMaker refused the call for good.
        """
        try:
            answer = self._sagemaker.start_pipeline_execution(
                PipelineName=self._pipeline,
                ClientRequestToken=token,
                PipelineExecutionDisplayName=display_name,
                PipelineExecutionDescription=description,
                PipelineParameters=[{"Name": PARAMETER, "Value": manifest}],
            )
        except ClientError as error:
            if is_missing(error):
                raise RunPostponedError(f"pipeline {self._pipeline} does not exist yet") from error
            raise _translated("sagemaker:StartPipelineExecution", error) from error
        return answer["PipelineExecutionArn"]

    def state(self, execution: str) -> ExecutionState | None:
        """Return how the execution stands; None if there is no such execution.

        Raises:
            RunPostponedError: the service is busy.
            UploadsError: SageMaker refused the call for good.
        """
        try:
            answer = self._sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
        except ClientError as error:
            if is_missing(error):
                return None
            raise _translated("sagemaker:DescribePipelineExecution", error) from error
        return ExecutionState(answer["PipelineExecutionStatus"], answer.get("FailureReason"))


class SageMakerEndings:
    """Why executions of pipelines ended, from SageMaker."""

    def __init__(self, client: "SageMakerClient | None" = None) -> None:
        self._sagemaker = client or clients.client("sagemaker")

    def look(self, execution: str) -> Ending:
        """Return why an execution did not succeed; an Ending without words if it does not exist any more.

        Raises:
            UploadsError: SageMaker refused a call. The event comes back then.
        """
        try:
            found = self._sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
            pages = self._sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
                PipelineExecutionArn=execution, SortOrder="Ascending"
            )
            steps = [step for page in pages for step in page["PipelineExecutionSteps"]]
        except ClientError as error:
            if is_missing(error):
                return Ending()
            raise UploadsError("looking for the reason of a failed execution", str(error)) from error
        failed = tuple(self._step(step) for step in steps if step.get("StepStatus") == "Failed")
        return Ending(found.get("FailureReason", ""), found.get("PipelineExecutionDescription", ""), failed)

    def _step(self, step: Any) -> FailedStep:
        metadata = step.get("Metadata", {})
        reason = step.get("FailureReason") or metadata.get("Fail", {}).get("ErrorMessage") or ""
        plain = FailedStep(step["StepName"], reason)
        for kind in ("ProcessingJob", "TrainingJob"):
            arn = metadata.get(kind, {}).get("Arn")
            if arn:
                job = arn.rpartition("/")[2]
                return replace(plain, kind=kind, job=job, words=self._words(kind, job))
        return plain

    def _words(self, kind: str, job: str) -> str:
        """Return what a job left as its message, else why it failed; nothing where it cannot be asked.

        Only a processing job has a message (`/opt/ml/output/message`); a training job's failure file is its reason.
        """
        try:
            found: Any = (
                self._sagemaker.describe_processing_job(ProcessingJobName=job)
                if kind == "ProcessingJob"
                else self._sagemaker.describe_training_job(TrainingJobName=job)
            )
        except ClientError as error:
            # The step's own reason is told all the same.
            logger.warning("job could not be asked", extra={"job": job, "reason": str(error)})
            return ""
        return str(found.get("ExitMessage") or found.get("FailureReason") or "")


def _translated(call: str, error: ClientError) -> RunPostponedError | UploadsError:
    later = _LATER.get(error.response["Error"]["Code"])
    return RunPostponedError(later) if later else UploadsError(call, str(error))
