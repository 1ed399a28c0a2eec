"""A run that fails ends in one mail that says why, however often the event comes and whenever somebody dies."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.support.objects import RememberedObjects
from tests.support.samples import sample, with_detail
from tests.support.uploads import (
    ABALONE,
    ARTIFACTS,
    BUCKET,
    EXECUTION,
    PIPELINE,
    WINE,
    Clock,
    MemoryNotificationLog,
    MemoryProjects,
    MemoryQuarantine,
    MemoryRequests,
    MemoryTables,
)

from signalbox import moments
from signalbox.contracts.endings import RunFailure
from signalbox.events import EventError
from signalbox.uploads.model import CLAIMED, STARTED, FailedExecution, FailedStep, ReportUnderWayError, Run, Upload
from signalbox.uploads.quarantining import QuarantiningPorts
from signalbox.uploads.reporting import LEASE, ReportingPorts, report

FAILED = sample("sagemaker/pipeline-execution-failed")
ARN = f"{EXECUTION}p4jn9xou8a8s"
PREPROCESS = FailedStep(
    "Preprocess", "ClientError: exit code 1", "ProcessingJob", "pipelines-p4-Preprocess-1", "a.csv: no rows"
)
FOUND = FailedExecution("Step failure", "run-1: 1 upload", (PREPROCESS,))


@dataclass
class World:
    """What reporting works on, and the mails it sends; `found` is what SageMaker says."""

    clock: Clock = field(default_factory=Clock)
    tables: MemoryTables = field(default_factory=MemoryTables)
    projects: MemoryProjects = field(default_factory=MemoryProjects)
    requests: MemoryRequests = field(default_factory=lambda: MemoryRequests(Clock()))
    log: MemoryNotificationLog = field(default_factory=MemoryNotificationLog)
    found: FailedExecution = FOUND
    mails: list[RunFailure] = field(default_factory=list)
    notify: Callable[[RunFailure], object] | None = None
    reports: RememberedObjects = field(default_factory=RememberedObjects)
    quarantine: MemoryQuarantine = field(default_factory=MemoryQuarantine)

    def deliver(self, event: dict[str, Any] = FAILED) -> str:
        """Deliver an event; return what was done."""
        ports = ReportingPorts(
            projects=self.projects,
            store_of=self.tables,
            requests=self.requests,
            log=self.log,
            find_failure=self.look,
            quarantining=QuarantiningPorts(ARTIFACTS, self.reports.store.text, self.quarantine, self.clock),
            notify=self.notify or self.mails.append,
            clock=self.clock,
        )
        answer = report(event, ports)
        assert answer["execution"] == event["detail"]["pipelineExecutionArn"]
        return answer["outcome"]

    def look(self, execution: str) -> FailedExecution:
        """Return what SageMaker says of the execution."""
        assert execution == ARN
        return self.found

    def run(self, *keys: str) -> Run:
        """Let a run with uploads have the execution."""
        table = self.tables(PIPELINE)
        uploads = [Upload(BUCKET, key, "v1", 10, moments.text_of(self.clock())) for key in keys]
        for upload in uploads:
            table.record(upload)
        run = Run(PIPELINE, 1, self.clock())
        table.open(run)
        table.take(run, uploads)
        return table.move(table.move(run, CLAIMED, at=self.clock()), STARTED, at=self.clock(), execution=ARN)


@pytest.fixture
def world() -> World:
    return World()


def test_a_failed_run_is_reported_with_its_step_the_jobs_own_words_and_its_uploads(world: World) -> None:
    run = world.run("incoming/b.csv", "incoming/a.csv")
    assert world.deliver() == "notified"
    (mail,) = world.mails
    cause = mail["cause"]
    assert mail == {
        "project": "abalone",
        "approvers": [],
        "execution_arn": ARN,
        "status": "Failed",
        "step": "Preprocess",
        "other_steps": [],
        "reason": "ClientError: exit code 1",
        "run": run.id,
        "uploads": "incoming/a.csv, incoming/b.csv",
        "cause": cause,
        "quarantine": {"files": [], "more": 0},
    }
    assert json.loads(cause) == {
        "ProcessingJobName": "pipelines-p4-Preprocess-1",
        "ExitMessage": "a.csv: no rows",
        "FailureReason": "ClientError: exit code 1",
    }


def test_a_run_of_many_uploads_names_the_first_and_counts_the_rest(world: World) -> None:
    world.run(*(f"incoming/{number:02d}.csv" for number in range(23)))
    world.deliver()
    assert world.mails[0]["uploads"].endswith("incoming/19.csv and 3 more")


def test_a_run_that_a_push_asked_for_is_reported_with_whose_uploads_it_repeats_and_the_commit(world: World) -> None:
    table = world.tables(PIPELINE)
    first = table.move(world.run("incoming/a.csv"), "Succeeded", at=world.clock(), execution=f"{ARN}-1")
    again = Run(PIPELINE, 2, world.clock(), status=CLAIMED, repeats=first.id, commit="0123456789abcdef")
    table.open(again)
    table.move(again, STARTED, at=world.clock(), execution=ARN)
    world.deliver()
    assert world.mails[0]["run"] == again.id
    assert world.mails[0]["uploads"] == f"again what {first.id} took, at commit 0123456789ab: incoming/a.csv"


def test_an_execution_that_nobodys_upload_started_is_named_by_its_description(world: World) -> None:
    world.deliver()
    assert world.mails[0]["uploads"] == "run-1: 1 upload"
    assert world.mails[0]["run"] == ""


def test_the_words_of_a_step_without_a_job_are_reported_as_they_are(world: World) -> None:
    world.found = FailedExecution("too high", "", (FailedStep("MseTooHigh", "its mean squared error is 9"), PREPROCESS))
    world.deliver()
    assert world.mails[0]["cause"] == "its mean squared error is 9"
    assert world.mails[0]["other_steps"] == ["Preprocess"]


def test_a_run_that_failed_before_any_step_is_reported_with_the_executions_reason(world: World) -> None:
    world.found = FailedExecution("the role cannot be assumed")
    world.deliver()
    assert (world.mails[0]["cause"], world.mails[0]["step"]) == ("the role cannot be assumed", "")


@pytest.mark.parametrize(
    ("name", "status"), [("stopped", "Stopped"), ("completed-with-failures", "CompletedWithFailures")]
)
def test_a_run_that_was_stopped_or_went_on_after_a_failure_is_reported_too(
    world: World, name: str, status: str
) -> None:
    world.found = FailedExecution()
    assert world.deliver(sample(f"sagemaker/pipeline-execution-{name}")) == "notified"
    assert world.mails[0]["status"] == status


@pytest.mark.parametrize(
    "event",
    [
        sample("sagemaker/near-misses/pipeline-execution-executing"),
        sample("sagemaker/near-misses/pipeline-execution-other-pipeline"),
    ],
)
def test_what_is_not_over_or_not_ours_is_ignored(world: World, event: dict[str, Any]) -> None:
    assert world.deliver(event) == "ignored"
    assert (world.mails, world.requests.sent) == ([], [])


def test_a_good_end_is_passed_on_to_its_pipelines_messages_and_nobody_is_mailed(world: World) -> None:
    event = sample("sagemaker/pipeline-execution-succeeded")
    assert [world.deliver(event), world.deliver(event)] == ["passed-on", "passed-on"]
    assert [(group, body) for _, group, body in world.requests.sent] == [(PIPELINE, event)]
    assert world.mails == []


def test_a_bad_end_is_passed_on_before_the_mail(world: World) -> None:
    def dies(_: RunFailure) -> None:
        raise KeyboardInterrupt

    world.notify = dies
    with pytest.raises(KeyboardInterrupt):
        world.deliver()
    assert world.requests.asked == [FAILED]


def test_a_projects_own_approvers_are_told_of_its_run(world: World) -> None:
    world.projects.found = (ABALONE._replace(approvers=("bob@example.com",)), WINE)
    world.deliver()
    assert (world.mails[0]["project"], world.mails[0]["approvers"]) == ("abalone", ["bob@example.com"])


def test_the_end_of_a_run_whose_project_was_removed_is_passed_on_and_told(world: World) -> None:
    world.run("incoming/a.csv")
    world.projects.found = (WINE,)
    assert world.deliver() == "notified"
    assert world.requests.asked == [FAILED]
    assert (world.mails[0]["project"], world.mails[0]["approvers"]) == (PIPELINE, [])


def test_an_event_that_does_not_parse_is_refused(world: World) -> None:
    with pytest.raises(EventError, match="pipelineExecutionArn"):
        world.deliver(with_detail(FAILED, pipelineExecutionArn=None))


def test_an_event_that_comes_again_sends_nothing_more(world: World) -> None:
    assert [world.deliver() for _ in range(3)] == ["notified", "notified-before", "notified-before"]
    world.clock.forward(90 * 86_400)
    assert world.deliver() == "notified-before"
    assert len(world.mails) == 1


def test_an_event_that_comes_while_the_mail_is_being_sent_comes_back(world: World) -> None:
    def meanwhile(mail: RunFailure) -> None:
        world.notify = None
        with pytest.raises(ReportUnderWayError):
            world.deliver()
        world.mails.append(mail)

    world.notify = meanwhile
    assert world.deliver() == "notified"
    assert world.deliver() == "notified-before"
    assert len(world.mails) == 1


def test_a_mail_that_was_sent_between_the_look_and_the_claim_is_not_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.deliver() == "notified"
    monkeypatch.setattr(world.log, "notified", lambda _: False)
    assert world.deliver() == "notified-before"


@pytest.mark.parametrize("sent", [False, True])
def test_a_death_around_the_mail_never_loses_it(world: World, sent: bool) -> None:
    def die(mail: RunFailure) -> None:
        if sent:
            world.mails.append(mail)
        raise KeyboardInterrupt

    world.notify = die
    with pytest.raises(KeyboardInterrupt):
        world.deliver()
    world.notify = None
    with pytest.raises(ReportUnderWayError):
        world.deliver()  # it cannot know yet that the other is dead

    world.clock.forward(LEASE.total_seconds() + 1)

    assert [world.deliver(), world.deliver()] == ["notified", "notified-before"]
    assert len(world.mails) == 1 + sent
