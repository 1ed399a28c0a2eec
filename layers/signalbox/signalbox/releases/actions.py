"""The request of each action of a release, ready for the machine to send."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from signalbox import hosting, moments, names
from signalbox.aws.model import ModelPackage
from signalbox.aws.table import key, put_request
from signalbox.contracts.common import AwsRequest, StageServing
from signalbox.contracts.endings import Ending
from signalbox.contracts.releases import (
    Deployment,
    ReleaseAction,
    ReleaseOutcome,
    ReleaseProgress,
    ReleaseStep,
    VerificationQuestion,
    WaitArguments,
)
from signalbox.contracts.reviews import ReviewClosing
from signalbox.contracts.training import ModelContent
from signalbox.hosting.model import Hosted, endpoint_tags, model_request
from signalbox.releases.model import Request
from signalbox.releases.tracking import move_of, stage_verdict
from signalbox.stages import Stage

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import VpcConfigTypeDef

# The actions whose requests are made from the stages document.
OF_THE_DOCUMENT = frozenset[ReleaseStep](("put-alarm", "create-config", "update-endpoint", "review"))
# The actions about a package's content: each makes, deploys, verifies or asks about exactly what was approved.
OF_CONTENT = frozenset[ReleaseStep](("create-model", "create-endpoint", "update-endpoint", "verify", "review"))
# Waits become longer, a tenth of what was waited before, and so a deployment of hours is a hundred plans.
_SLOWER, LONGEST_WAIT = 10, 600
# What people are told of where a release stopped; any other ending is about all stages.
_STOPPED = ("declined", "expired", "failed")


class Asking(NamedTuple):
    """What the requests are made from.

    `stage` is the stage at hand where the stages document is needed for it, `package` the package that the action is
    about as the registry has it, `content` what was approved of it, `role` the role under which models run, `vpc` their
    network, `tags` those of the model's project.
    `scaled_out` says whether the endpoint has more instances than the config that it is on, and the one that it is
    moved to, begin with. `serving` is what the last stage serves, where people are asked.
    """

    request: Request
    progress: ReleaseProgress
    stage: Stage | None
    package: ModelPackage | None
    content: ModelContent | None
    prefix: str
    role: str
    table: str
    now: datetime
    tags: Mapping[str, str] = {}
    vpc: "VpcConfigTypeDef | None" = None
    scaled_out: bool = False
    serving: StageServing | None = None

    @property
    def deployment(self) -> Deployment:
        """Return the deployment under way."""
        deployment = self.progress["deployment"]
        if deployment is None:
            raise LookupError("no deployment is under way: this action belongs to one")
        return deployment

    @property
    def endpoint(self) -> str:
        """Return the name of the stage's endpoint."""
        if self.progress["deployment"]:
            return self.progress["deployment"]["endpoint"]
        return names.endpoint(self.prefix, self.request.model, self.stage_name)

    @property
    def stage_name(self) -> str:
        """Return the name of the stage at hand."""
        if self.progress["deployment"]:
            return self.progress["deployment"]["stage"]
        return str(self.progress["stage"])

    @property
    def document_stage(self) -> Stage:
        """Return the stage at hand as the stages document has it."""
        if self.stage is None:
            raise LookupError("the stages document was not read: this action needs it")
        return self.stage

    @property
    def at_once(self) -> bool:
        """Say whether the endpoint goes back, to what served before or may serve: at once and without alarms."""
        return self.progress["problem"] is not None or self.request.trigger == "rejected"

    @property
    def hosted(self) -> Hosted:
        """Return the package on its way into the stage."""
        one = self.deployment
        return Hosted(
            model=self.request.model,
            stage=one["stage"],
            package=one["package"],
            model_name=one["model"],
            config_name=one["config"],
            specification=self._specification,
            project=self.tags,
            vpc=self.vpc,
        )

    @property
    def _specification(self) -> str | None:
        return self.content["specification"] if self.content else None


def outcome(request: Request, progress: ReleaseProgress) -> ReleaseOutcome:
    """Return how the release ended; as long as it goes on, how it would be told if it could not be planned any more."""
    verdict, deployment = progress["verdict"] or "failed", progress["deployment"]
    stage = deployment["stage"] if deployment else progress["stage"]
    rollback = progress["rollback"]
    if rollback is None and verdict == "failed":
        rollback = {"result": "unknown", "reason": "what comes next could not be planned"}
    found: ReleaseOutcome = {
        "verdict": verdict,
        "trigger": request.trigger,
        "stage": stage if verdict in _STOPPED else None,
        "stages": progress["stages"],
        "rollback": rollback,
        "serving": progress["serving"],
        "change": progress["change"],
    }
    if progress["removed"]:
        found["removed"] = progress["removed"]
    return found


def _create_model(asking: Asking) -> AwsRequest:
    return model_request(asking.hosted, asking.role, isolated=asking.deployment.get("isolated", True))


def _put_alarm(asking: Asking) -> AwsRequest | None:
    stage = asking.document_stage
    if asking.at_once:
        return None
    return hosting.of(stage.hosting).alarm(stage, asking.endpoint, asking.deployment["config"])


def _create_config(asking: Asking) -> AwsRequest:
    stage = asking.document_stage
    return hosting.of(stage.hosting).config(asking.hosted, stage)


