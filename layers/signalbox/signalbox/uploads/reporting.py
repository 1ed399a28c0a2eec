"""A run that does not end in a model ends in a mail that says why."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from signalbox.events import ExecutionChange
from signalbox.observability import count, logger
from signalbox.uploads import rules
from signalbox.uploads.items import Ending, FailedStep, Run, Upload
from signalbox.uploads.ports import Endings, Reports, Runs

UNHAPPY = frozenset({"Failed", "Stopped", "CompletedWithFailures"})
# Longer than the function may run (30 seconds), so that a claim which is older belongs to a dead one; shorter than
# Lambda waits before it tries again (1 minute, Lambda Developer Guide, "Asynchronous invocation").
LEASE = timedelta(seconds=45)
_COUNTED = {"told": "RunReported", "told-before": "RunReportRepeated", "ignored": "RunReportIgnored"}

# Mails an announcement: see `signalbox.announcements`, kind `run-failed`.
type Tell = Callable[[dict[str, Any]], object]


class Reporter:
    """Tells people of the executions of one pipeline that did not succeed: one mail for each.

    The mail is claimed, sent, and written down as sent. A second delivery finds it sent and does nothing; one that
    comes while the first is at work fails, comes back and finds it sent. A death after the claim leaves a claim that
    nobody keeps up: the next attempt takes it over, so the mail is never lost, and comes twice only where the death
    fell between its sending and the last write. Everything that takes time is done before the claim.
    """

    def __init__(
        self,
        *,
        pipeline: str,
        model: str,
        runs: Runs,
        reports: Reports,
        endings: Endings,
        tell: Tell,
        clock: Callable[[], datetime],
    ) -> None:
        self._pipeline = pipeline
        self._model = model
        self._runs = runs
        self._reports = reports
        self._endings = endings
        self._tell = tell
        self._clock = clock

    def report(self, event: Mapping[str, Any]) -> dict[str, str]:
        """Return `{"outcome", "execution", "status"}` of an event; outcomes are `told`, `told-before` and `ignored`.

        Raises:
            EventError: the event does not parse.
            ReportUnderWayError: another invocation sends the mail in this moment.
            UploadsError: AWS refused a call.
        """
        change = ExecutionChange.read(event)
        outcome = self._act(change)
        count(_COUNTED[outcome])
        logger.info("end of a run read", extra={"execution": change.execution_arn, "outcome": outcome})
        return {"outcome": outcome, "execution": change.execution_arn, "status": change.status}

    def _act(self, change: ExecutionChange) -> str:
        execution = change.execution_arn
        if change.pipeline != self._pipeline or change.status not in UNHAPPY:
            return "ignored"
        if self._reports.told(execution):
            return "told-before"
        ending = self._endings.look(execution)
        run = self._runs.run_of(execution)
        content = announcement(self._model, change, ending, run, self._runs.taken(run) if run else ())
        if not self._reports.claim(execution, self._clock(), LEASE):
            return "told-before"
        self._tell(content)
        self._reports.close(execution, self._clock())
        return "told"


def announcement(
    model: str, change: ExecutionChange, ending: Ending, run: Run | None, uploads: Sequence[Upload]
) -> dict[str, Any]:
    """Return what to announce: the first step that failed, its job's words, and which uploads it was about.

    An execution that nobody's upload started, or whose run is not written down yet, is told by its own description.
    """
    first, *others = ending.steps or (FailedStep("", ending.reason),)
    return {
        "kind": "run-failed",
        "model": model,
        "execution_arn": change.execution_arn,
        "detail": {
            "status": change.status,
            "step": first.name,
            "other_steps": [step.name for step in others],
            "reason": first.reason or ending.reason,
            "run": run.id if run else "",
            "uploads": rules.named(uploads) if uploads else ending.description,
        },
        "error": {"Cause": _cause(first)},
    }


def _cause(step: FailedStep) -> str:
    """Return a step's failure as Step Functions would give it: a job's description, or the plain words."""
    if not step.job:
        return step.reason
    words = {"ExitMessage": step.words, "FailureReason": step.reason}
    return json.dumps({f"{step.kind}Name": step.job, **{name: text for name, text in words.items() if text}})
