"""Runs the two programs of a container's folder as the local cloud runs them, for `signalbox test`."""

import http.client
import itertools
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sagemaker_local.images import UnfitProgramError
from sagemaker_local.images.catalog import Image
from sagemaker_local.images.container import PORT, Container
from sagemaker_local.runtime import namespaces, process, strays
from sagemaker_local.runtime.errors import ContainerError
from sagemaker_local.runtime.lines import tail
from sagemaker_local.runtime.ports import free_port
from sagemaker_local.runtime.process import Program, ProgramStartError
from sagemaker_local.runtime.workspace import Workspace
from sagemaker_local.serving.asking import ask
from sagemaker_local.serving.server import SAFE_PORTS
from signalbox_operate.containers.model import Answer, Ended, Trial
from signalbox_operate.stack import OperateError

_REGION = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
_JOB = "signalbox-test"


class FolderRuntime:
    """The programs `train` and `serve` of a folder, without a network; its files and logs go below `work`."""

    def __init__(self, folder: Path, work: Path) -> None:
        self._image = Image(folder.resolve().name, folder=folder.resolve())
        self._work = work
        self._numbers = itertools.count(1)

    def train(self, tree: Path, trial: Trial) -> Ended:
        """Run `train` to its end, or until its time is over. Raises OperateError where it cannot be started."""
        workspace, container, log = self._prepared(tree, serves=False)
        named = {"TRAINING_JOB_NAME": _JOB, "TRAINING_JOB_ARN": f"arn:aws:sagemaker:us-east-1::training-job/{_JOB}"}
        environment = container.environment(_REGION, named, trial.environment)
        with _told():
            result = process.run(
                container.placed.train_command(trial.hyperparameters),
                **container.start(environment),
                log=log,
                stop=threading.Event(),
                limit=trial.train_seconds,
                grace=1.0,
            )
        code = result.exit_code if result.end is process.End.EXITED else None
        return Ended(code, _output(workspace, log))

    def serve(self, tree: Path, trial: Trial) -> "FolderServer":
        """Start `serve`. Raises OperateError where it cannot be started."""
        workspace, container, log = self._prepared(tree, serves=True)
        port = PORT if workspace.boxed else free_port()
        ports = {"SAGEMAKER_BIND_TO_PORT": str(port), "SAGEMAKER_SAFE_PORT_RANGE": SAFE_PORTS}
        environment = container.environment(_REGION, trial.environment, ports)
        with _told():
            program = Program(
                container.placed.serve_command(trial.environment), log=log, **container.start(environment)
            )
        return FolderServer(program, port, workspace)

    def _prepared(self, tree: Path, *, serves: bool) -> tuple[Workspace, Container, Path]:
        folder = self._work / f"program-{next(self._numbers)}"
        folder.mkdir(parents=True)
        workspace = Workspace(tree.resolve(), boxed=namespaces.allowed())
        with _told():
            container = Container.of(self._image, workspace, folder, isolated=True, serves=serves)
        return workspace, container, folder / "log"


@contextmanager
def _told() -> Iterator[None]:
    """Say in the command line's own error why a program cannot be started."""
    try:
        yield
    except (ContainerError, ProgramStartError, UnfitProgramError) as error:
        raise OperateError(str(error)) from error


def _output(workspace: Workspace, log: Path) -> str:
    """Return the end of a program's log, and why it did not find /opt/ml where this machine has none for it."""
    stray = strays.in_log(workspace, log)
    return "\n".join([*([stray] if stray else []), tail(log)])


class FolderServer:
    """The program `serve` as it runs."""

    def __init__(self, program: Program, port: int, workspace: Workspace) -> None:
        self._program = program
        self._port = port
        self._workspace = workspace

    def ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], seconds: float
    ) -> Answer | None:
        """Return the answer to a request; None where there was none within `seconds`."""
        try:
            status, _, answer = ask(self._program, self._port, method, path, body, headers, seconds)
        except (OSError, http.client.HTTPException):
            return None
        return Answer(status, answer)

    def running(self) -> bool:
        """Say whether the program still runs."""
        return self._program.running()

    def elsewhere(self) -> str:
        """Return where it listens instead of port 8080; "" where that is not known, or it does listen there."""
        found = self._program.listens_on()
        if not found or any(one.endswith(f":{self._port}") for one in found):
            return ""
        return f"it listens on {' and '.join(found)}"

    def stop(self, seconds: float) -> float | None:
        """Send SIGTERM; return after how many seconds it had ended, None where it had to be killed."""
        started = time.monotonic()
        self._program.terminate(seconds)
        taken = time.monotonic() - started
        return taken if taken < seconds else None

    def output(self) -> str:
        """Return the end of what it printed."""
        return _output(self._workspace, self._program.log)
