"""The one next action of a release: Plan → Do → Plan.

The release machine asks before every action, and brings along what it was told to remember and what the last action
came to. Safe to repeat: what is desired is written under the condition that no later request stands there, an action's
note is the same item each time, and everything else is read.
"""

from typing import cast

from signalbox import names
from signalbox.aws.errors import CallRefusedError
from signalbox.aws.model import ModelPackage
from signalbox.contracts.common import AwsRequest, Failure
from signalbox.contracts.releases import (
    Deployment,
    LastAnswer,
    ReleaseAction,
    ReleasePlan,
    ReleaseProgress,
    ReleaseQuestion,
    ReleaseStep,
)
from signalbox.model_documents import ProjectDocumentError
from signalbox.moments import text_of
from signalbox.observability import count, logger
from signalbox.releases import actions, answers, content, endings, rules, steps, tracking, waiting
from signalbox.releases.content import ContentChangedError
from signalbox.releases.model import (
    Desired,
    Facts,
    Place,
    ReleaseError,
    Request,
    TooManyRoundsError,
    read_request,
    unreadable,
)
from signalbox.releases.ports import ReleasePorts
from signalbox.releases.reactions import row_for
from signalbox.stages import Stage, StagesDocumentError

# An execution has at most 25,000 events of history (Step Functions quotas). A plan with its wait makes 9 of them, with
# an action 12, and each retry of the plan 3 more. So all stages together have this many plans, and some stay for a
# rollback.
MOST_ROUNDS = 1_500


def plan(question: ReleaseQuestion, ports: ReleasePorts) -> ReleasePlan:
    """Return the next action with its whole request.

    What goes wrong becomes part of the plan: the stage is rolled back, people are told, and the execution fails.

    Raises:
        ServiceBusyError: AWS could not answer now.
    """
    before = question["progress"]
    progress = tracking.resume(before)
    progress["rounds"] += 1
    request = _request(question, progress, ports.prefix)
    if question["last"]:
        _take(progress, question["last"], ports)
    ports = _of_project(request, progress, ports)
    arguments, planned = None, False
    while arguments is None:
        try:
            if tracking.asks_for_need(progress) and not planned:
                _reconcile(request, progress, ports)
                planned = bool(progress["todo"])
            elif tracking.asks_for_rollback(progress):
                _roll_back(request, progress, ports)
            else:
                arguments = _ask(request, progress, ports)
        except (ReleaseError, StagesDocumentError, CallRefusedError) as error:
            _give_up(progress, {"Error": type(error).__name__, "Cause": str(error)})
    _note(request, progress, before, ports)
    outcome = actions.outcome(request, progress)
    return {"action": _asked(progress), "arguments": arguments, "progress": progress, "outcome": outcome}


def _asked(progress: ReleaseProgress) -> ReleaseAction:
    return cast("ReleaseAction", progress["asked"])


def _request(question: ReleaseQuestion, progress: ReleaseProgress, prefix: str) -> Request:
    """Return what the execution was started for; an input that cannot be read lets the release fail."""
    try:
        return read_request(question, prefix)
    except ReleaseError as error:
        if progress["problem"] is None:
            tracking.fail(progress, {"Error": "ReleaseError", "Cause": str(error)})
        return unreadable(question)


def _of_project(request: Request, progress: ReleaseProgress, ports: ReleasePorts) -> ReleasePorts:
    """Return the ports as the model's project has them; on the way back, also where its document cannot be used."""
    try:
        return ports.of(request.model)
    except (ProjectDocumentError, CallRefusedError) as error:
        if progress["problem"] is None:
            _give_up(progress, {"Error": type(error).__name__, "Cause": str(error)})
        return ports


