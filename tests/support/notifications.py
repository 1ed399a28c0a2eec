"""Endings of executions, and the mails that people get about them."""

import re
from typing import Any

from signalbox.contracts.common import Failure, StageServing
from signalbox.contracts.endings import BuildFailure, Ending, RunFailure
from signalbox.contracts.releases import ReleaseOutcome, StageOutcome
from signalbox.contracts.reviews import ReviewDecision
from signalbox.mail import Mail
from signalbox.notifications import notifying
from tests.support.reviews import ANN, BOB, EXECUTION, PACKAGE, OutboxFake

API = "https://api.example.com"
RUN = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/signalbox-abalone/execution/p4jn9xou8a8s"
DECISION: ReviewDecision = {
    "review": "r",
    "decision": "rejected",
    "by": BOB,
    "at": "2026-03-01T10:20:00.000000Z",
    "reason": "bad <b>",
}
EXPIRED: ReviewDecision = {**DECISION, "decision": "expired", "by": "", "reason": ""}


def version(number: int) -> str:
    """Return the ARN of a version of the model's group."""
    return f"{PACKAGE.rpartition('/')[0]}/{number}"


def stage(name: str, verdict: Any = "released", package: str | None = PACKAGE) -> StageOutcome:
    """Return how a stage ended."""
    return {
        "stage": name,
        "verdict": verdict,
        "package": package,
        "endpoint": f"signalbox-abalone-{name}",
        "config": "config-1",
        "answers": 10 if verdict == "released" else 0,
    }


def serving(name: str, package: str | None = PACKAGE, status: str | None = None) -> StageServing:
    """Return what a stage was seen to serve."""
    at_rest = "InService" if package else ""
    endpoint = f"signalbox-abalone-{name}"
    return {"stage": name, "endpoint": endpoint, "status": at_rest if status is None else status, "package": package}


def release(verdict: Any = "released", *stages: StageOutcome, **changes: Any) -> ReleaseOutcome:
    """Return how a release ended, with members replaced; what its stages serve is what it left there."""
    outcome: Any = {"verdict": verdict, "trigger": "approved", "stage": None, "stages": list(stages), "rollback": None}
    outcome |= {"serving": [serving(one["stage"], one["package"]) for one in stages], "change": None}
    found: ReleaseOutcome = outcome | changes
    return found


def ending(**changes: Any) -> Ending:
    """Return how an execution ended, with members replaced; without any, nothing has ended."""
    nothing: Any = {"model": "abalone", "package": PACKAGE, "execution_arn": EXECUTION}
    found: Ending = nothing | {"decision": None, "error": None, "release": None} | changes
    return found


def failure(error: str = "States.TaskFailed", cause: str | None = None) -> Failure:
    """Return an error as Step Functions catches it."""
    return {"Error": error} if cause is None else {"Error": error, "Cause": cause}


def run_failure(**changes: Any) -> RunFailure:
    """Return the failure of a pipeline run, with members replaced."""
    empty: Any = dict.fromkeys(("run", "uploads", "step", "reason", "cause"), "")
    found: RunFailure = (
        empty
        | {"project": "abalone", "approvers": [], "execution_arn": RUN, "status": "Failed", "other_steps": []}
        | {"quarantine": {"files": [], "more": 0}}
        | changes
    )
    return found


def build_failure(**changes: Any) -> BuildFailure:
    """Return the failure of a build, with members replaced."""
    usual: Any = {
        "project": "wine",
        "approvers": [],
        "pusher": "",
        "by": "user/alice",
        "branch": "main",
        "commit": "4f1c2e9ab7d05e6c83f2190d4be7a6581c3f0d92",
        "build": "signalbox-wine:7d1f0a52",
        "url": "https://console.aws.amazon.com/codesuite/codebuild/builds/signalbox-wine:7d1f0a52",
        "status": "FAILED",
        "phase": "BUILD",
        "reason": "COMMAND_EXECUTION_ERROR: exit status 1",
        "lines": [],
    }
    found: BuildFailure = usual | changes
    return found


def log_tail(group: str, job: str) -> tuple[str, ...]:
    """Return what a job of the tests wrote to its log."""
    return ("epoch 1 of 9", f"{job} in {group} cannot read <a file>\x1b[31m\u202e")


def mailed(**changes: Any) -> Mail:
    """Return the mail about an ending, which every approver has got."""
    outbox = OutboxFake()
    ports = notifying.NotifyingPorts(outbox, (ANN, BOB), API, log_tail)
    assert notifying.notify_ending(ending(**changes), ports) == {"mailed": 2}
    return _same(outbox)


def mailed_about_run(**changes: Any) -> Mail:
    """Return the mail about a failed run, which every approver has got."""
    outbox = OutboxFake()
    ports = notifying.NotifyingPorts(outbox, (ANN, BOB), log_tail=log_tail)
    assert notifying.notify_run_failed(run_failure(**changes), ports) == {"mailed": 2}
    return _same(outbox)


def mailed_about_refusal(**changes: Any) -> Mail:
    """Return the mail about a run that cannot start, which every approver has got."""
    outbox = OutboxFake()
    empty: Any = dict.fromkeys(("run", "uploads", "since", "code", "reason"), "")
    refusal: Any = (
        empty | {"waits": "uploads", "project": "abalone", "approvers": [], "pipeline": "signalbox-abalone"} | changes
    )
    assert notifying.notify_run_refused(refusal, notifying.NotifyingPorts(outbox, (ANN, BOB))) == {"mailed": 2}
    return _same(outbox)


def mailed_about_build(**changes: Any) -> Mail:
    """Return the mail about a failed build, which every approver has got."""
    outbox = OutboxFake()
    ports = notifying.NotifyingPorts(outbox, (ANN, BOB))
    assert notifying.notify_build_failed(build_failure(**changes), ports) == {"mailed": 2}
    return _same(outbox)


def read(html: str) -> str:
    """Return a mail's HTML with its apostrophes, and without what only keeps words in one piece."""
    return re.sub(r"<span class=\"whole\"[^>]*>([^<]*)</span>", r"\1", html).replace("&#39;", "'")


def in_both(mail: Mail, *texts: str) -> None:
    """Assert that the mail's text and its HTML have these texts."""
    for text in texts:
        assert text in mail.text
        assert text in read(mail.html)


def in_neither(mail: Mail, *texts: str) -> None:
    """Assert that neither the mail's text nor its HTML has one of these texts."""
    for text in texts:
        assert text.lower() not in mail.text.lower()
        assert text.lower() not in read(mail.html).lower()


def _same(outbox: OutboxFake) -> Mail:
    first, second = outbox.mails
    assert [first.to, second.to] == [ANN, BOB]
    assert (first.subject, first.text, first.html) == (second.subject, second.text, second.html)
    return first
