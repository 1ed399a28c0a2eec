"""A repository at Bitbucket Cloud. Bitbucket Data Center has another API.

Sources: Bitbucket Cloud REST API, "Repositories" and "Webhooks"; Atlassian Support, "Using API tokens", "API token
permissions", "Workspace Access Token permissions". A repository has at most 50 webhooks, fewer than a page.
"""

from typing import Any
from urllib.parse import quote

from signalbox_operate.hosts.api import Api
from signalbox_operate.hosts.model import GitHost, Token

OWN = "/2.0"
PUBLIC = f"https://api.bitbucket.org{OWN}"
_PUSH = "the scope write:repository:bitbucket (an access token: repository:write)"
_READ = "the scope read:repository:bitbucket (an access token: repository)"
_MAKE = "the scope admin:repository:bitbucket (an access token: repository:admin)"
_DELETE = "the scope delete:repository:bitbucket (an access token: repository:delete)"
_READ_HOOKS = "the scope read:webhook:bitbucket (an access token: webhook)"
_WRITE_HOOKS = "the scope write:webhook:bitbucket (an access token: webhook)"
_DELETE_HOOKS = "the scope delete:webhook:bitbucket (an access token: webhook)"


class BitbucketHost(GitHost):
    """A repository by its workspace and its name. An API token has a user, named by their e-mail address."""

    name = "Bitbucket"
    pushing = _PUSH

    def __init__(self, url: str, repository: str, token: Token) -> None:
        known = token.basic(token.user) if token.user else token.bearer
        self._api = Api(self.name, url, {"Authorization": known}, token.secret)
        self._path = f"/repositories/{repository}"
        self.git = token.basic("x-bitbucket-api-token-auth" if token.user else "x-token-auth")

    def there(self) -> bool:
        """Say whether the repository is there."""
        return self._api.get(self._path, _READ) is not None

    def make(self) -> None:
        """Make the repository, in the oldest project of its workspace."""
        self._api.send("POST", self._path, _MAKE, {"scm": "git", "is_private": True})

    def delete(self) -> None:
        """Delete the repository."""
        self._api.delete(self._path, _DELETE)

    def hook(self, address: str) -> str | None:
        """Return the webhook that posts to an address."""
        found: dict[str, Any] = self._api.get(f"{self._path}/hooks?pagelen=100", _READ_HOOKS) or {}
        return next((str(one["uuid"]) for one in found.get("values", ()) if one["url"] == address), None)

    def put_hook(self, hook: str | None, address: str, secret: str) -> None:
        """Make a webhook, or bring one up to date."""
        body = {"description": "Signalbox", "url": address, "active": True, "events": ["repo:push"], "secret": secret}
        path = f"{self._path}/hooks"
        method, path = ("POST", path) if hook is None else ("PUT", f"{path}/{quote(hook, safe='')}")
        self._api.send(method, path, _WRITE_HOOKS, body)

    def delete_hook(self, hook: str) -> None:
        """Delete a webhook."""
        self._api.delete(f"{self._path}/hooks/{quote(hook, safe='')}", _DELETE_HOOKS)
