"""What the commands know of notebook instances: the instance itself, and how a backup or restore of it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from signalbox_operate.stack import OperateError

# Tags that the person writes, the commands or the worker; those of AWS's sample have its names.
BUCKET, SNAPSHOT = "ebs-backup-bucket", "backup-snapshot"
PREFIX, OWNER, REQUEST = "snapshot-prefix", "snapshot-owner", "snapshot-request"
SECRETS, OVERWRITE = "snapshot-secrets", "snapshot-overwrite"
STATUS, NAME = "snapshot-status", "snapshot-name"
BEFORE, FROM, TO = "snapshot-before", "snapshot-from", "snapshot-migrated-to"
FOLDER, MOVED = "snapshot-folder", "snapshot-moved"
OURS = frozenset(
    {BUCKET, SNAPSHOT, PREFIX, OWNER, REQUEST, SECRETS, OVERWRITE, STATUS, NAME, BEFORE, FROM, TO, FOLDER, MOVED}
)
# What the tag of a status begins with before a worker has written it.
WAITING, STARTING = "waiting: ", "starting: "

IN_SERVICE, STOPPED, FAILED = "InService", "Stopped", "Failed"
BACKUP, RESTORE = "backup", "restore"
_NAMED = 3  # files in a sentence


@dataclass(frozen=True)
class Instance:
    """A notebook instance as DescribeNotebookInstance and ListTags tell it; volume in GB."""

    name: str
    arn: str
    status: str
    platform: str
    instance_type: str
    volume: int
    config: str
    settings: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def account(self) -> str:
        """Return the account that the instance is in."""
        return self.arn.split(":")[4]

    @property
    def moved_to(self) -> tuple[str, str] | None:
        """Return the domain and the space of Studio that its files went to; None where they went to none."""
        domain, _, space = self.tags.get(TO, "").partition(".")
        return (domain, space) if space and self.tags.get(MOVED) else None


@dataclass(frozen=True)
class Standing:
    """A status document of the worker; counts are None where they are not known yet, sizes are bytes."""

    operation: str
    request: str | None
    snapshot: str
    state: str
    updated: str
    files: int | None
    done: int
    left_out: int
    size: int | None
    done_size: int
    reason: str | None = None
    advice: str | None = None
    names: tuple[tuple[str, str], ...] = ()
    secrets: int = 0
    environments: int = 0

    @property
    def told(self) -> str:
        """Return how it stands in a few words."""
        if self.state == "failed":
            return f"failed: {self.reason}" + (f": {self.advice}" if self.advice else "")
        count = f"{self.done:,} of {self.files:,} files" if self.files is not None else f"{self.done:,} files"
        more = f", {self.left_out:,} left out" if self.left_out else ""
        return f"{self.state}: {count}{more}"

    @property
    def why(self) -> str:
        """Return the same with the first files that were left out, each with its reason: for work that failed."""
        named = [f"{path}: {reason}" for path, reason in self.names[:_NAMED]]
        more = [f"and {self.left_out - len(named):,} more"] if self.left_out > len(named) else []
        return f"{self.told} ({'; '.join(named + more)})" if named else self.told


def standing(document: Mapping[str, Any]) -> Standing:
    """Return what a status document says.

    Raises:
        OperateError: it is not one that this version reads.
    """
    try:
        files, sizes = document["files"], document["bytes"]
        return Standing(
            document["operation"],
            document.get("request"),
            document.get("snapshot") or "",
            document["state"],
            document["updated"],
            files["total"],
            files["done"],
            files.get("left_out", 0),
            sizes["total"],
            sizes["done"],
            document.get("reason"),
            document.get("advice"),
            tuple((one["path"], one["reason"]) for one in document.get("left_out", ())),
            document.get("secrets", 0),
            document.get("environments", 0),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise OperateError(f"a status document of another version is in the way, which lacks {error}") from error


class NotebookError(OperateError):
    """A notebook instance cannot be worked on; the message begins with its name."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
