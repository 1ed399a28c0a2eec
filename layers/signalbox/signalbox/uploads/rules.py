"""The rules of the upload journey that need nothing from outside."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from signalbox import moments, names
from signalbox.aws.objects import StoredObject
from signalbox.events import FINAL_STATUSES, ObjectUploaded
from signalbox.project_documents import Window
from signalbox.uploads.model import EMPTY, GONE, MANIFESTS, NO_UPLOADS, ExecutionState, Run, Upload, Wish

RUN_REQUESTED = "run-requested"  # the kind of message that asks for a run
REPEAT_REQUESTED = "repeat-requested"  # the kind by which a push asks for one
CLAIM_REQUESTED = "claim-requested"  # the kind that asks to look at what no project claims
# A run takes this many uploads at most, and the next run the rest: taking them is 33 to a transaction, so this is
# 152 calls, a few seconds of a function that may run for a minute.
MOST_UPLOADS = 5_000
DESCRIPTION_LIMIT = 3_072  # botocore's `sagemaker` model, PipelineExecutionDescription
QUEUE_NAME_LIMIT = 128  # Amazon SQS API reference, SendMessage: MessageGroupId and MessageDeduplicationId
MOST_NAMED = 20  # keys in a mail
_SHORT = 12  # characters of a commit, for people
# Bytes that are copied for one run, in calls that a function of a minute has the time for; a larger file is alone in
# its run, and then not copied.
MOST_COPIED = 2 * 1024**3
_NAME_LIMIT = 200  # bytes of a copy's name; a key may have 1,024, and the folder before it has up to 150
# Describe may not know an execution yet that was started a moment ago.
NEW = timedelta(minutes=10)


def is_folder(key: str) -> bool:
    """Say whether a key is a folder marker, which consoles make and which holds no data."""
    return key.endswith("/")


def refusal(seen: ObjectUploaded, stored: StoredObject | None, *, names_files: bool = False) -> str | None:
    """Return why an upload is not for a run, or None if it is; what names the files of a set is told of if empty."""
    if is_folder(seen.key):
        return "a folder marker"
    if stored is None:
        # Nothing is under the key any more. A run could not read it; if it comes back, that is an event of its own.
        return "deleted before it was seen"
    if stored.size == 0 and not names_files:
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
        modified=moments.text_of(stored.modified),
    )


def overwritten(seen: ObjectUploaded, stored: StoredObject) -> bool:
    """Say whether the event is about an earlier content of the key than the one there now."""
    if seen.version is not None:
        return seen.version != stored.version
    return seen.etag is not None and seen.etag != stored.etag


def request_id(kind: str, pipeline: str, now: datetime, delay_seconds: int) -> str:
    """Return the deduplication id of a request at `now`: kind, pipeline, and the number of half delays of the queue.

    No request may be swallowed by an earlier one that is handled too soon to see what the later one is about. SQS
    swallows a request whose id it accepted in the last 5 minutes, and delivers none before the queue's delay is over.
    The swallowed request and the accepted one have the same number, so they are at most half a delay apart, and the
    accepted one is delivered at least half a delay after the swallowed one was made. That holds for two functions
    whose clocks differ by up to half a delay; with numbers of whole delays it would only just hold for equal ones.

    So a process need not send an id that SQS has taken from it less than half a delay ago: SQS still knows the id, and
    would swallow it. It does not matter whether SQS accepted the first or swallowed it: what holds for the two of them
    holds for both against the accepted one. A function that was frozen meanwhile has another number. The requests that
    `start_run` makes because it postpones a run have another number than the one it handles, which is a delay old.
    """
    number = int(now.timestamp() * 2 // delay_seconds)
    return names.slug(f"{pipeline}-{kind}-{number}", QUEUE_NAME_LIMIT)


def is_due(waiting: Sequence[Upload], newest: Upload, window: Window, now: datetime) -> bool:
    """Say whether waiting uploads may have their run; `waiting` are the oldest of them, as many as a batch has.

    The quiet time begins anew with each upload, so what belongs together is one run, however long it takes to come: up
    to the longest wait of its first.
    """
    since_newest, since_oldest = (now - moments.moment_of(one.recorded_at) for one in (newest, waiting[0]))
    quiet, longest = timedelta(seconds=window.quiet_seconds), timedelta(seconds=window.longest_seconds)
    return (
        since_newest >= quiet or since_oldest >= longest or (window.batch is not None and len(waiting) >= window.batch)
    )


def next_run(pipeline: str, latest: Run | None, now: datetime) -> Run:
    """Return the run after `latest`."""
    number = latest.number + 1 if latest else 1
    return Run(pipeline, number, created_at=now.replace(microsecond=0), folder=folder(pipeline))


def open_wish(wish: Wish | None, latest: Run | None) -> Wish | None:
    """Return the wish if no run was opened for it, or one that then found nothing left to take."""
    if wish is None or wish.run is None:
        return wish
    emptied = latest is not None and latest.id == wish.run and latest.status == EMPTY and latest.repeats is None
    return wish if emptied else None


def folder(pipeline: str) -> str:
    """Return where the manifests of a pipeline's runs lie in the artifacts bucket."""
    return f"{MANIFESTS}/{pipeline}"


