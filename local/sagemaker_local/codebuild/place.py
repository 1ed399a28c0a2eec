"""Where a build runs: its folder, which it finds as /codebuild, a Python of its own, and the programs on its path."""

import os
import shlex
import shutil
import sys
import sysconfig
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagemaker_local.codebuild.buildspec import PYTHON
from sagemaker_local.images.catalog import PACKAGE
from sagemaker_local.runtime import namespaces
from sagemaker_local.runtime.namespaces import Box, Shown
from sagemaker_local.runtime.workspace import CONTAINER_PATH

ROOT = "/codebuild"
_AGENT = Path(__file__).with_name("agent.py")
_EXECUTABLE = 0o755
_NO_DAEMON = (
    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running? "
    "(the project's privilegedMode is off)"
)
_PIP = "import sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n"


@dataclass(frozen=True)
class Place:
    """The folder of one build. `boxed` says that it has namespaces of its own, and finds the folder as /codebuild."""

    folder: Path
    number: str
    boxed: bool

    @property
    def base(self) -> Path:
        """What the build finds as /codebuild."""
        return self.folder / "codebuild"

    @property
    def state(self) -> Path:
        """What the agent and the cloud tell each other."""
        return self.base / "agent"

    @property
    def log(self) -> Path:
        """What the build prints."""
        return self.folder / "log"

    @property
    def python(self) -> str:
        """The cloud's Python as the build finds it: agent, credential helper and docker run with it."""
        return namespaces.inside(sys.executable) if self.boxed else sys.executable

    def source(self, identifier: str = "") -> Path:
        """Return the folder of the source, or of a secondary one."""
        return self.base / "output" / f"src{self.number}" / ("src" if not identifier else f"secondary/{identifier}")

    def seen(self, path: Path) -> str:
        """Return where the build finds a path of its folder."""
        return f"{ROOT}/{path.relative_to(self.base)}" if self.boxed else str(path)

    def furnish(self, docker: Mapping[str, str] | None) -> None:
        """Make the folders, the Python and the programs; `docker` has docker's variables, None where it is refused."""
        for folder in (self.source(), self.state, self.base / "bin", self.folder / "home", self.base / "tmp"):
            folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(_AGENT, self.state / "agent.py")
        self._environment()
        program = self._docker(docker) if docker is not None else f"echo {shlex.quote(_NO_DAEMON)} >&2\nexit 1\n"
        _write(self.base / "bin" / "docker", f"#!/bin/sh\n{program}")

    def _environment(self) -> None:
        """Make a virtual environment that sees what the cloud's own Python has, with the programs of that."""
        folder = self.base / "python"
        venv.EnvBuilder(symlinks=True).create(folder)
        purelib = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
        (purelib / "cloud.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
        own = f"#!{self.seen(folder / 'bin' / 'python')}\n"
        for script in Path(sys.executable).parent.iterdir():
            _copy(script, folder / "bin" / script.name, own)
        for name in ("pip", "pip3", f"pip{PYTHON}"):
            _write(folder / "bin" / name, f"{own}{_PIP}")

    def _docker(self, variables: Mapping[str, str]) -> str:
        path = f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r})"
        call = f"{path}; from sagemaker_local.docker.program import main; sys.exit(main())"
        given = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
        store = shlex.quote(self.seen(self.base / "docker"))
        return f'exec env {given} DOCKER_STORE={store} {shlex.quote(self.python)} -I -c {shlex.quote(call)} "$@"\n'

    def environment(self) -> dict[str, str]:
        """Return the variables of every build: nothing of the cloud's own environment reaches it."""
        system = CONTAINER_PATH if self.boxed else os.environ.get("PATH", os.defpath)
        own = [self.seen(self.base / "bin"), self.seen(self.base / "python" / "bin")]
        return {
            "PATH": os.pathsep.join([*own, system]),
            "HOME": "/root" if self.boxed else str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "VIRTUAL_ENV": self.seen(self.base / "python"),
            **({} if self.boxed else {"TMPDIR": str(self.base / "tmp")}),
        }

    def program(self) -> dict[str, Any]:
        """Return what a `Program` is started with, but its environment."""
        command = [self.python, "-I", "-S", self.seen(self.state / "agent.py"), self.seen(self.state)]
        if not self.boxed:
            return {"command": command, "folder": self.source(), "box": None, "log": self.log}
        shown = (
            *namespaces.interpreter(sys.executable),
            *namespaces.seen_at_their_places([PACKAGE]),
            Shown(self.base, ROOT, writable=True),
        )
        return {"command": command, "folder": Path("/"), "box": Box(self.folder / "root", shown), "log": self.log}


def _copy(script: Path, target: Path, first: str) -> None:
    """Copy a program of the cloud's Python with another first line; what is none, or is there already, stays."""
    if target.exists() or not script.is_file() or script.is_symlink():
        return
    content = script.read_bytes()
    line, _, rest = content.partition(b"\n")
    if line.startswith(b"#!") and b"python" in line:
        target.write_bytes(first.encode() + rest)
        target.chmod(_EXECUTABLE)


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(_EXECUTABLE)
