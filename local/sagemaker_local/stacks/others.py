"""Types of other services than SageMaker: what their handlers share."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from sagemaker_local.stacks.handler import Ask, Made, RefusedError, ResourceError
from sagemaker_local.stacks.model import Properties, Request

_CODES = {
    "AccessDeniedException": "AccessDenied",
    "AccountLimitExceededException": "ServiceLimitExceeded",
    "ResourceNotFoundException": "NotFound",
    "RepositoryNotFoundException": "NotFound",
    "ResourceAlreadyExistsException": "AlreadyExists",
    "RepositoryAlreadyExistsException": "AlreadyExists",
}
_NOT_FOUND = "NotFound"


class OtherType:
    """The resources of one type. `name` is the property that names them, `replacing` those that make another one."""

    type_name: str
    service: str
    name: str
    replacing: tuple[str, ...]
    properties: frozenset[str] = frozenset()
    """Those that drift is looked for in."""

    def __init__(self, ask: Ask, new_name: Callable[[str, str], str]) -> None:
        self._ask = ask
        self._new_name = new_name

    def create(self, logical_id: str, properties: Properties, stack: str) -> Made:
        """Make a resource."""
        raise NotImplementedError

    def update(self, reference: str, old: Properties, new: Properties, _stack: str, logical_id: str) -> Made:
        """Change a resource to new properties, none of which needs another resource."""
        raise NotImplementedError

    def delete(self, reference: str, properties: Properties) -> None:
        """Delete a resource. One that is gone already is no failure."""
        raise NotImplementedError

    def read(self, reference: str, properties: Properties) -> dict[str, Any] | None:
        """Return the properties that drift is looked for in; None where the resource is gone."""
        raise NotImplementedError

    def asked(self, operation: str, request: Request) -> dict[str, Any]:
        """Ask for an operation.

        Raises:
            ResourceError: the service refuses it.
        """
        try:
            return self._ask(operation, request)
        except RefusedError as refusal:
            told = f"{refusal.message} (Service: {self.service}, Status Code: 400, Request ID: {uuid.uuid4()})"
            raise ResourceError(told, _CODES.get(refusal.code, "InvalidRequest")) from refusal

    def gone(self, error: ResourceError) -> bool:
        """Tell whether a refusal says that there is no such resource."""
        return isinstance(error.__cause__, RefusedError) and _CODES.get(error.__cause__.code) == _NOT_FOUND

    def refuse(self, properties: Properties, *names: str) -> None:
        """Refuse properties by their names.

        Raises:
            ResourceError: one of them is there.
        """
        found = [name for name in names if name in properties]
        if found:
            raise ResourceError(f"{', '.join(found)} of {self.type_name} is not emulated here.", "InvalidRequest")


def without_stacks_own(tags: list[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """Return tags but those that CloudFormation gives by itself, and nobody else may set."""
    return [tag for tag in tags if not str(tag.get("Key", "")).lower().startswith("aws:")]
