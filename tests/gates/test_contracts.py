"""The contracts that nobody uses are seen too; what the machines say against them is planted in `test_mutations`."""

import pytest
from tests.gates.checks import contracts
from tests.gates.template import ROOT, load

from signalbox.contracts.errors import AWS_ERRORS


def machine(name: str) -> str:
    return (ROOT / f"statemachine/{name}.asl.json").read_text(encoding="utf-8")


def test_what_the_machines_functions_exchange_is_read_by_somebody() -> None:
    assert [str(problem) for problem in contracts.unused([machine("mlops"), machine("release")])] == []


def test_a_field_that_neither_machine_nor_code_reads_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contracts, "_string_constants", lambda *_: {"action", "arguments", "progress"})

    found = [str(problem) for problem in contracts.unused([machine("release").replace("$plan.outcome", "$plan.x")])]

    assert "contracts.ReleasePlan: nobody reads 'outcome'" in found


def test_an_error_that_no_machine_and_no_reaction_names_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contracts, "AWS_ERRORS", AWS_ERRORS | {"SQS.SqsException"})

    found = [str(problem) for problem in contracts.check(load())]

    assert found == ["contracts.errors: knows the error SQS.SqsException, which no machine and no reaction names"]


def test_an_error_in_a_reaction_that_nobody_raises_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contracts, "error_classes", lambda: frozenset({"ServiceBusyError"}))

    found = "\n".join(str(problem) for problem in contracts.check(load()))

    assert "releases.reactions: names the error DecisionNotPassedOnError, which nobody raises" in found


def test_the_types_of_a_function_are_those_of_its_handler() -> None:
    asked, answered = contracts.handler("PlanRelease")

    assert (asked.__name__, answered.__name__) == ("ReleaseQuestion", "ReleasePlan")
