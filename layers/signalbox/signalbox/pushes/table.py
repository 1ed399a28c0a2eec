"""The table of branches.

what                  pk                    sk
a branch              branches#<project>    <branch>     `commit`, `status`, `number`, `at`, and where they are
                                                         known `by`, `build`, `next_by`, `notified`
a trained image       images#<project>      <model>      `image`, `commit`
"""

from typing import TYPE_CHECKING

from signalbox.aws.table import NEW, PRESENT, Item, Table, delete_request, key, unchanged
from signalbox.pushes.model import Branch, BranchConflictError, TrainedImage

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIELDS = ("commit", "status", "number", "at", "by", "build", "next_by", "notified")


class BranchTable:
    """The branches of projects. Every method raises what those of `Table` raise."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, project: str, branch: str) -> Branch | None:
        """Return a branch; None where it was never built."""
        found = self._table.get(f"branches#{project}", branch)
        return _branch(project, found) if found else None

    def all(self, project: str) -> "Iterator[Branch]":
        """Yield the branches of a project, by name."""
        return (_branch(project, item) for item in self._table.query(f"branches#{project}"))

    def put(self, branch: Branch, before: Branch | None) -> Branch:
        """Write a branch down if it still is as it was `before`, and return it.

        Raises:
            BranchConflictError: it is not.
        """
        facts = {name: getattr(branch, name) for name in _FIELDS}
        place = key(f"branches#{branch.project}", branch.name)
        if before is None:
            done = self._table.put({**place, **{name: value for name, value in facts.items() if value}}, NEW)
        else:
            same = unchanged({name: getattr(before, name) for name in _FIELDS})
            done = self._table.update(place, facts, same) is not None
        if not done:
            raise BranchConflictError(branch.project, branch.name)
        return branch

    def remove(self, branch: Branch) -> None:
        """Forget a branch."""
        place = key(f"branches#{branch.project}", branch.name)
        self._table.transact({"Delete": delete_request(self._table.name, place, PRESENT)})

    def trained(self, project: str, image: TrainedImage) -> bool:
        """Say whether the training of an image was started."""
        found = self._table.get(f"images#{project}", image.model)
        return found is not None and found["image"] == image.image

    def note_trained(self, project: str, image: TrainedImage) -> None:
        """Write down that the training of an image was started."""
        self._table.put({**key(f"images#{project}", image.model), "image": image.image, "commit": image.commit})


def _branch(project: str, item: Item) -> Branch:
    texts = {name: str(item.get(name, "")) for name in _FIELDS if name != "number"}
    return Branch(project, str(item["sk"]), number=int(item["number"]), **texts)
