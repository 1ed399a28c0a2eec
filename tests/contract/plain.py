"""ministack as it is, with nothing of ours: where the tests see that a gap is still there."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sagemaker_local.server import KEY_VARIABLE, free_port, prepare
from tests.sagemaker_local.support.programs import ROOT, environment

_SECONDS = 60
PLAIN_SECRET = "plain"  # of a cloud of the tests


@contextmanager
def plain_ministack(folder: Path) -> Iterator[str]:
    """Run a plain ministack and yield its address.

    Raises:
        TimeoutError: it does not come up.
    """
    port = free_port()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.contract.plain", str(port), str(folder)],
            env={**environment(), KEY_VARIABLE: PLAIN_SECRET},
            cwd=ROOT,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait(f"http://127.0.0.1:{port}/_ministack/health", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(address: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=60):  # noqa: S310  # loopback
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"{address} did not answer")


def main() -> None:
    """Serve until killed."""
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    prepare(port, folder)
    from hypercorn.asyncio import serve  # noqa: PLC0415  # ministack reads the environment at import
    from hypercorn.config import Config  # noqa: PLC0415

    from sagemaker_local import ministack  # noqa: PLC0415

    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    asyncio.run(serve(ministack.asgi, config))


if __name__ == "__main__":
    main()
