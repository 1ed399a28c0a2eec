"""A worker is watched to its end, by what it writes into the bucket, and on its instance or space."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from signalbox_operate.notebooks import model
from signalbox_operate.notebooks.model import NotebookError, Standing
from signalbox_operate.notebooks.snapshots import Shelf

type Told = Callable[[str, str, int, int | None], None]
"""Is told what happens: the instance, words, how many files are done, of how many."""

_POLL_SECONDS = (0.5, 10.0)  # the first wait, and the longest
_SILENCE_SECONDS = 900


@dataclass(frozen=True)
class Seen:
    """What a look at an instance or a space found: its tags, and, where no worker can be at work there, why."""

    tags: Mapping[str, str]
    over: str = ""


@dataclass(frozen=True)
class Watched:
    """The work for one request: `name` is the instance as people know it, `key` what the bucket's keys have.

    `doubt` is what may be wrong where nothing is heard of it.
    """

    name: str
    key: str
    operation: str
    request: str
    shelf: Shelf
    doubt: str

    def ended(self, tags: Mapping[str, str]) -> Standing | None:
        """Return how it has ended: by the status document, else by the tag where nothing reached the bucket."""
        found = self._standing()
        if found is not None:
            return None if found.state == "running" else found
        said = tags.get(model.STATUS, "")
        if said.startswith("failed: "):
            reason = said.removeprefix("failed: ")
            return Standing(self.operation, self.request, "", "failed", "", None, 0, 0, None, 0, reason)
        return None

    def watch(self, look: Callable[[], Seen], sleep: Callable[[float], None], told: Told) -> Standing:
        """Return how it ended, complete or failed, once it has.

        Raises:
            NotebookError: what it runs on is over, or nothing is heard of it for a quarter of an hour.
        """
        wait, silent, heard = _POLL_SECONDS[0], 0.0, ""
        while True:
            seen = look()
            if (found := self.ended(seen.tags)) is not None:
                return found
            if seen.over:
                raise NotebookError(self.name, seen.over)
            if (now := self._standing()) is not None:
                told(self.name, now.told, now.done, now.files)
                silent, heard = (silent, heard) if now.updated == heard else (0.0, now.updated)
            if silent > _SILENCE_SECONDS:
                minutes = _SILENCE_SECONDS // 60
                raise NotebookError(
                    self.name, f"nothing was heard of its {self.operation} for {minutes} minutes: {self.doubt}"
                )
            sleep(wait)
            silent, wait = silent + wait, min(wait * 1.5, _POLL_SECONDS[1])

    def _standing(self) -> Standing | None:
        found = self.shelf.standing(self.key, self.operation)
        return found if found is not None and found.request == self.request else None
