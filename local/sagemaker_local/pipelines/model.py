"""A pipeline definition that has been read: its parameters and its steps."""

from dataclasses import dataclass, field
from typing import Any

type Scalar = str | int | float | bool

# A job's type, by the name that its operations and members carry (CreateTrainingJob, TrainingJobName).
JOBS = {"Processing": "ProcessingJob", "Training": "TrainingJob", "Transform": "TransformJob"}

# The operation whose request is a step's Arguments, the member of it that the service fills, and the operation whose
# answer a `Steps.X` reference walks.
CREATES = {
    **{kind: (f"Create{job}", f"{job}Name", f"Describe{job}") for kind, job in JOBS.items()},
    "Model": ("CreateModel", "ModelName", "DescribeModel"),
    "RegisterModel": ("CreateModelPackage", "", "DescribeModelPackage"),
}


@dataclass(frozen=True)
class Parameter:
    """A parameter; `default` is None where a value must be given."""

    name: str
    type: str
    default: Scalar | None = None
    choices: tuple[Scalar, ...] = ()


@dataclass(frozen=True)
class Branch:
    """The branch of a Condition step that a step lies in."""

    condition: str
    outcome: bool


@dataclass(frozen=True)
class Step:
    """A step, as written (`fields`), with the names of the steps that it waits for."""

    name: str
    type: str
    fields: dict[str, Any]
    dependencies: frozenset[str]
    branch: Branch | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """Return the Arguments as written."""
        arguments: dict[str, Any] = self.fields.get("Arguments") or {}
        return arguments

    @property
    def property_files(self) -> dict[str, dict[str, str]]:
        """Return the property files by name."""
        return {entry["PropertyFileName"]: entry for entry in self.fields.get("PropertyFiles") or []}


@dataclass(frozen=True)
class Definition:
    """A whole definition; `steps` are in the order of writing, those of branches after their Condition step."""

    parameters: dict[str, Parameter] = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)
    experiment: dict[str, Any] | None = None


def own_expressions(kind: str, fields: dict[str, Any]) -> Any:
    """Return the part of a step that the step itself evaluates: not the steps inside its branches."""
    arguments = fields.get("Arguments") or {}
    if kind == "Condition":
        return arguments.get("Conditions")
    return [arguments, fields.get("FunctionArn")]
