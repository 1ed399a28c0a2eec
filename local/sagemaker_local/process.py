"""The cloud as a process of its own: started, asked, stopped; nothing of it stays behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sagemaker_local.direct import without_proxy
from sagemaker_local.server import AUTHORITY, KEY_VARIABLE, REGION, credentials, free_port, inherited, new_secret

_PACKAGES = Path(__file__).resolve().parents[1]
START_SECONDS = 60
_STOP_SECONDS = 15
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever proxy the environment names
# glibc gives threads memory of their own, up to sixteen times here, and takes none of it back: 40 MB for each build.
_MEMORY = {"MALLOC_ARENA_MAX": "1"}


def answers(port: int) -> bool:
    """Return whether somebody listens on a port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class CloudError(Exception):
    """The local cloud did not start; the message carries the end of its log."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class PortTakenError(CloudError):
    """Somebody else answers on the port."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"port {port} of 127.0.0.1 is taken, perhaps by another local cloud: end that one, or choose another port "
            "(0 takes a free one)"
        )


@dataclass(frozen=True)
class Options:
    """How a cloud is started.

    Attributes:
        folder: where jobs, servers and the log (`cloud.log`) are kept.
        containers: the folder of images of one's own, each a folder with the programs `train` and `serve`;
            None for `containers` in `folder`.
        port: the port of 127.0.0.1; 0 takes a free one.
        repeat_events: the share of SageMaker's events that are sent twice, from 0 to 1.
        startup_seconds: how long a model server may take until it answers /ping.
        build_minute: how many seconds a minute of a build's time limit has.
        script_seconds: what a lifecycle script may take.
        credential_seconds: how long the credentials of a notebook instance or an app of Studio are valid.
        aws_names: answer AWS's host names too, by an HTTPS proxy; `environment` has what programs need for it.
    """

    folder: Path
    containers: Path | None = None
    port: int = 0
    repeat_events: float = 0.0
    startup_seconds: float = 60.0
    build_minute: float = 60.0
    script_seconds: float = 300.0
    credential_seconds: float = 21_600.0
    aws_names: bool = False


class LocalCloud:
    """A running cloud. Use it as a context manager: at the end the process and all it started are gone."""

    def __init__(self, options: Options) -> None:
        """Start it; `wait` returns when it answers.

        Raises:
            PortTakenError: somebody else answers on its port.
        """
        self.port = options.port or free_port()
        if answers(self.port):
            raise PortTakenError(self.port)
        self._secret = new_secret()
        self._folder = options.folder
        self._proxy_port = free_port() if options.aws_names else 0
        self.url = f"http://127.0.0.1:{self.port}"
        self.public_url = f"{self.url}/public"
        self.log = options.folder / "cloud.log"
        options.folder.mkdir(parents=True, exist_ok=True)
        arguments = {
            "--port": self.port,
            "--folder": options.folder,
            "--repeat-events": options.repeat_events,
            "--startup-seconds": options.startup_seconds,
            "--build-minute": options.build_minute,
            "--script-seconds": options.script_seconds,
            "--credential-seconds": options.credential_seconds,
            **({"--containers": options.containers} if options.containers else {}),
            **({"--proxy-port": self._proxy_port} if self._proxy_port else {}),
        }
        words = [str(word) for pair in arguments.items() for word in pair]
        with self.log.open("wb") as log:
            # A session of its own: Ctrl-C reaches the starter first, which then stops the cloud in order.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sagemaker_local.server", "--follow", *words],
                stdin=subprocess.PIPE,  # closed when this process ends, even by SIGKILL: then the cloud ends too
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**inherited(os.environ), **_MEMORY, KEY_VARIABLE: self._secret, "PYTHONPATH": str(_PACKAGES)},
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
            **credentials(self._secret),
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
            **without_proxy(os.environ),
            **self._names(),
        }

    def _names(self) -> dict[str, str]:
        """Return the variables by which programs ask AWS's host names of this cloud, if it answers to them."""
        if not self._proxy_port:
            return {}
        authority = str((self._folder / AUTHORITY).resolve())
        return {"HTTPS_PROXY": f"http://127.0.0.1:{self._proxy_port}", "AWS_CA_BUNDLE": authority}

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
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise CloudError(f"the local cloud ended at once:\n{self._tail()}")
            try:
                # Somebody else's cloud may hold the port: then this one is about to end.
                if self._get("/_local/health") == f"ready {self.pid}".encode():
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise CloudError(f"the local cloud did not answer within {START_SECONDS} seconds:\n{self._tail()}")

    def mails(self) -> list[dict[str, Any]]:
        """Return the mails that were sent, oldest first."""
        found: list[dict[str, Any]] = json.loads(self._get("/_local/mails"))
        return found

    def calls(self) -> list[dict[str, Any]]:
        """Return every decision of IAM: principal, action, resource, allowed."""
        found: list[dict[str, Any]] = json.loads(self._get("/_local/calls"))
        return found

    def join(self) -> None:
        """Wait until the cloud ends by itself.

        Raises:
            CloudError: it has ended.
        """
        status = self._process.wait()
        raise CloudError(f"the local cloud ended with status {status}:\n{self._tail()}")

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
        with _DIRECT.open(self.url + path, timeout=10) as answer:
            content: bytes = answer.read()
            return content

    def _tail(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]
