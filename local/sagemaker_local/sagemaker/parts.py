"""The parts of the service, put together for one region: which operations there are, and who answers them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sagemaker_local.core.cloud import Cloud
from sagemaker_local.core.resources import Resources
from sagemaker_local.pipelines.service import Pipelines
from sagemaker_local.sagemaker.endpoints import Endpoints
from sagemaker_local.sagemaker.features import FeatureStore
from sagemaker_local.sagemaker.jobs import Jobs
from sagemaker_local.sagemaker.models import Models
from sagemaker_local.sagemaker.registry import ModelRegistry
from sagemaker_local.sagemaker.servers import Servers
from sagemaker_local.sagemaker.tags import Tags

if TYPE_CHECKING:
    from sagemaker_local.core.cloud import Handler, Part


@dataclass(frozen=True)
class Parts:
    """The handlers by operation, and the endpoints, whose servers have to be ended."""

    handlers: "dict[str, Handler]"
    endpoints: Endpoints


def put_together(cloud: Cloud) -> Parts:
    """Make all parts over one store."""
    resources = Resources(cloud)
    models = Models(cloud, resources)
    endpoints = Endpoints(cloud, resources, Servers(cloud, models))
    parts: list[Part] = [
        models,
        endpoints,
        Jobs(cloud, resources, models),
        ModelRegistry(cloud, resources),
        Pipelines(cloud, resources),
        FeatureStore(cloud, resources),
        Tags(cloud),
    ]
    return Parts({name: handler for part in parts for name, handler in part.operations().items()}, endpoints)
