"""The parts of Studio, put together."""

from sagemaker_local.core.cloud import Cloud, Handler
from sagemaker_local.core.resources import Resources
from sagemaker_local.lifecycle.machine import Follow
from sagemaker_local.studio.apps import Apps
from sagemaker_local.studio.configs import StudioConfigs
from sagemaker_local.studio.domains import Domains
from sagemaker_local.studio.spaces import Spaces


class Studio:
    """What Studio has in a region; `follow` passes on what lifecycle scripts print."""

    def __init__(self, cloud: Cloud, resources: Resources, follow: Follow) -> None:
        self._configs = StudioConfigs(cloud, resources)
        self._domains = Domains(cloud, resources, self._configs)
        self._spaces = Spaces(cloud, resources, self._configs)
        self._apps = Apps(cloud, resources, self._configs, self._spaces, follow)

    def operations(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        parts = (self._configs, self._domains, self._spaces, self._apps)
        return {name: handler for part in parts for name, handler in part.operations().items()}

    def close(self) -> None:
        """End every app that runs."""
        self._apps.close()
