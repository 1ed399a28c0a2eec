"""What a release needs from outside, and the facts that come from there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Package:
    """A package as the registry has it now; `report` and `golden` are S3 URIs."""

    arn: str
    status: str
    report: str | None = None
    golden: str | None = None


@dataclass(frozen=True)
class Endpoint:
    """An endpoint as SageMaker has it now; `package` is what its live config serves, None if that is no package."""

    name: str
    status: str
    config: str
    package: str | None = None
    reason: str = ""


@dataclass(frozen=True, order=True)
class Wish:
    """Who wants what in production. Later requests win; between equal times the execution's name decides."""

    requested_at: str
    execution: str
    package: str


@dataclass(frozen=True)
class Served:
    """A release that was verified and recorded: this package, by this endpoint config."""

    package: str
    config: str


@dataclass(frozen=True)
class Answer:
    """What an endpoint answered to one request; `failure` is the refusal, if it was one."""

    text: str = ""
    failure: str = ""


class Registry(Protocol):
    """The model registry."""

    def package(self, arn: str) -> Package | None:
        """Return the package, or None if it is not (or no longer) registered."""

    def approved(self, group: str) -> Sequence[str]:
        """Return the ARNs of all approved versions of a group, newest first."""


class Endpoints(Protocol):
    """The endpoints."""

    def endpoint(self, name: str) -> Endpoint | None:
        """Return the endpoint with the package it serves, or None if there is none."""

    def package_of_config(self, config: str) -> str | None:
        """Return the package that an endpoint config serves, or None."""

    def status(self, name: str) -> Endpoint | None:
        """Return the endpoint without looking for its package, or None if there is none."""

    def ask(self, name: str, body: str, content_type: str) -> Answer:
        """Send one request and return the answer."""


class Ledger(Protocol):
    """The releases table: who wants what, and what was released."""

    def want(self, model: str, wish: Wish) -> None:
        """Record `wish` unless a later one is recorded."""

    def wanted(self, model: str) -> Wish | None:
        """Return the wish that holds."""

    def released(self, model: str, stage: str) -> Sequence[Served]:
        """Return what was released to a stage, oldest first."""


class GoldenFiles(Protocol):
    """The golden requests that an evaluation kept."""

    def read(self, uri: str) -> str:
        """Return the text of the file.

        Raises:
            ReleaseError: there is none.
        """


@dataclass(frozen=True)
class Outside:
    """The ports of the planning rule."""

    registry: Registry
    endpoints: Endpoints
    ledger: Ledger


@dataclass(frozen=True)
class Setup:
    """What every name begins with, and the role under which models run."""

    prefix: str
    role: str
