"""What SageMaker measures of an endpoint's answers, and the alarms that a deployment watches.

Source: Developer Guide, "Monitor Amazon SageMaker AI with Amazon CloudWatch" (invocation metrics: 1 for each error,
otherwise 0; latencies in microseconds), and "Auto-Rollback Configuration and Monitoring" (the dimension
EndpointConfigName).
"""

import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_local.core.cloud import Access
from sagemaker_local.core.errors import invalid
from sagemaker_local.serving.fleet import Taken

_LOG = logging.getLogger("sagemaker_local")
NAMESPACE = "AWS/SageMaker"
TRAINING_NAMESPACE = "/aws/sagemaker/TrainingJobs"
_AT_ONCE = 500  # of the 1,000 that PutMetricData takes
_HUNDREDS = 100
_MICRO = 1_000_000


def invocation(endpoint: str, config: str, variant: str, taken: Taken) -> list[dict[str, Any]]:
    """Return the metric data of one answer: once for the endpoint's variant, once for it on its configuration."""
    of_variant = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
    of_config = [*of_variant, {"Name": "EndpointConfigName", "Value": config}]
    kind = taken.status // _HUNDREDS
    counts = {
        "Invocations": 1,
        "Invocation4XXErrors": int(kind == 4),  # noqa: PLR2004  # 4xx
        "Invocation5XXErrors": int(kind == 5),  # noqa: PLR2004  # 5xx
        "InvocationModelErrors": int(kind != 2),  # noqa: PLR2004  # whatever is no 2xx, and no answer at all
    }
    times = {"ModelLatency": taken.model_seconds, "OverheadLatency": taken.other_seconds}
    measured = [(name, value, "None") for name, value in counts.items()]
    measured += [(name, round(seconds * _MICRO), "Microseconds") for name, seconds in times.items()]
    return [
        {"MetricName": name, "Dimensions": dimensions, "Value": value, "Unit": unit}
        for dimensions in (of_variant, of_config)
        for name, value, unit in measured
    ]


class TrainingMetrics:
    """Puts the metrics that a training job prints, while it runs, as its role.

    Source: Developer Guide, "Define Metrics"; name space and dimension as the SDK's TrainingJobAnalytics reads them. A
    role that may not put metrics has none, and its job runs all the same.
    """

    def __init__(self, watch: Any, job: str) -> None:
        self._watch = watch
        self._dimensions = [{"Name": "TrainingJobName", "Value": job}]
        self._waiting: list[dict[str, Any]] = []
        self._put_at = time.monotonic()
        self._refused = False

    def take(self, values: Mapping[str, float]) -> None:
        """Take the metrics of one line; they are put with those of a second, or sooner if they are many."""
        at = datetime.now(UTC)
        self._waiting += [
            {"MetricName": name, "Dimensions": self._dimensions, "Value": value, "Timestamp": at, "Unit": "None"}
            for name, value in values.items()
        ]
        if len(self._waiting) >= _AT_ONCE or time.monotonic() - self._put_at >= 1:
            self.close()

    def close(self) -> None:
        """Put what waits."""
        waiting, self._waiting, self._put_at = self._waiting, [], time.monotonic()
        if not waiting or self._refused:
            return
        try:
            self._watch.put_metric_data(Namespace=TRAINING_NAMESPACE, MetricData=waiting)
        except (ClientError, BotoCoreError) as error:
            self._refused = True
            _LOG.warning("the metrics of %s are not in CloudWatch: %s", self._dimensions[0]["Value"], error)


def alarm_states(access: Access, role: str, endpoint: str, names: tuple[str, ...]) -> list[str]:
    """Return the states of alarms, read as the role of the endpoint's models.

    Source: Developer Guide, "CreateModel API: Execution Role Permissions": for the deployment guardrails it is the
    execution role that has to be allowed `cloudwatch:DescribeAlarms` on the alarms.

    Raises:
        ApiError: the role may not. How AWS words that is not documented.
    """
    client: Any = access.client("cloudwatch", role, endpoint)
    try:
        found = client.describe_alarms(AlarmNames=list(names), AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    except ClientError as error:
        raise invalid(
            f"The execution role {role} cannot describe the alarms {', '.join(names)} of the auto-rollback "
            f"configuration. Please ensure that it has cloudwatch:DescribeAlarms on them ({error})."
        ) from error
    return [alarm["StateValue"] for alarm in found["MetricAlarms"] + found["CompositeAlarms"]]
