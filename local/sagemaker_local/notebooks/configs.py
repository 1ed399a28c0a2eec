"""Lifecycle configurations of notebook instances."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagemaker_local.core.cloud import Call, Cloud, Handler
from sagemaker_local.core.resources import Resources
from sagemaker_local.core.roles import tag_at_creation
from sagemaker_local.core.store import Record
from sagemaker_local.lifecycle.machine import LifecycleScript
from sagemaker_local.lifecycle.scripts import check_script, decoded
from sagemaker_local.notebooks.kinds import LIFECYCLE_CONFIG, NOTEBOOK, used_by

_NAME, _ARN = LIFECYCLE_CONFIG.name_field, LIFECYCLE_CONFIG.arn_field
HOOKS = ("OnCreate", "OnStart")


@dataclass
class LifecycleConfigs:
    """Create, Describe, List, Update and Delete of lifecycle configurations."""

    cloud: Cloud
    resources: Resources

    def operations(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        listing = "ListNotebookInstanceLifecycleConfigs"
        return {
            "CreateNotebookInstanceLifecycleConfig": self.create,
            "DescribeNotebookInstanceLifecycleConfig": lambda call: self.resources.describe(
                LIFECYCLE_CONFIG, call.request[_NAME]
            ),
            listing: lambda call: self.resources.list(LIFECYCLE_CONFIG, listing, call.request),
            "UpdateNotebookInstanceLifecycleConfig": self.update,
            "DeleteNotebookInstanceLifecycleConfig": self.delete,
        }

    def create(self, call: Call) -> dict[str, Any]:
        """Keep a configuration.

        Raises:
            ApiError: a script is not in base64, the caller may not tag, or the name is taken.
        """
        for hook in HOOKS:
            _check_script(hook, call.request)
        tag_at_creation(self.cloud, call, self.resources.arn(LIFECYCLE_CONFIG, call.request[_NAME]))
        record = self.resources.create(LIFECYCLE_CONFIG, call.request)
        return {_ARN: record[_ARN]}

    def update(self, call: Call) -> dict[str, Any]:
        """Replace the scripts that are given; instances that have the configuration run them from their next start on.

        That a hook which is not given stays as it was is from memory.

        Raises:
            ApiError: a script is not in base64, or there is no such configuration.
        """
        for hook in HOOKS:
            _check_script(hook, call.request)
        given = {hook: call.request[hook] for hook in HOOKS if hook in call.request}
        self.resources.update(LIFECYCLE_CONFIG, call.request[_NAME], **given)
        return {}

    def delete(self, call: Call) -> dict[str, Any]:
        """Forget a configuration that no instance has.

        Raises:
            ApiError: an instance has it, or there is no such configuration.
        """
        record = self.resources.get(LIFECYCLE_CONFIG, call.request[_NAME])
        instances = self.cloud.store.all(NOTEBOOK.name)
        users = [
            one["NotebookInstanceName"] for one in instances if (one.get(_NAME) or "").lower() == record[_NAME].lower()
        ]
        if users:
            raise used_by(record[_ARN], users)
        self.resources.delete(LIFECYCLE_CONFIG, call.request[_NAME])
        return {}

    def scripts(self, instance: Record, *, first: bool) -> list[LifecycleScript]:
        """Return the scripts that a start of an instance runs, in order: OnCreate at its creation alone."""
        if not instance.get(_NAME):
            return []
        config = self.resources.get(LIFECYCLE_CONFIG, instance[_NAME])
        hooks = HOOKS if first else HOOKS[1:]
        return [
            LifecycleScript(
                hook, decoded(one["Content"]), config[_ARN], f"{instance[NOTEBOOK.name_field]}/LifecycleConfig{hook}"
            )
            for hook in hooks
            for one in config.get(hook, [])
            if one.get("Content")
        ]


def _check_script(hook: str, request: Mapping[str, Any]) -> None:
    for one in request.get(hook, []):
        check_script(f"The Content of {hook}", one.get("Content", ""))