def _take(progress: ReleaseProgress, last: LastAnswer, ports: ReleasePorts) -> None:
    """Take what the last action came to."""
    failure = last.get("error")
    if failure is None:
        answers.done(progress, last.get("result"))
        return
    progress["tries"] += 1
    row = row_for(_asked(progress), failure["Error"], rolling_back=progress["problem"] is not None)
    found = row.after(progress["tries"])
    if row.reaction == "look" and _arrived(progress, ports):
        found = "proceed"
    fields = {"action": progress["asked"], "reaction": found, "error": failure["Error"], "cause": failure.get("Cause")}
    logger.warning("release action failed", extra=fields)
    answers.react(progress, found, failure)


def _arrived(progress: ReleaseProgress, ports: ReleasePorts) -> bool:
    """Say whether a call whose answer was lost, or that was refused, has been done: by an earlier try of it."""
    deployment = tracking.deployment_of(progress)
    if progress["asked"] == "create-model":
        return ports.endpoints.has_model(deployment["model"])
    if progress["asked"] == "create-config":
        return ports.endpoints.has_config(deployment["config"])
    endpoint = ports.endpoints.find(deployment["endpoint"])
    return endpoint is not None and deployment["config"] in (endpoint.config, endpoint.pending)


def _reconcile(request: Request, progress: ReleaseProgress, ports: ReleasePorts) -> None:
    """Look at the stage at hand, and plan what it needs."""
    if progress["rounds"] > MOST_ROUNDS:
        raise TooManyRoundsError(MOST_ROUNDS)
    document = ports.stages()
    if request.trigger == "approved" and progress["rounds"] == 1:
        package = ports.packages.find(request.package)
        rules.check_instances(package, document.stages)
        if package and request.report and package.report != request.report:
            # It was tested again since. An approval of the newer evidence has a release of its own.
            tracking.end(progress, request.trigger, "superseded")
            return
        ports.store.desire(request.model, request.desired)
    desired = ports.store.desired(request.model)
    last, stage = steps.last_stage(progress, document), steps.next_stage(progress, document)
    if last and desired is not None and desired > request.desired:
        place = _place(request, last, ports)
        facts = _facts(request, progress, place, desired, ports)
        if need := rules.give_back(steps.own_config(request, place, facts), facts):
            steps.plan(progress, request, place, need, facts)
            return
    if stage is None:
        steps.come_through(progress, request.trigger)
        return
    place = _place(request, stage, ports)
    progress["stage"] = stage.name
    facts = _facts(request, progress, place, desired, ports)
    steps.plan(progress, request, place, rules.need(request, place.stage, facts), facts)


def _place(request: Request, stage: Stage, ports: ReleasePorts) -> Place:
    return Place(stage, names.endpoint(ports.prefix, request.model, stage.name))


def _facts(
    request: Request, progress: ReleaseProgress, place: Place, desired: Desired | None, ports: ReleasePorts
) -> Facts:
    stage = place.stage.name
    named, endpoint = ports.packages.find(request.package), ports.endpoints.find(place.endpoint)
    own = request.trigger == "approved" and desired == request.desired
    return Facts(
        status=named.approval if named else None,
        desired=desired,
        endpoint=endpoint,
        live=ports.endpoints.package_of(endpoint.config) if endpoint else None,
        released=ports.store.released(request.model, stage),
        # Who deploys what was named asks for nothing else.
        approved=() if own else ports.packages.approved(names.package_group(ports.prefix, request.model)),
        reviewed=stage in progress["reviewed"],
        deleted=stage in progress["deleted"],
    )


def _roll_back(request: Request, progress: ReleaseProgress, ports: ReleasePorts) -> None:
    """Look at the failed stage, and plan how it gets back to where it was."""
    deployment = tracking.deployment_of(progress)
    previous = _previous(deployment, ports)
    endpoint, changed = ports.endpoints.find(deployment["endpoint"]), ""
    try:
        if previous:
            content.approved(previous, ports.files, back=True)
    except ContentChangedError as error:
        changed = str(error)
    failed = rules.FailedStage(deployment, request.trigger, endpoint, previous.approval if previous else None, changed)
    steps.roll_back(progress, *rules.roll_back(failed))


