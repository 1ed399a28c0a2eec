"""Model servers: one process per model, and the servers of one endpoint configuration."""

from sagemaker_local.serving.fleet import Fleet, FleetClosedError, UnknownVariantError, Variant, VariantResponse
from sagemaker_local.serving.multi import TargetModelError
from sagemaker_local.serving.server import (
    InvocationError,
    ModelServer,
    ServerClosedError,
    ServerContext,
    ServerStartError,
)

__all__ = [
    "Fleet",
    "FleetClosedError",
    "InvocationError",
    "ModelServer",
    "ServerClosedError",
    "ServerContext",
    "ServerStartError",
    "TargetModelError",
    "UnknownVariantError",
    "Variant",
    "VariantResponse",
]
