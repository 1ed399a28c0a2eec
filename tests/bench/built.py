"""The built functions, and processes that see of this machine only what Lambda would give them."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figures import BenchError
from tests.bench.usual import ENVIRONMENT
from tests.gates.artefacts import Build, BuildError, build
from tests.gates.template import Template, load

_SECONDS = 120
# Credentials of nobody: no call is made, but a client looks for some when it is made.
_LAMBDA = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
}


@dataclass(frozen=True)
class Function:
    """A built function: its name (`verb_noun`), its folder and the environment that the template gives it."""

    name: str
    code: Path
    environment: dict[str, str]


@dataclass(frozen=True)
class Stack:
    """A build of the repository in a folder of its own."""

    folder: Path
    build: Build
    functions: tuple[Function, ...]

    def run(self, function: Function | None, program: str, *more: Path) -> str:
        """Run a program in a fresh process with the function, the layer and the runtime's libraries in its path.

        Without a function, there are only the runtime's libraries. Return the last line of its standard error.

        Raises:
            BenchError: it failed.
        """
        own = [function.code, self.build.layer / "python"] if function else []
        path = [str(part) for part in (*own, self.build.runtime, *more)]
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-B", "-c", f"import sys; sys.path[:0] = {path!r}\n{program}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=_LAMBDA | (function.environment if function else {}),
            timeout=_SECONDS,
        )
        if done.returncode:
            raise BenchError(f"{function.name if function else 'the bare client'} does not run:\n{done.stderr}")
        return done.stderr.splitlines()[-1]  # before it, there may be warnings


def built(folder: Path) -> Stack:
    """Build the repository in `folder` as `sam build` does.

    Raises:
        BenchError: it cannot be built.
    """
    template = load()
    try:
        found = build(template, folder)
    except BuildError as error:
        raise BenchError(str(error)) from error
    names = sorted(found.functions)
    return Stack(folder, found, tuple(_function(template, name, found.functions[name]) for name in names))


def _function(template: Template, logical: str, code: Path) -> Function:
    properties = template.sam["Resources"][logical]["Properties"]
    variables = properties.get("Environment", {}).get("Variables", {})
    # Where a value does not matter it is 1, which is a text and a whole number.
    environment = {name: ENVIRONMENT.get(name, "1") for name in variables}
    return Function(Path(properties["CodeUri"]).name, code, environment)
