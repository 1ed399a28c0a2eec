"""Spaces of SageMaker Studio: kept as resources, with a folder for the volume, and apps whose script really runs."""

from sagemaker_local.studio.places import volume

__all__ = ["volume"]
