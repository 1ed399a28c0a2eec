"""Uploads, runs and wishes as items of the uploads table, which says what the items are; and back."""

from copy import replace

from signalbox import moments
from signalbox.aws.table import Item, Value, key
from signalbox.uploads.model import MANIFESTS, Run, Upload, Wish

# What waits for a pipeline is spread over so many partition keys: DynamoDB writes 1,000 units a second under one, and a
# transaction's write of an item takes two. The digest of an upload names its shard, by its first hexadecimal digit.
SHARDS = "0123456789abcdef"


def waiting_keys(pipeline: str) -> list[str]:
    """Return the partition keys under which uploads wait for a pipeline; the first is that of earlier versions."""
    return [f"waiting#{pipeline}", *(_shard(pipeline, shard) for shard in SHARDS)]


def waiting_key(upload: Upload, pipeline: str) -> Item:
    """Return the key of an upload that waits for a pipeline."""
    spread, unspread = _shard(pipeline, upload.digest[0]), f"waiting#{pipeline}"
    return key(spread if upload.spread else unspread, f"{upload.recorded_at}#{upload.digest}")


def waiting_in(item: Item) -> Upload:
    """Return the waiting upload in an item, which knows under which of both keys it waits."""
    return replace(upload_in(item), spread=str(item["pk"]).count("#") > 1)


def _shard(pipeline: str, shard: str) -> str:
    # The hyphens keep it among the keys that the roles of a project's builds may query since there are such roles; no
    # pipeline's name has a `#`.
    return f"waiting#{pipeline}--#{shard}"


def upload_key(upload: Upload) -> Item:
    """Return the key that makes an upload known once."""
    return key(f"upload#{upload.bucket}/{upload.key}", upload.version)


def facts_of(upload: Upload) -> dict[str, Value]:
    """Return an upload's attributes but its key and its run."""
    facts: dict[str, Value] = {
        "bucket": upload.bucket,
        "key": upload.key,
        "version": upload.version,
        "size": upload.size,
        "recorded_at": upload.recorded_at,
    }
    more: dict[str, Value] = {"by": upload.by, "modified": upload.modified, "names_files": int(upload.names_files)}
    return {**facts, **{name: value for name, value in more.items() if value}}


def upload_in(item: Item) -> Upload:
    """Return the upload in an item."""
    return Upload(
        bucket=str(item["bucket"]),
        key=str(item["key"]),
        version=str(item["version"]),
        size=int(item["size"]),
        recorded_at=str(item["recorded_at"]),
        run=_text(item, "run"),
        by=_text(item, "by") or "",
        pipeline=_text(item, "pipeline") or "",
        modified=_text(item, "modified") or "",
        names_files=bool(item.get("names_files")),
        state=_text(item, "state") or "",
        detail=_text(item, "detail") or "",
        gone=_text(item, "gone") or "",
    )


def run_key(run: Run) -> Item:
    """Return the key of a run, which gives its number to one."""
    return key(f"pipeline#{run.pipeline}", f"run#{run.number:08d}")


def new_run(run: Run) -> Item:
    """Return the item of a run that begins."""
    item: Item = {
        **run_key(run),
        "run": run.id,
        "pipeline": run.pipeline,
        "number": run.number,
        "status": run.status,
        "created_at": moments.text_of(run.created_at),
        "uploads": 0,
        "repeats": run.repeats or "",
        "commit": run.commit,
        **progress_of(run),
    }
    return {name: value for name, value in item.items() if value != ""}


def progress_of(run: Run) -> dict[str, Value]:
    """Return how much of its input a run has, and where, and what of it has not come or was looked for."""
    progress: dict[str, Value] = {
        "has_manifest": int(run.has_manifest),
        "copied": run.copied,
        "folder": run.folder,
        "lacks": run.lacks,
        "looked": run.looked,
    }
    return progress


def run_in(item: Item) -> Run:
    """Return the run in an item."""
    started_at = _text(item, "started_at")
    return Run(
        pipeline=str(item["pipeline"]),
        number=int(item["number"]),
        created_at=moments.moment_of(str(item["created_at"])),
        status=str(item["status"]),
        execution=_text(item, "execution"),
        started_at=moments.moment_of(started_at) if started_at else None,
        reason=_text(item, "reason"),
        waits_for=_text(item, "waits_for") or _text(item, "waits_because"),
        has_manifest=bool(item.get("has_manifest")),
        copied=int(item.get("copied") or 0),
        folder=_text(item, "folder") or MANIFESTS,
        repeats=_text(item, "repeats"),
        commit=_text(item, "commit") or "",
        lacks=_text(item, "lacks") or "",
        looked=_text(item, "looked") or "",
    )


def wish_key(pipeline: str) -> Item:
    """Return the key of what the last push of a pipeline asks for."""
    return key(f"repeat#{pipeline}", "wish")


def commit_key(pipeline: str, commit: str, number: int) -> Item:
    """Return the key that makes a change of a pipeline known once: the `number`th, which led to a commit."""
    return key(f"repeat#{pipeline}", f"commit#{commit}#{number}")


def wish_in(item: Item) -> Wish:
    """Return the wish in an item."""
    return Wish(str(item["commit"]), _text(item, "run"))


def _text(item: Item, name: str) -> str | None:
    return str(item[name]) if item.get(name) else None
