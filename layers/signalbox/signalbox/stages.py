"""The stages that every model is released to: one JSON document, kept in an SSM parameter.

    {"stages": [{"name": "prod", "approval": true, "hosting": "realtime", "instance_type": "ml.m5.large",
                 "instance_count": 2, "alarms": true, "review_seconds": 604800,
                 "rollout": {"type": "canary", "percent": 10, "wait_seconds": 300}}]}

Limits are SageMaker's (Developer Guide, deployment-guardrails; botocore's `sagemaker` model), stated where they are
checked. `rollout`, `alarms`, `approval`, `hosting` and `review_seconds` may be left out.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Protocol, cast

from signalbox.aws import clients

HOSTINGS_TO_COME = ("serverless", "async", "batch", "multi-model")
# A deployment takes 600 to 28,800 seconds, and longer than all its waits; the margin is for starting the new fleet.
DEPLOYMENT_SECONDS = (600, 28_800)
FLEET_SECONDS = 1_800
WEEK = 604_800
_STAGE_LIMIT = 10
_PERCENTS = {"canary": (1, 50), "linear": (10, 50)}
_STAGE_FIELDS = frozenset(
    ("name", "approval", "instance_type", "instance_count", "rollout", "alarms", "hosting", "review_seconds")
)


class StagesDocumentError(Exception):
    """The stages document cannot be used: the message names the field, what it holds and what is allowed."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"stages document: {field} {problem}")
        self.field = field


class ParameterReader(Protocol):
    """The part of an SSM client that reads the document."""

    def get_parameter(self, *, Name: str) -> Any:  # noqa: N803  # boto3's spelling
        """Return `{"Parameter": {"Value": str}}`."""


