"""A reader who follows the README word by word: each command is known here, or it is refused."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from sagemaker_local import inbox
from signalbox_local.browser import Browser
from signalbox_local.deploy import BUCKET, WHEELS
from tests.support.documents import ROOT
from tests.support.processes import MARK

_UP_SECONDS = 180.0
_MAIL_SECONDS = 120.0
_COMMAND_SECONDS = 300
_DEAD_PROXY = "http://127.0.0.1:9"  # the port of "discard", where nothing listens
_PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
# What a clone does not have, and what is made once for all clones by `make`.
_NOT_CLONED = (
    ".git",
    ".venv",
    ".cache",
    ".aws-sam",
    ".signalbox",
    "node_modules",
    "__pycache__",
    ".*_cache",
    ".hypothesis",
)
_INSTALLED = (".venv", ".cache")
_LONG_AGO = 1_577_836_800  # 2020: a zip file knows no time before 1980


def _copied(source: str, target: str) -> None:
    """Copy a file, and make it older than what was installed for it."""
    shutil.copy(source, target)
    os.utime(target, (_LONG_AGO, _LONG_AGO))


def clone(folder: Path) -> Path:
    """Make a clone in a folder whose name has a space and brackets, with what `make` has installed; return its root."""
    root = folder / "my [first] clone"
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(*_NOT_CLONED), copy_function=_copied)
    for name in _INSTALLED:
        (root / name).symlink_to(ROOT / name)
    return root


class UnknownCommandError(Exception):
    """The README has a command that nobody runs."""

    def __init__(self, command: str) -> None:
        super().__init__(f"no test runs {command!r}: teach tests/support/reader.py how, or take it out of the README")


def clean_environment(mark: str) -> dict[str, str]:
    """Return the environment of somebody who has just cloned the project: nothing of make, Python or AWS in it.

    Its proxies answer nobody: once everything is installed, nothing needs one, and this machine is reached past them.
    """
    strange = re.compile(r"MAKE|MFLAGS|PYTHON|AWS_|SIGNALBOX|NO_PROXY|no_proxy")
    own = {name: value for name, value in os.environ.items() if not strange.match(name)}
    return {**own, **dict.fromkeys(_PROXIES, _DEAD_PROXY), MARK: mark}


@dataclass
class Reader:
    """Somebody with the clone, a terminal for `make up`, another one, and a folder with files of their own."""

    root: Path
    folder: Path
    mark: str
    environment: dict[str, str] = field(default_factory=dict)
    printed: list[tuple[str, str]] = field(default_factory=list)
    _up: "subprocess.Popen[bytes] | None" = None
    _read: int = 0

    def follow(self, command: str) -> None:
        """Do what a command of the README says.

        Raises:
            UnknownCommandError: it is none that is known here.
        """
        how_to_follow(command)(self, command)

    # --- what each kind of command means ---
    def leave_to_its_own_test(self, command: str) -> None:
        """Pass over a command that has a test of its own, or that runs this test."""
        self.printed.append((command, ""))

    def keep_a_cloud_up(self, command: str) -> None:
        """Start the cloud on a free port, and wait until it says that it is up."""
        log = self.folder / "up.log"
        with log.open("wb") as output:
            self._up = subprocess.Popen(
                [*command.split(), "UP=--port 0"],
                cwd=self.root,
                env=clean_environment(self.mark),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait("make up to be up", lambda: "Ctrl-C takes" in log.read_text() or self._up_ended(), _UP_SECONDS)
        assert not self._up_ended(), log.read_text()
        self.environment = clean_environment(self.mark)

    def set_variables(self, command: str) -> None:
        """Change the environment, as a shell in the clone would: what it is afterwards, all later commands get."""
        words = ["bash", "-c", f"{command} && env -0"]
        done = subprocess.run(words, cwd=self.root, env=self.environment, capture_output=True, text=True, check=True)
        self.environment = dict(line.split("=", 1) for line in done.stdout.split("\0") if line)
        self.printed.append((command, ""))

    def build(self, command: str) -> None:
        """Build in the clone; the layer from the wheels that were fetched, so that no network is needed."""
        offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": WHEELS.as_uri()} if WHEELS.is_dir() else {}
        self._run(command, self.root, **offline)

    def deploy(self, command: str) -> None:
        """Deploy in the clone; what the guide would ask is given: the answers that the running stack was given."""
        stack = self._client("cloudformation").describe_stacks(StackName="signalbox")["Stacks"][0]
        given = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
        answers = " ".join(f"{name}={value}" for name, value in given.items() if value)
        options = f"--config-env local --s3-bucket {BUCKET} --parameter-overrides {answers}"
        self._run(f"{command.removesuffix(' --guided')} {options}", self.root)

    def upload(self, command: str) -> None:
        """Upload a file of the clone, and approve twice what comes of it."""
        self._run(command, self.root)
        self._approve_twice()

    def train(self, command: str) -> None:
        """Train an image whose data were put before, and approve twice what comes of it."""
        self._run(command, self.root)
        self._approve_twice()

    def run(self, command: str) -> None:
        """Run a command as it stands."""
        self._run(command, self.root)

    # --- at the end ---
    def answer(self, command: str) -> str:
        """Return what a command printed."""
        return next(text for known, text in self.printed if known.startswith(command))

    def press_ctrl_c(self) -> str:
        """End `make up` as a terminal does, by SIGINT to all that runs in it; return what it printed."""
        if self._up is None:
            return ""
        if self._up.poll() is None:
            os.killpg(self._up.pid, signal.SIGINT)
            self._up.wait(60)
        return (self.folder / "up.log").read_text()

    def _up_ended(self) -> bool:
        return self._up is None or self._up.poll() is not None

    def _run(self, command: str, folder: Path, **more: str) -> None:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env={**self.environment, "SAM_CLI_TELEMETRY": "0", **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_COMMAND_SECONDS,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        self.printed.append((command, done.stdout))

    def _approve_twice(self) -> None:
        """Approve the model, then its release to prod; wait for the mail that announces it."""
        for asked in ("Approve ", "Release "):
            mail = self._next_mail()
            assert inbox.subject(mail).startswith(asked), inbox.text(mail)
            page = Browser().decide(mail, "approve")
            assert page.is_success, page.text
        announced = self._next_mail()
        assert "is released to staging and prod" in inbox.subject(announced), inbox.text(announced)

    def _next_mail(self) -> dict[str, Any]:
        self._wait("the next mail", lambda: len(self._mails()) > self._read, _MAIL_SECONDS)
        self._read += 1
        return self._mails()[self._read - 1]

    def _mails(self) -> list[dict[str, Any]]:
        address = f"{self.environment['AWS_ENDPOINT_URL']}/_local/mails"
        with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310  # loopback
            mails: list[dict[str, Any]] = json.loads(answer.read())
        return mails

    def _client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]  # the name is a variable here
            service,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name=self.environment["AWS_REGION"],
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )

    def _wait(self, what: str, look: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not look():
            assert time.monotonic() < end, f"{what}: not within {seconds:.0f} seconds"
            time.sleep(0.2)


type Follow = Callable[[Reader, str], None]
_KNOWN: tuple[tuple[str, Follow], ...] = (
    (r"make (demo|test)", Reader.leave_to_its_own_test),
    (r"make up", Reader.keep_a_cloud_up),
    (r'export \w+="[^"]*"|eval "\$\(make -s env\)"', Reader.set_variables),
    (r"sam build", Reader.build),
    (r"sam deploy --guided", Reader.deploy),
    (r"signalbox upload [\w/]+\.csv", Reader.upload),
    (r"signalbox train --model iris --image \S+/iris-decision-tree:\S+ --commit \w+", Reader.train),
    (r"projects/iris/data\.py [\w-]+|signalbox (deploy|data put|status|invoke)\b.*", Reader.run),
)


def how_to_follow(command: str) -> Follow:
    """Return how a reader follows a command.

    Raises:
        UnknownCommandError: nobody runs it.
    """
    for pattern, follow in _KNOWN:
        if re.fullmatch(pattern, command):
            return follow
    raise UnknownCommandError(command)
