"""A local cloud with the built stack deployed into it, a plain ministack to compare it with, and what both hold."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagemaker_local.process import LocalCloud, Options
from sagemaker_local.server import free_port
from signalbox_local import deploy
from signalbox_local.project import ROOT, ProjectCloud, program_environment
from tests.bench.built import Stack
from tests.bench.figures import BenchError
from tests.system.world import World

QUIET_SECONDS = 1
_BOOT_SECONDS = 60
# The same settings, and no more than its own program.
PLAIN = """
import sys
from pathlib import Path
from sagemaker_local.server import prepare
prepare(int(sys.argv[1]), Path(sys.argv[2]))
from ministack.app import main
del sys.argv[1:]
main()
"""


@dataclass(frozen=True)
class Memory:
    """Peaks in bytes: plain ministack when it answers; the local cloud when it answers, and after everything."""

    plain: int
    booted: int
    used: int


def peak(pid: int) -> int:
    """Return the most memory that a process has held so far, in bytes (VmHWM of proc(5)).

    Raises:
        BenchError: this system does not tell.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError as error:
        raise BenchError("the memory of a process is read from /proc, which only Linux has") from error
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def plain_peak(folder: Path) -> int:
    """Start ministack alone with the local cloud's settings, and return its peak when it answers.

    Raises:
        BenchError: it does not start.
    """
    port = free_port()
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", PLAIN, str(port), str(folder)],
        env=program_environment({"BIND_HOST": "127.0.0.1"}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    try:
        _wait_for_port(port, process)
        return peak(process.pid)
    finally:
        process.kill()
        process.wait()


def _wait_for_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _BOOT_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"GET /_ministack/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                if b" 200 " in connection.recv(100):
                    return
        except OSError:
            time.sleep(0.1)
    raise BenchError(f"plain ministack did not answer within {_BOOT_SECONDS} seconds")


@contextmanager
def running(stack: Stack, folder: Path, progress: Callable[[str], None]) -> Iterator[tuple[World, int]]:
    """Start a local cloud and deploy the built stack; give its world, and its peak of memory before the deployment.

    Raises:
        BenchError: the stack cannot be deployed.
    """
    progress("the local cloud starts")
    with ProjectCloud(Options(folder / "cloud", ROOT / "projects")) as cloud:
        booted = peak(cloud.pid)
        progress("sam deploy")
        client: Any = deploy.client(cloud, "s3")
        client.create_bucket(Bucket=deploy.BUCKET)
        _deploy(stack, cloud)
        iris = folder / "iris"
        maker = ROOT / "projects" / "iris" / "data.py"
        subprocess.run([sys.executable, str(maker), str(iris)], check=True)
        yield World(cloud, deploy.outputs(cloud), iris), booted


def _deploy(stack: Stack, cloud: LocalCloud) -> None:
    values = deploy.parameters(cloud, PollSeconds=QUIET_SECONDS).items()
    overrides = [f"{name}={value}" for name, value in values]
    done = subprocess.run(
        ["sam", "deploy", "--config-env", "local", "--s3-bucket", deploy.BUCKET, "--parameter-overrides", *overrides],
        cwd=stack.folder,
        env=program_environment({**cloud.environment, "SAM_CLI_TELEMETRY": "0"}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"sam deploy failed:\n{(done.stdout + done.stderr)[-2000:]}")
