"""Build a container's image and push it to ECR, by plain Docker and with the flags that SageMaker needs."""

import base64
import hashlib
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from signalbox.aws.errors import code_of
from signalbox_operate.containers import docker
from signalbox_operate.stack import OperateError

_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*(?:/[a-z0-9]+(?:[._-][a-z0-9]+)*)*")  # ECR API reference
_TAG = re.compile(r"[\w][\w.-]{0,127}")
_LENGTH = 12
_UNSEEN = frozenset({".git", "__pycache__"})
# SageMaker takes neither the other platforms' images nor an index of manifests, which Docker makes of provenance
# (Developer Guide, "Adapting your own inference container"; docs.docker.com, "Build attestations").
_FLAGS = ("--platform", docker.PLATFORM, "--provenance=false")


@dataclass(frozen=True)
class Build:
    """What is built: a folder with a Dockerfile, the repository's name, and the tag."""

    folder: Path
    name: str
    tag: str

    @classmethod
    def of(cls, folder: Path, name: str | None, tag: str | None) -> "Build":
        """Return what a folder is built as: under its own name, and tagged by its commit, else by its content.

        Raises:
            OperateError: there is no Dockerfile, or name or tag are none.
        """
        if not (folder / "Dockerfile").is_file():
            raise OperateError(f"there is no Dockerfile in {folder}: name the folder that has it")
        named, tagged = name or folder.resolve().name, tag or commit(folder) or digest(folder)
        if not _NAME.fullmatch(named):
            raise OperateError(
                f"{named!r} is no name of a repository: give lower-case letters, digits and single . _ - by --name"
            )
        if not _TAG.fullmatch(tagged):
            raise OperateError(f"{tagged!r} is no tag: give up to 128 letters, digits and . _ - by --tag")
        return cls(folder, named, tagged)


def commit(folder: Path) -> str:
    """Return the commit that a folder is at; "" where it is in no repository of git, or has changes beside it."""
    git = shutil.which("git")
    if git is None:
        return ""
    head = _said([git, "-C", str(folder), "rev-parse", f"--short={_LENGTH}", "HEAD"])
    changed = _said([git, "-C", str(folder), "status", "--porcelain", "--", "."])
    return head if head and not changed else ""


def _said(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # git, by fixed words
    return done.stdout.strip() if done.returncode == 0 else ""


def digest(folder: Path) -> str:
    """Return a short digest of a folder's files and their rights to be executed."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not _UNSEEN & set(path.parts):
            found.update(f"\n{path.relative_to(folder)} {os.access(path, os.X_OK)}\n".encode() + path.read_bytes())
    return found.hexdigest()[:_LENGTH]


def at_home(build: Build, say: Callable[[str], None]) -> str:
    """Build an image for this machine's Docker alone, and return its name.

    Raises:
        OperateError: Docker is not there, or fails.
    """
    image = f"{build.name}:{build.tag}"
    _run(["build", *_FLAGS, "--tag", image, str(build.folder)], say)
    return image


def pushed(build: Build, ecr: Any, say: Callable[[str], None]) -> str:
    """Build an image, push it to ECR, and return its URI; its repository is made where it is not there.

    Raises:
        OperateError: Docker is not there, or fails.
    """
    docker.program()  # before anything is made on AWS
    repository = _repository(build.name, ecr, say)
    image = f"{repository}:{build.tag}"
    _run(["build", *_FLAGS, "--tag", image, str(build.folder)], say)
    user, password = _login(ecr)
    words = ["login", "--username", user, "--password-stdin", repository.partition("/")[0]]
    _run(words, say, given=password)
    _run(["push", image], say)
    return image


def _repository(name: str, ecr: Any, say: Callable[[str], None]) -> str:
    try:
        found = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
    except ClientError as error:
        if code_of(error) != "RepositoryNotFoundException":
            raise
        found = ecr.create_repository(
            repositoryName=name, imageScanningConfiguration={"scanOnPush": True}, imageTagMutability="IMMUTABLE"
        )["repository"]
        say(f"repository {name} is made in ECR: its tags cannot be moved, and its images are scanned")
    return str(found["repositoryUri"])


def _login(ecr: Any) -> tuple[str, str]:
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(token).decode().partition(":")
    return user, password


def _run(words: list[str], say: Callable[[str], None], given: str | None = None) -> None:
    """Run a command of Docker, which is said before and prints what it prints; `given` is its standard input."""
    say(f"$ docker {shlex.join(words)}")
    done = subprocess.run(  # noqa: S603  # the user's own Docker, by words that are no shell's
        [docker.program(), *words], input=given, text=True, check=False
    )
    if done.returncode:
        raise OperateError(f"docker {words[0]} failed with exit code {done.returncode}: what it printed says why")
