"""What a release speaks of, and what can go wrong in it.

The names of the errors are what `rules.REACTIONS` and the release machine's Retry know them by.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, cast

from signalbox import moments, names
from signalbox.aws.model import Endpoint
from signalbox.contracts.releases import ReleaseQuestion, Trigger
from signalbox.reading import Fields
from signalbox.stages import Stage

IN_SERVICE = "InService"
# SageMaker takes neither an update nor a deletion meanwhile (API reference, EndpointStatus).
BUSY = frozenset(("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"))
_OTHERS_SECONDS = 600
TRIGGERS: tuple[Trigger, ...] = ("approved", "rejected")


class ReleaseError(Exception):
    """A release cannot be planned or verified; a repetition would not help."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class EndpointBusyError(ReleaseError):
    """Others kept moving the endpoint for longer than a deployment may take."""

    def __init__(self, endpoint: str, seconds: int) -> None:
        super().__init__(
            f"endpoint {endpoint} did not come to rest within {seconds} seconds: look at it, then start the release "
            "again"
        )


class TooManyRoundsError(ReleaseError):
    """A release was planned so often that its execution's history comes near to its limit."""

    def __init__(self, rounds: int) -> None:
        super().__init__(f"the release was planned {rounds} times without coming to an end: start it again")


class EndpointNotInServiceError(Exception):
    """The endpoint does not serve: the message has SageMaker's reason."""

    def __init__(self, endpoint: str, status: str, reason: str) -> None:
        why = reason or "SageMaker gave no reason: look at the endpoint's log group"
        super().__init__(f"endpoint {endpoint} is {status}, not InService: {why}")


class RolledBackError(Exception):
    """The endpoint serves, but not what was deployed."""

    def __init__(self, endpoint: str, config: str, expected: str, reason: str) -> None:
        why = f" ({reason.rstrip('.')})" if reason else ""
        super().__init__(
            f"endpoint {endpoint} is InService, but on {config}, not on {expected}: SageMaker rolled the update "
            f"back{why}; look at the endpoint's log group"
        )


class PackageWithdrawnError(Exception):
    """The package lost its approval while it was being deployed."""

    def __init__(self, package: str, status: str) -> None:
        super().__init__(f"{package} is {status}, no longer Approved: it must not serve")


class GoldenMismatchError(Exception):
    """The endpoint answers a golden request otherwise than the model did before: in its test, or in its first stage."""

    def __init__(self, message: str) -> None:
        super().__init__(f"{message}: compare the stage's image and environment with what answered before")


class Desired(NamedTuple):
    """Which package a model's stages should serve, and who asked for it.

    Later requests win, and are the greater ones; between equal times the execution's name decides.
    """

    requested_at: str
    execution: str
    package: str


class Request(NamedTuple):
    """What one execution of the release machine was started for. `started` is the machine's own text.

    `report` is the evidence by which the package was approved, "" where the input does not say.
    """

    model: str
    package: str
    trigger: Trigger
    execution: str
    execution_arn: str
    started: str
    requested_at: str
    report: str = ""

    @property
    def desired(self) -> Desired:
        """Return what this request asks for, with its place in the order of requests."""
        return Desired(self.requested_at, self.execution, self.package)


class Served(NamedTuple):
    """A release that was verified and recorded: this package, by this endpoint config."""

    package: str
    config: str


class Facts(NamedTuple):
    """What is the case in one stage: read anew for every plan.

    `status` is the approval of the request's own package (None: not registered), `live` the package that the endpoint
    serves (None: none, or something that is no package), `released` what was released to the stage, oldest first,
    `approved` the group's approved packages, newest first. `reviewed` says whether a person let the package into this
    stage, `deleted` whether this execution took the stage's endpoint down.
    """

    status: str | None
    desired: Desired | None
    endpoint: Endpoint | None
    live: str | None = None
    released: Sequence[Served] = ()
    approved: Sequence[str] = ()
    reviewed: bool = False
    deleted: bool = False


class Place(NamedTuple):
    """A stage, and the name of the model's endpoint in it."""

    stage: Stage
    endpoint: str

    @property
    def patience_seconds(self) -> int:
        """Return how long to wait for the endpoint: one deployment, and what may be left of another's."""
        return self.stage.rollout.deployment_seconds + _OTHERS_SECONDS


type NeedWord = Literal[
    "create", "update", "verify", "review", "delete", "torn-down", "wait", "keep", "withdrawn", "superseded"
]


class Need(NamedTuple):
    """What a stage needs, and of which package (None where none is deployed)."""

    word: NeedWord
    package: str | None = None


def read_request(question: ReleaseQuestion, prefix: str) -> Request:
    """Return the request in a question of the release machine.

    An execution starts after what it was started for, so a request that claims to be of the future is as old as its
    execution: else it would be later than all that come after it, and end each of them as superseded.

    Raises:
        ReleaseError: the input names no package of the model, no trigger, or no moment.
    """
    given = Fields(question["input"], lambda problem: ReleaseError(f"the release's input: {problem}"))
    model, package = given.text("model"), given.text("package")
    trigger = cast("Trigger", given.choice("trigger", TRIGGERS))
    _check_group(package, names.package_group(prefix, model))
    try:
        started = moments.moment_of(question["started"])
        requested_at = min(moments.moment_of(given.optional("requested_at") or question["started"]), started)
    except ValueError as error:
        raise given.refuse("requested_at", f"is wrong: {error}") from None
    return Request(
        model=model,
        package=package,
        trigger=trigger,
        execution=question["execution"],
        execution_arn=question["execution_arn"],
        started=question["started"],
        requested_at=moments.text_of(requested_at),
        report=given.optional("report") or "",
    )


def unreadable(question: ReleaseQuestion) -> Request:
    """Return a request for telling people of an input that `read_request` refused."""
    given = question["input"] if isinstance(question["input"], dict) else {}
    return Request(
        model=str(given.get("model") or ""),
        package=str(given.get("package") or ""),
        trigger="approved",
        execution=question["execution"],
        execution_arn=question["execution_arn"],
        started=question["started"],
        requested_at="",
    )


def _check_group(package: str, group: str) -> None:
    try:
        named = names.group_of_package(package)
    except ValueError as error:
        raise ReleaseError(f"the release's input: package: {error}") from None
    if named != group:
        raise ReleaseError(
            f"the release's input: {package} belongs to group {named!r}, not to the model's group {group!r}"
        )
