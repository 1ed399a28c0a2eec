"""The feature group of a project in a stack: what it is called, where it keeps records, and as which role."""

from signalbox import names
from signalbox_operate.features.groups import OfflinePlace, WantedGroup
from signalbox_operate.projects import roles
from signalbox_operate.projects.model import Project
from signalbox_operate.projects.target import Target

_ROLE_LIMIT = 64  # characters of a role's name (IAM API reference, CreateRole)


def wanted(project: Project, target: Target) -> WantedGroup | None:
    """Return the group that a project declares; None where it has no features, or their job writes to no group."""
    name, features = target.feature_group(project), project.features
    if not name or features is None:
        return None
    place = OfflinePlace(roles.features_place(project, target), target.key_arn, _role_arn(project, target))
    return WantedGroup(
        name,
        target.arn("sagemaker", f"feature-group/{name}"),
        features.definition.identifier.name,
        features.definition.event_time.name,
        features.kinds(),
        features.online,
        place if features.offline else None,
    )


def role_name(project: str, target: Target) -> str:
    """Return the name of the role that records are kept as.

    A group has it for good, so it is the same again where a project was removed and is deployed anew; a role's name is
    the account's, so it has the region.
    """
    return names.slug(f"{target.prefix}-{project}-features-{target.key_arn.split(':')[3]}", _ROLE_LIMIT)


def _role_arn(project: Project, target: Target) -> str:
    _, partition, _, _, account, _ = target.key_arn.split(":", 5)
    path = f"{target.prefix}/projects/{project.name}"
    return f"arn:{partition}:iam::{account}:role/{path}/{role_name(project.name, target)}"
