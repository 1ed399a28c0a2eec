"""The folder that a container finds as /opt/ml (Developer Guide, "Amazon SageMaker training storage paths")."""

import json
import shutil
from pathlib import Path

from signalbox_operate.containers.model import Trial
from signalbox_operate.stack import OperateError

FAILURE_LIMIT = 1024  # characters of the failure file that reach a job's FailureReason


def make(base: Path, trial: Trial, *, with_data: bool = True) -> None:
    """Make the folders and files of a training job; without data its channels are empty folders.

    Raises:
        OperateError: there is nothing where a channel's data are said to be.
    """
    config = base / "input" / "config"
    for folder in (config, base / "model", base / "output" / "data", base / "checkpoints", base / "code"):
        folder.mkdir(parents=True, exist_ok=True)
    for name, source in trial.channels.items():
        channel = base / "input" / "data" / name
        if with_data:
            _copy(name, source, channel)
        channel.mkdir(parents=True, exist_ok=True)
    _write(config / "hyperparameters.json", dict(trial.hyperparameters))
    one = {
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
        "ContentType": trial.content_type,
    }
    _write(config / "inputdataconfig.json", dict.fromkeys(trial.channels, one))
    _write(config / "resourceconfig.json", _RESOURCES)


def files(folder: Path) -> list[Path]:
    """Return the files under a folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def failure(base: Path) -> str:
    """Return what SageMaker reads of the failure file; "" where there is none."""
    path = base / "output" / "failure"
    if path.is_symlink() or not path.is_file():
        return ""
    return path.read_text(encoding="utf-8", errors="replace")[:FAILURE_LIMIT].strip()


def _copy(name: str, source: Path, channel: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, channel, dirs_exist_ok=True)
    elif source.is_file():
        channel.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, channel / source.name)
    if not channel.is_dir() or not files(channel):
        raise OperateError(f"channel {name}: there are no data in {source}")


def _write(path: Path, document: object) -> None:
    path.write_text(json.dumps(document), encoding="utf-8")


_RESOURCES = {
    "current_host": "algo-1",
    "hosts": ["algo-1"],
    "network_interface_name": "eth0",
    "current_instance_type": "ml.m5.large",
    "current_group_name": "homogeneousCluster",
    "instance_groups": [
        {"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.large", "hosts": ["algo-1"]}
    ],
}
