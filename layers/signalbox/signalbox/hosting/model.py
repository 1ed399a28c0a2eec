"""What every kind of hosting is told, and what all requests have in common."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import (
        ContainerDefinitionTypeDef,
        CreateModelInputTypeDef,
        TagTypeDef,
        VpcConfigTypeDef,
    )


class Hosted(NamedTuple):
    """A package on its way into a stage: the model's name for people, and the names that SageMaker knows.

    `specification` is the inference specification of the package that was approved, None for the package's own.
    `project` are the tags of the model's project, `vpc` is the network of its containers.
    """

    model: str
    stage: str
    package: str
    model_name: str
    config_name: str
    specification: str | None = None
    project: Mapping[str, str] = {}
    vpc: "VpcConfigTypeDef | None" = None

    @property
    def tags(self) -> "list[TagTypeDef]":
        """Return the tags of the model and the endpoint config, which name the package."""
        return [
            *endpoint_tags(self.model, self.stage, self.project),
            {"Key": "signalbox:package", "Value": self.package},
        ]


def endpoint_tags(model: str, stage: str, project: Mapping[str, str]) -> "list[TagTypeDef]":
    """Return the tags of an endpoint. An update cannot change them, so they do not name the package."""
    pairs = {"signalbox:model": model, "signalbox:stage": stage, "sagemaker:deployment-stage": stage, **project}
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def model_request(hosted: Hosted, role: str, *, isolated: bool) -> "CreateModelInputTypeDef":
    """Return the CreateModel request: exactly this package, run under `role`, cut off from every network or not."""
    container: ContainerDefinitionTypeDef = {"ModelPackageName": hosted.package}
    if hosted.specification:
        container["InferenceSpecificationName"] = hosted.specification
    request: CreateModelInputTypeDef = {
        "ModelName": hosted.model_name,
        "Containers": [container],
        "ExecutionRoleArn": role,
        "EnableNetworkIsolation": isolated,
        "Tags": hosted.tags,
    }
    if hosted.vpc:
        request["VpcConfig"] = hosted.vpc
    return request
