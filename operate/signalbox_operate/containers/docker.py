"""Runs an image with Docker, as SageMaker does: `docker run <image> train` and `docker run <image> serve`."""

import http.client
import json
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from signalbox_operate.containers.model import Answer, Ended, Step, Trial
from signalbox_operate.stack import OperateError

PLATFORM = "linux/amd64"
_LINES = 10
_SHELL = ["/bin/sh", "-c"]


def program() -> str:
    """Return where Docker's program is.

    Raises:
        OperateError: there is none.
    """
    found = shutil.which("docker")
    if found is None:
        raise OperateError(
            "there is no docker on this machine: install Docker (or Podman with podman-docker), or build the image in "
            "AWS CodeBuild or in your CI, by the same command"
        )
    return found


def run(*words: str, seconds: float | None = None) -> "subprocess.CompletedProcess[str]":
    """Run a command of Docker and return what it printed.

    Raises:
        OperateError: it failed, or there is no Docker.
        subprocess.TimeoutExpired: it did not end within `seconds`.
    """
    done = _done(*words, seconds=seconds)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise OperateError(f"docker {words[0]} failed: {said[-1] if said else f'exit code {done.returncode}'}")
    return done


def _done(*words: str, seconds: float | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603  # the user's own Docker, by words that are no shell's
        [program(), *words], capture_output=True, text=True, errors="replace", check=False, timeout=seconds
    )


def check(image: str) -> Iterator[Step]:
    """Yield what SageMaker would refuse about an image.

    Raises:
        OperateError: there is no such image on this machine.
    """
    found = json.loads(run("image", "inspect", image).stdout)[0]
    built = f"{found.get('Os', '')}/{found.get('Architecture', '')}"
    what, settings = f"image {image}", found.get("Config") or {}
    if built != PLATFORM:
        told = f"it is built for {built}, and most instances run {PLATFORM}: build it with --platform {PLATFORM}"
        yield Step(what, "refused", told)
    if (settings.get("Entrypoint") or [])[:2] == _SHELL:
        told = 'its ENTRYPOINT is a shell\'s text, which takes no "train" or "serve": write it as a JSON list'
        yield Step(what, "refused", told)
    if settings.get("User") not in (None, "", "0", "root"):
        told = f"it runs as {settings['User']}, and SageMaker gives /opt/ml to root: leave USER out"
        yield Step(what, "warned", told)


class ImageRuntime:
    """The programs `train` and `serve` of an image."""

    def __init__(self, image: str) -> None:
        self._image = image

    def train(self, tree: Path, trial: Trial) -> Ended:
        """Run `train` to its end, or until its time is over. Raises OperateError where there is no Docker."""
        name = f"signalbox-{uuid.uuid4().hex[:12]}"
        options = ["--rm", "--name", name, "--network", "none", "--volume", f"{tree.resolve()}:/opt/ml"]
        try:
            done = _done("run", *options, *_variables(trial), self._image, "train", seconds=trial.train_seconds)
        except subprocess.TimeoutExpired:
            _done("rm", "--force", name)
            return Ended(None, "")
        return Ended(done.returncode, _end(done.stdout + done.stderr))

    def serve(self, tree: Path, trial: Trial) -> "ImageServer":
        """Start `serve`. Raises OperateError where it cannot be started."""
        options = ["--detach", "--publish", "127.0.0.1::8080", "--volume", f"{tree.resolve()}/model:/opt/ml/model:ro"]
        return ImageServer(run("run", *options, *_variables(trial), self._image, "serve").stdout.strip())


class ImageServer:
    """The container of `serve` as it runs."""

    def __init__(self, name: str) -> None:
        self._name = name

    def ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], seconds: float
    ) -> Answer | None:
        """Return the answer to a request; None where there was none within `seconds`."""
        address = _done("port", self._name, "8080").stdout.split()
        if not address:
            return None
        connection = http.client.HTTPConnection(address[0], timeout=seconds)
        try:
            connection.request(method, path, body=body, headers=dict(headers))
            response = connection.getresponse()
            return Answer(response.status, response.read())
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def running(self) -> bool:
        """Say whether the container still runs."""
        return _done("inspect", "--format", "{{.State.Running}}", self._name).stdout.strip() == "true"

    def elsewhere(self) -> str:
        """Return "": where a container listens inside, Docker does not say."""
        return ""

    def stop(self, seconds: float) -> float | None:
        """Send SIGTERM; return after how many seconds it had ended, None where it had to be killed."""
        started = time.monotonic()
        _done("stop", "--time", f"{seconds:.0f}", self._name)
        taken = time.monotonic() - started
        _done("rm", "--force", self._name)
        return taken if taken < seconds else None

    def output(self) -> str:
        """Return the end of what it printed."""
        done = _done("logs", self._name)
        return _end(done.stdout + done.stderr)


def _variables(trial: Trial) -> list[str]:
    return [word for name, value in trial.environment.items() for word in ("--env", f"{name}={value}")]


def _end(text: str) -> str:
    return "\n".join(text.splitlines()[-_LINES:])
