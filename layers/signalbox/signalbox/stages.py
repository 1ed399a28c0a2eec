"""The stages that every model is released to: one JSON document, kept in an SSM parameter.

    {"stages": [{"name": "prod", "approval": true, "hosting": "realtime", "instance_type": "ml.m5.large",
                 "instance_count": 2, "alarms": true, "review_seconds": 604800,
                 "rollout": {"type": "canary", "percent": 10, "wait_seconds": 300, "termination_wait_seconds": 0}}]}

Limits are SageMaker's (Developer Guide, deployment-guardrails; botocore's `sagemaker` model), stated where they are
checked. `rollout`, `alarms`, `approval`, `hosting`, `review_seconds` and `network_isolation` (true) may be left out.
"""

import json
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from signalbox.aws import clients
from signalbox.aws.errors import none_if_missing, translated
from signalbox.reading import Fields

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

HOSTINGS_TO_COME = ("serverless", "async", "batch", "multi-model")
# A deployment takes 600 to 28,800 seconds, and longer than all its waits; the margin is for starting the new fleet.
DEPLOYMENT_SECONDS = (600, 28_800)
FLEET_SECONDS = 1_800
# Alarms count only while a deployment waits (deployment guardrails, "baking period"), and the metrics of an endpoint
# come once a minute (monitoring-cloudwatch): in less than two minutes no alarm is sure to have seen a whole one.
BAKE_SECONDS = 300
_SHORTEST_BAKE = 120
WEEK = 604_800
_STAGES = (1, 10)
_PERCENTS = {"canary": (1, 50), "linear": (10, 50)}
_STAGE = (
    "name",
    "approval",
    "instance_type",
    "instance_count",
    "rollout",
    "alarms",
    "hosting",
    "review_seconds",
    "network_isolation",
)
_ROLLOUT = ("type", "percent", "wait_seconds", "termination_wait_seconds")


class StagesDocumentError(Exception):
    """The stages document cannot be used: the message names the field, what it holds and what is allowed."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"stages document: {problem}")


class Rollout(NamedTuple):
    """How traffic moves to a new fleet: `percent` is the canary's share or the linear step (None: all at once).

    `wait_seconds` is the wait after each step, `termination_wait_seconds` how long the old fleet is kept in the end.
    """

    type: str = "all-at-once"
    percent: int | None = None
    wait_seconds: int = 0
    termination_wait_seconds: int = 0

    @property
    def waits(self) -> int:
        """Return how many times a deployment waits: a canary twice, since it bakes again with all the traffic."""
        if self.type == "linear":
            return -(-100 // (self.percent or 100))
        return 2 if self.type == "canary" else 1

    @property
    def bake_seconds(self) -> int:
        """Return how long a deployment waits in all: meanwhile alarms count, and both fleets are paid for."""
        return self.waits * self.wait_seconds + self.termination_wait_seconds

    @property
    def deployment_seconds(self) -> int:
        """Return the time one deployment may take, within SageMaker's bounds once the document was accepted."""
        return max(DEPLOYMENT_SECONDS[0], self.bake_seconds + FLEET_SECONDS)


class Stage(NamedTuple):
    """One stage: its name, its fleet, and what has to happen before and while a model is released to it."""

    name: str
    instance_type: str
    instance_count: int
    approval: bool = False
    rollout: Rollout = Rollout()
    alarms: bool = False
    hosting: str = "realtime"
    review_seconds: int = WEEK
    network_isolation: bool = True


class StagesDocument(NamedTuple):
    """All stages, in the order of release; the last one is where the live model is."""

    stages: tuple[Stage, ...]

    @property
    def last(self) -> Stage:
        """Return the stage that holds the live model."""
        return self.stages[-1]

    def find(self, name: str) -> Stage | None:
        """Return the stage called `name`, or None."""
        return next((stage for stage in self.stages if stage.name == name), None)


