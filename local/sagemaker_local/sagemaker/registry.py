"""The model registry: groups, versions, approval, and an event on every change."""

import threading
from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from datetime import datetime
from typing import Any

from sagemaker_local import images
from sagemaker_local.core.cloud import Call, Cloud, Handler, short_name
from sagemaker_local.core.errors import conflict, invalid
from sagemaker_local.core.resources import PACKAGE_GROUP, ResourceKind, Resources, answer_list
from sagemaker_local.core.roles import read_at_registration, tag_at_creation
from sagemaker_local.core.shapes import project, service_model
from sagemaker_local.core.store import NoRecordError, Record

_PACKAGE = ResourceKind(
    "ModelPackage", "model-package", "", "ModelPackage {arn} does not exist.", status="ModelPackageStatus"
)
# What UpdateModelPackage may change, and how the event's UpdatedModelPackageFields spell it where they differ.
_UPDATABLE = (
    "ModelLifeCycle",
    "ModelApprovalStatus",
    "ApprovalDescription",
    "SourceUri",
    "InferenceSpecification",
    "ModelCard",
    "ModelPackageRegistrationType",
)
_EVENT_NAMES = {"SourceUri": "sourceUri"}
_MOST_SPECIFICATIONS = 15  # AdditionalInferenceSpecifications of a package (botocore's model)
_MOST_PROPERTIES = 50  # CustomerMetadataProperties of a package (botocore's model)


