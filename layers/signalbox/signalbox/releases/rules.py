"""What a stage needs: the registry is the truth, and the stage is reconciled to it.

The rules see facts and decide. They are asked again before every action, so an execution that is repeated, started
twice or overtaken finds the world as it is and not as it was.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from signalbox.aws.model import Endpoint, ModelPackage
from signalbox.contracts.releases import (
    Deployment,
    RegistryChange,
    ReleaseVerdict,
    RollbackResult,
    StageOutcome,
    Trigger,
)
from signalbox.releases.model import BUSY, IN_SERVICE, Facts, Need, ReleaseError, Request, Served
from signalbox.stages import Stage

APPROVED, REJECTED = "Approved", "Rejected"
# How the words begin that a review leaves in the registry, by the status that it writes (`reviews.rules.description`).
_DECIDED = frozenset(((APPROVED, "approved"), (REJECTED, "rejected"), (REJECTED, "expired")))


def need(request: Request, stage: Stage, facts: Facts) -> Need:
    """Return what `stage` needs.

    Raises:
        ReleaseError: the endpoint is in a state that only a person can end.
    """
    if request.trigger == "rejected":
        return _need_after_rejection(request, stage, facts)
    return _need_after_approval(request, stage, facts)


def check_instances(package: ModelPackage | None, stages: Sequence[Stage]) -> None:
    """Refuse a package that does not support the instances of every stage: before the first of them is moved.

    Raises:
        ReleaseError: it names the types that it supports (registry: SupportedRealtimeInferenceInstanceTypes), and not
            that of a stage.
    """
    supported = package.realtime_types if package else ()
    for stage in stages:
        if package and supported and stage.instance_type not in supported:
            raise ReleaseError(
                f"{package.arn} supports {', '.join(supported)}, and the stage {stage.name} has the instance_type "
                f"{stage.instance_type}: register the package with that type too, or change the stages document"
            )


def give_back(config: str | None, facts: Facts) -> Need | None:
    """Return what makes good an update of this execution that came late, over that of a newer request; mostly None.

    SageMaker's update knows no condition: an execution that lost time between its plan and its update may take a stage
    from a newer one. It is the one that finds that out, by its next plan, and gives the stage back: `config` is the
    config that this execution deployed there, and the desired package, which was asked for later, was released there
    before.
    """
    endpoint, desired = facts.endpoint, facts.desired
    if endpoint is None or desired is None or endpoint.config != config or facts.live == desired.package:
        return None
    if desired.package not in facts.approved or desired.package not in {served.package for served in facts.released}:
        return None
    if endpoint.status in BUSY:
        return Need("wait")
    return Need("update", desired.package) if endpoint.status == IN_SERVICE else None


def _need_after_approval(request: Request, stage: Stage, facts: Facts) -> Need:
    """Deploy the package that was named, never another one, and only while it is approved and still desired."""
    if facts.status != APPROVED:
        return Need("withdrawn")
    if facts.desired != request.desired:
        return Need("superseded")
    endpoint = facts.endpoint
    if endpoint and endpoint.status in BUSY:
        return Need("wait")
    if endpoint and endpoint.status == IN_SERVICE and facts.live == request.package:
        # Live without a record: an earlier execution ended between its update and its verification.
        recorded = Served(request.package, endpoint.config) in facts.released
        return Need("keep" if recorded else "verify", request.package)
    if stage.approval and not facts.reviewed:
        return Need("review", request.package)
    return _deploy(endpoint, request.package)


def _need_after_rejection(request: Request, stage: Stage, facts: Facts) -> Need:
    """Take the rejected package off the stage: what it served before returns, else another, else the endpoint goes."""
    endpoint, fallback = facts.endpoint, _fallback(request.package, stage, facts)
    if endpoint is None and facts.deleted:
        # Asked before all else: what this execution took down, it leaves only if nothing may serve there.
        return Need("create", fallback) if fallback else Need("torn-down")
    if facts.status == APPROVED:
        return Need("withdrawn")
    if endpoint is None:
        return Need("keep")
    if endpoint.status in BUSY:
        return Need("wait")
    if facts.live != request.package:
        return Need("keep", facts.live)
    return _deploy(endpoint, fallback) if fallback else Need("delete")


def _fallback(rejected: str, stage: Stage, facts: Facts) -> str | None:
    """Return the approved package that may return to `stage`: what it served last, else the desired one, else another.

    A rollback asks nobody, so where a person lets packages in one by one, only a package that was in may return.
    """
    been_there = [served.package for served in reversed(facts.released)]
    desired = [facts.desired.package] if facts.desired else []
    candidates = been_there if stage.approval else [*been_there, *desired, *facts.approved]
    may_serve = {arn for arn in facts.approved if arn != rejected or facts.status == APPROVED}
    return next((arn for arn in candidates if arn in may_serve), None)


def _deploy(endpoint: Endpoint | None, package: str) -> Need:
    if endpoint is None:
        return Need("create", package)
    if endpoint.status == IN_SERVICE:
        return Need("update", package)
    if endpoint.status == "Failed":
        # A failed endpoint can only be deleted (API reference, EndpointStatus); the next plan says create.
        return Need("delete", package)
    raise ReleaseError(
        f"endpoint {endpoint.name} is {endpoint.status}, which takes no update "
        f"({endpoint.reason or 'SageMaker gave no reason'}): repair or delete it, then start the release again"
    )


type RollbackWord = Literal["update", "delete", "wait", "verify", "plan-anew"] | RollbackResult


class FailedStage(NamedTuple):
    """A stage whose deployment has failed, as it is now.

    `previous_status` is the approval of what served before, `changed` says how its content has changed since.
    """

    deployment: Deployment
    trigger: Trigger
    endpoint: Endpoint | None
    previous_status: str | None = None
    changed: str = ""

    @property
    def status(self) -> str:
        """Return the endpoint's status; "" where there is no endpoint."""
        return self.endpoint.status if self.endpoint else ""

    @property
    def config(self) -> str | None:
        """Return the endpoint's config."""
        return self.endpoint.config if self.endpoint else None

    @property
    def on_own_config(self) -> bool:
        """Say whether the endpoint is on the config of the failed deployment."""
        return self.config == self.deployment["config"]

    @property
    def must_not_return(self) -> bool:
        """Say whether what served before is rejected."""
        return self.trigger == "rejected" or self.previous_status == REJECTED


