"""A build's sources, brought into its folder with the rights of its role: from S3, or from a repository of git."""

import contextlib
import os
import shutil
import stat
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from sagemaker_local.codebuild.errors import BuildEndedError, PhaseError, client_error
from sagemaker_local.codebuild.git import Remote, RemoteOf, elsewhere
from sagemaker_local.runtime import process

_OBJECT_BYTES_OF_MODE = 16


@dataclass(frozen=True)
class Fetching:
    """What sources are brought with: a client of S3 and the variables of the build's role, and the end of the build."""

    s3: Any
    role: Mapping[str, str]
    codecommit: RemoteOf
    scratch: Path
    stop: threading.Event
    seconds: float

    def fetch(self, source: Mapping[str, Any], version: str, folder: Path) -> str:
        """Bring a source into a folder; return the commit of a repository, and nothing of any other source.

        Raises:
            PhaseError: it is not there, may not be read, or is not what it should be.
            BuildEndedError: the build was stopped meanwhile.
        """
        folder.mkdir(parents=True, exist_ok=True)
        match source["type"]:
            case "NO_SOURCE":
                return ""
            case "S3":
                self._from_s3(source["location"], version, folder)
                return ""
            case "CODECOMMIT":
                remote = self.codecommit(source["location"], self.role)
            case _:
                remote = elsewhere(source["location"], self.role)
        return self._clone(remote, version, int(source.get("gitCloneDepth", 0)), folder)

    def _from_s3(self, location: str, version: str, folder: Path) -> None:
        bucket, _, key = location.removeprefix("arn:aws:s3:::").partition("/")
        try:
            if key.endswith("/"):
                self._folder(bucket, key, folder)
                return
            archive = self.scratch / "source.zip"
            extra = {"VersionId": version} if version else {}
            with archive.open("wb") as stream:
                shutil.copyfileobj(self.s3.get_object(Bucket=bucket, Key=key, **extra)["Body"], stream)
        except ClientError as error:
            raise client_error(f"{_told(error)} for primary source and source version {version or ''}") from error
        unzip(archive, folder)
        archive.unlink()

    def _folder(self, bucket: str, prefix: str, folder: Path) -> None:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        if not keys:
            raise client_error(f"NoSuchKey: there is nothing below s3://{bucket}/{prefix}")
        for key in keys:
            target = Path(os.path.normpath(folder / key.removeprefix(prefix)))
            if key.endswith("/") or not target.is_relative_to(folder):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def _clone(self, remote: Remote, version: str, depth: int, folder: Path) -> str:
        """Clone a repository at a commit, a branch or a tag; without one, at what its HEAD is."""
        whole = bool(version) or not depth
        self._git(remote, folder, "clone", *(() if whole else ("--depth", str(depth))), remote.url, ".")
        if version:
            name = version.removeprefix("refs/heads/").removeprefix("refs/tags/")
            self._git(remote, folder, "checkout", "--quiet", name, "--")
        return self._git(remote, folder, "rev-parse", "HEAD").strip()

    def _git(self, remote: Remote, folder: Path, *words: str) -> str:
        log = self.scratch / f"git-{words[0]}.log"
        log.unlink(missing_ok=True)
        settings = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.scratch),
            "LANG": "C.UTF-8",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ALLOW_PROTOCOL": "http:file",
        }
        try:
            done = process.run(
                ["git", *words],
                environment={**settings, **remote.environment},
                folder=folder,
                log=log,
                stop=self.stop,
                limit=max(self.seconds, 0.0),
                grace=1.0,
            )
        except process.ProgramStartError as error:
            raise client_error(f"git {words[0]}: {error}") from error
        if done.end is not process.End.EXITED:
            raise BuildEndedError("STOPPED" if done.end is process.End.STOPPED else "TIMED_OUT")
        if done.exit_code:
            raise client_error(f"git {words[0]} failed: {' '.join(done.tail(3).split())} for primary source")
        return log.read_text(errors="replace")


def unzip(archive: Path, folder: Path) -> None:
    """Unpack a ZIP file, with the rights to execute that it has.

    Raises:
        PhaseError: CLIENT_ERROR: it is none.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            for entry in packed.infolist():
                path = Path(packed.extract(entry, folder))
                mode = entry.external_attr >> _OBJECT_BYTES_OF_MODE
                if path.is_file() and mode & stat.S_IXUSR:
                    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    except (zipfile.BadZipFile, OSError, RuntimeError) as error:
        raise client_error(f"the source is not a ZIP file that can be unpacked: {error}") from error


def text_of(path: Path, base: Path) -> str | None:
    """Return the text of a file of a source; None where there is none, or a link leads out of the source."""
    with contextlib.suppress(OSError, UnicodeDecodeError, ValueError):
        if path.is_file() and path.resolve().is_relative_to(base.resolve()):
            return path.read_text(encoding="utf-8")
    return None


def from_s3(s3: Any, arn: str) -> str:
    """Return the text of an object that is named by its ARN.

    Raises:
        PhaseError: YAML_FILE_ERROR: it cannot be had.
    """
    bucket, _, key = arn.removeprefix("arn:aws:s3:::").partition("/")
    try:
        return str(s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode("utf-8", "replace"))
    except ClientError as error:
        raise PhaseError("YAML_FILE_ERROR", _told(error)) from error


def _told(error: ClientError) -> str:
    return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
