"""The parts of the service, put together for one region: which operations there are, and who answers them."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sagemaker_local.core.cloud import Cloud
from sagemaker_local.core.resources import Resources
from sagemaker_local.lifecycle.machine import SESSION
from sagemaker_local.notebooks.instances import Notebooks
from sagemaker_local.pipelines.service import Pipelines
from sagemaker_local.sagemaker.endpoints import Endpoints
from sagemaker_local.sagemaker.features import FeatureStore
from sagemaker_local.sagemaker.jobs import Jobs
from sagemaker_local.sagemaker.logs import NOTEBOOKS, STUDIO, LogStream, Place
from sagemaker_local.sagemaker.models import Models
from sagemaker_local.sagemaker.registry import ModelRegistry
from sagemaker_local.sagemaker.servers import Servers
from sagemaker_local.sagemaker.tags import Tags
from sagemaker_local.studio.parts import Studio

if TYPE_CHECKING:
    from sagemaker_local.core.cloud import Handler, Part


@dataclass(frozen=True)
class Parts:
    """The handlers by operation, what has to be ended (servers of endpoints, instances, apps), and all tags."""

    handlers: "dict[str, Handler]"
    endpoints: Endpoints
    notebooks: Notebooks
    studio: Studio
    tags: Tags


def put_together(cloud: Cloud) -> Parts:
    """Make all parts over one store."""
    resources = Resources(cloud)
    models = Models(cloud, resources)
    endpoints = Endpoints(cloud, resources, Servers(cloud, models))
    tags = Tags(cloud)
    notebooks = Notebooks(cloud, resources, partial(follow_script, cloud, NOTEBOOKS))
    studio = Studio(cloud, resources, partial(follow_script, cloud, STUDIO))
    parts: list[Part] = [
        models,
        endpoints,
        Jobs(cloud, resources, models),
        ModelRegistry(cloud, resources),
        Pipelines(cloud, resources),
        FeatureStore(cloud, resources),
        notebooks,
        studio,
        tags,
    ]
    handlers = {name: handler for part in parts for name, handler in part.operations().items()}
    return Parts(handlers, endpoints, notebooks, studio, tags)


def follow_script(cloud: Cloud, group: str, role: str, stream: str, log: Path) -> LogStream:
    """Follow what a lifecycle script prints into a group and stream of CloudWatch Logs, as its machine's role."""
    return LogStream(cloud.access.client("logs", role, SESSION), Place(group, stream), log)
