"""`AWS::CodeBuild::Project`, by CodeBuild's own API."""

from typing import Any

from sagemaker_local.core.shapes import service_model
from sagemaker_local.stacks.handler import Made
from sagemaker_local.stacks.model import Properties, Request
from sagemaker_local.stacks.others import OtherType, without_stacks_own
from sagemaker_local.stacks.properties import request_of

_NOT_EMULATED = ("Triggers", "Visibility", "ResourceAccessRole")
# What a project has where a template says nothing (API reference, CreateProject).
_UNSAID: Request = {
    "description": "",
    "secondarySources": [],
    "secondarySourceVersions": [],
    "sourceVersion": "",
    "secondaryArtifacts": [],
    "cache": {"type": "NO_CACHE"},
    "timeoutInMinutes": 60,
    "queuedTimeoutInMinutes": 480,
    "logsConfig": {"cloudWatchLogs": {"status": "ENABLED"}},
    "concurrentBuildLimit": -1,
    "tags": [],
}


class Projects(OtherType):
    """The projects of stacks."""

    type_name = "AWS::CodeBuild::Project"
    service = "AWSCodeBuild"
    name = "Name"
    replacing = ("Name",)
    properties = frozenset({"Description", "ServiceRole", "TimeoutInMinutes", "QueuedTimeoutInMinutes"})

    def create(self, logical_id: str, properties: Properties, stack: str) -> Made:
        """Make a project."""
        request = self._request(logical_id, {"Name": self._new_name(stack, logical_id), **properties})
        return self._made(self.asked("CreateProject", request)["project"])

    def update(self, reference: str, old: Properties, new: Properties, _stack: str, logical_id: str) -> Made:
        """Change a project; what a template says no more is again as it is by itself."""
        del old
        request = self._request(logical_id, {**new, "Name": reference})
        return self._made(self.asked("UpdateProject", {**_UNSAID, **request})["project"])

    def delete(self, reference: str, properties: Properties) -> None:
        """Delete a project."""
        del properties
        self.asked("DeleteProject", {"name": reference})

    def read(self, reference: str, properties: Properties) -> dict[str, Any] | None:
        """Return those properties of a project that are given."""
        found = self.asked("BatchGetProjects", {"names": [reference]})["projects"]
        shown = {name: found[0].get(name[0].lower() + name[1:]) for name in self.properties} if found else {}
        return {name: shown[name] for name in shown if name in properties} if found else None

    def _request(self, logical_id: str, properties: Properties) -> Request:
        self.refuse(properties, *_NOT_EMULATED)
        tags = without_stacks_own(properties.get("Tags", []))
        shape = service_model("codebuild").operation_model("CreateProject").input_shape
        given = {name: item for name, item in properties.items() if name != "Tags"}
        return request_of(logical_id, shape, {**given, "Tags": tags} if tags else given)

    @staticmethod
    def _made(project: Request) -> Made:
        return str(project["name"]), {"Arn": project["arn"]}
