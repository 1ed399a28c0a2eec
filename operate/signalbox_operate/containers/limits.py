"""What SageMaker takes as channels and hyperparameters, by the model of its API."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session

from signalbox_operate.containers.model import Step, Trial


def check(trial: Trial) -> Iterator[Step]:
    """Yield what SageMaker would refuse about the names of channels, and about hyperparameters and environment."""
    refused = [
        *(problem for name in trial.channels if (problem := _wrong("ChannelName", name, "channel"))),
        *_refused_values(
            trial.hyperparameters, ("HyperParameterKey", "HyperParameterValue"), "hyperparameter", "HyperParameters"
        ),
        *_refused_values(
            trial.environment,
            ("TrainingEnvironmentKey", "TrainingEnvironmentValue"),
            "environment variable",
            "TrainingEnvironmentMap",
        ),
    ]
    yield from (Step("channels and hyperparameters", "refused", problem) for problem in refused)
    if not refused:
        yield Step(f"channels ({', '.join(trial.channels)}) and hyperparameters", "ok")


def _refused_values(given: Any, shapes: tuple[str, str], what: str, whole: str) -> Iterator[str]:
    most = _limits(whole).get("max")
    if most is not None and len(given) > most:
        yield f"there are {len(given)} {what}s, and SageMaker takes {most}"
    for name, value in given.items():
        yield from (problem for problem in (_wrong(shapes[0], name, what),) if problem)
        if problem := _wrong(shapes[1], value, f"value of {what} {name}"):
            yield problem


def _wrong(shape: str, text: str, what: str) -> str:
    """Return what is wrong about a text, "" where nothing is."""
    limits = _limits(shape)
    shown = repr(text if len(text) <= 40 else f"{text[:40]}…")  # noqa: PLR2004  # enough to find it again
    if len(text) > limits.get("max", len(text)):
        return f"{what} {shown} has {len(text):,} characters, and SageMaker takes {limits['max']:,}"
    if len(text) < limits.get("min", 0):
        return f"a {what} is empty"
    # A dot of SageMaker's patterns is no end of a line.
    if "pattern" in limits and not re.fullmatch(limits["pattern"], text):
        return f"{what} {shown} does not fit SageMaker's pattern {limits['pattern']}"
    return ""


@cache
def _limits(shape: str) -> dict[str, Any]:
    model = botocore.session.get_session().get_service_model("sagemaker")
    return dict(model.shape_for(shape).metadata)
