"""Spaces: whose they are, and how large their volume is."""

from dataclasses import dataclass
from typing import Any

from sagemaker_local.core.cloud import Call, Cloud, Handler
from sagemaker_local.core.errors import in_use, invalid
from sagemaker_local.core.resources import Resources
from sagemaker_local.core.roles import tag_at_creation
from sagemaker_local.core.store import Record
from sagemaker_local.studio.configs import StudioConfigs
from sagemaker_local.studio.domains import listed
from sagemaker_local.studio.kinds import APP, DOMAIN, RUNNING, SPACE, USER_PROFILE, has_parts
from sagemaker_local.studio.places import space_place
from sagemaker_local.studio.settings import SpaceSettings, check_growth, check_ownership, merged

_SETTINGS = "SpaceSettings"


@dataclass
class Spaces:
    """Create, Describe, List, Update and Delete of spaces. One is in service at once, with its volume."""

    cloud: Cloud
    resources: Resources
    configs: StudioConfigs

    def operations(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        return {
            "CreateSpace": self.create,
            "DescribeSpace": lambda call: self.resources.describe(SPACE, SPACE.key_of(call.request)),
            "ListSpaces": self.list_spaces,
            "UpdateSpace": self.update,
            "DeleteSpace": self.delete,
        }

    def create(self, call: Call) -> dict[str, Any]:
        """Make a space with a new volume.

        Raises:
            ApiError: there is no such domain or owner, the volume is too large, the caller may not tag, a lifecycle
                configuration is none for JupyterLab, or the name is taken.
        """
        check_ownership(call.request)
        record = self._sized(call.request)
        tag_at_creation(self.cloud, call, self.resources.arn(SPACE, SPACE.key_of(record)))
        made = self.resources.create(SPACE, record, Status="InService")
        space_place(self.cloud.folder, made["DomainId"], made["SpaceName"], self.cloud.region).make()
        return {SPACE.arn_field: made[SPACE.arn_field]}

    def list_spaces(self, call: Call) -> dict[str, Any]:
        """List spaces."""
        return listed(self.cloud, SPACE, call, _summaries)

    def update(self, call: Call) -> dict[str, Any]:
        """Change a space; its settings only while no app runs in it (from memory).

        Raises:
            ApiError: there is no such space, an app runs in it, its type would change, its volume would get smaller or
                too large, or a lifecycle configuration is none for JupyterLab.
        """
        new, key = call.request.get(_SETTINGS, {}), SPACE.key_of(call.request)
        record = self.resources.get(SPACE, key)
        if new and self.apps(record):
            raise in_use(f"Unable to update Space [{record[SPACE.arn_field]}] while an App runs in it: delete the App.")

        def change(there: Record) -> None:  # alone with the record: two may change it at once
            changed = self._changed(there, new)
            there |= {_SETTINGS: changed, "LastModifiedTime": self.cloud.clock()}
            if "SpaceDisplayName" in call.request:
                there["SpaceDisplayName"] = call.request["SpaceDisplayName"]

        self.cloud.store.change(SPACE.name, key, change)
        return {SPACE.arn_field: record[SPACE.arn_field]}

    def delete(self, call: Call) -> dict[str, Any]:
        """Delete a space in which no app runs, with its volume.

        Raises:
            ApiError: an app runs in it, or there is no such space.
        """
        record = self.resources.get(SPACE, SPACE.key_of(call.request))
        if self.apps(record):
            raise has_parts(SPACE, record[SPACE.arn_field], APP)
        self.resources.delete(SPACE, SPACE.key_of(record))
        space_place(self.cloud.folder, record["DomainId"], record["SpaceName"], self.cloud.region).remove()
        return {}

    def settings(self, space: Record) -> SpaceSettings:
        """Return the settings that hold in a space.

        Raises:
            ApiError: ResourceNotFound: there is no such domain or owner.
        """
        domain = self.resources.get(DOMAIN, space["DomainId"])
        owner = space.get("OwnershipSettings", {}).get("OwnerUserProfileName")
        key = f"{space['DomainId']}/{owner}"
        return SpaceSettings(domain, self.resources.get(USER_PROFILE, key) if owner else None, space)

    def apps(self, space: Record) -> list[Record]:
        """Return the apps of a space that something of is still there."""
        key = SPACE.key_of(space).lower()
        return [
            one
            for one in self.cloud.store.all(APP.name)
            if SPACE.key_of(one).lower() == key and one["Status"] in RUNNING
        ]

    def _changed(self, space: Record, new: Record) -> Record:
        """Return the settings of a space with new ones in them, after all that they say was checked."""
        if new.get("AppType", space[_SETTINGS].get("AppType")) != space[_SETTINGS].get("AppType"):
            raise invalid("The AppType of a space cannot be changed.")
        changed = self._sized({**space, _SETTINGS: merged(space[_SETTINGS], new)})
        check_growth(_size(space), _size(changed), space[SPACE.arn_field])
        settings: Record = changed[_SETTINGS]
        return settings

    def _sized(self, space: Record) -> Record:
        """Return the record of a space that says how large its volume is, after all that it says was checked."""
        self.configs.check_attached(space.get(_SETTINGS, {}))
        storage = {"EbsStorageSettings": {"EbsVolumeSizeInGb": self.settings(space).volume_size()}}
        return {**space, _SETTINGS: {**space.get(_SETTINGS, {}), "SpaceStorageSettings": storage}}


def _summaries(space: Record) -> Record:
    """Return what a list shows of the settings of a space."""
    parts: Record = {name: space[name] for name in ("SpaceSharingSettings", "OwnershipSettings") if name in space}
    shown = ("AppType", "SpaceStorageSettings")
    parts[_SETTINGS] = {name: space[_SETTINGS][name] for name in shown if name in space[_SETTINGS]}
    return {f"{name}Summary": value for name, value in parts.items()}


def _size(space: Record) -> int:
    return int(space[_SETTINGS]["SpaceStorageSettings"]["EbsStorageSettings"]["EbsVolumeSizeInGb"])
