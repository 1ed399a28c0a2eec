"""Apps: their states, and the threads in which they start and go.

What is refused of an app that has ended is in words that programs written for AWS look for (the Terraform provider's
do). That an app cannot be deleted before it is in service, and that a volume has one app at a time, is from memory; so
is that Describe answers for a day after the end.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sagemaker_local.core.cloud import Call, Cloud, Handler
from sagemaker_local.core.errors import in_use, invalid
from sagemaker_local.core.resources import Resources, answer_list
from sagemaker_local.core.roles import tag_at_creation
from sagemaker_local.core.store import Record
from sagemaker_local.lifecycle.machine import Follow
from sagemaker_local.studio.configs import StudioConfigs
from sagemaker_local.studio.kinds import APP, RUNNING, SPACE
from sagemaker_local.studio.machine import AppMachine
from sagemaker_local.studio.places import space_place
from sagemaker_local.studio.spaces import Spaces

_REMEMBERED = timedelta(days=1)
_ENDED = {
    "Failed": "App [{arn}] previously failed and was automatically deleted.",
    "Deleted": "App [{arn}] has already been deleted.",
}
_LOG = logging.getLogger("sagemaker_local")


@dataclass
class Apps:
    """Create, Describe, List and Delete of JupyterLab apps; `follow` passes on what scripts print."""

    cloud: Cloud
    resources: Resources
    configs: StudioConfigs
    spaces: Spaces
    follow: Follow
    _machines: dict[str, AppMachine] = field(default_factory=dict)
    _changing: threading.Lock = field(default_factory=threading.Lock)

    def operations(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        handlers: dict[str, Handler] = {
            "CreateApp": self.create,
            "DescribeApp": lambda call: self.resources.describe(APP, self._key(call)),
            "ListApps": self.list_apps,
            "DeleteApp": self.delete,
        }
        return {name: self._forgetting_first(handler) for name, handler in handlers.items()}

    def close(self) -> None:
        """End every app that runs."""
        for machine in list(self._machines.values()):
            machine.close()

    def create(self, call: Call) -> dict[str, Any]:
        """Start an app in a space.

        Raises:
            ApiError: there is no such space, an app is in it, the lifecycle configuration is none of its user's, or the
                caller may not tag.
        """
        space = self.resources.get(SPACE, self._space_key(call))
        settings = self.spaces.settings(space)
        role, spec = settings.role(), settings.resources(call.request.get("ResourceSpec", {}))
        arn = self.resources.arn(APP, self._key(call))
        tag_at_creation(self.cloud, call, arn)
        with self._changing:
            if there := self.spaces.apps(space):
                raise in_use(f"App [{there[0][APP.arn_field]}] already exists.")
            if self.resources.exists(APP, self._key(call)):  # one that has ended
                self.resources.delete(APP, self._key(call))
            made = self.resources.create(APP, {**call.request, "ResourceSpec": spec}, Status="Pending")
        self._work(made, lambda: self._begin(made, role))
        return {APP.arn_field: arn}

    def list_apps(self, call: Call) -> dict[str, Any]:
        """List apps, those that have ended as well.

        Raises:
            ApiError: apps of a profile and of a space were asked for at once.
        """
        if {"SpaceNameEquals", "UserProfileNameEquals"} <= call.request.keys():
            raise invalid("Give SpaceNameEquals or UserProfileNameEquals, not both.")
        return answer_list(APP, call.operation, call.request, self.cloud.store.all(APP.name))

    def delete(self, call: Call) -> dict[str, Any]:
        """Delete an app in service: its processes end, the volume of its space stays.

        Raises:
            ApiError: it is on its way, or has ended, or there is no such app.
        """
        record = self.resources.get(APP, self._key(call))
        arn = record[APP.arn_field]

        def change(there: Record) -> None:  # alone with the record: it may be moving at this moment
            if there["Status"] in _ENDED:
                raise invalid(_ENDED[there["Status"]].format(arn=arn))
            if there["Status"] != "InService":
                raise in_use(f"Unable to delete App [{arn}] while it is {there['Status']}.")
            there["Status"] = "Deleting"

        moved = self.cloud.store.change(APP.name, self._key(call), change)
        self._work(moved, lambda: self._end(moved))
        return {}

    def _forgetting_first(self, handler: Handler) -> Handler:
        """Return a handler that first forgets what ended long ago."""

        def handle(call: Call) -> dict[str, Any]:
            before = self.cloud.clock() - _REMEMBERED
            with self._changing:
                for one in self.cloud.store.all(APP.name):
                    if one["Status"] not in RUNNING and one["LastModifiedTime"] < before:
                        self.resources.delete(APP, APP.key_of(one))
            return handler(call)

        return handle

    @staticmethod
    def _space_key(call: Call) -> str:
        if "SpaceName" not in call.request:
            raise invalid("Give a SpaceName: an app of type JupyterLab is a space's.")
        return SPACE.key_of(call.request)

    def _key(self, call: Call) -> str:
        self._space_key(call)
        return APP.key_of(call.request)

    def _work(self, record: Record, work: Callable[[], None]) -> None:
        """Do what takes its time in a thread; an app must not stay on its way for ever."""

        def run() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001  # whatever it is
                _LOG.exception("app %s failed unexpectedly", record[APP.arn_field])
                self._settle(record, "Failed", FailureReason=f"InternalServerError: {error!r}"[:1024])

        self.cloud.work(run, f"app-{record['SpaceName']}")

    def _begin(self, record: Record, role: str) -> None:
        place = space_place(self.cloud.folder, record["DomainId"], record["SpaceName"], self.cloud.region)
        machine = AppMachine(self.cloud, record, role, place, self.follow)
        self._machines[record[APP.arn_field]] = machine
        try:
            reason = machine.start(self.configs.scripts(record))
        except BaseException:
            machine.close()
            raise
        if reason is None:
            self._settle(record, "InService")
            return
        self._machines.pop(record[APP.arn_field], None)
        self._settle(record, "Failed", FailureReason=reason[:1024])

    def _end(self, record: Record) -> None:
        self._machines.pop(record[APP.arn_field]).close()
        self._settle(record, "Deleted")

    def _settle(self, record: Record, status: str, **members: Any) -> None:
        self.resources.update(APP, APP.key_of(record), Status=status, **members)
