"""The environment that AWS's training toolkit gives a user's script (github.com/aws/sagemaker-training-toolkit)."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sagemaker_local.images.catalog import decode

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Hyperparameters:
    """A job's hyperparameters: the toolkit's own (`sagemaker_…`) and the user's, decoded."""

    own: dict[str, Any]
    user: dict[str, Any]

    @classmethod
    def read(cls, base: Path) -> Hyperparameters:
        """Return what input/config/hyperparameters.json says."""
        given = json.loads((base / "input" / "config" / "hyperparameters.json").read_text())
        decoded = {name: decode(value) for name, value in given.items()}
        return cls(
            own={name: value for name, value in decoded.items() if name.startswith("sagemaker_")},
            user={name: value for name, value in decoded.items() if not name.startswith("sagemaker_")},
        )

    def arguments(self) -> list[str]:
        """Return the user's hyperparameters as `--name value`; a name of one letter gets one dash."""
        pairs = ((f"{'-' if len(name) == 1 else '--'}{name}", str(self.user[name])) for name in sorted(self.user))
        return [part for pair in pairs for part in pair]


def environment(base: Path, settings: Hyperparameters, image: str) -> dict[str, str]:
    """Return the SM_* variables of a script that runs under `base`."""
    config = base / "input" / "config"
    resources = json.loads((config / "resourceconfig.json").read_text())
    channels = json.loads((config / "inputdataconfig.json").read_text())
    program = str(settings.own.get("sagemaker_program", ""))
    values: dict[str, Any] = {
        **_folders(base),
        **_hosts(resources),
        "CHANNELS": sorted(channels),
        **{f"CHANNEL_{name.upper()}": str(base / "input" / "data" / name) for name in channels},
        "HPS": settings.user,
        **{f"HP_{name.upper().replace('-', '_')}": value for name, value in settings.user.items()},
        "USER_ARGS": settings.arguments(),
        "USER_ENTRY_POINT": program,
        "MODULE_NAME": program.removesuffix(".py"),
        "MODULE_DIR": str(settings.own.get("sagemaker_submit_directory", base / "code")),
        "LOG_LEVEL": settings.own.get("sagemaker_container_log_level", 20),
        "FRAMEWORK_MODULE": f"{image.replace('-', '_')}_container.training:main",
        "FRAMEWORK_PARAMS": settings.own,
        "NUM_CPUS": os.cpu_count() or 1,
        "NUM_GPUS": 0,
        "NUM_NEURONS": 0,
        "RESOURCE_CONFIG": resources,
        "INPUT_DATA_CONFIG": channels,
    }
    values["TRAINING_ENV"] = {name.lower(): value for name, value in values.items()}
    return {f"SM_{name}": value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


def _folders(base: Path) -> dict[str, str]:
    return {
        "MODEL_DIR": str(base / "model"),
        "OUTPUT_DIR": str(base / "output"),
        "OUTPUT_DATA_DIR": str(base / "output" / "data"),
        "OUTPUT_INTERMEDIATE_DIR": str(base / "output" / "intermediate"),
        "INPUT_DIR": str(base / "input"),
        "INPUT_CONFIG_DIR": str(base / "input" / "config"),
    }


def _hosts(resources: dict[str, Any]) -> dict[str, Any]:
    groups = resources["instance_groups"]
    return {
        "HOSTS": resources["hosts"],
        "CURRENT_HOST": resources["current_host"],
        "CURRENT_INSTANCE_TYPE": resources["current_instance_type"],
        "CURRENT_INSTANCE_GROUP": resources["current_group_name"],
        "CURRENT_INSTANCE_GROUP_HOSTS": groups[0]["hosts"],
        "INSTANCE_GROUPS": [group["instance_group_name"] for group in groups],
        "INSTANCE_GROUPS_DICT": {group["instance_group_name"]: group for group in groups},
        "DISTRIBUTION_INSTANCE_GROUPS": [],
        "IS_HETERO": False,
        "NETWORK_INTERFACE_NAME": resources["network_interface_name"],
    }
