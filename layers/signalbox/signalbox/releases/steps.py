"""The steps of a release: what a need, an answer and a rollback make of its progress.

All functions change the progress that they are given, which is the plan's own copy, and nothing else.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, cast

from signalbox import names
from signalbox.aws.model import Endpoint
from signalbox.contracts import (
    Deployment,
    Failure,
    ReleaseAction,
    ReleaseProgress,
    ReleaseStep,
    ReleaseVerdict,
    ReviewDecision,
    RollbackResult,
    StageVerdict,
    Trigger,
)
from signalbox.releases.model import EndpointBusyError, Facts, Need, NeedWord, Place, Request
from signalbox.releases.reactions import Reaction
from signalbox.releases.rules import RollbackWord, is_news, verdict_of

if TYPE_CHECKING:
    from signalbox.contracts import (
        Verified,
    )

# What is done about each need of a stage, in this order. The last three end the stage, or the release (see `end`).
STEPS: Mapping[NeedWord, tuple[ReleaseStep, ...]] = {
    "create": ("create-model", "put-alarm", "create-config", "create-endpoint", "settle", "verify", "record"),
    "update": ("create-model", "put-alarm", "create-config", "update-endpoint", "settle", "verify", "record"),
    "verify": ("verify", "record"),
    "review": ("review",),
    "delete": ("delete-endpoint", "wait"),
    "torn-down": ("delete-alarm", "record"),
    "wait": ("wait",),
    "keep": (),
    "withdrawn": (),
    "superseded": (),
}
# Before each of these the stage's need is asked for again: a newer approval, a rejection or another execution counts.
_MOVES = frozenset[ReleaseStep](("create-endpoint", "update-endpoint"))
CHANGES = _MOVES | frozenset[ReleaseStep](("create-model", "put-alarm", "create-config"))
# How often a stage is planned anew because others keep moving it.
ATTEMPTS = 3


def begin() -> ReleaseProgress:
    """Return the progress of a release that has done nothing yet."""
    return {
        "asked": None,
        "todo": [],
        "stage_index": 0,
        "reviewed": [],
        "deleted": [],
        "stages": [],
        "deployment": None,
        "decision": None,
        "verdict": None,
        "stage": None,
        "problem": None,
        "rollback": None,
        "tries": 0,
        "attempts": 0,
        "waited": 0,
        "rounds": 0,
    }


def asks_for_need(progress: ReleaseProgress) -> bool:
    """Say whether the stage's need has to be looked at before anything else is done."""
    going_on = progress["verdict"] is None and progress["problem"] is None
    return going_on and (not progress["todo"] or progress["todo"][0] in CHANGES)


def asks_for_rollback(progress: ReleaseProgress) -> bool:
    """Say whether the failed stage has to be looked at before anything else is done."""
    return progress["problem"] is not None and not progress["todo"]


def ask(progress: ReleaseProgress, action: ReleaseAction) -> None:
    """Take note of what the machine is asked for."""
    progress["asked"] = action
    if action in ("create-endpoint", "update-endpoint") and progress["problem"] is None:
        deployment_of(progress)["moved"] = True


def stage_of(progress: ReleaseProgress) -> str:
    """Return the name of the stage at hand, "" behind the last one."""
    return progress["deployment"]["stage"] if progress["deployment"] else progress["stage"] or ""


def deployment_of(progress: ReleaseProgress) -> Deployment:
    """Return the deployment under way.

    Raises:
        LookupError: there is none, so the step that asked belongs to none.
    """
    deployment = progress["deployment"]
    if deployment is None:
        raise LookupError("no deployment is under way: this step belongs to one")
    return deployment


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
        _finish_stage(progress, place.stage.name, "kept", need.package, place.endpoint)
        progress["stage_index"] += 1
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
        "stage_index": place.index,
        "endpoint": place.endpoint,
        "package": package,
        "model": model,
        "config": endpoint.config if kind == "verify" and endpoint else config,
        "previous": endpoint.config if endpoint else None,
        "patience_seconds": place.patience_seconds,
        "made": [],
        "moved": False,
        "answers": 0,
    }


def _go_on(progress: ReleaseProgress, deployment: Deployment, place: Place, need: Need, facts: Facts) -> None:
    if need.word == "wait":
        progress["todo"].insert(0, "wait")
    elif need.word in ("create", "update") and (need.package, place.index) == (
        deployment["package"],
        deployment["stage_index"],
    ):
        # Others may have made, moved or deleted the endpoint since the deployment began.
        deployment["kind"] = "create" if need.word == "create" else "update"
        deployment["previous"] = facts.endpoint.config if facts.endpoint else None
        move: ReleaseStep = "create-endpoint" if need.word == "create" else "update-endpoint"
        progress["todo"] = [move if step in _MOVES else step for step in progress["todo"]]
    else:
        progress["todo"] = _cleaning(deployment)


def end(progress: ReleaseProgress, trigger: Trigger, verdict: ReleaseVerdict, stage: str | None = None) -> None:
    """Bring the release to an end that was decided: at `stage`, or behind all of them."""
    progress["verdict"] = verdict
    progress["stage"] = stage
    recorded: list[ReleaseStep] = ["record"] if stage else []
    told: list[ReleaseStep] = ["announce"] if is_news(trigger, verdict) else []
    progress["todo"] = [*recorded, *told, "done"]


def fail(progress: ReleaseProgress, failure: Failure, result: RollbackResult = "untouched", reason: str = "") -> None:
    """Let the release fail where there is nothing to roll back; the first failure is kept."""
    progress["problem"] = progress["problem"] or failure
    progress["verdict"] = "failed"
    progress["rollback"] = {"result": result, "reason": reason or "the release had changed nothing"}
    progress["todo"] = ["announce", "failed"]


