"""Where a notebook instance lies on this machine, and how a test has one lie there that was made long ago.

Paths: Developer Guide, "Customization of a SageMaker notebook instance using an LCC script" and "Get Notebook Instance
Metadata".
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sagemaker_local.lifecycle.places import Layout, MachinePlace
from sagemaker_local.runtime import namespaces

_LAYOUT = Layout(
    user="ec2-user",
    group=1000,
    group_name="ec2-user",
    home="/home/ec2-user",
    volume="/home/ec2-user/SageMaker",
    as_root=True,
)
_REGION = "us-east-1"
_LEFT = "left.json"


def instance_place(folder: Path, name: str, region: str) -> MachinePlace:
    """Return the place of an instance, by the cloud's folder."""
    return MachinePlace(folder / "notebooks" / region / name.lower(), _LAYOUT, namespaces.allowed())


def volume(folder: Path, name: str, region: str = _REGION) -> Path:
    """Return the folder that stands for `/home/ec2-user/SageMaker` of an instance, by the cloud's folder."""
    return instance_place(folder, name, region).volume


def leave_behind(folder: Path, request: Mapping[str, Any], region: str = _REGION) -> Path:
    """Have an instance in a cloud that was made long ago and lies stopped, of whatever platform; return its volume.

    For tests: no request to the API makes one whose platform has ended. The cloud whose folder it is, running or not,
    finds it at its next request about notebook instances. Nothing of the request is checked.

    Args:
        folder: the cloud's.
        request: as CreateNotebookInstance takes it, with NotebookInstanceName, InstanceType and RoleArn.
        region: the region it is in.
    """
    place = instance_place(folder, request["NotebookInstanceName"], region)
    place.make_volume()
    unfinished = place.base / f"{_LEFT}.new"
    unfinished.write_text(json.dumps(dict(request)))
    unfinished.replace(place.base / _LEFT)  # whole, or not there
    return place.volume


def left_behind(folder: Path, region: str) -> list[dict[str, Any]]:
    """Return the requests of the instances that were left behind since the last call, and take them."""
    found = []
    for path in sorted((folder / "notebooks" / region).glob(f"*/{_LEFT}")):
        found.append(json.loads(path.read_text()))
        path.unlink()
    return found
