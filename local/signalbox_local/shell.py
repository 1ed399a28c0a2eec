"""What a second terminal needs to work with the cloud that `make up` keeps running."""

import json
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sagemaker_local.direct import without_proxy
from sagemaker_local.process import answers
from signalbox_local.project import ROOT, clouds

FILE = "up.json"
_OWNER_ONLY = 0o600


class NoCloudError(Exception):
    """No cloud is up that a shell could work with."""

    def __init__(self) -> None:
        super().__init__("no local cloud is up: start one with make up, and wait until it says so")


@contextmanager
def told(environment: Mapping[str, str], file: Path) -> Iterator[None]:
    """Keep the variables of a running cloud in its folder, where `read` finds them, for as long as it runs."""
    file.touch(_OWNER_ONLY)  # the owner's secret is among them
    file.write_text(json.dumps(dict(environment)), encoding="utf-8")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def read() -> dict[str, str]:
    """Return the variables of the cloud that is up; of several, of the one that came up last.

    Raises:
        NoCloudError: there is none; one that was killed has left its file, but answers no more.
    """
    files = [folder / FILE for port, folder in clouds() if answers(port) and (folder / FILE).is_file()]
    if not files:
        raise NoCloudError
    newest = max(files, key=lambda file: file.stat().st_mtime_ns)
    found: dict[str, str] = json.loads(newest.read_text(encoding="utf-8"))
    return found


def commands(variables: Mapping[str, str], environment: Mapping[str, str]) -> str:
    """Return what a POSIX shell with this `environment` runs: variables, the project's programs first on its path.

    A profile is unset, because one that is not configured on this machine stops every AWS program.
    """
    given = {**variables, **without_proxy(environment)}
    lines = [f"export {name}={shlex.quote(value)}" for name, value in given.items()]
    programs = [shlex.quote(str(ROOT / folder)) for folder in (".venv/bin", "operate")]
    return "\n".join([*lines, f'export PATH={":".join(programs)}:"$PATH"', "unset AWS_PROFILE AWS_DEFAULT_PROFILE"])
