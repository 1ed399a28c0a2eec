"""Nothing waits unseen: every queue that is polled has an alarm on its age, and alarms on our metrics can go off."""

from collections.abc import Iterator
from typing import Any

from tests.gates.template import Problem, Template
from tests.support.documents import counted

from signalbox.observability import NAMESPACE

_AGE = "ApproximateAgeOfOldestMessage"


def check(template: Template) -> list[Problem]:
    """Return queues whose messages may wait unseen, and alarms that would stay silent."""
    return [*_ages(template), *_own_metrics(template)]


def _ages(template: Template) -> Iterator[Problem]:
    watched = {
        value["Value"]
        for _, alarm in _alarms(template)
        for value in alarm.get("Dimensions", [])
        if alarm["MetricName"] == _AGE and alarm.get("AlarmActions")
    }
    for name, queue in template.resolved("AWS::SQS::Queue").items():
        if "RedrivePolicy" in queue and template.values.name(name) not in watched:
            yield Problem(name, "has messages that may wait without an alarm that tells somebody")


def _own_metrics(template: Template) -> Iterator[Problem]:
    """Yield alarms whose metric no function writes, under the dimension that Powertools gives it."""
    service = template.sam["Globals"]["Function"]["Environment"]["Variables"].get("POWERTOOLS_SERVICE_NAME")
    metrics = counted()
    for name, alarm in _alarms(template):
        if alarm["Namespace"] != NAMESPACE:
            continue
        if alarm["MetricName"] not in metrics:
            yield Problem(name, f"watches {alarm['MetricName']}, which no function writes")
        written = template.sam["Resources"][name]["Properties"].get("Dimensions")
        if written != [{"Name": "service", "Value": service}]:
            yield Problem(name, "has not the dimension under which the functions write: POWERTOOLS_SERVICE_NAME")


def _alarms(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from template.resolved("AWS::CloudWatch::Alarm").items()
