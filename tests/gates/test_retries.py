"""An error that passes by itself, and that a reaction of the release does not know, is seen."""

from typing import Any

import pytest
from tests.gates.checks import retries
from tests.gates.template import load

from signalbox.releases import reactions
from signalbox.releases.reactions import ReactionRow


@pytest.mark.parametrize(
    ("action", "row", "state"),
    [
        ("verify", ReactionRow(frozenset({"ServiceBusyError"}), "repeat", 5, "roll back"), "Verify"),
        ("record", ReactionRow(frozenset({"DynamoDB.ThrottlingException"}), "repeat", 5, "unrecorded"), "Record"),
        ("announce", ReactionRow(frozenset({"Lambda.ServiceException"}), "repeat", 5), "Announce"),
        ("review", ReactionRow(reactions.CALLED, "repeat", 1), "Review"),
    ],
)
def test_a_reaction_that_gives_up_where_a_repetition_would_do_is_seen(
    action: Any, row: ReactionRow, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = (row, ReactionRow(reactions.ANY, "fail"))
    monkeypatch.setattr(reactions, "REACTIONS", {**reactions.REACTIONS, action: rows})

    found = retries.check(load())

    assert {problem.where for problem in found} == {f"ReleaseMachine.{state}"}
