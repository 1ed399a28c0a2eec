"""Model servers: one process per model, and the servers of one endpoint configuration."""

from sagemaker_local.serving.fleet import Answer, Fleet, FleetClosedError, UnknownVariantError, Variant
from sagemaker_local.serving.server import (
    InvocationError,
    ModelServer,
    ServerClosedError,
    ServerContext,
    ServerStartError,
)

__all__ = [
    "Answer",
    "Fleet",
    "FleetClosedError",
    "InvocationError",
    "ModelServer",
    "ServerClosedError",
    "ServerContext",
    "ServerStartError",
    "UnknownVariantError",
    "Variant",
]
