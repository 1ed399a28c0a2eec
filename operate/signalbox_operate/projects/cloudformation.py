"""A stack of a project, created or brought up to date, and waited for; a failure is told by its first cause.

Safe to repeat, and to break off anywhere: what is still under way is waited for, and a creation that failed leaves
nothing, so that the next one can begin.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from signalbox_operate.projects.definitions import as_list
from signalbox_operate.stack import OperateError

_POLL_SECONDS = (0.2, 5.0)  # the first wait, and the longest
_PATIENCE_SECONDS = 1800
_NO_UPDATES = "No updates are to be performed"
_GONE = "does not exist"
# What creations leave that failed, and change sets that nobody carried out: CloudFormation updates none of these.
_NEVER_MADE = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS"}


@dataclass
class ProjectStack:
    """A stack of one project: its own, or its automation's; `say` is told what happens, a line at a time."""

    name: str
    cloudformation: Any
    say: Callable[[str], None]
    _seen: set[str] = field(default_factory=set)
    _failed: list[str] = field(default_factory=list)

    def exists(self) -> bool:
        """Tell whether there is a stack of that name, in whatever state."""
        return self._find() is not None

    def outputs(self) -> dict[str, str]:
        """Return what the stack says of itself; nothing where it is not there, or was never made to the end."""
        found = self._find()
        return {} if found is None else {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}

    def parameters(self) -> dict[str, str]:
        """Return what the stack was given; nothing where it is not there, or was never made to the end."""
        found = self._made()
        return (
            {} if found is None else {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", ())}
        )

    def tags(self) -> dict[str, str]:
        """Return the tags of the stack; none where it is not there, or was never made to the end."""
        found = self._made()
        return {} if found is None else {one["Key"]: one["Value"] for one in found.get("Tags", ())}

    def template(self) -> Any:
        """Return the stack's template, as it was put; None where it is not there, or was never made to the end."""
        if self._made() is None:
            return None
        body = self.cloudformation.get_template(StackName=self.name)["TemplateBody"]
        return json.loads(body) if isinstance(body, str) else body

    def put(
        self, template: Mapping[str, Any] | str, tags: Mapping[str, str], parameters: Mapping[str, str] | None = None
    ) -> str:
        """Create or update the stack, wait for its end, and return `created`, `updated` or `unchanged`.

        Args:
            template: the template, or its text.
            tags: of the stack, and of everything in it.
            parameters: what the template is given.

        Raises:
            OperateError: it failed, for the reason that is told.
        """
        found = self._at_rest()
        if found is not None and found["StackStatus"] in _NEVER_MADE:
            self.delete()
            found = None
        self._note_events()
        request = {
            "StackName": self.name,
            "TemplateBody": template if isinstance(template, str) else json.dumps(template),
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "Tags": as_list(tags),
        }
        if parameters:
            request["Parameters"] = [{"ParameterKey": key, "ParameterValue": one} for key, one in parameters.items()]
        if found is None:
            self.cloudformation.create_stack(**request)
            return self._ended("CREATE_COMPLETE", "created")
        try:
            self.cloudformation.update_stack(**request)
        except ClientError as error:
            if _NO_UPDATES not in str(error):
                raise
            return "unchanged"
        return self._ended("UPDATE_COMPLETE", "updated")

    def delete(self) -> None:
        """Delete the stack, and wait until it is gone.

        Raises:
            OperateError: something of it could not be deleted.
        """
        self._note_events()
        self.cloudformation.delete_stack(StackName=self.name)
        found = self._at_rest()
        if found is not None and found["StackStatus"] != "DELETE_COMPLETE":
            raise OperateError(f"stack {self.name} could not be deleted: {self._reason()}")

    def _ended(self, wanted: str, outcome: str) -> str:
        found = self._at_rest()
        status = found["StackStatus"] if found else "gone"
        if status == wanted:
            return outcome
        reason = self._reason()
        if wanted == "CREATE_COMPLETE" and found is not None:
            self.delete()
            raise OperateError(f"stack {self.name} could not be created, and nothing of it is left: {reason}")
        left = "it is as it was before" if status == "UPDATE_ROLLBACK_COMPLETE" else f"it is {status}"
        raise OperateError(f"stack {self.name} could not be updated, and {left}: {reason}")

    def _made(self) -> Any:
        found = self._find()
        return None if found is None or found["StackStatus"] in _NEVER_MADE else found

    def _find(self) -> Any:
        try:
            return self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError" or _GONE not in str(error):
                raise
            return None

    def _at_rest(self) -> Any:
        """Return the stack once nothing moves it any more; None where there is none."""
        wait, end = _POLL_SECONDS[0], time.monotonic() + _PATIENCE_SECONDS
        while (found := self._find()) is not None and found["StackStatus"].endswith("_IN_PROGRESS"):
            if found["StackStatus"] in _NEVER_MADE:
                break
            if time.monotonic() > end:
                raise OperateError(
                    f"stack {self.name} is {found['StackStatus']} for half an hour: look why, then repeat"
                )
            self._tell_events()
            time.sleep(wait)
            wait = min(wait * 1.5, _POLL_SECONDS[1])
        return found

    def _note_events(self) -> None:
        """Let the events so far be old ones: a failure among them is none of what comes next."""
        self._events()
        self._failed.clear()

    def _tell_events(self) -> None:
        for event in self._events():
            self.say(f"{event['LogicalResourceId']}: {event['ResourceStatus']}")

    def _events(self) -> list[dict[str, Any]]:
        """Return the events that are new since the last look, the oldest first."""
        try:
            pages = self.cloudformation.get_paginator("describe_stack_events").paginate(StackName=self.name)
            found = [event for page in pages for event in page["StackEvents"]]
        except ClientError:
            if self._find() is not None:
                raise
            return []
        new = [event for event in reversed(found) if event["EventId"] not in self._seen]
        self._seen |= {event["EventId"] for event in new}
        self._failed += [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', event['ResourceStatus'])}"
            for event in new
            if event["ResourceStatus"].endswith("_FAILED")
        ]
        return new

    def _reason(self) -> str:
        """Return why the last change failed: the first event that says so; later ones are what it brought about."""
        self._events()
        return self._failed[0] if self._failed else "its events say no reason"
