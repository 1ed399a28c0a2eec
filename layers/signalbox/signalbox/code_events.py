"""Typed readings of the events about code: pushes to repositories, builds, and what webhooks told.

Shapes: AWS CodeCommit User Guide, "Monitoring AWS CodeCommit events in Amazon EventBridge"; AWS CodeBuild User Guide,
"Build notifications input format reference". As with all events (see `events`), whoever acts on one asks the service
for the present state first.
"""

from collections.abc import Mapping
from typing import NamedTuple, Self

from signalbox.events import EventError
from signalbox.reading import Fields

PUSHED = "CodeCommit Repository State Change"
BUILT = "CodeBuild Build State Change"
TOLD = "branch-changed"  # the kind of message that `receive_hook` sends for a webhook
_BRANCH = "branch"


class RefChanged(NamedTuple):
    """A branch, a tag or another ref of a repository was created, updated or deleted, as `kind` and `name` say.

    `by` is who did it: the end of their ARN (`user/ann`, `assumed-role/Developer/ann`).
    """

    repository: str
    kind: str
    name: str
    by: str

    @property
    def is_branch(self) -> bool:
        """Say whether it is a branch."""
        return self.kind == _BRANCH

    @classmethod
    def read(cls, event: Mapping[str, object]) -> Self:
        """Return the change.

        Raises:
            EventError: it is another kind of event, or a member is missing.
        """
        fields = Fields(event, EventError)
        fields.choice("detail-type", (PUSHED,))
        detail = fields.inside("detail")
        return cls(
            repository=detail.text("repositoryName"),
            # Of a merge that made a commit without a ref there is neither.
            kind=detail.optional("referenceType") or "",
            name=detail.optional("referenceName") or "",
            by=(detail.optional("callerUserArn") or "").split(":", 5)[-1],
        )


class BuildChanged(NamedTuple):
    """A build changed its status; `build` is its id, `<CodeBuild project>:<uuid>`."""

    build: str
    project: str
    status: str

    @classmethod
    def read(cls, event: Mapping[str, object]) -> Self:
        """Return the change.

        Raises:
            EventError: it is another kind of event, or a member is missing.
        """
        fields = Fields(event, EventError)
        fields.choice("detail-type", (BUILT,))
        detail = fields.inside("detail")
        return cls(
            build=detail.text("build-id", ".*:build/.+", "the ARN of a build").rpartition(":build/")[2],
            project=detail.text("project-name"),
            status=detail.text("build-status"),
        )


class BranchTold(NamedTuple):
    """A branch was made, moved or deleted, as a webhook of its repository's provider told.

    `before` is None where the push made the branch, and `commit` where it deleted it. `by` is who pushed, `at` when, as
    `moments.text_of` writes it, and `address` the e-mail address in the commit; "" where nobody says so.
    """

    project: str
    branch: str
    before: str | None
    commit: str | None
    at: str
    by: str
    address: str
    delivery: str
    provider: str

    @classmethod
    def read(cls, body: Mapping[str, object]) -> Self:
        """Return what a message tells.

        Raises:
            EventError: it is another kind of message, or a member is missing.
        """
        fields = Fields(body, EventError)
        fields.choice("kind", (TOLD,))
        return cls(
            project=fields.text("project"),
            branch=fields.text("branch"),
            before=fields.optional("before"),
            commit=fields.optional("commit"),
            at=fields.text("at"),
            by=fields.optional("by") or "",
            address=fields.optional("address") or "",
            delivery=fields.text("delivery"),
            provider=fields.text("provider"),
        )

    def message(self) -> dict[str, str | None]:
        """Return the message that `read` reads back."""
        return {"kind": TOLD, **self._asdict()}
