"""Remove a project: its pipelines, roles and documents. What people made stays: data, packages, runs.

Safe to repeat, and to break off anywhere: documents and roles go last, so that a second removal finds the rest.
"""

from signalbox_operate.projects import pipelines, use
from signalbox_operate.projects.model import ProjectError
from signalbox_operate.projects.place import Place
from signalbox_operate.stack import OperateError


def remove(project: str, place: Place, *, endpoints: bool = False) -> None:
    """Remove a project that is not in use; with `endpoints`, those that serve its models are deleted too.

    Raises:
        OperateError: there is no such project.
        ProjectError: it is in use, for each reason.
    """
    document, stack, models = place.find(project), place.stack_of(project), place.models_of(project)
    if document is None and not stack.exists():
        known = ", ".join(one.project for one in place.projects()) or "none"
        raise OperateError(f"there is no project {project!r}: the projects are {known}")
    called = [one.name for one in document.pipelines.values()] if document else []
    problems = list(use.reasons(called, models, place, endpoints=endpoints))
    if problems:
        raise ProjectError([f"the project {project} is in use: {problem}" for problem in problems])
    # Without `endpoints` there are none: each would have been a reason.
    for endpoint in (endpoint for model in models for endpoint in use.live(model, place)):
        place.client("sagemaker").delete_endpoint(EndpointName=endpoint)
        place.say(f"endpoint {endpoint} deleted")
    for pipeline in called:
        pipelines.delete(pipeline, place.client("sagemaker"))
        place.say(f"pipeline {pipeline} deleted")
    stack.delete()
    place.say(f"stack {stack.name} deleted; uploads, packages and what runs wrote are left as they are")
    _tell_late(called, project, place)


def _tell_late(pipelines: list[str], project: str, place: Place) -> None:
    """Say which uploads came while the project was removed: nothing of them is lost."""
    for pipeline in pipelines:
        number = use.waiting(pipeline, place)
        if number:
            what = "1 upload came meanwhile and waits" if number == 1 else f"{number:,} uploads came meanwhile and wait"
            place.say(f"note: {what}: deploy {project} again, and a run takes what waits")
