"""The train journey's evidence: how good a model is, beside the one that is live, and what it answers to what."""

import time
from functools import partial

from signalbox import owners
from signalbox.aws.endpoints import Endpoints
from signalbox.aws.predictions import EndpointCaller
from signalbox.aws.registry import ModelRegistry
from signalbox.aws.s3 import ObjectStore
from signalbox.evaluation.comparing import ComparingPorts
from signalbox.settings import EvaluateModel

__all__ = ["evaluating_ports"]


def evaluating_ports(settings: EvaluateModel) -> ComparingPorts:
    """Return the ports of `evaluate_model`; a stage may be added while the process lives, so stages are read anew."""
    return ComparingPorts(
        prefix=settings.prefix,
        objects=ObjectStore(),
        packages=ModelRegistry(),
        endpoints=Endpoints(),
        models=EndpointCaller(),
        stages=partial(owners.stages, settings.prefix, settings.stages_parameter),
        clock=time.monotonic,
    )
