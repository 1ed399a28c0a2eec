"""A credential helper for git: signs with the AWS credentials of the environment, for repositories on this machine.

    git -c credential.helper= -c credential.helper='!python -m sagemaker_local.codecommit.credentials' \
        -c credential.useHttpPath=true clone http://127.0.0.1:4566/v1/repos/example

git asks `get` (gitcredentials, "Custom helpers"): what it knows on standard input, a line each, and the same of the
answer. A signature is not kept: `store` and `erase` do nothing.
"""

import os
import shlex
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sagemaker_local.codecommit.signature import password

_PACKAGES = Path(__file__).resolve().parents[2]
_HERE = ("127.0.0.1", "localhost")


def git_variables(python: str = sys.executable, *, here: str = "", region: str = "us-east-1") -> dict[str, str]:
    """Return the variables by which git asks this helper, and nobody else, whatever a person's settings are.

    With `here`, the cloud's own address, a repository's address on AWS leads to it.
    """
    # Found from whatever folder and environment git is started in.
    path = f"PYTHONPATH={shlex.quote(str(_PACKAGES))}${{PYTHONPATH:+:$PYTHONPATH}}"
    helper = f"!{path} {shlex.quote(python)} -m sagemaker_local.codecommit.credentials"
    options = [("credential.helper", ""), ("credential.helper", helper), ("credential.useHttpPath", "true")]
    if here:
        options.append((f"url.{here}/.insteadOf", f"https://git-codecommit.{region}.amazonaws.com/"))
    pairs = {f"GIT_CONFIG_{part}_{at}": text for at, pair in enumerate(options) for part, text in _named(pair)}
    return {"GIT_CONFIG_COUNT": str(len(options)), "GIT_TERMINAL_PROMPT": "0", **pairs}


def _named(pair: tuple[str, str]) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("KEY", pair[0]), ("VALUE", pair[1])


def answer(asked: Mapping[str, str]) -> dict[str, str]:
    """Return user and password for what git asks about; nothing for another machine, or without credentials."""
    host = urlsplit(f"//{asked.get('host', '')}").hostname or ""
    if host not in _HERE:
        return {}
    key, secret, token, region = _keys()
    if not (key and secret and region):
        return {}
    path = f"/{asked.get('path', '')}"
    signed = password(secret, region, host, path, datetime.now(UTC))
    return {"username": f"{key}%{token}" if token else key, "password": signed}


def _keys() -> tuple[str, str, str, str]:
    """Return access key, secret, session token and region, as AWS's programs find them; empty what there is not."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    key, secret, token = (os.environ.get(name, "") for name in names)
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION", "")
    if key and secret and region:
        return key, secret, token, region
    import botocore.session  # noqa: PLC0415  # takes longer than all else, for profiles and roles only

    session = botocore.session.get_session()
    region = region or session.get_config_variable("region") or ""
    keys: Any = session.get_credentials()
    if keys is None:
        return "", "", "", region
    found = keys.get_frozen_credentials()
    return found.access_key, found.secret_key, found.token or "", region


def main(action: str) -> None:
    """Answer git on standard output."""
    asked = dict(line.rstrip("\n").partition("=")[::2] for line in sys.stdin if "=" in line)
    if action == "get":
        sys.stdout.writelines(f"{name}={value}\n" for name, value in answer(asked).items())


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "get")
