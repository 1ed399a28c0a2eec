"""One handler for all types: it asks the API for what a template says, as whoever works on the stack."""

import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from sagemaker_local.stacks.conversions import ConversionError
from sagemaker_local.stacks.model import Properties, Request, ResourceType
from sagemaker_local.stacks.properties import checked

type Ask = Callable[[str, Request], dict[str, Any]]
"""Asks SageMaker for an operation, and returns its answer. Raises RefusedError."""
type Made = tuple[str, dict[str, Any]]
"""What `Ref` is, and what `Fn::GetAtt` is by the names of the attributes."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds between two looks at a status
_MISSING = ("Could not find", "does not exist", "can't find", "RecordNotFound")
_RUNS = "InService"
# The framework's names of what a service refuses (CloudFormation CLI User Guide, "Handler error codes").
_HANDLER_CODES = {
    "AccessDeniedException": "AccessDenied",
    "ConflictException": "ResourceConflict",
    "ResourceInUse": "ResourceConflict",
    "ResourceLimitExceeded": "ServiceLimitExceeded",
    "ResourceNotFound": "NotFound",
    "ValidationException": "InvalidRequest",
}


class RefusedError(Exception):
    """What SageMaker answered instead of doing what it was asked for."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def missing(self) -> bool:
        """Tell whether there is no such resource."""
        told = any(words in self.message for words in _MISSING)
        return self.code == "ResourceNotFound" or (self.code == "ValidationException" and told)


class ResourceError(Exception):
    """A resource that could not become what the template says, in CloudFormation's words."""

    def __init__(self, message: str, handler_code: str) -> None:
        token = f"RequestToken: {uuid.uuid4()}, HandlerErrorCode: {handler_code}"
        super().__init__(f'Resource handler returned message: "{message}" ({token})')