@dataclass(frozen=True)
class Rollout:
    """How traffic moves to a new fleet: `percent` is the canary's share or the linear step (None: all at once)."""

    type: str = "all-at-once"
    percent: int | None = None
    wait_seconds: int = 0

    @property
    def waits(self) -> int:
        """Return how many times a deployment waits: a canary twice, since it bakes again with all the traffic."""
        if self.type == "linear":
            return -(-100 // (self.percent or 100))
        return 2 if self.type == "canary" else 1

    @property
    def deployment_seconds(self) -> int:
        """Return the time one deployment may take, within SageMaker's bounds once the document was accepted."""
        return max(DEPLOYMENT_SECONDS[0], self.waits * self.wait_seconds + FLEET_SECONDS)


@dataclass(frozen=True)
class Stage:
    """One stage: its name, its fleet, and what has to happen before and while a model is released to it."""

    name: str
    instance_type: str
    instance_count: int
    approval: bool = False
    rollout: Rollout = Rollout()
    alarms: bool = False
    hosting: str = "realtime"
    review_seconds: int = WEEK


@dataclass(frozen=True)
class StagesDocument:
    """All stages, in the order of release; the last one is where the live model is."""

    stages: tuple[Stage, ...]

    @property
    def last(self) -> Stage:
        """Return the stage that holds the live model."""
        return self.stages[-1]

    def find(self, name: str) -> Stage | None:
        """Return the stage called `name`, or None."""
        return next((stage for stage in self.stages if stage.name == name), None)


def parse(text: str) -> StagesDocument:
    """Return the document in `text`.

    Raises:
        StagesDocumentError: it is not JSON, or a field is missing, unknown or out of bounds.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise StagesDocumentError("the text", f"is not JSON ({error})") from None
    entries = _object(document, "the text", frozenset(("stages",))).get("stages")
    if not isinstance(entries, list) or not 1 <= len(entries) <= _STAGE_LIMIT:
        raise StagesDocumentError("stages", f"is {_shown(entries)}: give a list of 1 to {_STAGE_LIMIT} stages")
    stages = tuple(_stage(entry, f"stages[{index}]") for index, entry in enumerate(entries))
    for index, stage in enumerate(stages):
        if stage.name in {earlier.name for earlier in stages[:index]}:
            raise StagesDocumentError(f"stages[{index}].name", f"is {stage.name!r} again: give each stage its own name")
    return StagesDocument(stages)


def load(parameter_name: str, ssm: ParameterReader | None = None) -> StagesDocument:
    """Return the document in the SSM parameter `parameter_name`.

    Raises:
        StagesDocumentError: there is no such parameter, or its text cannot be used.
    """
    client = clients.client("ssm") if ssm is None else ssm
    try:
        answer = client.get_parameter(Name=parameter_name)
    except Exception as error:
        # botocore makes this class at run time; its code is the stable part. Everything else goes up unchanged.
        response = cast("dict[str, Any]", getattr(error, "response", {}))
        if response.get("Error", {}).get("Code") != "ParameterNotFound":
            raise
        raise StagesDocumentError(
            f"SSM parameter {parameter_name}", "does not exist: deploy the template, which makes it"
        ) from error
    return parse(answer["Parameter"]["Value"])


def _stage(entry: object, at: str) -> Stage:
    fields = _object(entry, at, _STAGE_FIELDS)
    count = _whole(fields, at, "instance_count", (1, 1_000))
    return Stage(
        # No hyphens: `<prefix>-<model>-<stage>` would name the same endpoint for model `a-b` and for stage `b-c`.
        name=_text(fields, at, "name", r"[a-z][a-z0-9]{0,19}", "a lower-case letter, then up to 19 letters or digits"),
        instance_type=_text(fields, at, "instance_type", r"ml\.[a-z0-9-]+\.[a-z0-9]+", "a type such as ml.m5.large"),
        instance_count=count,
        approval=_flag(fields, at, "approval"),
        rollout=_rollout(fields.get("rollout", {}), f"{at}.rollout", count),
        alarms=_flag(fields, at, "alarms"),
        hosting=_hosting(fields, at),
        review_seconds=_whole(fields, at, "review_seconds", (5, 30 * 86_400), WEEK),
    )


def _rollout(entry: object, at: str, count: int) -> Rollout:
    fields = _object(entry, at, frozenset(("type", "percent", "wait_seconds")))
    kind = fields.get("type", "all-at-once")
    if kind not in ("all-at-once", *_PERCENTS):
        raise StagesDocumentError(f"{at}.type", f"is {_shown(kind)}: allowed are all-at-once, canary, linear")
    percent = None
    if kind in _PERCENTS:
        percent = _whole(fields, at, "percent", _PERCENTS[kind])
        if count == 1:
            raise StagesDocumentError(f"{at}.type", f"is {kind!r} with instance_count 1: it needs 2 instances or more")
    elif "percent" in fields:
        raise StagesDocumentError(f"{at}.percent", "is given for all-at-once: leave it out, or choose canary or linear")
    rollout = Rollout(kind, percent, _whole(fields, at, "wait_seconds", (0, 3_600), 0))
    if rollout.deployment_seconds > DEPLOYMENT_SECONDS[1]:
        raise StagesDocumentError(
            f"{at}.wait_seconds",
            f"is {rollout.wait_seconds}, {rollout.waits} times over: with {FLEET_SECONDS} s to start the fleet that "
            f"exceeds the {DEPLOYMENT_SECONDS[1]} s of a deployment; wait less, or take bigger steps",
        )
    return rollout


def _hosting(fields: dict[str, Any], at: str) -> str:
    hosting = fields.get("hosting", "realtime")
    if hosting in HOSTINGS_TO_COME:
        raise StagesDocumentError(f"{at}.hosting", f"is {hosting!r}, which is not built yet: only realtime is")
    if hosting != "realtime":
        raise StagesDocumentError(f"{at}.hosting", f"is {_shown(hosting)}: allowed is realtime")
    return "realtime"


def _object(value: object, at: str, known: frozenset[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise StagesDocumentError(at, f"is {_shown(value)}: give an object with {', '.join(sorted(known))}")
    if unknown := sorted(set(value) - known):
        raise StagesDocumentError(f"{at}.{unknown[0]}", f"is not a field: known are {', '.join(sorted(known))}")
    return value


def _text(fields: dict[str, Any], at: str, name: str, pattern: str, allowed: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise StagesDocumentError(f"{at}.{name}", f"is {_shown(value)}: allowed is {allowed}")
    return value


def _flag(fields: dict[str, Any], at: str, name: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise StagesDocumentError(f"{at}.{name}", f"is {_shown(value)}: allowed are true and false")
    return value


def _whole(fields: dict[str, Any], at: str, name: str, bounds: tuple[int, int], default: int | None = None) -> int:
    value = fields.get(name, default)
    low, high = bounds
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise StagesDocumentError(f"{at}.{name}", f"is {_shown(value)}: allowed is a whole number from {low} to {high}")
    return value


def _shown(value: object) -> str:
    return "missing" if value is None else json.dumps(value)
