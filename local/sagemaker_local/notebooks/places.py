"""Where a notebook instance lies on this machine: a folder that stands for its volume, and what is new at each start.

Paths: Developer Guide, "Customization of a SageMaker notebook instance using an LCC script" and "Get Notebook Instance
Metadata". In namespaces of its own a script finds them where they are on AWS; anywhere else they are rewritten in it.
"""

import json
import os
import shlex
import shutil
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagemaker_local.runtime import namespaces
from sagemaker_local.runtime.namespaces import Box, Shown

HOME = "/home/ec2-user"
METADATA = "/opt/ml/metadata"
STATE = "/run/instance"
_PROGRAM = "/opt/instance"
_PACKAGE = Path(__file__).resolve().parents[1]
_REGION = "us-east-1"
_USER = 1000
# PATH of lifecycle scripts (API reference, NotebookInstanceLifecycleHook), and where else this machine has programs.
_PATH = "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/bin"
_EXECUTABLE = 0o755
_LEFT = "left.json"


def volume(folder: Path, name: str, region: str = _REGION) -> Path:
    """Return the folder that stands for `/home/ec2-user/SageMaker` of an instance, by the cloud's folder."""
    return _base(folder, name, region) / "volume"


def leave_behind(folder: Path, request: Mapping[str, Any], region: str = _REGION) -> Path:
    """Have an instance in a cloud that was made long ago and lies stopped, of whatever platform; return its volume.

    For tests: no request to the API makes one whose platform has ended. The cloud whose folder it is, running or not,
    finds it at its next request about notebook instances. Nothing of the request is checked.

    Args:
        folder: the cloud's.
        request: as CreateNotebookInstance takes it, with NotebookInstanceName, InstanceType and RoleArn.
        region: the region it is in.
    """
    made = volume(folder, request["NotebookInstanceName"], region)
    _make_volume(made)
    unfinished = made.parent / f"{_LEFT}.new"
    unfinished.write_text(json.dumps(dict(request)))
    unfinished.replace(made.parent / _LEFT)  # whole, or not there
    return made


def left_behind(folder: Path, region: str) -> list[dict[str, Any]]:
    """Return the requests of the instances that were left behind since the last call, and take them."""
    found = []
    for path in sorted((folder / "notebooks" / region).glob(f"*/{_LEFT}")):
        found.append(json.loads(path.read_text()))
        path.unlink()
    return found


def _base(folder: Path, name: str, region: str) -> Path:
    return folder / "notebooks" / region / name.lower()


def _make_volume(path: Path) -> None:
    """Make a volume as a new one is: ec2-user's, with the file system's own folder in it."""
    (path / "lost+found").mkdir(parents=True, exist_ok=True)
    if os.getuid() == 0:
        os.chown(path, _USER, _USER)


