"""The way of an instance's files into a space of Studio: saved, restored into a folder of the space, and compared.

The instance is stopped and never deleted. Safe to repeat after a death between any two calls: the request is in the
tags of the space, written before its app is started and removed after the app is gone.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from threading import Lock

from botocore.exceptions import ClientError

from signalbox_operate.notebooks import migrating, model, platforms, requests, spaces
from signalbox_operate.notebooks.leases import Lease, TakenOverError
from signalbox_operate.notebooks.model import RESTORE, Instance, NotebookError, Standing
from signalbox_operate.notebooks.place import Desk
from signalbox_operate.notebooks.snapshots import Totals
from signalbox_operate.notebooks.spaces import App, Profile, Space
from signalbox_operate.notebooks.watching import Seen, Told, Watched

_ASKED = (model.REQUEST, model.SNAPSHOT, model.FOLDER, model.FROM)
_UNDER_WAY = (model.WAITING, model.STARTING, "running ")


@dataclass(frozen=True)
class Goal:
    """The space that an instance's files go to, whose profile's it is, and the type of machine that fills it."""

    domain: str
    profile: str
    space: str
    instance_type: str

    @property
    def key(self) -> str:
        """Return what the bucket's keys, and the instance's tag, have for the space."""
        return f"{self.domain}.{self.space}"

    @property
    def told(self) -> str:
        """Return it in words."""
        return f"the move to space {self.space} of {self.domain}"


@dataclass(frozen=True)
class Move:
    """What a move came to; sizes are bytes. `folder` is the folder of the space's home that has the files."""

    instance: str
    domain: str
    space: str
    folder: str
    snapshot: str
    files: int
    size: int
    left_out: int
    environments: int


