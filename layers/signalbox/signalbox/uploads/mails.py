"""The mails about executions that did not succeed, in the uploads table.

Their items are `execution#<execution>`, `report`. Status `claimed` is written before a mail is sent, `notified` after
it; items of earlier versions say `told` for that.
"""

from datetime import datetime, timedelta

from signalbox import moments
from signalbox.aws.table import NEW, Condition, Item, Table, key
from signalbox.uploads.model import ReportUnderWayError

_CLAIMED, _NOTIFIED = "claimed", "notified"
_SENT = frozenset({_NOTIFIED, "told"})


class NotificationTable:
    """Which executions people were notified of. Every method raises what those of `Table` raise."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def notified(self, execution: str) -> bool:
        """Say whether the mail about an execution was sent."""
        found = next(self._table.query(f"execution#{execution}", most=1), None)
        return found is not None and found["status"] in _SENT

    def claim(self, execution: str, now: datetime, lease: timedelta) -> bool:
        """Take the mail about an execution upon oneself; False if it was sent before.

        Whoever claimed it longer ago than `lease` is dead, and its claim is taken over.

        Raises:
            ReportUnderWayError: somebody else has claimed it a moment ago.
        """
        free = Condition(
            f"{NEW.expression} OR (#status = :claimed AND claimed_at < :dead)",
            {":claimed": _CLAIMED, ":dead": moments.text_of(now - lease)},
            {"#status": "status"},
        )
        if self._table.put(_notification(execution, _CLAIMED, now), free):
            return True
        if self.notified(execution):
            return False
        raise ReportUnderWayError(execution)

    def close(self, execution: str, now: datetime) -> None:
        """Write down that the mail was sent."""
        self._table.put(_notification(execution, _NOTIFIED, now))


def _notification(execution: str, status: str, now: datetime) -> Item:
    facts: Item = {"status": status, "claimed_at": moments.text_of(now), "expires": moments.expiry(now)}
    return {**key(f"execution#{execution}", "report"), **facts}
