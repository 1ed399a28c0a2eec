"""What a rule writes into a log group, and what metric filters make of that.

`test_ministack_patches` holds each function to the test that sees its gap in plain ministack.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagemaker_local.ministack_logs import matcher
from sagemaker_local.server import ACCOUNT, REGION
from tests.contract.world import World, code, name, until

CLOSED = "plain ministack has no such gap any more: remove its function from ministack_logs.py, and this test"


class Ruled:
    """A rule that has one source's events written into a log group."""

    def __init__(self, world: World) -> None:
        self.logs, self.events = world.client("logs"), world.client("events")
        self.group, self.rule = f"/aws/events/{name('group')}", name("rule")
        self.logs.create_log_group(logGroupName=self.group)
        pattern = json.dumps({"source": [self.rule]})
        self.rule_arn = str(self.events.put_rule(Name=self.rule, EventPattern=pattern)["RuleArn"])
        self.group_arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{self.group}"
        self.events.put_targets(Rule=self.rule, Targets=[{"Id": "one", "Arn": self.group_arn}])

    def allow(self, rule: str = "") -> None:
        """Let EventBridge write there, for this rule or another one."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]},
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"{self.group_arn}:*",
            "Condition": {"ArnEquals": {"aws:SourceArn": rule or self.rule_arn}},
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.logs.put_resource_policy(policyName="events", policyDocument=document)

    def filter(self, pattern: str, **more: Any) -> tuple[str, str]:
        """Have a metric made of what matches, and return its namespace and name."""
        space, metric = name("space"), "Failed"
        made = {"metricNamespace": space, "metricName": metric, "metricValue": "1", **more}
        self.logs.put_metric_filter(
            logGroupName=self.group, filterName=name("filter"), filterPattern=pattern, metricTransformations=[made]
        )
        return space, metric

    def send(self, **detail: Any) -> None:
        """Send one event."""
        entry = {"Source": self.rule, "DetailType": "Ended", "Detail": json.dumps(detail)}
        assert self.events.put_events(Entries=[entry])["FailedEntryCount"] == 0

    def written(self) -> list[dict[str, Any]]:
        """Return the details of the events in the log group."""
        found = self.logs.filter_log_events(logGroupName=self.group)["events"]
        return [json.loads(one["message"])["detail"] for one in found]


def test_a_rule_writes_into_a_log_group_whose_policy_lets_it(plain: World, cloud: World) -> None:
    ruled = Ruled(plain)
    ruled.allow()
    ruled.send(key="a")
    assert ruled.written() == [], CLOSED

    ruled = Ruled(cloud)
    ruled.send(key="nobody lets it")
    ruled.allow(f"{ruled.rule_arn}-of-another")
    ruled.send(key="another rule is let")
    ruled.allow()
    ruled.send(key="a")
    ruled.send(key="b")
    until(lambda: len(ruled.written()) > 1)
    assert sorted(one["key"] for one in ruled.written()) == ["a", "b"]
    streams = ruled.logs.describe_log_streams(logGroupName=ruled.group)["logStreams"]
    assert len({one["logStreamName"] for one in streams}) == 2


def test_a_metric_filter_counts_what_matches_and_an_alarm_is_raised_by_it(plain: World, cloud: World) -> None:
    def points(world: World) -> Mapping[str, float]:
        ruled = Ruled(world)
        ruled.allow()
        space, metric = ruled.filter('{ $.detail.key = "*results/failed/*" }', defaultValue=0)
        watch = world.client("cloudwatch")
        watch.put_metric_alarm(
            AlarmName=space, Namespace=space, MetricName=metric, Statistic="Sum", Period=60, EvaluationPeriods=1,
            Threshold=1.0, ComparisonOperator="GreaterThanOrEqualToThreshold", TreatMissingData="notBreaching",
        )  # fmt: skip
        before = watch.describe_alarms(AlarmNames=[space])["MetricAlarms"][0]["StateValue"]
        for key in ("people/ana/results/complete/nb.json", "people/ana/results/failed/nb.json"):
            event = {"timestamp": 1, "message": json.dumps({"detail": {"key": key}})}
            ruled.logs.create_log_stream(logGroupName=ruled.group, logStreamName=name("stream"))
            stream = ruled.logs.describe_log_streams(logGroupName=ruled.group)["logStreams"][0]["logStreamName"]
            ruled.logs.put_log_events(logGroupName=ruled.group, logStreamName=stream, logEvents=[event])
        after = watch.describe_alarms(AlarmNames=[space])["MetricAlarms"][0]["StateValue"]
        listed = watch.list_metrics(Namespace=space)["Metrics"]
        return {"metrics": len(listed), "raised": (before, after) == ("OK", "ALARM")}

    assert points(plain) == {"metrics": 0, "raised": False}, CLOSED
    assert points(cloud) == {"metrics": 1, "raised": True}


@pytest.mark.parametrize(
    ("pattern", "more"),
    [
        ('{ $.a = "x" && $.b = "y" }', {}),
        ("{ $.a > 1 }", {}),
        ("ERROR", {}),
        ("", {"metricValue": "$.size"}),
    ],
)
def test_a_metric_filter_that_this_machine_cannot_follow_is_refused(
    cloud: World, pattern: str, more: dict[str, str]
) -> None:
    with pytest.raises(ClientError, match="Metric filters on this machine do not know") as refused:
        Ruled(cloud).filter(pattern, **more)
    assert code(refused.value) == "InvalidParameterException"


@pytest.mark.parametrize(
    ("pattern", "message", "matches"),
    [
        ("", "anything", True),
        ('{ $.a = "x" }', '{"a": "x"}', True),
        ('{ $.a = "x" }', '{"a": "xy"}', False),
        ('{ $.a.b = "*x" }', '{"a": {"b": "[?]x"}}', True),
        ('{ $.a = "[x]?" }', '{"a": "x1"}', False),
        ('{ $.a = "[x]?" }', '{"a": "[x]?"}', True),
        ('{ $.a != "x" }', '{"a": "y"}', True),
        ('{ $.a != "x" }', '{"b": "y"}', False),
        ('{ $.a = "x" }', "no JSON", False),
        ('{ $.a.b = "x" }', '{"a": ["x"]}', False),
        ('{ $.a = "1" }', '{"a": 1}', False),
    ],
)
def test_a_pattern_matches_as_it_says(pattern: str, message: str, matches: bool) -> None:
    read = matcher(pattern)
    assert read is not None
    assert read(message) is matches
