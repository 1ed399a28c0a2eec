"""The table's memory of what webhooks told of branches.

what                  pk                    sk
a branch's moves      heads#<project>       <branch>     `moves`, `number`; `expires` where the branch is deleted
a delivery            deliveries#<project>  <delivery>   `at`, `expires`, and `sent` once its messages are in the queue
"""

import json
from datetime import UTC, datetime, timedelta

from signalbox import moments
from signalbox.aws.table import NEW, PRESENT, Item, Table, key, unchanged
from signalbox.pushes import rules
from signalbox.pushes.model import Automation, BranchConflictError, HeadUntoldError, Move

# More than are pushed while one of them is on its way. The oldest are forgotten: where they led to was left since.
_MOVES_KEPT = 50
# Longer than a provider lets people send a delivery again (GitHub Docs, "Redelivering webhooks": three days; GitLab
# Docs, "Webhooks": the requests of the last seven days), and longer than the queue keeps a message.
_KEPT = timedelta(days=30)


class HeadTable:
    """What is known of the branches of repositories elsewhere. Every method raises what those of `Table` raise."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def tell(self, automation: Automation, branch: str, move: Move) -> None:
        """Write down that a branch was moved; told twice, it counts once.

        Raises:
            BranchConflictError: somebody else was told of the branch in this moment.
        """
        place = _place(automation, branch)
        found = self._table.get(*place)
        known, number = _moves(found), int(found["number"]) if found else 0
        if any(one.delivery == move.delivery for one in known):
            return
        moves = [*known, move][-_MOVES_KEPT:]
        facts: dict[str, str | int | None] = {
            "moves": json.dumps([list(one) for one in moves], ensure_ascii=False),
            "number": number + 1,
            "expires": None if rules.newest_move(moves).after else _expiry(moments.moment_of(move.at)),
        }
        if found is None:
            item = {name: value for name, value in facts.items() if value is not None}
            done = self._table.put({**key(*place), **item}, NEW)
        else:
            done = self._table.update(key(*place), facts, unchanged({"number": number})) is not None
        if not done:
            raise BranchConflictError(automation.project, branch)

    def newest(self, automation: Automation, branch: str) -> Move:
        """Return the move that led to where a branch is now.

        Raises:
            HeadUntoldError: nobody was told of the branch.
        """
        known = _moves(self._table.get(*_place(automation, branch)))
        if not known:
            raise HeadUntoldError(automation.repository, branch)
        return rules.newest_move(known)


class DeliveryTable:
    """The deliveries of webhooks. Every method raises what those of `Table` raise."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def note(self, project: str, delivery: str, now: datetime) -> str | None:
        """Write a delivery down; return when it came first, and None where all that it tells was sent.

        Of a death between the note and the message, the provider's next try finds the first moment and goes on.
        """
        place, at = (f"deliveries#{project}", delivery), moments.text_of(now)
        if self._table.put({**key(*place), "at": at, "expires": _expiry(now)}, NEW):
            return at
        found = self._table.get(*place)
        if found is None:  # it has expired in this moment
            return at
        return None if "sent" in found else str(found["at"])

    def sent(self, project: str, delivery: str, now: datetime) -> None:
        """Write down that what a delivery tells is in the queue."""
        self._table.update(key(f"deliveries#{project}", delivery), {"sent": moments.text_of(now)}, PRESENT)


def _place(automation: Automation, branch: str) -> tuple[str, str]:
    return f"heads#{automation.project}", branch


def _moves(item: Item | None) -> list[Move]:
    return [Move(*one) for one in json.loads(str(item["moves"]))] if item else []


def _expiry(moment: datetime) -> int:
    return int((moment.astimezone(UTC) + _KEPT).timestamp())
