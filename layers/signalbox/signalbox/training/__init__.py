"""The train journey's first step: everything that a run of the mlops machine will use, decided before anything runs."""

from signalbox.training.adapters import S3Objects, SageMakerPackages
from signalbox.training.plan import InvalidRequestError, Places, plan

__all__ = ["InvalidRequestError", "Places", "S3Objects", "SageMakerPackages", "plan"]