class ModelRegistry:
    """Model package groups and packages."""

    def __init__(self, cloud: Cloud, resources: Resources) -> None:
        self._cloud = cloud
        self._resources = resources
        self._lock = threading.Lock()

    def operations(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        groups = self._resources
        return {
            "CreateModelPackageGroup": self.create_group,
            "DescribeModelPackageGroup": lambda call: groups.describe(
                PACKAGE_GROUP, call.request["ModelPackageGroupName"]
            ),
            "ListModelPackageGroups": lambda call: groups.list(PACKAGE_GROUP, "ListModelPackageGroups", call.request),
            "DeleteModelPackageGroup": self.delete_group,
            "CreateModelPackage": self.create,
            "DescribeModelPackage": self.describe,
            "ListModelPackages": self.list_packages,
            "UpdateModelPackage": self.update,
            "DeleteModelPackage": self.delete,
        }

    def create_group(self, call: Call) -> dict[str, Any]:
        """Keep a group."""
        name = call.request["ModelPackageGroupName"]
        tag_at_creation(self._cloud, call, self._resources.arn(PACKAGE_GROUP, name))
        made = self._resources.create(
            PACKAGE_GROUP, call.request, ModelPackageGroupStatus="Completed", CreatedBy=_by(call), Versions=0
        )
        return {"ModelPackageGroupArn": made["ModelPackageGroupArn"]}

    def delete_group(self, call: Call) -> dict[str, Any]:
        """Forget an empty group."""
        group = self._resources.get(PACKAGE_GROUP, call.request["ModelPackageGroupName"])
        if any(record["ModelPackageGroupName"] == group["ModelPackageGroupName"] for record in self._all()):
            raise conflict(f"ModelPackageGroup {group['ModelPackageGroupArn']} still has model packages.")
        self._resources.delete(PACKAGE_GROUP, group["ModelPackageGroupName"])
        return {}

    def create(self, call: Call) -> dict[str, Any]:
        """Keep the next version of a group; a client token that was seen answers with its version."""
        request = call.request
        group = request.get("ModelPackageGroupName")
        if not group:
            raise invalid("Model packages outside a group are not emulated here: give a ModelPackageGroupName.")
        if "ModelPackageName" in request or "Tags" in request:
            raise invalid("A package of a group has no ModelPackageName and no Tags of its own: it has the group's.")
        group = short_name(group)
        self._resources.get(PACKAGE_GROUP, group)
        if "InferenceSpecification" not in request and "SourceUri" not in request:
            raise invalid("CreateModelPackage needs an InferenceSpecification.")
        asked = {"sagemaker:ModelApprovalStatus": request.get("ModelApprovalStatus", "PendingManualApproval")}
        self._require_group(call, group, asked)
        for specification in _all_specifications(request):
            read_at_registration(self._cloud, call, specification)
        token = request.get("ClientToken")
        with self._lock:  # the same token twice at once is one version
            known = [record for record in self._all() if token and record.get("ClientToken") == token]
            if known:
                return {"ModelPackageArn": known[0]["ModelPackageArn"]}
            record = self._new(call, group)
            self._cloud.store.create("ModelPackage", record["ModelPackageArn"], record)
        self._send_event(record, [])
        return {"ModelPackageArn": record["ModelPackageArn"]}

    def _require_group(self, call: Call, group: str, context: Mapping[str, str] | None = None) -> None:
        """Let the caller do the operation on the group, too, and not on its packages alone.

        The Service Authorization Reference names both kinds of resources, and AWS's example policies have both ARNs.
        """
        arn = self._resources.arn(PACKAGE_GROUP, group)
        self._cloud.access.require(call.access_key, f"sagemaker:{call.operation}", arn, context)

    def _new(self, call: Call, group: str) -> Record:
        version = self._cloud.store.change(PACKAGE_GROUP.name, group, _count)["Versions"]
        now = self._cloud.clock()
        return {
            "ModelApprovalStatus": "PendingManualApproval",
            "CertifyForMarketplace": False,
            **call.request,
            **self._resolved(call.request),
            "ModelPackageGroupName": group,
            "ModelPackageVersion": version,
            "ModelPackageArn": self._cloud.arn(f"model-package/{group}/{version}"),
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "CreationTime": now,
            "LastModifiedTime": now,
            "CreatedBy": _by(call),
        }

    def _resolved(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the inference specification with each image's digest, which SageMaker finds at registration.

        Source: Developer Guide, "Events that Amazon SageMaker AI sends to Amazon EventBridge": the event has it.
        """
        specification = deepcopy(request.get("InferenceSpecification"))
        if specification is None:
            return {}
        specification["Containers"] = [self._with_digest(container) for container in specification["Containers"]]
        return {"InferenceSpecification": specification}

    def _with_digest(self, container: dict[str, Any]) -> dict[str, Any]:
        if container.get("ImageDigest"):
            return container
        with suppress(images.UnknownImageError):
            container["ImageDigest"] = images.pull(container.get("Image", ""), self._cloud.containers).digest
        return container

    def describe(self, call: Call) -> dict[str, Any]:
        """Answer DescribeModelPackage."""
        shape = service_model("sagemaker").operation_model("DescribeModelPackage").output_shape
        return project(shape, self._get(call.request["ModelPackageName"]))

    def list_packages(self, call: Call) -> dict[str, Any]:
        """Answer ListModelPackages. Without group and type it lists unversioned packages: there are none here."""
        group, kind = call.request.get("ModelPackageGroupName"), call.request.get("ModelPackageType")
        if group:
            group = self._resources.get(PACKAGE_GROUP, group)["ModelPackageGroupName"]
            self._require_group(call, group)
        approval = call.request.get("ModelApprovalStatus")
        chosen = [
            record
            for record in self._all()
            if group in (None, record["ModelPackageGroupName"]) and approval in (None, record["ModelApprovalStatus"])
        ]
        unversioned = kind == "Unversioned" or (kind is None and group is None)
        return answer_list(_PACKAGE, "ListModelPackages", call.request, [] if unversioned else chosen)

    def update(self, call: Call) -> dict[str, Any]:
        """Change a package and return which members were changed."""
        arn, request = call.request["ModelPackageArn"], call.request
        found, token = self._get(arn), request.get("ClientToken")
        if token and found.get("UpdateToken") == token:  # the same request again, whose first answer was lost
            return {"ModelPackageArn": arn}
        updated = [_EVENT_NAMES.get(member, member) for member in _UPDATABLE if member in request]
        if "CustomerMetadataProperties" in request or "CustomerMetadataPropertiesToRemove" in request:
            updated.append("CustomerMetadataProperties")

        def change(record: Record) -> None:
            record.update({member: request[member] for member in _UPDATABLE if member in request})
            record.update(self._resolved(request))
            if properties := _properties(record, request):
                record["CustomerMetadataProperties"] = properties
            else:
                record.pop("CustomerMetadataProperties", None)
            more = request.get("AdditionalInferenceSpecificationsToAdd", [])
            if more:
                record["AdditionalInferenceSpecifications"] = _specifications(record, more)
            record |= {"LastModifiedTime": self._cloud.clock(), "LastModifiedBy": _by(call), "UpdateToken": token}

        self._send_event(self._cloud.store.change("ModelPackage", arn, change), updated)
        return {"ModelPackageArn": arn}

    def delete(self, call: Call) -> dict[str, Any]:
        """Forget a package."""
        self._get(call.request["ModelPackageName"])
        self._cloud.store.delete("ModelPackage", call.request["ModelPackageName"])
        return {}

    def _all(self) -> list[Record]:
        return self._cloud.store.all("ModelPackage")

    def _get(self, arn: str) -> Record:
        try:
            return self._cloud.store.get("ModelPackage", arn)
        except NoRecordError:
            raise invalid(f"ModelPackage {arn} does not exist.") from None

    def _send_event(self, record: Record, updated: list[str]) -> None:
        members = (
            "ModelPackageGroupName ModelPackageVersion ModelPackageArn InferenceSpecification ModelPackageStatus "
            "ModelPackageStatusDetails CertifyForMarketplace ModelApprovalStatus ApprovalDescription "
            "MetadataProperties ModelMetrics CustomerMetadataProperties ModelLifeCycle CreationTime LastModifiedTime"
        )
        detail = {name: _iso(record[name]) for name in members.split() if name in record}
        # Of a new package the list is empty. SageMaker's documents do not say whether it is there at all then; an empty
        # one is what a reader gets wrong more easily.
        detail["UpdatedModelPackageFields"] = updated
        self._cloud.events.send("SageMaker Model Package State Change", [record["ModelPackageArn"]], detail)


def _all_specifications(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the inference specifications of a request: its own, and those beside it."""
    own = [request["InferenceSpecification"]] if "InferenceSpecification" in request else []
    return [*own, *request.get("AdditionalInferenceSpecifications", [])]


def _properties(record: Record, request: dict[str, Any]) -> dict[str, str]:
    kept = {**record.get("CustomerMetadataProperties", {}), **request.get("CustomerMetadataProperties", {})}
    removed = request.get("CustomerMetadataPropertiesToRemove", [])
    properties = {key: value for key, value in kept.items() if key not in removed}
    if len(properties) > _MOST_PROPERTIES:
        raise invalid(f"A model package has at most {_MOST_PROPERTIES} customer metadata properties.")
    return properties


def _specifications(record: Record, more: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the additional specifications of a package with those that a request adds."""
    kept = [*record.get("AdditionalInferenceSpecifications", []), *more]
    names = [specification["Name"] for specification in kept]
    if len(set(names)) != len(names):
        raise invalid(f"The names of additional inference specifications, {names}, are not unique.")
    if len(kept) > _MOST_SPECIFICATIONS:
        raise invalid(f"A model package has at most {_MOST_SPECIFICATIONS} additional inference specifications.")
    return kept


def _count(group: Record) -> None:
    group["Versions"] += 1


def _by(call: Call) -> dict[str, Any]:
    return {"IamIdentity": {"Arn": call.principal, "PrincipalId": call.access_key}}


def _iso(value: Any) -> Any:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value
