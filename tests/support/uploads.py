"""In-memory stand-ins of the upload journey's ports. They remember, and refuse what the real ones refuse."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import replace
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from signalbox import moments
from signalbox.aws.errors import CallRefusedError
from signalbox.aws.objects import ObjectCopy, StoredObject
from signalbox.batch import DeadLetter
from signalbox.contracts.uploads import QuarantinedFile
from signalbox.events import ExecutionChange
from signalbox.projects import Project, ProjectPipeline, ProjectUploads
from signalbox.uploads import rules
from signalbox.uploads.model import (
    CLAIMING,
    STARTED,
    SUCCEEDED,
    UNCLAIMED,
    ExecutionState,
    ReportUnderWayError,
    Run,
    RunConflictError,
    RunPostponedError,
    Upload,
    Wish,
)

PIPELINE = "signalbox-abalone"
BUCKET = "signalbox-data-123456789012"
ARTIFACTS = "artifacts"
MANIFESTS = f"s3://{ARTIFACTS}/manifests/{PIPELINE}"
EXECUTION = f"arn:aws:sagemaker:us-east-1:123456789012:pipeline/{PIPELINE}/execution/"


@dataclass
class Clock:
    """A clock that moves when it is told to."""

    now: datetime = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


class MemoryObjects:
    """A bucket with versions, and one of texts, where one text stays one; `refuses` while it takes none."""

    def __init__(self) -> None:
        self.content: dict[tuple[str, str], StoredObject] = {}
        self.written: dict[str, str] = {}
        self.texts: dict[tuple[str, str | None], str] = {}  # what objects say, by their URIs and versions
        self.writes = self.reads = 0
        self.refuses = False

    def put(
        self,
        key: str,
        version: str | None = "v1",
        size: int = 10,
        etag: str = "e1",
        second: int = 0,
        bucket: str = BUCKET,
    ) -> None:
        """Put an object."""
        modified = datetime(2026, 11, 20, 11, 0, second, tzinfo=UTC)
        self.content[bucket, key] = StoredObject(version, etag, size, modified)

    def delete(self, key: str, bucket: str = BUCKET) -> None:
        """Delete an object."""
        self.content.pop((bucket, key), None)

    def look(self, bucket: str, key: str) -> StoredObject | None:
        """Return what is under the key now."""
        return self.content.get((bucket, key))

    def text(self, uri: str, *, version: str | None) -> str | None:
        """Return what an object said in a version."""
        self.reads += 1
        return self.texts.get((uri, version))

    def write(self, uri: str, text: str, content_type: str) -> None:
        """Write a text object; another text for the same URI is a defect, unless it knows more of the uploaders."""
        assert content_type == "application/json"
        if self.refuses:
            raise CallRefusedError(f"s3:PutObject of {uri}", "AccessDenied", "Access Denied")
        self.writes += 1
        assert self.written.get(uri, text) == text or uri.endswith(".uploaders.json")
        self.written[uri] = text

    @property
    def manifests(self) -> dict[str, str]:
        """Return the manifests by the names of their runs."""
        return self._documents(".json", but=(".uploaders.json", ".versions.json"))

    @property
    def uploaders(self) -> dict[str, str]:
        """Return who uploaded the files of runs, by the names of the runs."""
        return self._documents(".uploaders.json")

    @property
    def versions(self) -> dict[str, str]:
        """Return which versions of files runs are over, by the names of the runs."""
        return self._documents(".json.versions.json")

    def _documents(self, ending: str, but: tuple[str, ...] = ()) -> dict[str, str]:
        """Return the texts of one kind by the names of their runs."""
        found = {uri: text for uri, text in self.written.items() if uri.endswith(ending) and not uri.endswith(but)}
        return {uri.removeprefix(f"{MANIFESTS}/").partition(".")[0]: text for uri, text in found.items()}


def a_project(name: str, prefix: str, suffix: str = "", quiet_seconds: int = 0, takes: str = "manifest") -> Project:
    """Return a project with one pipeline of its name."""
    uploads = (ProjectUploads(prefix, name, suffix, quiet_seconds),)
    return Project(name, f"{name}-0123456789ab", uploads, {name: ProjectPipeline(f"signalbox-{name}", (name,), takes)})


ABALONE = a_project("abalone", "incoming/")
WINE = a_project("wine", "incoming/wine/")


class MemoryProjects:
    """The documents of projects, as they are when they are read; `reads` counts that."""

    def __init__(self, *found: Project) -> None:
        self.found = found or (ABALONE,)
        self.reads = 0

    def read_after(self, moment: datetime) -> tuple[Project, ...]:
        """Return the projects."""
        assert moment.tzinfo is not None
        self.reads += 1
        return self.found


class MemoryQuarantine:
    """The files that executions did not use, by execution and name; `writes` counts how often any were written."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, QuarantinedFile]] = {}
        self.writes = 0

    def keep(self, execution: str, files: Sequence[QuarantinedFile], at: datetime) -> None:
        """Write down the files that an execution did not use."""
        self.writes += 1
        self.files.setdefault(execution, {}).update({one["file"]: one for one in files})


