"""A deployed stack in a region, and the projects in it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from signalbox import projects
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

    def models_of(self, project: str) -> list[str]:
        """Return the names of a project's models."""
        ssm = self.client("ssm")
        found = (
            (name, projects.load_model(self.prefix, name, ssm)) for name in projects.load_model_names(self.prefix, ssm)
        )
        return [name for name, document in found if document is not None and document.project == project]
