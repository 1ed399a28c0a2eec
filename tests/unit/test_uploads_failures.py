"""SageMaker is asked why an execution failed, and the job that failed is asked for its own words."""

from typing import Any

import pytest
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.uploads import EXECUTION

from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox.uploads.failures import FailedExecutions
from signalbox.uploads.model import FailedExecution, FailedStep

ARN = f"{EXECUTION}p4jn9xou8a8s"
JOBS = "arn:aws:sagemaker:us-east-1:123456789012"
PROCESSING = {"ProcessingJob": {"Arn": f"{JOBS}:processing-job/pipelines-p4-Preprocess-1"}}
TRAINING = {"TrainingJob": {"Arn": f"{JOBS}:training-job/pipelines-p4-Train-1"}}
REASON = "ClientError: AlgorithmError: exit code: 1"


def step(
    name: str, metadata: dict[str, Any] | None = None, *, status: str = "Failed", reason: str | None = REASON
) -> dict[str, Any]:
    found = {"StepName": name, "StepStatus": status, "Metadata": metadata or {}}
    return found if reason is None else {**found, "FailureReason": reason}


def looked(*steps: dict[str, Any], **more: Any) -> tuple[FailedExecution, RecordingClient]:
    """Return what is found out about an execution with these steps, two to a page, and the client that was asked."""
    pages = [{"PipelineExecutionSteps": list(steps[:2]), "NextToken": "n"}, {"PipelineExecutionSteps": list(steps[2:])}]
    about = {"FailureReason": "Step failure.", "PipelineExecutionDescription": "run-1: 1 upload"}
    client: Any = RecordingClient(
        "sagemaker", {"describe_pipeline_execution": about, "list_pipeline_execution_steps": pages, **more}
    )
    return FailedExecutions(client).find(ARN), client


def test_a_processing_job_is_asked_for_the_message_that_it_left() -> None:
    ending, client = looked(
        step("Before", status="Succeeded", reason=None),
        step("Other", status="Stopped", reason=None),
        step("Preprocess", PROCESSING),
        describe_processing_job={"ExitMessage": "a.csv: the data file has no rows", "FailureReason": "exit code: 1"},
    )
    found = FailedStep(
        "Preprocess", REASON, "ProcessingJob", "pipelines-p4-Preprocess-1", "a.csv: the data file has no rows"
    )
    assert ending == FailedExecution("Step failure.", "run-1: 1 upload", (found,))
    assert client.requests("DescribeProcessingJob") == [{"ProcessingJobName": "pipelines-p4-Preprocess-1"}]
    assert client.requests("ListPipelineExecutionSteps")[0]["SortOrder"] == "Ascending"


def test_a_job_has_the_name_that_it_was_given_although_its_arn_is_in_lower_case() -> None:
    ending, client = looked(
        step("Train", {"TrainingJob": {"Arn": f"{JOBS}:training-job/pipelines-p4-train-1"}}),
        describe_training_job={"TrainingJobName": "pipelines-p4-Train-1", "FailureReason": "AlgorithmError: no data"},
    )
    assert client.requests("DescribeTrainingJob") == [{"TrainingJobName": "pipelines-p4-train-1"}]
    assert [(found.job, found.words) for found in ending.steps] == [("pipelines-p4-Train-1", "AlgorithmError: no data")]


def test_a_training_job_is_asked_for_its_reason() -> None:
    ending, _ = looked(step("Train", TRAINING), describe_training_job={"FailureReason": "AlgorithmError: no data"})
    assert ending.steps == (
        FailedStep("Train", REASON, "TrainingJob", "pipelines-p4-Train-1", "AlgorithmError: no data"),
    )


def test_a_step_of_another_kind_is_described_by_its_reason_or_its_message() -> None:
    ending, _ = looked(
        step("Register", {"Model": {"Arn": f"{JOBS}:model/m"}}),
        step("MseTooHigh", {"Fail": {"ErrorMessage": "too high"}}, reason=None),
        step("Nothing", reason=None),
    )
    assert [(found.name, found.reason, found.job) for found in ending.steps] == [
        ("Register", REASON, ""),
        ("MseTooHigh", "too high", ""),
        ("Nothing", "", ""),
    ]


def test_a_job_that_cannot_be_asked_leaves_the_steps_reason() -> None:
    ending, _ = looked(step("Preprocess", PROCESSING), describe_processing_job=client_error("ResourceNotFound"))
    assert (ending.steps[0].reason, ending.steps[0].words) == (REASON, "")
    silent, _ = looked(step("Preprocess", PROCESSING), describe_processing_job={})
    assert silent.steps[0].words == ""


def test_an_execution_that_is_gone_has_no_words() -> None:
    client: Any = RecordingClient("sagemaker", {"describe_pipeline_execution": client_error("ResourceNotFound")})
    assert FailedExecutions(client).find(ARN) == FailedExecution()


def test_a_refusal_of_sagemaker_is_an_error_and_the_event_comes_back() -> None:
    client: Any = RecordingClient("sagemaker", {"describe_pipeline_execution": client_error("ThrottlingException")})
    with pytest.raises(ServiceBusyError, match=f"looking for the reason why {ARN} failed: ThrottlingException"):
        FailedExecutions(client).find(ARN)
    _, denied = looked()
    denied.answers["list_pipeline_execution_steps"] = client_error("AccessDeniedException")
    anything: Any = denied
    with pytest.raises(CallRefusedError, match=f"looking for the reason why {ARN} failed was refused: AccessDenied"):
        FailedExecutions(anything).find(ARN)
