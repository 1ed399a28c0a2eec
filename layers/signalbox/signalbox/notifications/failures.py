"""What a failure says: Step Functions gives a text, which is often JSON with the words that matter inside."""

import json
from dataclasses import dataclass
from typing import Any

TEXT_LIMIT = 4000
_DEPTH = 5  # an execution that failed in an execution that failed …
# The field that names the job in a Describe… answer, and the log group that SageMaker writes (Developer Guide,
# "Log groups and streams that Amazon SageMaker AI sends to Amazon CloudWatch Logs").
_JOBS = {
    "TrainingJobName": "/aws/sagemaker/TrainingJobs",
    "TransformJobName": "/aws/sagemaker/TransformJobs",
    "ProcessingJobName": "/aws/sagemaker/ProcessingJobs",
}


@dataclass(frozen=True)
class Failure:
    """The failure's words; `job` and `log_group` where a job of SageMaker failed."""

    text: str
    job: str = ""
    log_group: str = ""


def explain(cause: str) -> Failure:
    """Return what a cause says: a job's description, a function's error, a nested execution, or a plain text."""
    for _ in range(_DEPTH):
        read = parsed(cause)
        if not isinstance(read, dict):
            break
        known = _job(read) or _words(read)
        if known is not None:
            return known
        if not read.get("Cause"):
            break
        cause = str(read["Cause"])
    return Failure(cause[:TEXT_LIMIT])


def parsed(text: str) -> Any:
    """Return what a JSON text holds, or None."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def _job(read: dict[str, Any]) -> Failure | None:
    for key, group in _JOBS.items():
        if read.get(key):
            # What the job's own program left as its message says more than the reason that SageMaker makes of it.
            words = read.get("ExitMessage") or read.get("FailureReason")
            words = words or f"It ended as {read.get(key.replace('Name', 'Status'), 'failed')}."
            return Failure(str(words)[:TEXT_LIMIT], str(read[key]), group)
    return None


def _words(read: dict[str, Any]) -> Failure | None:
    words = read.get("errorMessage") or read.get("FailureReason")
    return Failure(str(words)[:TEXT_LIMIT]) if words else None
