"""The train journey's evidence: how good a model is, beside the one that is live, and what it answers to what."""

from signalbox import stages
from signalbox.aws.endpoints import Endpoints
from signalbox.aws.registry import ModelRegistry
from signalbox.aws.s3 import ObjectStore
from signalbox.evaluation.evaluating import EvaluatingPorts
from signalbox.settings import EvaluateModel

__all__ = ["evaluating_ports"]


def evaluating_ports(settings: EvaluateModel) -> EvaluatingPorts:
    """Return the ports of `evaluate_model`; a stage may be added while the process lives, so stages are read anew."""
    return EvaluatingPorts(
        prefix=settings.prefix,
        objects=ObjectStore(),
        packages=ModelRegistry(),
        endpoints=Endpoints(),
        stages=lambda: stages.load(settings.stages_parameter),
    )
