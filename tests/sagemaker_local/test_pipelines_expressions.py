"""Expressions and conditions: what they stand for."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.sagemaker_local.support.pipeline_steps import compare, get

from sagemaker_local.pipelines.conditions import all_true
from sagemaker_local.pipelines.expressions import ExpressionError, Scope, evaluate, tokens
from sagemaker_local.pipelines.model import Definition

PROPERTIES = {
    "t": {
        "InputDataConfig": [{"ChannelName": "train", "ContentType": "text/csv"}],
        "ProcessingInputs": [{"InputName": "raw"}],
        "CreationTime": datetime(2026, 11, 20, 16, 3, 13, tzinfo=UTC),
        "Tags": ["plain"],
    }
}
SCOPE = Scope(Definition(), {"N": 3, "F": 0.5, "B": True, "S": "x"}, {"PipelineName": "p"}, PROPERTIES, lambda _: b"{}")


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (get("Parameters.N"), 3),
        (get("Parameters.B"), True),
        (get("Execution.PipelineName"), "p"),
        (
            {"Std:Join": {"On": "-", "Values": ["a", get("Parameters.N"), 0.5, True, get("Parameters.S")]}},
            "a-3-0.5-true-x",
        ),
        ({"Std:Join": {"On": "/", "Values": [{"Std:Join": {"On": "", "Values": ["a", "b"]}}, "c"]}}, "ab/c"),
        ([get("Parameters.N"), {"a": get("Parameters.F"), "b": None}], [3, {"a": 0.5}]),
        # A map that merely looks like an expression is a map.
        ({"Get": "Parameters.N", "Other": 1}, {"Get": "Parameters.N", "Other": 1}),
        (get("Steps.t.InputDataConfig['train'].ContentType"), "text/csv"),
        (get("Steps.t.ProcessingInputs['raw'].InputName"), "raw"),
        (get("Steps.t.Tags[0]"), "plain"),
        (get("Steps.t.CreationTime"), "2026-11-20T16:03:13+00:00"),
    ],
)
def test_an_expression_stands_for_its_value(value: Any, result: Any) -> None:
    assert evaluate(value, SCOPE) == result


@pytest.mark.parametrize(
    "path",
    [
        "Steps.t.Tags[1]",
        "Steps.t.Tags['x']",
        "Steps.t.InputDataConfig['test']",
        "Steps.t.No",
        "Steps.u.X",
        "Steps.t.Tags[0].X",
    ],
)
def test_a_property_that_is_not_there_is_an_error(path: str) -> None:
    with pytest.raises(ExpressionError, match="has no value: there is no"):
        evaluate(get(path), SCOPE)


def test_a_list_cannot_be_joined() -> None:
    with pytest.raises(ExpressionError, match=r"Std:Join cannot join \['plain'\]"):
        evaluate({"Std:Join": {"Values": [get("Steps.t.Tags")]}}, SCOPE)


def test_a_path_has_members_indexes_and_quoted_names() -> None:
    assert tokens("a.b-c[0]['x.y'][\"z\"]") == ("a", "b-c", 0, "x.y", "z")


@pytest.mark.parametrize(
    ("condition", "truth"),
    [
        (compare("Equals", 1, 1.0), True),
        (compare("Equals", "a", "b"), False),
        (compare("Equals", True, get("Parameters.B")), True),
        (compare("GreaterThan", 2, 1), True),
        (compare("GreaterThan", 1, 1), False),
        (compare("GreaterThanOrEqualTo", 1, 1), True),
        (compare("LessThan", 1, 1), False),
        (compare("LessThan", get("Parameters.F"), 1), True),
        (compare("LessThanOrEqualTo", 1, 1), True),
        ({"Type": "In", "QueryValue": get("Parameters.S"), "Values": ["y", "x"]}, True),
        ({"Type": "In", "QueryValue": 3, "Values": [1, get("Parameters.F")]}, False),
        ({"Type": "Not", "Condition": compare("Equals", 1, 1)}, False),
        ({"Type": "Or", "Conditions": [compare("Equals", 1, 2), compare("Equals", 1, 1)]}, True),
        ({"Type": "Or", "Conditions": [compare("Equals", 1, 2)]}, False),
    ],
)
def test_a_condition_holds_or_does_not(condition: dict[str, Any], truth: bool) -> None:
    assert all_true([condition], SCOPE) is truth


def test_all_conditions_must_hold() -> None:
    assert not all_true([compare("Equals", 1, 1), compare("Equals", 1, 2)], SCOPE)


@pytest.mark.parametrize(
    "condition",
    [
        compare("Equals", True, 1),
        compare("LessThan", True, False),
        compare("Equals", get("Steps.t.Tags"), get("Steps.t.Tags")),
    ],
)
def test_what_cannot_be_compared_is_an_error(condition: dict[str, Any]) -> None:
    with pytest.raises(ExpressionError, match="cannot compare"):
        all_true([condition], SCOPE)
