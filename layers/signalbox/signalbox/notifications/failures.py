"""What a failure says: Step Functions gives a text, which is often JSON with the words that matter inside."""

import json
import re
from typing import NamedTuple

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
_EXECUTION = frozenset(("ExecutionArn", "StateMachineArn", "Status"))
# Ends of which `stopping.report` mails, by their events.
_STOPPED = frozenset(("ABORTED", "TIMED_OUT"))
# Errors of an execution that may have kept it from mailing: of the mail itself, of Lambda, and of Step Functions. Some
# end an execution at once, and a mail's task may be the one that timed out.
_SILENCING = r"MailError|NotificationError|SettingError|(Lambda|Runtime|Sandbox)\..+|States\.(?!TaskFailed$).+"
_EXIT_CODE = r"(?i)exit code:? ([0-9]+)"
# What a shell and a container runtime make of the end of a program: 128 and the number of the signal that ended it, and
# two codes of their own (POSIX, "Shell Command Language", 2.8.2).
_EXIT_CODES = {
    "126": "was found, but may not be executed: give `train` and `serve` the right to (chmod +x)",
    "127": "was not found: the image needs `train` and `serve` on its PATH, and the interpreter that their first lines "
    "name",
    "134": "ended itself, mostly in a library that met what it cannot go on with",
    "137": "was killed, mostly because it needed more memory than its instance has: take a larger instance type, or "
    "read less at once",
    "139": "touched memory that is not its own, mostly in a library that was built for another version or processor",
    "143": "was asked to stop: the job was stopped, or had used up its time",
}
_WRONG_PROCESSOR = "(?i)exec format error"


class Explanation(NamedTuple):
    """The failure's words; `job` and `log_group` where a job of SageMaker failed."""

    text: str
    job: str = ""
    log_group: str = ""

    @property
    def exit_code(self) -> str:
        """Return what the exit code in the words means, as a sentence; "" where there is none that says more."""
        if re.search(_WRONG_PROCESSOR, self.text):
            return "The image was built for another processor than that of its instances: build it for linux/amd64."
        found = re.search(_EXIT_CODE, self.text)
        meaning = _EXIT_CODES.get(found[1]) if found else None
        return f"Exit code {found[1]}: the program {meaning}." if found and meaning else ""


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
    """Say whether a cause is that of a nested execution whose end has a mail of its own.

    One that was stopped or ran out of time is told by its event. One that failed has mailed that itself, unless its
    error may have kept it from that. Where this is in doubt, the answer is no: a mail twice is better than never.
    """
    read = parsed(cause)
    if not read.keys() >= _EXECUTION:
        return False
    error = str(read.get("Error") or "")
    failed = read["Status"] == "FAILED" and bool(error) and not re.fullmatch(_SILENCING, error)
    return failed or read["Status"] in _STOPPED


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
