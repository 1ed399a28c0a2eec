"""The train journey's first step: everything that a run of the mlops machine will use, decided before anything runs."""

from functools import partial

from signalbox import stages
from signalbox.aws.copying import ObjectCopier
from signalbox.aws.images import ImageRegistry
from signalbox.aws.registry import ModelRegistry
from signalbox.aws.s3 import ObjectStore
from signalbox.aws.training_jobs import TrainingJobs
from signalbox.settings import PlanTraining
from signalbox.training.pinning import PinningPorts
from signalbox.training.planning import TrainingPorts

__all__ = ["pinning_ports", "planning_ports"]


def planning_ports(settings: PlanTraining) -> TrainingPorts:
    """Return the ports of `plan_training`."""
    document = partial(stages.load, settings.stages_parameter)
    return TrainingPorts(settings, ObjectStore(), ModelRegistry(), TrainingJobs(), document)


def pinning_ports() -> PinningPorts:
    """Return the ports of `pin_model`."""
    return PinningPorts(ObjectCopier(), ImageRegistry())
