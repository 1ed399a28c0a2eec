"""CodeCommit made known to the cloud; what it is made of is loaded when somebody first asks for it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagemaker_local import ministack
from sagemaker_local.core.wire import members
from sagemaker_local.regions import Regions

if TYPE_CHECKING:
    from collections.abc import Callable

    from sagemaker_local.codecommit.service import Service
    from sagemaker_local.core.cloud import Access, Events

_TARGET = "CodeCommit_20150413."
# What is asked about a branch, in `codecommit:References` (Service Authorization Reference): of those that are here.
_ON_BRANCHES = ("CreateBranch", "CreateCommit", "DeleteBranch", "PutFile")


class CodeCommit:
    """CodeCommit in all regions, and its git server."""

    def __init__(
        self,
        account: str,
        region: str,
        folder: Path,
        access: "Callable[[str], Access]",
        events: "Callable[[str], Events]",
    ) -> None:
        self._account, self._region, self._folder = account, region, folder
        self._access, self._events = access, events
        self.regions = Regions(self._service)

    def attach(self) -> None:
        """Make the API known to ministack."""
        ministack.add_service("codecommit", self.regions.handle, _TARGET, [], self.regions.resource_arn, condition_keys)

    async def serve_git(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a git client."""
        from sagemaker_local.codecommit.smart_http import SmartHttp  # noqa: PLC0415  # see above

        await SmartHttp(self.regions.of, self._regions)(scope, receive, send)

    def _regions(self) -> list[str]:
        """Return the cloud's own region, and those that somebody has signed for."""
        return list(dict.fromkeys([self._region, *self.regions.names()]))

    def _service(self, region: str) -> "Service":
        from sagemaker_local.codecommit.repositories import Surroundings  # noqa: PLC0415  # see above
        from sagemaker_local.codecommit.service import Service  # noqa: PLC0415  # the same

        mine = self._access(region), self._events(region)
        return Service(Surroundings(self._account, region, self._folder, *mine))


def condition_keys(action: str, body: bytes) -> Mapping[str, str]:
    """Return CodeCommit's condition keys of a request."""
    if action.partition(":")[2] not in _ON_BRANCHES:
        return {}
    branch = members(body).get("branchName")
    return {"codecommit:References": f"refs/heads/{branch}"} if branch is not None else {}
