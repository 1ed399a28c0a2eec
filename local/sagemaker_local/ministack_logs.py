"""Events of EventBridge in log groups, and the metrics that filters make of them: ministack 1.5.33 has neither.

What AWS does is from the EventBridge User Guide, "Using resource-based policies for Amazon EventBridge" (CloudWatch
Logs permissions), and the CloudWatch Logs User Guide, "Filter pattern syntax for metric filters" and "Creating metrics
from log events using filters".
"""

import json
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from sagemaker_local import ministack
from sagemaker_local.ministack import alarms, eventbridge, logs
from sagemaker_local.ministack_policies import lets_service

_EVENTS = "events.amazonaws.com"
_GROUP = re.compile(r"arn:[^:]+:logs:[^:]*:[^:]*:log-group:([^:]+)(:\*)?")
_COMPARISON = re.compile(r'\{\s*\$((?:\.[A-Za-z0-9_-]+)+)\s*(=|!=)\s*"([^"]*)"\s*\}')

type Matches = Callable[[str], bool]


def deliver_events_to_log_groups() -> None:
    """Gap: a rule whose target is a log group delivers nothing."""

    def around(invoke: Callable[..., None]) -> Callable[..., None]:
        def invoked(target: Mapping[str, Any], event: Any, rule: Mapping[str, Any], view: Any = None) -> None:
            group = _GROUP.fullmatch(target["Arn"])
            if group is None:
                invoke(target, event, rule, view)
            elif _may_write(target["Arn"], rule["Arn"]):
                _write(group[1], json.dumps((view or eventbridge._pattern_event_view(event)).event_with_detail()))

        return invoked

    ministack.around_event_targets(around)


def make_metrics_by_filters() -> None:
    """Gap: metric filters are kept, and make no metric; one whose pattern is not read here is refused."""

    def around(ingested: Callable[..., None]) -> Callable[..., None]:
        def told(group: str, stream: str, events: Sequence[Mapping[str, Any]]) -> None:
            ingested(group, stream, events)
            for one in logs._metric_filters.values():
                if one["logGroupName"] == group:
                    _measure(one, [event["message"] for event in events])

        return told

    ministack.around_log_events(around, _refusal)


def matcher(pattern: str) -> Matches | None:
    """Return what tells whether a log event's message matches a filter pattern; None for one that is not read here.

    Read are the empty pattern, and one comparison of a JSON field with a text, in which `*` stands for any characters.
    """
    if not pattern.strip():
        return lambda _: True
    found = _COMPARISON.fullmatch(pattern.strip())
    if found is None:
        return None
    path, operator, wanted = found[1].split(".")[1:], found[2], re.sub(r"([\[?])", r"[\1]", found[3])
    return lambda message: _compares(message, path, wanted, equal=operator == "=")


def _compares(message: str, path: Sequence[str], wanted: str, *, equal: bool) -> bool:
    try:
        value = json.loads(message)
        for name in path:
            value = value[name]
    except (ValueError, LookupError, TypeError):
        return False
    return isinstance(value, str) and fnmatchcase(value, wanted) == equal


def _refusal(request: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the error of a filter that would be kept and not do here what it does on AWS; None where there is none."""
    if matcher(request.get("filterPattern", "")) is None:
        what = f"the filter pattern {request['filterPattern']}"
    elif any(not _is_number(one["metricValue"]) for one in request["metricTransformations"]):
        what = "a metricValue that is no number"
    elif any(one.get("dimensions") for one in request["metricTransformations"]):
        what = "dimensions"
    else:
        return None
    return "InvalidParameterException", f"Metric filters on this machine do not know {what}: README of sagemaker_local."


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def _measure(given: Mapping[str, Any], messages: Sequence[str]) -> None:
    """Put the value for each message that matches; the default where messages came and none does."""
    matches = matcher(given["filterPattern"]) or (lambda _: False)
    count = sum(matches(message) for message in messages)
    for one in given["metricTransformations"]:
        value = one["metricValue"] if count else one.get("defaultValue")
        for _ in range(max(count, 1) if value is not None else 0):
            alarms.record_metric(one["metricNamespace"], one["metricName"], float(value), one.get("unit", "None"), {})
    alarms._evaluate_all_alarms()


def _may_write(group: str, rule: str) -> bool:
    """Tell whether a resource policy of CloudWatch Logs lets EventBridge write there for the rule."""
    stream = f"{group.removesuffix(':*')}:log-stream:{uuid.uuid4()}"
    account, _ = ministack.scope()
    context = {"aws:SourceArn": rule, "aws:SourceAccount": account}
    return all(
        any(
            lets_service(one["policyDocument"], _EVENTS, action, stream, context)
            for one in logs._resource_policies.values()
        )
        for action in ("logs:CreateLogStream", "logs:PutLogEvents")
    )


def _write(group: str, message: str) -> None:
    """Write one event into a stream of its own; a group that is gone gets none."""
    stream = str(uuid.uuid4())
    logs._create_log_stream({"logGroupName": group, "logStreamName": stream})
    event = {"timestamp": int(time.time() * 1000), "message": message}
    logs._put_log_events({"logGroupName": group, "logStreamName": stream, "logEvents": [event]})
