"""Why executions of pipelines did not succeed, in SageMaker's words about their steps, and in those of the jobs."""

from copy import replace
from typing import TYPE_CHECKING

from signalbox.aws import clients
from signalbox.aws.errors import CallRefusedError, ServiceBusyError, or_none, translated
from signalbox.observability import logger
from signalbox.uploads.model import FailedExecution, FailedStep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import PipelineExecutionStepMetadataTypeDef, PipelineExecutionStepTypeDef


class FailedExecutions:
    """The executions that did not succeed."""

    def __init__(self, sagemaker: "SageMakerClient | None" = None) -> None:
        self._sagemaker: SageMakerClient = sagemaker or clients.client("sagemaker")

    def find(self, execution: str) -> FailedExecution:
        """Return why an execution did not succeed, without any words if it does not exist any more.

        Raises:
            ServiceBusyError, CallRefusedError: SageMaker did not answer. The event comes back then.
        """
        operation = f"looking for the reason why {execution} failed"
        found = or_none(operation, self._sagemaker.describe_pipeline_execution, PipelineExecutionArn=execution)
        if found is None:
            return FailedExecution()
        with translated(operation):
            pages = self._sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
                PipelineExecutionArn=execution, SortOrder="Ascending"
            )
            steps = [step for page in pages for step in page["PipelineExecutionSteps"]]
        failed = tuple(self._step(step) for step in steps if step.get("StepStatus") == "Failed")
        return FailedExecution(found.get("FailureReason", ""), found.get("PipelineExecutionDescription", ""), failed)

    def _step(self, step: "PipelineExecutionStepTypeDef") -> FailedStep:
        metadata = step.get("Metadata", {})
        reason = step.get("FailureReason") or metadata.get("Fail", {}).get("ErrorMessage") or ""
        plain = FailedStep(step["StepName"], reason)
        kind, arn = _job_of(metadata)
        if not arn:
            return plain
        job, words = self._asked(kind, arn.rpartition("/")[2])
        return replace(plain, kind=kind, job=job, words=words)

    def _asked(self, kind: str, job: str) -> tuple[str, str]:
        """Return a job's name, and what it left as its message, else why it failed; no words where it cannot be asked.

        An ARN has the name in lower case; a log stream has it as it was given, and so has the job's description. Only a
        processing job has a message (`/opt/ml/output/message`); a training job's failure file is its reason.
        """
        found: Mapping[str, object]
        try:
            with translated(f"sagemaker:Describe{kind} of {job}"):
                found = (
                    self._sagemaker.describe_processing_job(ProcessingJobName=job)
                    if kind == "ProcessingJob"
                    else self._sagemaker.describe_training_job(TrainingJobName=job)
                )
        except (ServiceBusyError, CallRefusedError) as error:
            # The step's own reason is passed on all the same.
            logger.warning("job could not be asked", extra={"job": job, "reason": str(error)})
            return job, ""
        words = found.get("ExitMessage") or found.get("FailureReason") or ""
        return str(found.get(f"{kind}Name") or job), str(words)


def _job_of(metadata: "PipelineExecutionStepMetadataTypeDef") -> tuple[str, str]:
    """Return the kind and the ARN of the job that a step ran; empty texts where it ran none that has words."""
    if arn := metadata.get("ProcessingJob", {}).get("Arn", ""):
        return "ProcessingJob", arn
    return "TrainingJob", metadata.get("TrainingJob", {}).get("Arn", "")
