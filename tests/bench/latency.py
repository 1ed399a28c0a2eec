"""Latency through the deployed stack, from a person's act to what SageMaker is asked, beside a bare step of its kind.

Each is measured right after a bare step of the same cloud: an object that S3 itself announces to a queue, and a
machine that waits with a token and goes on. So the ratios say how many such steps a path costs, on any machine.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from signalbox import names
from signalbox.projects import Project, ProjectPipeline, ProjectUploads, to_json
from signalbox_local.browser import Browser
from tests.bench.cloud import QUIET_SECONDS
from tests.bench.figures import BenchError, Ratio
from tests.bench.reference import Delivery, Token, entered, wait
from tests.system.world import World

type Progress = Callable[[str], None]
UPLOADS, RELEASES = 8, 3
# The event of a run's end waits in the same queue for as long, and would start what is uploaded meanwhile.
_SETTLED_SECONDS = QUIET_SECONDS + 1.5
_MODEL = "iris-decision-tree"
# A run that has nothing to do, so that what is measured is the path to it.
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
class Latency:
    """One path through the stack: what it is, what it is compared with, and both in seconds."""

    what: str
    reference: str
    ratio: Ratio


@dataclass
class _Clock:
    """A person's browser that remembers when it last posted."""

    posted: float = 0.0
    person: Browser = field(init=False)

    def __post_init__(self) -> None:
        self.person = Browser(httpx.Client(timeout=60, event_hooks={"request": [self._see]}))

    def _see(self, request: httpx.Request) -> None:
        if request.method == "POST":
            self.posted = time.time()


def measure(world: World, progress: Progress) -> list[Latency]:
    """Return the latency of each path.

    Raises:
        BenchError: a path does not lead where it should.
    """
    delivery, token = Delivery(world), Token(world)
    uploads = _uploads(world, delivery, progress)
    staging, prod = _approvals(world, token, progress)
    reference = "a task token's answer → next state"
    return [
        Latency(f"upload → StartPipelineExecution, without the quiet {QUIET_SECONDS} s", "PutObject → SQS", uploads),
        Latency("approval of the package → UpdateEndpoint of staging", reference, staging),
        Latency("approval for prod → UpdateEndpoint of prod", reference, prod),
    ]


def _uploads(world: World, delivery: Delivery, progress: Progress) -> Ratio:
    sagemaker, pipeline = world.client("sagemaker"), f"{world.outputs['Prefix']}-abalone"
    sagemaker.create_pipeline(
        PipelineName=pipeline,
        PipelineDefinition=json.dumps(_NOTHING),
        RoleArn=world.outputs["PipelineRoleArn"],
        ClientRequestToken="bench".ljust(32, "-"),
    )
    uploads = (ProjectUploads("incoming/", "abalone", quiet_seconds=0),)  # the queue's delay alone
    project = Project("abalone", "abalone-bench", uploads, {"abalone": ProjectPipeline(pipeline, ("abalone",))})
    name = names.project_parameter(world.outputs["Prefix"], "abalone")
    world.client("ssm").put_parameter(Name=name, Value=to_json(project), Type="String")

    def succeeded(more_than: int) -> dict[str, Any] | None:
        listed = sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
        found: list[dict[str, Any]] = [run for run in listed if run["PipelineExecutionStatus"] == "Succeeded"]
        return found[0] if len(found) > more_than else None

    pairs = []
    for number in range(UPLOADS + 1):
        progress(f"upload {number} of {UPLOADS}")
        bare, begun = delivery.seconds(), time.time()
        world.client("s3").put_object(Bucket=world.outputs["DataBucket"], Key=f"incoming/{number}.csv", Body=b"1\n")
        run = wait("a pipeline run", partial(succeeded, number))
        pairs.append((run["StartTime"].timestamp() - begun - QUIET_SECONDS, bare))
        time.sleep(_SETTLED_SECONDS)
    return Ratio.of(pairs[1:])  # the first one starts the functions


def _approvals(world: World, token: Token, progress: Progress) -> tuple[Ratio, Ratio]:
    staging: list[tuple[float, float]] = []
    prod: list[tuple[float, float]] = []
    clock = _Clock()
    for version in range(1, RELEASES + 1):
        progress(f"release {version} of {RELEASES}")
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
    found = [entered(states, one["executionArn"], "UpdateEndpoint", since) for one in executions]
    times = [at for at in found if at is not None]
    if not times:
        raise BenchError("the release machine did not come to UpdateEndpoint after an approval")
    return min(times)
