"""Which run took a file, what became of that run, what waits and why: read from the uploads table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from signalbox import names
from signalbox.aws.table import Table
from signalbox.uploads.model import STARTED, Run, Upload
from signalbox.uploads.table import UploadsTable
from signalbox.uploads.waiting import unstarted
from signalbox_operate.stack import OperateError, Stack

WAITING = "waiting"
_UNKNOWN = "unknown"


@dataclass(frozen=True)
class Fate:
    """What became of one upload: its state is `waiting`, or that of the run that took it; `detail` says why."""

    upload: Upload
    state: str
    detail: str = ""


def table(stack: Stack, dynamodb: Any) -> UploadsTable:
    """Return the stack's uploads table."""
    return UploadsTable(Table(stack.output("UploadsTable"), dynamodb), stack.output("PipelineName"))


def place(file: str, bucket: str, prefix: str) -> tuple[str, str]:
    """Return the bucket and key of a file: an S3 URI, a key under the watched prefix, or a file that was uploaded.

    Raises:
        OperateError: it is the URI of no object.
    """
    if file.startswith("s3://"):
        try:
            return names.bucket_and_key(file)
        except ValueError as error:
            raise OperateError(str(error)) from error
    return bucket, file if file.startswith(prefix) else f"{prefix}{PurePath(file).name}"


def fates(bucket: str, key: str, uploads: UploadsTable) -> list[Fate]:
    """Return what became of every upload of a key, the oldest first.

    Raises:
        OperateError: there was none.
    """
    found = sorted(uploads.history(bucket, key), key=lambda upload: upload.recorded_at)
    if not found:
        raise OperateError(
            f"no upload of s3://{bucket}/{key} is recorded: is it under the watched prefix (--prefix), and not empty? "
            "An event takes up to a few minutes; what could not be recorded is in the queue UploadsDeadLetters"
        )
    runs = {name: uploads.find(name) for name in {upload.run for upload in found if upload.run}}
    return [_fate(upload, runs, uploads) for upload in found]


def waiting(uploads: UploadsTable) -> tuple[Sequence[Upload], str]:
    """Return the uploads that no execution has yet, the oldest first, and why they wait."""
    return unstarted(uploads), why_waiting(uploads.latest())


def why_waiting(latest: Run | None) -> str:
    """Return why an upload waits while `latest` is the newest run."""
    if latest is None or not latest.open:
        return "the next run takes it when the quiet window is over"
    if latest.waits_for:
        return f"{latest.id} has to start first, and waits: {latest.waits_for}"
    if latest.status == STARTED:
        return f"{latest.id} is active, and its end starts the next run"
    return f"{latest.id} is about to start"


def _fate(upload: Upload, runs: Mapping[str, Run | None], uploads: UploadsTable) -> Fate:
    if upload.run is None:
        return Fate(upload, WAITING, why_waiting(uploads.latest()))
    run = runs.get(upload.run)
    if run is None:
        return Fate(upload, _UNKNOWN, "the table does not know the run any more")
    return Fate(upload, run.status, f"it waits: {run.waits_for}" if run.waits_for else run.reason or "")
