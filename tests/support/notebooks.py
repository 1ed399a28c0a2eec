"""Runs the worker of notebook instances as a lifecycle script does, on trees with every kind of file."""

import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from signalbox_operate.notebooks.worker_file import worker_file
from tests.support.notebook_cloud import ACCOUNT, REGION, State

ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:notebook-instance/nb"
MOMENT = 1_600_000_000_123_456_789
"""A time of nanoseconds that no clock of today gives."""

OWN = {"BACKUP_COMPLETE", "SYNC_COMPLETE", "recreate-environments.sh"}
"""What a worker leaves in the home folder that is no file of its owner's."""


@dataclass
class Instance:
    """A folder that stands for an instance: the volume is `home`; what is not on it is lost at a stop.

    `extra` is added to its environment.
    """

    folder: Path
    url: str
    state: State
    arn: str = ARN
    extra: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home = self.folder / "SageMaker"
        self.home.mkdir(parents=True)
        self.file = self.folder / "worker.pyz"
        self.file.write_bytes(worker_file())
        self.metadata = self.folder / "resource-metadata.json"
        self.metadata.write_text(json.dumps({"ResourceArn": self.arn, "ResourceName": "nb"}))
        self.work = self.folder / "work"

    def command(self, operation: str, *words: str, python: str = sys.executable) -> list[str]:
        """Return what a lifecycle script runs."""
        places = ["--metadata", str(self.metadata), "--home", str(self.home), "--work", str(self.work)]
        return [python, str(self.file), operation, *places, "--pause", "0.002", *words]

    def environment(self) -> dict[str, str]:
        """Return the environment of an instance, without a locale, as lifecycle scripts have none."""
        keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        return (
            keys
            | {"AWS_ENDPOINT_URL": self.url, "PATH": os.environ["PATH"], "TMPDIR": str(self.folder)}
            | dict(self.extra)
        )

    def start(self, operation: str, *words: str) -> "subprocess.Popen[str]":
        """Start the worker."""
        return subprocess.Popen(
            self.command(operation, *words),
            env=self.environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, operation: str, *words: str, python: str = sys.executable) -> "subprocess.CompletedProcess[str]":
        """Run the worker to its end."""
        command = self.command(operation, *words, python=python)
        return subprocess.run(command, env=self.environment(), text=True, capture_output=True, check=False)


def every_kind(home: Path, seed: int = 1) -> None:
    """Make a tree that has every kind of file that a snapshot keeps."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    for name in (
        "plain.txt",
        "new\nline \"quoted\" 'twice'",
        os.fsdecode(b"not utf-8 \xff\xfe"),
        "ümläut-☃",
        "-dash *?[a]",
    ):
        (home / name).write_bytes(chance.randbytes(chance.randrange(1, 3000)))
    deep = home / "a" / "b" / "c"
    deep.mkdir(parents=True)
    (home / "empty folder" / "inner").mkdir(parents=True)
    (home / "empty").touch()
    (home / "zeros").write_bytes(bytes(5000))
    (home / "twin").write_bytes((home / "plain.txt").read_bytes())
    (deep / "middle.bin").write_bytes(chance.randbytes(600_000))
    (deep / "large.bin").write_bytes(chance.randbytes(17 * 1024 * 1024 + 3))
    sparse = home / "sparse.img"
    with sparse.open("wb") as file:
        file.seek(40 * 1024 * 1024)
        file.write(b"in the middle")
        file.truncate(100 * 1024 * 1024 * 1024)
    (home / "script.sh").write_text("#!/bin/sh\n")
    (home / "script.sh").chmod(0o4755)
    (home / "secretive").write_text("mine")
    (home / "secretive").chmod(0o400)
    (home / "hard 2").hardlink_to(home / "plain.txt")
    (deep / "hard 3").hardlink_to(home / "plain.txt")
    for name, target in {
        "link": "plain.txt",
        "outside": "/etc/passwd",
        "circle": "circle",
        "up": "..",
        "gone": "no",
    }.items():
        (home / name).symlink_to(target)
    if hasattr(os, "setxattr"):
        os.setxattr(home / "twin", "user.note", b"\x00\xffbytes")
    (home / "a" / "b").chmod(0o750)
    for path in sorted(home.rglob("*"), reverse=True):
        os.utime(path, ns=(MOMENT + 5, MOMENT + chance.randrange(10**9)), follow_symlinks=False)


def many(home: Path, number: int, seed: int = 1) -> None:
    """Add so many small files in folders of a hundred, of several modes and of times of their own, and some links."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    for folder in range(number // 100):
        place = home / "projects" / f"{folder % 10}" / f"part {folder}"
        place.mkdir(parents=True)
        for at in range(99):
            file = place / f"file-{at:02d}.py"
            file.write_bytes(chance.randbytes(chance.randrange(2_000)))
            file.chmod(chance.choice((0o644, 0o600, 0o755)))
            os.utime(file, ns=(MOMENT, MOMENT + chance.randrange(10**15)))
        (place / "link").symlink_to("file-00.py")


def special(home: Path) -> None:
    """Add what no snapshot keeps: a socket and a named pipe."""
    os.mkfifo(home / "pipe")
    here = Path.cwd()
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(home)
        server.bind("socket")
        os.chdir(here)


def described(home: Path) -> Mapping[str, object]:
    """Return all that has to be equal of a tree: kinds, bytes, modes, owners, times, links, attributes."""
    paths = [path for path in home.rglob("*") if path.name not in OWN]
    names: dict[int, list[str]] = {}
    for path in paths:
        names.setdefault(path.lstat().st_ino, []).append(str(path.relative_to(home)))
    return {str(path.relative_to(home)): (_facts(path), sorted(names[path.lstat().st_ino])) for path in paths}


def _facts(path: Path) -> tuple[object, ...]:
    status = path.lstat()
    facts = (status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns)
    if path.is_symlink():
        return (*facts, path.readlink())
    attributes = {name: os.getxattr(path, name) for name in os.listxattr(path)} if hasattr(os, "listxattr") else {}
    if path.is_dir():
        return (*facts, attributes)
    return (*facts, attributes, status.st_size, _bytes(path, status.st_size))


def _bytes(path: Path, size: int) -> object:
    """Return a file's bytes; of a sparse one, where they are not zeros."""
    if size < 1 << 28:
        return path.read_bytes()
    found = []
    with path.open("rb") as file:
        start = os.lseek(file.fileno(), 0, os.SEEK_DATA)
        while start < size:
            end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            data = os.pread(file.fileno(), end - start, start)
            found.append((start + len(data) - len(data.lstrip(b"\0")), data.strip(b"\0")))
            try:
                start = os.lseek(file.fileno(), end, os.SEEK_DATA)
            except OSError:
                break
    return found
