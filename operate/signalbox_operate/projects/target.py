"""Where a project is deployed to: what the stack gives its pipelines, and what their definitions are told of it."""

import json
from dataclasses import dataclass

import botocore.session

from signalbox import names
from signalbox_operate.projects import code
from signalbox_operate.projects.model import PipelineEntry, Project
from signalbox_operate.stack import Stack

# Stands for a job role that is not made yet, or for an account that is not asked: the AWS documentation's own.
EXAMPLE_ACCOUNT = "111122223333"


@dataclass(frozen=True)
class Target:
    """The stack that a project is deployed to; `region` is also that of the images its jobs use."""

    prefix: str
    region: str
    data_bucket: str
    artifacts_bucket: str
    key_arn: str
    job_role_arn: str

    def group(self, model: str) -> str:
        """Return the package group of a model."""
        return names.package_group(self.prefix, model)

    def pipeline(self, project: str, pipeline: str) -> str:
        """Return SageMaker's name of a project's pipeline."""
        return names.pipeline(self.prefix, project, pipeline)

    def code(self, project: Project, entry: PipelineEntry) -> str | None:
        """Return the URI that a pipeline's code is put under; None where it has none."""
        return None if entry.code is None else self.artifacts(code.key(project.name, code.read(entry.code)))

    def feature_group(self, project: Project) -> str:
        """Return the feature group that the project's job writes to; "" where it writes to none."""
        return (
            names.feature_group(self.prefix, project.name, project.features.definition.group)
            if project.features
            else ""
        )

    def features(self, project: Project) -> str | None:
        """Return the URI that the features' job and its documents are put under; None where there are none."""
        return self.artifacts(code.key(project.name, project.features.files())) if project.features else None

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource of the stack's account and region."""
        _, partition, _, region, account, _ = self.key_arn.split(":", 5)
        return f"arn:{partition}:{service}:{region}:{account}:{resource}"

    def artifacts(self, key: str) -> str:
        """Return the URI of a key, or of a prefix, in the artifacts bucket."""
        return f"s3://{self.artifacts_bucket}/{key}"


def example(region: str) -> Target:
    """Return a target that stands for any stack: for what can be known without one."""
    partition = botocore.session.get_session().get_partition_for_region(region)
    role = f"arn:{partition}:iam::{EXAMPLE_ACCOUNT}:role/signalbox/projects/example/job"
    key = f"arn:{partition}:kms:{region}:{EXAMPLE_ACCOUNT}:key/00000000-0000-0000-0000-000000000000"
    return Target("signalbox", region, "signalbox-data", "signalbox-artifacts", key, role)


def of_stack(stack: Stack, region: str, job_role_arn: str) -> Target:
    """Return the target that a deployed stack is, for a project whose jobs run as `job_role_arn`."""
    return Target(
        stack.output("Prefix"),
        region,
        stack.output("DataBucket"),
        stack.output("ArtifactsBucket"),
        stack.output("KeyArn"),
        job_role_arn,
    )


def words(project: Project, entry: PipelineEntry, target: Target) -> dict[str, str]:
    """Return what a definition is told, by the names that `{name}` in a text of it stands for."""
    told = {
        "project": project.name,
        "pipeline": target.pipeline(project.name, entry.name),
        "region": target.region,
        "job_role": target.job_role_arn,
        "key": target.key_arn,
        "data": f"s3://{target.data_bucket}",
        "output": target.artifacts(f"pipelines/{project.name}/{entry.name}/runs"),
        "bad_share": f"{entry.bad_share:g}",
    }
    place = target.code(project, entry)
    if place is not None:
        told["code"] = place
    features = target.features(project)
    if features is not None:
        told |= {"features": features, "feature_group": target.feature_group(project)}
    return told | {f"group:{model}": target.group(model) for model in project.models}


def variables(project: Project, entry: PipelineEntry, target: Target) -> dict[str, str]:
    """Return the same as the environment variables of a script that prints a definition."""
    told = words(project, entry, target)
    groups = {model: target.group(model) for model in project.models}
    made = {f"SIGNALBOX_{name.upper()}": value for name, value in told.items() if ":" not in name}
    return made | {"SIGNALBOX_GROUPS": json.dumps(groups)}
