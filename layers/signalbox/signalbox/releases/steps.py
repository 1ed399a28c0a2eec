"""The steps of a release: what a stage's need, or a failed stage, makes of its progress."""

from collections.abc import Mapping
from typing import Literal

from signalbox import names
from signalbox.aws.model import Endpoint
from signalbox.contracts.releases import Deployment, ReleaseProgress, ReleaseStep, Trigger
from signalbox.releases.model import EndpointBusyError, Facts, Need, NeedWord, Place, Request
from signalbox.releases.rules import RollbackWord, verdict_of
from signalbox.releases.tracking import MAKES, cleaning, deployment_of, end, finish_rollback, finish_stage
from signalbox.stages import Stage, StagesDocument

_ARRIVING: tuple[ReleaseStep, ...] = ("settle", "verify", "delete-alarm", "record")
# What is done about each need of a stage, in this order. The last three end the stage, or the release (see `end`).
STEPS: Mapping[NeedWord, tuple[ReleaseStep, ...]] = {
    # A first deployment is not watched. The alarm of an update is of no use behind it, and costs while it is there.
    "create": ("create-model", "create-config", "create-endpoint", *_ARRIVING),
    "update": ("create-model", "put-alarm", "create-config", "update-endpoint", *_ARRIVING),
    "verify": ("verify", "record"),
    "review": ("review",),
    "delete": ("delete-endpoint", "wait"),
    "torn-down": ("record",),
    "wait": ("wait",),
    "keep": (),
    "withdrawn": (),
    "superseded": (),
}
# How often a stage is planned anew because others keep moving it.
ATTEMPTS = 3


def resource_names(execution: str, stage: str, package: str) -> tuple[str, str]:
    """Return the names of the model and the endpoint config: the same execution, stage and package, the same names.

    A repeated create call is therefore either refused, because the first one arrived, or the first one to arrive.
    """
    group, version = names.group_of_package(package), names.version_of_package(package)
    model, config = (names.job(group, execution, f"{stage}-v{version}-{what}") for what in ("model", "config"))
    return model, config


def own_config(request: Request, place: Place, facts: Facts) -> str | None:
    """Return the config by which this execution would serve what is live; whatever else is live, it did not deploy."""
    known = facts.live if facts.live in facts.approved else None
    return resource_names(request.execution, place.stage.name, known)[1] if known else None


def next_stage(progress: ReleaseProgress, document: StagesDocument) -> Stage | None:
    """Return the first stage that the release has not done with; None behind the last one.

    The document may have changed since the last plan, so what is done with is known by its name.
    """
    done_with = {one["stage"] for one in progress["stages"]}
    return next((stage for stage in document.stages if stage.name not in done_with), None)


def last_stage(progress: ReleaseProgress, document: StagesDocument) -> Stage | None:
    """Return the stage that the release was done with last, if there still is one of its name."""
    return document.find(progress["stages"][-1]["stage"]) if progress["stages"] else None


def come_through(progress: ReleaseProgress, trigger: Trigger) -> None:
    """End a release that has no stage left; a deployment to a stage that was removed meanwhile is taken away first."""
    deployment, progress["deployment"] = progress["deployment"], None
    unused = cleaning(deployment) if deployment and progress["todo"] else []
    if unused:
        progress["deployment"], progress["todo"] = deployment, unused
    else:
        end(progress, trigger, verdict_of(trigger, progress["stages"]))


def plan(progress: ReleaseProgress, request: Request, place: Place, need: Need, facts: Facts) -> None:
    """Plan what a stage needs; a deployment under way goes on only where it is what the stage still needs.

    Raises:
        EndpointBusyError: others have kept moving the endpoint for too long.
    """
    if need.word == "wait" and progress["waited"] >= place.patience_seconds:
        raise EndpointBusyError(place.endpoint, place.patience_seconds)
    if progress["deployment"] and progress["todo"]:
        _go_on(progress, progress["deployment"], place, need, facts)
        return
    progress["deployment"] = None
    progress["todo"] = list(STEPS[need.word])
    if need.word == "keep":
        finish_stage(progress, place.stage.name, "kept", need.package, place.endpoint)
    elif need.word in ("withdrawn", "superseded"):
        end(progress, request.trigger, need.word, place.stage.name)
    elif need.package and need.word in ("create", "update", "verify"):
        progress["deployment"] = _begin_deployment(request, place, need.word, need.package, facts.endpoint)


def _begin_deployment(
    request: Request,
    place: Place,
    kind: Literal["create", "update", "verify"],
    package: str,
    endpoint: Endpoint | None,
) -> Deployment:
    model, config = resource_names(request.execution, place.stage.name, package)
    return {
        "kind": kind,
        "hosting": place.stage.hosting,
        "stage": place.stage.name,
        "endpoint": place.endpoint,
        "package": package,
        "model": model,
        "config": endpoint.config if kind == "verify" and endpoint else config,
        "previous": endpoint.config if endpoint else None,
        "patience_seconds": place.patience_seconds,
        "made": [],
        "moved": False,
        "answers": 0,
        "isolated": place.stage.network_isolation,
    }


def _go_on(progress: ReleaseProgress, deployment: Deployment, place: Place, need: Need, facts: Facts) -> None:
    if need.word == "wait":
        progress["todo"].insert(0, "wait")
    elif need.word in ("create", "update") and (need.package, place.stage.name) == (
        deployment["package"],
        deployment["stage"],
    ):
        # Others may have made, moved or deleted the endpoint since the deployment began.
        deployment["kind"] = "create" if need.word == "create" else "update"
        deployment["previous"] = facts.endpoint.config if facts.endpoint else None
        progress["todo"] = [step for step in STEPS[need.word] if MAKES.get(step) not in deployment["made"]]
    else:
        progress["todo"] = cleaning(deployment)


def roll_back(progress: ReleaseProgress, word: RollbackWord, reason: str) -> None:
    """Take the next step of a rollback, as `rules.roll_back` says."""
    if word == "update":
        progress["todo"] = ["update-endpoint", "settle"]
    elif word == "delete":
        progress["todo"] = ["delete-endpoint", "settle"]
    elif word == "wait":
        progress["todo"] = ["settle"]
    elif word == "verify":
        progress["todo"] = ["verify"]
    elif word != "plan-anew":
        finish_rollback(progress, word, reason)
    elif progress["attempts"] < ATTEMPTS:
        _plan_anew(progress)
    else:
        finish_rollback(progress, "overtaken", reason)


def _plan_anew(progress: ReleaseProgress) -> None:
    """Take the failure back: the stage is another release's now, and its next need may be none of ours.

    Our config served until then, so it may be what that release goes back to: it stays, with its model.
    """
    deployment = deployment_of(progress)
    deployment["moved"] = False
    progress["attempts"] += 1
    progress["problem"] = progress["verdict"] = None
    progress["todo"] = ["wait", *(step for step in cleaning(deployment) if step == "delete-alarm")]
