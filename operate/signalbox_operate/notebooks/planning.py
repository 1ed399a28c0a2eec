"""What a migration of an instance would be: the way, what the new platform lacks, and at most how long and how dear."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from signalbox_operate.notebooks import platforms
from signalbox_operate.notebooks.model import Instance
from signalbox_operate.notebooks.platforms import Kernel

BYTES_A_SECOND = 50_000_000
"""What a worker is taken to move; a guess, not measured on AWS."""
DOLLARS = 0.023
"""A GB for a month in S3 Standard of us-east-1 (S3's price list, from memory)."""


@dataclass(frozen=True)
class Step:
    """What to do about an instance. `volume` is in GB, `minutes` and `dollars` (a month) are at most."""

    account: str
    name: str
    status: str
    platform: str
    refused_since: str | None
    way: str
    volume: int
    minutes: int
    dollars: float
    missing: Sequence[Kernel]


def step(instance: Instance, target: str, today: date) -> Step:
    """Return what to do about an instance that is to be taken to a platform."""
    known = next((one for one in platforms.PLATFORMS if one.name == instance.platform), None)
    refused = None if platforms.starts(instance.platform, today) or known is None else known.refused_since
    return Step(
        instance.account,
        instance.name,
        instance.status,
        instance.platform,
        refused.isoformat() if refused else None,
        _way(instance, target, today),
        instance.volume,
        -(-instance.volume * 2**30 // (BYTES_A_SECOND * 60)),
        round(instance.volume * DOLLARS, 2),
        platforms.missing(instance.platform, target),
    )


def _way(instance: Instance, target: str, today: date) -> str:
    if instance.moved_to is not None:
        return "its files are in a space of Studio: open that, then clean"
    if instance.platform == target:
        return "nothing to do"
    if platforms.starts(instance.platform, today):
        return "migrate, to a new instance or --in-place"
    if instance.status == "InService":
        return "migrate --in-place --stop; once it is stopped, AWS starts it on no older platform"
    return "migrate --in-place: its volume stays, and it is saved on the new platform"