class MemoryTables:
    """The uploads table of all pipelines, by their names."""

    def __init__(self) -> None:
        self.by_pipeline: dict[str, MemoryTable] = {}

    def __call__(self, pipeline: str) -> "MemoryTable":
        """Return the part of a pipeline."""
        return self.by_pipeline.get(pipeline) or MemoryTable(pipeline, self)

    @property
    def waiting(self) -> dict[str, list[str]]:
        """Return the keys that wait for each pipeline that has some."""
        found = {name: [upload.key for upload in table.waiting()] for name, table in self.by_pipeline.items()}
        return {name: keys for name, keys in found.items() if keys}


class MemoryTable:
    """The uploads table of one pipeline."""

    def __init__(self, pipeline: str = PIPELINE, tables: MemoryTables | None = None) -> None:
        self.pipeline = pipeline
        self.tables = tables or MemoryTables()
        self.tables.by_pipeline[pipeline] = self
        others = [table.uploads for table in self.tables.by_pipeline.values() if table is not self]
        self.uploads: dict[tuple[str, str, str], Upload] = others[0] if others else {}
        self._waiting: dict[str, Upload] = {}
        self._runs: dict[int, Run] = {}
        self._taken: dict[str, dict[str, Upload]] = {}
        self.notes = 0
        self._wish: Wish | None = None
        self.commits: dict[str, int] = {}  # each that was asked for, with the number of runs before
        self.changes: set[tuple[str, int]] = set()

    def record(self, upload: Upload) -> bool:
        """Write an upload down once."""
        key = (upload.bucket, upload.key, upload.version)
        if key in self.uploads:
            if upload.by and not self.uploads[key].by:
                self._add_uploader(key, upload.by)
            return False
        self.uploads[key] = replace(upload, pipeline=self.pipeline)
        self._waiting[f"{upload.recorded_at}#{upload.digest}"] = upload
        return True

    def _add_uploader(self, key: tuple[str, str, str], by: str) -> None:
        known = self.uploads[key] = replace(self.uploads[key], by=by)
        name, table = f"{known.recorded_at}#{known.digest}", self.tables(known.pipeline)
        if known.run:
            taken = table._taken[known.run]
            taken[known.digest] = replace(taken[known.digest], by=by)
        else:
            table._waiting[name] = replace(table._waiting[name], by=by)

    def latest(self) -> Run | None:
        """Return the run with the highest number."""
        return self._runs[max(self._runs)] if self._runs else None

    @property
    def runs(self) -> list[Run]:
        """Return all runs, the oldest first."""
        return [self._runs[number] for number in sorted(self._runs)]

    @property
    def waits_for(self) -> dict[str, str]:
        """Return what runs wait for, by their names."""
        return {run.id: run.waits_for for run in self._runs.values() if run.waits_for}

    def find(self, run_id: str) -> Run | None:
        """Return the run called `run_id`."""
        return next((run for run in self._runs.values() if run.id == run_id), None)

    def run_of(self, execution: str) -> Run | None:
        """Return the run with this execution."""
        return next((run for run in self._runs.values() if run.execution == execution), None)

    def set_aside(self, upload: Upload, state: str, detail: str, at: datetime) -> None:
        """Let a waiting upload wait no more, in no run."""
        if self._waiting.pop(f"{upload.recorded_at}#{upload.digest}", None) is not None:
            known = (upload.bucket, upload.key, upload.version)
            self.uploads[known] = replace(self.uploads[known], state=state, detail=detail)

    def history(self, bucket: str, key: str) -> list[Upload]:
        """Return every upload recorded under a key."""
        found = [upload for upload in self.uploads.values() if (upload.bucket, upload.key) == (bucket, key)]
        return sorted(found, key=lambda upload: upload.version)

    def last_with_uploads(self) -> Run | None:
        """Return the last run with uploads that succeeded, else the last one with uploads."""
        found = [run for run in self.runs if self.taken(run)]
        best = [run for run in found if run.status == SUCCEEDED] or found
        return best[-1] if best else None

    def wish(self) -> Wish | None:
        """Return what the last push has asked for."""
        return self._wish

    def ask_again(self, commit: str, at: datetime, number: int = 1) -> bool:
        """Write down that a run at a commit is asked for, once for each change."""
        assert at.tzinfo is not None
        if (commit, number) in self.changes:
            return False
        self.changes.add((commit, number))
        self.commits[commit], self._wish = len(self._runs), Wish(commit)
        return True

    def open(self, run: Run, wish: Wish | None = None) -> None:
        """Write down a new run, and that it fulfils a wish."""
        if run.number in self._runs or (wish is not None and wish != self._wish):
            raise RunConflictError("taken, or another is wanted")
        self._runs[run.number] = run
        self._wish = self._wish if wish is None else Wish(wish.commit, run.id)

    def waiting(self, most: int | None = None) -> Sequence[Upload]:
        """Return waiting uploads, the oldest first."""
        return [self._waiting[name] for name in sorted(self._waiting)][:most]

    def last_waiting(self) -> Upload | None:
        """Return the waiting upload that was recorded last."""
        return self._waiting[max(self._waiting)] if self._waiting else None

    def hand_over(self, uploads: Iterable[Upload], pipeline: str) -> None:
        """Let waiting uploads wait for another pipeline."""
        uploads = list(uploads)
        names = [f"{upload.recorded_at}#{upload.digest}" for upload in uploads]
        if any(name not in self._waiting for name in names):
            raise RunConflictError("not waiting")
        for name, upload in zip(names, uploads, strict=True):
            self.tables(pipeline)._waiting[name] = self._waiting.pop(name)
            known = (upload.bucket, upload.key, upload.version)
            self.uploads[known] = replace(self.uploads[known], pipeline=pipeline)

    def take(self, run: Run, uploads: Iterable[Upload]) -> None:
        """Move waiting uploads to the run."""
        uploads = list(uploads)
        names = [f"{upload.recorded_at}#{upload.digest}" for upload in uploads]
        if uploads and (self._runs[run.number].status != CLAIMING or any(name not in self._waiting for name in names)):
            raise RunConflictError("sealed, or taken")
        for name, upload in zip(names, uploads, strict=True):
            del self._waiting[name]
            taken = replace(upload, run=run.id)
            known = (upload.bucket, upload.key, upload.version)
            self.uploads[known] = replace(self.uploads[known], run=run.id)
            self._taken.setdefault(run.id, {})[upload.digest] = taken

    def leave_out(self, run: Run, uploads: Iterable[Upload], at: datetime) -> None:
        """Mark uploads of an unsealed run as gone."""
        taken, uploads = self._taken.get(run.id, {}), list(uploads)
        if self._runs[run.number].status != CLAIMING or any(one.digest not in taken for one in uploads):
            raise RunConflictError("sealed, or left out")
        for one in uploads:
            del taken[one.digest]
            known = (one.bucket, one.key, one.version)
            self.uploads[known] = replace(self.uploads[known], gone=moments.text_of(at))

    def taken(self, run: Run) -> Sequence[Upload]:
        """Return the uploads of the run."""
        taken = self._taken.get(run.id, {})
        return [taken[digest] for digest in sorted(taken)]

    def input_of(self, run: Run) -> Sequence[Upload]:
        """Return the uploads that the run is over."""
        taken = self._taken.get(run.source, {})
        return [taken[digest] for digest in sorted(taken)]

    def move(
        self, run: Run, status: str, *, at: datetime, execution: str | None = None, reason: str | None = None
    ) -> Run:
        """Give the run another status if it still has the one in `run`."""
        if self._runs[run.number].status != run.status:
            raise RunConflictError("moved")
        started_at = at if status == STARTED else run.started_at
        execution = execution or run.execution
        moved = replace(run, status=status, execution=execution, started_at=started_at, reason=reason, waits_for=None)
        self._runs[run.number] = moved
        return moved

    def note(self, run: Run, waits_for: str) -> None:
        """Write beside the run what it waits for, and whether it has its manifest."""
        if self._runs[run.number].status != run.status:
            raise RunConflictError("moved")
        self._runs[run.number] = replace(run, waits_for=waits_for)
        self.notes += 1


