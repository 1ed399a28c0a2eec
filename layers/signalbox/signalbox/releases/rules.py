"""What a stage needs next: the registry is the truth, and the stage is reconciled to it.

The rules see a snapshot and decide; they are asked again before every step, so an execution that is repeated, started
twice or overtaken finds the world as it is and not as it was.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from signalbox import names
from signalbox.releases.errors import ReleaseError
from signalbox.releases.ports import Endpoint, Served, Wish
from signalbox.stages import Stage

APPROVED = "Approved"
REJECTED = "Rejected"
IN_SERVICE = "InService"
# SageMaker takes neither an update nor a deletion meanwhile (API reference, EndpointStatus).
BUSY = frozenset(("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"))
_BECAUSE = ("approved", "rejected")
_FIXED = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True)
class Request:
    """One question of the release machine: what does stage number `stage_index` need?"""

    model: str
    package: str
    because: str
    execution: str
    requested_at: str
    stage_index: int
    reviewed: frozenset[str] = frozenset()
    deleted: frozenset[str] = frozenset()

    @classmethod
    def read(cls, payload: dict[str, Any], prefix: str) -> Self:
        """Return the request in the function's payload.

        `{"execution", "started", "input": {"model", "package", "because", "requested_at"?}, "stage_index",
        "reviewed": [stage], "deleted": [stage]}`; `deleted` are stages whose endpoint this execution took down.

        Raises:
            ReleaseError: the input names no package of the model, or no reason.
        """
        given = payload["input"]
        for field in ("model", "package", "because"):
            if not isinstance(given.get(field), str):
                raise ReleaseError(f"the release's input has no {field!r}: give model, package and because as strings")
        if given["because"] not in _BECAUSE:
            raise ReleaseError(f"because is {given['because']!r}: allowed are {' and '.join(_BECAUSE)}")
        _check_group(given["package"], names.package_group(prefix, given["model"]))
        return cls(
            model=given["model"],
            package=given["package"],
            because=given["because"],
            execution=payload["execution"],
            requested_at=moment(given.get("requested_at") or payload["started"]),
            stage_index=payload["stage_index"],
            reviewed=frozenset(payload.get("reviewed", ())),
            deleted=frozenset(payload.get("deleted", ())),
        )

    @property
    def wish(self) -> Wish:
        """Return what this request asks for, with its place in the order of requests."""
        return Wish(self.requested_at, self.execution, self.package)


@dataclass(frozen=True)
class Snapshot:
    """What is the case: the named package's status, the wish that holds, and the stage as it is."""

    status: str | None
    wish: Wish | None
    endpoint: Endpoint | None
    released: Sequence[Served] = ()
    approved: Sequence[str] = ()


@dataclass(frozen=True)
class Decision:
    """What to do next, and with which package (None where none is deployed)."""

    action: str
    package: str | None = None


@dataclass(frozen=True)
class Failed:
    """A deployment that failed: what it was about to do to the endpoint, and what was live before."""

    action: str
    because: str
    config: str
    previous: str | None


@dataclass(frozen=True)
class Back:
    """How a failed stage is put back: `action` is kept, update, delete, wait, gone, again or leave."""

    action: str
    reason: str


def moment(text: str) -> str:
    """Return a time as UTC text of one fixed width, so that texts compare as times do.

    `text` is an ISO time with its zone or, as in some of SageMaker's events, milliseconds since 1970.

    Raises:
        ReleaseError: it is neither.
    """
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return datetime.fromtimestamp(float(text) / 1000, UTC).strftime(_FIXED)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ReleaseError(f"{text!r} is not an ISO time: give one such as 2026-11-20T10:00:14Z") from None
    if at.tzinfo is None:
        raise ReleaseError(f"{text!r} has no time zone: give one such as 2026-11-20T10:00:14Z")
    return at.astimezone(UTC).strftime(_FIXED)


def decide(request: Request, stage: Stage, snapshot: Snapshot) -> Decision:
    """Return what `stage` needs.

    Raises:
        ReleaseError: the endpoint is in a state that only a person can end.
    """
    if request.because == "rejected":
        return _decide_rejected(request, stage, snapshot)
    return _decide_approved(request, stage, snapshot)


def heal(config: str | None, snapshot: Snapshot) -> Decision | None:
    """Return what makes good an update of this execution that came late, over that of a newer request; mostly None.

    SageMaker's update knows no condition: an execution that lost time between its plan and its update may take a stage
    from a newer one. It is the one who finds that out, by the next question, and gives the stage back: `config` is the
    config this execution deployed there, and the wish's package was released there before.
    """
    endpoint, wish = snapshot.endpoint, snapshot.wish
    if endpoint is None or wish is None or endpoint.config != config or endpoint.package == wish.package:
        return None
    if wish.package not in snapshot.approved or wish.package not in {served.package for served in snapshot.released}:
        return None
    if endpoint.status in BUSY:
        return Decision("wait")
    return Decision("update", wish.package) if endpoint.status == IN_SERVICE else None