class RollbackRow(NamedTuple):
    """One row of the rollback: how a failed stage goes on where the row holds, and why.

    The word is the next action, or a result, which ends the rollback. The reason may name `{status}`, `{config}`
    and `{changed}`.
    """

    word: RollbackWord
    holds: Callable[[FailedStage], bool]
    reason: str


# The first row that holds counts. Only an endpoint that is on this execution's own config is moved: whatever else is
# live, another release put there, so nothing failed and what the stage needs has to be planned anew.
ROLLBACK = (
    RollbackRow(
        "left",
        lambda stage: stage.deployment["kind"] == "verify",
        "this release deployed nothing, so the endpoint is as it was found",
    ),
    RollbackRow("untouched", lambda stage: not stage.deployment["moved"], "the endpoint had not been moved"),
    RollbackRow(
        "removed",
        lambda stage: stage.endpoint is None and stage.deployment["kind"] == "create",
        "the first endpoint of the stage did not come to serve",
    ),
    RollbackRow("plan-anew", lambda stage: stage.endpoint is None, "somebody else has deleted the endpoint"),
    RollbackRow("wait", lambda stage: stage.status in BUSY, "the endpoint is {status}"),
    RollbackRow(
        "delete",
        lambda stage: stage.on_own_config and stage.deployment["previous"] is None,
        "the first endpoint of the stage did not come to serve",
    ),
    RollbackRow(
        "left",
        lambda stage: stage.on_own_config and stage.status != IN_SERVICE,
        "the endpoint is {status} and takes no update: delete it, then release again",
    ),
    RollbackRow(
        "left",
        lambda stage: stage.on_own_config and stage.must_not_return,
        "the package that served before is rejected and must not return: a person has to decide",
    ),
    RollbackRow("left", lambda stage: stage.on_own_config and bool(stage.changed), "{changed}: a person has to decide"),
    RollbackRow("update", lambda stage: stage.on_own_config, "the failed config serves"),
    RollbackRow(
        "left",
        lambda stage: stage.status != IN_SERVICE,
        "the endpoint is {status} on {config}: delete it, then release again",
    ),
    RollbackRow("verify", lambda stage: stage.config == stage.deployment["previous"], "the previous config serves"),
    RollbackRow("plan-anew", lambda _: True, "the endpoint is on {config}, which another release put there"),
)


def roll_back(stage: FailedStage) -> tuple[RollbackWord, str]:
    """Return how a failed stage gets back to where it was: the next action or the result, and why."""
    row = next(row for row in ROLLBACK if row.holds(stage))
    return row.word, row.reason.format(status=stage.status, config=stage.config, changed=stage.changed)


def verdict_of(trigger: Trigger, stages: list[StageOutcome]) -> ReleaseVerdict:
    """Return how a release ended that came through all its stages."""
    verdicts = {stage["verdict"] for stage in stages}
    if "torn-down" in verdicts:
        return "torn-down"
    if "released" not in verdicts:
        return "nothing-to-do"
    return "released" if trigger == "approved" else "rolled-back"


def change_of(package: ModelPackage) -> RegistryChange:
    """Return the last change of a package in the registry.

    The registry keeps the words of an earlier decision where a later one brings none, and ours begin with what was
    decided and by whom: so words about another status than the package's are no words about this change.
    """
    text, status = package.description.strip(), package.approval
    decided = text.split(" ", 1)[0]
    if (status, decided) in _DECIDED:
        return {"package": package.arn, "status": status, "by": "", "words": text}
    words = "" if decided in {word for _, word in _DECIDED} else text
    return {"package": package.arn, "status": status, "by": package.changed_by, "words": words}


def is_news(trigger: Trigger, verdict: ReleaseVerdict) -> bool:
    """Say whether people are told of an ending: a rejection that touched no stage is no news."""
    return trigger == "approved" or verdict not in ("nothing-to-do", "withdrawn")
