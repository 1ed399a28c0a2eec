"""The servers behind endpoints: started from the models of a configuration's variants."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sagemaker_local.core.cloud import Cloud
from sagemaker_local.core.store import Record
from sagemaker_local.images import pull
from sagemaker_local.sagemaker.capture import Capture
from sagemaker_local.sagemaker.hosting import Hosting
from sagemaker_local.sagemaker.hosts import variant_of
from sagemaker_local.sagemaker.metrics import NAMESPACE, invocation
from sagemaker_local.sagemaker.models import Models
from sagemaker_local.serving import Fleet
from sagemaker_local.serving.fleet import Taken


@dataclass
class Servers:
    """Starts what serves an endpoint."""

    cloud: Cloud
    models: Models

    def start(self, name: str, config: Record) -> Hosting:
        """Start the variants of a configuration and their shadows; if one does not come up, none is left running.

        Raises:
            UnknownImageError: no program stands for a variant's image.
            ServerStartError: a variant did not come up.
        """
        fleet = self.fleet(name, config, config["ProductionVariants"])
        shadows = config.get("ShadowProductionVariants")
        try:
            shadow = self.fleet(name, config, shadows) if shadows else None
        except BaseException:
            fleet.close(0)
            raise
        return Hosting(fleet, shadow, self._capture(name, config))

    def _capture(self, name: str, config: Record) -> Capture | None:
        given = config.get("DataCaptureConfig")
        models = {one["VariantName"]: one["ModelName"] for one in all_variants(config)}

        def client(variant: str, key: str) -> Any:
            return self.cloud.access.client("s3", self.role(models[variant]), name, key)

        return Capture(given, name, client, self.cloud.clock) if given else None

    def role(self, model: str) -> str:
        """Return the role that a model runs under."""
        return self.models.container(model)[1]

    def fleet(self, name: str, config: Record, variants: Sequence[dict[str, Any]]) -> Fleet:
        """Start servers of variants; their answers are measured."""
        watch: Any = self.cloud.root_client("cloudwatch")

        def measure(variant: str, taken: Taken) -> None:
            data = invocation(name, config["EndpointConfigName"], variant, taken)
            watch.put_metric_data(Namespace=NAMESPACE, MetricData=data)

        started = [variant_of(self.cloud, self.models, name, variant) for variant in variants]
        return Fleet.start(started, random.Random(0), measure=measure)  # noqa: S311  # shares traffic, no secret

    def deployed(self, config: Record) -> dict[str, Any]:
        """Return a configuration's variants with the images that run in them, each with the digest of its path."""
        found = {}
        for member in ("ProductionVariants", "ShadowProductionVariants"):
            variants = config.get(member, [])
            found[member] = [{**variant, "DeployedImages": self._images(variant["ModelName"])} for variant in variants]
        return found

    def _images(self, model: str) -> list[dict[str, Any]]:
        return [self._image(specified) for specified in self.models.images(model)]

    def _image(self, specified: str) -> dict[str, Any]:
        repository = specified.partition("@")[0].rsplit(":", 1)[0]
        resolved = f"{repository}@{pull(specified, self.cloud.containers).digest}"
        return {"SpecifiedImage": specified, "ResolvedImage": resolved, "ResolutionTime": self.cloud.clock()}


def all_variants(config: Record) -> list[dict[str, Any]]:
    """Return the variants of a configuration and their shadows."""
    return [*config["ProductionVariants"], *config.get("ShadowProductionVariants", [])]