@lru_cache(maxsize=1)  # read at every event, and seldom another one
def parse(text: str) -> StagesDocument:
    """Return the document in `text`.

    Raises:
        StagesDocumentError: it is not JSON, or a field is missing, unknown or out of bounds.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise StagesDocumentError(f"the text is not JSON ({error})") from None
    return StagesDocument(read(Fields(document, StagesDocumentError, known=("stages",)), _STAGES))


def read(fields: Fields, number: tuple[int, int]) -> tuple[Stage, ...]:
    """Return the stages in the list `stages` of a document: as many as `number` says, each with its own name.

    Raises:
        Exception: the error that `fields` refuses with; a field of a stage is missing, unknown or out of bounds.
    """
    stages: dict[str, Stage] = {}
    for each in fields.objects("stages", number, _STAGE):
        stage = _stage(each)
        if stage.name in stages:
            raise each.refuse("name", f"is {stage.name!r} again: give each stage its own name")
        stages[stage.name] = stage
    return tuple(stages.values())


def load(parameter_name: str, ssm: "SSMClient | None" = None) -> StagesDocument:
    """Return the document in the SSM parameter `parameter_name`.

    Raises:
        StagesDocumentError: there is no such parameter, or its text cannot be used.
        ServiceBusyError: see `aws.errors.translated`.
        CallRefusedError: see `aws.errors.translated`.
    """
    client: SSMClient = ssm or clients.client("ssm")
    with translated(f"ssm:GetParameter of {parameter_name}"), none_if_missing():
        return parse(client.get_parameter(Name=parameter_name)["Parameter"]["Value"])
    raise StagesDocumentError(f"SSM parameter {parameter_name} does not exist: deploy the template, which makes it")


def _stage(fields: Fields) -> Stage:
    count, alarms = fields.whole("instance_count", (1, 1_000)), fields.flag("alarms")
    return Stage(
        # No hyphens: `<prefix>-<model>-<stage>` would name the same endpoint for model `a-b` and for stage `b-c`.
        name=fields.text("name", r"[a-z][a-z0-9]{0,19}", "a lower-case letter, then up to 19 letters or digits"),
        instance_type=fields.text("instance_type", r"ml\.[a-z0-9-]+\.[a-z0-9]+", "a type such as ml.m5.large"),
        instance_count=count,
        approval=fields.flag("approval"),
        rollout=_rollout(fields.object("rollout", _ROLLOUT), count, alarms=alarms),
        alarms=alarms,
        hosting=_hosting(fields),
        review_seconds=fields.whole("review_seconds", (5, 30 * 86_400), WEEK),
        network_isolation=fields.flag("network_isolation", default=True),
    )


def _rollout(fields: Fields, instances: int, *, alarms: bool) -> Rollout:
    kind = fields.choice("type", ("all-at-once", *_PERCENTS), "all-at-once")
    percent = fields.whole("percent", _PERCENTS[kind]) if kind in _PERCENTS else None
    if percent is not None and instances == 1:
        raise fields.refuse("type", f"is {kind!r} with instance_count 1: it needs 2 instances or more")
    if percent is None and "percent" in fields:
        raise fields.refuse("percent", "is given for all-at-once: leave it out, or choose canary or linear")
    wait = fields.whole("wait_seconds", (0, 3_600), 0)
    kept = fields.whole("termination_wait_seconds", (0, 3_600), BAKE_SECONDS if alarms and not wait else 0)
    rollout = Rollout(kind, percent, wait, kept)
    if alarms and rollout.bake_seconds < _SHORTEST_BAKE:
        raise fields.refuse(
            "termination_wait_seconds",
            f"is {kept}, and wait_seconds {wait}: alarms count only while a deployment waits, and need "
            f"{_SHORTEST_BAKE} s, but this one waits {rollout.bake_seconds} s in all; wait longer, or leave alarms out",
        )
    if rollout.deployment_seconds > DEPLOYMENT_SECONDS[1]:
        raise fields.refuse(
            "wait_seconds",
            f"is {rollout.wait_seconds}, {rollout.waits} times over: with {FLEET_SECONDS} s to start the fleet and "
            f"termination_wait_seconds {kept} that exceeds the {DEPLOYMENT_SECONDS[1]} s of a deployment; wait less, "
            "or take bigger steps",
        )
    return rollout


def _hosting(fields: Fields) -> str:
    if "hosting" not in fields:
        return "realtime"
    hosting = fields.text("hosting", "|".join(("realtime", *HOSTINGS_TO_COME)), "realtime")
    if hosting in HOSTINGS_TO_COME:
        raise fields.refuse("hosting", f"is {hosting!r}, which is not built yet: only realtime is")
    return hosting
