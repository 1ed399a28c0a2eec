"""The local cloud as a process of its own: started, asked, stopped; nothing of it stays behind."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from signalbox_local.server import CREDENTIALS, REGION, free_port

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".signalbox"
_START_SECONDS = 60
_STOP_SECONDS = 15


class CloudError(Exception):
    """The local cloud did not start; the message carries the end of its log."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


@dataclass(frozen=True)
class Options:
    """How a cloud is started: where, and how strictly it behaves."""

    folder: Path = STATE / "cloud"
    containers: Path = ROOT / "projects"
    port: int = 0
    repeat_events: float = 0.0
    startup_seconds: float = 60.0


class LocalCloud:
    """A running cloud. Use it as a context manager: at the end the process and all it started are gone."""

    def __init__(self, options: Options | None = None) -> None:
        chosen = options or Options()
        self.port = chosen.port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.public_url = f"{self.url}/public"
        self.log = chosen.folder / "cloud.log"
        chosen.folder.mkdir(parents=True, exist_ok=True)
        arguments = {
            "--port": self.port,
            "--folder": chosen.folder,
            "--containers": chosen.containers,
            "--repeat-events": chosen.repeat_events,
            "--startup-seconds": chosen.startup_seconds,
        }
        words = [str(word) for pair in arguments.items() for word in pair]
        with self.log.open("wb") as log:
            # A session of its own: Ctrl-C reaches the demo first, which then stops the cloud in order.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "signalbox_local.server", "--follow", *words],
                stdin=subprocess.PIPE,  # closed when this process ends, even by SIGKILL: then the cloud ends too
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(python_path())},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Return the id of the cloud's process, which is also that of its group."""
        return self._process.pid

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables by which any AWS program works with this cloud as its owner."""
        return {
            **CREDENTIALS,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
            "SIGNALBOX_API_URL": self.public_url,
        }

    def __enter__(self) -> Self:
        """Wait until the cloud answers.

        Raises:
            CloudError: it ended, or did not answer in time.
        """
        try:
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the cloud."""
        self.stop()

    def wait(self) -> None:
        """Wait until the cloud answers.

        Raises:
            CloudError: it ended, or did not answer in time.
        """
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise CloudError(f"the local cloud ended at once:\n{self._tail()}")
            try:
                # Somebody else's cloud may hold the port: then this one is about to end.
                if self._get("/_signalbox/health") == f"ready {self.pid}".encode():
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise CloudError(f"the local cloud did not answer within {_START_SECONDS} seconds:\n{self._tail()}")

    def mails(self) -> list[dict[str, Any]]:
        """Return the mails that were sent, oldest first."""
        found: list[dict[str, Any]] = json.loads(self._get("/_signalbox/mails"))
        return found

    def calls(self) -> list[dict[str, Any]]:
        """Return every decision of IAM: principal, action, resource, allowed."""
        found: list[dict[str, Any]] = json.loads(self._get("/_signalbox/calls"))
        return found

    def stop(self) -> None:
        """End the cloud: in order, then by force; its whole group, so that no job or function outlives it."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:  # noqa: S310  # loopback
            content: bytes = answer.read()
            return content

    def _tail(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]


def python_path() -> list[str]:
    """Return the folders that the project's packages are found in."""
    return [str(ROOT), *(str(ROOT / part) for part in ("layers/signalbox", "local", "operate"))]


def program_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a program of the project: this virtual environment's tools first."""
    own = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    return {**os.environ, **own, "PYTHONPATH": os.pathsep.join(python_path()), **extra}
