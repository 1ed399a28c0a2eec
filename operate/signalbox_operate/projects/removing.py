"""Remove a project: its automation, pipelines, roles and documents. What people made stays: code, images, data, runs.

Safe to repeat, and to break off anywhere: documents and roles go last, so that a second removal finds the rest.
"""

from signalbox import names, plain
from signalbox.aws import parameters
from signalbox.aws.table import Table
from signalbox.pushes.experiments import BranchResources
from signalbox.pushes.table import BranchTable
from signalbox_operate.automations import automation, creating, hosted
from signalbox_operate.automations.automation import Automation
from signalbox_operate.projects import pipelines, use
from signalbox_operate.projects.model import ProjectError
from signalbox_operate.projects.place import Place
from signalbox_operate.pushes import overview
from signalbox_operate.stack import OperateError


def remove(project: str, place: Place, *, endpoints: bool = False, token_secret: str = "") -> None:
    """Remove a project that is not in use; with `endpoints`, those that serve its models are deleted too.

    With a secret that has a token of whoever hosts its repository, the webhook there is deleted too.

    Raises:
        OperateError: there is no such project, or its webhook cannot be deleted; then nothing was removed.
        ProjectError: it is in use, for each reason.
    """
    document, stack, models = place.find(project), place.stack_of(project), place.models_of(project)
    builds = automation.of(project, place)
    if document is None and not stack.exists() and not builds.stack.exists():
        known = ", ".join(one.project for one in place.projects()) or "none"
        raise OperateError(f"there is no project {project!r}: the projects are {known}")
    called = [one.name for one in document.pipelines.values()] if document else []
    problems = list(use.reasons(called, models, place, endpoints=endpoints))
    if problems:
        raise ProjectError([f"the project {project} is in use: {problem}" for problem in problems])
    code, address = creating.known_elsewhere(builds), hosted.hook_address(project, place)
    if code and token_secret:  # first, while the automation still says where the repository is
        hosted.of(code, token_secret, place).disconnect(address)
    _stop_builds(builds)
    # Without `endpoints` there are none: each would have been a reason.
    for endpoint in (endpoint for model in models for endpoint in use.live(model, place)):
        place.client("sagemaker").delete_endpoint(EndpointName=endpoint)
        place.say(f"endpoint {endpoint} deleted")
    _remove_branches(project, place)
    for pipeline in called:
        pipelines.delete(pipeline, place.client("sagemaker"))
        place.say(f"pipeline {pipeline} deleted")
    group = stack.outputs().get("FeatureGroup")
    if stack.exists():
        stack.delete()
        place.say(f"stack {stack.name} deleted; uploads, packages and what runs wrote are left as they are")
    if group:
        place.say(
            f"the feature group {group} is left as it is, with its records: a deployment of {project} takes it up"
        )
    if builds.boundary:
        _remove_documents(project, place)
    _remove_builds(builds, project, place)
    if code and not token_secret:
        place.say(f"note: delete the webhook {address} of {code.name} at {code.provider}: its pushes are refused now")
    _tell_late(called, project, place)


def _remove_branches(project: str, place: Place) -> None:
    """Delete what branches have made, and forget how they were built: a project of this name begins anew."""
    resources = BranchResources(place.prefix, place.client("sagemaker"), place.client("ssm"))
    for parameter, note in overview.notes(project, place):
        branch = note.branch if note else ""
        for name in resources.remove(project, branch) if branch else ():
            place.say(f"{name} of the branch {plain.line(branch)} deleted")
        # One that cannot be read, or names another branch, is still there.
        place.client("ssm").delete_parameters(Names=[parameter])
    table = BranchTable(Table(place.stack.output("PushesTable"), place.client("dynamodb")))
    for known in list(table.all(project)):
        table.remove(known)


def _remove_documents(project: str, place: Place) -> None:
    """Delete documents that a build has written beside its stack: without the grant, which goes next, they count."""
    ssm, models = place.client("ssm"), place.models_of(project)
    left = [names.model_parameter(place.prefix, model) for model in models]
    if parameters.find(names.project_parameter(place.prefix, project), ssm):
        left.append(names.project_parameter(place.prefix, project))
    for name in left:
        ssm.delete_parameter(Name=name)
        place.say(f"{name} deleted")


def _stop_builds(builds: Automation) -> None:
    """Delete a project's automation before the project, so that no push deploys it anew.

    What cannot go yet is the boundary that the project's roles still have: it goes after them.
    """
    if builds.stack.exists():
        try:
            builds.stack.delete()
        except OperateError as error:
            builds.stack.say(f"note: {error}")


def _remove_builds(builds: Automation, project: str, place: Place) -> None:
    """Delete what is left of a project's automation, and what its builds published.

    Raises:
        OperateError: something of it could not be deleted.
    """
    if builds.stack.exists():
        builds.stack.delete()
    place.client("ssm").delete_parameters(Names=[names.published_parameter(place.prefix, project)])
    if builds.outputs:
        kept = [f"images {builds.outputs['ImagesUri']}"]
        if builds.parameters.get("Repository") != "none":
            elsewhere = builds.parameters.get("RepositoryName")
            kept = [f"the repository {elsewhere or names.repository(place.prefix, project)}", *kept]
        place.say(f"stack {builds.stack.name} deleted; {' and '.join(kept)} are left as they are")


def _tell_late(pipelines: list[str], project: str, place: Place) -> None:
    """Say which uploads came while the project was removed: nothing of them is lost."""
    for pipeline in pipelines:
        number = use.waiting(pipeline, place)
        if number:
            what = "1 upload came meanwhile and waits" if number == 1 else f"{number:,} uploads came meanwhile and wait"
            place.say(f"note: {what}: deploy {project} again, and a run takes what waits")
