"""What an answer makes of a release's progress: an action that has been done, or one that has failed."""

from typing import TYPE_CHECKING, cast

from signalbox.contracts.common import Failure
from signalbox.contracts.releases import Deployment, ReleaseProgress, RollbackResult, Verified
from signalbox.contracts.reviews import ReviewDecision
from signalbox.releases.reactions import Reaction
from signalbox.releases.tracking import (
    MAKES,
    TAKES,
    begin_rollback,
    deployment_of,
    end,
    fail,
    finish_rollback,
    finish_stage,
)

if TYPE_CHECKING:
    from signalbox.contracts.releases import ReleaseStep


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
        _verified(deployment_of(progress), cast("Verified", result))
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
        fail(progress, failure, *_unrecorded(progress))
    elif progress["asked"] == "announce":
        progress["problem"], progress["todo"] = failure, ["failed"]
    else:
        fail(progress, failure)


def _unrecorded(progress: ReleaseProgress) -> tuple[RollbackResult, str]:
    """Return how a release leaves a stage whose ending could not be written down."""
    if progress["verdict"]:
        return "untouched", "the release had changed nothing in the stage"
    if progress["deployment"]:
        return "unrecorded", "the stage is as it should be, but that could not be written down"
    return "left", "its endpoint is gone, as it should be, but that could not be written down: start the release again"


def _made(progress: ReleaseProgress, deployment: Deployment) -> None:
    asked, made = cast("ReleaseStep", progress["asked"]), deployment["made"]
    if asked in MAKES:
        made.append(MAKES[asked])
    elif asked in TAKES:
        made.remove(TAKES[asked])


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


def _verified(deployment: Deployment, result: Verified) -> None:
    deployment["answers"] = result["answers"]
    if "expected" in result:
        deployment["expected"] = result["expected"]


def _recorded(progress: ReleaseProgress) -> None:
    deployment = progress["deployment"]
    if deployment is None:
        finish_stage(progress, str(progress["stage"]), "torn-down", None)
        return
    finish_stage(progress, deployment["stage"], "released", deployment["package"], deployment["endpoint"])
    progress["stages"][-1] |= {"config": deployment["config"], "answers": deployment["answers"]}
    if "expected" in deployment:
        progress["stages"][-1]["expected"] = deployment["expected"]
    if "commit" in deployment:
        progress["stages"][-1]["commit"] = deployment["commit"]
    progress["deployment"] = None
