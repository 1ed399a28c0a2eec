"""What CI files tell a shell, and the shell that does it, with programs of ours that note how they were called."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from signalbox_operate.new import ci

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PACKAGE = "signalbox @ https://packages.example.com/signalbox-0.1.0-py3-none-any.whl"
_SETTINGS = {
    "SIGNALBOX_PACKAGE": PACKAGE,
    "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/r",
    "AWS_REGION": "eu-west-1",
}
# What each service calls the commit and the branch, and how it gives the token.
_SAID = {
    "codebuild": ("CODEBUILD_RESOLVED_SOURCE_VERSION", "SIGNALBOX_BRANCH"),
    "github": ("GITHUB_SHA", "GITHUB_REF_NAME"),
    "gitlab": ("CI_COMMIT_SHA", "CI_COMMIT_BRANCH"),
    "bitbucket": ("BITBUCKET_COMMIT", "BITBUCKET_BRANCH"),
    "jenkins": ("GIT_COMMIT", "BRANCH_NAME"),
}
_TOKENS = {
    "github": {
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "bearer",
        "ACTIONS_ID_TOKEN_REQUEST_URL": "https://tokens.example?v=1",
    },
    "gitlab": {"SIGNALBOX_ID_TOKEN": "the-token"},
    "bitbucket": {"BITBUCKET_STEP_OIDC_TOKEN": "the-token"},
}
_BASH, _SH = ["bash", "--noprofile", "--norc", "-eo", "pipefail"], ["sh", "-e"]
# A first line takes no program in a folder with a blank in its name.
_STARTING = f"""#!/bin/sh
exec {shlex.quote(sys.executable)} "$0.py" "$@"
"""
_NOTING = """\
import json, os, pathlib, subprocess, sys
name, words = pathlib.Path(sys.argv[0]).name.removesuffix(".py"), sys.argv[1:]
if name == "python" and words[0] == "-c":
    sys.exit(subprocess.run([sys.executable, *words], check=False).returncode)
token = os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE")
call = {"program": name, "words": words, "token": pathlib.Path(token).read_text() if token else None}
call["path"] = os.environ.get("PYTHONPATH")
with open(os.environ["NOTED"], "a") as noted:
    print(json.dumps(call), file=noted)
if name == "curl":
    print(json.dumps({"value": "the-token"}))
if "venv" in words:
    place = pathlib.Path(words[-1]) / "bin"
    place.mkdir(parents=True, exist_ok=True)
    (place / "activate").touch()
sys.exit(3 if os.environ.get("FAILS", "-") in [name, *words] else 0)
"""
_GROOVY = re.compile(r"\bsh '''\n(.*?)'''", re.DOTALL)


@dataclass(frozen=True)
class Call:
    """A program that was called, and the token that AWS would have been asked with."""

    program: str
    words: list[str]
    token: str | None
    path: str | None


@dataclass(frozen=True)
class Ran:
    """What a run of a CI file did: its calls in their order, how it ended, what it said."""

    calls: list[Call]
    code: int
    said: str

    @property
    def own(self) -> list[list[str]]:
        """The calls that every service makes: the command line's, and the tests."""
        return [
            [one.program, *one.words]
            for one in self.calls
            if one.program == "signalbox" or one.words[:2] == ["-m", "pytest"]
        ]


def document(service: str) -> Any:
    """Return what a service reads in its YAML file; `on` is a word there."""
    return yaml.load(ci.text(service), Loader=yaml.BaseLoader)  # noqa: S506  # it makes nothing but texts


def shells(service: str) -> list[tuple[list[str], str]]:
    """Return the shells that a service starts one after the other, with their texts."""
    if service == "jenkins":
        return [(["sh", "-xe"], found) for found in _GROOVY.findall(ci.text(service))]
    read = document(service)
    if service == "github":
        (job,) = read["jobs"].values()
        return [(_BASH, step["run"]) for step in job["steps"] if "run" in step]
    if service == "gitlab":
        lines = read["signalbox"]["script"]
    elif service == "bitbucket":
        lines = read["pipelines"]["branches"]["main"][0]["step"]["script"]
    else:
        lines = [line for phase in read["phases"].values() for line in phase["commands"]]
    return [(_SH, "\n".join(lines))]


def said(service: str, branch: str) -> dict[str, str]:
    """Return the variables that a service sets for a push to a branch, with those that its settings have."""
    return {**_SETTINGS, **pushed(service, branch, COMMIT), **_TOKENS.get(service, {})}


def pushed(service: str, branch: str, commit: str) -> dict[str, str]:
    """Return the variables by which a service names what was pushed."""
    return dict(zip(_SAID[service], (commit, branch), strict=True))


def execute(
    service: str, folder: Path, variables: Mapping[str, str], last: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run a service's shells in a project's folder, as far as they go; return how they ended, and what they said.

    They have the `variables` and nothing else; `last` is what the last of them has besides.
    """
    started, told = shells(service), ""
    for number, (words, text) in enumerate(started, 1):
        environment = {**variables, **(last or {} if number == len(started) else {})}
        done = subprocess.run(
            [*words, "-c", text], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        told += done.stdout + done.stderr
        if done.returncode:
            return done.returncode, told
    return 0, told


def path_of(*programs: str) -> list[str]:
    """Return the folders that programs of this machine are in."""
    return sorted({str(Path(shutil.which(one) or "/bin/x").parent) for one in programs})


def run(service: str, folder: Path, variables: Mapping[str, str]) -> Ran:
    """Run a service's shells in a project's folder, with programs that note how they were called."""
    tools, source = folder.parent / "tools", folder.parent / "source"
    for place, names in (
        (tools, ("python", "python3.13", "pip", "curl", "signalbox")),
        (source / "bin", ("signalbox",)),
    ):
        place.mkdir(parents=True, exist_ok=True)
        for name in names:
            (place / name).write_text(_STARTING)
            (place / name).chmod(0o755)
            (place / f"{name}.py").write_text(_NOTING)
    if service == "codebuild":
        (tools / "signalbox").unlink()
    noted = folder.parent / "noted"
    noted.write_text("")
    known = {
        "PATH": os.pathsep.join([str(tools), *path_of("sh", "bash", "mktemp")]),
        "NOTED": str(noted),
        "TMPDIR": str(folder.parent),
        "CODEBUILD_SRC_DIR_signalbox": str(source),
    }
    code, told = execute(service, folder, {**known, **variables})
    return Ran([Call(**json.loads(line)) for line in noted.read_text().splitlines()], code, told)
