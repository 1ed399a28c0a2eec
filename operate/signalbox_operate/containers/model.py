"""What is tried out with a container, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

type Verdict = Literal["ok", "warned", "refused", "skipped"]


@dataclass(frozen=True)
class Step:
    """A part of the contract: `refused` where SageMaker would refuse it or fail; `told` says why and what to do."""

    what: str
    verdict: Verdict
    told: str = ""


@dataclass(frozen=True)
class Trial:
    """What a container gets: folders or files of data by channel, hyperparameters, and a request to its model.

    `train_seconds` and `ping_seconds` are how long its programs may take.
    """

    channels: Mapping[str, Path]
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    request: bytes | None = None
    content_type: str = "text/csv"
    environment: Mapping[str, str] = field(default_factory=dict)
    train_seconds: float = 600
    ping_seconds: float = 480  # 8 minutes (Developer Guide, "How Containers Should Respond to Health Check Requests")


@dataclass(frozen=True)
class Ended:
    """How a program ended: `code` is None where its time was over; `output` is the end of what it printed."""

    code: int | None
    output: str


@dataclass(frozen=True)
class Answer:
    """What a model's server answered."""

    status: int
    body: bytes


class Server(Protocol):
    """A model's server that was started."""

    def ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], seconds: float
    ) -> Answer | None:
        """Return the answer to a request; None where there was none within `seconds`."""

    def running(self) -> bool:
        """Say whether the program still runs."""

    def elsewhere(self) -> str:
        """Return where it listens instead of port 8080; "" where that is not known, or it does listen there."""

    def stop(self, seconds: float) -> float | None:
        """Send SIGTERM; return after how many seconds it had ended, None where it had to be killed after `seconds`."""

    def output(self) -> str:
        """Return the end of what it printed."""


class Runtime(Protocol):
    """Something that runs a container's two programs, with a folder of this machine as /opt/ml."""

    def train(self, tree: Path, trial: Trial) -> Ended:
        """Run `train` to its end, or until its time is over.

        Raises:
            OperateError: it cannot be started.
        """

    def serve(self, tree: Path, trial: Trial) -> Server:
        """Start `serve`.

        Raises:
            OperateError: it cannot be started.
        """
