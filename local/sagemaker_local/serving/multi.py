"""Several models in one container: each is fetched and loaded when somebody first asks for it.

Source: Developer Guide, "Custom containers contract for multi-model endpoints": POST /models with a name and the folder
of the model's files, POST /models/<name>/invoke, DELETE /models/<name>; 409 says that it is loaded, 507 that memory is
full.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING

from sagemaker_local.runtime import archive
from sagemaker_local.runtime.errors import ContainerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

    type Send = Callable[[str, str, bytes], tuple[int, dict[str, str], bytes]]

TARGET = "X-Amzn-SageMaker-Target-Model"


class TargetModelError(Exception):
    """A request names a model that is not there, names none where one is needed, or one where there is but one."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)


class LoadError(Exception):
    """The container refused to load a model: its status and its words."""

    def __init__(self, answer: tuple[int, dict[str, str], bytes]) -> None:
        super().__init__(f"the container did not load the model: {answer[0]}")
        self.answer = answer


class LoadedModels:
    """The models below one S3 prefix, as far as they are loaded. Thread-safe.

    `folder` is where their files lie, `seen(path)` how the program sees a path, `send` asks the program.
    """

    def __init__(
        self, s3: S3Client, prefix: str, role: str, folder: Path, seen: Callable[[Path], str], send: Send
    ) -> None:
        self._s3 = s3
        self._prefix = prefix
        self._role = role
        self._folder = folder
        self._seen = seen
        self._send = send
        self._loaded: list[str] = []
        self._lock = threading.Lock()

    def path(self, headers: Mapping[str, str]) -> str:
        """Return where a request for its target model is posted, once that model is loaded.

        Raises:
            TargetModelError: the request names no model, or one that is not there.
            LoadError: the container did not load it.
        """
        target = headers.get(TARGET)
        if target is None:
            raise TargetModelError("TargetModel is required: the endpoint has several models.")
        name = hashlib.sha256(target.encode()).hexdigest()[:32]
        with self._lock:
            if name in self._loaded:
                self._loaded.remove(name)
            else:
                self._load(name, target)
            self._loaded.append(name)
        return f"/models/{name}/invoke"

    def _load(self, name: str, target: str) -> None:
        """Fetch and load a model; where memory is full, those that were asked for longest ago give way to it."""
        folder = self._folder / name / "model"
        uri = f"{self._prefix.rstrip('/')}/{target.lstrip('/')}"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            archive.fetch_and_unpack(self._s3, uri, folder, role=self._role)
        except ContainerError as error:
            raise TargetModelError(
                f"Failed to download model data from {uri}. Please ensure that there is an object located at the URL "
                f"and that the role passed to CreateModel has permissions to download the model ({error})."
            ) from error
        body = json.dumps({"model_name": name, "url": self._seen(folder)}).encode()
        answer = self._send("POST", "/models", body)
        while answer[0] == HTTPStatus.INSUFFICIENT_STORAGE and self._loaded:
            self._unload(self._loaded.pop(0))
            answer = self._send("POST", "/models", body)
        if answer[0] not in (HTTPStatus.OK, HTTPStatus.CONFLICT):
            raise LoadError(answer)

    def _unload(self, name: str) -> None:
        self._send("DELETE", f"/models/{name}", b"")
        shutil.rmtree(self._folder / name, ignore_errors=True)
