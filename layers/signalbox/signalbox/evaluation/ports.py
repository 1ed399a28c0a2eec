"""What an evaluation needs from outside."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Written:
    """One object of the transform's output: its URI and when it was written (ISO 8601, UTC)."""

    uri: str
    at: str


class Objects(Protocol):
    """The object store."""

    def list(self, uri: str) -> list[Written]:
        """Return every object under the prefix `uri`, in the order of their keys."""

    def lines(self, uri: str) -> Iterator[str]:
        """Return the lines of a UTF-8 text object, read as they are needed."""

    def read(self, uri: str) -> str | None:
        """Return a small text object, or None where there is none."""

    def write(self, uri: str, text: str, content_type: str) -> None:
        """Write a small text object over whatever was there."""


class LiveModels(Protocol):
    """Which package serves the last stage, and what its report says."""

    def package(self, model: str) -> str | None:
        """Return the ARN of the package that serves the model's last stage, or None where none does."""

    def report(self, package: str) -> str | None:
        """Return the URI of the package's report.json, or None where it has none."""


Report = dict[str, Any]
