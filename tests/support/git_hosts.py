"""GitHub, GitLab and Bitbucket on this machine, as servers that remember: their REST APIs, and git over HTTP.

Each has what is asked of it here and nothing else; repositories are bare ones, which `git http-backend` serves.
"""

import base64
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, override
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "an-example-of-a-token-which-opens-nothing"
type Answer = tuple[int, Any]
type Body = dict[str, Any]
GONE: Answer = (404, {"message": "Not Found"})


def basic(user: str, token: str = TOKEN) -> str:
    """Return what lets a user in by a password."""
    return "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()


@dataclass
class HostFake:
    """A host, which is let in by `known` at its API and by `git` with git; a `public` one is cloned by everybody.

    `calls` are the requests so far. `refusals` answer a request whose method and path begin so, `headers` with every
    one of them. From the call of number `dies_at` on no request is answered, and those after it do nothing.
    `before` is called with each request before it is answered.
    """

    folder: Path
    known: str = f"Bearer {TOKEN}"
    git: str = ""
    public: bool = False
    owners: tuple[str, ...] = ("acme",)
    repositories: dict[str, Body] = field(default_factory=dict)
    hooks: dict[str, dict[str, Body]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    refusals: dict[str, Answer] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    dies_at: int | None = None
    before: Callable[[str], None] = lambda _: None
    url: str = ""
    _made: int = 0

    def add(self, name: str, body: Mapping[str, Any] | None = None) -> Body:
        """Make a repository, and return what was said of it."""
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", self.bare(name)], check=True)
        self._made += 1
        self.repositories[name] = {"id": self._made, **(body or {})}
        self.hooks[name] = {}
        return self.repositories[name]

    def remove(self, name: str) -> Answer:
        """Delete a repository."""
        del self.repositories[name], self.hooks[name]
        shutil.rmtree(self.bare(name))
        return 204, None

    def bare(self, name: str) -> Path:
        """Return where the repository of a name lies."""
        return self.folder / f"{name}.git"

    def said(self, name: str, *words: str) -> str:
        """Return what git says of a repository."""
        return subprocess.run(["git", "-C", self.bare(name), *words], check=True, capture_output=True, text=True).stdout

    def begin(self, name: str) -> None:
        """Push a commit of somebody else to a repository."""
        tree = self.said(name, "write-tree")
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        commit = self.said(name, *identity, "commit-tree", "-m", "Others", tree.strip()).strip()
        self.said(name, "update-ref", "refs/heads/main", commit)

    def asked(self, beginning: str) -> list[str]:
        """Return the requests so far that begin so."""
        return [call for call in self.calls if call.startswith(beginning)]

    def api(self, method: str, path: str, body: Body) -> Answer:
        """Answer a request to the API."""
        raise NotImplementedError

    def put_hook(self, name: str, hook: str | None, body: Body) -> Answer:
        """Make a webhook, or change one."""
        self._made += 1
        known = self.hooks[name]
        hook = hook or self.hook_id(self._made)
        known[hook] = {**known.get(hook, {}), **body}
        return 200, {"id": hook, "uuid": hook}

    def delete_hook(self, name: str, hook: str) -> Answer:
        """Delete a webhook."""
        return GONE if self.hooks[name].pop(hook, None) is None else (204, None)

    def hook_id(self, number: int) -> str:
        """Return how this host names its webhook of a number."""
        return str(number)


class GitHubFake(HostFake):
    """GitHub: `acme` is an organization, and `ada` the user whose the token is."""

    @override
    def api(self, method: str, path: str, body: Body) -> Answer:
        match path.removeprefix("/api/v3/").split("/"):
            case ["user"]:
                return 200, {"login": "ada"}
            case ["users", owner]:
                kind = "Organization" if owner in self.owners else "User"
                return (200, {"login": owner, "type": kind}) if owner != "nobody" else GONE
            case ["orgs", owner, "repos"]:
                return self._make(f"{owner}/{body['name']}", body)
            case ["user", "repos"]:
                return self._make(f"ada/{body['name']}", body)
            case ["repos", owner, called, *hooks] if (name := f"{owner}/{called}") in self.repositories:
                return self._of(name, method, hooks, body)
        return GONE

    def _make(self, name: str, body: Body) -> Answer:
        if self.bare(name).exists():
            told = [{"resource": "Repository", "code": "custom", "message": "name already exists on this account"}]
            return 422, {"message": "Repository creation failed.", "errors": told, "documentation_url": "https://docs"}
        return 201, self.add(name, body)

    def _of(self, name: str, method: str, hooks: list[str], body: Body) -> Answer:
        match method, hooks:
            case "GET", []:
                return 200, {"full_name": name}
            case "DELETE", []:
                return self.remove(name)
            case "GET", ["hooks"]:
                return 200, [{"id": int(hook), **one} for hook, one in self.hooks[name].items()]
            case "POST" | "PATCH", ["hooks", *hook]:
                return self.put_hook(name, next(iter(hook), None), body)
            case "DELETE", ["hooks", hook]:
                return self.delete_hook(name, hook)
        return GONE


class GitLabFake(HostFake):
    """GitLab, which marks a project at its first deletion and gives it another path."""

    @override
    def api(self, method: str, path: str, body: Body) -> Answer:
        asked = urlsplit(path)
        match asked.path.removeprefix("/api/v4/").split("/"):
            case ["namespaces", group]:
                return (200, {"id": 7}) if unquote(group) in self.owners else GONE
            case ["projects"] if body["namespace_id"] == 7:
                made = f"{self.owners[0]}/{body['path']}"
                if self.bare(made).exists():
                    return 400, {"message": {"path": ["has already been taken"]}}
                return 201, self.add(made, body)
            case ["projects", which, *hooks] if name := self._name(unquote(which)):
                return self._at_once(name, asked.query) if asked.query else self._of(name, method, hooks, body)
        return GONE

    def _name(self, which: str) -> str | None:
        return next((name for name, one in self.repositories.items() if which in (name, str(one["id"]))), None)

    def _of(self, name: str, method: str, hooks: list[str], body: Body) -> Answer:
        match method, hooks:
            case "GET", []:
                return 200, {**self.repositories[name], "path_with_namespace": name}
            case "DELETE", []:
                later = f"{name}-deletion_scheduled-{self.repositories[name]['id']}"
                self.repositories[later] = {**self.repositories.pop(name), "marked_for_deletion_on": "2026-11-27"}
                self.hooks[later] = self.hooks.pop(name)
                self.bare(name).rename(self.bare(later))
                return 202, {"message": "202 Accepted"}
            case "GET", ["hooks"]:
                return 200, [{"id": int(hook), **one} for hook, one in self.hooks[name].items()]
            case "POST" | "PUT", ["hooks", *hook]:
                return self.put_hook(name, next(iter(hook), None), body)
            case "DELETE", ["hooks", hook]:
                return self.delete_hook(name, hook)
        return GONE

    def _at_once(self, name: str, query: str) -> Answer:
        asked = parse_qs(query)
        marked = self.repositories[name].get("marked_for_deletion_on")
        if not marked or asked != {"permanently_remove": ["true"], "full_path": [name]}:
            return 400, {"message": "Project must be marked for deletion first."}
        return self.remove(name)


class BitbucketFake(HostFake):
    """Bitbucket Cloud, whose webhooks have UUIDs in braces."""

    @override
    def api(self, method: str, path: str, body: Body) -> Answer:
        match path.removeprefix("/2.0/").split("/"), method:
            case ["repositories", owner, called], "POST":
                name = f"{owner}/{called}"
                if self.bare(name).exists():
                    return 400, {"error": {"message": "Repository with this Slug and Owner already exists."}}
                return 200, self.add(name, body)
            case ["repositories", owner, called, *hooks], _ if (name := f"{owner}/{called}") in self.repositories:
                return self._of(name, method, hooks, body)
        return GONE

    def _of(self, name: str, method: str, hooks: list[str], body: Body) -> Answer:
        match method, [unquote(one) for one in hooks]:
            case "GET", []:
                return 200, {"full_name": name}
            case "DELETE", []:
                return self.remove(name)
            case "GET", ["hooks"]:
                return 200, {"values": [{"uuid": hook, **one} for hook, one in self.hooks[name].items()]}
            case "POST" | "PUT", ["hooks", *hook]:
                return self.put_hook(name, next(iter(hook), None), body)
            case "DELETE", ["hooks", hook]:
                return self.delete_hook(name, hook)
        return GONE

    @override
    def hook_id(self, number: int) -> str:
        return f"{{00000000-0000-0000-0000-{number:012}}}"
