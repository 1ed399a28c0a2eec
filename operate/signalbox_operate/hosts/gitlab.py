"""A project at GitLab, or on a GitLab of one's own.

Sources: GitLab Docs, "Projects API", "Namespaces API", "Project webhooks API"; since GitLab 18.0 a first deletion only
marks a project, and a second one with `permanently_remove` deletes it ("Projects API", delete a project). A project has
at most 100 webhooks, a page of them.
"""

from typing import Any
from urllib.parse import quote, urlencode

from signalbox_operate.hosts.api import Api
from signalbox_operate.hosts.model import GitHost, HostError, Token

OWN = "/api/v4"
PUBLIC = f"https://gitlab.com{OWN}"
_PUSH = "the scope write_repository, and its user the role Maintainer"
_READ = "the scope api"
_MAKE = "the scope api, and its user a role in the group that may create projects"
_HOOKS = "the scope api, and its user the role Maintainer"
_DELETE = "the scope api, and its user the role Owner"
_SIGNING = "whsec_"  # what the signing token begins with that GitLab 19.0 and later take in place of a secret token


class GitLabHost(GitHost):
    """A project by its full path: a person or groups, and its name."""

    name = "GitLab"
    pushing = _PUSH

    def __init__(self, url: str, repository: str, token: Token) -> None:
        self._api = Api(self.name, url, {"Authorization": token.bearer}, token.secret)
        self._repository = repository
        self._path = f"/projects/{quote(repository, safe='')}"
        self.git = token.basic("oauth2")

    def there(self) -> bool:
        """Say whether the project is there, and not about to be deleted."""
        found = self._api.get(self._path, _READ)
        if found is not None and found.get("marked_for_deletion_on"):
            raise HostError(f"GitLab is about to delete {self._repository}: restore it there, or delete it at once")
        return found is not None

    def make(self) -> None:
        """Make the project in its namespace."""
        namespace, _, called = self._repository.rpartition("/")
        found = self._api.get(f"/namespaces/{quote(namespace, safe='')}", _READ)
        if found is None:
            raise HostError(f"GitLab has no {namespace} that the token may see: make the group, or correct its name")
        body = {"name": called, "path": called, "namespace_id": found["id"], "visibility": "private"}
        self._api.send("POST", "/projects", _MAKE, body)

    def delete(self) -> None:
        """Delete the project, at once where GitLab allows that."""
        found = self._api.get(self._path, _READ)
        if found is None:
            return
        path = f"/projects/{found['id']}"
        self._api.delete(path, _DELETE)
        marked = self._api.get(path, _READ)
        if marked is not None and marked.get("marked_for_deletion_on"):
            asked = urlencode({"permanently_remove": "true", "full_path": marked["path_with_namespace"]})
            self._api.delete(f"{path}?{asked}", _DELETE)

    def hook(self, address: str) -> str | None:
        """Return the webhook that posts to an address."""
        found: list[dict[str, Any]] = self._api.get(f"{self._path}/hooks?per_page=100", _HOOKS) or []
        return next((str(one["id"]) for one in found if one["url"] == address), None)

    def put_hook(self, hook: str | None, address: str, secret: str) -> None:
        """Make a webhook, or bring one up to date; it signs where the secret is a signing token."""
        held = "signing_token" if secret.startswith(_SIGNING) else "token"
        body = {"url": address, held: secret, "push_events": True, "enable_ssl_verification": True}
        if hook is None:
            self._api.send("POST", f"{self._path}/hooks", _HOOKS, body)
        else:
            self._api.send("PUT", f"{self._path}/hooks/{hook}", _HOOKS, body)

    def delete_hook(self, hook: str) -> None:
        """Delete a webhook."""
        self._api.delete(f"{self._path}/hooks/{hook}", _HOOKS)
