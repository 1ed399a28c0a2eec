"""Notebook instances: kept as resources, with a folder for the volume, and lifecycle scripts that really run."""

from sagemaker_local.notebooks.places import leave_behind, volume

__all__ = ["leave_behind", "volume"]
