"""What a request makes of a notebook instance: the members that Describe shows, and what AWS refuses of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sagemaker_local.core.errors import invalid
from sagemaker_local.core.store import Record
from sagemaker_local.notebooks.kinds import LIFECYCLE_CONFIG
from sagemaker_local.notebooks.platforms import DEFAULT, check_change

type Request = Mapping[str, Any]

_CONFIG = LIFECYCLE_CONFIG.name_field
_SHOWN = {"LifecycleConfigName": _CONFIG, "SecurityGroupIds": "SecurityGroups"}
# botocore's model of CreateNotebookInstance and InstanceMetadataServiceConfiguration.
_DEFAULTS: dict[str, Any] = {
    "DirectInternetAccess": "Enabled",
    "VolumeSizeInGB": 5,
    "RootAccess": "Enabled",
    "PlatformIdentifier": DEFAULT,
    "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "1"},
}
_AS_GIVEN = ("InstanceType", "IpAddressType", "RoleArn", "VolumeSizeInGB", "RootAccess", "PlatformIdentifier")


def new_instance(request: Request, region: str) -> Record:
    """Return the record of a new instance.

    Raises:
        ApiError: ValidationException: it would have no network.
    """
    renamed = {shown: request[given] for given, shown in _SHOWN.items() if given in request}
    record = {**_DEFAULTS, **{name: item for name, item in request.items() if name not in _SHOWN}, **renamed}
    if record["DirectInternetAccess"] == "Disabled" and "SubnetId" not in request:
        raise invalid("DirectInternetAccess can be Disabled only with a SubnetId: the instance would reach nothing.")
    if record.get("SecurityGroups") and "SubnetId" not in request:
        raise invalid("SecurityGroupIds need a SubnetId.")
    name = request["NotebookInstanceName"]
    return {**record, "Url": f"{name.lower()}.notebook.{region}.sagemaker.aws"}


def changes(request: Request, record: Record, now: datetime) -> Record:
    """Return the members that a request changes.

    Raises:
        ApiError: ValidationException: the volume would get smaller, the platform is none to change to, or the request
            gives a lifecycle configuration and takes it away.
    """
    size, platform = request.get("VolumeSizeInGB"), request.get("PlatformIdentifier")
    if size is not None and size < record["VolumeSizeInGB"]:
        raise invalid(
            f"The volume of {record['NotebookInstanceName']} has {record['VolumeSizeInGB']} GB: it cannot be made "
            f"smaller ({size} GB). Create a new notebook instance."
        )
    if platform is not None:
        check_change(record["PlatformIdentifier"], platform, now)
    found = {name: request[name] for name in _AS_GIVEN if name in request}
    if "InstanceMetadataServiceConfiguration" in request:
        version = request["InstanceMetadataServiceConfiguration"]["MinimumInstanceMetadataServiceVersion"]
        found["InstanceMetadataServiceConfiguration"] = {"MinimumInstanceMetadataServiceVersion": version}
    return {**found, **_config_change(request)}


def _config_change(request: Request) -> Record:
    name, away = request.get("LifecycleConfigName"), request.get("DisassociateLifecycleConfig")
    if name and away:
        raise invalid("Give a LifecycleConfigName, or DisassociateLifecycleConfig, not both.")
    if away:
        return {_CONFIG: None}
    return {_CONFIG: name} if name else {}
