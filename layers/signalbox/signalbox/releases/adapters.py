"""A release's table."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from signalbox import moments
from signalbox.aws.table import Condition, Item, Table, key
from signalbox.releases.model import Desired, Served

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


_CLOCKS_DIFFER = timedelta(minutes=5)


class ReleasesTable:
    """The releases table. One partition for each model, `model#<model>`:

    - `wanted`: the package that is desired: `package`, `requested_at`, `execution`;
    - `release#<started>#<execution>#<stage>`: how one execution left one stage, written by the release machine:
      `trigger`, `package`, `stage`, `endpoint`, `config`, `verdict`, `at`, `execution`; where its package has one,
      `commit`; where it failed also `error`, `rollback` and `reason`;
    - `action#<started>#<execution>#<round>`: each action of an execution: `action`, `stage`, `package`, `at`,
      what it waits for (`waits_for`; "" for nothing), and `expires`.

    Beside them `execution#<ARN>`, `report`: the mail about an execution that was stopped (see `uploads.mails`).
    """  # noqa: D415  # the list ends it

    def __init__(
        self, table: str, dynamodb: "DynamoDBClient | None" = None, clock: Callable[[], datetime] = moments.now
    ) -> None:
        self._table = Table(table, dynamodb)
        self._clock = clock
        self.name = table

    def desire(self, model: str, desired: Desired) -> None:
        """Record what is desired, unless a later request is recorded.

        A second delivery writes the same item again; a late request of an earlier time fails the condition. A request
        of the future stands in tables of earlier versions only (see `model.read_request`): it gives way to every other.
        """
        later = Condition(
            "attribute_not_exists(pk) OR requested_at < :at OR (requested_at = :at AND execution <= :execution)"
            " OR requested_at > :future",
            {
                ":at": desired.requested_at,
                ":execution": desired.execution,
                ":future": moments.text_of(self._clock() + _CLOCKS_DIFFER),
            },
        )
        self._table.put(key(f"model#{model}", "wanted") | desired._asdict(), later)

    def desired(self, model: str) -> Desired | None:
        """Return what is desired."""
        item = self._table.get(f"model#{model}", "wanted")
        return Desired(str(item["requested_at"]), str(item["execution"]), str(item["package"])) if item else None

    def released(self, model: str, stage: str) -> Sequence[Served]:
        """Return what was released to a stage, oldest first: by when it was recorded, for executions may overlap."""
        items = [
            item
            for item in self._table.query(f"model#{model}", "release#")
            if (item["stage"], item["verdict"]) == (stage, "released")
        ]
        # Items of the first version have no `at`; they are older than all that have one.
        items.sort(key=lambda item: str(item.get("at", "")))
        return [Served(str(item["package"]), str(item["config"])) for item in items]

    def last_note(self, model: str, execution: str) -> Item | None:
        """Return the item of an execution's last action, None where nothing is noted of it."""
        actions = self._table.query(f"model#{model}", "action#", newest_first=True)
        return next((item for item in actions if f"#{execution}#" in str(item["sk"])), None)

    def last_action(self, model: str, execution: str) -> str:
        """Return what an execution did last, such as `update-endpoint in prod`; "" where nothing is noted of it."""
        item = self.last_note(model, execution)
        return action_in(item) if item else ""

    def note(self, model: str, sk: str, facts: dict[str, str]) -> None:
        """Write down one action of a release, under the same key however often; it expires some day."""
        self._table.put({**key(f"model#{model}", sk), **facts, "expires": moments.expiry(self._clock())})


def action_in(item: Item) -> str:
    """Return the action in an item, with its stage if it has one."""
    return f"{item['action']}{f' in {item["stage"]}' if item.get('stage') else ''}"
