"""The train journey's first step: everything that a run of the mlops machine will use, decided before anything runs.

What only one function needs is imported where it is wired, so that the other starts without it.
"""

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from signalbox.settings import PlanTraining
    from signalbox.training.pinning import PinningPorts
    from signalbox.training.planning import TrainingPorts

__all__ = ["pinning_ports", "planning_ports"]


def planning_ports(settings: "PlanTraining") -> "TrainingPorts":
    """Return the ports of `plan_training`."""
    from signalbox import projects, stages  # noqa: PLC0415  # see above
    from signalbox.aws.registry import ModelRegistry  # noqa: PLC0415  # see above
    from signalbox.aws.s3 import ObjectStore  # noqa: PLC0415  # see above
    from signalbox.aws.training_jobs import TrainingJobs  # noqa: PLC0415  # see above
    from signalbox.training.planning import TrainingPorts  # noqa: PLC0415  # see above

    stages_of = partial(stages.load, settings.stages_parameter)
    document = partial(projects.load_model, settings.prefix)
    return TrainingPorts(settings, ObjectStore(), ModelRegistry(), TrainingJobs(), stages_of, document)


def pinning_ports() -> "PinningPorts":
    """Return the ports of `pin_model`."""
    from signalbox.aws.copying import ObjectCopier  # noqa: PLC0415  # see above
    from signalbox.aws.images import ImageRegistry  # noqa: PLC0415  # see above
    from signalbox.training.pinning import PinningPorts  # noqa: PLC0415  # see above

    return PinningPorts(ObjectCopier(), ImageRegistry())
