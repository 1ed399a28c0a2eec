"""Run a script that prints a pipeline's definition, where AWS cannot be reached."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import signalbox_operate
from signalbox_operate.stack import OperateError

SECONDS = 300
_SHOWN = 400  # characters of what a script said
_NOWHERE = "http://127.0.0.1:9"  # the discard port: nothing answers
# What boto3, and the SDK above it, say where they have no account, or reach nothing.
_ASKED = re.compile(
    r"NoCredentialsError|Unable to locate credentials|EndpointConnectionError|Could not connect to the endpoint URL|"
    r"ProfileNotFound|NoRegionError|current AWS identity is not a role|Connection refused.*amazonaws|"
    r"ConnectTimeoutError|ProxyConnectionError|PartialCredentialsError|SSOTokenLoadError|UnauthorizedSSOTokenError"
)


def run(script: Path, folder: Path, told: Mapping[str, str]) -> Any:
    """Return what a script prints, read as JSON; it runs in the project's folder.

    Raises:
        OperateError: it fails, asks for AWS, takes too long, or prints no JSON.
    """
    name = script.relative_to(folder).as_posix()
    try:
        done = subprocess.run(  # noqa: S603  # the project's own script, which its owner asks to have run
            [sys.executable, str(script.resolve())],
            cwd=folder,
            env=_environment(told),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise OperateError(
            f"{name} took longer than {SECONDS} s and was ended: a definition is printed at once"
        ) from error
    if done.returncode:
        raise OperateError(_failed(name, done))
    return _printed(name, done.stdout)


def _environment(told: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a script: those of this process, without an account, and with an AWS that refuses."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SIGNALBOX_STACK"))}
    ours = str(Path(signalbox_operate.__file__).parents[1])
    return kept | {
        "PYTHONPATH": os.pathsep.join(filter(None, (ours, kept.get("PYTHONPATH")))),
        "PYTHONUTF8": "1",
        "AWS_REGION": told["SIGNALBOX_REGION"],
        "AWS_DEFAULT_REGION": told["SIGNALBOX_REGION"],
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": _NOWHERE,
        "AWS_MAX_ATTEMPTS": "1",
        **told,
    }


def _failed(name: str, done: subprocess.CompletedProcess[str]) -> str:
    said = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    last = said[-1][:_SHOWN] if said else "it said nothing"
    if _ASKED.search(done.stderr):
        return (
            f"{name} asks AWS while it makes the definition ({last}): a definition is made where no account is, so "
            "that it can be checked before anything is written. Take role, buckets and region from the variables "
            "SIGNALBOX_JOB_ROLE, SIGNALBOX_OUTPUT, SIGNALBOX_CODE and SIGNALBOX_REGION"
        )
    return f"{name} ended with exit code {done.returncode}: {last}"


def _printed(name: str, text: str) -> Any:
    """Return the JSON at the end of what was printed; libraries may have said something before."""
    starts = [0, *(found.end() for found in re.finditer(r"\n(?=\s*\{)", text))]
    for start in starts:
        try:
            return json.loads(text[start:])
        except ValueError:
            continue
    shown = f"it printed {text.strip()[:_SHOWN]!r}" if text.strip() else "it printed nothing"
    raise OperateError(f"{name} prints no JSON ({shown}): its output has to be the definition, and nothing behind it")
