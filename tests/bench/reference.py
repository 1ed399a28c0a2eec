"""The bare steps of a cloud that latency is compared with: S3 announces an object; a waiting machine goes on."""

import json
import time
from collections.abc import Callable
from typing import Any

from tests.bench.figures import BenchError
from tests.system.world import World

_LOOK_SECONDS = 0.2
_SHARP_SECONDS = 0.005
_PATIENCE = 90.0


class Delivery:
    """S3 announces an object to a queue by itself."""

    def __init__(self, world: World) -> None:
        self._s3, self._sqs = world.client("s3"), world.client("sqs")
        self._queue: str = self._sqs.create_queue(QueueName="bench")["QueueUrl"]
        asked = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        queue = asked["Attributes"]["QueueArn"]
        allowed = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = _policy({**allowed, "Resource": queue})
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": policy})
        self._s3.create_bucket(Bucket="bench")
        rule = {"QueueArn": queue, "Events": ["s3:ObjectCreated:*"]}
        self._s3.put_bucket_notification_configuration(
            Bucket="bench", NotificationConfiguration={"QueueConfigurations": [rule]}
        )

    def seconds(self) -> float:
        """Return the seconds from PutObject until the message is received."""
        begun = time.time()
        self._s3.put_object(Bucket="bench", Key="object", Body=b"1\n")
        message = wait("the announcement of an object", self._receive, _SHARP_SECONDS)
        taken = time.time() - begun
        self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return taken

    def _receive(self) -> dict[str, Any] | None:
        found = self._sqs.receive_message(QueueUrl=self._queue).get("Messages", [])
        return next((message for message in found if '"Records"' in message["Body"]), None)


class Token:
    """A machine that waits for an activity of ours with a token, and goes on."""

    def __init__(self, world: World) -> None:
        self._states = world.client("stepfunctions")
        self._activity: str = self._states.create_activity(name="bench")["activityArn"]
        states = {
            "Ask": {"Type": "Task", "Resource": self._activity, "Next": "GoOn"},
            "GoOn": {"Type": "Pass", "End": True},
        }
        trusted = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = world.client("iam").create_role(RoleName="bench", AssumeRolePolicyDocument=_policy(trusted))["Role"]
        made = self._states.create_state_machine(
            name="bench",
            definition=json.dumps({"QueryLanguage": "JSONata", "StartAt": "Ask", "States": states}),
            roleArn=role["Arn"],
        )
        self._machine: str = made["stateMachineArn"]

    def seconds(self) -> float:
        """Return the seconds from SendTaskSuccess until the next state."""
        execution: str = self._states.start_execution(stateMachineArn=self._machine)["executionArn"]
        token: str = self._states.get_activity_task(activityArn=self._activity)["taskToken"]
        begun = time.time()
        self._states.send_task_success(taskToken=token, output="{}")
        # The history is written in milliseconds, so its moment may lie just before ours.
        at = wait("the next state", lambda: entered(self._states, execution, "GoOn", begun - 0.001))
        return max(at - begun, 0.001)


def entered(states: Any, execution: str, state: str, since: float) -> float | None:
    """Return when an execution came into a state, the first time after a moment."""
    history = states.get_execution_history(executionArn=execution, maxResults=1000)["events"]
    times: list[float] = [
        event["timestamp"].timestamp()
        for event in history
        if event.get("stateEnteredEventDetails", {}).get("name") == state
    ]
    return next((at for at in times if at >= since), None)


def wait[Found](what: str, look: Callable[[], Found | None], every: float = _LOOK_SECONDS) -> Found:
    """Return what `look` finds first. What is looked for knows its own time, except where `every` is short.

    Raises:
        BenchError: it did not come.
    """
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        found = look()
        if found is not None:
            return found
        time.sleep(every)
    raise BenchError(f"{what} did not come within {_PATIENCE:.0f} seconds")


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
