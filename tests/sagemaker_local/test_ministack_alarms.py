"""A metric alarm's state by the points of its metric: dimensions, missing data and time."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from sagemaker_local.ministack_alarms import Point, is_watched, new_state

ALARM: dict[str, Any] = {
    "Namespace": "AWS/SageMaker",
    "MetricName": "Invocation5XXErrors",
    "Dimensions": [{"Name": "EndpointName", "Value": "e"}, {"Name": "EndpointConfigName", "Value": "new"}],
    "Unit": None,
    "Period": 60,
    "EvaluationPeriods": 2,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "TreatMissingData": "missing",
}
NOW = 1_000.0


def point(age: float, value: float = 1.0, dimensions: Mapping[str, str] | None = None) -> Point:
    return {"Timestamp": NOW - age, "Value": value, "Unit": "None", "Dimensions": dimensions or {}}


def total(points: Sequence[Point]) -> float | None:
    return sum(one["Value"] for one in points) if points else None


def state(*points: Point, **changes: Any) -> str | None:
    return new_state(ALARM | changes, points, NOW, total)


@pytest.mark.parametrize(
    ("namespace", "metric", "dimensions", "unit", "watched"),
    [
        ("AWS/SageMaker", "Invocation5XXErrors", {"EndpointName": "e", "EndpointConfigName": "new"}, None, True),
        ("AWS/SageMaker", "Invocation5XXErrors", {"EndpointName": "e", "EndpointConfigName": "old"}, None, False),
        ("AWS/SageMaker", "Invocation5XXErrors", {"EndpointName": "e"}, None, False),
        ("AWS/SageMaker", "Invocations", {"EndpointName": "e", "EndpointConfigName": "new"}, None, False),
        ("Own", "Invocation5XXErrors", {"EndpointName": "e", "EndpointConfigName": "new"}, None, False),
        ("AWS/SageMaker", "Invocation5XXErrors", {"EndpointName": "e", "EndpointConfigName": "new"}, "Count", False),
    ],
)
def test_an_alarm_watches_the_points_of_its_own_name_dimensions_and_unit(
    namespace: str, metric: str, dimensions: dict[str, str], unit: str | None, watched: bool
) -> None:
    assert is_watched(ALARM | {"Unit": unit}, namespace, metric, point(1, 1.0, dimensions)) is watched


@pytest.mark.parametrize(
    ("treated", "expected"),
    [("missing", "INSUFFICIENT_DATA"), ("ignore", None), ("breaching", "ALARM"), ("notBreaching", "OK")],
)
def test_without_any_data_the_state_is_what_the_alarm_says_of_missing_data(treated: str, expected: str | None) -> None:
    assert state(TreatMissingData=treated) == expected
    assert state(point(121, 9), TreatMissingData=treated) == expected


@pytest.mark.parametrize(
    ("points", "changes", "expected"),
    [
        ([point(1), point(70)], {}, "ALARM"),
        ([point(1), point(70, 0)], {}, "OK"),
        ([point(1), point(70, 0)], {"DatapointsToAlarm": 1}, "ALARM"),
        ([point(1)], {}, "OK"),
        ([point(1)], {"TreatMissingData": "breaching"}, "ALARM"),
        ([point(1, 0)], {"TreatMissingData": "breaching", "DatapointsToAlarm": 1}, "ALARM"),
        ([point(1, 0.5), point(2, 0.5)], {"EvaluationPeriods": 1}, "ALARM"),
        ([point(1)], {"EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold"}, "OK"),
        ([point(1, 0)], {"EvaluationPeriods": 1, "ComparisonOperator": "LessThanThreshold"}, "ALARM"),
        ([point(1)], {"EvaluationPeriods": 1, "ComparisonOperator": "LessThanOrEqualToThreshold"}, "ALARM"),
        ([point(1)], {"EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanUpperThreshold"}, None),
    ],
)
def test_periods_breach_each_for_itself(points: list[Point], changes: dict[str, Any], expected: str | None) -> None:
    assert state(*points, **changes) == expected


def test_an_alarm_is_over_when_its_periods_have_gone_by() -> None:
    points = [point(59)]

    assert (
        new_state(ALARM | {"EvaluationPeriods": 1, "TreatMissingData": "notBreaching"}, points, NOW, total) == "ALARM"
    )
    assert (
        new_state(ALARM | {"EvaluationPeriods": 1, "TreatMissingData": "notBreaching"}, points, NOW + 2, total) == "OK"
    )
