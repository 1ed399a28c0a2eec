"""Which run took a file, what became of that run, what waits and why: read from the uploads table, for all projects."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from signalbox import names, projects, quarantine
from signalbox.aws.table import Table
from signalbox.project_documents import Window
from signalbox.projects import Project
from signalbox.uploads import items
from signalbox.uploads.model import STARTED, UNCLAIMED, Run, Upload
from signalbox.uploads.quarantined import QuarantineTable
from signalbox.uploads.table import UploadsTable, pipelines
from signalbox.uploads.waiting import unstarted
from signalbox_operate import sets
from signalbox_operate.sets import SetTextsOfUser, WaitingSet
from signalbox_operate.stack import OperateError, Stack

WAITING, QUARANTINED, GONE = "waiting", "quarantined", "gone"
_UNKNOWN = "unknown"
_IN_SETS = "a set runs once all its files are there, and what no set names waits for one that does"
NOBODY = "no project claims its place: deploy one whose uploads have a prefix that its key begins with"


@dataclass(frozen=True)
class Fate:
    """What became of one upload: its state is `waiting`, `quarantined`, `gone`, that of its run, or one without a run.

    `detail` says why. `quarantined` is one that its run did not use, however that ended.
    """

    upload: Upload
    state: str
    detail: str = ""


@dataclass(frozen=True)
class Waiting:
    """What waits for a pipeline, or what nobody claims (`UNCLAIMED`), the oldest first; `reason` says why.

    `sets` are those that it has begun with.
    """

    pipeline: str
    uploads: Sequence[Upload]
    reason: str
    sets: Sequence[WaitingSet] = ()


@dataclass(frozen=True)
class UploadsOfStack:
    """The uploads of a stack, its projects, and what names the files of sets."""

    table: Table
    projects: tuple[Project, ...]
    texts: SetTextsOfUser

    def of(self, pipeline: str) -> UploadsTable:
        """Return the part of a pipeline."""
        return UploadsTable(self.table, pipeline)

    def known(self, upload: Upload) -> Upload | None:
        """Return an upload as it stands now; None where it is forgotten."""
        place = items.upload_key(upload)
        item = self.table.get(str(place["pk"]), str(place["sk"]))
        return items.upload_in(item) if item else None

    def pipelines(self) -> list[str]:
        """Return the pipelines of all projects, and those that had runs and are of none (any more)."""
        listed = {each.name for project in self.projects for each in project.pipelines.values()}
        return sorted({*listed, *pipelines(self.table)})

    def waiting(self) -> list[Waiting]:
        """Return what waits for each pipeline, and what nobody claims, as far as there is something."""
        found = [
            Waiting(pipeline, uploads, self.why_waiting(pipeline), self.sets(pipeline, uploads))
            for pipeline in (*self.pipelines(), UNCLAIMED)
            if (uploads := unstarted(self.of(pipeline)))
        ]
        return sorted(found, key=lambda each: each.uploads[0].recorded_at)

    def why_waiting(self, pipeline: str) -> str:
        """Return why an upload waits for a pipeline."""
        if pipeline == UNCLAIMED:
            return NOBODY
        owned, latest = projects.owner(self.projects, pipeline), self.of(pipeline).latest()
        if owned and any(each.complete for each in owned.entries) and (latest is None or not latest.open):
            return _IN_SETS
        return why_waiting(latest, owned.window if owned else None)

    def sets(self, pipeline: str, uploads: Sequence[Upload]) -> list[WaitingSet]:
        """Return the sets among what waits for a pipeline."""
        owned = projects.owner(self.projects, pipeline)
        return sets.waiting_sets(uploads, owned, self.projects, self.texts) if owned else []

    def why_upload_waits(self, upload: Upload) -> str:
        """Return why one upload waits: which set it is in, or why its pipeline's uploads wait."""
        owned = projects.owner(self.projects, upload.pipeline)
        known = self.sets(upload.pipeline, self.of(upload.pipeline).waiting()) if owned and owned.in_lots else []
        found = sets.why(upload, known, owned, self.projects) if owned and owned.in_lots else None
        return found or self.why_waiting(upload.pipeline)


def of_stack(stack: Stack, dynamodb: Any, ssm: Any, s3: Callable[[], Any]) -> UploadsOfStack:
    """Return the stack's uploads; `s3` returns the client by which sets are read, where there are some."""
    table, known = Table(stack.output("UploadsTable"), dynamodb), projects.load_projects(stack.output("Prefix"), ssm)
    return UploadsOfStack(table, known, SetTextsOfUser(s3))


