"""The notebook instances of an account and region, by SageMaker's API."""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from signalbox_operate.notebooks.model import FAILED, STOPPED, Instance, NotebookError
from signalbox_operate.notebooks.resources import SageMakerResources
from signalbox_operate.notebooks.spaces import Studio
from signalbox_operate.projects.definitions import as_list

_MOVING = frozenset({"Pending", "Stopping", "Updating", "Deleting"})
_NOT_FOUND = "RecordNotFound"
# What an instance is made with, by its name in DescribeNotebookInstance.
_KEPT = {
    "InstanceType": "InstanceType",
    "SubnetId": "SubnetId",
    "SecurityGroups": "SecurityGroupIds",
    "IpAddressType": "IpAddressType",
    "RoleArn": "RoleArn",
    "KmsKeyId": "KmsKeyId",
    "DirectInternetAccess": "DirectInternetAccess",
    "VolumeSizeInGB": "VolumeSizeInGB",
    "DefaultCodeRepository": "DefaultCodeRepository",
    "AdditionalCodeRepositories": "AdditionalCodeRepositories",
    "RootAccess": "RootAccess",
}


class Fleet(SageMakerResources):
    """All instances that a SageMaker client sees."""

    @property
    def studio(self) -> Studio:
        """Return what the same client sees of Studio, with the same waits."""
        return Studio(self._sagemaker, self.sleep)

    def all(self) -> Iterator[Instance]:
        """Yield every instance, by name."""
        pages = self._sagemaker.get_paginator("list_notebook_instances").paginate(SortBy="Name", SortOrder="Ascending")
        for page in pages:
            for one in page["NotebookInstances"]:
                found = self.find(one["NotebookInstanceName"])
                if found is not None:  # it may be deleted by now
                    yield found

    def find(self, name: str) -> Instance | None:
        """Return an instance with its tags; None where there is none."""
        try:
            found = self._sagemaker.describe_notebook_instance(NotebookInstanceName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationException" and _NOT_FOUND in str(error):
                return None
            raise
        return Instance(
            name,
            found["NotebookInstanceArn"],
            found["NotebookInstanceStatus"],
            found.get("PlatformIdentifier", ""),
            found["InstanceType"],
            found.get("VolumeSizeInGB", 5),
            found.get("NotebookInstanceLifecycleConfigName", ""),
            found,
            self.tags(found["NotebookInstanceArn"]),
        )

    def read(self, name: str) -> Instance:
        """Return an instance.

        Raises:
            NotebookError: there is none.
        """
        found = self.find(name)
        if found is None:
            raise NotebookError(name, "there is no such notebook instance in this account and region")
        return found

    def settled(self, name: str) -> Instance:
        """Return an instance once it moves no more.

        Raises:
            NotebookError: there is none, or it moves for half an hour.
        """
        return self.at_rest(name, lambda: self.read(name), _MOVING)

    def start(self, name: str) -> Instance:
        """Start a stopped instance, and return it once it is in service.

        Raises:
            NotebookError: it did not start, for the reason that is told.
        """
        self._sagemaker.start_notebook_instance(NotebookInstanceName=name)
        found = self.settled(name)
        if found.status == FAILED:
            reason = found.settings.get("FailureReason", "AWS says no reason")
            raise NotebookError(name, f"it did not start: {reason}")
        return found

    def stop(self, name: str) -> Instance:
        """Stop an instance, and return it once it is stopped; one that is stopped or failed stays so."""
        found = self.settled(name)
        if found.status in (STOPPED, FAILED):
            return found
        self._sagemaker.stop_notebook_instance(NotebookInstanceName=name)
        return self.settled(name)

    def update(self, instance: Instance, config: str, platform: str = "") -> Instance:
        """Give a stopped instance a lifecycle configuration ("" for none) and a platform; return it once it is so."""
        request: dict[str, Any] = {}
        if config != instance.config:
            request = {"LifecycleConfigName": config} if config else {"DisassociateLifecycleConfig": True}
        if platform and platform != instance.platform:
            request["PlatformIdentifier"] = platform
        if request:
            self._sagemaker.update_notebook_instance(NotebookInstanceName=instance.name, **request)
        return self.settled(instance.name)

    def create_like(self, old: Instance, name: str, platform: str, config: str, tags: Mapping[str, str]) -> Instance:
        """Make an instance with another's settings, and return it once it is in service.

        Raises:
            NotebookError: it did not start, for the reason that is told.
        """
        request = {wanted: old.settings[own] for own, wanted in _KEPT.items() if old.settings.get(own)}
        self._sagemaker.create_notebook_instance(
            NotebookInstanceName=name,
            PlatformIdentifier=platform,
            LifecycleConfigName=config,
            Tags=as_list(tags),
            # Tokens of version 1 can be had by any request that a notebook's server is made to send.
            InstanceMetadataServiceConfiguration={"MinimumInstanceMetadataServiceVersion": "2"},
            **request,
        )
        found = self.settled(name)
        if found.status == FAILED:
            reason = found.settings.get("FailureReason", "AWS says no reason")
            raise NotebookError(name, f"it was made and did not start: {reason}")
        return found

    def delete(self, name: str) -> None:
        """Delete a stopped instance with its volume."""
        self._sagemaker.delete_notebook_instance(NotebookInstanceName=name)
