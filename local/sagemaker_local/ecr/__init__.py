"""ECR's images: their layers on the disk, and each image as a folder."""

from sagemaker_local.ecr.layers import LayerError, Layers, Repository

__all__ = ["LayerError", "Layers", "Repository"]
