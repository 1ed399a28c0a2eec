"""One backup or restore of one instance, from its request to its end; the instance is put back as it was.

Safe to repeat after a death between any two calls: what the instance was, and which request it has, are tags of its
own, written in one call before anything is changed and removed after everything is put back.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from signalbox_operate.notebooks import model, platforms
from signalbox_operate.notebooks.model import FAILED, IN_SERVICE, STOPPED, Instance, NotebookError, Standing
from signalbox_operate.notebooks.place import Desk
from signalbox_operate.notebooks.watching import Seen, Told, Watched


@dataclass(frozen=True)
class Request:
    """What is wanted: `config` is attached for one start; a `platform` is given to the stopped instance first.

    `tags` are those that the worker is asked by, besides where the snapshots are. With `keep_stopped` the instance is
    stopped at the end, else it is as it was.
    """

    operation: str
    config: str
    tags: Mapping[str, str] = field(default_factory=dict)
    platform: str = ""
    keep_stopped: bool = False


def new_name(operation: str) -> str:
    """Return the name of a new request."""
    return f"{operation}-{secrets.token_hex(6)}"


def asking_tags(instance: Instance, name: str, desk: Desk) -> dict[str, str]:
    """Return the tags by which a worker is asked for a request about an instance, and told where its snapshots are."""
    prefix = desk.prefix(instance)
    return {
        model.BUCKET: desk.stack.bucket,
        model.OWNER: desk.stack.owner,
        model.REQUEST: name,
        model.STATUS: f"{model.WAITING}request {name}",
        **({model.PREFIX: prefix} if prefix else {}),
    }


def first_tags(instance: Instance, name: str, before: str, desk: Desk, *, started: bool) -> dict[str, str]:
    """Return the tags that an instance gets before it is touched; `before` is its state and configuration."""
    tags = {**asking_tags(instance, name, desk), model.BEFORE: before}
    return {**tags, model.STATUS: f"{model.STARTING}request {name}"} if started else tags


def carry_out(name: str, request: Request, desk: Desk, told: Told, today: date, *, may_stop: bool) -> Standing:
    """Let the worker do it, watch it to its end, put the instance back, and return how it ended.

    Raises:
        NotebookError: it may not be stopped, cannot be started, or the work failed, for the reason that is told.
    """
    instance = desk.fleet.settled(name)
    if model.BEFORE not in instance.tags:
        _check(instance, request, today, may_stop=may_stop)
        before = f"{IN_SERVICE if instance.status == IN_SERVICE else STOPPED} {instance.config}"
        tags = first_tags(instance, new_name(request.operation), before, desk, started=False)
        desk.fleet.tag(instance, {**tags, **request.tags})
        instance = desk.fleet.read(name)
    asked = instance.tags.get(model.REQUEST, "")
    if not asked.startswith(f"{request.operation}-"):
        other = asked.partition("-")[0] or "piece of work"
        raise NotebookError(name, f"a {other} was broken off: repeat it, or `signalbox notebooks detach {name}`")
    watched = _watched(instance, request.operation, asked, desk)
    found = watched.ended(instance.tags)
    if found is None:
        _run(instance, request, desk, told)
        found = watched.watch(lambda: _look(name, request.operation, desk), desk.fleet.sleep, told)
    told(name, found.told, found.done, found.files)
    put_back(name, desk, keep_stopped=request.keep_stopped)
    if found.state != "complete":
        raise NotebookError(name, f"{request.operation} {found.why}")
    return found


def put_back(name: str, desk: Desk, *, keep_stopped: bool = False) -> None:
    """Make an instance what it was before a request, by its tag; without the tag, nothing is done."""
    instance = desk.fleet.settled(name)
    before = instance.tags.get(model.BEFORE)
    if before is None:
        return
    status, _, config = before.partition(" ")
    runs = status == IN_SERVICE and not keep_stopped
    if instance.config != config or not runs:
        instance = desk.fleet.update(desk.fleet.stop(name), config)
    if runs and instance.status != IN_SERVICE:
        desk.fleet.start(name)
    desk.fleet.untag(instance, model.BEFORE, model.REQUEST)


def detach(name: str, desk: Desk, *, may_stop: bool) -> bool:
    """Put an instance back whose work was broken off, or take our configuration off it; tell whether there was one.

    Raises:
        NotebookError: it is running, and may not be stopped.
    """
    instance = desk.fleet.settled(name)
    stack = desk.stack
    attached = instance.config in {stack.backup, stack.restore, stack.restore_on_start}
    if model.BEFORE not in instance.tags and not attached:
        return False
    if instance.status == IN_SERVICE and not may_stop:
        raise NotebookError(
            name, "it is running, and has to be stopped once, which ends its kernels: repeat with --stop"
        )
    if model.BEFORE not in instance.tags:
        desk.fleet.tag(instance, {model.BEFORE: f"{instance.status} "})
    put_back(name, desk)
    return True


def _check(instance: Instance, request: Request, today: date, *, may_stop: bool) -> None:
    if instance.status == IN_SERVICE and not may_stop:
        raise NotebookError(
            instance.name, "it is running, and has to be stopped once, which ends its kernels: repeat with --stop"
        )
    if not platforms.starts(request.platform or instance.platform, today):
        since = platforms.find(instance.platform).refused_since
        raise NotebookError(
            instance.name,
            f"AWS starts no instance of {instance.platform} since {since}, so nothing can run on it: "
            f"`signalbox notebooks migrate {instance.name} --in-place` updates it first; its volume stays",
        )


def _run(instance: Instance, request: Request, desk: Desk, told: Told) -> None:
    """Start the instance with the worker, unless that is done."""
    if instance.status == IN_SERVICE:
        if not instance.tags.get(model.STATUS, "").startswith(model.WAITING):
            return
        told(instance.name, "stopping", 0, None)
    stopped = desk.fleet.stop(instance.name)
    told(instance.name, "preparing", 0, None)
    desk.fleet.update(stopped, request.config, request.platform)
    desk.fleet.tag(instance, {model.STATUS: f"{model.STARTING}request {instance.tags[model.REQUEST]}"})
    told(instance.name, "starting", 0, None)
    desk.fleet.start(instance.name)


def _watched(instance: Instance, operation: str, asked: str, desk: Desk) -> Watched:
    shelf = desk.shelf(instance)
    doubt = f"may its role reach the bucket {shelf.bucket}, and is there a way to it? Repeat, to go on"
    return Watched(instance.name, instance.name, operation, asked, shelf, doubt)


def _look(name: str, operation: str, desk: Desk) -> Seen:
    instance = desk.fleet.read(name)
    over = instance.status in (STOPPED, FAILED, "Stopping", "Deleting")
    said = f"it is {instance.status} in the middle of its {operation}: repeat, to go on"
    return Seen(instance.tags, said if over else "")
