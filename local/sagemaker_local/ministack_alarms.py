"""Metric alarms as CloudWatch has them: their own dimensions, missing data, and time; ministack has none of the three.

Source: CloudWatch User Guide, "Using Amazon CloudWatch alarms" and "Configuring how CloudWatch alarms treat missing
data". Otherwise than there, the periods end at the moment of asking, not at the full minute, because here a bake takes
seconds.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sagemaker_local.core.cloud import HttpResponse
from sagemaker_local.ministack import alarms

type Alarm = Mapping[str, Any]
type Point = Mapping[str, Any]

_BREACHING: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
# None: the alarm keeps its state.
_WITHOUT_DATA = {"missing": "INSUFFICIENT_DATA", "ignore": None, "breaching": "ALARM", "notBreaching": "OK"}


def is_watched(alarm: Alarm, namespace: str, metric: str, point: Point) -> bool:
    """Say whether a point is of the alarm's metric: the same name, exactly the same dimensions, and its unit if any."""
    dimensions = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
    named = (namespace, metric, point["Dimensions"]) == (alarm["Namespace"], alarm["MetricName"], dimensions)
    return named and alarm["Unit"] in (None, point["Unit"])


def new_state(
    alarm: Alarm, points: Sequence[Point], now: float, measure: Callable[[Sequence[Point]], float | None]
) -> str | None:
    """Return the state that an alarm has now by the points of its metric; None where it keeps the one that it has.

    `measure` returns the alarm's statistic of some points, None where they have none.
    """
    breaches = _BREACHING.get(alarm["ComparisonOperator"])
    if breaches is None:  # against a band of expected values, which nobody computes here
        return None
    period, count = alarm["Period"], alarm["EvaluationPeriods"]
    values = [measure(_within(points, now - (turn + 1) * period, now - turn * period)) for turn in range(count)]
    if all(value is None for value in values):
        return _WITHOUT_DATA[alarm["TreatMissingData"]]
    missing = alarm["TreatMissingData"] == "breaching"
    bad = [missing if value is None else breaches(value, alarm["Threshold"]) for value in values]
    return "ALARM" if sum(bad) >= (alarm.get("DatapointsToAlarm") or count) else "OK"


def apply(by_hand_seconds: float) -> None:
    """Let alarms be decided here, whenever a metric comes or somebody looks.

    A state that was set by hand stays for a while, on AWS until the next evaluation (API reference, SetAlarmState).
    """
    by_hand: dict[str, float] = {}
    set_state, describe = alarms._set_alarm_state, alarms._describe_alarms

    def evaluate(alarm: dict[str, Any]) -> None:
        now = time.time()
        if not alarm["MetricName"] or now - by_hand.get(alarm["AlarmArn"], 0) < by_hand_seconds:
            return
        state = new_state(alarm, _points(alarm), now, lambda points: _measured(alarm, points))
        if state not in (None, alarm["StateValue"]):
            reason = f"{alarm['MetricName']} {alarm['ComparisonOperator']} {alarm['Threshold']}: {state}"
            set_state({}, {"AlarmName": alarm["AlarmName"], "StateValue": state, "StateReason": reason}, False, True)

    def set_by_hand(params: Any, given: Any, *form: bool) -> HttpResponse:
        answer: HttpResponse = set_state(params, given, *form)
        alarm = alarms._alarms.get(given.get("AlarmName") or alarms._p(params, "AlarmName"))
        if alarm:
            by_hand[alarm["AlarmArn"]] = time.time()
        return answer

    def look(*request: Any) -> HttpResponse:
        alarms._evaluate_all_alarms()
        answer: HttpResponse = describe(*request)
        return answer

    alarms._evaluate_alarm = evaluate
    alarms._set_alarm_state, alarms._describe_alarms = set_by_hand, look


def _within(points: Sequence[Point], start: float, end: float) -> list[Point]:
    return [point for point in points if start < point["Timestamp"] <= end]


def _points(alarm: Alarm) -> list[Point]:
    return [
        point
        for (namespace, metric, _), points in alarms._metrics.items()
        for point in points
        if is_watched(alarm, namespace, metric, point)
    ]


def _measured(alarm: Alarm, points: Sequence[Point]) -> float | None:
    stats = alarms._calc_stats(points)
    if not stats:
        return None
    value = alarms._stat_value(stats, alarm["ExtendedStatistic"] or alarm["Statistic"], points)
    return None if value is None else float(value)
