"""What a build has published is run, or trained: nothing else of a push reaches the other journeys."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from signalbox.observability import count, logger
from signalbox.project_documents import Project
from signalbox.pushes.documents import PushDocumentError
from signalbox.pushes.model import Published, TrainedImage
from signalbox.pushes.ports import BranchStore, Trainings


class Publication(NamedTuple):
    """A project has published something."""

    project: str


class PublishingPorts(NamedTuple):
    """What publishing needs from outside; `project_of` returns whose a model is, None where no project has it."""

    published: Callable[[str], Published | None]
    projects: Callable[[], Sequence[Project]]
    project_of: Callable[[str], str | None]
    branches: BranchStore
    trainings: Trainings


def publish(publication: Publication, ports: PublishingPorts) -> None:
    """Ask for a run of each pipeline, and start the training of each image, that a project's push changed.

    What is published names for each of them the commit that changed it last, so that a later push hides none before it
    was seen. A repetition starts nothing: a run is asked for once for each change, and an execution is named after its
    image. A project's document speaks of its own pipelines and models alone, whatever a build writes there.

    All projects share a message group, so a document that cannot be read (a build wrote it) must not bring its message
    back: it is logged and counted, and the next publication replaces it.

    Raises:
        ServiceBusyError, CallRefusedError: AWS did not take a call.
    """
    try:
        published = ports.published(publication.project)
    except PushDocumentError as error:
        logger.error("published not understood", extra={"project": publication.project, "reason": str(error)})
        count("PublishedIgnored")
        return
    if published is None:
        return
    project = next((one for one in ports.projects() if one.project == publication.project), None)
    for key, changed in published.pipelines.items():
        if project is None or key not in project.pipelines:
            _ignored(publication, key)
            continue
        ports.trainings.run_again(project.pipelines[key].name, changed)
    for image in published.images:
        if ports.project_of(image.model) != publication.project:
            _ignored(publication, image.model)
        elif not ports.branches.trained(publication.project, image):
            _train(publication.project, image, published.by, ports)


def _train(project: str, image: TrainedImage, by: str, ports: PublishingPorts) -> None:
    started = ports.trainings.train(image, by)
    ports.branches.note_trained(project, image)
    logger.info("image published", extra={"model": image.model, "image": image.image, "started": started})
    count("ImageTrained")


def _ignored(publication: Publication, what: str) -> None:
    logger.warning("published is not the project's", extra={"project": publication.project, "what": what})
    count("PublishedIgnored")
