"""A commit of the main branch is published: what it changed is deployed, its images are built, and the stack is told.

Safe to repeat, and to break off anywhere: what is published is written down last, with digests of what it was made of,
and as long as it is not, the next build of any commit finds the same differences. What earlier commits changed stays
written there.
"""

import hashlib
import json
from datetime import datetime

from signalbox import names
from signalbox.aws import parameters
from signalbox.pushes import documents
from signalbox.pushes.model import Automation, Changed, Published, TrainedImage
from signalbox_operate.containers import building
from signalbox_operate.containers.building import Build
from signalbox_operate.projects import definitions, deploying
from signalbox_operate.projects.model import ContainerEntry, Project
from signalbox_operate.projects.place import Place
from signalbox_operate.pushes.source import Source
from signalbox_operate.stack import OperateError

_SHORT, _TIME = 12, "%Y%m%dt%H%M%S"
_LIMIT = 4096  # bytes of a standard parameter (Systems Manager API reference, PutParameter)


def automation(project: str, place: Place) -> Automation | None:
    """Return how a project is built; None where nothing builds it.

    Raises:
        PushDocumentError: its document cannot be used.
    """
    text = parameters.find(names.automation_parameter(place.prefix, project), place.client("ssm"))
    return documents.parse_automation(text) if text else None


def main_branch(project: Project, known: Automation | None) -> str:
    """Return the main branch: what the automation says, which no push changes, else what the project says."""
    return known.main if known else str(project.branches.get("main", "main"))


def publish(project: Project, built: Source, place: Place, by: str, now: datetime) -> None:
    """Deploy a commit of the main branch, build the images that it changed, and tell the stack of both.

    Raises:
        OperateError: it cannot be deployed, or an image cannot be built.
    """
    made = deploying.deploy(project, place, built.commit)
    before = published(project.name, place)
    pipelines = {
        key: _changed(definitions.digest(definition), before.pipelines.get(key), built)
        for key, definition in made.definitions.items()
    }
    trained = {image.model: image for image in before.images}
    images = [
        _image(project.name, entry, trained.get(entry.model), built, place, now)
        for entry in project.containers.values()
    ]
    after = Published(built.commit, by, pipelines, tuple(image for image in images if image is not None))
    _say(project, before, after, place)
    if (after.pipelines, after.images) != (before.pipelines, before.images):
        write(project.name, after, place)


def fingerprint(entry: ContainerEntry) -> str:
    """Return a short digest of what a container is trained with: its folder's content, and what its project says."""
    said = {"hyperparameters": dict(entry.hyperparameters), "problem": entry.problem, "given": dict(entry.given)}
    content = building.digest(entry.folder) if entry.folder else ""
    return hashlib.sha256(json.dumps([content, said], sort_keys=True).encode()).hexdigest()[:_SHORT]


def published(project: str, place: Place) -> Published:
    """Return what was published of a project last; nothing where nothing was.

    Raises:
        PushDocumentError: its document cannot be used.
    """
    text = parameters.find(names.published_parameter(place.prefix, project), place.client("ssm"))
    return documents.parse_published(text) if text else Published("", "")


def _changed(digest: str, before: Changed | None, built: Source) -> Changed:
    if before is None:
        return Changed(built.commit, digest)
    return before if before.digest == digest else Changed(built.commit, digest, before.number + 1)


def _image(
    project: str, entry: ContainerEntry, before: TrainedImage | None, built: Source, place: Place, now: datetime
) -> TrainedImage | None:
    """Return the image that a container's model is trained as, which is that of before where nothing was changed.

    None for a container that has neither a folder nor an image: that is given at each start.
    """
    if entry.folder is None:
        given = str(entry.given.get("image", ""))
        return before if before is not None and before.image == given else _given(entry, given, built)
    wanted = fingerprint(entry)
    if before is not None and before.image.endswith(f"-{wanted}"):
        return before
    # Two builds of one commit have tags of their own, since a repository whose tags cannot be moved takes each once.
    tag = f"{entry.name}-{built.commit[:_SHORT]}-{now.strftime(_TIME)}-{wanted}"
    build = Build.of(entry.folder, f"{place.prefix}/{project}", tag)
    return TrainedImage(entry.model, building.pushed(build, place.client("ecr"), place.say), built.commit)


def _given(entry: ContainerEntry, image: str, built: Source) -> TrainedImage | None:
    return TrainedImage(entry.model, image, built.commit) if image else None


def write(project: str, after: Published, place: Place) -> None:
    """Write down what is published of a project, which tells the stack to run and train what is new.

    Raises:
        OperateError: it is larger than a parameter may be.
    """
    text, name = documents.to_json(after), names.published_parameter(place.prefix, project)
    if len(text.encode()) > _LIMIT:
        raise OperateError(f"{name} would have more than {_LIMIT:,} bytes: give the project fewer containers")
    place.client("ssm").put_parameter(Name=name, Value=text, Type="String", Overwrite=True)


def _say(project: Project, before: Published, after: Published, place: Place) -> None:
    for key, changed in after.pipelines.items():
        if before.pipelines.get(key) != changed:
            place.say(f"the pipeline {key} runs anew, over the data of its last run")
    for image in after.images:
        if image not in before.images:
            place.say(f"the model {image.model} is trained anew, as {image.image}")
    if (after.pipelines, after.images) == (before.pipelines, before.images):
        place.say(f"this commit changes no pipeline and no image of {project.name}: nothing is started")
