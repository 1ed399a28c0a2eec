"""The plan of one stage: read the snapshot, let the rules decide, write down every request of the step."""

from dataclasses import replace
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
    if request.because == "approved" and request.stage_index == 0:
        outside.ledger.want(request.model, request.wish)
    healed = _heal(request, stages, outside, setup)
    if healed:
        return healed
    if request.stage_index >= len(stages.stages):
        return {"action": "done", "model": request.model, "stage": None, "stage_index": request.stage_index}
    stage = stages.stages[request.stage_index]
    snapshot = _snapshot(request, stage, outside, setup.prefix)
    return _plan(request, stage, snapshot, rules.decide(request, stage, snapshot), outside, setup)


def _heal(request: rules.Request, stages: StagesDocument, outside: Outside, setup: Setup) -> dict[str, Any] | None:
    """Return the plan that gives the stage behind back to a newer request, if this execution took it from it."""
    wish = outside.ledger.wanted(request.model)
    behind = request.stage_index - 1
    if not 0 <= behind < len(stages.stages) or wish in (None, request.wish):
        return None
    request, stage = replace(request, stage_index=behind), stages.stages[behind]
    snapshot = _snapshot(request, stage, outside, setup.prefix)
    live = snapshot.endpoint.package if snapshot.endpoint else None
    # Whatever else is live, a model made by hand for instance, this execution did not deploy.
    known = live if live in snapshot.approved else None
    ours = requests.resource_names(request.execution, stage.name, known)["config"] if known else None
    decision = rules.heal(ours, snapshot)
    return _plan(request, stage, snapshot, decision, outside, setup) if decision else None


def plan_put_back(payload: dict[str, Any], outside: Outside) -> dict[str, Any]:
    """Return how the stage of the failed plan in `payload["failed"]` gets back to where it was.

    `{"action", "reason", "endpoint", "config", "golden"}`: the actions are those of `rules.Back`; `config` and `golden`
    belong to the package that served before, or are null.
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


def _snapshot(request: rules.Request, stage: Stage, outside: Outside, prefix: str) -> rules.Snapshot:
    named, wish = outside.registry.package(request.package), outside.ledger.wanted(request.model)
    ours = request.because == "approved" and wish == request.wish
    return rules.Snapshot(
        status=named.status if named else None,
        wish=wish,
        endpoint=outside.endpoints.endpoint(names.endpoint(prefix, request.model, stage.name)),
        released=outside.ledger.released(request.model, stage.name),
        # Who deploys what was named asks for nothing else.
        approved=() if ours else outside.registry.approved(names.package_group(prefix, request.model)),
    )


def _plan(
    request: rules.Request,
    stage: Stage,
    snapshot: rules.Snapshot,
    decision: rules.Decision,
    outside: Outside,
    setup: Setup,
) -> dict[str, Any]:
    wanted = outside.registry.package(decision.package) if decision.package else None
    answer = _answer(request, stage, snapshot.endpoint, decision, wanted)
    return answer | _calls(request, stage, answer, setup)


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
    made = requests.resource_names(request.execution, stage.name, package)
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
