"""The progress of a release: what it remembers, and how it ends.

All functions change the progress that they are given, which is the plan's own copy, and nothing else.
"""

from collections.abc import Mapping
from copy import deepcopy

from signalbox.aws.model import ModelPackage
from signalbox.contracts.common import Failure
from signalbox.contracts.releases import (
    Deployment,
    Made,
    ReleaseAction,
    ReleaseProgress,
    ReleaseStep,
    ReleaseVerdict,
    RollbackResult,
    StageVerdict,
    Trigger,
)
from signalbox.releases.rules import is_news

# Before each of these the stage's need is asked for again: a newer approval, a rejection or another execution counts.
MOVES = frozenset[ReleaseStep](("create-endpoint", "update-endpoint"))
# What these steps make of what a deployment has made, and take away from it.
MAKES: Mapping[ReleaseStep, Made] = {"create-model": "model", "put-alarm": "alarm", "create-config": "config"}
TAKES: Mapping[ReleaseStep, Made] = {"delete-config": "config", "delete-model": "model", "delete-alarm": "alarm"}
CHANGES = MOVES | frozenset[ReleaseStep](("create-model", "put-alarm", "create-config"))


def begin() -> ReleaseProgress:
    """Return the progress of a release that has done nothing yet."""
    return {
        "asked": None,
        "todo": [],
        "reviewed": [],
        "deleted": [],
        "stages": [],
        "deployment": None,
        "decision": None,
        "verdict": None,
        "stage": None,
        "problem": None,
        "rollback": None,
        "serving": None,
        "removed": [],
        "change": None,
        "report": "",
        "tries": 0,
        "attempts": 0,
        "waited": 0,
        "rounds": 0,
    }


def resume(before: ReleaseProgress | None) -> ReleaseProgress:
    """Return a copy of the progress so far; what an earlier version of this code did not know of is as at the start."""
    return begin() | deepcopy(before) if before else begin()


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


def waiting_for(progress: ReleaseProgress) -> str:
    """Return what a release waits for, where its action is to wait or to ask; "" where it waits for nothing."""
    if progress["asked"] == "review":
        return "an approver's decision"
    if progress["asked"] != "wait":
        return ""
    if progress["tries"]:
        return "the next try of what has failed"
    if waits_for_others(progress):
        return "the endpoint, which is moved by another execution or by SageMaker"
    return "the endpoint to come to rest"


def waits_for_others(progress: ReleaseProgress) -> bool:
    """Say whether a release that waits does so for an endpoint that it does not move itself."""
    own = progress["todo"][:1] == ["settle"] or progress["stage"] in progress["deleted"]
    return progress["asked"] == "wait" and not own and not progress["tries"]


def look_at(progress: ReleaseProgress, package: ModelPackage | None) -> None:
    """Keep the commit of the package on its way into a stage, to be recorded with it; the way back has no record."""
    deployment = progress["deployment"]
    if deployment and package and package.arn == deployment["package"] and package.commit:
        deployment["commit"] = package.commit


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


def move_of(progress: ReleaseProgress) -> tuple[str, str]:
    """Return the endpoint that is moved, and the config that it is moved to: while it goes back, the one before."""
    deployment = deployment_of(progress)
    back = progress["problem"] is not None
    return deployment["endpoint"], str(deployment["previous"]) if back else deployment["config"]


def stage_verdict(progress: ReleaseProgress) -> StageVerdict | ReleaseVerdict:
    """Return what is recorded of the stage at hand."""
    return progress["verdict"] or ("released" if progress["deployment"] else "torn-down")


def end(progress: ReleaseProgress, trigger: Trigger, verdict: ReleaseVerdict, stage: str | None = None) -> None:
    """Bring the release to an end that was decided: at `stage`, or behind all of them."""
    progress["verdict"] = verdict
    progress["stage"] = stage
    recorded: list[ReleaseStep] = ["record"] if stage else []
    announced: list[ReleaseStep] = ["announce"] if is_news(trigger, verdict) else []
    progress["todo"] = [*recorded, *announced, "done"]


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


def finish_rollback(progress: ReleaseProgress, result: RollbackResult, reason: str) -> None:
    """Record how the failed stage was left, take away what is off the endpoint, and tell people."""
    progress["rollback"] = {"result": result, "reason": reason}
    deployment = deployment_of(progress)
    unused = cleaning(deployment)
    if result not in ("untouched", "restored", "removed"):
        # The deployment may serve. Where its endpoint is at rest, nobody looks at the alarm any more.
        unused = [step for step in unused if step == "delete-alarm" and result not in ("unfinished", "unknown")]
    progress["todo"] = ["record", *unused, "announce", "failed"]


def cleaning(deployment: Deployment) -> list[ReleaseStep]:
    """Return the steps that take away what a deployment has made, the config before its model."""
    return [step for step, what in TAKES.items() if what in deployment["made"]]


def finish_stage(
    progress: ReleaseProgress, stage: str, verdict: StageVerdict, package: str | None, endpoint: str = ""
) -> None:
    """Take a stage among those that are as they should be; what is counted of a stage begins anew.

    A stage that was given back to a newer release ends as that left it.
    """
    progress["stages"] = [
        *(one for one in progress["stages"] if one["stage"] != stage),
        {"stage": stage, "verdict": verdict, "package": package, "endpoint": endpoint, "config": "", "answers": 0},
    ]
    progress["tries"] = progress["attempts"] = progress["waited"] = 0
