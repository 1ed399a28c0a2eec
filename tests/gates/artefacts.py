"""What `sam build` makes, looked at as Lambda will see it."""

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.gates.template import ROOT, Problem, Template

LIMIT = 100_000  # bytes zipped, of one function's own code
# What Lambda's Python runtime has (AWS Lambda Developer Guide, "Runtime-included SDK versions").
RUNTIME_HAS = ("boto3", "botocore", "s3transfer", "urllib3", "dateutil", "six.py", "jmespath")
_PARTS = ("template.yaml", "samconfig.toml", "functions", "layers", "statemachine")
_HASHED_UNCHECKED = 1  # the flags of a .pyc (PEP 552)


@dataclass(frozen=True)
class Build:
    """The folders of a build, and one that stands for the runtime's own libraries."""

    functions: dict[str, Path]
    layer: Path
    runtime: Path


class BuildError(Exception):
    """`sam build` failed."""

    def __init__(self, said: str) -> None:
        super().__init__(f"sam build failed:\n{said}")


def build(template: Template, folder: Path) -> Build:
    """Build a copy of the repository in `folder`, with the interpreter that runs this.

    Without network, set PIP_NO_INDEX=1 and PIP_FIND_LINKS, as `layers/signalbox/Makefile` says.

    Raises:
        BuildError: with what SAM said.
    """
    for part in _PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    tools = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "SAM_CLI_TELEMETRY": "0"}
    run = subprocess.run(
        [tools / "sam", "build"], capture_output=True, text=True, check=False, cwd=folder, env=environment, timeout=300
    )
    if run.returncode:
        raise BuildError(run.stderr)
    built = folder / ".aws-sam/build"
    names = [name for name, entry in template.sam["Resources"].items() if entry["Type"] == "AWS::Serverless::Function"]
    return Build({name: built / name for name in names}, built / "SignalboxLayer", _runtime(folder / "runtime"))


def _runtime(folder: Path) -> Path:
    folder.mkdir()
    for name in RUNTIME_HAS:
        found = importlib.util.find_spec(name.removesuffix(".py"))
        if found is None or found.origin is None:
            raise BuildError(f"{name} is not installed here")
        origin = Path(found.origin)
        (folder / name).symlink_to(origin if name.endswith(".py") else origin.parent)
    return folder


def import_error(code: Path, layer: Path, runtime: Path) -> str | None:
    """Return why the function cannot be imported as in Lambda, or None. Nothing else of this machine is in its path."""
    run = _started(code, layer, runtime, "app.handler")
    return None if run.returncode == 0 else (run.stderr.strip().splitlines() or ["no reason given"])[-1]


def loaded(code: Path, layer: Path, runtime: Path) -> frozenset[str]:
    """Return the package's modules that the function loads when it is imported, without the package's name."""
    said = _started(code, layer, runtime, "print(*sys.modules)").stdout.split()
    return frozenset(name.removeprefix("signalbox.") for name in said if name.startswith("signalbox."))


def _started(code: Path, layer: Path, runtime: Path, then: str) -> subprocess.CompletedProcess[str]:
    program = f"import sys; sys.path[:0] = {[str(code), str(layer / 'python'), str(runtime)]!r}; import app; {then}"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={},
        timeout=60,
    )


def zipped_size(folder: Path, archive: Path) -> int:
    """Return the size in bytes of the folder, zipped as SAM does it."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, path.relative_to(folder))
    return archive.stat().st_size


def check_layer(layer: Path) -> Iterator[Problem]:
    """Yield what the layer should not have, and modules that every cold start would compile."""
    python = layer / "python"
    for name in RUNTIME_HAS[:2]:
        if (python / name).exists():
            yield Problem(name, "is in the layer, where it hides the runtime's own")
    for source in sorted(python.rglob("*.py")):
        what = _compiled_wrongly(source)
        if what:
            yield Problem(str(source.relative_to(python)), what)
    for library in sorted(python.rglob("*.so")):
        if "aarch64" not in library.name:
            yield Problem(str(library.relative_to(python)), "is not for arm64")


def _compiled_wrongly(source: Path) -> str | None:
    compiled = Path(importlib.util.cache_from_source(str(source)))
    if not compiled.is_file():
        return "has no .pyc"
    header = compiled.read_bytes()[:16]
    if int.from_bytes(header[4:8], "little") != _HASHED_UNCHECKED:
        return "has a .pyc that unzipping makes invalid: it is not by hash, unchecked"
    if header[8:] != importlib.util.source_hash(source.read_bytes()):
        return "has a .pyc of another source"
    return None
