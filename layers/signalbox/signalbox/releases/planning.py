"""The plan of one stage: read the snapshot, let the rules decide, write down every request of the step."""

from typing import Any

from signalbox import names
from signalbox.releases import requests, rules
from signalbox.releases.ports import Endpoint, Outside, Package, Setup
from signalbox.stages import Stage, StagesDocument

# Besides the deployment itself: what another execution's deployment may still need when ours comes by.
_PATIENCE_SECONDS = 600


def plan(payload: dict[str, Any], stages: StagesDocument, outside: Outside, setup: Setup) -> dict[str, Any]:
    """Return what the machine does next for the stage it asks about.

    Safe to repeat: the only write is the wish, recorded by the first stage's question and ordered by the time of the
    request, so a second delivery writes the same and a late one loses.

    Raises:
        ReleaseError: the request or the endpoint's state has no answer.
        ServiceBusyError: AWS could not answer now.
    """
    request = rules.Request.read(payload, setup.prefix)
    if request.stage_index >= len(stages.stages):
        return {"action": "done", "model": request.model, "stage": None, "stage_index": request.stage_index}
    stage = stages.stages[request.stage_index]
    if request.because == "approved" and request.stage_index == 0:
        outside.ledger.want(request.model, request.wish)
    named = outside.registry.package(request.package)
    snapshot = _snapshot(request, stage, named, outside, setup.prefix)
    decision = rules.decide(request, stage, snapshot)
    answer = _answer(request, stage, snapshot.endpoint, decision, _wanted(decision.package, named, outside))
    return answer | _calls(request, stage, answer, setup)


def plan_put_back(payload: dict[str, Any], outside: Outside) -> dict[str, Any]:
    """Return how the stage of the failed plan in `payload["failed"]` gets back to where it was.

    `{"action": "kept" | "update" | "delete" | "wait" | "gone" | "leave", "reason", "endpoint", "config", "golden"}`;
    `config` and `golden` are those of the package that served before, or null.
    """
    plan_failed = payload["failed"]
    failed = rules.Failed(
        action=plan_failed["action"],
        because=payload["input"]["because"],
        config=plan_failed["names"]["config"],
        previous=plan_failed["previous_config"],
    )
    arn = outside.endpoints.package_of_config(failed.previous) if failed.previous else None
    package = outside.registry.package(arn) if arn else None
    back = rules.put_back(
        failed, outside.endpoints.status(plan_failed["endpoint"]), package.status if package else None
    )
    return {
        "action": back.action,
        "reason": back.reason,
        "endpoint": plan_failed["endpoint"],
        "config": failed.previous,
        "golden": package.golden if package else None,
    }


def _snapshot(
    request: rules.Request, stage: Stage, named: Package | None, outside: Outside, prefix: str
) -> rules.Snapshot:
    rejected = request.because == "rejected"
    return rules.Snapshot(
        status=named.status if named else None,
        wish=None if rejected else outside.ledger.wanted(request.model),
        endpoint=outside.endpoints.endpoint(names.endpoint(prefix, request.model, stage.name)),
        released=outside.ledger.released(request.model, stage.name),
        approved=outside.registry.approved(names.package_group(prefix, request.model)) if rejected else (),
    )


def _wanted(arn: str | None, named: Package | None, outside: Outside) -> Package | None:
    if arn is None or (named is not None and arn == named.arn):
        return named if arn else None
    return outside.registry.package(arn)


def _answer(
    request: rules.Request, stage: Stage, endpoint: Endpoint | None, decision: rules.Decision, wanted: Package | None
) -> dict[str, Any]:
    return {
        "action": decision.action,
        "model": request.model,
        "stage": stage.name,
        "stage_index": request.stage_index,
        "package": decision.package,
        "previous_config": endpoint.config if endpoint else None,
        "golden": wanted.golden if wanted else None,
        "report": wanted.report if wanted else None,
        "expires_in": stage.review_seconds,
        "patience_seconds": stage.rollout.deployment_seconds + _PATIENCE_SECONDS,
    }


def _calls(request: rules.Request, stage: Stage, answer: dict[str, Any], setup: Setup) -> dict[str, Any]:
    endpoint = names.endpoint(setup.prefix, request.model, stage.name)
    package = answer["package"] or request.package
    made = requests.resource_names(request.model, request.execution, stage.name, package)
    if answer["action"] == "verify":
        made = made | {"config": answer["previous_config"]}
    updates = answer["action"] == "update"
    return {
        "endpoint": endpoint,
        "names": made,
        "create_model": requests.create_model(made["model"], package, setup.role, request.model, stage.name),
        "create_config": requests.create_config(made["config"], made["model"], package, request.model, stage),
        "deployment": requests.deployment(stage, endpoint, request.because) if updates else None,
        "alarm": requests.alarm(stage, endpoint),
        "tags": requests.tags(request.model, stage.name),
    }
