"""What Studio has, by SageMaker's API: spaces, the app that runs in one, and the profiles of users."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from signalbox_operate.notebooks.model import FAILED, IN_SERVICE, NotebookError
from signalbox_operate.notebooks.resources import SageMakerResources
from signalbox_operate.projects.definitions import as_list

SMALLEST = 5
"""GB that a space has at least (SageMaker's API model)."""
_LAB, _APP = "JupyterLab", "default"
_MOVING = frozenset({"Pending", "Updating", "Deleting"})
_LIVING = frozenset({"Pending", IN_SERVICE, "Deleting"})


@dataclass(frozen=True)
class Space:
    """A space as DescribeSpace and ListTags tell it; `settings` is the whole answer."""

    domain: str
    name: str
    arn: str
    status: str
    settings: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Return what the bucket's keys have for it: an instance's name has no dot."""
        return f"{self.domain}.{self.name}"

    @property
    def owner(self) -> str:
        """Return the profile whose space it is alone; nothing where it is a shared one."""
        shared = self.settings.get("SpaceSharingSettings", {}).get("SharingType") != "Private"
        return "" if shared else str(self.settings.get("OwnershipSettings", {}).get("OwnerUserProfileName", ""))

    @property
    def kind(self) -> str:
        """Return the type of the apps that it is for; nothing where it is for any."""
        return str(self.settings.get("SpaceSettings", {}).get("AppType", ""))


@dataclass(frozen=True)
class App:
    """An app that is pending, in service, deleting or failed; `config` is the ARN of what runs at its start."""

    status: str
    config: str
    reason: str

    @property
    def lives(self) -> bool:
        """Tell whether it runs, or is on its way to that or from it."""
        return self.status in _LIVING


@dataclass(frozen=True)
class Profile:
    """A user's profile: the ARN of its role, and its settings for JupyterLab as they are described."""

    domain: str
    name: str
    status: str
    role: str
    lab: Mapping[str, Any]
    reason: str


class Studio(SageMakerResources):
    """All of Studio that a SageMaker client sees."""

    def find(self, domain: str, name: str) -> Space | None:
        """Return a space with its tags; None where there is none."""
        found = _known(lambda: self._sagemaker.describe_space(DomainId=domain, SpaceName=name))
        if found is None:
            return None
        return Space(domain, name, found["SpaceArn"], found["Status"], found, self.tags(found["SpaceArn"]))

    def read(self, domain: str, name: str) -> Space:
        """Return a space once it moves no more.

        Raises:
            NotebookError: there is none.
        """

        def look() -> Space:
            found = self.find(domain, name)
            if found is None:
                raise NotebookError(f"{domain}.{name}", "there is no such space of Studio in this account and region")
            return found

        return self.at_rest(f"{domain}.{name}", look, _MOVING)

    def create(self, profile: Profile, name: str, volume: int, tags: Mapping[str, str]) -> Space:
        """Make a private space for JupyterLab with a volume of so many GB, and return it once it is in service.

        Raises:
            NotebookError: it was not made, for the reason that is told.
        """
        storage = {"EbsStorageSettings": {"EbsVolumeSizeInGb": max(volume, SMALLEST)}}
        self._sagemaker.create_space(
            DomainId=profile.domain,
            SpaceName=name,
            OwnershipSettings={"OwnerUserProfileName": profile.name},
            SpaceSharingSettings={"SharingType": "Private"},
            SpaceSettings={"AppType": _LAB, "SpaceStorageSettings": storage},
            Tags=as_list(tags),
        )
        found = self.read(profile.domain, name)
        if found.status == FAILED:
            reason = found.settings.get("FailureReason", "AWS says no reason")
            raise NotebookError(found.key, f"the space was not made: {reason}: delete it, and repeat")
        return found

    def app(self, space: Space) -> App | None:
        """Return the app of a space; None where there is none, or it is deleted."""
        found = _known(lambda: self._sagemaker.describe_app(**_app(space)))
        if found is None or found["Status"] == "Deleted":
            return None
        config = found.get("ResourceSpec", {}).get("LifecycleConfigArn", "")
        return App(found["Status"], config, found.get("FailureReason", "AWS says no reason"))

    def start(self, space: Space, instance_type: str, config: str) -> None:
        """Start an app in a space, with a lifecycle configuration that the owner's profile names."""
        spec = {"InstanceType": instance_type, "LifecycleConfigArn": config}
        self._sagemaker.create_app(**_app(space), ResourceSpec=spec)

    def stop(self, space: Space) -> None:
        """Delete the app of a space, if one lives, and return once it is gone; the volume stays."""
        # AWS deletes no app that is on its way.
        found = self.at_rest(space.key, lambda: self._or_gone(space), {"Pending"})
        if found.status == IN_SERVICE:
            self._sagemaker.delete_app(**_app(space))
        self.at_rest(space.key, lambda: self._or_gone(space), {IN_SERVICE, "Deleting"})

    def profile(self, domain: str, name: str) -> Profile:
        """Return a user's profile once it moves no more.

        Raises:
            NotebookError: there is none in that domain.
        """
        return self.at_rest(name, lambda: self._profile(domain, name), _MOVING)

    def attach(self, profile: Profile, config: str) -> None:
        """Let a profile's apps start with a configuration; one of the same name but for its version makes room for it.

        Raises:
            NotebookError: the profile could not be changed, for the reason that is told.
        """
        self._set_configs(profile, [*_others(profile, config), config])

    def detach(self, profile: Profile, config: str) -> None:
        """Take a configuration, of whatever version, off a profile; the others stay."""
        self._set_configs(profile, _others(profile, config))

    def private(self, domain: str, profile: str) -> Iterator[Space]:
        """Yield the private spaces of a profile."""
        pages = self._sagemaker.get_paginator("list_spaces").paginate(DomainIdEquals=domain)
        for page in pages:
            for one in page["Spaces"]:
                if one.get("OwnershipSettingsSummary", {}).get("OwnerUserProfileName") != profile:
                    continue
                found = self.find(domain, one["SpaceName"])
                if found is not None and found.owner == profile:  # it may be deleted by now
                    yield found

    def _or_gone(self, space: Space) -> App:
        return self.app(space) or App("Deleted", "", "")

    def _profile(self, domain: str, name: str) -> Profile:
        found = _known(lambda: self._sagemaker.describe_user_profile(DomainId=domain, UserProfileName=name))
        if found is None:
            raise NotebookError(name, f"there is no such user profile in domain {domain} of this account and region")
        settings = found.get("UserSettings", {})
        role = settings.get("ExecutionRole")
        if not role:
            domains = self._sagemaker.describe_domain(DomainId=domain)
            role = domains.get("DefaultUserSettings", {}).get("ExecutionRole", "")
        lab = settings.get("JupyterLabAppSettings", {})
        return Profile(domain, name, found["Status"], role, lab, found.get("FailureReason", "AWS says no reason"))

    def _set_configs(self, profile: Profile, configs: list[str]) -> None:
        if configs == list(profile.lab.get("LifecycleConfigArns", ())):
            return
        # All of it is sent: that what is not sent stays is not said by AWS. An empty list takes configurations away.
        lab = {**profile.lab, "LifecycleConfigArns": configs}
        settings = {"JupyterLabAppSettings": lab}
        self._sagemaker.update_user_profile(
            DomainId=profile.domain, UserProfileName=profile.name, UserSettings=settings
        )
        found = self.profile(profile.domain, profile.name)
        if found.status != IN_SERVICE:
            raise NotebookError(profile.name, f"the profile is {found.status}: {found.reason}: look why, then repeat")


def same(one: str, other: str) -> bool:
    """Tell whether two ARNs are of configurations whose names differ in nothing but the version at the end."""
    return one.rpartition("-")[0] == other.rpartition("-")[0]


def _others(profile: Profile, config: str) -> list[str]:
    return [one for one in profile.lab.get("LifecycleConfigArns", ()) if not same(one, config)]


def _app(space: Space) -> dict[str, str]:
    return {"DomainId": space.domain, "SpaceName": space.name, "AppType": _LAB, "AppName": _APP}


def _known(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFound":
            return None
        raise
