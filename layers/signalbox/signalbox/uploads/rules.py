"""The rules of the upload journey that need nothing from outside."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from signalbox import moments, names
from signalbox.aws.objects import StoredObject
from signalbox.events import FINAL_STATUSES, ObjectUploaded
from signalbox.uploads.model import GONE, ExecutionState, Run, Upload

RUN_REQUESTED = "run-requested"  # the kind of message that asks for a run
# A run takes this many uploads at most, and the next run the rest: taking them is 33 to a transaction, so this is
# 152 calls, a few seconds of a function that may run for a minute.
MOST_UPLOADS = 5_000
DESCRIPTION_LIMIT = 3_072  # botocore's `sagemaker` model, PipelineExecutionDescription
QUEUE_NAME_LIMIT = 128  # Amazon SQS API reference, SendMessage: MessageGroupId and MessageDeduplicationId
MOST_NAMED = 20  # keys in a mail
# Describe may not know an execution yet that was started a moment ago.
NEW = timedelta(minutes=10)


def is_folder(key: str) -> bool:
    """Say whether a key is a folder marker, which consoles make and which holds no data."""
    return key.endswith("/")


def refusal(seen: ObjectUploaded, stored: StoredObject | None) -> str | None:
    """Return why an upload is not for a run, or None if it is."""
    if is_folder(seen.key):
        return "a folder marker"
    if stored is None:
        # Nothing is under the key any more. A run could not read it; if it comes back, that is an event of its own.
        return "deleted before it was seen"
    if stored.size == 0:
        return "empty"
    return None


def upload_of(seen: ObjectUploaded, stored: StoredObject, now: datetime) -> Upload:
    """Return the upload that an event is about: the one whose content is under the key now.

    Both event shapes of an upload get the same business key, because it is made from what S3 says and not from the
    event: CloudTrail has no etag, and not always a version. Without versions the etag and the time of the last change
    stand for one; S3's sequencer would too, but CloudTrail does not know it.

    An object that was overwritten before we looked is recorded as its successor, which collapses with the successor's
    own event: a manifest names keys, so a run would read the successor's content in any case, and if the successor's
    event is lost (CloudTrail is best effort), its upload is not. Whoever made the call counts as the uploader only
    where the event names the very version that is there: another content may be somebody else's.
    """
    # Part of the business key: items of all earlier versions have this spelling of the time, so it never changes.
    unversioned = f"{stored.etag} {stored.modified.astimezone(UTC).isoformat(timespec='microseconds')}"
    return Upload(
        bucket=seen.bucket,
        key=seen.key,
        version=stored.version or unversioned,
        size=stored.size,
        recorded_at=moments.text_of(now),
        by=seen.by if seen.version is not None and not overwritten(seen, stored) else "",
    )


def overwritten(seen: ObjectUploaded, stored: StoredObject) -> bool:
    """Say whether the event is about an earlier content of the key than the one there now."""
    if seen.version is not None:
        return seen.version != stored.version
    return seen.etag is not None and seen.etag != stored.etag


def request_id(pipeline: str, now: datetime, quiet_seconds: int) -> str:
    """Return the deduplication id of a request for a run at `now`: the pipeline and the number of half quiet windows.

    No request may be swallowed by an earlier one that is handled too soon to see what the later one is about. SQS
    swallows a request whose id it accepted in the last 5 minutes, and delivers none before the quiet window is over.
    The swallowed request and the accepted one have the same number, so they are at most half a window apart, and the
    accepted one is delivered at least half a window after the swallowed one was made. That holds for two functions
    whose clocks differ by up to half a window; with numbers of whole windows it would only just hold for equal ones.
    """
    number = int(now.timestamp() * 2 // quiet_seconds)
    return names.slug(f"{pipeline}-{number}", QUEUE_NAME_LIMIT)


def next_run(pipeline: str, latest: Run | None, now: datetime) -> Run:
    """Return the run after `latest`."""
    return Run(pipeline, number=latest.number + 1 if latest else 1, created_at=now.replace(microsecond=0))


def end_of(run: Run, state: ExecutionState | None, now: datetime) -> ExecutionState | None:
    """Return how a started run ended, by what SageMaker knows of its execution (None: nothing); None if it has not."""
    if state is None and run.started_at is not None and now - run.started_at > NEW:
        return ExecutionState(GONE, "the execution does not exist any more")
    return state if state is not None and state.status in FINAL_STATUSES else None


def of_one_bucket(waiting: Sequence[Upload]) -> list[Upload]:
    """Return the uploads in the bucket of the oldest: a manifest has one prefix. The others have the next run."""
    return [upload for upload in waiting if upload.bucket == waiting[0].bucket]


def manifest(uploads: Sequence[Upload]) -> str:
    """Return SageMaker's ManifestFile over the uploads, which are all in one bucket.

    Keys are sorted and named once, however many versions of them the run took: the same run, the same manifest.
    Format: API reference, S3DataSource, `[{"prefix": "s3://bucket/"}, "key", …]`.
    """
    keys = sorted({upload.key for upload in uploads})
    return json.dumps([{"prefix": f"s3://{uploads[0].bucket}/"}, *keys], ensure_ascii=False)


def display_name(run: Run, uploads: Sequence[Upload]) -> str:
    """Return the display name of the run's execution."""
    return names.display(f"run-{run.number}-{_uploads(len(uploads))}".replace(" ", "-"))


def description(run: Run, uploads: Sequence[Upload]) -> str:
    """Return what the run takes, in one line of legal length: as many keys as fit, and how many there are."""
    head = f"{run.id}: {_uploads(len(uploads))} from {uploads[0].bucket}: "
    room = DESCRIPTION_LIMIT - len(head)
    # The limit's pattern is `.*`, which no line break fits; other control characters help nobody.
    keys = [re.sub(r"[^ -\uffff]|\u2028|\u2029|\x85", "?", key) for key in sorted({upload.key for upload in uploads})]
    text = ", ".join(keys)
    return head + (text if len(text) <= room else f"{text[: room - 2]} …")


def named(uploads: Sequence[Upload]) -> str:
    """Return the uploads for people: the first keys, and how many more there are."""
    keys = sorted({upload.key for upload in uploads})
    more = f" and {len(keys) - MOST_NAMED} more" if len(keys) > MOST_NAMED else ""
    return ", ".join(keys[:MOST_NAMED]) + more


def _uploads(number: int) -> str:
    return "1 upload" if number == 1 else f"{number} uploads"
