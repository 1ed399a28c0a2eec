"""The migration of an instance: its files on a newer platform, in the instance itself or in a new one, and compared.

The old instance is stopped and never deleted; whatever is broken off goes on where it was when it is repeated.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from signalbox_operate.notebooks import model, platforms, requests
from signalbox_operate.notebooks.leases import Lease
from signalbox_operate.notebooks.model import BACKUP, RESTORE, STOPPED, Instance, NotebookError, Standing
from signalbox_operate.notebooks.place import Desk
from signalbox_operate.notebooks.platforms import Kernel
from signalbox_operate.notebooks.requests import Request
from signalbox_operate.notebooks.snapshots import Totals
from signalbox_operate.notebooks.watching import Told

_LONGEST_NAME = 63  # characters of an instance's name (SageMaker API reference)


@dataclass(frozen=True)
class Aim:
    """Where an instance is to be taken: a platform; `new` is the new instance's name, "" for an update in place."""

    platform: str
    new: str

    @property
    def told(self) -> str:
        """Return it in words."""
        return f"the migration to {self.platform} {f'as {self.new}' if self.new else 'in place'}"


@dataclass(frozen=True)
class Report:
    """What a migration came to; sizes are bytes. `compared` tells whether there were two sides to be compared."""

    instance: str
    new: str
    platform: str
    snapshot: str
    files: int
    size: int
    left_out: int
    compared: bool
    missing: Sequence[Kernel]
    named: Sequence[tuple[str, str]]
    environments: int


def aim(old: Instance, platform: str, name: str, today: date, *, in_place: bool) -> Aim:
    """Return where an instance is to be taken; one that AWS starts no more is updated in place.

    Raises:
        OperateError: AWS does not offer that.
    """
    in_place = in_place or (not name and not platforms.starts(old.platform, today))
    if in_place and name:
        raise NotebookError(old.name, "an update in place makes no new instance: leave out --in-place or --name")
    platforms.check_target(old.platform, platform, today, in_place=in_place)
    return Aim(platform, "" if in_place else name or _name(old.name, platform))


def migrate(name: str, wanted: Aim, by: str, desk: Desk, told: Told, today: date, *, may_stop: bool) -> Report:
    """Migrate an instance, and return what came of it.

    Raises:
        NotebookError: somebody else is at it, a step failed, or the two sides differ; the old instance is there.
    """
    old = desk.fleet.settled(name)
    lease = Lease(desk.shelf(old), name, by, wanted.told)
    lease.take()
    desk = replace(desk, fleet=desk.fleet.while_waiting(lease.renew))
    try:
        step = _in_place if not wanted.new else _moved
        return step(old, wanted, desk, told, today, may_stop)
    finally:
        lease.give_back()


def _in_place(old: Instance, wanted: Aim, desk: Desk, told: Told, today: date, may_stop: bool) -> Report:
    """Save, update, and save again: the volume stays, and the second snapshot has to be as the first."""
    before = None
    if old.platform != wanted.platform and platforms.starts(old.platform, today):
        begun = Request(BACKUP, desk.stack.backup, keep_stopped=True)
        before = requests.carry_out(old.name, begun, desk, told, today, may_stop=may_stop)
    updated = Request(BACKUP, desk.stack.backup, platform=wanted.platform)
    after = requests.carry_out(old.name, updated, desk, told, today, may_stop=may_stop)
    shelf = desk.shelf(old)
    totals = shelf.totals(after.snapshot)
    if before is not None:
        first = shelf.totals(before.snapshot)
        # A start may add files of its own, such as a notebook server's; it takes none away.
        compare(old.name, first, Totals(min(first.files, totals.files), min(first.size, totals.size), 0))
    return _report(old, wanted, after, totals, compared=before is not None)


