"""How what Studio has is named and refused.

ARNs: Service Authorization Reference, "Actions, resources, and condition keys for Amazon SageMaker". They are in lower
case here, the app's type as well: so people report them of user profiles and apps in refusals of AWS. That something
with parts cannot be deleted is in words that people report of user profiles, and that they are the same for domains and
spaces is from memory.
"""

from collections.abc import Mapping
from typing import Any

from sagemaker_local.core.errors import ApiError, in_use, not_found
from sagemaker_local.core.resources import ResourceKind

_MISSING, _TAKEN = "{kind} [{{arn}}] does not exist.", "{kind} [{{arn}}] already exists."


def _kind(name: str, path: str, *key: str) -> ResourceKind:
    taken, missing = _TAKEN.format(kind=name), _MISSING.format(kind=name)
    return ResourceKind(name, path, taken, missing, in_use, not_found, status="Status", key=key)


DOMAIN = _kind("Domain", "domain", "DomainId")
USER_PROFILE = _kind("UserProfile", "user-profile", "DomainId", "UserProfileName")
SPACE = _kind("Space", "space", "DomainId", "SpaceName")
APP = _kind("App", "app", "DomainId", "SpaceName", "AppType", "AppName")
STUDIO_CONFIG = _kind("StudioLifecycleConfig", "studio-lifecycle-config")
RUNNING = ("Pending", "InService", "Deleting")
"""The statuses of an app that something of is still there."""
KINDS = (APP, SPACE, USER_PROFILE, DOMAIN, STUDIO_CONFIG)
"""All of them, the innermost first."""


def has_parts(kind: ResourceKind, arn: str, parts: ResourceKind) -> ApiError:
    """Return the refusal to delete what still has parts of a kind."""
    return in_use(f"Unable to delete {kind.name} [{arn}] because {parts.name}(s) are associated with it.")


def resource_of(operation: str, request: Mapping[str, Any]) -> str | None:
    """Return the path of the ARN that a request is about; None where it is about nothing of Studio."""
    if operation == "CreateDomain":  # it has no id yet
        return "domain/*"
    for kind in KINDS:
        if all(member in request for member in kind.key or (kind.name_field,)):
            return f"{kind.path}/{kind.key_of(request)}"
    return None
