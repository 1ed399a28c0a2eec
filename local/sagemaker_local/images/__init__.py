"""The container images of the local cloud: programs that stand for what an image runs.

Only the processes of jobs and servers import xgboost or scikit-learn; `catalog`, which the cloud imports, does not.
"""

from sagemaker_local.images.catalog import Image, UnfitProgramError, UnknownImageError, find, pull

__all__ = ["Image", "UnfitProgramError", "UnknownImageError", "find", "pull"]
