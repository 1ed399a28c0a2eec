"""The keys of a snapshot's objects, below the person's prefix."""

import time


def piece(digest: str) -> str:
    """Return the key of a large file's piece."""
    return f"content/{digest[:2]}/{digest}"


def pack(digest: str) -> str:
    """Return the key of a pack of small files."""
    return f"packs/{digest}"


def of_snapshot(snapshot: str) -> str:
    """Return what the keys of a snapshot's own objects begin with."""
    return f"snapshots/{snapshot}/"


def part(snapshot: str, digest: str) -> str:
    """Return the key of a part of a manifest."""
    return f"snapshots/{snapshot}/manifest/{digest}.jsonl.gz"


def complete(snapshot: str) -> str:
    """Return the key whose presence says that a snapshot is complete."""
    return f"snapshots/{snapshot}/complete.json"


def partial(snapshot: str) -> str:
    """Return the key of the same document of a snapshot that lacks files which could not be read."""
    return f"snapshots/{snapshot}/partial.json"


def marker(snapshot: str) -> str:
    """Return the key of the marker that AWS's sample leaves."""
    return f"snapshots/{snapshot}/BACKUP_COMPLETE"


def request(instance: str, operation: str, name: str) -> str:
    """Return the key of a request that was taken up."""
    return f"requests/{instance}/{operation}-{name}.json"


def status(instance: str, operation: str) -> str:
    """Return the key of the status document."""
    return f"status/{instance}/{operation}.json"


def result(state: str, instance: str, operation: str, snapshot: str) -> str:
    """Return the key of the last status document, whose event tells the end."""
    return f"results/{state}/{instance}/{operation}-{snapshot}.json"


def report(instance: str, operation: str, snapshot: str) -> str:
    """Return the key of the list of what was left out."""
    return f"reports/{instance}/{operation}-{snapshot}.jsonl.gz"


def log(instance: str, operation: str, snapshot: str) -> str:
    """Return the key of the worker's log."""
    return f"logs/{instance}/{operation}-{snapshot}.log"


def snapshot_name(instance: str, seconds: float) -> str:
    """Return the name of a snapshot that is begun at a time: `instance_YYYY-MM-DD-HH-MM-SS`, UTC."""
    return instance + time.strftime("_%Y-%m-%d-%H-%M-%S", time.gmtime(seconds))
