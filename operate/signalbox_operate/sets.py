"""The sets of uploads that wait for a pipeline: which files each has, which it waits for, and until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signalbox import moments
from signalbox.aws.errors import CallRefusedError
from signalbox.aws.s3 import ObjectStore
from signalbox.project_documents import Project
from signalbox.projects import OwnedPipeline
from signalbox.uploads import gathering
from signalbox.uploads.model import Upload
from signalbox.uploads.sets import SetError, UploadSet

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

_NAMED = 5  # missing files in a line


@dataclass(frozen=True)
class WaitingSet:
    """A set that waits: the URI of what names its files, how it stands, for people, and its files.

    `missing` are keys, `came` the URIs of what has come.
    """

    manifest: str
    state: str
    missing: tuple[str, ...] = ()
    came: tuple[str, ...] = ()


@dataclass(frozen=True)
class SetTextsOfUser:
    """What objects say, as far as whoever asks may read them; `s3` is asked for when the first is read."""

    s3: "Callable[[], S3Client]"

    def text(self, uri: str, *, version: str | None) -> str | None:
        """Return what an object says in a version; None where it is gone.

        Raises:
            SetError: whoever asks may not read it.
        """
        try:
            return ObjectStore(self.s3()).text(uri, version=version)
        except CallRefusedError as error:
            raise SetError(f"you may not read it ({error.code})", "ask for s3:GetObjectVersion on it") from error


def waiting_sets(
    uploads: Sequence[Upload], owned: OwnedPipeline, known: Sequence[Project], texts: SetTextsOfUser
) -> list[WaitingSet]:
    """Return the sets among what waits for a pipeline, the oldest first."""
    parts = gathering.split([upload for upload in uploads if upload.run is None], owned, known)
    return [_shown(manifest, found, owned) for manifest, found in gathering.sets_of(parts, owned, known, texts)]


def why(upload: Upload, sets: Sequence[WaitingSet], owned: OwnedPipeline, known: Sequence[Project]) -> str | None:
    """Return what an upload waits for, where it is in a set or should be; None where it is none of a set."""
    parts = gathering.split([upload], owned, known)
    if parts.others:
        return None
    for one in sets:
        if upload.uri == one.manifest:
            return f"its set {one.state}"
        if upload.uri in one.came:
            return f"the set of {one.manifest} {one.state}"
    endings = " or ".join(sorted({each.complete for each in owned.entries if each.complete}))
    return f"no set names it: an object that ends in {endings} has to"


def _shown(manifest: Upload, found: UploadSet | SetError, owned: OwnedPipeline) -> WaitingSet:
    if isinstance(found, SetError):
        return WaitingSet(manifest.uri, f"cannot be used: {found}")
    came, files = tuple(upload.uri for upload in found.came), len(found.keys)
    if not found.missing:
        return WaitingSet(manifest.uri, "is whole: the next run takes it", came=came)
    first = ", ".join(found.missing[:_NAMED]) + (", …" if len(found.missing) > _NAMED else "")
    until = moments.text_of(gathering.deadline(manifest, owned))[:19]
    state = f"waits for {len(found.missing):,} of its {files:,} files until {until}Z: {first}"
    return WaitingSet(manifest.uri, state, found.missing, came)
