"""The pictures of docs/own-data.md: what the tutorial's commands print, and the page of its trial."""

import html
import os
import subprocess
from pathlib import Path

from sagemaker_local.process import LocalCloud, Options
from signalbox_local.project import ROOT, program_environment
from tests.support.documents import commands, read

NAMES = ("own-data-new", "own-data-run")
WIDTH = 704
_TUTORIAL = "docs/own-data.md"
_TERMINAL = """<!doctype html><html lang="en"><meta charset="utf-8"><style>
:root { color-scheme: light dark; --ink: #1c2024; --back: #f9f9fb; }
@media (prefers-color-scheme: dark) { :root { --ink: #edeef0; --back: #18191b; } }
body { margin: 0; background: var(--back); color: var(--ink); }
pre { margin: 0; padding: 1.2rem; font: 13px/1.5 monospace; white-space: pre-wrap; }
</style><pre>%s</pre></html>"""


def pages(folder: Path) -> dict[str, str]:
    """Follow the tutorial up to its trial, on a cloud of its own; return what is to be seen of it, by picture."""
    with LocalCloud(Options(folder=folder / "cloud")) as cloud:
        environment = program_environment(cloud.environment)
        environment["PATH"] = f"{ROOT / 'operate'}{os.pathsep}{environment['PATH']}"
        printed = {command: follow(command, folder, environment) for command in tried()}
    (begun,) = (command for command in printed if command.startswith("signalbox new"))
    page = (folder / "wine" / "runs" / "train" / "index.html").read_text(encoding="utf-8")
    return dict(zip(NAMES, (_TERMINAL % html.escape(f"$ {begun}\n{printed[begun]}"), page), strict=True))


def tried() -> list[str]:
    """Return the tutorial's commands up to its trial."""
    listed = commands(read(_TUTORIAL))
    (trial,) = (place for place, command in enumerate(listed) if command.startswith("signalbox run"))
    return listed[: trial + 1]


def follow(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a command of the tutorial as its reader does; return what it prints."""
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout
