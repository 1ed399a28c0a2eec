"""The providers whose webhooks are taken: their headers, and what their payloads tell of a push.

Sources: GitHub Docs, "Webhook events and payloads", push and ping; GitLab Docs, "Webhook events", push events, and
"Webhooks", delivery headers; Atlassian Support, "Event payloads", repo:push. A sample of each is in `events/http`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from signalbox import moments
from signalbox.pushes import signatures
from signalbox.pushes.hook_model import RefMoved
from signalbox.pushes.model import BITBUCKET, GITHUB, GITLAB
from signalbox.reading import Fields

_COMMIT = "[0-9a-f]{40}|[0-9a-f]{64}"
_A_COMMIT = "the id of a commit, of 40 or 64 digits of 0 to 9 and a to f"
_BRANCHES, _TAGS = "refs/heads/", "refs/tags/"
_MOST_CHANGES = 1_000  # of a push to Bitbucket, which tells all refs at once

type Signed = Callable[[str, Mapping[str, str], bytes], bool]


class Provider(NamedTuple):
    """A provider: what its requests are signed with, the header of the event and its words, and how a push reads.

    `signed` takes the secret, the headers and the body. `deliveries` are headers that name a delivery, the best first:
    the first that is there counts. `dated` says whether a request's signature has its time in it. `repository` returns
    the names that a payload has for its repository, and `refs` the refs that it says were moved.
    """

    signed: Signed
    event: str
    push: str
    ping: str
    deliveries: tuple[str, ...]
    dated: Callable[[Mapping[str, str]], bool]
    repository: Callable[[Fields], set[str]]
    refs: Callable[[Fields], Iterator[RefMoved]]


def _github_signed(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    return signatures.hmac_holds(secret, headers.get("x-hub-signature-256", ""), body)


def _bitbucket_signed(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    return signatures.hmac_holds(secret, headers.get("x-hub-signature", ""), body)


def _gitlab_signed(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Take the signature where there is one; else the token, which says nothing of the body but who sent it."""
    if _gitlab_dated(headers):
        return signatures.standard_holds(secret, headers, body)
    return signatures.token_holds(secret, headers.get("x-gitlab-token", ""))


def _gitlab_dated(headers: Mapping[str, str]) -> bool:
    return bool(headers.get("webhook-signature"))


def _undated(_headers: Mapping[str, str]) -> bool:
    return False


def _github_repository(payload: Fields) -> set[str]:
    repository = payload.inside("repository")
    return {repository.text("full_name"), repository.scalar("id")}


def _gitlab_repository(payload: Fields) -> set[str]:
    project = payload.inside("project")
    return {project.text("path_with_namespace"), project.scalar("id")}


def _bitbucket_repository(payload: Fields) -> set[str]:
    repository = payload.inside("repository")
    return {repository.text("full_name"), repository.text("uuid")}


def _github_refs(payload: Fields) -> Iterator[RefMoved]:
    kind, name = _ref(payload.text("ref"))
    repository = payload.inside("repository")
    pushed_at = repository.scalar("pushed_at") if "pushed_at" in repository else ""
    head = payload.object("head_commit").object("author")
    yield RefMoved(
        kind,
        name,
        _commit(payload, "before"),
        _commit(payload, "after"),
        by=payload.object("pusher").optional("name") or "",
        address=head.optional("email") or "",
        at=_moment(pushed_at),
    )


def _gitlab_refs(payload: Fields) -> Iterator[RefMoved]:
    kind, name = _ref(payload.text("ref"))
    after = _commit(payload, "after")
    commits = list(payload.objects("commits", (0, _MOST_CHANGES))) if "commits" in payload else []
    newest = [one for one in commits if one.optional("id") == after]
    yield RefMoved(
        kind,
        name,
        _commit(payload, "before"),
        after,
        by=payload.optional("user_username") or payload.optional("user_name") or "",
        address=(newest[-1].object("author").optional("email") or "") if newest else "",
    )


def _bitbucket_refs(payload: Fields) -> Iterator[RefMoved]:
    actor = payload.object("actor")
    by = actor.optional("nickname") or actor.optional("display_name") or ""
    for change in payload.inside("push").objects("changes", (0, _MOST_CHANGES)):
        old, new = (change.inside(side) if side in change else None for side in ("old", "new"))
        told = new or old
        if told is None:
            continue
        author = new.inside("target").object("author").optional("raw") if new else None
        address = re.search(r"<([^<>]+)>\s*$", author or "")
        yield RefMoved(
            told.text("type"),
            told.text("name"),
            _target(old),
            _target(new),
            by,
            address[1] if address else "",
        )


def _ref(ref: str) -> tuple[str, str]:
    """Return the kind and the name of a ref; the name of a branch stays as it is, whatever is in it."""
    if ref.startswith(_BRANCHES):
        return "branch", ref.removeprefix(_BRANCHES)
    return ("tag", ref.removeprefix(_TAGS)) if ref.startswith(_TAGS) else ("ref", ref)


def _commit(fields: Fields, name: str) -> str:
    """Return a commit; "" for the zeros that stand for none."""
    found = fields.text(name, _COMMIT, _A_COMMIT)
    return found if found.strip("0") else ""


def _target(side: Fields | None) -> str:
    return side.inside("target").text("hash", _COMMIT, _A_COMMIT) if side else ""


def _moment(told: str) -> str:
    """Return a moment that GitHub writes in seconds since 1970, and in other events as a text; "" for any other."""
    try:
        moment = datetime.fromtimestamp(int(told), UTC) if told.isascii() and told.isdigit() else None
        return moments.text_of(moment or moments.moment_of(told)) if told else ""
    except (ValueError, OverflowError, OSError):
        return ""


PROVIDERS: Mapping[str, Provider] = {
    GITHUB: Provider(
        _github_signed,
        "x-github-event",
        "push",
        "ping",
        ("x-github-delivery",),
        _undated,
        _github_repository,
        _github_refs,
    ),
    GITLAB: Provider(
        _gitlab_signed,
        "x-gitlab-event",
        "Push Hook",
        "",
        ("webhook-id", "idempotency-key", "x-gitlab-event-uuid"),
        _gitlab_dated,
        _gitlab_repository,
        _gitlab_refs,
    ),
    BITBUCKET: Provider(
        _bitbucket_signed,
        "x-event-key",
        "repo:push",
        "",
        ("x-request-uuid",),
        _undated,
        _bitbucket_repository,
        _bitbucket_refs,
    ),
}