@dataclass(frozen=True)
class InstancePlace:
    """The folder of one instance. `boxed` says that its processes have namespaces of their own."""

    base: Path
    boxed: bool

    @classmethod
    def of(cls, folder: Path, name: str, region: str) -> "InstancePlace":
        """Return the place of an instance, by the cloud's folder."""
        return cls(_base(folder, name, region), namespaces.allowed())

    @property
    def volume(self) -> Path:
        """What is `/home/ec2-user/SageMaker`."""
        return self.base / "volume"

    @property
    def state(self) -> Path:
        """What the agent and the cloud tell each other, with the scripts and their logs; new at each start."""
        return self.base / "state"

    @property
    def _root(self) -> Path:
        return self.base / "root"

    def make(self) -> None:
        """Make the place of a new instance: nothing of an earlier one of its name is left."""
        self.remove()
        _make_volume(self.volume)

    def remove(self) -> None:
        """Remove all of it, whatever modes its folders have."""
        _remove(self.base)

    def furnish(self, metadata: Mapping[str, str]) -> None:
        """Make what is new at each start: programs, agent, home, and `metadata` as resource-metadata.json."""
        for stale in (self.state, self._root, self.base / "home"):
            _remove(stale)
        for folder in (self.state, self._programs, self._metadata):
            folder.mkdir(parents=True, exist_ok=True)
        (self._metadata / "resource-metadata.json").write_text(json.dumps(dict(metadata)))
        shutil.copy(Path(__file__).with_name("agent.py"), self.state / "agent.py")
        self._add_programs()
        if self.boxed:
            self._add_user()
        else:
            (self.base / "home").mkdir()
            (self.base / "home" / "SageMaker").symlink_to(self.volume)

    @property
    def _metadata(self) -> Path:
        return self._root / METADATA.removeprefix("/")

    @property
    def _programs(self) -> Path:
        return self._root / _PROGRAM.removeprefix("/")

    def _add_programs(self) -> None:
        """Have an `aws` and a `python3` where this machine has none that its scripts could find."""
        python = namespaces.inside(sys.executable) if self.boxed else sys.executable
        call = f"import sys; sys.path.insert(0, {str(_PACKAGE.parent)!r}); "
        call += "from sagemaker_local.notebooks.aws_cli import main; sys.exit(main())"
        for name, words in (("aws", [python, "-I", "-c", call]), ("python3", [python])):
            if not shutil.which(name, path=self._system):
                path = self._programs / name
                path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
                path.chmod(_EXECUTABLE)

    def _add_user(self) -> None:
        """Let the names of this machine's users and groups have `ec2-user`; without root it is another name of it."""
        number = _USER if os.getuid() == 0 else 0
        own = self._root / "own"  # these lie over those of /etc
        own.mkdir(parents=True, exist_ok=True)
        users = f"ec2-user:x:{number}:{number}:EC2 Default User:{HOME}:/bin/bash\n"
        for name, line in (("passwd", users), ("group", f"ec2-user:x:{number}:\n")):
            there = Path("/etc", name)
            kept = there.read_text() if there.exists() else ""
            # The first line with an id gives it its name: root stays root.
            (own / name).write_text(line + kept if number else kept + line)

    @property
    def _system(self) -> str:
        return _PATH if self.boxed else os.environ.get("PATH", os.defpath)

    def environment(self) -> dict[str, str]:
        """Return the variables of every script: nothing of the cloud's own environment reaches it."""
        programs = _PROGRAM if self.boxed else str(self._programs)
        return {
            "PATH": f"{programs}{os.pathsep}{self._system}",
            "HOME": "/root" if self.boxed else str(self.base / "home"),
            "LANG": "C.UTF-8",
            "USER": "root",
        }

    def add_script(self, name: str, content: bytes) -> str:
        """Keep a script under a name, to be executed; return where the agent finds it."""
        path = self.state / name
        path.write_bytes(content if self.boxed else self._rewritten(content))
        path.chmod(_EXECUTABLE)
        return self.seen(path)

    def _rewritten(self, content: bytes) -> bytes:
        """Return a script with the paths of an instance as they are here; it is bytes, of whatever encoding."""
        for inside, here in ((METADATA, self._metadata), (HOME, self.base / "home")):
            content = content.replace(inside.encode(), os.fsencode(here))
        return content

    def seen(self, path: Path) -> str:
        """Return where the agent finds a path of `state`."""
        return f"{STATE}/{path.relative_to(self.state)}" if self.boxed else str(path)

    def program(self) -> dict[str, Any]:
        """Return what a `Program` is started with, but its environment."""
        python = namespaces.inside(sys.executable) if self.boxed else sys.executable
        command = [python, "-I", "-S", self.seen(self.state / "agent.py"), self.seen(self.state)]
        log = self.base / "log"
        if not self.boxed:
            return {"command": command, "folder": self.base / "home", "box": None, "log": log}
        shown = (
            *namespaces.interpreter(sys.executable),
            *namespaces.seen_at_their_places([_PACKAGE]),
            Shown(self.state, STATE, writable=True),
            Shown(self.volume, f"{HOME}/SageMaker", writable=True),
        )
        return {"command": command, "folder": Path("/"), "box": Box(self._root, shown), "log": log}


def _remove(folder: Path) -> None:
    """Remove a folder, whatever modes those in it have."""
    if not folder.exists():
        return
    for parent, names, _ in os.walk(folder):
        for path in (Path(parent, name) for name in names):
            if not path.is_symlink():
                path.chmod(stat.S_IRWXU)
    shutil.rmtree(folder)
