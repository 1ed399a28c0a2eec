"""What a finished migration leaves: the old instance, and snapshots that nobody needs any more."""

from signalbox_operate.notebooks import model
from signalbox_operate.notebooks.fleet import Fleet
from signalbox_operate.notebooks.model import RESTORE, STOPPED, Instance, NotebookError
from signalbox_operate.notebooks.place import Desk


def check(name: str, desk: Desk) -> Instance:
    """Return an old instance that may be deleted.

    Raises:
        NotebookError: it was not migrated, is not stopped, or the new one is gone or not complete.
    """
    old = desk.fleet.read(name)
    new_name = old.tags.get(model.TO)
    if not new_name:
        raise NotebookError(name, "no migration of it has ended, so it is the only one with its files: it stays")
    new = desk.fleet.find(new_name)
    if new is None or new.tags.get(model.FROM) != name:
        raise NotebookError(name, f"the instance {new_name} that it was migrated to is gone: it stays")
    found = desk.shelf(new).standing(new_name, RESTORE)
    if found is None or found.state != "complete":
        raise NotebookError(name, f"the bucket has no word that {new_name} got all its files: it stays")
    if old.status != STOPPED:
        raise NotebookError(name, f"it is {old.status}, so somebody may be using it: stop it first")
    return old


def delete(old: Instance, fleet: Fleet) -> None:
    """Delete an old instance with its volume."""
    fleet.delete(old.name)