@dataclass
class MemoryRequests:
    """A FIFO queue with a delay, which swallows an id that it accepted in the last five minutes.

    `sent` are its messages, each with when it is delivered and its group.
    """

    clock: Clock
    delay_seconds: int = 60
    accepted: list[tuple[str, datetime]] = field(default_factory=list)
    sent: list[tuple[datetime, str, Mapping[str, object]]] = field(default_factory=list)

    def ask(self, pipeline: str) -> None:
        """Send a request for a run."""
        self._request(rules.RUN_REQUESTED, pipeline)

    def ask_for_claims(self, pipeline: str = UNCLAIMED) -> None:
        """Send a request to look at what no project claims."""
        self._request(rules.CLAIM_REQUESTED, pipeline)

    def pass_on(self, change: ExecutionChange, event: Mapping[str, object]) -> None:
        """Send the event about an execution's end."""
        self._send(f"{change.execution_arn} {change.status}", change.pipeline, event)

    @property
    def visible(self) -> list[datetime]:
        """Return when each message is delivered."""
        return [moment for moment, _, _ in self.sent]

    @property
    def asked(self) -> list[Mapping[str, object]]:
        """Return the messages."""
        return [body for _, _, body in self.sent]

    def due(self) -> list[tuple[str, Mapping[str, object]]]:
        """Take the messages that are delivered by now, each with its group."""
        found = [(group, body) for moment, group, body in self.sent if moment <= self.clock()]
        self.sent = [message for message in self.sent if message[0] > self.clock()]
        return found

    def _request(self, kind: str, pipeline: str) -> None:
        name = rules.request_id(kind, pipeline, self.clock(), self.delay_seconds)
        self._send(name, pipeline, {"kind": kind, "pipeline": pipeline})

    def _send(self, name: str, group: str, body: Mapping[str, object]) -> None:
        recent = self.clock() - timedelta(minutes=5)
        if not any(known == name and at > recent for known, at in self.accepted):
            self.accepted.append((name, self.clock()))
            self.sent.append((self.clock() + timedelta(seconds=self.delay_seconds), group, body))


