"""Domains and user profiles: they are in service at once, and go at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sagemaker_local.core.cloud import Call, Cloud, Handler, lower_id
from sagemaker_local.core.errors import invalid
from sagemaker_local.core.resources import ResourceKind, Resources, answer_list
from sagemaker_local.core.roles import pass_role, tag_at_creation
from sagemaker_local.core.store import Record
from sagemaker_local.studio.configs import StudioConfigs
from sagemaker_local.studio.kinds import DOMAIN, SPACE, USER_PROFILE, has_parts
from sagemaker_local.studio.settings import merged

_IN_SERVICE = {"Status": "InService"}
_SETTINGS = "UserSettings"


@dataclass
class Domains:
    """Create, Describe, List and Delete of domains and user profiles, and Update of these."""

    cloud: Cloud
    resources: Resources
    configs: StudioConfigs

    def operations(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        return {
            "CreateDomain": self.create_domain,
            "DescribeDomain": lambda call: self.resources.describe(DOMAIN, call.request["DomainId"]),
            "ListDomains": lambda call: self.resources.list(DOMAIN, call.operation, call.request),
            "DeleteDomain": self.delete_domain,
            "CreateUserProfile": self.create_profile,
            "DescribeUserProfile": lambda call: self.resources.describe(
                USER_PROFILE, USER_PROFILE.key_of(call.request)
            ),
            "ListUserProfiles": self.list_profiles,
            "UpdateUserProfile": self.update_profile,
            "DeleteUserProfile": self.delete_profile,
        }

    def create_domain(self, call: Call) -> dict[str, Any]:
        """Make a domain with a new id.

        Raises:
            ApiError: its users would have no role, the caller may not pass a role or tag, or a lifecycle configuration
                is none for JupyterLab.
        """
        settings = [call.request["DefaultUserSettings"], call.request.get("DefaultSpaceSettings", {})]
        if "ExecutionRole" not in settings[0]:  # from memory
            raise invalid("Give DefaultUserSettings an ExecutionRole.")
        domain_id = f"d-{lower_id()}"
        arn = self.resources.arn(DOMAIN, domain_id)
        self.configs.check_attached(*settings)
        tag_at_creation(self.cloud, call, arn)
        for one in settings:
            self._pass(call, one)
        url = f"https://{domain_id}.studio.{self.cloud.region}.sagemaker.aws"
        self.resources.create(DOMAIN, {**call.request, "DomainId": domain_id}, Url=url, **_IN_SERVICE)
        return {DOMAIN.arn_field: arn, "DomainId": domain_id, "Url": url}

    def delete_domain(self, call: Call) -> dict[str, Any]:
        """Forget a domain that has no user profile and no space.

        Raises:
            ApiError: it has one, or there is no such domain.
        """
        record = self.resources.get(DOMAIN, call.request["DomainId"])
        for parts in (USER_PROFILE, SPACE):
            if any(one["DomainId"] == record["DomainId"] for one in self.cloud.store.all(parts.name)):
                raise has_parts(DOMAIN, record[DOMAIN.arn_field], parts)
        self.resources.delete(DOMAIN, record["DomainId"])
        return {}

    def create_profile(self, call: Call) -> dict[str, Any]:
        """Make a user profile in a domain.

        Raises:
            ApiError: there is no such domain, the caller may not pass the role or tag, a lifecycle configuration is
                none for JupyterLab, or the name is taken.
        """
        self.resources.get(DOMAIN, call.request["DomainId"])
        settings = call.request.get(_SETTINGS, {})
        self.configs.check_attached(settings)
        tag_at_creation(self.cloud, call, self.resources.arn(USER_PROFILE, USER_PROFILE.key_of(call.request)))
        self._pass(call, settings)
        made = self.resources.create(USER_PROFILE, call.request, **_IN_SERVICE)
        return {USER_PROFILE.arn_field: made[USER_PROFILE.arn_field]}

    def list_profiles(self, call: Call) -> dict[str, Any]:
        """List user profiles."""
        return listed(self.cloud, USER_PROFILE, call)

    def update_profile(self, call: Call) -> dict[str, Any]:
        """Change settings of a user profile; apps that run keep theirs.

        Raises:
            ApiError: there is no such profile, the caller may not pass a role that is new, or a lifecycle configuration
                is none for JupyterLab.
        """
        key, new = USER_PROFILE.key_of(call.request), call.request.get(_SETTINGS, {})
        record = self.resources.get(USER_PROFILE, key)
        self.configs.check_attached(new)
        if new.get("ExecutionRole") != record.get(_SETTINGS, {}).get("ExecutionRole"):
            self._pass(call, new)

        def change(there: Record) -> None:  # alone with the record: two may change it at once
            there[_SETTINGS] = merged(there.get(_SETTINGS, {}), new)
            there["LastModifiedTime"] = self.cloud.clock()

        self.cloud.store.change(USER_PROFILE.name, key, change)
        return {USER_PROFILE.arn_field: record[USER_PROFILE.arn_field]}

    def delete_profile(self, call: Call) -> dict[str, Any]:
        """Forget a user profile that owns no space.

        Raises:
            ApiError: it owns one, or there is no such profile.
        """
        record = self.resources.get(USER_PROFILE, USER_PROFILE.key_of(call.request))
        name = record["UserProfileName"].lower()
        for space in self.cloud.store.all(SPACE.name):
            owner = space.get("OwnershipSettings", {}).get("OwnerUserProfileName", "")
            if space["DomainId"] == record["DomainId"] and owner.lower() == name:
                raise has_parts(USER_PROFILE, record[USER_PROFILE.arn_field], SPACE)
        self.resources.delete(USER_PROFILE, USER_PROFILE.key_of(record))
        return {}

    def _pass(self, call: Call, settings: Mapping[str, Any]) -> None:
        if "ExecutionRole" in settings:
            pass_role(self.cloud, call, settings["ExecutionRole"])


def _nothing(_record: Record) -> Record:
    return {}


def listed(cloud: Cloud, kind: ResourceKind, call: Call, more: Callable[[Record], Record] = _nothing) -> dict[str, Any]:
    """Return the List answer of what has a `NameContains` of its own; `more` makes members of a record for lists."""
    part = call.request.get(f"{kind.name}NameContains", "").lower()
    records = [one for one in cloud.store.all(kind.name) if part in one[kind.name_field].lower()]
    return answer_list(kind, call.operation, call.request, [one | more(one) for one in records])
