"""The automation of a project as it stands: its stack, the boundary of the project's roles, and what it covers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from signalbox import names
from signalbox_operate.automations import places
from signalbox_operate.automations.places import Places, Statements
from signalbox_operate.projects.cloudformation import ProjectStack
from signalbox_operate.projects.model import Project
from signalbox_operate.projects.place import Place
from signalbox_operate.projects.target import Target


@dataclass(frozen=True)
class Automation:
    """The stack of a project's automation, with its outputs and parameters; both are empty where it is not there."""

    stack: ProjectStack
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]

    @property
    def boundary(self) -> str:
        """Return the ARN of the boundary of the project's roles; "" where there is no automation."""
        return self.outputs.get("BoundaryArn", "")

    @property
    def old(self) -> bool:
        """Say whether it was made by a version without grants: functions believe what its builds write."""
        return bool(self.boundary) and "Models" not in self.parameters

    def uncovered(self, project: Project, target: Target, statements: Statements) -> Iterator[str]:
        """Yield a sentence for each thing of a project that its automation does not cover; none where there is none.

        Args:
            project: the project.
            target: the stack that it is deployed to.
            statements: what each of its roles may do.
        """
        if not self.boundary:
            return
        wanted = places.of(project, target, statements)
        have = {name: set(self.parameters.get(name, "").split(",")) for name in wanted}
        if self.old:  # which covers each prefix within one that its jobs may read
            have["Uploads"] = {one for one in wanted["Uploads"] if _covers(have["DataPrefixes"], one)}
        told = list(_lacking(project, target, wanted, have))
        if places.networked(statements) and self.parameters.get("Network") != "yes":
            told.append("a network of its jobs is new")
        covered = all(_covers(have[name], one) for name in places.PATTERNS for one in wanted[name])
        if not told and not covered:
            told.append("where its jobs read and write has changed")
        for what in told:
            yield (
                f"{project.places.of()}: {what}, and the build automation {self.stack.name} does not cover it, so its "
                "jobs would be denied: whoever made it runs `signalbox projects create` again"
            )


def of(project: str, place: Place) -> Automation:
    """Return the automation of a project in a stack."""
    name = names.automation_stack(place.prefix, project)
    stack = ProjectStack(name, place.client("cloudformation"), place.say)
    return Automation(stack, stack.outputs(), stack.parameters())


def _lacking(project: Project, target: Target, wanted: Places, have: Mapping[str, set[str]]) -> Iterator[str]:
    for model in project.models:
        if places.parameter_arn(names.model_parameter(target.prefix, model), target) not in have["Documents"]:
            yield f"the model {model} is new"
    for uploads in project.uploads:
        if uploads.prefix not in have["Uploads"]:
            yield f"uploads under {uploads.prefix} are new"
    for place in (*project.read, *project.write):
        if not _covers(have["Reads"], places.objects_arn(place, target)):
            yield f"{place} is new"
    for function in sorted(set(wanted["Functions"]) - have["Functions"]):
        yield f"the function {function} is new"
    if not {*wanted["Features"]} <= have["Features"]:
        yield f"the feature group {target.feature_group(project)} is new"


def _covers(patterns: set[str], text: str) -> bool:
    return any(pattern and text.startswith(pattern.removesuffix("*")) for pattern in patterns)