def begin_rollback(progress: ReleaseProgress, failure: Failure) -> None:
    """Let the stage fail: what comes next is planned as a rollback."""
    progress["problem"] = failure
    progress["verdict"] = "failed"
    progress["todo"] = []
    progress["waited"] = progress["tries"] = 0


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
    """Take the failure back: the stage is another release's now, and its next need may be none of ours."""
    deployment = deployment_of(progress)
    deployment["moved"] = False
    progress["attempts"] += 1
    progress["problem"] = progress["verdict"] = None
    progress["todo"] = ["wait", *_cleaning(deployment)]


def finish_rollback(progress: ReleaseProgress, result: RollbackResult, reason: str) -> None:
    """Record how the failed stage was left, take away what is off the endpoint, and tell people."""
    progress["rollback"] = {"result": result, "reason": reason}
    unused = _cleaning(deployment_of(progress)) if result in ("untouched", "restored", "removed") else []
    progress["todo"] = ["record", *unused, "announce", "failed"]


def done(progress: ReleaseProgress, result: object) -> None:
    """Take note that what was asked has been done, with its result."""
    asked, deployment = progress["asked"], progress["deployment"]
    if asked == "wait":
        if progress["todo"][:1] == ["wait"]:  # "settle" asks for waits too, and stays until the endpoint is at rest
            del progress["todo"][0]
        return
    del progress["todo"][0]
    progress["tries"] = progress["waited"] = 0
    if asked == "review":
        _reviewed(progress, cast("ReviewDecision", result))
    elif asked == "close-review":
        _closed(progress, cast("ReviewDecision", result))
    elif asked == "verify" and progress["problem"]:
        finish_rollback(progress, "restored", "the previous config serves and answers as it did")
    elif asked == "record" and progress["verdict"] is None:
        _recorded(progress)
    elif asked == "delete-endpoint" and not progress["problem"]:
        progress["deleted"].append(str(progress["stage"]))
    elif asked == "verify":
        verified: Verified = cast("Verified", result)
        deployment_of(progress)["answers"] = verified["answers"]
    elif deployment is not None:
        _made(progress, deployment)


def react(progress: ReleaseProgress, reaction: Reaction, failure: Failure) -> None:
    """Take note that what was asked has failed, and how a release reacts to that."""
    if reaction == "proceed":
        done(progress, None)
    elif reaction in ("repeat", "look"):
        progress["todo"].insert(0, "wait")
    elif reaction == "close":
        progress["todo"] = ["close-review"]
        progress["tries"] = 0
    elif reaction == "roll back":
        begin_rollback(progress, failure)
    elif reaction == "unverified":
        finish_rollback(progress, "unverified", failure.get("Cause") or failure["Error"])
    elif reaction == "unrecorded":
        stage = "the stage is as it should be" if progress["verdict"] is None else "the stage is as it was"
        fail(progress, failure, "unrecorded", f"{stage}, but that could not be written down: start the release again")
    elif progress["asked"] == "announce":
        progress["problem"], progress["todo"] = failure, ["failed"]
    else:
        fail(progress, failure)


def stage_verdict(progress: ReleaseProgress) -> StageVerdict | ReleaseVerdict:
    """Return what is recorded of the stage at hand."""
    return progress["verdict"] or ("released" if progress["deployment"] else "torn-down")


def come_through(progress: ReleaseProgress, trigger: Trigger) -> None:
    """End a release that came through all its stages."""
    end(progress, trigger, verdict_of(trigger, progress["stages"]))


def _cleaning(deployment: Deployment) -> list[ReleaseStep]:
    """Return the steps that take away what a deployment has made, the config before its model."""
    steps: list[ReleaseStep] = []
    if "config" in deployment["made"]:
        steps.append("delete-config")
    if "model" in deployment["made"]:
        steps.append("delete-model")
    return steps


def _made(progress: ReleaseProgress, deployment: Deployment) -> None:
    asked, made = progress["asked"], deployment["made"]
    if asked == "create-model":
        made.append("model")
    elif asked == "create-config":
        made.append("config")
    elif asked == "delete-config":
        made.remove("config")
    elif asked == "delete-model":
        made.remove("model")


def _reviewed(progress: ReleaseProgress, decision: ReviewDecision) -> None:
    progress["decision"] = decision
    progress["reviewed"].append(str(progress["stage"]))


def _closed(progress: ReleaseProgress, decision: ReviewDecision) -> None:
    """Take how a review ended after all: a decision of the last moment counts."""
    if decision["decision"] == "approved":
        _reviewed(progress, decision)
        return
    progress["decision"] = decision
    # Only an approved package is reviewed.
    end(progress, "approved", "declined" if decision["decision"] == "rejected" else "expired", progress["stage"])


def _recorded(progress: ReleaseProgress) -> None:
    deployment = progress["deployment"]
    if deployment is None:
        _finish_stage(progress, str(progress["stage"]), "torn-down", None)
        progress["stage_index"] += 1
        return
    _finish_stage(progress, deployment["stage"], "released", deployment["package"], deployment["endpoint"])
    progress["stages"][-1] |= {"config": deployment["config"], "answers": deployment["answers"]}
    # Behind the stage that was deployed, which is the one before where this execution had to give a stage back.
    progress["stage_index"] = deployment["stage_index"] + 1
    progress["deployment"] = None


def _finish_stage(
    progress: ReleaseProgress, stage: str, verdict: StageVerdict, package: str | None, endpoint: str = ""
) -> None:
    progress["stages"].append(
        {"stage": stage, "verdict": verdict, "package": package, "endpoint": endpoint, "config": "", "answers": 0}
    )
    progress["tries"] = progress["attempts"] = progress["waited"] = 0
