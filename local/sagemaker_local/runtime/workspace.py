"""The folder tree that a container finds under `/opt/ml`, here a folder of the job's own.

Paths: developer guide, "Amazon SageMaker training storage paths" and "Build your own processing container". Where a
program has namespaces of its own, it finds the folder there; anywhere else texts that name `/opt/ml` are rewritten, and
it finds the folder in `SAGEMAKER_BASE_DIR`, which AWS's own toolkits read as well.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagemaker_local.runtime.namespaces import HOST

ROOT = "/opt/ml"
CONTAINER_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""PATH of a container whose image sets none (Docker's default)."""
TOLD_LIMIT = 1024
"""Characters of the failure file that reach FailureReason (developer guide, "Amazon SageMaker training output")."""
_REWRITTEN = re.compile(r"(^|=)/opt/ml(?=/|$)")
_REGION = ("AWS_REGION", "AWS_DEFAULT_REGION")


def isolated(environment: Mapping[str, str]) -> dict[str, str]:
    """Return a role's variables as a container without a network has them: no credentials, no address of the cloud.

    Source: Developer Guide, "Run training and inference containers in internet-free mode". Only where it has a network
    of its own is a program kept from opening connections.
    """
    return {name: environment[name] for name in _REGION if name in environment}


@dataclass(frozen=True)
class Workspace:
    """The tree of one job or model server; `base` stands for `/opt/ml`, and is it for a program in namespaces."""

    base: Path
    boxed: bool = False

    @property
    def inside(self) -> str:
        """Where the program finds the tree."""
        return ROOT if self.boxed else str(self.base)

    def seen(self, path: Path) -> str:
        """Return where the program finds a path of this tree."""
        return str(Path(self.inside) / path.relative_to(self.base))

    @property
    def config(self) -> Path:
        """`input/config`, the folder of the JSON files that describe a training job."""
        return self.base / "input" / "config"

    @property
    def data(self) -> Path:
        """`input/data`, one folder per channel."""
        return self.base / "input" / "data"

    @property
    def model(self) -> Path:
        """`model`, what training leaves and serving finds."""
        return self.base / "model"

    @property
    def output(self) -> Path:
        """`output`, with `data/` and the `failure` or `message` file."""
        return self.base / "output"

    @property
    def code(self) -> Path:
        """`code`, the unpacked code of a user's script."""
        return self.base / "code"

    @property
    def checkpoints(self) -> Path:
        """`checkpoints`, kept in step with S3 where the job asks for it."""
        return self.base / "checkpoints"

    def create(self) -> "Workspace":
        """Make the folders and return this workspace."""
        for folder in (self.config, self.data, self.model, self.output / "data", self.code, self.checkpoints):
            folder.mkdir(parents=True, exist_ok=True)
        return self

    def rewrite(self, text: str) -> str:
        """Return `text` with a leading `/opt/ml`, or one behind `=` (`--train=/opt/ml/x`), as the program finds it."""
        return _REWRITTEN.sub(lambda match: f"{match[1]}{self.inside}", text)

    def place(self, path: str) -> Path:
        """Return where the container path `path` lies here.

        Raises:
            ValueError: the path is not under /opt/ml.
        """
        placed = Path(os.path.normpath(f"{self.base}{path.removeprefix(ROOT)}"))
        if not path.startswith(f"{ROOT}/") or not placed.is_relative_to(self.base):
            raise ValueError(f"local path {path!r} is not under {ROOT}/: choose one below it")
        return placed

    def environment(self, *layers: Mapping[str, str]) -> dict[str, str]:
        """Return a program's whole environment: the basics, then `layers` in order, with /opt/ml as it is found.

        Nothing else of the cloud's own environment reaches a program, so it has no credentials but its role's.
        """
        basics = {
            "PATH": self.path(),
            "HOME": "/root" if self.boxed else str(self.base),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            # Several jobs share the machine and their data are small: OpenMP threads that spin would only fight.
            "OMP_NUM_THREADS": "1",
            "SAGEMAKER_BASE_DIR": self.inside,
        }
        merged = {key: value for layer in (basics, *layers) for key, value in layer.items()}
        return {key: self.rewrite(value) for key, value in merged.items()}

    def path(self) -> str:
        """Return the folders of the system's programs, as PATH has them."""
        return CONTAINER_PATH if self.boxed else os.environ.get("PATH", os.defpath)

    def told(self, name: str) -> str:
        """Return the first 1,024 characters of a file that the program left in `output`; empty if it left none."""
        path = self.output / name
        if path.is_symlink() or not path.is_file():  # a link may lead to what is not the program's
            return ""
        with path.open("rb") as stream:
            return stream.read(4 * TOLD_LIMIT).decode(errors="replace")[:TOLD_LIMIT]

    def write_training_config(self, request: Mapping[str, Any]) -> None:
        """Write hyperparameters.json, inputdataconfig.json and resourceconfig.json of a CreateTrainingJob request."""
        self._write(self.config / "hyperparameters.json", request.get("HyperParameters", {}))
        channels = {
            channel["ChannelName"]: {
                **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
                "TrainingInputMode": channel.get("InputMode", request["AlgorithmSpecification"]["TrainingInputMode"]),
                "S3DistributionType": channel["DataSource"]
                .get("S3DataSource", {})
                .get("S3DataDistributionType", "FullyReplicated"),
                "RecordWrapperType": channel.get("RecordWrapperType", "None"),
            }
            for channel in request.get("InputDataConfig", [])
        }
        self._write(self.config / "inputdataconfig.json", channels)
        self._write(self.config / "resourceconfig.json", _resources(request.get("ResourceConfig", {})))

    def write_processing_config(self, request: Mapping[str, Any]) -> None:
        """Write config/processingjobconfig.json and config/resourceconfig.json of a CreateProcessingJob request."""
        folder = self.base / "config"
        cluster = request.get("ProcessingResources", {}).get("ClusterConfig", {})
        self._write(folder / "processingjobconfig.json", request)
        self._write(folder / "resourceconfig.json", _resources(cluster))

    @staticmethod
    def _write(path: Path, document: object) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, default=str))


def _resources(cluster: Mapping[str, Any]) -> dict[str, Any]:
    """Return resourceconfig.json: one host, whatever InstanceCount says, because one process runs here."""
    kind = cluster.get("InstanceType", "ml.m5.large")
    return {
        "current_host": HOST,
        "hosts": [HOST],
        "network_interface_name": "eth0",
        "current_instance_type": kind,
        "current_group_name": "homogeneousCluster",
        "instance_groups": [
            {"instance_group_name": "homogeneousCluster", "instance_type": kind, "hosts": [HOST]},
        ],
    }
