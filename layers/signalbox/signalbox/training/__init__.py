"""The train journey's first step: everything that a run of the mlops machine will use, decided before anything runs."""

from functools import partial

from signalbox import stages
from signalbox.aws.registry import ModelRegistry
from signalbox.aws.s3 import ObjectStore
from signalbox.settings import PlanTraining
from signalbox.training.planning import TrainingPorts

__all__ = ["planning_ports"]


def planning_ports(settings: PlanTraining) -> TrainingPorts:
    """Return the ports of `plan_training`."""
    return TrainingPorts(settings, ObjectStore(), ModelRegistry(), partial(stages.load, settings.stages_parameter))
