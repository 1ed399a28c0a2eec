"""The features of a project as a deployment takes them: the definition, what was fitted for it, and the job's files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import signalbox_features
from signalbox_features import fitting, outputs
from signalbox_features.fitting import Artefact, ArtefactError
from signalbox_features.model import FeatureDefinition
from signalbox_operate.features import reading
from signalbox_operate.projects.model import ProjectError

DEFINITION = "features.json"
_PACKAGE = "signalbox_features"


class ProjectFeatures(NamedTuple):
    """A project's `features.yaml`, and what was fitted for it."""

    definition: FeatureDefinition
    artefact: Artefact

    @property
    def online(self) -> bool:
        """Say whether the newest record of each identifier is kept for who serves."""
        return self.definition.store != "offline"

    @property
    def offline(self) -> bool:
        """Say whether every record is kept for who trains."""
        return self.definition.store != "online"

    def kinds(self) -> dict[str, str]:
        """Return the types of the group's features in the Feature Store, by their names, in their order."""
        return outputs.kinds(self.definition, self.artefact.features)

    def files(self) -> dict[str, bytes]:
        """Return what the job needs besides data, by the paths in its folder: the package, and the two documents."""
        package = Path(signalbox_features.__file__).parent
        programs = {f"{_PACKAGE}/{path.name}": path.read_bytes() for path in sorted(package.glob("*.py"))}
        documents = {DEFINITION: dict(self.definition.given), reading.FITTED: dict(self.artefact.document)}
        return programs | {name: json.dumps(one, ensure_ascii=False).encode() for name, one in documents.items()}


def read(folder: Path) -> ProjectFeatures | None:
    """Return the features of the project in a folder; None where it has no `features.yaml`.

    Raises:
        ProjectError: the file cannot be used, or nothing was fitted for it as it is.
    """
    if not (folder / reading.FILE).exists():
        return None
    definition = reading.read(folder)
    try:
        artefact = fitting.load(folder / reading.FITTED, definition)
    except ArtefactError as error:
        raise ProjectError([f"{reading.FILE}: {error}"]) from error
    problems = list(_unusable(definition))
    if problems:
        raise ProjectError(problems)
    return ProjectFeatures(definition, artefact)


def _unusable(definition: FeatureDefinition) -> Iterator[str]:
    if definition.group != definition.group.lower():
        yield (
            f"{reading.FILE}: write the group {definition.group} in lower case: SageMaker's ARNs are, and the job's "
            "role is allowed to write by one"
        )
