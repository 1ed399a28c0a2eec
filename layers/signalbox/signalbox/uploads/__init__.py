"""Uploads become runs: each is written down once, one run at a time takes all that wait, and a failed one is told.

`recorder`, `starter` and `reporter` put the rules and the adapters together for the three functions.
"""

from datetime import UTC, datetime

from signalbox.settings import RecordUploads, ReportRun, StartRun
from signalbox.uploads.adapters import (
    S3Manifests,
    S3Objects,
    SageMakerEndings,
    SageMakerExecutions,
    SqsDeadLetters,
    SqsRunRequests,
)
from signalbox.uploads.recording import Recorder
from signalbox.uploads.reporting import Reporter, Tell
from signalbox.uploads.starting import Starter
from signalbox.uploads.table import ReportsTable, UploadsTable

__all__ = ["Recorder", "Reporter", "Starter", "recorder", "reporter", "starter"]


def recorder(settings: RecordUploads) -> Recorder:
    """Return what writes uploads down."""
    return Recorder(
        objects=S3Objects(),
        inbox=UploadsTable(settings.uploads_table, settings.pipeline_name),
        requests=SqsRunRequests(settings.runs_queue_url, settings.pipeline_name, settings.quiet_seconds, _now),
        dead_letters=SqsDeadLetters(settings.dead_letters_url),
        clock=_now,
    )


def starter(settings: StartRun) -> Starter:
    """Return what starts and closes runs."""
    return Starter(
        pipeline=settings.pipeline_name,
        table=UploadsTable(settings.uploads_table, settings.pipeline_name),
        manifests=S3Manifests(settings.artifacts_bucket),
        executions=SageMakerExecutions(settings.pipeline_name),
        requests=SqsRunRequests(settings.runs_queue_url, settings.pipeline_name, settings.quiet_seconds, _now),
        dead_letters=SqsDeadLetters(settings.dead_letters_url),
        clock=_now,
    )


def reporter(settings: ReportRun, tell: Tell) -> Reporter:
    """Return what mails by `tell` why runs failed."""
    return Reporter(
        pipeline=settings.pipeline_name,
        model=settings.model,
        runs=UploadsTable(settings.uploads_table, settings.pipeline_name),
        reports=ReportsTable(settings.uploads_table),
        endings=SageMakerEndings(),
        tell=tell,
        clock=_now,
    )


def _now() -> datetime:
    return datetime.now(UTC)
