"""Which programs stand for which container image, by the repository in the image's URI."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

XGBOOST = "sagemaker-xgboost"
SCIKIT_LEARN = "sagemaker-scikit-learn"
PACKAGE = Path(__file__).resolve().parents[1]
PROGRAM = "/opt/program"
"""Where an own image's folder lies in its container, which is what AWS's examples write into their Dockerfiles."""
_URI = re.compile(
    r"(?:(?P<registry>[^/]+\.[^/]+)/)?(?P<repository>[a-z0-9]+(?:[._/-][a-z0-9]+)*)"
    r"(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>sha256:[0-9a-f]+))?"
)
_REGISTRY = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/")
_LINE = 256  # what the kernel reads of a first line
_PYTHON = re.compile(r"python(3(\.\d+)?)?")
_METRICS = ("rmse", "mae", "mape", "logloss", "error", "auc", "aucpr", "merror", "mlogloss", "map", "ndcg")


class UnknownImageError(Exception):
    """No program stands for this image."""

    def __init__(self, image_uri: str, repository: str, known: Sequence[str]) -> None:
        super().__init__(
            f"image {image_uri!r}: there is no repository {repository!r} here: use one of {', '.join(known)}, "
            "or add a folder of that name, with the programs train and serve, to the containers folder"
        )


class UnfitProgramError(Exception):
    """A program of an image is not there, or is nothing that can be executed."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)


class ChangedImageError(UnknownImageError):
    """An image is named by a digest, and what lies under its name has another one."""

    def __init__(self, image_uri: str, digest: str) -> None:
        Exception.__init__(
            self, f"image {image_uri!r}: there is no image of this digest here; the content under its name is {digest}"
        )


class ForeignImageError(UnknownImageError):
    """An image does not lie in ECR of the region where it is to run."""

    def __init__(self, image_uri: str, region: str) -> None:
        place = f"<account>.dkr.ecr.{region}.amazonaws.com/<repository>:<tag>"
        Exception.__init__(self, f"image {image_uri!r} does not lie in ECR of this region: it has to be {place}")


@dataclass(frozen=True)
class Image:
    """The programs of one image.

    Attributes:
        name: the repository's name.
        folder: where `train` and `serve` lie, for an image that the project brings itself.
        python: what `python3` is in the image.
        brings_python: its folder has a `bin/python3`, which is it then.
        seen: where a program sees that folder, if not where it lies.
    """

    name: str
    folder: Path | None = None
    python: str = sys.executable
    brings_python: bool = False
    seen: str = ""

    @property
    def home(self) -> str:
        """Where a program sees the folder."""
        return self.seen or str(self.folder)

    @property
    def place(self) -> str:
        """Where the folder lies in a container."""
        return PROGRAM

    @property
    def workdir(self) -> str:
        """Where the image's programs are started in a container."""
        return "/" if self.folder is None else PROGRAM

    @property
    def requirements(self) -> Path | None:
        """The requirements file of an own image, if it has one."""
        path = (self.folder or Path()) / "requirements.txt"
        return path if self.folder is not None and path.is_file() else None

    @property
    def entrypoint(self) -> list[str]:
        """What the image runs where nothing else is named: nothing is known of the images of folders."""
        return []

    def path(self) -> list[str]:
        """Return the folders of the image's own programs, as a program sees them."""
        return [] if self.folder is None else [self.home]

    @property
    def interpreter(self) -> str:
        """What `python3` is for a program."""
        return f"{self.home}/bin/python3" if self.brings_python else self.python

    @property
    def digest(self) -> str:
        """Return what identifies the content: of an own image, all its files; of a built-in one, its name."""
        found = hashlib.sha256(self.name.encode())
        for path in sorted(self.folder.rglob("*")) if self.folder else ():
            if path.is_file() and "__pycache__" not in path.parts:
                found.update(f"\n{path.relative_to(self.folder or path)}\n".encode() + path.read_bytes())
        return f"sha256:{found.hexdigest()}"

    def train_command(self, hyperparameters: Mapping[str, str]) -> list[str]:
        """Return what `docker run <image> train` runs; a script if the hyperparameters name one.

        Raises:
            UnfitProgramError: the image has no such program, or it cannot be executed.
        """
        if self.folder is not None:
            return self._own("train")
        if self.name == XGBOOST and "sagemaker_program" not in hyperparameters:
            return self._module("xgboost_train")
        return self._module("script_train", self.name)

    def serve_command(self, environment: Mapping[str, str]) -> list[str]:
        """Return what `docker run <image> serve` runs; a script if the environment names one.

        Raises:
            UnfitProgramError: the image has no such program, or it cannot be executed.
        """
        if self.folder is not None:
            return self._own("serve")
        # The SageMaker SDK writes the variable without a value for a model without a script.
        if self.name == XGBOOST and not environment.get("SAGEMAKER_PROGRAM"):
            return self._module("xgboost_serve")
        return self._module("script_serve", self.name)

    def command(self, entrypoint: Sequence[str], arguments: Sequence[str] = ()) -> list[str]:
        """Return ContainerEntrypoint and ContainerArguments with the image's own Python in them."""
        first, *rest = entrypoint
        # `python3` and `/usr/bin/python3` alike: the image has one Python.
        program = self.interpreter if _PYTHON.fullmatch(Path(first).name) else first
        return [program, *rest, *arguments]

    def code_uri(self, settings: Mapping[str, str]) -> str | None:
        """Return the S3 URI of the user's code that hyperparameters or a model's environment name, if they do."""
        if self.folder is not None:
            return None
        named = settings.get("sagemaker_submit_directory") or settings.get("SAGEMAKER_SUBMIT_DIRECTORY") or ""
        uri = str(decode(named))
        return uri if uri.startswith("s3://") else None

    def variables(self) -> dict[str, str]:
        """Return the variables that the image sets, and any request may set otherwise."""
        return {}

    def environment(self) -> dict[str, str]:
        """Return what the image's own programs need in their environment."""
        if self.folder is None:
            return {"PYTHONPATH": str(PACKAGE.parent)}
        return {}

    def metric_definitions(self, hyperparameters: Mapping[str, str]) -> list[dict[str, str]]:
        """Return the metrics that the image reports without being asked: those of XGBoost's own training."""
        if self.name != XGBOOST or "sagemaker_program" in hyperparameters:
            return []
        return [
            {
                "Name": f"{data}:{metric}",
                "Regex": rf".*\[[0-9]+\].*#011{data}-{metric}:([-+]?[0-9.]+(?:e[-+]?[0-9]+)?).*",
            }
            for data in ("train", "validation")
            for metric in _METRICS
        ]

    def _module(self, module: str, *arguments: str) -> list[str]:
        return [self.python, "-m", f"sagemaker_local.images.{module}", *arguments]

    def _own(self, program: str) -> list[str]:
        path = (self.folder or Path()) / program
        named = f"program {program!r} of image {self.name!r}"
        if not path.is_file():
            raise UnfitProgramError(f"image {self.name!r} has no program {program!r}: add {path.name} to its folder")
        return self._checked(path, f"{self.home}/{program}", named)

    def _checked(self, path: Path, inside: str, named: str) -> list[str]:
        """Return what runs a program of the image, which has to be one that can be executed."""
        if not os.access(path, os.X_OK):
            raise UnfitProgramError(f"{named} is not executable (permission denied): run chmod +x {path}")
        with path.open("rb") as stream:
            first = stream.readline(_LINE).rstrip(b"\n").decode(errors="replace")
        if first.startswith("#!") and first.endswith("\r"):
            raise UnfitProgramError(
                f"the first line of {named} ends with a carriage return: save it with Unix line ends"
            )
        return [*self._interpreter(first), inside]

    def _interpreter(self, first: str) -> list[str]:
        """Return what runs a file by its first line, where that is a Python by its path: the image has one Python."""
        interpreter, *arguments = first.removeprefix("#!").split() if first.startswith("#!") else [""]
        return [self.interpreter, *arguments] if _PYTHON.fullmatch(Path(interpreter).name) else []


