"""A world in which runs are started: what start_run works on, in memory."""

from dataclasses import dataclass
from typing import Any

from signalbox import moments
from signalbox.contracts.endings import RunRefusal, SetProblem
from signalbox.projects import Project
from signalbox.uploads.model import Run, Upload
from signalbox.uploads.notices import SetNotices
from signalbox.uploads.refusals import Refusals
from signalbox.uploads.starting import StartingPorts, start
from tests.support.samples import sample, sqs_event, with_detail
from tests.support.uploads import (
    ARTIFACTS,
    BUCKET,
    PIPELINE,
    Clock,
    MemoryCopier,
    MemoryDeadLetterQueue,
    MemoryExecutions,
    MemoryLifetimes,
    MemoryNotificationLog,
    MemoryObjects,
    MemoryProjects,
    MemoryRequests,
    MemoryTable,
    MemoryTables,
)

REQUEST = {"kind": "run-requested", "pipeline": PIPELINE}
DONE = sample("sagemaker/pipeline-execution-succeeded")


@dataclass
class World:
    """What starting works on."""

    clock: Clock
    tables: MemoryTables
    objects: MemoryObjects
    executions: MemoryExecutions
    requests: MemoryRequests
    dead_letters: MemoryDeadLetterQueue
    mails: list[RunRefusal]
    set_mails: list[SetProblem]
    ports: StartingPorts

    def upload(self, *keys: str, bucket: str = BUCKET) -> None:
        """Let uploads wait, the first the longest."""
        for key in keys:
            self.clock.forward(1)
            self.objects.put(f"incoming/{key}", bucket=bucket)
            self.table.record(Upload(bucket, f"incoming/{key}", "v1", 10, moments.text_of(self.clock())))

    def deliver(self, *messages: Any) -> list[str]:
        """Deliver messages; return the ids of those that failed."""
        response = start(sqs_event(*messages, group=PIPELINE, queue="runs"), self.ports)
        return [item["itemIdentifier"] for item in response["batchItemFailures"]]

    def over(self, status: str = "Succeeded", reason: str | None = None) -> dict[str, Any]:
        """Let the running execution end; return the event about it."""
        (execution,) = self.executions.running
        self.executions.finish(execution, status, reason)
        return with_detail(DONE, pipelineExecutionArn=execution, currentPipelineExecutionStatus=status)

    @property
    def table(self) -> MemoryTable:
        """Return the pipeline's part of the table."""
        return self.tables(PIPELINE)

    @property
    def run(self) -> Run:
        """Return the latest run."""
        run = self.table.latest()
        assert run is not None
        return run


def a_world(*projects: Project) -> World:
    """Return a world with one project, or with these, in which nothing has happened yet."""
    clock, tables, objects, executions = Clock(), MemoryTables(), MemoryObjects(), MemoryExecutions()
    requests, dead_letters = MemoryRequests(clock), MemoryDeadLetterQueue()
    mails: list[RunRefusal] = []
    set_mails: list[SetProblem] = []
    log = MemoryNotificationLog()
    ports = StartingPorts(
        prefix="signalbox",
        artifacts=ARTIFACTS,
        projects=MemoryProjects(*projects),
        store_of=tables,
        objects=objects,
        copier=MemoryCopier(),
        executions=executions,
        lifetimes=MemoryLifetimes(),
        requests=requests,
        dead_letters=dead_letters,
        refusals=Refusals(log, mails.append),
        notices=SetNotices(log, set_mails.append),
        clock=clock,
    )
    return World(clock, tables, objects, executions, requests, dead_letters, mails, set_mails, ports)