def _previous(deployment: Deployment, ports: ReleasePorts) -> ModelPackage | None:
    """Return the package that served before a deployment."""
    arn = ports.endpoints.package_of(deployment["previous"]) if deployment["previous"] else None
    return ports.packages.find(arn) if arn else None


def _ask(request: Request, progress: ReleaseProgress, ports: ReleasePorts) -> AwsRequest | None:
    """Return the request of the first thing to do; None where there turns out to be nothing to do about it."""
    step = progress["todo"][0]
    if step == "wait":
        return waiting.wait(progress, ports)
    if step == "settle":
        return waiting.settle(progress, ports)
    if step in endings.STEPS and progress["serving"] is None:
        endings.look(request, progress, ports)
    package = _evidence(request, progress, ports) if step in actions.OF_CONTENT else None
    _hold(request, progress, package)
    tracking.look_at(progress, package)
    asking = actions.Asking(
        request=request,
        progress=progress,
        stage=_document_stage(progress, step, ports),
        package=package,
        content=content.approved(package, ports.files, back=progress["problem"] is not None) if package else None,
        prefix=ports.prefix,
        role=ports.role,
        tags=ports.tags,
        vpc=ports.vpc,
        table=ports.store.name,
        now=ports.clock(),
        scaled_out=step == "update-endpoint" and ports.endpoints.scaled_out(*tracking.move_of(progress)),
        serving=endings.live(request, ports) if step == "review" else None,
    )
    arguments = actions.REQUESTS[step](asking)
    if arguments is None:
        del progress["todo"][0]
    else:
        tracking.ask(progress, step)
    return arguments


def _document_stage(progress: ReleaseProgress, step: ReleaseStep, ports: ReleasePorts) -> Stage | None:
    """Return the stage at hand where the step needs it; a rollback needs no document, which may be what is wrong."""
    if step not in actions.OF_THE_DOCUMENT or progress["problem"]:
        return None
    name = tracking.stage_of(progress)
    if stage := ports.stages().find(name):
        return stage
    raise ReleaseError(f"stage {name} was taken out of the stages document while it was being released to")


def _evidence(request: Request, progress: ReleaseProgress, ports: ReleasePorts) -> ModelPackage | None:
    """Return the package whose report or golden requests an action needs."""
    deployment = progress["deployment"]
    if deployment and progress["problem"]:
        return _previous(deployment, ports)
    return ports.packages.find(deployment["package"] if deployment else request.package)


def _hold(request: Request, progress: ReleaseProgress, package: ModelPackage | None) -> None:
    """Hold the package on its way to the evidence by which it was approved; the way back has evidence of its own."""
    if package and package.arn == request.package and not progress["problem"]:
        progress["report"] = progress["report"] or request.report or package.report or ""
        content.check_report(package, progress["report"])


def _give_up(progress: ReleaseProgress, failure: Failure) -> None:
    """Let the release fail because it cannot be planned: what it has moved is rolled back first."""
    if progress["deployment"] is None:
        tracking.fail(progress, failure)
    elif progress["problem"] is None:
        tracking.begin_rollback(progress, failure)
    else:
        tracking.finish_rollback(progress, "unknown", f"{failure['Error']}: {failure.get('Cause', '')}")


def _note(request: Request, progress: ReleaseProgress, before: ReleaseProgress | None, ports: ReleasePorts) -> None:
    """Log and write down the action, so that a person can follow the release; of waits in a row only the first."""
    action = _asked(progress)
    stage = tracking.stage_of(progress)
    logger.info("release planned", extra={"action": action, "stage": stage, "execution": request.execution})
    count("ReleasePlanned")
    if action == "wait" and before and before["asked"] == "wait":
        return
    sk = f"action#{request.started}#{request.execution}#{progress['rounds']:05d}"
    facts = {"action": action, "stage": stage, "package": request.package, "at": text_of(ports.clock())}
    ports.store.note(request.model, sk, facts | {"waits_for": tracking.waiting_for(progress)})