def decode(text: str) -> object:
    """Return the value of a hyperparameter that may be JSON-encoded, as the SDK sends them."""
    try:
        return json.loads(text)
    except ValueError:
        return text


type Registry = Callable[[str, str, str, str], Image | None]
"""From account, region, repository, and tag or digest to the image; None where ECR has no such repository."""
_registries: list[Registry] = []


def ask_first(registry: Registry) -> None:
    """Let a registry be asked before folders are looked for; it raises UnknownImageError of an image that it lacks."""
    _registries[:] = [registry]


def _of_registry(image_uri: str) -> Image | None:
    place, match = _REGISTRY.match(image_uri), _URI.fullmatch(image_uri)
    if place is None or match is None:
        return None
    reference = match["digest"] or match["tag"] or "latest"
    named = (place["account"], place["region"], match["repository"], reference)
    return next((image for registry in _registries if (image := registry(*named))), None)


def find(image_uri: str, containers: Path) -> Image:
    """Return the image that a URI names: one that was pushed to a repository of ECR, a built-in one, or a folder.

    Raises:
        UnknownImageError: the repository lacks it; or there is none, and neither a built-in image nor a folder of
            `containers` has the repository's name.
    """
    registered = _of_registry(image_uri)
    if registered is not None:
        return registered
    match = _URI.fullmatch(image_uri)
    repository = match["repository"] if match else image_uri
    name = repository.rsplit("/", 1)[-1]
    if match and name in (XGBOOST, SCIKIT_LEARN):
        return Image(name)
    own = _own_images(containers)
    if match and name in own:
        return Image(name, folder=own[name])
    raise UnknownImageError(image_uri, repository, [XGBOOST, SCIKIT_LEARN, *sorted(own)])


def pull(image_uri: str, containers: Path, region: str = "") -> Image:
    """Return the image that a URI names, as a registry gives it out: by tag, or by the digest of its content.

    With a region, the URI has to be one of ECR there (API reference, ContainerDefinition: "in the same region").

    Raises:
        UnknownImageError: there is no such image, or it has another digest, or lies elsewhere.
    """
    registry = _REGISTRY.match(image_uri)
    if region and (registry is None or registry["region"] != region):
        raise ForeignImageError(image_uri, region)
    image = find(image_uri, containers)
    _, _, digest = image_uri.partition("@")
    if digest and digest != image.digest:
        raise ChangedImageError(image_uri, image.digest)
    return image


def _own_images(containers: Path) -> dict[str, Path]:
    """Return the image folders in `containers` itself and in the project folders in it, by name."""
    programs = (
        path for depth in ("*", "*/*") for name in ("train", "serve") for path in containers.glob(f"{depth}/{name}")
    )
    return {path.parent.name: path.parent for path in programs if path.is_file()}
