"""An image that is about to run for one job or model server: what its program sees, where and from where it runs."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sagemaker_local.images.catalog import PACKAGE, PROGRAM
from sagemaker_local.images.requirements import with_python
from sagemaker_local.runtime import namespaces
from sagemaker_local.runtime.namespaces import Box, Forward, Shown
from sagemaker_local.runtime.ports import LOOPBACK
from sagemaker_local.runtime.workspace import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sagemaker_local.images.catalog import Image
    from sagemaker_local.runtime.workspace import Workspace

PORT = 8080
"""Where a container listens (developer guide, "Custom inference code with hosting services")."""
ENTRANCE = 8079
"""Where a server reaches a cloud that listens on the server's own port."""
GIGABYTE = 1024**3


@dataclass(frozen=True)
class Container:
    """An image, the tree that its program finds, and whether the program has a network that leads anywhere.

    Attributes:
        folder: what the job or server may fill; its own image is copied into it.
        isolated: EnableNetworkIsolation: nothing is reached, not even this cloud.
        serves: its program listens on port 8080, in a network of its own.
        volume: VolumeSizeInGB: no file gets larger; 0 where a request says nothing.
    """

    image: Image
    workspace: Workspace
    folder: Path
    isolated: bool = False
    serves: bool = False
    volume: int = 0

    @classmethod
    def of(cls, image: Image, workspace: Workspace, folder: Path, **more: Any) -> Container:
        """Return an image with its Python on a tree.

        Raises:
            ContainerError: what its requirements.txt names cannot be installed.
        """
        # Without a network nothing of the user's code is installed on AWS either.
        code = () if more.get("isolated") else (workspace.code, workspace.model / "code")
        return cls(with_python(image, code), workspace, folder, **more)

    @property
    def placed(self) -> Image:
        """The image with its Python, and the programs of its own, where the program sees them."""
        if not self.workspace.boxed:
            return self.image
        return replace(self.image, seen=PROGRAM, python=namespaces.inside(self.image.python))

    def environment(self, *layers: Mapping[str, str]) -> dict[str, str]:
        """Return a program's whole environment: where the image has its programs, then `layers` in order."""
        image = self.placed
        folders = [str(Path(image.interpreter).parent), *image.path(), self.workspace.path()]
        return self.workspace.environment(image.variables(), {"PATH": os.pathsep.join(folders)}, *layers)

    def start(self, environment: Mapping[str, str]) -> dict[str, Any]:
        """Put the image's files where the program finds them; return a `Program`'s arguments but command and log."""
        if not self.workspace.boxed:
            return {"environment": environment, "folder": self.workspace.base, "box": None}
        root = self.folder / "root"
        if self.image.folder is None:
            root.mkdir()
        else:
            shutil.copytree(self.image.folder, f"{root}{self.image.place}", symlinks=True, ignore=_CACHES)
        folder = Path(self.placed.workdir)
        box = self._box(root, environment)
        if box.forward and box.forward.inside != box.forward.outside:
            environment = {**environment, "AWS_ENDPOINT_URL": f"http://{LOOPBACK}:{box.forward.inside}"}
        return {"environment": environment, "folder": folder, "box": box}

    def _box(self, root: Path, environment: Mapping[str, str]) -> Box:
        base = self.workspace.base
        shown = [*namespaces.interpreter(self.image.python), Shown(base, ROOT, writable=True)]
        if self.serves:
            # Developer Guide, "How SageMaker AI loads your model artifacts": the container may only read there.
            shown.append(Shown(self.workspace.model, f"{ROOT}/model"))
        if self.image.folder is None:
            shown += namespaces.seen_at_their_places([PACKAGE])
        alone = self.serves or self.isolated
        return Box(root, tuple(shown), alone, self._cloud(environment) if alone else None, self.volume * GIGABYTE)

    def _cloud(self, environment: Mapping[str, str]) -> Forward | None:
        """Return the way to the cloud out of a network of the program's own, if it may go it."""
        port = None if self.isolated else urlsplit(environment.get("AWS_ENDPOINT_URL", "")).port
        return Forward(ENTRANCE if port == PORT else port, port) if port else None


_CACHES = shutil.ignore_patterns("__pycache__", ".git")
