"""The project on this machine: its folders, and the local cloud that its stack is deployed into."""

import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from sagemaker_local.process import START_SECONDS, LocalCloud, Options, answers

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".signalbox"
_FOLDER = "cloud-"


class ProjectCloud(LocalCloud):
    """A local cloud whose environment also says where Signalbox's API is."""

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables by which AWS programs and `signalbox` work with this cloud as its owner."""
        return {**super().environment, "SIGNALBOX_API_URL": self.public_url}


def options(port: int) -> Options:
    """Return how the project's own cloud is started: its state in a folder for its port, its containers as images."""
    return Options(folder=STATE / f"{_FOLDER}{port}", containers=ROOT / "projects", port=port)


def clouds() -> Iterator[tuple[int, Path]]:
    """Yield the ports of the clouds that were started and are not cleared away, with their folders."""
    for folder in STATE.glob(f"{_FOLDER}*"):
        yield int(folder.name.removeprefix(_FOLDER)), folder


def clear() -> None:
    """Remove what clouds have left that do not run any more; one that has just been started does not answer yet."""
    for port, folder in clouds():
        if not answers(port) and time.time() - folder.stat().st_mtime > START_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def python_path() -> list[str]:
    """Return the folders that the project's packages are found in."""
    return [
        str(ROOT),
        *(str(ROOT / part) for part in ("layers/signalbox", "local", "operate", "features", "notebooks/worker")),
    ]


def program_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a program of the project: this virtual environment's tools first."""
    own = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    return {**os.environ, **own, "PYTHONPATH": os.pathsep.join(python_path()), **extra}
