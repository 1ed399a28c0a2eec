"""A run that fails ends in one mail that says why, however often the event comes and whenever somebody dies."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.support.samples import sample, with_detail
from tests.support.uploads import BUCKET, EXECUTION, PIPELINE, Clock, MemoryReports, MemoryTable

from signalbox.events import EventError
from signalbox.uploads import Reporter, rules
from signalbox.uploads.items import CLAIMED, STARTED, Ending, FailedStep, ReportUnderWayError, Run, Upload
from signalbox.uploads.reporting import LEASE

FAILED = sample("sagemaker/pipeline-execution-failed")
ARN = f"{EXECUTION}p4jn9xou8a8s"
PREPROCESS = FailedStep(
    "Preprocess", "ClientError: exit code 1", "ProcessingJob", "pipelines-p4-Preprocess-1", "a.csv: no rows"
)


@dataclass
class World:
    """A reporter, what it reads, and the mails it sends; `ending` is what SageMaker says."""

    clock: Clock = field(default_factory=Clock)
    table: MemoryTable = field(default_factory=MemoryTable)
    reports: MemoryReports = field(default_factory=MemoryReports)
    ending: Ending = field(default_factory=lambda: Ending("Step failure", "run-1: 1 upload", (PREPROCESS,)))
    mails: list[dict[str, Any]] = field(default_factory=list)
    tell: Callable[[dict[str, Any]], object] | None = None

    def deliver(self, event: dict[str, Any] = FAILED) -> str:
        """Deliver an event; return what was done."""
        reporter = Reporter(
            pipeline=PIPELINE,
            model="abalone",
            runs=self.table,
            reports=self.reports,
            endings=self,
            tell=self.tell or self.mails.append,
            clock=self.clock,
        )
        answer = reporter.report(event)
        assert answer["execution"] == event["detail"]["pipelineExecutionArn"]
        return answer["outcome"]

    def look(self, execution: str) -> Ending:
        """See Endings."""
        assert execution == ARN
        return self.ending

    def run(self, *keys: str) -> Run:
        """Let a run with uploads have the execution."""
        uploads = [Upload(BUCKET, key, "v1", 10, rules.stamp(self.clock())) for key in keys]
        for upload in uploads:
            self.table.record(upload)
        run = Run(PIPELINE, 1, self.clock())
        self.table.open(run)
        self.table.take(run, uploads)
        return self.table.move(self.table.move(run, CLAIMED, at=self.clock()), STARTED, at=self.clock(), execution=ARN)


@pytest.fixture
def world() -> World:
    return World()


def test_a_failed_run_is_told_with_its_step_the_jobs_own_words_and_its_uploads(world: World) -> None:
    run = world.run("incoming/b.csv", "incoming/a.csv")
    assert world.deliver() == "told"
    (mail,) = world.mails
    assert (mail["kind"], mail["model"], mail["execution_arn"]) == ("run-failed", "abalone", ARN)
    assert mail["detail"] == {
        "status": "Failed",
        "step": "Preprocess",
        "other_steps": [],
        "reason": "ClientError: exit code 1",
        "run": run.id,
        "uploads": "incoming/a.csv, incoming/b.csv",
    }
    assert json.loads(mail["error"]["Cause"]) == {
        "ProcessingJobName": "pipelines-p4-Preprocess-1",
        "ExitMessage": "a.csv: no rows",
        "FailureReason": "ClientError: exit code 1",
    }


def test_a_run_of_many_uploads_names_the_first_and_counts_the_rest(world: World) -> None:
    world.run(*(f"incoming/{number:02d}.csv" for number in range(23)))
    world.deliver()
    assert world.mails[0]["detail"]["uploads"].endswith("incoming/19.csv and 3 more")


def test_an_execution_that_nobodys_upload_started_is_told_by_its_description(world: World) -> None:
    world.deliver()
    assert world.mails[0]["detail"]["uploads"] == "run-1: 1 upload"
    assert world.mails[0]["detail"]["run"] == ""


def test_the_words_of_a_step_without_a_job_are_told_as_they_are(world: World) -> None:
    world.ending = Ending("too high", "", (FailedStep("MseTooHigh", "its mean squared error is 9"), PREPROCESS))
    world.deliver()
    assert world.mails[0]["error"] == {"Cause": "its mean squared error is 9"}
    assert world.mails[0]["detail"]["other_steps"] == ["Preprocess"]


def test_a_run_that_failed_before_any_step_is_told_with_the_executions_reason(world: World) -> None:
    world.ending = Ending("the role cannot be assumed")
    world.deliver()
    assert (world.mails[0]["error"], world.mails[0]["detail"]["step"]) == ({"Cause": "the role cannot be assumed"}, "")


@pytest.mark.parametrize(
    ("name", "status"), [("stopped", "Stopped"), ("completed-with-failures", "CompletedWithFailures")]
)
def test_a_run_that_was_stopped_or_went_on_after_a_failure_is_told_too(world: World, name: str, status: str) -> None:
    world.ending = Ending()
    assert world.deliver(sample(f"sagemaker/pipeline-execution-{name}")) == "told"
    assert world.mails[0]["detail"]["status"] == status


@pytest.mark.parametrize(
    "event",
    [
        sample("sagemaker/pipeline-execution-succeeded"),
        sample("sagemaker/near-misses/pipeline-execution-executing"),
        sample("sagemaker/near-misses/pipeline-execution-other-pipeline"),
    ],
)
def test_what_did_not_fail_or_is_not_ours_is_ignored(world: World, event: dict[str, Any]) -> None:
    assert world.deliver(event) == "ignored"
    assert world.mails == []


def test_an_event_that_does_not_parse_is_refused(world: World) -> None:
    with pytest.raises(EventError, match="pipelineExecutionArn"):
        world.deliver(with_detail(FAILED, pipelineExecutionArn=None))


def test_an_event_that_comes_again_sends_nothing_more(world: World) -> None:
    assert [world.deliver() for _ in range(3)] == ["told", "told-before", "told-before"]
    world.clock.forward(90 * 86_400)
    assert world.deliver() == "told-before"
    assert len(world.mails) == 1


def test_an_event_that_comes_while_the_mail_is_being_sent_comes_back(world: World) -> None:
    def meanwhile(mail: dict[str, Any]) -> None:
        world.tell = None
        with pytest.raises(ReportUnderWayError):
            world.deliver()
        world.mails.append(mail)

    world.tell = meanwhile
    assert world.deliver() == "told"
    assert world.deliver() == "told-before"
    assert len(world.mails) == 1


def test_a_mail_that_was_sent_between_the_look_and_the_claim_is_not_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.deliver() == "told"
    monkeypatch.setattr(world.reports, "told", lambda _: False)
    assert world.deliver() == "told-before"


@pytest.mark.parametrize("sent", [False, True])
def test_a_death_around_the_mail_never_loses_it(world: World, sent: bool) -> None:
    def die(mail: dict[str, Any]) -> None:
        if sent:
            world.mails.append(mail)
        raise KeyboardInterrupt

    world.tell = die
    with pytest.raises(KeyboardInterrupt):
        world.deliver()
    world.tell = None
    with pytest.raises(ReportUnderWayError):
        world.deliver()  # it cannot know yet that the other is dead

    world.clock.forward(LEASE.total_seconds() + 1)

    assert [world.deliver(), world.deliver()] == ["told", "told-before"]
    assert len(world.mails) == 1 + sent
