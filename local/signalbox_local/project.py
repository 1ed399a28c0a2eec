"""The project on this machine: its folders, and the local cloud that its stack is deployed into."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from sagemaker_local.process import LocalCloud, Options

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".signalbox"


class ProjectCloud(LocalCloud):
    """A local cloud whose environment also says where Signalbox's API is."""

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables by which AWS programs and `signalbox` work with this cloud as its owner."""
        return {**super().environment, "SIGNALBOX_API_URL": self.public_url}


def options(port: int = 0) -> Options:
    """Return how the project's own cloud is started: its state in STATE, its containers as images."""
    return Options(folder=STATE / "cloud", containers=ROOT / "projects", port=port)


def python_path() -> list[str]:
    """Return the folders that the project's packages are found in."""
    return [str(ROOT), *(str(ROOT / part) for part in ("layers/signalbox", "local", "operate"))]


def program_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a program of the project: this virtual environment's tools first."""
    own = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    return {**os.environ, **own, "PYTHONPATH": os.pathsep.join(python_path()), **extra}
