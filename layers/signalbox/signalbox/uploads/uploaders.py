"""Who uploaded the files of a run: kept beside its manifest, for whoever decides on what comes of it."""

from collections import Counter
from collections.abc import Sequence

from signalbox.contracts.uploads import RunUploaders
from signalbox.uploads.model import Upload

_MOST_NAMED = 20


def of(uploads: Sequence[Upload]) -> RunUploaders | None:
    """Return who uploaded the files of a run, first who uploaded most; None if nobody is known."""
    files = Counter(upload.by for upload in uploads)
    unknown = files.pop("", 0)
    names = sorted(files, key=lambda by: (-files[by], by))
    return {"names": names[:_MOST_NAMED], "count": len(names), "unknown": unknown} if names else None
