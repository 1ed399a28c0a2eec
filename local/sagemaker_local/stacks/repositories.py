"""`AWS::ECR::Repository`, by ECR's own API."""

import json
from collections.abc import Mapping
from typing import Any

from sagemaker_local.core.shapes import service_model
from sagemaker_local.stacks.handler import Made, ResourceError
from sagemaker_local.stacks.model import Properties, Request
from sagemaker_local.stacks.others import OtherType, without_stacks_own
from sagemaker_local.stacks.properties import PropertiesError, request_of

# Properties that are no members of CreateRepository.
_OWN = ("LifecyclePolicy", "RepositoryPolicyText", "EmptyOnDelete")
_MUTABLE, _NO_SCAN = "MUTABLE", {"scanOnPush": False}


class Repositories(OtherType):
    """The repositories of stacks."""

    type_name = "AWS::ECR::Repository"
    service = "Ecr"
    name = "RepositoryName"
    replacing = ("RepositoryName", "EncryptionConfiguration")
    properties = frozenset({"ImageTagMutability", "ImageScanningConfiguration"})

    def create(self, logical_id: str, properties: Properties, stack: str) -> Made:
        """Make a repository with its policies; one whose policies are refused is deleted again."""
        named = {"RepositoryName": self._new_name(stack, logical_id).lower(), **properties}
        made = self.asked("CreateRepository", self._request(logical_id, named))["repository"]
        name = made["repositoryName"]
        try:
            self._policies(name, {}, properties)
        except ResourceError:
            self.asked("DeleteRepository", {"repositoryName": name})
            raise
        return self._made(made)

    def update(self, reference: str, old: Properties, new: Properties, _stack: str, logical_id: str) -> Made:
        """Change tags, scanning, policies, and whether tags may be moved."""
        before, after = (self._request(logical_id, {**given, "RepositoryName": reference}) for given in (old, new))
        where = {"repositoryName": reference}
        changes = (
            ("PutImageTagMutability", "imageTagMutability", _MUTABLE),
            ("PutImageScanningConfiguration", "imageScanningConfiguration", _NO_SCAN),
        )
        for operation, member, unsaid in changes:
            if before.get(member, unsaid) != after.get(member, unsaid):
                self.asked(operation, {**where, member: after.get(member, unsaid)})
        self._policies(reference, old, new)
        made = self.asked("DescribeRepositories", {"repositoryNames": [reference]})["repositories"][0]
        self._tag(made["repositoryArn"], before.get("tags", []), after.get("tags", []))
        return self._made(made)

    def delete(self, reference: str, properties: Properties) -> None:
        """Delete a repository: one with images only where the template says so."""
        force = str(properties.get("EmptyOnDelete", False)).lower() == "true"
        try:
            self.asked("DeleteRepository", {"repositoryName": reference, "force": force})
        except ResourceError as error:
            if not self.gone(error):
                raise

    def read(self, reference: str, properties: Properties) -> dict[str, Any] | None:
        """Return those properties of a repository that are given."""
        try:
            found = self.asked("DescribeRepositories", {"repositoryNames": [reference]})["repositories"][0]
        except ResourceError as error:
            if self.gone(error):
                return None
            raise
        shown = {
            "ImageTagMutability": found["imageTagMutability"],
            "ImageScanningConfiguration": {"ScanOnPush": found["imageScanningConfiguration"]["scanOnPush"]},
        }
        return {name: item for name, item in shown.items() if name in properties}

    def _request(self, logical_id: str, properties: Properties) -> Request:
        self.refuse(properties, "ImageTagMutabilityExclusionFilters")
        tags = without_stacks_own(properties.get("Tags", []))
        given = {name: item for name, item in properties.items() if name not in (*_OWN, "Tags")}
        shape = service_model("ecr").operation_model("CreateRepository").input_shape
        return request_of(logical_id, shape, {**given, "Tags": tags} if tags else given)

    def _policies(self, name: str, old: Properties, new: Properties) -> None:
        """Put the policies that a template says, and take away those that it says no more."""
        where = {"repositoryName": name}
        before, after = (_lifecycle(given) for given in (old, new))
        if after and after != before:
            self.asked("PutLifecyclePolicy", {**where, "lifecyclePolicyText": after})
        elif before and not after:
            self.asked("DeleteLifecyclePolicy", where)
        given, wanted = old.get("RepositoryPolicyText"), new.get("RepositoryPolicyText")
        if wanted and wanted != given:
            text = wanted if isinstance(wanted, str) else json.dumps(wanted)
            self.asked("SetRepositoryPolicy", {**where, "policyText": text})
        elif given and not wanted:
            self.asked("DeleteRepositoryPolicy", where)

    def _tag(self, arn: str, old: list[Mapping[str, str]], new: list[Mapping[str, str]]) -> None:
        gone = sorted({tag["Key"] for tag in old} - {tag["Key"] for tag in new})
        changed = [tag for tag in new if tag not in old]
        if gone:
            self.asked("UntagResource", {"resourceArn": arn, "tagKeys": gone})
        if changed:
            self.asked("TagResource", {"resourceArn": arn, "tags": changed})

    @staticmethod
    def _made(repository: Request) -> Made:
        uri = {"Arn": repository["repositoryArn"], "RepositoryUri": repository["repositoryUri"]}
        return str(repository["repositoryName"]), uri


def _lifecycle(properties: Properties) -> str:
    policy = properties.get("LifecyclePolicy") or {}
    unknown = set(policy) - {"LifecyclePolicyText", "RegistryId"}
    if unknown:
        raise PropertiesError(
            "LifecyclePolicy", [f"#/LifecyclePolicy: extraneous key [{unknown.pop()}] is not permitted"]
        )
    return str(policy.get("LifecyclePolicyText", ""))
