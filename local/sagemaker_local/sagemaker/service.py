"""The SageMaker service: its parts put together behind one handler."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from sagemaker_local import ministack
from sagemaker_local.core.cloud import Cloud, HttpResponse
from sagemaker_local.core.wire import members
from sagemaker_local.sagemaker.api import Api, Caller
from sagemaker_local.sagemaker.parts import put_together
from sagemaker_local.studio.kinds import KINDS as STUDIO_KINDS
from sagemaker_local.studio.kinds import resource_of

# The path of each resource's ARN, by the member of a request that names it; the first that is there counts.
_ARN_PATHS = (
    ("TrainingJobName", "training-job"),
    ("ProcessingJobName", "processing-job"),
    ("TransformJobName", "transform-job"),
    ("EndpointName", "endpoint"),
    ("EndpointConfigName", "endpoint-config"),
    ("ModelPackageName", "model-package"),
    ("ModelPackageGroupName", "model-package-group"),
    ("ModelName", "model"),
    ("PipelineName", "pipeline"),
    ("FeatureGroupName", "feature-group"),
    ("NotebookInstanceName", "notebook-instance"),
    ("NotebookInstanceLifecycleConfigName", "notebook-instance-lifecycle-config"),
)
# Whose ARN is in lower case, whatever the name is.
_LOWER = (
    "pipeline",
    "notebook-instance",
    "notebook-instance-lifecycle-config",
    *(kind.path for kind in STUDIO_KINDS),
)


class Service:
    """SageMaker and its run-time APIs, as ministack calls a service."""

    def __init__(self, cloud: Cloud) -> None:
        parts = put_together(cloud)
        self._cloud = cloud
        self._parts = parts
        self._api = Api(parts.handlers, cloud.arn(""))

    async def handle(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> HttpResponse:
        """Answer one request that ministack has authorised."""
        key = ministack.access_key(headers, query)
        caller = Caller(key, ministack.principal_of(key))
        target = headers.get("x-amz-target", "")
        if target:
            return await self._api.answer_json(target.rsplit(".", 1)[-1], body, caller)
        values = {name: ",".join(item) if isinstance(item, list) else str(item) for name, item in query.items()}
        return await self._api.answer_rest((method, path), {**headers, **values}, body, caller)

    def resource_arn(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> str:
        """Return the ARN that IAM decides about; `*` where the operation has no resource (a List, say)."""
        del method
        operation = headers.get("x-amz-target", "").rsplit(".", 1)[-1]
        if not operation and not path.startswith("/Batch"):
            found = re.match(r"/(endpoints|FeatureGroup)/(arn:[^/]+/[^/]+|[^/]+)", unquote(path))
            place = {"endpoints": "endpoint", "FeatureGroup": "feature-group"}
            return self._arn(place[found[1]], found[2]) if found else "*"
        request = members(body)
        if not operation:  # a batch of records: decided on the first group here, on the others by their handler
            entries = request.get("Identifiers") or request.get("Entries")
            first = entries[0] if isinstance(entries, list) and isinstance(entries[0], dict) else {}
            return self._named("", {"FeatureGroupName": first.get("FeatureGroupName", "*")})
        return self._named(operation, request)

    def close(self) -> None:
        """End the model servers, the notebook instances and the apps."""
        self._parts.endpoints.close()
        self._parts.notebooks.close()
        self._parts.studio.close()

    def tagged(self) -> list[tuple[str, list[dict[str, str]]]]:
        """Return the ARNs of the region's resources with their tags."""
        return self._parts.tags.all()

    def _named(self, operation: str, request: Mapping[str, Any]) -> str:
        for member in ("PipelineExecutionArn", "ModelPackageArn", "ResourceArn"):
            if member in request:
                arn = str(request[member])
                return arn.lower() if arn.rsplit(":", maxsplit=1)[-1].partition("/")[0] in _LOWER else arn
        if operation in ("CreateModelPackage", "ListModelPackages"):
            # Decided on the packages of the group (Service Authorization Reference).
            return self._cloud.arn(f"model-package/{request.get('ModelPackageGroupName', '*')}/*")
        if operation.startswith("List") and operation != "ListPipelineExecutions":
            return "*"
        for member, place in _ARN_PATHS:
            if member in request:
                return self._arn(place, str(request[member]))
        path = resource_of(operation, request)
        return self._cloud.arn(path) if path else "*"

    def _arn(self, place: str, name: str) -> str:
        arn = name if name.startswith("arn:") else self._cloud.arn(f"{place}/{name}")
        return arn.lower() if place in _LOWER else arn
