"""Where a space lies on this machine: a folder that stands for its volume, the home of `sagemaker-user`.

AWS's examples of lifecycle configurations say that scripts run as that user, and that the volume is the home; the
user's id 1000 and group 100 are those of SageMaker Distribution, from memory.
"""

from pathlib import Path

from sagemaker_local.lifecycle.places import Layout, MachinePlace
from sagemaker_local.runtime import namespaces

_HOME = "/home/sagemaker-user"
_LAYOUT = Layout(user="sagemaker-user", group=100, group_name="users", home=_HOME, volume=_HOME, as_root=False)


def space_place(folder: Path, domain_id: str, space: str, region: str) -> MachinePlace:
    """Return the place of a space, by the cloud's folder."""
    return MachinePlace(folder / "studio" / region / domain_id / space.lower(), _LAYOUT, namespaces.allowed())


def volume(folder: Path, domain_id: str, space: str, region: str = "us-east-1") -> Path:
    """Return the folder that stands for `/home/sagemaker-user` of a space, by the cloud's folder."""
    return space_place(folder, domain_id, space, region).volume
