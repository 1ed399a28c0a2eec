"""What the settings of a domain, a user profile and a space say together about an app. Rules only.

The settings of a private space are its own, then those of its owner's profile, then the domain's for users; those of a
shared space are its own, then the domain's for spaces (API reference, UserSettings and DefaultSpaceSettings).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sagemaker_local.core.errors import invalid
from sagemaker_local.core.store import Record

type Settings = Mapping[str, Any]

NO_SCRIPT = "None"
"""What stands for no lifecycle configuration at all, in botocore's pattern of its ARN."""
_SMALLEST = 5  # GB of a volume where nobody says a size; from memory
_INSTANCE = "ml.t3.medium"  # what an app runs on where nobody says it; from memory


def merged(old: Settings, new: Settings) -> Record:
    """Return old settings with new ones in them: what is not given stays, and lists are replaced.

    API reference, JupyterLabAppSettings: a configuration is taken away by an empty list of them.
    """
    changed = {
        name: merged(old[name], new[name]) if isinstance(new[name], Mapping) and name in old else new[name]
        for name in new
    }
    return {**old, **changed}


def attached_configs(settings: Settings) -> Iterator[str]:
    """Yield the ARNs of the lifecycle configurations that settings name."""
    lab = settings.get("JupyterLabAppSettings", {})
    yield from lab.get("LifecycleConfigArns", [])
    default = lab.get("DefaultResourceSpec", {}).get("LifecycleConfigArn", NO_SCRIPT)
    if default != NO_SCRIPT:
        yield default


@dataclass(frozen=True)
class SpaceSettings:
    """The settings that hold in a space, by the records of its domain, its owner's profile (if it has one), itself."""

    domain: Record
    profile: Record | None
    space: Record

    def role(self) -> str:
        """Return the execution role of the space's apps.

        Raises:
            ApiError: ValidationException: nobody says which.
        """
        found = next((one["ExecutionRole"] for one in self._above() if "ExecutionRole" in one), None)
        if found is None:
            raise invalid(
                f"No execution role for a shared space of domain {self.domain['DomainId']}: give its "
                "DefaultSpaceSettings an ExecutionRole."
            )
        return str(found)

    def resources(self, given: Settings) -> Record:
        """Return the ResourceSpec of an app: what its request gives, and what the settings say of the rest.

        Raises:
            ApiError: ValidationException: its lifecycle configuration is attached to nothing.
        """
        spec: Record = {"InstanceType": _INSTANCE}
        for one in reversed([self.space.get("SpaceSettings", {}), *self._above()]):
            spec |= one.get("JupyterLabAppSettings", {}).get("DefaultResourceSpec", {})
        config = given.get("LifecycleConfigArn", spec.get("LifecycleConfigArn", NO_SCRIPT))
        if config not in (NO_SCRIPT, *self.configs()):
            raise invalid(
                f"The lifecycle configuration {config} is not attached to the user profile or the domain of the space: "
                "name it in their JupyterLabAppSettings.LifecycleConfigArns."
            )
        return {**spec, **given}

    def configs(self) -> list[str]:
        """Return the ARNs of the lifecycle configurations that apps of the space may have."""
        return [config for one in self._above() for config in attached_configs(one)]

    def volume_size(self) -> int:
        """Return the size of the space's volume, in GB.

        Raises:
            ApiError: ValidationException: it is more than the domain or the profile lets it have.
        """
        limits = next(self._storage(), {})
        given = self.space.get("SpaceSettings", {}).get("SpaceStorageSettings", {}).get("EbsStorageSettings", {})
        size = int(given.get("EbsVolumeSizeInGb", limits.get("DefaultEbsVolumeSizeInGb", _SMALLEST)))
        largest = limits.get("MaximumEbsVolumeSizeInGb", size)
        if size > largest:
            raise invalid(
                f"The volume of a space has at most {largest} GB here (MaximumEbsVolumeSizeInGb), not {size}."
            )
        return size

    def _storage(self) -> Iterator[Settings]:
        for one in self._above():
            if "SpaceStorageSettings" in one:
                yield one["SpaceStorageSettings"].get("DefaultEbsStorageSettings", {})

    def _above(self) -> Sequence[Settings]:
        """Return the settings above the space's own, the nearest first."""
        if self.space.get("SpaceSharingSettings", {}).get("SharingType") == "Private" and self.profile:
            return [self.profile.get("UserSettings", {}), self.domain["DefaultUserSettings"]]
        return [self.domain.get("DefaultSpaceSettings", {})]


def check_ownership(request: Settings) -> None:
    """Refuse a space that says only one of whose it is and who may use it (from memory).

    Raises:
        ApiError: ValidationException.
    """
    both = ("OwnershipSettings", "SpaceSharingSettings")
    if sum(name in request for name in both) == 1:
        raise invalid(f"Give a space {both[0]} and {both[1]}, or neither of them.")


def check_growth(old: int, new: int, arn: str) -> None:
    """Refuse a volume that would get smaller.

    Raises:
        ApiError: ValidationException.
    """
    if new < old:
        raise invalid(f"The volume of [{arn}] has {old} GB: it cannot be made smaller ({new} GB). Create a new space.")
