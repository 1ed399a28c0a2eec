"""What a build leaves in S3: its files, packed or as they are (API reference, ProjectArtifacts)."""

import hashlib
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from sagemaker_local.codebuild.buildspec import Files
from sagemaker_local.codebuild.errors import client_error
from sagemaker_local.runtime.data import MOST_BYTES

_EXECUTABLE, _PLAIN = 0o100755, 0o100644
_MODE_BITS = 16
_OLDEST = (1980, 1, 1, 0, 0, 0)  # that a ZIP file can say


@dataclass(frozen=True)
class Artifacts:
    """An output of a build: how the project or StartBuild names it, and the build's id."""

    settings: Mapping[str, Any]
    build: str
    project: str

    def location(self, name: str = "") -> str:
        """Return where an output lies: bucket and key, or the prefix of unpacked files."""
        own = self.settings.get("name") or self.project
        named = name if name and self.settings.get("overrideArtifactName") else own
        parts = [self.settings.get("path", ""), self.build if self.settings.get("namespaceType") == "BUILD_ID" else ""]
        return "/".join(part.strip("/") for part in (self.settings["location"], *parts, named) if part.strip("/"))

    def upload(self, s3: Any, files: Files, base: Path, scratch: Path) -> dict[str, Any]:
        """Put the files; return what BatchGetBuilds shows of it.

        Raises:
            PhaseError: CLIENT_ERROR: there are none, or the role may not put them.
        """
        bucket, _, key = self.location(files.name).partition("/")
        shown: dict[str, Any] = {"location": f"arn:aws:s3:::{bucket}/{key}", **_shown(self.settings)}
        found = list(chosen(files, base))
        if not found:
            raise client_error("no matching artifact paths found")
        if sum(path.stat().st_size for path, _ in found) > MOST_BYTES:
            raise client_error("the artifacts have more than the 2 GB that are kept here")
        try:
            if self.settings.get("packaging") != "ZIP":
                for path, name in found:
                    s3.put_object(Bucket=bucket, Key=f"{key}/{name}", Body=path.read_bytes())
                return shown
            content = _packed(found, scratch / "artifacts.zip")
            s3.put_object(Bucket=bucket, Key=key, Body=content)
        except ClientError as error:
            problem = error.response["Error"]
            raise client_error(f"Error in uploading artifacts: {problem['Code']}: {problem['Message']}") from error
        sums = {"sha256sum": hashlib.sha256(content).hexdigest(), "md5sum": hashlib.md5(content).hexdigest()}  # noqa: S324
        return {**shown, **sums}


def _shown(settings: Mapping[str, Any]) -> dict[str, Any]:
    names = ("overrideArtifactName", "encryptionDisabled", "artifactIdentifier", "bucketOwnerAccess")
    return {name: settings[name] for name in names if name in settings}


def chosen(files: Files, source: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files of an output with their names in it; a link that leads out of the source is none of them."""
    root = source.resolve()
    base = Path(os.path.normpath(source / files.base))
    names: set[str] = set()
    for pattern in files.files:
        for path in sorted(_matching(base, pattern)):
            relative = path.relative_to(base).as_posix()
            name = path.name if files.discard_paths else relative
            inside = path.is_file() and path.resolve().is_relative_to(root)
            if inside and name not in names and not any(fnmatch(relative, one) for one in files.excluded):
                names.add(name)
                yield path, name


def _matching(base: Path, pattern: str) -> Iterator[Path]:
    if pattern.startswith("/") or ".." in Path(pattern).parts:
        raise client_error(f"artifact path {pattern} does not lie in the source")
    yield from base.glob(pattern)


def _packed(found: list[tuple[Path, str]], archive: Path) -> bytes:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path, name in found:
            entry = zipfile.ZipInfo(name, _OLDEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (_EXECUTABLE if os.access(path, os.X_OK) else _PLAIN) << _MODE_BITS
            packed.writestr(entry, path.read_bytes())
    content = archive.read_bytes()
    archive.unlink()
    return content
