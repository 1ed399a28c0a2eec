"""Tags of any resource, by its ARN."""

from collections.abc import Callable
from typing import Any

from sagemaker_local.core.cloud import Call, Cloud, Handler
from sagemaker_local.core.errors import invalid
from sagemaker_local.core.resources import page
from sagemaker_local.core.roles import MOST_TAGS, check_tags
from sagemaker_local.core.store import NoRecordError, Record
from sagemaker_local.studio.kinds import KINDS as STUDIO_KINDS

# How the last part of an ARN names the kind and the record in the store.
_KINDS = {
    "training-job": "TrainingJob",
    "processing-job": "ProcessingJob",
    "transform-job": "TransformJob",
    "model": "Model",
    "endpoint-config": "EndpointConfig",
    "endpoint": "Endpoint",
    "pipeline": "Pipeline",
    "model-package-group": "ModelPackageGroup",
    "model-package": "ModelPackage",
    "feature-group": "FeatureGroup",
    "notebook-instance": "NotebookInstance",
    "notebook-instance-lifecycle-config": "NotebookInstanceLifecycleConfig",
    **{kind.path: kind.name for kind in STUDIO_KINDS},
}


class Tags:
    """AddTags, ListTags and DeleteTags."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def operations(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        return {"AddTags": self.add, "ListTags": self.list_tags, "DeleteTags": self.delete}

    def add(self, call: Call) -> dict[str, Any]:
        """Set tags; a key that is there gets the new value."""
        check_tags(call.request["Tags"])
        new = {tag["Key"]: tag["Value"] for tag in call.request["Tags"]}

        def change(record: Record) -> None:
            tags = {tag["Key"]: tag["Value"] for tag in record.get("Tags", [])} | new
            if len(tags) > MOST_TAGS:
                raise invalid(f"A resource has at most {MOST_TAGS} tags; this one would have {len(tags)}.")
            record["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]

        return {"Tags": self._change(call.request["ResourceArn"], change).get("Tags", [])}

    def list_tags(self, call: Call) -> dict[str, Any]:
        """List tags."""
        tags = self._change(call.request["ResourceArn"], lambda _: None).get("Tags", [])
        return page(call.request, "Tags", tags, MOST_TAGS)

    def delete(self, call: Call) -> dict[str, Any]:
        """Remove tags by their keys."""
        keys = call.request["TagKeys"]

        def change(record: Record) -> None:
            record["Tags"] = [tag for tag in record.get("Tags", []) if tag["Key"] not in keys]

        self._change(call.request["ResourceArn"], change)
        return {}

    def all(self) -> list[tuple[str, list[dict[str, str]]]]:
        """Return the ARN and the tags of every resource."""
        store = self._cloud.store
        return [
            (record[f"{kind}Arn"], record.get("Tags", [])) for kind in _KINDS.values() for record in store.all(kind)
        ]

    def _change(self, arn: str, change: Callable[[Record], None]) -> Record:
        place, _, name = arn.split(":", 5)[-1].partition("/")
        key = {"model-package": arn, "pipeline": self._pipeline(arn)}.get(place, name)
        try:
            return self._cloud.store.change(_KINDS.get(place, ""), key, change)
        except NoRecordError:
            raise invalid(f"Could not find the resource {arn}.") from None

    def _pipeline(self, arn: str) -> str:
        """Return the name of the pipeline: its ARN is in lower case, whatever its name is."""
        pipelines = self._cloud.store.all("Pipeline")
        return next((str(item["PipelineName"]) for item in pipelines if item["PipelineArn"] == arn.lower()), "")
