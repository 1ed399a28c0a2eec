"""Properties that the API's requests have in another way, and the requests that they become."""

from collections.abc import Mapping
from typing import Any

from botocore.model import Shape, ShapeResolver

from sagemaker_local.stacks.model import Properties, Request

_SHAPES: Any = {
    "Text": {"type": "string"},
    "S3Location": {
        "type": "structure",
        "required": ["Bucket", "Key"],
        "members": {name: {"shape": "Text"} for name in ("Bucket", "Key", "Version", "ETag")},
    },
    "PipelineDefinition": {
        "type": "structure",
        "members": {
            "PipelineDefinitionBody": {"shape": "Text"},
            "PipelineDefinitionS3Location": {"shape": "S3Location"},
        },
    },
}
PIPELINE_DEFINITION: Shape = ShapeResolver(_SHAPES).get_shape_by_name("PipelineDefinition")
"""The property PipelineDefinition of a pipeline, by its published schema."""
# How the API calls the parts of a place in S3. It takes no ETag.
_PLACE = {"Bucket": "Bucket", "Key": "ObjectKey", "Version": "VersionId"}


class ConversionError(Exception):
    """Properties that cannot become a request."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


def changed_notebook(old: Properties, new: Properties) -> Request:
    """Return the update of a notebook instance: a lifecycle configuration that is gone is taken away."""
    gone = "LifecycleConfigName" in old and "LifecycleConfigName" not in new
    return {**new, **({"DisassociateLifecycleConfig": True} if gone else {})}


def notebook_properties(described: Properties) -> Request:
    """Return the properties of a notebook instance, two of which Describe calls otherwise."""
    other = {"NotebookInstanceLifecycleConfigName": "LifecycleConfigName", "SecurityGroups": "SecurityGroupIds"}
    return {other.get(name, name): item for name, item in described.items()}


def changed_scripts(old: Properties, new: Properties) -> Request:
    """Return the update of a lifecycle configuration: a hook that is gone becomes empty."""
    gone: Request = {hook: [] for hook in ("OnCreate", "OnStart") if hook in old and hook not in new}
    return {**new, **gone}


def pipeline_request(properties: Properties) -> Request:
    """Return a pipeline's request: the definition is a text, or a place, beside the other members.

    Raises:
        ConversionError: it has neither, or both, or the ETag of a place.
    """
    given = dict(properties)
    match given.pop("PipelineDefinition", {}):
        case {"PipelineDefinitionBody": body, **more} if not more:
            return {**given, "PipelineDefinition": body}
        case {"PipelineDefinitionS3Location": {"ETag": _}}:
            raise ConversionError("ETag of PipelineDefinitionS3Location is not emulated here.")
        case {"PipelineDefinitionS3Location": place, **more} if not more:
            return {**given, "PipelineDefinitionS3Location": {_PLACE[name]: part for name, part in place.items()}}
    raise ConversionError("PipelineDefinition has either a PipelineDefinitionBody or a PipelineDefinitionS3Location.")


def changed_pipeline(_old: Properties, new: Properties) -> Request:
    """Return an UpdatePipeline request: all of the new properties."""
    return pipeline_request(new)


def pipeline_properties(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description of a pipeline as a template's properties."""
    return {**described, "PipelineDefinition": {"PipelineDefinitionBody": described["PipelineDefinition"]}}


def changed_package(old: Properties, new: Properties) -> Request:
    """Return an UpdateModelPackage request: what is otherwise than before, and which metadata are gone."""
    request = {name: value for name, value in new.items() if value != old.get(name)}
    metadata = "CustomerMetadataProperties"
    gone = sorted(set(old.get(metadata, {})) - set(new.get(metadata, {})))
    return {**request, f"{metadata}ToRemove": gone} if gone else request


def changed_features(old: Properties, new: Properties) -> Request:
    """Return an UpdateFeatureGroup request: the features that are new, and what its stores may change.

    Raises:
        ConversionError: a feature is gone, or another than it was.
    """
    before, after = ({one["FeatureName"]: one for one in some["FeatureDefinitions"]} for some in (old, new))
    lost = sorted(name for name, feature in before.items() if after.get(name) != feature)
    if lost:
        raise ConversionError(f"Features of a feature group can be added only, and {', '.join(lost)} changed or went.")
    added = [feature for name, feature in after.items() if name not in before]
    request: Request = {"FeatureAdditions": added} if added else {}
    store = new.get("OnlineStoreConfig", {})
    if "TtlDuration" in store and store != old.get("OnlineStoreConfig"):
        request["OnlineStoreConfig"] = {"TtlDuration": store["TtlDuration"]}
    if new.get("ThroughputConfig") not in (None, old.get("ThroughputConfig")):
        request["ThroughputConfig"] = new["ThroughputConfig"]
    return request


def needs_another_store(old: Properties, new: Properties) -> bool:
    """Tell whether a change of a feature group's online store needs another group."""
    before, after = (some.get("OnlineStoreConfig", {}) for some in (old, new))
    return any(before.get(name) != after.get(name) for name in ("SecurityConfig", "EnableOnlineStore", "StorageType"))
