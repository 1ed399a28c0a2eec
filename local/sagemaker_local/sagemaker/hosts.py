"""What the server of an endpoint's variant is started with: folder, rights, patience, and where its output goes."""

import uuid
from typing import Any

from sagemaker_local.core.cloud import Cloud
from sagemaker_local.sagemaker.logs import LogStream, Place
from sagemaker_local.sagemaker.models import Models
from sagemaker_local.serving.fleet import Variant
from sagemaker_local.serving.server import ServerContext


def variant_of(cloud: Cloud, models: Models, endpoint: str, variant: dict[str, Any]) -> Variant:
    """Return a production variant of an endpoint's configuration, ready to be started."""
    container, role = models.container(variant["ModelName"])
    folder = cloud.folder / "endpoints" / endpoint / f"{variant['VariantName']}-{uuid.uuid4().hex[:8]}"
    folder.mkdir(parents=True)
    s3: Any = cloud.access.client("s3", role, endpoint)
    logs: Any = cloud.access.client("logs", role, endpoint)
    place = Place.of_variant(endpoint, variant["VariantName"])
    limit = variant.get("ContainerStartupHealthCheckTimeoutInSeconds", cloud.timing.startup_seconds)
    context = ServerContext(
        folder,
        s3,
        cloud.access.environment(role, endpoint),
        cloud.containers,
        role,
        float(limit),
        follow=lambda log: LogStream(logs, place, log).close,
    )
    return Variant(variant["VariantName"], variant.get("InitialVariantWeight", 1.0), container, context)