def _create_endpoint(asking: Asking) -> AwsRequest:
    deployment = asking.deployment
    return {
        "EndpointName": deployment["endpoint"],
        "EndpointConfigName": deployment["config"],
        "Tags": endpoint_tags(asking.request.model, deployment["stage"], asking.tags),
    }


def _update_endpoint(asking: Asking) -> AwsRequest:
    (endpoint, config), kind = move_of(asking.progress), hosting.of(asking.deployment["hosting"])
    return {
        "EndpointName": endpoint,
        "EndpointConfigName": config,
        "DeploymentConfig": kind.at_once() if asking.at_once else kind.rollout(asking.document_stage, config),
        # Not always: a count that was changed in the stages document has to arrive.
        **({"RetainAllVariantProperties": True} if asking.scaled_out else {}),
    }


def _delete_endpoint(asking: Asking) -> AwsRequest:
    return {"EndpointName": asking.endpoint}


def _delete_alarm(asking: Asking) -> AwsRequest | None:
    deployment = asking.deployment
    if "alarm" not in deployment["made"]:
        return None
    return {"AlarmNames": [hosting.of(deployment["hosting"]).alarm_name(deployment["config"])]}


def _delete_config(asking: Asking) -> AwsRequest:
    return {"EndpointConfigName": asking.deployment["config"]}


def _delete_model(asking: Asking) -> AwsRequest:
    return {"ModelName": asking.deployment["model"]}


def _review(asking: Asking) -> AwsRequest:
    """Return a ReviewRequest but for the task's token, which the machine puts in."""
    stage = asking.document_stage
    return {
        "execution_arn": asking.request.execution_arn,
        "kind": "stage",
        "stage": stage.name,
        "model": asking.request.model,
        "package": asking.request.package,
        "report": asking.package.report if asking.package else None,
        "expires_in": stage.review_seconds,
        "serving": asking.serving,
    }


def _close_review(asking: Asking) -> ReviewClosing:
    return {"execution_arn": asking.request.execution_arn, "kind": "stage", "stage": asking.stage_name}


def _verify(asking: Asking) -> VerificationQuestion:
    deployment, back = asking.deployment, asking.progress["problem"] is not None
    return {
        "endpoint": deployment["endpoint"],
        "config": str(deployment["previous"]) if back else deployment["config"],
        # What served before is not asked for its approval: it is what was there.
        "package": None if back else deployment["package"],
        "golden": asking.package.golden if asking.package else None,
        "content": asking.content,
    }


def _record(asking: Asking) -> AwsRequest:
    """Return the PutItem request: one item for each execution and stage, so a repetition writes the same."""
    request, progress = asking.request, asking.progress
    deployment, problem, rollback = progress["deployment"], progress["problem"], progress["rollback"]
    sk = f"release#{request.started}#{request.execution}#{asking.stage_name}"
    failure = {"error": problem["Error"]} if problem else {}
    origin = {"commit": deployment["commit"]} if deployment and "commit" in deployment else {}
    left = {"rollback": rollback["result"], "reason": rollback["reason"]} if rollback else {}
    facts = {
        "trigger": request.trigger,
        "package": deployment["package"] if deployment else request.package,
        "stage": asking.stage_name,
        "endpoint": asking.endpoint,
        "config": deployment["config"] if deployment else "",
        "verdict": stage_verdict(progress),
        "at": moments.text_of(asking.now),
        "execution": request.execution_arn,
    }
    return put_request(asking.table, key(f"model#{request.model}", sk) | facts | origin | failure | left)


def ending(request: Request, progress: ReleaseProgress) -> Ending:
    """Return what people are told."""
    result = outcome(request, progress)
    decision = progress["decision"] if result["verdict"] in ("declined", "expired") else None
    return {
        "model": request.model,
        "package": request.package or None,
        "execution_arn": request.execution_arn,
        "decision": decision,
        "error": progress["problem"],
        "release": result,
    }


def _announce(asking: Asking) -> AwsRequest:
    return ending(asking.request, asking.progress)


def _done(asking: Asking) -> AwsRequest:
    return outcome(asking.request, asking.progress)


def _failed(asking: Asking) -> AwsRequest:
    problem = asking.progress["problem"] or {"Error": "ReleaseError"}
    return {"Error": problem["Error"], "Cause": problem.get("Cause") or "no cause was given"}


def wait(waited: int, poll_seconds: int) -> WaitArguments:
    """Return how long the machine waits next, after `waited` seconds."""
    return {"seconds": max(poll_seconds, min(waited // _SLOWER, LONGEST_WAIT))}


REQUESTS: Mapping[ReleaseAction, Callable[[Asking], AwsRequest | None]] = {
    "create-model": _create_model,
    "put-alarm": _put_alarm,
    "create-config": _create_config,
    "create-endpoint": _create_endpoint,
    "update-endpoint": _update_endpoint,
    "delete-endpoint": _delete_endpoint,
    "delete-alarm": _delete_alarm,
    "delete-config": _delete_config,
    "delete-model": _delete_model,
    "review": _review,
    "close-review": _close_review,
    "verify": _verify,
    "record": _record,
    "announce": _announce,
    "done": _done,
    "failed": _failed,
}
