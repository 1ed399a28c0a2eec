"""What a project may not claim, because the stack or another project of it has it."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from signalbox_operate.projects.model import Project
from signalbox_operate.projects.target import Target


def refused(
    project: Project, target: Target, watched: str, others: Mapping[str, AbstractSet[str]], owners: Mapping[str, str]
) -> Iterator[str]:
    """Yield a sentence for each claim that cannot be had.

    Args:
        project: the project.
        target: the stack that it is deployed to.
        watched: the prefix of the data bucket that the stack watches.
        others: the prefixes that the other projects of the stack claim, or may claim.
        owners: the project of each model that has a document or a grant in the stack.
    """
    several = len(project.uploads) > 1
    for index, uploads in enumerate(project.uploads):
        where = project.places.of("uploads", *([index] if several else []), "prefix")
        if not uploads.prefix.startswith(watched) and not _elsewhere(uploads.prefix, project):
            yield (
                f"{where}: the stack watches {watched} alone: choose a prefix such as {watched}{project.name}/, or "
                "say in access.read which place in a bucket of your own it is"
            )
        for other, prefixes in others.items():
            if uploads.prefix in prefixes:
                yield f"{where}: {uploads.prefix} is claimed by the project {other}: choose another prefix"
    for model in project.models:
        if owners.get(model, project.name) != project.name:
            where = project.places.of(*_place_of(project, model))
            yield f"{where}: the model {model} belongs to the project {owners[model]}: choose another name"
    for kind, places in (("read", project.read), ("write", project.write)):
        for place in places:
            if place.split("/")[2] in {target.data_bucket, target.artifacts_bucket}:
                where = project.places.of("access", kind)
                yield f"{where}: {place} is in a bucket of the stack, where each project has its places: leave it out"


def shared(project: Project, others: Mapping[str, AbstractSet[str]]) -> Iterator[str]:
    """Yield what is claimed legally and yet is worth knowing: one prefix in another."""
    for uploads in project.uploads:
        for other, prefixes in others.items():
            for prefix in sorted(prefixes - {uploads.prefix}):
                if prefix.startswith(uploads.prefix):
                    yield f"the jobs of {project.name} can read the uploads of {other} ({prefix})"
                elif uploads.prefix.startswith(prefix):
                    yield f"the jobs of {other} can read the uploads of {project.name} ({uploads.prefix})"


def _elsewhere(prefix: str, project: Project) -> bool:
    """Say whether a prefix lies in a place of another bucket that the project's jobs may read."""
    return any(prefix.startswith(place.split("/", 3)[3]) for place in project.read)


def _place_of(project: Project, model: str) -> tuple[str, str]:
    for name, entry in project.pipelines.items():
        if model in entry.models:
            return "pipelines", name
    return "containers", next(entry.name for entry in project.containers.values() if entry.model == model)
