"""Lifecycle configurations of Studio: one script each, for one type of app. They never change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sagemaker_local.core.cloud import Call, Cloud, Handler
from sagemaker_local.core.errors import in_use, invalid
from sagemaker_local.core.resources import Resources, answer_list
from sagemaker_local.core.roles import tag_at_creation
from sagemaker_local.core.store import Record
from sagemaker_local.lifecycle.machine import LifecycleScript
from sagemaker_local.lifecycle.scripts import check_script, decoded
from sagemaker_local.studio.kinds import APP, DOMAIN, RUNNING, STUDIO_CONFIG, USER_PROFILE
from sagemaker_local.studio.settings import NO_SCRIPT, attached_configs

_NAME, _ARN = STUDIO_CONFIG.name_field, STUDIO_CONFIG.arn_field
_CONTENT, _TYPE = f"{STUDIO_CONFIG.name}Content", f"{STUDIO_CONFIG.name}AppType"
_LAB = "JupyterLab"


@dataclass
class StudioConfigs:
    """Create, Describe, List and Delete of Studio's lifecycle configurations."""

    cloud: Cloud
    resources: Resources

    def operations(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        return {
            "CreateStudioLifecycleConfig": self.create,
            "DescribeStudioLifecycleConfig": lambda call: self.resources.describe(STUDIO_CONFIG, call.request[_NAME]),
            "ListStudioLifecycleConfigs": self.list_configs,
            "DeleteStudioLifecycleConfig": self.delete,
        }

    def create(self, call: Call) -> dict[str, Any]:
        """Keep a configuration.

        Raises:
            ApiError: its script is not in base64, the caller may not tag, or the name is taken.
        """
        check_script(_CONTENT, call.request[_CONTENT])
        tag_at_creation(self.cloud, call, self.resources.arn(STUDIO_CONFIG, call.request[_NAME]))
        return {_ARN: self.resources.create(STUDIO_CONFIG, call.request)[_ARN]}

    def list_configs(self, call: Call) -> dict[str, Any]:
        """List configurations."""
        found = [one | {"AppType": one[_TYPE]} for one in self.cloud.store.all(STUDIO_CONFIG.name)]
        for end in ("Before", "After"):
            if f"ModifiedTime{end}" in call.request:
                call.request[f"LastModifiedTime{end}"] = call.request[f"ModifiedTime{end}"]
        return answer_list(STUDIO_CONFIG, call.operation, call.request, found)

    def delete(self, call: Call) -> dict[str, Any]:
        """Forget a configuration that no settings name and no app runs with.

        Raises:
            ApiError: they do, or there is no such configuration.
        """
        record = self.resources.get(STUDIO_CONFIG, call.request[_NAME])
        users = [user for user, configs in self._users() if record[_ARN] in configs]
        if users:
            raise in_use(
                f"Unable to delete Studio Lifecycle Config [{record[_ARN]}] because it is in use by {', '.join(users)}."
            )
        self.resources.delete(STUDIO_CONFIG, call.request[_NAME])
        return {}

    def check_attached(self, *settings: Mapping[str, Any]) -> None:
        """Refuse settings that name a configuration that is not there, or is for another type of app.

        Raises:
            ApiError: ValidationException.
        """
        for one in settings:
            for arn in attached_configs(one):
                self._lab_config(arn)

    def scripts(self, app: Record) -> list[LifecycleScript]:
        """Return the script that the start of an app runs, if it has one.

        The stream's name: Developer Guide, "Debug Lifecycle Configurations in Amazon SageMaker Studio Classic", which
        has a JupyterLab space as its example.
        """
        arn = app["ResourceSpec"].get("LifecycleConfigArn", NO_SCRIPT)
        if arn == NO_SCRIPT:
            return []
        stream = "/".join((*(app[member] for member in APP.key), "LifecycleConfigOnStart"))
        return [LifecycleScript("OnStart", decoded(self._lab_config(arn)[_CONTENT]), arn, stream)]

    def _lab_config(self, arn: str) -> Record:
        found = next((one for one in self.cloud.store.all(STUDIO_CONFIG.name) if one[_ARN] == arn), None)
        if found is None:
            raise invalid(STUDIO_CONFIG.missing.format(arn=arn))
        if found[_TYPE] != _LAB:
            raise invalid(f"The lifecycle configuration [{arn}] is for apps of type {found[_TYPE]}, not {_LAB}.")
        return found

    def _users(self) -> Iterable[tuple[str, list[str]]]:
        """Yield the ARNs of what uses configurations, with theirs."""
        store = self.cloud.store
        for domain in store.all(DOMAIN.name):
            defaults = (domain.get(name, {}) for name in ("DefaultUserSettings", "DefaultSpaceSettings"))
            yield domain[DOMAIN.arn_field], [arn for one in defaults for arn in attached_configs(one)]
        for profile in store.all(USER_PROFILE.name):
            yield profile[USER_PROFILE.arn_field], list(attached_configs(profile.get("UserSettings", {})))
        for app in store.all(APP.name):
            if app["Status"] in RUNNING:
                yield app[APP.arn_field], [app["ResourceSpec"].get("LifecycleConfigArn", NO_SCRIPT)]