def _moved(old: Instance, wanted: Aim, desk: Desk, told: Told, today: date, may_stop: bool) -> Report:
    new = desk.fleet.find(wanted.new)
    if new is not None and new.tags.get(model.FROM) != old.name:
        raise NotebookError(old.name, f"there is an instance {wanted.new} that is not of this migration: give --name")
    if new is None:
        new = _made(old, wanted, desk, told, today, may_stop)
    snapshot = new.tags[model.SNAPSHOT]
    request = Request(RESTORE, desk.stack.restore_on_start, {model.SNAPSHOT: snapshot})
    restored = _restored(new, request, desk, told, today)
    totals = desk.shelf(old).totals(snapshot)
    compare(wanted.new, totals, Totals(restored.done, restored.done_size, restored.left_out))
    desk.fleet.tag(old, {model.TO: wanted.new})
    return _report(old, wanted, restored, totals, compared=True)


def save(old: Instance, platform: str, desk: Desk, told: Told, today: date, *, may_stop: bool) -> Standing:
    """Save an instance and leave it stopped; where AWS starts it no more, it gets that platform first."""
    needed = "" if platforms.starts(old.platform, today) else platform
    saving = Request(BACKUP, desk.stack.backup, platform=needed, keep_stopped=True)
    return requests.carry_out(old.name, saving, desk, told, today, may_stop=may_stop)


def own_tags(old: Instance) -> dict[str, str]:
    """Return the tags of an instance that are neither ours nor AWS's."""
    return {key: value for key, value in old.tags.items() if key not in model.OURS and not key.startswith("aws:")}


def _made(old: Instance, wanted: Aim, desk: Desk, told: Told, today: date, may_stop: bool) -> Instance:
    """Save the old instance, and make the new one, whose first start brings the snapshot."""
    saved = save(old, wanted.platform, desk, told, today, may_stop=may_stop)
    old = desk.fleet.read(old.name)  # it is put back: what was broken off had left our configuration on it
    name, before = requests.new_name(RESTORE), f"{STOPPED} {old.config}"
    tags = own_tags(old)
    tags |= requests.first_tags(old, name, before, desk, started=True)
    tags |= {model.FROM: old.name, model.SNAPSHOT: saved.snapshot}
    told(wanted.new, f"making it, of {wanted.platform}", 0, None)
    return desk.fleet.create_like(old, wanted.new, wanted.platform, desk.stack.restore, tags)


def _restored(new: Instance, request: Request, desk: Desk, told: Told, today: date) -> Standing:
    """Return how the restore ended: it may have ended, and the instance be put back, before this was repeated."""
    found = desk.shelf(new).standing(new.name, RESTORE)
    if model.BEFORE not in new.tags and found is not None and found.state == "complete":
        return found
    return requests.carry_out(new.name, request, desk, told, today, may_stop=True)


def compare(name: str, wanted: Totals, found: Totals) -> None:
    """Hold what a snapshot has against what was restored of it, or saved after it.

    Raises:
        NotebookError: files or bytes are others in number.
    """
    if (wanted.files, wanted.size) != (found.files, found.size):
        raise NotebookError(
            name,
            f"it has {found.files:,} files of {found.size:,} bytes, and the snapshot {wanted.files:,} of "
            f"{wanted.size:,}: the report in the bucket names them; the old instance has all",
        )


def _report(old: Instance, wanted: Aim, ended: Standing, totals: Totals, *, compared: bool) -> Report:
    missing = platforms.missing(old.platform, wanted.platform)
    new = wanted.new or old.name
    left_out = totals.left_out + (ended.left_out if wanted.new else 0)
    return Report(
        old.name,
        new,
        wanted.platform,
        ended.snapshot,
        totals.files,
        totals.size,
        left_out,
        compared,
        missing,
        ended.names,
        ended.environments,
    )


def _name(old: str, platform: str) -> str:
    """Return the name of the new instance where none is given: the old one's with the platform's system."""
    ending = f"-{platform.split('-')[1]}"
    return f"{old[: _LONGEST_NAME - len(ending)]}{ending}"
