"""Typed readings of the events about code: pushes to repositories, and builds.

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
