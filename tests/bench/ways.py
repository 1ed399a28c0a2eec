"""Ways through the deployed stack, from a person's act to what SageMaker is asked, beside the shortest of their kind.

Each is measured right after a bare step of the same cloud: an object that S3 itself announces to a queue, and a
machine that waits with a token and goes on. So the ratios say how many such steps a way costs, on any machine.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from signalbox_local.person import Person
from tests.bench.cloud import QUIET_SECONDS
from tests.bench.figures import BenchError, Ratio
from tests.system.world import World

UPLOADS, RELEASES = 8, 3
_LOOK_SECONDS = 0.2
_SHARP_SECONDS = 0.005
# The event of a run's end waits in the same queue for as long, and would start what is uploaded meanwhile.
_SETTLED_SECONDS = QUIET_SECONDS + 1.5
_PATIENCE = 90.0
_MODEL = "iris-decision-tree"
# A run that has nothing to do, so that what is measured is the way to it.
_NOTHING = {
    "Version": "2020-12-01",
    "Parameters": [{"Name": "InputManifest", "Type": "String", "DefaultValue": "s3://nothing/at-all"}],
    "Steps": [
        {
            "Name": "Nothing",
            "Type": "Condition",
            "Arguments": {
                "Conditions": [{"Type": "Equals", "LeftValue": 1, "RightValue": 1}],
                "IfSteps": [],
                "ElseSteps": [],
            },
        }
    ],
}


@dataclass(frozen=True)
class Way:
    """One way: what it is, what it is compared with, and both in seconds."""

    what: str
    beside: str
    ratio: Ratio


@dataclass
class _Clock:
    """A person's browser that remembers when it last posted."""

    posted: float = 0.0
    person: Person = field(init=False)

    def __post_init__(self) -> None:
        self.person = Person(httpx.Client(timeout=60, event_hooks={"request": [self._see]}))

    def _see(self, request: httpx.Request) -> None:
        if request.method == "POST":
            self.posted = time.time()


def measure(world: World, tell: Callable[[str], None]) -> list[Way]:
    """Return all ways.

    Raises:
        BenchError: one does not lead where it should.
    """
    delivery, token = _Delivery(world), _Token(world)
    uploads = _uploads(world, delivery, tell)
    staging, prod = _approvals(world, token, tell)
    beside = "a task token's answer → next state"
    return [
        Way(f"upload → StartPipelineExecution, without the quiet {QUIET_SECONDS} s", "PutObject → SQS", uploads),
        Way("approval of the package → UpdateEndpoint of staging", beside, staging),
        Way("approval for prod → UpdateEndpoint of prod", beside, prod),
    ]


def _uploads(world: World, delivery: "_Delivery", tell: Callable[[str], None]) -> Ratio:
    sagemaker, pipeline = world.client("sagemaker"), world.outputs["PipelineName"]
    sagemaker.create_pipeline(
        PipelineName=pipeline,
        PipelineDefinition=json.dumps(_NOTHING),
        RoleArn=world.outputs["PipelineRoleArn"],
        ClientRequestToken="bench".ljust(32, "-"),
    )

    def succeeded(more_than: int) -> dict[str, Any] | None:
        listed = sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
        found: list[dict[str, Any]] = [run for run in listed if run["PipelineExecutionStatus"] == "Succeeded"]
        return found[0] if len(found) > more_than else None

    pairs = []
    for number in range(UPLOADS + 1):
        tell(f"upload {number} of {UPLOADS}")
        bare, begun = delivery.seconds(), time.time()
        world.client("s3").put_object(Bucket=world.outputs["DataBucket"], Key=f"incoming/{number}.csv", Body=b"1\n")
        run = _wait("a pipeline run", partial(succeeded, number))
        pairs.append((run["StartTime"].timestamp() - begun - QUIET_SECONDS, bare))
        time.sleep(_SETTLED_SECONDS)
    return Ratio.of(pairs[1:])  # the first one starts the functions


def _approvals(world: World, token: "_Token", tell: Callable[[str], None]) -> tuple[Ratio, Ratio]:
    staging: list[tuple[float, float]] = []
    prod: list[tuple[float, float]] = []
    clock = _Clock()
    for version in range(1, RELEASES + 1):
        tell(f"release {version} of {RELEASES}")
        execution = world.train(_MODEL, f"bench{version}")
        posted: list[tuple[float, float]] = []
        for subject in ("approve", "to prod"):
            mail = world.mail(subject, f"{_MODEL} version {version}")
            bare = token.seconds()
            clock.person.decide(mail, "approve", "measured")
            posted.append((clock.posted, bare))
        if world.ended(execution)["status"] != "SUCCEEDED":
            raise BenchError(f"release {version} failed: {world.subjects()}")
        if version > 1:  # the first release creates the endpoints
            for pairs, (at, bare) in zip((staging, prod), posted, strict=True):
                pairs.append((_updated(world, at) - at, bare))
    return Ratio.of(staging), Ratio.of(prod)


def _updated(world: World, since: float) -> float:
    """Return when the release machine came to UpdateEndpoint, the first time after a moment.

    It is read afterwards: looking while the machine works would take the local cloud's time.
    """
    machine, states = world.outputs["ReleaseMachineArn"], world.client("stepfunctions")
    executions = states.list_executions(stateMachineArn=machine)["executions"]
    found = [_entered(states, one["executionArn"], "UpdateEndpoint", since) for one in executions]
    times = [at for at in found if at is not None]
    if not times:
        raise BenchError("the release machine did not come to UpdateEndpoint after an approval")
    return min(times)


def _entered(states: Any, execution: str, state: str, since: float) -> float | None:
    """Return when an execution came into a state, the first time after a moment."""
    history = states.get_execution_history(executionArn=execution, maxResults=1000)["events"]
    times: list[float] = [
        event["timestamp"].timestamp()
        for event in history
        if event.get("stateEnteredEventDetails", {}).get("name") == state
    ]
    return next((at for at in times if at >= since), None)


class _Delivery:
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
        message = _wait("the announcement of an object", self._receive, _SHARP_SECONDS)
        taken = time.time() - begun
        self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return taken

    def _receive(self) -> dict[str, Any] | None:
        found = self._sqs.receive_message(QueueUrl=self._queue).get("Messages", [])
        return next((message for message in found if '"Records"' in message["Body"]), None)


class _Token:
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
        entered = _wait("the next state", lambda: _entered(self._states, execution, "GoOn", begun - 0.001))
        return max(entered - begun, 0.001)


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _wait[Found](what: str, look: Callable[[], Found | None], every: float = _LOOK_SECONDS) -> Found:
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
