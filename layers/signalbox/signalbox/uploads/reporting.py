"""A run that does not end in a model ends in a mail that says why; which files a run did not use is written down."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from signalbox import projects
from signalbox.contracts.endings import RunFailure, RunReport
from signalbox.events import ExecutionChange
from signalbox.observability import count, logger
from signalbox.project_documents import Project
from signalbox.uploads import quarantining, rules
from signalbox.uploads.model import FailedExecution, FailedStep, Run, Upload
from signalbox.uploads.ports import NotificationLog, ProjectReader, RunRequests, UploadStore
from signalbox.uploads.quarantining import QuarantiningPorts

if TYPE_CHECKING:
    from signalbox.contracts.endings import ReportOutcome
    from signalbox.contracts.uploads import Quarantine

UNHAPPY = frozenset({"Failed", "Stopped", "CompletedWithFailures"})
# Longer than the function may run (30 seconds), so that a claim which is older belongs to a dead one; shorter than
# Lambda waits before it tries again (1 minute, Lambda Developer Guide, "Asynchronous invocation").
LEASE = timedelta(seconds=45)
_COUNTED = {
    "passed-on": "RunEndPassedOn",
    "notified": "RunReported",
    "notified-before": "RunReportRepeated",
    "ignored": "RunReportIgnored",
}

# Mails people why a run failed: the notifications journey.
type Notify = Callable[[RunFailure], object]


class ReportingPorts(NamedTuple):
    """What reporting needs from outside; `find_failure` tells why the execution with an ARN did not succeed.

    `store_of` returns the uploads of a pipeline by its name.
    """

    projects: ProjectReader
    store_of: Callable[[str], UploadStore]
    requests: RunRequests
    log: NotificationLog
    find_failure: Callable[[str], FailedExecution]
    quarantining: QuarantiningPorts
    notify: Notify
    clock: Callable[[], datetime]


def report(event: Mapping[str, object], ports: ReportingPorts) -> RunReport:
    """Pass the end of an execution on to where runs are started; notify people if it is not happy: one mail for each.

    It is passed on first: the next run waits for it. A second delivery passes it on again, which closes nothing twice.
    Then what it did not use of its files is kept, however it ended.

    The mail is claimed, sent, and written down as sent. A second delivery finds it sent and does nothing; one that
    comes while the first is at work fails, comes back and finds it sent. A death after the claim leaves a claim that
    nobody keeps up: the next attempt takes it over, so the mail is never lost, and comes twice only where the death
    fell between its sending and the last write. Everything that takes time is done before the claim.

    Raises:
        EventError: the event does not parse.
        ReportUnderWayError: another invocation sends the mail in this moment.
        ServiceBusyError, CallRefusedError: AWS did not take a call.
    """
    change = ExecutionChange.read(event)
    outcome: ReportOutcome = "ignored"
    owned, store = (
        projects.owner(ports.projects.read_after(ports.clock()), change.pipeline),
        ports.store_of(change.pipeline),
    )
    # The rule sees pipelines of every stack whose prefix begins with ours. Whose project is removed has its runs still.
    if change.final and (owned is not None or store.latest() is not None):
        ports.requests.pass_on(change, event)
        unused = quarantining.keep(change, owned, store, ports.quarantining)
        outcome, failure = _to_tell(change, owned.project if owned else None, store, unused, ports)
        if failure is not None:
            ports.notify(failure)
            ports.log.close(change.execution_arn, ports.clock())
    count(_COUNTED[outcome])
    logger.info("end of a run read", extra={"execution": change.execution_arn, "outcome": outcome})
    return {"outcome": outcome, "execution": change.execution_arn, "status": change.status}


def _to_tell(
    change: ExecutionChange,
    project: "Project | None",
    store: UploadStore,
    unused: "Quarantine",
    ports: ReportingPorts,
) -> "tuple[ReportOutcome, RunFailure | None]":
    """Return what is done about an end, and what people are notified of, once that is claimed."""
    execution = change.execution_arn
    if change.status not in UNHAPPY:
        return "passed-on", None
    if ports.log.notified(execution):
        return "notified-before", None
    found, run = ports.find_failure(execution), store.run_of(execution)
    failure = run_failure(project, change, found, run, store.input_of(run) if run else (), unused)
    claimed = ports.log.claim(execution, ports.clock(), LEASE)
    return ("notified", failure) if claimed else ("notified-before", None)


def run_failure(
    project: Project | None,
    change: ExecutionChange,
    found: FailedExecution,
    run: Run | None,
    uploads: Sequence[Upload],
    unused: "Quarantine",
) -> RunFailure:
    """Return what to notify people of: the first step that failed, its job's words, and which uploads it was about.

    Of a run that repeats another, these are the other's.

    An execution that nobody's upload started, or whose run is not written down yet, is told by its own description.
    """
    first, *others = found.steps or (FailedStep("", found.reason),)
    return {
        "project": project.project if project else change.pipeline,
        "approvers": list(project.approvers) if project else [],
        "execution_arn": change.execution_arn,
        "status": change.status,
        "run": run.id if run else "",
        "uploads": rules.told(run, uploads) if run and (uploads or run.repeats) else found.description,
        "step": first.name,
        "other_steps": [step.name for step in others],
        "reason": first.reason or found.reason,
        "cause": _cause(first),
        "quarantine": unused,
    }


def _cause(step: FailedStep) -> str:
    """Return a step's failure as Step Functions would give it: a job's description, or the plain words."""
    if not step.job:
        return step.reason
    words = {"ExitMessage": step.words, "FailureReason": step.reason}
    return json.dumps({f"{step.kind}Name": step.job, **{name: text for name, text in words.items() if text}})