class MemoryCopier:
    """Copies of objects, each source by its target; those in `gone` do not exist."""

    def __init__(self) -> None:
        self.copies: dict[str, str] = {}
        self.gone: set[str] = set()
        self.calls = 0

    def copy(self, source: str, target: str) -> ObjectCopy | None:
        """Copy an object."""
        self.calls += 1
        if source in self.gone:
            return None
        self.copies[target] = source
        return ObjectCopy(target, "v1", "e1", "e1")


class MemoryLifetimes:
    """The names of the runs that expire, each as often as it was said."""

    def __init__(self) -> None:
        self.expired: list[str] = []

    def expire(self, run: Run, at: datetime, left: Callable[[], int]) -> None:
        """Let a run and its uploads be forgotten."""
        assert at.tzinfo is not None
        assert left() > 0
        self.expired.append(run.id)


class MemoryDeadLetterQueue:
    """A dead-letter queue; `refuses` while it takes nothing."""

    def __init__(self) -> None:
        self.letters: list[DeadLetter] = []
        self.refuses = False

    def send(self, letter: DeadLetter) -> None:
        """Keep the message."""
        if self.refuses:
            raise CallRefusedError("sqs:SendMessage to the dead-letter queue", "AccessDenied", "refused")
        self.letters.append(letter)

    @property
    def reasons(self) -> dict[str, str]:
        """Return the reasons by message id."""
        return {letter.message_id: letter.reason for letter in self.letters}


class MemoryNotificationLog:
    """Which executions people were notified of, and since when a claim holds."""

    def __init__(self) -> None:
        self.claims: dict[str, datetime] = {}
        self.closed: set[str] = set()

    def notified(self, execution: str) -> bool:
        """Say whether the mail about an execution was sent."""
        return execution in self.closed

    def claim(self, execution: str, now: datetime, lease: timedelta) -> bool:
        """Take the mail about an execution upon oneself."""
        if execution in self.closed:
            return False
        if execution in self.claims and self.claims[execution] >= now - lease:
            raise ReportUnderWayError(execution)
        self.claims[execution] = now
        return True

    def close(self, execution: str, now: datetime) -> None:
        """Write down that the mail was sent."""
        self.claims[execution] = now
        self.closed.add(execution)


class MemoryExecutions:
    """The executions of pipelines: one for each token, `quota` at a time."""

    def __init__(self, quota: int = 20) -> None:
        self.quota = quota
        self.refusal: RunPostponedError | None = None
        self.by_token: dict[str, str] = {}
        self.states: dict[str, ExecutionState] = {}
        self.started: list[dict[str, Any]] = []

    def start(
        self, pipeline: ProjectPipeline, value: str | None, *, token: str, display_name: str, description: str
    ) -> str:
        """Start an execution, or find the one with the same token."""
        if token in self.by_token:
            return self.by_token[token]
        if self.refusal:
            raise self.refusal
        if len(self.running) >= self.quota:
            raise RunPostponedError("the quota is used up")
        arn = f"{EXECUTION.replace(PIPELINE, pipeline.name)}{len(self.by_token):012d}"
        self.by_token[token] = arn
        self.states[arn] = ExecutionState("Executing")
        self.started.append({"display_name": display_name, "description": description, "input": value})
        return arn

    def state(self, execution: str) -> ExecutionState | None:
        """Return how the execution stands."""
        return self.states.get(execution)

    @property
    def running(self) -> list[str]:
        """Return the executions that are not over."""
        return [arn for arn, state in self.states.items() if state.status == "Executing"]

    def finish(self, execution: str, status: str = "Succeeded", reason: str | None = None) -> None:
        """Let an execution end."""
        self.states[execution] = ExecutionState(status, reason)
