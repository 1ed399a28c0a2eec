"""The layers of images: uploaded in parts, kept by their digests, and unpacked into the folder that an image is.

What each call refuses is worded as the API reference of ECR has it (UploadLayerPart, CompleteLayerUpload).
"""

import hashlib
import json
import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PART = 10 * 1024 * 1024
_READY = "ready"
_PREFIX = "sha256:"


class LayerError(Exception):
    """What is refused of a layer, by the code of ECR's API."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Repository:
    """A repository by its account, its region and its name."""

    account: str
    region: str
    name: str

    def __str__(self) -> str:
        return f"the repository with name '{self.name}' in the registry with id '{self.account}'"


@dataclass
class Layers:
    """The layers of one cloud, below a folder of its own."""

    folder: Path
    _links: dict[str, Path] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, repository: Repository) -> str:
        """Begin an upload, and return its id."""
        upload = secrets.token_hex(16)
        path = self._upload(repository, upload)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return upload

    def add(self, repository: Repository, upload: str, first: int, part: bytes) -> int:
        """Take a part of a layer, and return the number of its last byte.

        Raises:
            LayerError: there is no such upload, or the part does not follow the one before.
        """
        path = self._known(repository, upload)
        if path.stat().st_size != first:
            raise LayerError(
                "InvalidLayerPartException", f"the part begins at byte {first}, not at byte {path.stat().st_size}"
            )
        with path.open("ab") as stream:
            stream.write(part)
        return first + len(part) - 1

    def complete(self, repository: Repository, upload: str, digests: Sequence[str]) -> str:
        """End an upload, and return the layer's digest.

        Raises:
            LayerError: nothing was uploaded, it has another digest, or it was there before.
        """
        path = self._known(repository, upload)
        if not path.stat().st_size:
            raise LayerError("EmptyUploadException", "The layer upload contains no parts")
        with path.open("rb") as stream:
            digest = f"{_PREFIX}{hashlib.file_digest(stream, 'sha256').hexdigest()}"
        if digest not in digests:
            raise LayerError("InvalidLayerException", f"the uploaded layer has the digest {digest}")
        if self.size(repository, digest) is not None:
            raise LayerError(
                "LayerAlreadyExistsException", f"Layer with digest '{digest}' already exists in {repository}"
            )
        target = self._layer(repository, digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
        return digest

    def size(self, repository: Repository, digest: str) -> int | None:
        """Return the bytes of a layer; None where there is none."""
        path = self._layer(repository, digest)
        return path.stat().st_size if path.is_file() else None

    def link(self, repository: Repository, digest: str) -> str:
        """Return a secret by which a layer can be read without a signature.

        Raises:
            LayerError: there is no such layer.
        """
        path = self._layer(repository, digest)
        if not path.is_file():
            raise LayerError("LayersNotFoundException", f"Layers with digests '{digest}' do not exist in {repository}")
        secret = secrets.token_urlsafe(24)
        self._links[secret] = path
        return secret

    def linked(self, secret: str) -> bytes | None:
        """Return the content of the layer that a secret leads to."""
        path = self._links.get(secret)
        return path.read_bytes() if path and path.is_file() else None

    def settings(self, repository: Repository, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the configuration of an image says."""
        path = self._layer(repository, str(manifest.get("config", {}).get("digest", "")))
        found = json.loads(path.read_bytes()) if path.is_file() else {}
        return found if isinstance(found, dict) else {}

    def image(self, repository: Repository, digest: str, manifest: Mapping[str, Any]) -> Path:
        """Return the folder with an image's files, unpacked when it is first asked for.

        Raises:
            ContainerError: a layer of it cannot be unpacked.
        """
        from sagemaker_local.runtime.archive import unpack  # noqa: PLC0415  # with botocore; most clouds have no image

        folder = self._place(repository) / "images" / digest.removeprefix(_PREFIX)
        with self._lock:
            if not (folder / _READY).exists():
                (folder / "root").mkdir(parents=True, exist_ok=True)
                for layer in manifest.get("layers", []):
                    unpack(self._layer(repository, layer["digest"]), folder / "root", layer["digest"])
                (folder / _READY).touch()
        return folder

    def forget(self, repository: Repository) -> None:
        """Forget the layers of a repository that is deleted; the links to them with them."""
        for path in [*self._place(repository).glob("layers/*"), *self._place(repository).glob("uploads/*")]:
            path.unlink()

    def _place(self, repository: Repository) -> Path:
        return self.folder / repository.account / repository.region / repository.name.replace("/", "%2F")

    def _layer(self, repository: Repository, digest: str) -> Path:
        name = digest.removeprefix(_PREFIX)
        return self._place(repository) / "layers" / (name if name.isalnum() else "none")

    def _upload(self, repository: Repository, upload: str) -> Path:
        return self._place(repository) / "uploads" / (upload if upload.isalnum() else "none")

    def _known(self, repository: Repository, upload: str) -> Path:
        path = self._upload(repository, upload)
        if not path.is_file():
            raise LayerError("UploadNotFoundException", f"The upload with id '{upload}' does not exist in {repository}")
        return path
