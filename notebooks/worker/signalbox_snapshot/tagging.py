"""The tags of the instance: what its owner asks for, and what the worker says."""

import json
import re
from typing import TYPE_CHECKING, Any

from signalbox_snapshot.signing import Scope
from signalbox_snapshot.transport import Call

if TYPE_CHECKING:
    from signalbox_snapshot.transport import Transport

_MOST = 250
"""Characters of a tag's value: AWS takes 256."""


class Tags:
    """Reads and writes the tags of one resource of SageMaker."""

    def __init__(self, transport: "Transport", endpoint: str, region: str, arn: str) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._scope = Scope(region, "sagemaker")
        self._arn = arn

    def read(self) -> "dict[str, str]":
        """Return all tags, of every page."""
        tags: dict[str, str] = {}
        request: dict[str, object] = {"ResourceArn": self._arn}
        while True:
            page = self._ask("ListTags", request)
            tags.update({tag["Key"]: tag["Value"] for tag in page["Tags"]})
            if not page.get("NextToken"):
                return tags
            request["NextToken"] = page["NextToken"]

    def write(self, tags: "dict[str, str]") -> None:
        """Write some tags; what a tag cannot hold becomes a blank."""
        given = [{"Key": name, "Value": tag_text(value)} for name, value in tags.items()]
        self._ask("AddTags", {"ResourceArn": self._arn, "Tags": given})

    def _ask(self, operation: str, request: "dict[str, object]") -> "dict[str, Any]":
        headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "SageMaker." + operation}
        body = json.dumps(request).encode()
        answer = self._transport.send(Call("POST", self._endpoint, "/", self._scope, headers=headers, body=body))
        given: dict[str, Any] = json.loads(answer.body.decode())
        return given


def tag_text(text: str) -> str:
    """Return the text as a tag may have it: letters, digits, blanks and `_.:/=+-@`, at most 250."""
    return " ".join(re.sub(r"[^A-Za-z0-9 _.:/=+\-@]", " ", text).split())[:_MOST]
