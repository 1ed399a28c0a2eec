"""The container images of the local cloud: programs that stand for what an image runs.

Only the processes of jobs and servers import xgboost or scikit-learn; `catalog`, which the cloud imports, does not.
"""

from sagemaker_local.images.catalog import Image, UnfitProgramError, UnknownImageError, ask_first, find, pull
from sagemaker_local.images.registered import RegisteredImage

__all__ = ["Image", "RegisteredImage", "UnfitProgramError", "UnknownImageError", "ask_first", "find", "pull"]