def prefixes(given: str | None, project: str | None, known: Sequence[Project]) -> list[str]:
    """Return where uploads may lie: under the prefix that is given, or under those of a project, or of all.

    Raises:
        OperateError: there is no such project, or none that takes uploads.
    """
    if given is not None:
        return [given]
    chosen = [each for each in known if project in (None, each.project)]
    if not chosen and project is not None:
        listed = ", ".join(each.project for each in known) or "none"
        raise OperateError(f"there is no project {project!r}: the stack's projects are {listed}")
    found = list(dict.fromkeys(each.prefix for one in chosen for each in one.uploads))
    if not found:
        raise OperateError("no project of the stack takes uploads: deploy one, or name a place with --prefix")
    return found


def prefix(given: str | None, project: str | None, known: Sequence[Project]) -> str:
    """Return where new uploads go.

    Raises:
        OperateError: as `prefixes`; or there are several places.
    """
    found = prefixes(given, project, known)
    if len(found) > 1:
        raise OperateError(f"uploads may go to {', '.join(found)}: say which by --project, or by --prefix")
    return found[0]


def check_wanted(keys: Sequence[str], known: Sequence[Project]) -> str:
    """Return a remark about keys that no project claims, "" where all are claimed.

    Raises:
        OperateError: a project has the place of one of them and wants no such ending.
    """
    for key in keys:
        owner = projects.covering(known, key)
        if owner and not projects.claim(known, key):
            entries = [each for each in owner.uploads if key.startswith(each.prefix)]
            wanted = ", ".join(f"*{end}" for each in entries for end in (each.suffix, each.complete) if end is not None)
            raise OperateError(f"{key} would be dropped: the project {owner.project} wants {wanted} there")
    lonely = [key for key in keys if not projects.claim(known, key)]
    return f"{', '.join(lonely)}: no project claims this place, so it waits until one does" if lonely else ""


def places(file: str, bucket: str, under: Sequence[str]) -> list[tuple[str, str]]:
    """Return the buckets and keys that a file may have: an S3 URI, a key under a prefix, or a file that was uploaded.

    Raises:
        OperateError: it is the URI of no object.
    """
    if file.startswith("s3://"):
        try:
            return [names.bucket_and_key(file)]
        except ValueError as error:
            raise OperateError(str(error)) from error
    if any(file.startswith(prefix) for prefix in under):
        return [(bucket, file)]
    return [(bucket, f"{prefix}{PurePath(file).name}") for prefix in under]


def fates(asked: Sequence[tuple[str, str]], uploads: UploadsOfStack) -> list[Fate]:
    """Return what became of every upload of some keys, the oldest first.

    Raises:
        OperateError: there was none.
    """
    history = [upload for bucket, key in asked for upload in uploads.of(UNCLAIMED).history(bucket, key)]
    if not history:
        listed = " or ".join(f"s3://{bucket}/{key}" for bucket, key in asked)
        raise OperateError(
            f"no upload of {listed} is recorded: is it under the watched prefix (--prefix), and not empty? "
            "An event takes up to a few minutes; what could not be recorded is in the queue UploadsDeadLetters"
        )
    return [_fate(upload, uploads) for upload in sorted(history, key=lambda upload: upload.recorded_at)]


def why_waiting(latest: Run | None, window: Window | None) -> str:
    """Return why an upload waits while `latest` is the newest run of its pipeline, whose project has a `window`."""
    if latest is None or not latest.open:
        return f"the next run takes it {_due(window)}"
    if latest.waits_for:
        return f"{latest.id} has to start first, and waits: {latest.waits_for}"
    if latest.status == STARTED:
        return f"{latest.id} is active, and its end starts the next run"
    return f"{latest.id} is about to start"


def _due(window: Window | None) -> str:
    if window is None:
        return "once a project has its pipeline"
    if not window.quiet_seconds:
        return "in a moment"
    batch = f", or {window.batch:,} wait" if window.batch else ""
    latest = f"at the latest {window.longest_seconds:,} s after the first"
    return f"once no other came for {window.quiet_seconds:,} s{batch}; {latest}"


def _fate(upload: Upload, uploads: UploadsOfStack) -> Fate:
    if upload.run is None and upload.state:
        return Fate(upload, upload.state, upload.detail)
    if upload.run is None:
        return Fate(upload, WAITING, uploads.why_upload_waits(upload))
    if upload.gone:
        return Fate(upload, GONE, f"it was deleted before the run could start, which went on without it {upload.gone}")
    run = uploads.of(upload.pipeline).find(upload.run)
    if run is None:
        return Fate(upload, _UNKNOWN, "the table does not know the run any more")
    unused = QuarantineTable(uploads.table).find(run.execution, upload.key) if run.execution else None
    if unused is not None and unused["kind"] != quarantine.ROWS:
        look = f"`signalbox quarantine {run.id}` says what to do"
        return Fate(upload, QUARANTINED, f"{quarantine.sentences([unused])[0]}; {look}")
    return Fate(upload, run.status, f"it waits: {run.waits_for}" if run.waits_for else run.reason or "")
