"""Uploads become runs: each is written down once, one run at a time takes all that wait, and people hear of failures.

Here the rules and the adapters are put together for the three functions.
"""

from signalbox import moments
from signalbox.aws.s3 import ObjectStore
from signalbox.aws.table import Table
from signalbox.settings import RecordUploads, ReportRun, StartRun
from signalbox.uploads.adapters import SageMakerExecutions, SqsDeadLetterQueue, SqsRunRequests
from signalbox.uploads.failures import FailedExecutions
from signalbox.uploads.mails import NotificationTable
from signalbox.uploads.recording import RecordingPorts
from signalbox.uploads.refusals import NotifyRefusal, Refusals
from signalbox.uploads.reporting import Notify, ReportingPorts
from signalbox.uploads.starting import StartingPorts
from signalbox.uploads.table import UploadsTable


def recording_ports(settings: RecordUploads) -> RecordingPorts:
    """Return what `record_uploads` works with."""
    return RecordingPorts(
        objects=ObjectStore(),
        store=UploadsTable(Table(settings.uploads_table), settings.pipeline_name),
        requests=_requests(settings),
        dead_letters=SqsDeadLetterQueue(settings.dead_letters_url),
        clock=moments.now,
    )


def starting_ports(settings: StartRun, notify: NotifyRefusal) -> StartingPorts:
    """Return what `start_run` works with; `notify` mails why a run cannot start."""
    table, pipeline = Table(settings.uploads_table), settings.pipeline_name
    return StartingPorts(
        pipeline=pipeline,
        manifests=f"s3://{settings.artifacts_bucket}/manifests",
        store=UploadsTable(table, pipeline),
        objects=ObjectStore(),
        executions=SageMakerExecutions(pipeline),
        requests=_requests(settings),
        dead_letters=SqsDeadLetterQueue(settings.dead_letters_url),
        refusals=Refusals(pipeline, settings.model, NotificationTable(table), notify),
        clock=moments.now,
    )


def reporting_ports(settings: ReportRun, notify: Notify) -> ReportingPorts:
    """Return what `report_run` works with; `notify` mails why a run failed."""
    return ReportingPorts(
        pipeline=settings.pipeline_name,
        model=settings.model,
        store=UploadsTable(Table(settings.uploads_table), settings.pipeline_name),
        log=NotificationTable(Table(settings.uploads_table)),
        find_failure=FailedExecutions().find,
        notify=notify,
        clock=moments.now,
    )


def notification_log(table: str) -> NotificationTable:
    """Return the log of the mails about executions that is kept in a table of that name."""
    return NotificationTable(Table(table))


def _requests(settings: RecordUploads | StartRun) -> SqsRunRequests:
    return SqsRunRequests(settings.runs_queue_url, settings.pipeline_name, settings.quiet_seconds, moments.now)
