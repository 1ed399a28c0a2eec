"""What a project may not claim, because the stack or another project of it has it."""

from collections.abc import Iterator, Sequence

from signalbox import projects
from signalbox.project_documents import Project as Document
from signalbox_operate.projects.model import Project
from signalbox_operate.projects.target import Target


def refused(
    project: Project, target: Target, watched: str, others: Sequence[Document], owners: dict[str, str]
) -> Iterator[str]:
    """Yield a sentence for each claim that cannot be had.

    Args:
        project: the project.
        target: the stack that it is deployed to.
        watched: the prefix of the data bucket that the stack watches.
        others: the other projects of the stack.
        owners: the project of each model that has a document in the stack.
    """
    several = len(project.uploads) > 1
    for index, uploads in enumerate(project.uploads):
        where = project.places.of("uploads", *([index] if several else []), "prefix")
        if not uploads.prefix.startswith(watched):
            yield f"{where}: the stack watches {watched} alone: choose a prefix such as {watched}{project.name}/"
        for other in others:
            if any(one.prefix == uploads.prefix for one in other.uploads):
                yield f"{where}: {uploads.prefix} is claimed by the project {other.project}: choose another prefix"
    for model in project.models:
        if owners.get(model, project.name) != project.name:
            where = project.places.of(*_place_of(project, model))
            yield f"{where}: the model {model} belongs to the project {owners[model]}: choose another name"
    for kind, places in (("read", project.read), ("write", project.write)):
        for place in places:
            if place.split("/")[2] in {target.data_bucket, target.artifacts_bucket}:
                where = project.places.of("access", kind)
                yield f"{where}: {place} is in a bucket of the stack, where each project has its places: leave it out"


def shared(project: Project, others: Sequence[Document]) -> Iterator[str]:
    """Yield what is claimed legally and yet is worth knowing: one prefix in another."""
    for uploads in project.uploads:
        for other in others:
            for one in other.uploads:
                if one.prefix != uploads.prefix and one.prefix.startswith(uploads.prefix):
                    yield f"the jobs of {project.name} can read the uploads of {other.project} ({one.prefix})"
                elif one.prefix != uploads.prefix and uploads.prefix.startswith(one.prefix):
                    yield f"the jobs of {other.project} can read the uploads of {project.name} ({uploads.prefix})"


def owners(prefix: str, models: Sequence[str], ssm: object) -> dict[str, str]:
    """Return the project of each of these models that has a document."""
    found = {model: projects.load_model(prefix, model, ssm) for model in models}  # type: ignore[arg-type]  # any client
    return {model: document.project for model, document in found.items() if document is not None}


def _place_of(project: Project, model: str) -> tuple[str, str]:
    for name, entry in project.pipelines.items():
        if model in entry.models:
            return "pipelines", name
    return "containers", next(entry.name for entry in project.containers.values() if entry.model == model)
