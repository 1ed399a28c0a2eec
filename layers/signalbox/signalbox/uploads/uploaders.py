"""Who uploaded the files of a run: kept beside its manifest, for whoever decides on what comes of it."""

from collections import Counter
from collections.abc import Sequence
from copy import replace

from signalbox.aws.table import PRESENT, Table, key, unchanged, update_request
from signalbox.contracts.uploads import RunUploaders
from signalbox.uploads import items
from signalbox.uploads.model import Upload

_MOST_NAMED = 20


def of(uploads: Sequence[Upload]) -> RunUploaders | None:
    """Return who uploaded the files of a run, first who uploaded most; None if nobody is known."""
    files = Counter(upload.by for upload in uploads)
    unknown = files.pop("", 0)
    names = sorted(files, key=lambda by: (-files[by], by))
    return {"names": names[:_MOST_NAMED], "count": len(names), "unknown": unknown} if names else None


def add(table: Table, upload: Upload, pipeline: str) -> None:
    """Write who uploaded beside a known upload that lacks it, and where it waits (for `pipeline`) or was taken to.

    If it is taken or handed over in this moment, it goes without.
    """
    name, found = table.name, table.get(f"upload#{upload.bucket}/{upload.key}", upload.version)
    if found is None or "by" in found:
        return
    known, added = items.upload_in(found), {"by": upload.by}
    place, same = known.pipeline or pipeline, unchanged({"by": None, "run": known.run})
    waiting = [items.waiting_key(replace(known, spread=spread), place) for spread in (True, False)]
    for where in [key(f"run#{known.run}", known.digest)] if known.run else waiting:
        if table.transact(
            {"Update": update_request(name, items.upload_key(known), added, same)},
            {"Update": update_request(name, where, added, PRESENT)},
        ):
            return