@dataclass(frozen=True)
class Mover:
    """Who moves instances, with what: `today` tells which platforms AWS starts; profiles are changed one at a time."""

    desk: Desk
    by: str
    told: Told
    today: date
    may_stop: bool
    profiles: Lock = field(default_factory=Lock)

    def move(self, name: str, goal: Goal) -> Move:
        """Bring an instance's files into a space, and return what came of it.

        Raises:
            NotebookError: somebody else is at it, a step failed, or the two sides differ; the instance has all.
        """
        old = self.desk.fleet.settled(name)
        shelf = self.desk.shelf(old)
        filling = Lease(shelf, goal.key, self.by, f"the move of {name} into it")
        with _taken(Lease(shelf, name, self.by, goal.told), filling) as leases:

            def renew() -> None:
                for lease in leases:
                    lease.renew()

            desk = replace(self.desk, fleet=self.desk.fleet.while_waiting(renew))
            return replace(self, desk=desk)._moved(old, goal)

    def give_up(self, name: str) -> bool:
        """End what a move that was broken off left running; tell whether there was something."""
        old = self.desk.fleet.read(name)
        domain, _, space_name = old.tags.get(model.TO, "").partition(".")
        space = self.desk.fleet.studio.find(domain, space_name) if space_name else None
        if space is None or space.tags.get(model.FROM) != name:
            return False
        self._end(space)
        return True

    def _moved(self, old: Instance, goal: Goal) -> Move:
        studio = self.desk.fleet.studio
        profile = studio.profile(goal.domain, goal.profile)
        self._check_role(old, profile)
        space = studio.find(goal.domain, goal.space)
        if space is not None:
            self._check_space(old.name, space, goal)
        if space is None or model.REQUEST not in space.tags:
            space = self._asked(old, goal, profile, space)
        try:
            totals, restored = self._filled(old, space, goal)
        except TakenOverError:
            raise
        except (NotebookError, ClientError):
            self._end(space)  # nothing is left that costs
            raise
        self._end(space)
        return Move(
            old.name,
            goal.domain,
            goal.space,
            old.name,
            restored.snapshot,
            totals.files,
            totals.size,
            totals.left_out + restored.left_out,
            restored.environments,
        )

    def _check_role(self, old: Instance, profile: Profile) -> None:
        """Refuse a role that would reach nothing, before anything is done."""
        wanted = self.desk.prefix(old)
        given = self.desk.role_prefix(profile.role)
        if wanted and given is not None and given != wanted:
            has = f"has the tag {model.PREFIX} {given}" if given else f"has no tag {model.PREFIX}"
            raise NotebookError(
                old.name,
                f"its snapshots lie under {wanted}, and the role {profile.role} of profile {profile.name} {has}: give "
                f"it the tag {model.PREFIX} {wanted} and the stack's policy, and repeat",
            )

    def _check_space(self, name: str, space: Space, goal: Goal) -> None:
        """Refuse a space that is not the profile's own, is filled from elsewhere, or has an app that runs."""
        if space.owner != goal.profile or space.kind not in ("JupyterLab", ""):
            raise NotebookError(
                name,
                f"there is a space {space.name} that is no private JupyterLab space of {goal.profile}: give --space",
            )
        if model.REQUEST in space.tags:
            if (other := space.tags.get(model.FROM, "")) != name:
                raise NotebookError(
                    name,
                    f"the move of {other} into space {space.name} was broken off: repeat that first, or "
                    f"`signalbox notebooks detach {other}`",
                )
            return
        self._check_app(name, self.desk.fleet.studio.app(space))

    def _check_app(self, name: str, app: App | None) -> None:
        if app is not None and app.lives and not self.may_stop:
            raise NotebookError(
                name, "an app runs in the space, and has to be stopped, which ends its kernels: repeat with --stop"
            )

    def _asked(self, old: Instance, goal: Goal, profile: Profile, space: Space | None) -> Space:
        """Save the instance, and have a space without an app, whose tags ask for the snapshot."""
        desk, studio = self.desk, self.desk.fleet.studio
        saved = migrating.save(old, platforms.NEWEST, desk, self.told, self.today, may_stop=self.may_stop)
        old = desk.fleet.read(old.name)
        desk.fleet.untag(old, model.MOVED)
        desk.fleet.tag(old, {model.TO: goal.key})
        tags = requests.asking_tags(old, requests.new_name(RESTORE), desk)
        tags |= {model.SNAPSHOT: saved.snapshot, model.FOLDER: old.name, model.FROM: old.name}
        if space is None:
            self.told(old.name, f"making space {goal.space}", 0, None)
            return studio.create(profile, goal.space, old.volume, {**migrating.own_tags(old), **tags})
        self._check_app(old.name, studio.app(space))
        studio.stop(space)
        studio.tag(space, tags)
        return studio.read(goal.domain, goal.space)

    def _filled(self, old: Instance, space: Space, goal: Goal) -> tuple[Totals, Standing]:
        """Let a worker bring the snapshot, compare, and note on the instance where its files are."""
        shelf, studio = self.desk.shelf(old), self.desk.fleet.studio
        doubt = (
            f"may the role of profile {goal.profile} reach the bucket {shelf.bucket}, has it the stack's policy, and "
            "is there a way to it? Repeat, to go on"
        )
        watched = Watched(old.name, space.key, RESTORE, space.tags[model.REQUEST], shelf, doubt)
        restored = watched.ended(space.tags)
        if restored is None:
            self._start(old.name, studio.read(goal.domain, goal.space), goal)
            restored = watched.watch(lambda: self._look(space), studio.sleep, self.told)
        self.told(old.name, restored.told, restored.done, restored.files)
        if restored.state != "complete":
            raise NotebookError(old.name, f"the restore into space {space.name} {restored.why}")
        totals = shelf.totals(space.tags[model.SNAPSHOT])
        migrating.compare(space.key, totals, Totals(restored.done, restored.done_size, restored.left_out))
        self.desk.fleet.tag(old, {model.TO: space.key, model.MOVED: restored.snapshot})
        return totals, restored

    def _start(self, name: str, space: Space, goal: Goal) -> None:
        """Start an app with the worker, unless that is done."""
        studio, config = self.desk.fleet.studio, self.desk.stack.restore_to_space
        app = studio.app(space)
        if app is not None and app.lives and spaces.same(app.config, config):
            return
        self._check_app(name, app)
        studio.stop(space)
        self.told(name, f"starting space {space.name}", 0, None)
        # Whoever ends another move of this profile takes the configuration off it, unless a tag says that it is needed.
        with self.profiles:
            studio.tag(space, {model.STATUS: f"{model.STARTING}request {space.tags[model.REQUEST]}"})
            studio.attach(studio.profile(space.domain, space.owner), config)
        studio.start(space, goal.instance_type, config)

    def _look(self, space: Space) -> Seen:
        studio = self.desk.fleet.studio
        app = studio.app(space)
        over = ""
        if app is None or app.status == "Deleting":
            over = f"the app of space {space.name} was deleted in the middle of the restore: repeat, to go on"
        elif not app.lives:
            over = f"the app of space {space.name} did not start: {app.reason}: repeat, once that is mended"
        return Seen(studio.tags(space.arn), over)

    def _end(self, space: Space) -> None:
        """Leave no app that the command started, no configuration that nobody needs, and no request."""
        studio, config = self.desk.fleet.studio, self.desk.stack.restore_to_space
        app = studio.app(space)
        if app is not None and spaces.same(app.config, config):
            studio.stop(space)
        with self.profiles:
            if not any(_needs(one) for one in studio.private(space.domain, space.owner) if one.name != space.name):
                studio.detach(studio.profile(space.domain, space.owner), config)
        studio.untag(space, *_ASKED)


def _needs(space: Space) -> bool:
    """Tell whether a restore into a space is asked for and has not ended."""
    return model.REQUEST in space.tags and space.tags.get(model.STATUS, "").startswith(_UNDER_WAY)


@contextmanager
def _taken(*leases: Lease) -> Iterator[tuple[Lease, ...]]:
    """Have all of the leases, and give them back at the end."""
    with ExitStack() as given_back:
        for lease in leases:
            lease.take()
            given_back.callback(lease.give_back)
        yield leases
