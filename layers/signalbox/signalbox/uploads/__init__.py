"""Uploads become runs: each is written down once, one run at a time takes all that wait, and people hear of failures.

Here the rules and the adapters are put together for the three functions.
"""

from collections.abc import Callable
from functools import partial

from signalbox import moments
from signalbox.aws.copying import ObjectCopier
from signalbox.aws.dead_letters import SqsDeadLetterQueue
from signalbox.aws.s3 import ObjectStore
from signalbox.aws.table import Table
from signalbox.settings import RecordUploads, ReportRun, StartRun
from signalbox.uploads.adapters import KnownProjects, SageMakerExecutions, SqsRunRequests
from signalbox.uploads.failures import FailedExecutions
from signalbox.uploads.lifetimes import ItemLifetimes
from signalbox.uploads.mails import NotificationTable
from signalbox.uploads.notices import NotifySet, SetNotices
from signalbox.uploads.quarantined import QuarantineTable
from signalbox.uploads.quarantining import QuarantiningPorts
from signalbox.uploads.recording import RecordingPorts
from signalbox.uploads.refusals import NotifyRefusal, Refusals
from signalbox.uploads.reporting import Notify, ReportingPorts
from signalbox.uploads.starting import StartingPorts
from signalbox.uploads.table import UploadsTable

type UploadSettings = RecordUploads | StartRun | ReportRun


def recording_ports(settings: RecordUploads) -> RecordingPorts:
    """Return what `record_uploads` works with."""
    return RecordingPorts(
        objects=ObjectStore(),
        projects=_projects(settings),
        store_of=_stores(settings),
        requests=_requests(settings),
        dead_letters=SqsDeadLetterQueue(settings.dead_letters_url),
        clock=moments.now,
    )


def starting_ports(settings: StartRun, notify: NotifyRefusal, notify_set: NotifySet) -> StartingPorts:
    """Return what `start_run` works with; the others mail why a run cannot start, and what is wrong with a set."""
    log = notification_log(settings.uploads_table)
    return StartingPorts(
        prefix=settings.prefix,
        artifacts=settings.artifacts_bucket,
        projects=_projects(settings),
        store_of=_stores(settings),
        objects=ObjectStore(),
        copier=ObjectCopier(),
        executions=SageMakerExecutions(),
        lifetimes=ItemLifetimes(Table(settings.uploads_table)),
        requests=_requests(settings),
        dead_letters=SqsDeadLetterQueue(settings.dead_letters_url),
        refusals=Refusals(log, notify),
        notices=SetNotices(log, notify_set),
        clock=moments.now,
    )


def reporting_ports(settings: ReportRun, notify: Notify) -> ReportingPorts:
    """Return what `report_run` works with; `notify` mails why a run failed."""
    return ReportingPorts(
        projects=_projects(settings),
        store_of=_stores(settings),
        requests=_requests(settings),
        log=notification_log(settings.uploads_table),
        find_failure=FailedExecutions().find,
        quarantining=QuarantiningPorts(
            settings.artifacts_bucket, ObjectStore().text, QuarantineTable(Table(settings.uploads_table)), moments.now
        ),
        notify=notify,
        clock=moments.now,
    )


def notification_log(table: str) -> NotificationTable:
    """Return the log of the mails about executions that is kept in a table of that name."""
    return NotificationTable(Table(table))


def _projects(settings: UploadSettings) -> KnownProjects:
    return KnownProjects(settings.prefix, moments.now)


def _stores(settings: UploadSettings) -> Callable[[str], UploadsTable]:
    return partial(UploadsTable, Table(settings.uploads_table))


def _requests(settings: UploadSettings) -> SqsRunRequests:
    return SqsRunRequests(settings.runs_queue_url, settings.poll_seconds, moments.now)
