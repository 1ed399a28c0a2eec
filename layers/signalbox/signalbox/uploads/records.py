"""The items of the uploads table, to and from what the journey speaks of."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from signalbox.uploads.items import Run, Upload


def value(content: str | int) -> Any:
    """Return a text or a whole number as DynamoDB writes it."""
    return {"N": str(content)} if isinstance(content, int) else {"S": content}


def key(pk: str, sk: str) -> dict[str, Any]:
    """Return an item's key."""
    return {"pk": value(pk), "sk": value(sk)}


def key_of_upload(upload: Upload) -> dict[str, Any]:
    """Return the key that makes an upload known once."""
    return key(f"upload#{upload.bucket}/{upload.key}", upload.version)


def facts_of_upload(upload: Upload) -> dict[str, Any]:
    """Return an upload's attributes but its key and its run."""
    return {name: value(getattr(upload, name)) for name in ("bucket", "key", "version", "size", "recorded_at")}


def upload_of(item: Mapping[str, Any]) -> Upload:
    """Return the upload in an item."""
    text = _texts(item)
    return Upload(
        bucket=text["bucket"],
        key=text["key"],
        version=text["version"],
        size=int(item["size"]["N"]),
        recorded_at=text["recorded_at"],
        run=text.get("run"),
    )


def run_of(item: Mapping[str, Any]) -> Run:
    """Return the run in an item."""
    text = _texts(item)
    started = text.get("started_at")
    return Run(
        pipeline=text["pipeline"],
        number=int(item["number"]["N"]),
        created_at=datetime.fromisoformat(text["created_at"]),
        status=text["status"],
        execution=text.get("execution"),
        started_at=datetime.fromisoformat(started) if started else None,
        reason=text.get("reason"),
    )


def _texts(item: Mapping[str, Any]) -> dict[str, str]:
    return {name: content.get("S", "") for name, content in item.items()}
