"""What a finished migration leaves: the old instance, and snapshots that nobody needs any more."""

from signalbox_operate.notebooks import model
from signalbox_operate.notebooks.fleet import Fleet
from signalbox_operate.notebooks.model import IN_SERVICE, RESTORE, STOPPED, Instance, NotebookError
from signalbox_operate.notebooks.place import Desk


def check(name: str, desk: Desk) -> Instance:
    """Return an old instance that may be deleted.

    Raises:
        NotebookError: it was not migrated, is not stopped, or the new one, or the space, is gone or not complete.
    """
    old = desk.fleet.read(name)
    to = old.tags.get(model.TO)
    if not to:
        raise NotebookError(name, "no migration of it has ended, so it is the only one with its files: it stays")
    if "." in to:
        _check_space(old, to, desk)
    else:
        _check_instance(old, to, desk)
    if old.status != STOPPED:
        raise NotebookError(name, f"it is {old.status}, so somebody may be using it: stop it first")
    return old


def _check_instance(old: Instance, to: str, desk: Desk) -> None:
    new = desk.fleet.find(to)
    if new is None or new.tags.get(model.FROM) != old.name:
        raise NotebookError(old.name, f"the instance {to} that it was migrated to is gone: it stays")
    found = desk.shelf(new).standing(to, RESTORE)
    if found is None or found.state != "complete":
        raise NotebookError(old.name, f"the bucket has no word that {to} got all its files: it stays")


def _check_space(old: Instance, to: str, desk: Desk) -> None:
    domain, _, name = to.partition(".")
    snapshot = old.tags.get(model.MOVED)
    if not snapshot:
        raise NotebookError(old.name, f"its move to space {name} of {domain} has not ended: it stays")
    space = desk.fleet.studio.find(domain, name)
    if space is None or space.status != IN_SERVICE:
        raise NotebookError(old.name, f"the space {name} of {domain} that its files went to is gone: it stays")
    # Its last word, since other instances may have gone to the same space after it.
    if desk.shelf(old).read(f"results/complete/{to}/{RESTORE}-{snapshot}.json") is None:
        raise NotebookError(
            old.name, f"the bucket has no word that space {name} of {domain} got all its files: it stays"
        )


def delete(old: Instance, fleet: Fleet) -> None:
    """Delete an old instance with its volume."""
    fleet.delete(old.name)
