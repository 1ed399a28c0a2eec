"""A deployed stack in a region, and the projects in it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from signalbox import names, projects
from signalbox.aws import parameters
from signalbox.grants import Grant
from signalbox.project_documents import Project as Document
from signalbox_operate.projects import template
from signalbox_operate.projects.cloudformation import ProjectStack
from signalbox_operate.stack import Stack


@dataclass(frozen=True)
class Place:
    """Where projects are: `client` makes a client of a service, and `say` is told what happens."""

    stack: Stack
    region: str
    client: Callable[[str], Any]
    say: Callable[[str], None]

    @property
    def prefix(self) -> str:
        """Return what every name of the stack starts with."""
        return self.stack.output("Prefix")

    def stack_of(self, project: str) -> ProjectStack:
        """Return the stack of a project, which need not be there."""
        return ProjectStack(template.stack_name(self.prefix, project), self.client("cloudformation"), self.say)

    def projects(self) -> tuple[Document, ...]:
        """Return the documents of all projects, by name."""
        return projects.load_projects(self.prefix, self.client("ssm"))

    def find(self, project: str) -> Document | None:
        """Return the document of a project; None where it has none."""
        return next((one for one in self.projects() if one.project == project), None)

    def claimed(self) -> dict[str, set[str]]:
        """Return the prefixes that each project claims, or may claim by its grant, by the project's name."""
        documents = {one.project: {each.prefix for each in one.uploads} for one in self.projects()}
        granted = {project: set(grant.prefixes) for project, grant in self._grants().items()}
        return {name: documents.get(name, set()) | granted.get(name, set()) for name in sorted({*documents, *granted})}

    def owners(self) -> dict[str, str]:
        """Return the project of each model: who has the grant of it, else whom its document names."""
        found = parameters.below(names.model_parameter(self.prefix, ""), self.client("ssm"))
        named = {model: project for model, text in found if (project := _project_in(text))}
        grants = sorted(self._grants().items(), reverse=True)  # of several, the first by name counts, as in the stack
        return named | {model: project for project, grant in grants for model in grant.models}

    def models_of(self, project: str) -> list[str]:
        """Return the names of a project's models that have a document."""
        owners = self.owners()
        there = projects.load_model_names(self.prefix, self.client("ssm"))
        return [model for model in there if owners.get(model) == project]

    def _grants(self) -> dict[str, Grant]:
        return projects.load_grants(self.prefix, self.client("ssm"))


def _project_in(text: str) -> str:
    """Return the project in a model's document; "" where it cannot be used, which stops nobody else."""
    try:
        return projects.parse_model(text).project
    except projects.ProjectDocumentError:
        return ""