def end_of(run: Run, state: ExecutionState | None, now: datetime) -> ExecutionState | None:
    """Return how a started run ended, by what SageMaker knows of its execution (None: nothing); None if it has not."""
    if state is None and run.started_at is not None and now - run.started_at > NEW:
        return ExecutionState(GONE, "the execution does not exist any more")
    return state if state is not None and state.status in FINAL_STATUSES else None


def of_one_bucket(waiting: Sequence[Upload]) -> list[Upload]:
    """Return the uploads in the bucket of the oldest: a manifest has one prefix. The others have the next run."""
    return [upload for upload in waiting if upload.bucket == waiting[0].bucket]


def that_fit_a_copy(taken: Sequence[Upload], waiting: Sequence[Upload]) -> list[Upload]:
    """Return the first waiting uploads that are copied together with those that were taken.

    One that is too large for that is alone, and not copied.
    """
    fitting, size = list[Upload](), sum(upload.size for upload in taken)
    for upload in waiting:
        size += upload.size
        if size > MOST_COPIED and (taken or fitting):
            break
        fitting.append(upload)
    return fitting


def names_of_copies(keys: Sequence[str]) -> Mapping[str, str]:
    """Return what the copy of each key is called: as its file, with a digest before it where others have that name."""
    files = Counter(_file(key) for key in keys)
    return {key: _file(key) if files[_file(key)] == 1 else f"{_digest(key)}-{_file(key)}" for key in keys}


def _file(key: str) -> str:
    name = key.rpartition("/")[2]
    short = name.encode()[-_NAME_LIMIT:].decode(errors="ignore")
    return name if short == name else f"{_digest(key)}-{short}"


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:8]


def manifest(uploads: Sequence[Upload]) -> str:
    """Return SageMaker's ManifestFile over the uploads, which are all in one bucket.

    Keys are sorted and named once, however many versions of them the run took: the same run, the same manifest.
    Format: API reference, S3DataSource, `[{"prefix": "s3://bucket/"}, "key", …]`.
    """
    keys = sorted({upload.key for upload in uploads})
    return json.dumps([{"prefix": f"s3://{uploads[0].bucket}/"}, *keys], ensure_ascii=False)


def display_name(run: Run, uploads: Sequence[Upload]) -> str:
    """Return the display name of the run's execution."""
    if run.repeats is not None:
        return names.display(f"run-{run.number}-again")
    return names.display(f"run-{run.number}-{_uploads(len(uploads))}".replace(" ", "-"))


def description(run: Run, uploads: Sequence[Upload]) -> str:
    """Return what the run takes, in one line of legal length: as many keys as fit, and how many there are."""
    at = f", at commit {run.commit[:_SHORT]}" if run.commit else ""
    if not uploads:
        return f"{run.id}: no uploads{at}"
    again = f"again what {run.repeats} took, " if run.repeats else ""
    lacks = f"{run.lacks}; " if run.lacks else ""
    head = f"{run.id}: {again}{_uploads(len(uploads))} from {uploads[0].bucket}{at}: "
    room = DESCRIPTION_LIMIT - len(head)
    # The limit's pattern is `.*`, which no line break fits; other control characters help nobody.
    text = lacks + ", ".join(sorted({upload.key for upload in uploads}))
    text = re.sub(r"[^ -\uffff]|\u2028|\u2029|\x85", "?", text)
    return head + (text if len(text) <= room else f"{text[: room - 2]} …")


def data_of(uploads: Sequence[Upload]) -> list[Upload]:
    """Return the uploads of a run that are data, and do not name those of a set."""
    return [upload for upload in uploads if not upload.names_files]


def named(uploads: Sequence[Upload]) -> str:
    """Return the uploads for people: the first keys, and how many more there are."""
    keys = sorted({upload.key for upload in data_of(uploads)})
    more = f" and {len(keys) - MOST_NAMED} more" if len(keys) > MOST_NAMED else ""
    return ", ".join(keys[:MOST_NAMED]) + more


def told(run: Run, uploads: Sequence[Upload]) -> str:
    """Return for people what a run is over: its uploads, whose they were where it repeats a run, and the commit."""
    at = f"at commit {run.commit[:_SHORT]}" if run.commit else ""
    if run.repeats == NO_UPLOADS:
        return f"none, since the pipeline takes none; {at}"
    if run.repeats is not None:
        return f"again what {run.repeats} took, {at}: {named(uploads)}"
    about = ", ".join(text for text in (at, run.lacks) if text)
    return f"{named(uploads)} ({about})" if about and uploads else named(uploads)


def _uploads(number: int) -> str:
    return "1 upload" if number == 1 else f"{number} uploads"