def _decide_approved(request: Request, stage: Stage, snapshot: Snapshot) -> Decision:
    """Deploy the package that was named, never another one, and only while it is approved and still wanted."""
    if snapshot.status != APPROVED:
        return Decision("withdrawn")
    if snapshot.wish != request.wish:
        return Decision("superseded")
    endpoint = snapshot.endpoint
    if endpoint and endpoint.status in BUSY:
        return Decision("wait")
    if endpoint and endpoint.status == IN_SERVICE and endpoint.package == request.package:
        # Live without a record: an earlier execution ended between its update and its verification.
        seen = Served(request.package, endpoint.config) in snapshot.released
        return Decision("none" if seen else "verify", request.package)
    if stage.approval and stage.name not in request.reviewed:
        return Decision("review", request.package)
    return _deploy(endpoint, request.package)


def _decide_rejected(request: Request, stage: Stage, snapshot: Snapshot) -> Decision:
    """Take the rejected package off the stage: the newest one that may serve there returns, else the endpoint goes."""
    endpoint, heir = snapshot.endpoint, _heir(request.package, stage, snapshot)
    if endpoint is None and stage.name in request.deleted:
        # Asked before all else: what this execution took down, it leaves only if nothing may serve there.
        return Decision("create", heir) if heir else Decision("torn-down")
    if snapshot.status == APPROVED:
        return Decision("withdrawn")
    if endpoint is None:
        return Decision("none")
    if endpoint.status in BUSY:
        return Decision("wait")
    if endpoint.package != request.package:
        return Decision("none")
    return _deploy(endpoint, heir) if heir else Decision("delete")


def _heir(rejected: str, stage: Stage, snapshot: Snapshot) -> str | None:
    """Return the package that may return to `stage`: the one that is wished for, else the most recent approved one.

    A rollback asks nobody, so where a person lets packages in one by one, only a package that was in may return.
    """
    been_there = {served.package for served in snapshot.released}
    heirs = [
        arn
        for arn in snapshot.approved
        if (arn != rejected or snapshot.status == APPROVED) and (not stage.approval or arn in been_there)
    ]
    if snapshot.wish and snapshot.wish.package in heirs:
        return snapshot.wish.package
    return heirs[0] if heirs else None


def _deploy(endpoint: Endpoint | None, package: str) -> Decision:
    if endpoint is None:
        return Decision("create", package)
    if endpoint.status == IN_SERVICE:
        return Decision("update", package)
    if endpoint.status == "Failed":
        # A failed endpoint can only be deleted (API reference, EndpointStatus); the next question says create.
        return Decision("delete", package)
    raise ReleaseError(
        f"endpoint {endpoint.name} is {endpoint.status}, which takes no update "
        f"({endpoint.reason or 'SageMaker gave no reason'}): repair or delete it, then start the release again"
    )


def put_back(failed: Failed, endpoint: Endpoint | None, previous_status: str | None) -> Back:
    """Return how the stage gets back to where it was; `previous_status` is that of the package which served before.

    Only an endpoint that is on this execution's own config is moved. Whatever else is live, another release put there:
    nothing failed then, and what the stage needs has to be asked `again`.
    """
    if endpoint is None:
        # Where there was an endpoint before, somebody else took it down.
        return Back("gone" if failed.action == "create" else "again", "there is no endpoint")
    if endpoint.status in BUSY:
        return Back("wait", f"the endpoint is {endpoint.status}")
    if endpoint.config == failed.config:
        return _off_failed_config(failed, endpoint, previous_status)
    if endpoint.status != IN_SERVICE:
        return Back("leave", f"the endpoint is {endpoint.status} on {endpoint.config}: delete it, then release again")
    if endpoint.config == failed.previous:
        return Back("kept", "the previous config serves")
    return Back("again", f"the endpoint is on {endpoint.config}, which another release put there")


def _off_failed_config(failed: Failed, endpoint: Endpoint, previous_status: str | None) -> Back:
    if failed.action == "verify":
        return Back("leave", "this execution deployed nothing: the endpoint is as it was found")
    if failed.previous is None:
        return Back("delete", "the first endpoint of the stage did not come to serve")
    if endpoint.status != IN_SERVICE:
        return Back("leave", f"the endpoint is {endpoint.status} and takes no update: delete it, then release again")
    if failed.because == "rejected" or previous_status == REJECTED:
        return Back("leave", "the package that served before is rejected and must not return: a person has to decide")
    return Back("update", "the failed config serves")


def _check_group(package: str, group: str) -> None:
    try:
        named = names.group_of_package(package)
    except ValueError as error:
        raise ReleaseError(str(error)) from None
    if named != group:
        raise ReleaseError(f"{package} belongs to group {named!r}, not to the model's group {group!r}")
