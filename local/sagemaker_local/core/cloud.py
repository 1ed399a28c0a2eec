"""What every part of the SageMaker service works with: where it is, who may do what, and where its events go."""

import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sagemaker_local.core.store import Store

if TYPE_CHECKING:
    from botocore.client import BaseClient


class Access(Protocol):
    """Who may do what, and how to act as a role."""

    def require(self, access_key: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> None:
        """Let the holder of `access_key` do `action` on `resource`, or raise ApiError AccessDeniedException."""

    def require_service_role(self, role_arn: str) -> None:
        """Raise ApiError ValidationException unless the role exists and trusts sagemaker.amazonaws.com."""

    def environment(self, role_arn: str, session: str) -> dict[str, str]:
        """Return the variables by which a program acts as the role: credentials, AWS_ENDPOINT_URL, AWS_REGION."""

    def temporary(self, role_arn: str, session: str, seconds: float) -> dict[str, str]:
        """Return new credentials of the role, by the names of their variables, that are valid for so many seconds."""

    def client(self, service: str, role_arn: str, session: str, output_key: str = "") -> "BaseClient":
        """Return a boto3 client of this cloud that acts as the role; every call is authorised and recorded.

        What an S3 client with an `output_key` writes is encrypted with that KMS key, if the role may use it there.
        """


class Events(Protocol):
    """Where events about state changes go."""

    def send(self, detail_type: str, resources: list[str], detail: dict[str, Any]) -> None:
        """Send an event of the service's own source; times inside `detail` are spelled by the caller."""


@dataclass(frozen=True)
class Timing:
    """How long things take here: bake times are scaled down, a server has less time to come up than on AWS.

    `build_minute` is how many seconds a minute of a build's time limit has, `script_seconds` what a lifecycle script
    may take, and `credential_seconds` how long the credentials of its notebook instance or app are valid.
    """

    startup_seconds: float = 60.0
    bake_scale: float = 0.01
    build_minute: float = 60.0
    script_seconds: float = 300.0
    credential_seconds: float = 21_600.0


@dataclass(frozen=True)
class Cloud:
    """The surroundings of the service; one per process. `root_client(service)` acts as AWS itself does."""

    account: str
    region: str
    endpoint_url: str
    folder: Path
    containers: Path
    access: Access
    events: Events
    root_client: Callable[[str], Any]
    timing: Timing = field(default_factory=Timing)
    store: Store = field(default_factory=Store)
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def arn(self, resource: str) -> str:
        """Return the ARN of a SageMaker resource such as `model/m-1`: in lower case, whatever its name is."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{resource.lower()}"

    def work(self, target: Callable[[], None], name: str) -> threading.Thread:
        """Run `target` in a background thread that does not keep the process alive."""
        thread = threading.Thread(target=target, name=name, daemon=True)
        thread.start()
        return thread


@dataclass(frozen=True)
class Call:
    """One request that has passed validation and authorisation; its members are as in botocore's model."""

    operation: str
    request: dict[str, Any]
    access_key: str
    principal: str


type Handler = Callable[[Call], dict[str, Any]]
type HttpResponse = tuple[int, dict[str, str], bytes]


class Part(Protocol):
    """A part of the service: some operations and their handlers."""

    def operations(self) -> dict[str, Handler]:
        """Return the handlers by operation."""


def lower_id(length: int = 12) -> str:
    """Return a random id of lower-case letters and digits, as SageMaker gives to pipeline executions."""
    return "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(length))


def short_name(name_or_arn: str) -> str:
    """Return the name in a name or an ARN."""
    return re.sub(r"^arn:.*?/", "", name_or_arn)
