"""A repository at GitHub, or on a GitHub Enterprise Server.

Sources: GitHub Docs, "REST API endpoints for repositories", "… for users", "… for repository webhooks"; the names of
permissions and scopes are those of "Permissions required for fine-grained personal access tokens" and "Scopes for
OAuth apps". A repository has at most 20 webhooks of an event, fewer than a page.
"""

from typing import Any

from signalbox_operate.hosts.api import Api
from signalbox_operate.hosts.model import GitHost, HostError, Token

PUBLIC, OWN = "https://api.github.com", "/api/v3"
_PUSH = (
    "the permission Contents: write (a classic token: the scope repo), and where the folder has workflows the "
    "permission Workflows: write (a classic token: the scope workflow)"
)
_READ = "the permission Metadata: read (a classic token: the scope repo)"
_ADMINISTER = "the permission Administration: write (a classic token: the scope repo)"
_DELETE = "the permission Administration: write (a classic token: the scope delete_repo)"
_HOOKS = "the permission Webhooks: write (a classic token: the scope repo)"


class GitHubHost(GitHost):
    """A repository by its owner, a person or an organization, and its name."""

    name = "GitHub"
    pushing = _PUSH

    def __init__(self, url: str, repository: str, token: Token) -> None:
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        self._api = Api(self.name, url, {**headers, "Authorization": token.bearer}, token.secret)
        self._owner, self._called = repository.split("/", 1)
        self._path = f"/repos/{repository}"
        self.git = token.basic("x-access-token")

    def there(self) -> bool:
        """Say whether the repository is there."""
        return self._api.get(self._path, _READ) is not None

    def make(self) -> None:
        """Make the repository, where its owner is an organization or the token's own user."""
        body = {"name": self._called, "private": True}
        self._api.send("POST", self._place(), _ADMINISTER, body)

    def delete(self) -> None:
        """Delete the repository."""
        self._api.delete(self._path, _DELETE)

    def hook(self, address: str) -> str | None:
        """Return the webhook that posts to an address."""
        found: list[dict[str, Any]] = self._api.get(f"{self._path}/hooks?per_page=100", _HOOKS) or []
        return next((str(one["id"]) for one in found if one["config"].get("url") == address), None)

    def put_hook(self, hook: str | None, address: str, secret: str) -> None:
        """Make a webhook, or bring one up to date."""
        config = {"url": address, "content_type": "json", "secret": secret, "insecure_ssl": "0"}
        body = {"active": True, "events": ["push"], "config": config}
        if hook is None:
            self._api.send("POST", f"{self._path}/hooks", _HOOKS, {"name": "web", **body})
        else:
            self._api.send("PATCH", f"{self._path}/hooks/{hook}", _HOOKS, body)

    def delete_hook(self, hook: str) -> None:
        """Delete a webhook."""
        self._api.delete(f"{self._path}/hooks/{hook}", _HOOKS)

    def _place(self) -> str:
        """Return where a repository of this owner is made: one of a person only by that person."""
        owner = self._api.get(f"/users/{self._owner}", _READ)
        if owner is None:
            raise HostError(f"GitHub has no {self._owner}: correct the owner of the repository")
        if owner["type"] == "Organization":
            return f"/orgs/{self._owner}/repos"
        user = self._api.get("/user", _READ)
        if user["login"].lower() != self._owner.lower():
            raise HostError(
                f"the token is {user['login']}'s, who makes no repository of {self._owner}: give another one"
            )
        return "/user/repos"
