"""What a failure says: Step Functions gives a text, which is often JSON with the words that matter inside."""

import json
import re
from dataclasses import dataclass

TEXT_LIMIT = 4000
_DEPTH = 5  # an execution that failed in an execution that failed …
# The field that names the job in a Describe… answer, and the log group that SageMaker writes (Developer Guide,
# "Log groups and streams that Amazon SageMaker AI sends to Amazon CloudWatch Logs").
_JOBS = {
    "TrainingJobName": "/aws/sagemaker/TrainingJobs",
    "TransformJobName": "/aws/sagemaker/TransformJobs",
    "ProcessingJobName": "/aws/sagemaker/ProcessingJobs",
}
# What `startExecution.sync:2` gives as the cause (Step Functions Developer Guide, "Start workflow executions from a
# task state"; members of API reference, DescribeExecution).
_EXECUTION = frozenset(("ExecutionArn", "StateMachineArn", "Status", "Error"))
# Errors of an execution that may have kept it from mailing: of the mail itself, of Lambda, and of Step Functions. Some
# end an execution at once, and a mail's task may be the one that timed out.
_SILENCING = re.compile(
    r"MailError|NotificationError|SettingError|(Lambda|Runtime|Sandbox)\..+|States\.(?!TaskFailed$).+"
)


@dataclass(frozen=True)
class Explanation:
    """The failure's words; `job` and `log_group` where a job of SageMaker failed."""

    text: str
    job: str = ""
    log_group: str = ""


def explain(cause: str) -> Explanation:
    """Return what a cause says: a job's description, a function's error, a nested execution, or a plain text."""
    for _ in range(_DEPTH):
        read = parsed(cause)
        known = _job(read) or _words(read)
        if known is not None:
            return known
        if not read.get("Cause"):
            break
        cause = str(read["Cause"])
    return Explanation(cause[:TEXT_LIMIT])


def mailed_before(cause: str) -> bool:
    """Say whether a cause is that of a nested execution which has mailed its failure itself.

    An execution that timed out or was stopped could not mail, nor could one whose error kept it from that. Where this
    is in doubt, the answer is no: a mail twice is better than never.
    """
    read = parsed(cause)
    if not read.keys() >= _EXECUTION:
        return False
    error = str(read["Error"] or "")
    return read["Status"] == "FAILED" and bool(error) and not _SILENCING.fullmatch(error)


def parsed(text: str) -> dict[str, object]:
    """Return the object that a JSON text holds; an empty one for every other text."""
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _job(read: dict[str, object]) -> Explanation | None:
    for key, group in _JOBS.items():
        if read.get(key):
            # What the job's own program left as its message says more than the reason that SageMaker makes of it.
            words = read.get("ExitMessage") or read.get("FailureReason")
            words = words or f"It ended as {read.get(key.replace('Name', 'Status'), 'failed')}."
            return Explanation(str(words)[:TEXT_LIMIT], str(read[key]), group)
    return None


def _words(read: dict[str, object]) -> Explanation | None:
    words = read.get("errorMessage") or read.get("FailureReason")
    return Explanation(str(words)[:TEXT_LIMIT]) if words else None
