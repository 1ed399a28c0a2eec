"""How notebook instances and lifecycle configurations are named, listed and refused.

The words of the refusals are those that programs written for AWS look for; that a configuration in use is refused with
the names of its instances is from memory.
"""

from collections.abc import Sequence

from sagemaker_local.core.errors import ApiError, invalid
from sagemaker_local.core.resources import ResourceKind

NOTEBOOK = ResourceKind(
    "NotebookInstance",
    "notebook-instance",
    "Cannot create a duplicate Notebook Instance ({arn})",
    "RecordNotFound",
    status="NotebookInstanceStatus",
)
LIFECYCLE_CONFIG = ResourceKind(
    "NotebookInstanceLifecycleConfig",
    "notebook-instance-lifecycle-config",
    "Unable to create Notebook Instance Lifecycle Config '{arn}'. "
    "(Details: Notebook Instance Lifecycle Config already exists.)",
    "Notebook Instance Lifecycle Config '{arn}' was not found. "
    "(Details: Notebook Instance Lifecycle Config does not exist.)",
)


def wrong_status(status: str, allowed: Sequence[str], wanted: str, arn: str) -> ApiError:
    """Return the refusal of a step that an instance cannot take as it is."""
    return invalid(
        f"Status ({status}) not in ([{', '.join(allowed)}]). "
        f"Unable to transition to ({wanted}) for Notebook Instance ({arn})."
    )


def used_by(arn: str, instances: Sequence[str]) -> ApiError:
    """Return the refusal to delete a configuration that instances have."""
    return invalid(
        f"Unable to delete Notebook Instance Lifecycle Config '{arn}'. "
        f"(Details: Notebook Instance Lifecycle Config is in use by the Notebook Instances {', '.join(instances)}.)"
    )
