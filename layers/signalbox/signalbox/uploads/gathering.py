"""What waits is looked at in lots, where a project gives sets or lets newer versions replace older ones.

Everything follows from what waits and from what the sets' manifests say, at each look anew: whatever dies in between,
the next look decides the same. Only what is told and what is set aside is written down.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from signalbox import moments, projects
from signalbox.aws.errors import CallRefusedError
from signalbox.observability import count, logger
from signalbox.project_documents import URL, Project, ProjectUploads
from signalbox.projects import OwnedPipeline
from signalbox.uploads import rules, sets
from signalbox.uploads.model import CLAIMING, REFUSED, REPLACED, Run, Upload
from signalbox.uploads.notices import SetNotices
from signalbox.uploads.ports import RunRequests, SetTexts, UploadStore
from signalbox.uploads.sets import Lot, SetError, UploadSet

# After so much of its minute a function reads no further manifest: the younger ones have their turn once older sets
# have come, or are given up.
_READING = timedelta(seconds=20)


class GatheringPorts(NamedTuple):
    """What gathering needs from outside; `began` is when the function was called."""

    store: UploadStore
    objects: SetTexts
    notices: SetNotices
    requests: RunRequests
    clock: Callable[[], datetime]
    began: datetime


class Parts(NamedTuple):
    """What waits for a pipeline: what names the files of sets, with what its project says; files of sets; the others.

    The files are by bucket and key.
    """

    manifests: Sequence[tuple[Upload, ProjectUploads]]
    files: Mapping[tuple[str, str], Sequence[Upload]]
    others: Sequence[Upload]


class Gathered(NamedTuple):
    """The lots that may have a run now; `quiet` says that uploads in no set wait for their own time."""

    lots: list[Lot]
    quiet: bool


def gather(
    owned: OwnedPipeline | None, known: Sequence[Project], run: Run | None, ports: GatheringPorts
) -> Gathered | None:
    """Return what of a pipeline's uploads may have a run now; None where it takes whatever waits.

    `run` is its latest one: what that has taken, and is not sealed, counts as if it waited. People are told once of a
    set that cannot be used, or whose files have not all come within the longest wait. The latter is run without them;
    where it has none, or cannot be used, its manifest is set aside. A later look is asked for while something is open.

    Raises:
        ServiceBusyError, CallRefusedError: the table or the queue did not answer, or S3 not now.
    """
    if owned is None or not owned.in_lots:
        return None
    taken = ports.store.taken(run) if run is not None and run.status == CLAIMING else ()
    waiting = _without_replaced(ports.store.waiting(), owned, known, ports)
    parts = split([*taken, *waiting], owned, known)
    lots = _others(parts.others, owned, ports.clock())
    later = quiet = bool(parts.others) and not lots
    for manifest, found in sets_of(parts, owned, known, ports.objects):
        lot, settled = _decided(manifest, found, owned, ports)
        lots += [lot] if lot is not None else []
        later = later or not settled
        if ports.clock() - ports.began >= _READING:
            later = True
            break
    if later:
        ports.requests.ask(owned.pipeline.name)
    return Gathered(lots, quiet)


def split(uploads: Sequence[Upload], owned: OwnedPipeline, known: Sequence[Project]) -> Parts:
    """Return the uploads of a pipeline in parts, by what its project says now; those of others are left out."""
    manifests, others = list[tuple[Upload, ProjectUploads]](), list[Upload]()
    files = defaultdict[tuple[str, str], list[Upload]](list)
    for upload, entry in _own(uploads, owned, known):
        if entry.completes(upload.key):
            manifests.append((upload, entry))
        elif entry.complete is not None:
            files[upload.bucket, upload.key].append(upload)
        else:
            others.append(upload)
    return Parts(sorted(manifests, key=lambda one: one[0].recorded_at), files, others)


def sets_of(
    parts: Parts, owned: OwnedPipeline, known: Sequence[Project], objects: SetTexts
) -> Iterator[tuple[Upload, UploadSet | SetError]]:
    """Yield each set's manifest with what has come of the set, or with why it cannot be used; the oldest first.

    Raises:
        ServiceBusyError: S3 does not answer now.
    """
    for manifest, entry in parts.manifests:
        try:
            found = sets.matched(manifest, _keys(manifest, entry, known, objects), parts.files)
            _check_size(found, owned)
        except SetError as error:
            yield manifest, error
        else:
            yield manifest, found


def deadline(manifest: Upload, owned: OwnedPipeline) -> datetime:
    """Return until when a set waits for its files."""
    return moments.moment_of(manifest.recorded_at) + timedelta(seconds=owned.window.longest_seconds)


def _own(
    uploads: Sequence[Upload], owned: OwnedPipeline, known: Sequence[Project]
) -> Iterator[tuple[Upload, ProjectUploads]]:
    for upload in uploads:
        found = projects.claim(known, upload.key)
        if found is not None and found.pipeline.name == owned.pipeline.name:
            yield upload, found.uploads


def _without_replaced(
    waiting: Sequence[Upload], owned: OwnedPipeline, known: Sequence[Project], ports: GatheringPorts
) -> list[Upload]:
    """Set aside what a newer version replaces, and return the rest: where the project says so, and of manifests.

    A manifest is no data: what its newest version says is the set.
    """
    versions = defaultdict[tuple[str, str], list[Upload]](list)
    for upload, entry in _own(waiting, owned, known):
        if entry.replace or entry.completes(upload.key):
            versions[upload.bucket, upload.key].append(upload)
    replaced = set[Upload]()
    for each in versions.values():
        newest = sets.newest(each)
        for upload in each:
            if upload != newest:
                ports.store.set_aside(upload, REPLACED, f"by version {newest.version}", ports.clock())
                logger.info("upload replaced", extra={"key": upload.key, "version": upload.version})
                count("UploadReplaced")
                replaced.add(upload)
    return [upload for upload in waiting if upload not in replaced]


def _others(others: Sequence[Upload], owned: OwnedPipeline, now: datetime) -> list[Lot]:
    """Return what is in no set as lots of one, if it is due."""
    window = owned.window
    if not others or not rules.is_due(others[: window.batch or 1], others[-1], window, now):
        return []
    return [Lot((upload,), upload.recorded_at) for upload in others if upload.run is None]


def _decided(
    manifest: Upload, found: UploadSet | SetError, owned: OwnedPipeline, ports: GatheringPorts
) -> tuple[Lot | None, bool]:
    """Return what a run may take of a set now, and whether nothing about it is open.

    People are told before anything else is done: a death then tells them at the next look.
    """
    if isinstance(found, UploadSet) and (not found.missing or manifest.run is not None):
        return sets.lot_of(found), True
    now = ports.clock()
    if isinstance(found, UploadSet) and now < deadline(manifest, owned):
        return None, False
    if not ports.notices.tell(manifest, found, owned, ports.store, now):
        return None, False
    if isinstance(found, UploadSet) and found.came:
        return sets.lot_of(found), True
    detail = f"none of its {len(found.keys):,} files came" if isinstance(found, UploadSet) else str(found)
    ports.store.set_aside(manifest, REFUSED, detail, now)
    logger.info("set refused", extra={"key": manifest.key, "version": manifest.version, "reason": detail})
    count("SetRefused")
    return None, True


def _keys(manifest: Upload, entry: ProjectUploads, known: Sequence[Project], objects: SetTexts) -> tuple[str, ...]:
    if manifest.size > sets.MOST_BYTES:
        raise SetError(f"it has {manifest.size:,} bytes, and at most {sets.MOST_BYTES:,} are read")
    try:
        text = objects.text(manifest.uri, version=manifest.version_id)
    except CallRefusedError as error:
        then = "allow it to the role of start_run, and upload it again"
        raise SetError(f"S3 does not let it be read ({error.code})", then) from error
    if text is None:
        raise SetError("it is there no more", "upload it again")
    own = projects.covering(known, manifest.key)
    return sets.keys_of(manifest, text, lambda key: _unwanted(key, entry, own, known))


def _unwanted(key: str, entry: ProjectUploads, own: Project | None, known: Sequence[Project]) -> str:
    """Return why a key cannot be in a set of what a project says in `entry`; "" where it can."""
    found, owner = projects.claim(known, key), projects.covering(known, key)
    if not key.startswith(entry.prefix):
        return f"which does not lie under {entry.prefix}"
    if owner is not None and owner != own:
        return f"which lies in the place of the project {owner.project}"
    if found is None:
        return f"which does not end in {entry.suffix}"
    if found.uploads.completes(key):
        return "which names a set itself, and is no data"
    if (found.uploads.pipeline, found.uploads.complete) != (entry.pipeline, entry.complete):
        return f"which lies under {found.uploads.prefix}, where the project says something else"
    return ""


def _check_size(found: UploadSet, owned: OwnedPipeline) -> None:
    size = sum(upload.size for upload in found.came)
    if owned.pipeline.takes == URL and len(found.keys) > 1 and size > rules.MOST_COPIED:
        problem = f"its files have {size:,} bytes, and at most {rules.MOST_COPIED:,} are copied for one run"
        raise SetError(problem, "send them as several sets, or let the pipeline take a manifest")
