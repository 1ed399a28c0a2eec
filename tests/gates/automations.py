"""The templates of `cicd/` as the checks see them, and two projects to fill them in with."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.gates.cfn_yaml import parse
from tests.gates.template import ROOT, Template, TemplateError
from tests.gates.values import ACCOUNT, REGION, STACK, Values

from signalbox_operate.automations import places
from signalbox_operate.features import project_features
from signalbox_operate.projects import roles
from signalbox_operate.projects import template as project_template
from signalbox_operate.projects.model import ContainerEntry, PipelineEntry, Project, Uploads
from signalbox_operate.projects.target import Target

FOLDER = ROOT / "cicd"
PROJECT = "cicd/project.yaml"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{STACK}-Key"
CONTAINERS = f"arn:aws:iam::{ACCOUNT}:policy/{STACK}-ContainerPolicy"
DATA, ARTIFACTS = f"{STACK}-data-{ACCOUNT}", f"{STACK}-artifacts-{ACCOUNT}"
TARGET = Target(STACK, REGION, DATA, ARTIFACTS, KEY, "")
_MACHINES = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine"


def texts() -> dict[str, str]:
    """Return the texts of all templates, by their paths in the repository."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.yaml"))
    }


@dataclass(frozen=True)
class Example:
    """A project with everything that a project can have, and its automation."""

    name: str

    @cached_property
    def project(self) -> Project:
        """Return the project: models of a pipeline and of a container, data of its own and elsewhere."""
        here = Path()
        pipeline = PipelineEntry("train", here, here, (self.name, f"{self.name}-colour"), None, None, {})
        container = ContainerEntry(
            "bottles", f"{self.name}-bottles", "regression", None, None, None, "training", {}, {}, {}
        )
        return Project(
            here,
            self.name,
            (Uploads(f"incoming/{self.name}/", "", 60, "train"),),
            {"train": pipeline},
            {"bottles": container},
            read=(f"s3://lake/{self.name}/",),
            write=(f"s3://lake/out/{self.name}/",),
            features=project_features.read(ROOT / "projects" / "abalone"),
        )

    @property
    def function(self) -> str:
        """Return the ARN of the function that its pipeline calls."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.name}-checks"

    @cached_property
    def statements(self) -> dict[str, list[roles.Statement]]:
        """Return what its roles may do: all that any step, a network and a function make of them."""
        return {
            "JobRole": roles.job(self.project, TARGET, network=True),
            "TestRole": roles.test(self.project, TARGET),
            "ModelRole": roles.model(self.project, TARGET),
            "PipelineRole": roles.pipeline(self.project, TARGET, roles.STEPS, [self.function], ()),
            "FeatureRole": roles.features(self.project, TARGET),
        }

    @cached_property
    def roles(self) -> dict[str, Any]:
        """Return its roles as `signalbox deploy` writes them, with every intrinsic function replaced."""
        contents = project_template.Contents(STACK, self.name, "{}", {}, self.statements, CONTAINERS, {})
        made = project_template.make(contents)
        values = Values(made, made, project_template.stack_name(STACK, self.name))
        return {name: values.of(made["Resources"][name]["Properties"]) for name in self.statements}

    @property
    def given(self) -> dict[str, str]:
        """Return the parameters of its automation."""
        lists = places.of(self.project, TARGET, self.statements)
        return {
            **{name: ",".join(values) for name, values in lists.items()},
            **{"Project": self.name, "Experiments": "yes", "Network": "yes", "SeedKey": "seed.zip"},
            **{"StackName": STACK, "Prefix": STACK, "DataBucket": DATA, "ArtifactsBucket": ARTIFACTS, "KeyArn": KEY},
            "UploadsTable": f"{STACK}-UploadsTable",
            "PushesQueueArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{STACK}-PushesQueue.fifo",
            "EventsDeadLettersArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{STACK}-EventsDeadLetters",
            "ContainerPolicyArn": CONTAINERS,
            "MlopsMachineArn": f"{_MACHINES}:{STACK}-MlopsMachine",
            "ReleaseMachineArn": f"{_MACHINES}:{STACK}-ReleaseMachine",
            "CommandLineKey": "command-line/0.1.0-0123456789abcdef.zip",
        }


WINE, ABALONE = Example("wine"), Example("abalone")


def load(text: str, example: Example | None = None) -> Template:
    """Return a template that is plain CloudFormation, filled in for a project where one is given.

    Raises:
        TemplateError: it is not YAML.
    """
    try:
        read = parse(text)
    except ValueError as error:
        raise TemplateError(str(error)) from error
    given = example.given if example else {}
    return Template(ROOT, text, read, read, {}, Values(read, read, f"{STACK}-cicd-wine", given))
