"""What programs print, in CloudWatch Logs while they run, where SageMaker writes it: as the role of the job or model.

Groups and streams: Developer Guide, "Log groups and streams that Amazon SageMaker AI sends to Amazon CloudWatch Logs".
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_local.runtime.lines import Lines
from sagemaker_local.runtime.namespaces import HOST

_LOG = logging.getLogger("sagemaker_local")
# One call of PutLogEvents takes 10,000 events and 1 MB, an event 256 KB (API reference, PutLogEvents): what is read at
# once is less than all three.
_EVENTS = 5_000
# What is kept of one program: ministack holds all of it in memory.
NOTEBOOKS = "/aws/sagemaker/NotebookInstances"
"""The group of what lifecycle scripts of notebook instances print."""
STUDIO = "/aws/sagemaker/studio"
"""The group of what lifecycle scripts of Studio's apps print."""
STREAM_BYTES = 16 * 1024 * 1024
_POLL_SECONDS = 0.3


@dataclass(frozen=True)
class Place:
    """A group and a stream of CloudWatch Logs."""

    group: str
    stream: str

    @classmethod
    def of_job(cls, kind: str, job: str, now: datetime) -> Self:
        """Return where a job's output goes; `kind` is the job's, as `TrainingJob`. A transform names an instance."""
        host = instance() if kind == "TransformJob" else HOST
        return cls(f"/aws/sagemaker/{kind}s", f"{job}/{host}-{int(now.timestamp())}")

    @classmethod
    def of_variant(cls, endpoint: str, variant: str) -> Self:
        """Return where the output of one variant's server goes."""
        return cls(endpoint_group(endpoint), f"{variant}/{instance()}")


def endpoint_group(endpoint: str) -> str:
    """Return the log group of an endpoint."""
    return f"/aws/sagemaker/Endpoints/{endpoint}"


def instance() -> str:
    """Return an instance's id, as nobody else has it."""
    return f"i-{secrets.token_hex(9)[:17]}"


class LogStream:
    """Follows a log into its stream until it is closed.

    A role that may not write logs leaves none, and its program runs all the same.
    """

    def __init__(
        self, logs: Any, place: Place, path: Path, mask: Callable[[str], str] = str, *, made: bool = False
    ) -> None:
        """Follow a log. `mask` sees each line first; `made` says that group and stream are there already."""
        self._logs, self._place, self._path = logs, place, path
        self._mask = mask
        self._lines = Lines(path)
        self._made, self._given_up = made, False
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"logs-{place.stream}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Pass on what the program has printed to its end, and stop. May be called again."""
        self._end.set()
        self._thread.join()

    def _follow(self) -> None:
        try:
            while not self._end.is_set():
                self._pass_on(last=False)
                self._end.wait(_POLL_SECONDS)
            self._pass_on(last=True)
        except (ClientError, BotoCoreError) as error:
            _LOG.warning("the log of %s is not in CloudWatch: %s", self._place.stream, error)

    def _pass_on(self, *, last: bool) -> None:
        while not self._given_up:
            before = self._lines.position
            lines = self._lines.more(last=last)
            self._put(lines)
            if self._lines.position == before:
                return
            if before >= STREAM_BYTES:
                self._put([f"local cloud: this log goes on in {self._path}"])
                self._given_up = True

    def _put(self, lines: list[str]) -> None:
        at = int(time.time() * 1000)
        events = [{"timestamp": at, "message": self._mask(line)} for line in lines if line.strip()]
        for start in range(0, len(events), _EVENTS):
            self._make()
            self._logs.put_log_events(
                logGroupName=self._place.group,
                logStreamName=self._place.stream,
                logEvents=events[start : start + _EVENTS],
            )

    def _make(self) -> None:
        if not self._made:
            _once(self._logs.create_log_group, logGroupName=self._place.group)
            _once(self._logs.create_log_stream, logGroupName=self._place.group, logStreamName=self._place.stream)
            self._made = True


def _once(create: Any, **request: str) -> None:
    try:
        create(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
            raise
