"""Where a machine that runs lifecycle scripts lies: a folder that stands for its volume, and what is new at each start.

In namespaces of its own a script finds everything where it is on AWS; anywhere else the paths are rewritten in it.
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

METADATA = "/opt/ml/metadata"
STATE = "/run/instance"
_PROGRAM = "/opt/instance"
_PACKAGE = Path(__file__).resolve().parents[1]
_USER = 1000
# PATH of lifecycle scripts (API reference, NotebookInstanceLifecycleHook), and where else this machine has programs.
_PATH = "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/bin"
_EXECUTABLE = 0o755


@dataclass(frozen=True)
class Layout:
    """How a kind of machine is laid out, and whose it is.

    Attributes:
        user: the name of the user 1000, whose the volume is.
        group: the number of the user's group.
        group_name: its name.
        home: the user's home.
        volume: where the volume is: the home, or a folder in it.
        as_root: scripts run as root, and not as the user.
    """

    user: str
    group: int
    group_name: str
    home: str
    volume: str
    as_root: bool


@dataclass(frozen=True)
class MachinePlace:
    """The folder of one machine. `boxed` says that its processes have namespaces of their own."""

    base: Path
    layout: Layout
    boxed: bool

    @property
    def volume(self) -> Path:
        """What stands for the volume."""
        return self.base / "volume"

    @property
    def state(self) -> Path:
        """What the agent and the cloud tell each other, with the scripts and their logs; new at each start."""
        return self.base / "state"

    @property
    def user(self) -> tuple[int, int] | None:
        """The user and group that scripts run as; None where that is who runs the machine."""
        return None if self.layout.as_root or not self.boxed or os.getuid() else (_USER, self.layout.group)

    @property
    def _root(self) -> Path:
        return self.base / "root"

    @property
    def _home(self) -> Path:
        """What is the home where paths are rewritten: it ends as the volume's path does."""
        return self.volume if self.layout.volume == self.layout.home else self.base / "home"

    def make(self) -> None:
        """Make the place of a new machine: nothing of an earlier one of its name is left."""
        self.remove()
        self.make_volume()

    def make_volume(self) -> None:
        """Make the volume as a new one is: the user's, with the file system's own folder in it."""
        (self.volume / "lost+found").mkdir(parents=True, exist_ok=True)
        if os.getuid() == 0:
            os.chown(self.volume, _USER, self.layout.group)

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
        elif self._home != self.volume:
            self._home.mkdir()
            (self._home / Path(self.layout.volume).name).symlink_to(self.volume)

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
        call += "from sagemaker_local.lifecycle.aws_cli import main; sys.exit(main())"
        for name, words in (("aws", [python, "-I", "-c", call]), ("python3", [python])):
            if not shutil.which(name, path=self._system):
                path = self._programs / name
                path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
                path.chmod(_EXECUTABLE)

    def _add_user(self) -> None:
        """Let the names of this machine's users and groups have the user's; without root it is another name of it."""
        root, layout = os.getuid() == 0, self.layout
        user, group = (_USER, layout.group) if root else (0, 0)
        own = self._root / "own"  # these lie over those of /etc
        own.mkdir(parents=True, exist_ok=True)
        line = f"{layout.user}:x:{user}:{group}:{layout.user}:{layout.home}:/bin/bash\n"
        for name, added in (("passwd", line), ("group", f"{layout.group_name}:x:{group}:\n")):
            there = Path("/etc", name)
            kept = there.read_text() if there.exists() else ""
            # The first line with an id gives it its name: root stays root.
            (own / name).write_text(added + kept if root else kept + added)

    @property
    def _system(self) -> str:
        return _PATH if self.boxed else os.environ.get("PATH", os.defpath)

    def environment(self) -> dict[str, str]:
        """Return the variables of every script: nothing of the cloud's own environment reaches it."""
        programs, layout = _PROGRAM if self.boxed else str(self._programs), self.layout
        home = "/root" if layout.as_root else layout.home
        return {
            "PATH": f"{programs}{os.pathsep}{self._system}",
            "HOME": home if self.boxed else str(self._home),
            "LANG": "C.UTF-8",
            "USER": "root" if layout.as_root else layout.user,
        }

    def add_script(self, name: str, content: bytes) -> str:
        """Keep a script under a name, to be executed; return where the agent finds it."""
        path = self.state / name
        path.write_bytes(content if self.boxed else self._rewritten(content))
        path.chmod(_EXECUTABLE)
        return self.seen(path)

    def _rewritten(self, content: bytes) -> bytes:
        """Return a script with the paths of a machine as they are here; it is bytes, of whatever encoding."""
        for inside, here in ((METADATA, self._metadata), (self.layout.home, self._home)):
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
            return {"command": command, "folder": self._home, "box": None, "log": log}
        shown = (
            *namespaces.interpreter(sys.executable),
            *namespaces.seen_at_their_places([_PACKAGE]),
            Shown(self.state, STATE, writable=True),
            Shown(self.volume, self.layout.volume, writable=True),
        )
        folder = Path("/" if self.layout.as_root else self.layout.home)
        return {"command": command, "folder": folder, "box": Box(self._root, shown), "log": log}


def _remove(folder: Path) -> None:
    """Remove a folder, whatever modes those in it have."""
    if not folder.exists():
        return
    for parent, names, _ in os.walk(folder):
        for path in (Path(parent, name) for name in names):
            if not path.is_symlink():
                path.chmod(stat.S_IRWXU)
    shutil.rmtree(folder)