class StackResources:
    """The resources of one type, in whatever stack."""

    def __init__(self, resource: ResourceType, ask: Ask, new_name: Callable[[str, str], str]) -> None:
        self._type = resource
        self._ask = ask
        self._new_name = new_name
        # An ARN is in lower case, whatever the name is.
        self._names: dict[str, str] = {}

    def create(self, logical_id: str, properties: Properties, stack: str) -> Made:
        """Make a resource, and wait until it is ready. One that does not get ready is deleted again.

        Raises:
            PropertiesError: the properties are not as the schema has them.
            ResourceError: SageMaker refuses it, or it fails.
        """
        wanted = self._checked(logical_id, properties)
        if self._type.named and not wanted.get(self._type.name):
            wanted = {**wanted, self._type.name: self._new_name(stack, logical_id)}
        answer = self._call("Create", self._converted(lambda: self._type.creation(wanted)))
        members = {**wanted, **answer}
        identity = str(members[self._type.name if self._type.named else self._type.arn])
        try:
            afterwards = {name: wanted[name] for name in self._type.set_afterwards if name in wanted}
            if afterwards:
                self._update(identity, afterwards)
            attributes = self._attributes(identity, {**members, **self._settled(identity)})
        except ResourceError:
            with suppress(ResourceError):  # what is told is why it did not get ready
                self._remove(identity)
            raise
        reference = str(members[self._type.reference])
        if reference.startswith("arn:"):
            self._names[reference] = identity
        return reference, attributes

    def update(self, reference: str, old: Properties, new: Properties, _stack: str, logical_id: str) -> Made:
        """Change a resource to new properties, none of which needs another resource, and wait until it is done.

        Raises:
            PropertiesError: the properties are not as the schema has them.
            ResourceError: SageMaker refuses the change, or goes back from it.
        """
        before, wanted = self._checked(logical_id, old), self._checked(logical_id, new)
        identity, described = self._identity(reference), dict[str, Any]()
        changed = {name for name in {*before, *wanted} - {"Tags"} if before.get(name) != wanted.get(name)}
        if changed - self._type.about_updates:
            self._require_changeable(changed)
            self._change(identity, self._converted(lambda: self._type.change(before, wanted)))
            described = self._settled(identity)
        if before.get("Tags") != wanted.get("Tags"):
            self._tag(reference, before.get("Tags", []), wanted.get("Tags", []))
        known = {self._type.name: identity, self._type.reference: reference}
        return reference, self._attributes(identity, {**wanted, **known, **described})

    def delete(self, reference: str, _properties: Properties) -> None:
        """Delete a resource, and wait until it is gone. One that is gone already is no failure.

        Raises:
            ResourceError: SageMaker refuses it.
        """
        self._remove(self._identity(reference))
        self._names.pop(reference, None)

    def read(self, reference: str, properties: Properties) -> dict[str, Any] | None:
        """Return those of a resource's properties that are given, as they are now; None if it is gone.

        Raises:
            ResourceError: SageMaker refuses to describe it.
        """
        described = self._described(self._identity(reference))
        if described is None:
            return None
        known = self._type.properties()
        found = {name: item for name, item in self._type.described(described).items() if name in known}
        if self._type.stack_tags:
            found["Tags"] = self._asked("ListTags", {"ResourceArn": described[self._type.arn]})["Tags"]
        given = {name: properties.get(name) for name in found}
        return {name: _like(given[name], item) for name, item in found.items() if _alike(given[name], item)}

    def _identity(self, reference: str) -> str:
        """Return what the API knows a resource by: its name, or the ARN of one that has no name."""
        return self._names.get(reference) or (reference.rpartition("/")[2] if self._type.named else reference)

    def _checked(self, logical_id: str, properties: Properties) -> Properties:
        unknown = sorted(self._type.not_emulated & set(properties))
        if unknown:
            raise ResourceError(
                f"{', '.join(unknown)} of {self._type.type_name} is not emulated here.", "InvalidRequest"
            )
        tags = [tag for tag in properties.get("Tags", []) if not is_stacks_own(tag)]
        given = {name: item for name, item in properties.items() if name != "Tags"}
        return checked(self._type, logical_id, {**given, "Tags": tags} if tags else given)

    def _converted(self, convert: Callable[[], Request]) -> Request:
        try:
            return convert()
        except ConversionError as error:
            raise ResourceError(str(error), "InvalidRequest") from error

    def _require_changeable(self, changed: set[str]) -> None:
        fixed = changed - self._type.members("Update") - self._type.changed_by - self._type.about_updates
        if fixed:
            message = f"{', '.join(sorted(fixed))} of {self._type.type_name} cannot be changed."
            raise ResourceError(message, "NotUpdatable")

    def _call(self, verb: str, request: Request) -> dict[str, Any]:
        """Ask for an operation of the kind, with those members that it takes."""
        taken = self._type.members(verb)
        operation = f"{verb}{self._type.kind}"
        return self._asked(operation, {name: item for name, item in request.items() if name in taken})

    def _asked(self, operation: str, request: Request) -> dict[str, Any]:
        try:
            return self._ask(operation, request)
        except RefusedError as refusal:
            service = f"(Service: SageMaker, Status Code: 400, Request ID: {uuid.uuid4()})"
            code = _HANDLER_CODES.get(refusal.code, "GeneralServiceException")
            raise ResourceError(f"{refusal.message} {service}", code) from refusal

    def _update(self, identity: str, request: Request) -> None:
        self._call("Update", {**request, self._type.update_by or self._type.name: identity})

    def _change(self, identity: str, request: Request) -> None:
        """Update a resource; one that has to be at rest for it is stopped, and runs again if it ran before."""
        ran = self._stop(identity)
        self._update(identity, request)
        if ran:
            self._rest(identity)
            self._call("Start", {self._type.name: identity})

    def _stop(self, identity: str) -> bool:
        """Stop a resource that has to be at rest to be changed or deleted; return whether it ran."""
        if not self._type.at_rest or not self._type.status:
            return False
        described = self._rest(identity) or {}
        if described.get(self._type.status.member) != _RUNS:
            return False
        self._call("Stop", {self._type.name: identity})
        self._rest(identity)
        return True

    def _remove(self, identity: str) -> None:
        self._stop(identity)
        try:
            self._call("Delete", {self._type.name: identity})
        except ResourceError as error:
            if not isinstance(error.__cause__, RefusedError) or not error.__cause__.missing:
                raise
        if self._type.status and (left := self._rest(identity)):
            raise self._unstable(identity, left)

    def _described(self, identity: str) -> dict[str, Any] | None:
        """Return a resource's description; None if there is none."""
        try:
            return self._call("Describe", {self._type.name: identity})
        except ResourceError as error:
            if isinstance(error.__cause__, RefusedError) and error.__cause__.missing:
                return None
            raise

    def _settled(self, identity: str) -> dict[str, Any]:
        """Wait until a resource is on its way no more, and return its description; empty where its kind never is.

        Raises:
            ResourceError: it failed, or went back to what it was: then it has a reason.
        """
        if not self._type.status:
            return {}
        described = self._rest(identity) or {self._type.status.member: "Deleted"}
        if described.get("FailureReason") or described[self._type.status.member].endswith(("Failed", "Deleted")):
            raise self._unstable(identity, described)
        return described

    def _unstable(self, identity: str, described: Mapping[str, Any]) -> ResourceError:
        member = self._type.status.member if self._type.status else ""
        reason = described.get("FailureReason") or f"it is {described.get(member)}"
        told = f"Resource of type '{self._type.type_name}' with identifier '{identity}' did not stabilize"
        return ResourceError(f"{told}: {reason}", "NotStabilized")

    def _rest(self, identity: str) -> dict[str, Any] | None:
        pause = _FIRST_PAUSE
        while True:
            described = self._described(identity)
            if described is None or not self._moves(described):
                return described
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _moves(self, described: Mapping[str, Any]) -> bool:
        status = self._type.status
        return status is not None and described[status.member] in status.moving

    def _attributes(self, identity: str, members: Mapping[str, Any]) -> dict[str, Any]:
        if not set(self._type.attributes.values()) <= set(members):
            members = {**members, **(self._described(identity) or {})}
        return {name: _text(members.get(member)) for name, member in self._type.attributes.items()}

    def _tag(self, reference: str, old: list[Mapping[str, str]], new: list[Mapping[str, str]]) -> None:
        arn = reference
        if not reference.startswith("arn:"):
            arn = str((self._described(reference) or {}).get(self._type.arn))
        gone = sorted({tag["Key"] for tag in old} - {tag["Key"] for tag in new})
        if gone:
            self._asked("DeleteTags", {"ResourceArn": arn, "TagKeys": gone})
        changed = [tag for tag in new if tag not in old]
        if changed:
            self._asked("AddTags", {"ResourceArn": arn, "Tags": changed})


def is_stacks_own(tag: Any) -> bool:
    """Tell whether a tag is one that CloudFormation gives by itself: nobody else may set those."""
    return isinstance(tag, Mapping) and str(tag.get("Key", "")).lower().startswith("aws:")


def _text(value: Any) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else str(value)


def _alike(given: Any, found: Any) -> bool:
    """Tell whether what was found can be held against what is given: a place in S3 cannot against what lay there."""
    structures = isinstance(given, Mapping) and isinstance(found, Mapping)
    return not structures or bool(set(given) & set(found))


def _like(given: Any, found: Any) -> Any:
    """Return of what was found what was given too: only what a template sets can differ from it."""
    if isinstance(given, Mapping) and isinstance(found, Mapping):
        return {name: _like(given[name], item) for name, item in found.items() if name in given}
    if isinstance(given, list) and isinstance(found, list) and len(given) == len(found):
        return [_like(one, other) for one, other in zip(given, found, strict=True)]
    return found
