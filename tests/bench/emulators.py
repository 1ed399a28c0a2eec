"""The local cloud beside two others that people know: ministack alone, and moto's server. The same calls, by turns."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_local.server import KEY_VARIABLE, credentials, free_port
from signalbox_local.project import program_environment
from tests.bench.cloud import PLAIN, peak
from tests.bench.figures import BenchError, Ratio

OURS, PLAIN_NAME, MOTO = "the local cloud", "ministack alone", "moto's server"
_SECRET = "bench-only"  # of clouds that live for a minute, on the loopback address
_PATIENCE, _LOOK_SECONDS = 60, 0.01
_BEFORE, _CALLS, _TURNS = 10, 50, 5


@dataclass(frozen=True)
class Emulator:
    """How one is started: the words after the interpreter, and what it finds in its environment."""

    name: str
    words: Callable[[int, Path], list[str]]
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Beside:
    """One of the others, and the local cloud's figures beside its own.

    Attributes:
        other: its name.
        start: seconds from the start of the process to its first answer.
        memory: peaks in bytes after all calls, ours and its.
        calls: seconds of a call, by operation.
    """

    other: str
    start: Ratio
    memory: tuple[int, int]
    calls: dict[str, Ratio]


EMULATORS = (
    Emulator(
        OURS,
        lambda port, folder: ["-m", "sagemaker_local.server", "--port", str(port), "--folder", str(folder)],
        {KEY_VARIABLE: _SECRET},
    ),
    Emulator(
        PLAIN_NAME,
        lambda port, folder: ["-c", PLAIN, str(port), str(folder)],
        {KEY_VARIABLE: _SECRET, "BIND_HOST": "127.0.0.1"},
    ),
    Emulator(MOTO, lambda port, _: ["-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)], {}),
)


class Running:
    """A started emulator, asked by plain boto3 clients."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        """Start it, and wait for its first answer."""
        folder.mkdir(parents=True)
        port = free_port()
        self._url = f"http://127.0.0.1:{port}"
        s3 = self.client("s3")
        begun = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, *emulator.words(port, folder)],
            env=program_environment(emulator.variables),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
        )
        while not self._answers(s3):
            if time.perf_counter() - begun > _PATIENCE or self._process.poll() is not None:
                self.stop()
                raise BenchError(f"{emulator.name} did not answer within {_PATIENCE} seconds: is all of it installed?")
            time.sleep(_LOOK_SECONDS)
        self.started = time.perf_counter() - begun

    def client(self, service: str) -> Any:
        """Return a client without retries."""
        return boto3.client(
            service,  # type: ignore[call-overload]  # any service
            endpoint_url=self._url,
            region_name="us-east-1",
            **{name.lower(): value for name, value in credentials(_SECRET).items()},
            config=Config(retries={"max_attempts": 0}, proxies={}),
        )

    @staticmethod
    def _answers(s3: Any) -> bool:
        try:
            s3.list_buckets()
        except ClientError:
            return True
        except BotoCoreError:
            return False
        return True

    @property
    def peak(self) -> int:
        """Return its peak memory in bytes."""
        return peak(self._process.pid)

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def operations(running: Running) -> dict[str, Callable[[], Any]]:
    """Make what the ten usual operations need, and return them by name."""
    s3, sqs, table, ssm, sts, events = (
        running.client(name) for name in ("s3", "sqs", "dynamodb", "ssm", "sts", "events")
    )
    s3.create_bucket(Bucket="bench")
    queue = sqs.create_queue(QueueName="bench")["QueueUrl"]
    key = {"AttributeName": "k", "AttributeType": "S"}
    schema = [{"AttributeName": "k", "KeyType": "HASH"}]
    table.create_table(TableName="bench", AttributeDefinitions=[key], KeySchema=schema, BillingMode="PAY_PER_REQUEST")
    ssm.put_parameter(Name="bench", Value="1", Type="String")
    item, entry = {"k": {"S": "1"}}, {"Source": "bench", "DetailType": "bench", "Detail": "{}"}

    def read() -> bytes:
        content: bytes = s3.get_object(Bucket="bench", Key="key")["Body"].read()
        return content

    return {
        "s3 PutObject": lambda: s3.put_object(Bucket="bench", Key="key", Body=b"1\n" * 500),
        "s3 GetObject": read,
        "s3 ListObjectsV2": lambda: s3.list_objects_v2(Bucket="bench"),
        "sqs SendMessage": lambda: sqs.send_message(QueueUrl=queue, MessageBody="1"),
        "sqs ReceiveMessage": lambda: sqs.receive_message(QueueUrl=queue),
        "dynamodb PutItem": lambda: table.put_item(TableName="bench", Item=item),
        "dynamodb GetItem": lambda: table.get_item(TableName="bench", Key=item),
        "ssm GetParameter": lambda: ssm.get_parameter(Name="bench"),
        "sts GetCallerIdentity": sts.get_caller_identity,
        "events PutEvents": partial(events.put_events, Entries=[entry]),
    }


def measure(folder: Path, say: Callable[[str], None]) -> list[Beside]:
    """Measure all three, by turns, and return the local cloud beside each of the others.

    Raises:
        BenchError: one of them does not start.
    """
    starts: dict[str, list[float]] = {one.name: [] for one in EMULATORS}
    for turn in range(_TURNS):
        for emulator in EMULATORS:
            say(f"{emulator.name} starts, {turn + 1} of {_TURNS}")
            with _running(emulator, folder / f"{emulator.name}-{turn}") as running:
                starts[emulator.name].append(running.started)
    with _all(folder) as running:
        calls = {name: operations(one) for name, one in running.items()}
        taken = {name: _times(name, calls, say) for name in calls[OURS]}
        peaks = {name: one.peak for name, one in running.items()}
    return [
        Beside(
            other,
            Ratio.of(list(zip(starts[OURS], starts[other], strict=True))),
            (peaks[OURS], peaks[other]),
            {name: Ratio.of(list(zip(found[OURS], found[other], strict=True))) for name, found in taken.items()},
        )
        for other in (PLAIN_NAME, MOTO)
    ]


def _times(
    name: str, calls: Mapping[str, Mapping[str, Callable[[], Any]]], say: Callable[[str], None]
) -> dict[str, list[float]]:
    """Return the median seconds of a call in each turn, by emulator."""
    say(name)
    found: dict[str, list[float]] = {emulator: [] for emulator in calls}
    for emulator in calls:
        _seconds(calls[emulator][name], _BEFORE)
    for _ in range(_TURNS):
        for emulator in calls:
            found[emulator].append(median(_seconds(calls[emulator][name], _CALLS)))
    return found


def _seconds(call: Callable[[], Any], times: int) -> list[float]:
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        found.append(time.perf_counter() - begun)
    return found


@contextmanager
def _running(emulator: Emulator, folder: Path) -> Iterator[Running]:
    running = Running(emulator, folder)
    try:
        yield running
    finally:
        running.stop()


@contextmanager
def _all(folder: Path) -> Iterator[dict[str, Running]]:
    started: dict[str, Running] = {}
    try:
        for emulator in EMULATORS:
            started[emulator.name] = Running(emulator, folder / f"{emulator.name}-calls")
        yield started
    finally:
        for running in started.values():
            running.stop()
