"""The operations of SageMaker Pipelines."""

import threading
from typing import Any

from sagemaker_local.core.cloud import Call, Cloud, Handler
from sagemaker_local.core.resources import Resources
from sagemaker_local.pipelines.catalog import Catalog
from sagemaker_local.pipelines.executions import Executions
from sagemaker_local.pipelines.settings import PipelineSettings


class Pipelines:
    """Pipelines and their executions."""

    def __init__(self, cloud: Cloud, resources: Resources, settings: PipelineSettings | None = None) -> None:
        settings = settings or PipelineSettings()
        self._lock = threading.RLock()
        self._deleted: dict[str, str] = {}
        self._catalog = Catalog(cloud, resources, settings, self._lock)
        self._executions = Executions(cloud, resources, settings, self._lock, self._catalog)

    def operations(self) -> dict[str, Handler]:
        """Return the handler of each operation."""
        return {
            "CreatePipeline": self._catalog.create,
            "UpdatePipeline": self._catalog.update,
            "DescribePipeline": self._catalog.describe,
            "ListPipelines": self._catalog.list_pipelines,
            "ListPipelineVersions": self._catalog.list_versions,
            "DeletePipeline": self._delete,
            "StartPipelineExecution": self._executions.start,
            "RetryPipelineExecution": self._executions.retry,
            "StopPipelineExecution": self._executions.stop,
            "DescribePipelineExecution": self._executions.describe,
            "ListPipelineExecutions": self._executions.list_executions,
            "ListPipelineExecutionSteps": self._executions.steps,
            "DescribePipelineDefinitionForExecution": self._executions.definition,
            "ListPipelineParametersForExecution": self._executions.parameters,
        }

    def _delete(self, call: Call) -> dict[str, Any]:
        """Answer DeletePipeline: its executions go with it, none of which may run. The same token answers the same."""
        token = call.request["ClientRequestToken"]
        with self._lock:  # no execution may start between the look and the deletion
            if token in self._deleted:
                return {"PipelineArn": self._deleted[token]}
            record = self._catalog.find(call.request["PipelineName"])
            self._executions.forget(record)
            self._catalog.delete(record)
            self._deleted[token] = record["PipelineArn"]
        return {"PipelineArn": record["PipelineArn"]}
