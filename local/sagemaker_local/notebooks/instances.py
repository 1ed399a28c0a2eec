"""Notebook instances: their states, and the threads in which they start, stop, change and go.

States: API reference, DescribeNotebookInstance. A start is from Stopped or Failed, a stop from InService, and changes
and deletion are from Stopped or Failed; that an update ends in Stopped whatever it began in is from memory.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sagemaker_local.core.cloud import Call, Cloud, Handler, short_name
from sagemaker_local.core.resources import Resources, answer_list
from sagemaker_local.core.roles import pass_role, tag_at_creation
from sagemaker_local.core.store import NoRecordError, Record
from sagemaker_local.lifecycle.machine import Follow
from sagemaker_local.lifecycle.places import MachinePlace
from sagemaker_local.notebooks import requests
from sagemaker_local.notebooks.configs import LifecycleConfigs
from sagemaker_local.notebooks.kinds import LIFECYCLE_CONFIG, NOTEBOOK, wrong_status
from sagemaker_local.notebooks.machine import NotebookMachine
from sagemaker_local.notebooks.places import instance_place, left_behind
from sagemaker_local.notebooks.platforms import check_platform

_STATUS, _CONFIG = "NotebookInstanceStatus", LIFECYCLE_CONFIG.name_field
_REPOSITORY = "DefaultCodeRepository"  # no instance has one
_AT_REST = ("Stopped", "Failed")
_TOLD = ("InstanceType", "RoleArn", NOTEBOOK.name_field, NOTEBOOK.arn_field, _STATUS, _CONFIG)
_LOG = logging.getLogger("sagemaker_local")


@dataclass
class Notebooks:
    """The notebook instances of a region, and their lifecycle configurations; `follow` passes on what scripts print."""

    cloud: Cloud
    resources: Resources
    follow: Follow
    _machines: dict[str, NotebookMachine] = field(default_factory=dict)
    _adopting: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Make the configurations' part."""
        self._configs = LifecycleConfigs(self.cloud, self.resources)

    def operations(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        handlers: dict[str, Handler] = {
            "CreateNotebookInstance": self.create,
            "DescribeNotebookInstance": lambda call: self.resources.describe(
                NOTEBOOK, call.request[NOTEBOOK.name_field]
            ),
            "ListNotebookInstances": self.list_instances,
            "StartNotebookInstance": self.start,
            "StopNotebookInstance": self.stop,
            "UpdateNotebookInstance": self.update,
            "DeleteNotebookInstance": self.delete,
            **self._configs.operations(),
        }
        return {name: self._adopting_first(handler) for name, handler in handlers.items()}

    def close(self) -> None:
        """End every instance that runs."""
        for machine in list(self._machines.values()):
            machine.close()

    def create(self, call: Call) -> dict[str, Any]:
        """Make an instance with a new volume, and start it.

        Raises:
            ApiError: the request does not fit, the caller may not pass the role or tag, or the name is taken.
        """
        arn = self.resources.arn(NOTEBOOK, call.request[NOTEBOOK.name_field])
        record = requests.new_instance(call.request, self.cloud.region)
        check_platform(record["PlatformIdentifier"], self.cloud.clock(), "created")
        self._require_config(record)
        tag_at_creation(self.cloud, call, arn)
        pass_role(self.cloud, call, record["RoleArn"])
        made = self.resources.create(NOTEBOOK, record, **{_STATUS: "Pending"})
        self._tell(made)
        self._work(made, lambda: self._begin(made, first=True))
        return {NOTEBOOK.arn_field: arn}

    def list_instances(self, call: Call) -> dict[str, Any]:
        """List instances, by name where nothing else is said."""
        parts = {member: call.request.get(f"{member}Contains", "").lower() for member in (_CONFIG, _REPOSITORY)}
        found = [
            one
            for one in self.cloud.store.all(NOTEBOOK.name)
            if all(part in (one.get(member) or "").lower() for member, part in parts.items())
        ]
        call.request.setdefault("SortBy", "Name")
        return answer_list(NOTEBOOK, call.operation, call.request, found)

    def start(self, call: Call) -> dict[str, Any]:
        """Start an instance that has stopped or failed.

        Raises:
            ApiError: it is in another status, or its platform has ended.
        """
        record = self._named(call)
        check_platform(record["PlatformIdentifier"], self.cloud.clock(), "started")
        moved = self._move(call, _AT_REST, "Pending")
        self._work(moved, lambda: self._begin(moved, first=False))
        return {}

    def stop(self, call: Call) -> dict[str, Any]:
        """Stop an instance in service: its processes end, its volume stays.

        Raises:
            ApiError: it is in another status.
        """
        moved = self._move(call, ("InService",), "Stopping")
        self._work(moved, lambda: self._end(moved))
        return {}

    def update(self, call: Call) -> dict[str, Any]:
        """Change an instance that is at rest.

        Raises:
            ApiError: it is in another status, the change does not fit, or the caller may not pass the role.
        """
        changes = requests.changes(call.request, self._named(call), self.cloud.clock())
        self._require_config(changes)
        if "RoleArn" in changes:
            pass_role(self.cloud, call, changes["RoleArn"])
        moved = self._move(call, _AT_REST, "Updating", **changes)
        self._work(moved, lambda: self._settle(moved, "Stopped"))
        return {}

    def delete(self, call: Call) -> dict[str, Any]:
        """Delete an instance that is at rest, with its volume.

        Raises:
            ApiError: it is in another status.
        """
        moved = self._move(call, _AT_REST, "Deleting")
        self._work(moved, lambda: self._remove(moved))
        return {}

    def _adopting_first(self, handler: Handler) -> Handler:
        """Return a handler that first takes in what was left behind for this region."""

        def handle(call: Call) -> dict[str, Any]:
            with self._adopting:
                for request in left_behind(self.cloud.folder, self.cloud.region):
                    record = requests.new_instance(request, self.cloud.region)
                    self.resources.create(NOTEBOOK, record, **{_STATUS: "Stopped"})
            return handler(call)

        return handle

    def _named(self, call: Call) -> Record:
        return self.resources.get(NOTEBOOK, call.request[NOTEBOOK.name_field])

    def _place(self, record: Record) -> MachinePlace:
        return instance_place(self.cloud.folder, record[NOTEBOOK.name_field], self.cloud.region)

    def _require_config(self, members: Record) -> None:
        if members.get(_CONFIG):
            self.resources.get(LIFECYCLE_CONFIG, members[_CONFIG])

    def _move(self, call: Call, allowed: Sequence[str], to: str, **members: Any) -> Record:
        """Bring an instance from one of the allowed statuses into another one, and tell so."""
        name = call.request[NOTEBOOK.name_field]

        def change(record: Record) -> None:  # alone with the record: it may be moving at this moment
            if record[_STATUS] not in allowed:
                raise wrong_status(record[_STATUS], allowed, to, record[NOTEBOOK.arn_field])
            record |= {**members, _STATUS: to, "LastModifiedTime": self.cloud.clock()}
            record.pop("FailureReason", None)

        try:
            moved = self.cloud.store.change(NOTEBOOK.name, short_name(name), change)
        except NoRecordError:
            raise self.resources.missing(NOTEBOOK, name) from None
        self._tell(moved)
        return moved

    def _work(self, record: Record, work: Callable[[], None]) -> None:
        """Do what takes its time in a thread; an instance must not stay on its way for ever."""
        name = record[NOTEBOOK.name_field]

        def run() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001  # whatever it is
                _LOG.exception("notebook instance %s failed unexpectedly", name)
                self._settle(record, "Failed", FailureReason=f"InternalServerError: {error!r}"[:1024])

        self.cloud.work(run, f"notebook-{name}")

    def _begin(self, record: Record, *, first: bool) -> None:
        if first:
            self._place(record).make()
        machine = NotebookMachine(self.cloud, record, record["RoleArn"], self._place(record), self.follow)
        self._machines[record[NOTEBOOK.arn_field]] = machine
        try:
            reason = machine.start(self._configs.scripts(record, first=first))
        except BaseException:
            machine.close()
            raise
        if reason is None:
            self._settle(record, "InService")
            return
        self._machines.pop(record[NOTEBOOK.arn_field], None)
        self._settle(record, "Failed", FailureReason=reason[:1024])

    def _end(self, record: Record) -> None:
        self._machines.pop(record[NOTEBOOK.arn_field]).close()
        self._settle(record, "Stopped")

    def _remove(self, record: Record) -> None:
        self._place(record).remove()
        self.resources.delete(NOTEBOOK, record[NOTEBOOK.name_field])

    def _settle(self, record: Record, status: str, **members: Any) -> None:
        self._tell(self.resources.update(NOTEBOOK, record[NOTEBOOK.name_field], **{_STATUS: status}, **members))

    def _tell(self, record: Record) -> None:
        """Send the instance's state, with the members that EventBridge's schema registry has of it."""
        detail = {name: record[name] for name in _TOLD if record.get(name)}
        detail |= {name: int(record[name].timestamp() * 1000) for name in ("CreationTime", "LastModifiedTime")}
        detail["Tags"] = {tag["Key"]: tag["Value"] for tag in record.get("Tags", [])}
        self.cloud.events.send("SageMaker Notebook Instance State Change", [record[NOTEBOOK.arn_field]], detail)
