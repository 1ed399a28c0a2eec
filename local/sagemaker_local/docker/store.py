"""The images of one build's docker: each a folder under its id, and the names that they have."""

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagemaker_local.docker.errors import DockerError
from sagemaker_local.runtime.archive import pack, unpack

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
OWN = "sagemaker_local"
_NAME = re.compile(
    r"(?P<repository>(?:[\w.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::(?P<tag>[\w][\w.-]{0,127}))?"
)


def named(reference: str) -> tuple[str, str]:
    """Return repository and tag of an image's name.

    Raises:
        DockerError: it is none.
    """
    match = _NAME.fullmatch(reference)
    if match is None:
        raise DockerError(f'invalid argument "{reference}": invalid reference format')
    return match["repository"], match["tag"] or "latest"


@dataclass(frozen=True)
class LocalImage:
    """An image that is here: its configuration, the one layer of its files, and these files."""

    folder: Path

    @property
    def id(self) -> str:
        """Its id, the digest of its configuration."""
        return f"sha256:{self.folder.name}"

    @property
    def root(self) -> Path:
        """The folder with its files."""
        return self.folder / "root"

    @property
    def layer(self) -> Path:
        """The archive of its files."""
        return self.folder / "layer.tar.gz"

    @property
    def content(self) -> bytes:
        """Its configuration as it is written."""
        return (self.folder / "config.json").read_bytes()

    @property
    def configuration(self) -> dict[str, Any]:
        """Its configuration."""
        found: dict[str, Any] = json.loads(self.content)
        return found

    def manifest(self) -> str:
        """Return the manifest that it is pushed with: the same content has the same manifest."""
        config = {"mediaType": CONFIG, "size": len(self.content), "digest": self.id}
        layer = {"mediaType": LAYER, "size": self.layer.stat().st_size, "digest": digest_of(self.layer.read_bytes())}
        return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}, indent=3)


class Store:
    """The images below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "images").mkdir(parents=True, exist_ok=True)

    def keep(self, root: Path, settings: Mapping[str, Any], requirements: str) -> LocalImage:
        """Keep what was built: its files, its `config`, and what it requires of Python."""
        layer = pack(root, self._folder / "new.tar.gz")
        document = {
            "architecture": "amd64",
            "config": settings,
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [digest_of(layer.read_bytes())]},
            **({OWN: {"requirements": requirements}} if requirements else {}),
        }
        content = json.dumps(document, sort_keys=True).encode()
        return self._kept(content, layer, root)

    def take(self, content: bytes, layers: list[Path]) -> LocalImage:
        """Keep an image that was pulled.

        Raises:
            DockerError: it has no layer, or several: it was not built here.
        """
        if len(layers) != 1:
            raise DockerError(f"an image of {len(layers)} layers is not emulated here: build it with this docker")
        root = self._folder / "pulled"
        unpack(layers[0], root, "layer")
        return self._kept(content, layers[0], root)

    def _kept(self, content: bytes, layer: Path, root: Path) -> LocalImage:
        image = LocalImage(self._folder / "images" / digest_of(content).removeprefix("sha256:"))
        if image.folder.exists():
            shutil.rmtree(root)
            layer.unlink()
            return image
        image.folder.mkdir()
        (image.folder / "config.json").write_bytes(content)
        layer.replace(image.layer)
        root.rename(image.root)
        return image

    def tag(self, image: LocalImage, reference: str) -> str:
        """Give an image a name; return it with its tag."""
        repository, tag = named(reference)
        self._write("tags", {**self.tags(), f"{repository}:{tag}": image.folder.name})
        return f"{repository}:{tag}"

    def tags(self) -> dict[str, str]:
        """Return the ids of images by their names."""
        return self._read("tags")

    def digests(self) -> dict[str, str]:
        """Return the digests under which images were pushed or pulled, by repository and id."""
        return self._read("digests")

    def pushed(self, image: LocalImage, repository: str, digest: str) -> None:
        """Remember the digest of an image in a repository."""
        self._write("digests", {**self.digests(), f"{repository}@{digest}": image.folder.name})

    def find(self, reference: str) -> LocalImage | None:
        """Return an image by its name, its digest or the begin of its id; None where there is none."""
        match = _NAME.fullmatch(reference)
        name = f"{match['repository']}:{match['tag'] or 'latest'}" if match else reference
        known = self.tags().get(name) or self.digests().get(reference)
        short = reference.removeprefix("sha256:")
        ids = [path.name for path in (self._folder / "images").iterdir() if short and path.name.startswith(short)]
        found = known or (ids[0] if len(ids) == 1 else None)
        return LocalImage(self._folder / "images" / found) if found else None

    def get(self, reference: str) -> LocalImage:
        """Return an image.

        Raises:
            DockerError: there is none.
        """
        found = self.find(reference)
        if found is None:
            raise DockerError(f"Error response from daemon: No such image: {reference}")
        return found

    def credentials(self) -> dict[str, Any]:
        """Return the credentials of registries that somebody has logged in to."""
        return self._read("registries")

    def log_in(self, registry: str, credentials: Mapping[str, str]) -> None:
        """Keep the credentials of a registry."""
        self._write("registries", {**self.credentials(), registry: dict(credentials)})

    def fresh(self) -> Path:
        """Return an empty folder for an image that is built."""
        root = self._folder / "building"
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        return root

    def _read(self, name: str) -> dict[str, Any]:
        path = self._folder / f"{name}.json"
        return dict(json.loads(path.read_text())) if path.is_file() else {}

    def _write(self, name: str, document: Mapping[str, Any]) -> None:
        (self._folder / f"{name}.json").write_text(json.dumps(document))


def digest_of(content: bytes) -> str:
    """Return the digest of a content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
