"""Models and endpoint configurations: what has to exist before something is served."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from botocore.exceptions import ClientError

from sagemaker_local import images
from sagemaker_local.core.cloud import Call, Cloud, Handler
from sagemaker_local.core.errors import ApiError, invalid
from sagemaker_local.core.resources import ENDPOINT_CONFIG, MODEL, Resources
from sagemaker_local.core.roles import pass_role, tag_at_creation
from sagemaker_local.core.store import NoRecordError, Record
from sagemaker_local.sagemaker.configs import check_config
from sagemaker_local.serving.chain import CONTAINERS, ISOLATED

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Models:
    """CreateModel and CreateEndpointConfig with the checks that AWS makes, and the rest of both kinds."""

    def __init__(self, cloud: Cloud, resources: Resources) -> None:
        self._cloud = cloud
        self._resources = resources

    def operations(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        kept = self._resources
        return {
            "CreateModel": self.create_model,
            "DescribeModel": lambda call: kept.describe(MODEL, call.request["ModelName"]),
            "ListModels": lambda call: kept.list(MODEL, "ListModels", call.request),
            "DeleteModel": self.delete_model,
            "CreateEndpointConfig": self.create_config,
            "DescribeEndpointConfig": lambda call: kept.describe(ENDPOINT_CONFIG, call.request["EndpointConfigName"]),
            "ListEndpointConfigs": lambda call: kept.list(ENDPOINT_CONFIG, "ListEndpointConfigs", call.request),
            "DeleteEndpointConfig": self.delete_config,
        }

    def create_model(self, call: Call) -> dict[str, Any]:
        """Keep a model whose images exist, whose data can be read by its role, whose packages are approved."""
        request = call.request
        arn = self._resources.arn(MODEL, request["ModelName"])
        tag_at_creation(self._cloud, call, arn)
        containers = request.get("Containers") or [request[key] for key in ("PrimaryContainer",) if key in request]
        if not containers or ("Containers" in request and "PrimaryContainer" in request):
            raise invalid("CreateModel needs either a PrimaryContainer or Containers.")
        role = request.get("ExecutionRoleArn")
        if not role:
            raise invalid("ExecutionRoleArn is required for a model that is served with network isolation off.")
        pass_role(self._cloud, call, role)
        s3: Any = self._cloud.access.client("s3", role, f"model-{request['ModelName']}")
        for container in containers:
            if package := container.get("ModelPackageName"):
                # AWS's policy for deploying another account's packages names CreateModel on the package (Developer
                # Guide, "Deploy a Model Version from a Different Account").
                self._cloud.access.require(call.access_key, "sagemaker:CreateModel", package)
            for resolved in self._resolve(container):
                self._check(resolved, s3)
        return {"ModelArn": self._resources.create(MODEL, request)["ModelArn"]}

    def delete_model(self, call: Call) -> dict[str, Any]:
        """Forget a model."""
        self._resources.delete(MODEL, call.request["ModelName"])
        return {}

    def create_config(self, call: Call) -> dict[str, Any]:
        """Keep an endpoint configuration whose models exist."""
        request = call.request
        tag_at_creation(self._cloud, call, self._resources.arn(ENDPOINT_CONFIG, request["EndpointConfigName"]))
        variants = [*request["ProductionVariants"], *request.get("ShadowProductionVariants", [])]
        for variant in variants:
            if "ModelName" not in variant:
                raise invalid(
                    f"Variant {variant['VariantName']} has no ModelName: inference components are not emulated."
                )
            self._resources.get(MODEL, variant["ModelName"])
            if "InstanceType" in variant:
                self.check_instances(variant["ModelName"], "RealtimeInference", variant["InstanceType"])
        check_config(request)
        return {"EndpointConfigArn": self._resources.create(ENDPOINT_CONFIG, request)["EndpointConfigArn"]}

    def delete_config(self, call: Call) -> dict[str, Any]:
        """Forget an endpoint configuration; an endpoint that uses it goes on, as on AWS (API reference)."""
        self._resources.delete(ENDPOINT_CONFIG, call.request["EndpointConfigName"])
        return {}

    def check_instances(self, model_name: str, use: str, instance_type: str) -> None:
        """Refuse an instance type that the package behind a model does not support; `use` as in `Supported…Types`.

        Source: API reference, InferenceSpecification ("the instance types on which … models can be deployed"). How AWS
        words the refusal is not documented.

        Raises:
            ApiError: the package names the types that it supports, and not this one.
        """
        model = self._resources.get(MODEL, model_name)
        for container in model.get("Containers") or [model["PrimaryContainer"]]:
            if "ModelPackageName" not in container:
                continue
            package = self._package(container["ModelPackageName"])
            specified = _specified(package, container.get("InferenceSpecificationName"))
            supported = specified.get(f"Supported{use}InstanceTypes")
            if supported and instance_type not in supported:
                raise invalid(
                    f"Instance type {instance_type} is not supported by model package {package['ModelPackageArn']}: "
                    f"it supports {', '.join(supported)}."
                )

    def container(self, model_name: str) -> tuple[dict[str, Any], str]:
        """Return what a model runs (its container, and whether without a network) and the role it runs under.

        A chain of containers is a mapping with all of them under `Containers`, as `chain.start_server` takes it.

        Raises:
            ApiError: there is no such model.
        """
        model = self._resources.get(MODEL, model_name)
        containers = model.get("Containers") or [model["PrimaryContainer"]]
        resolved = [part for container in containers for part in self._resolve(container)]
        run = resolved[0] if len(resolved) == 1 else {CONTAINERS: resolved}
        return {**run, ISOLATED: bool(model.get(ISOLATED))}, model["ExecutionRoleArn"]

    def images(self, model_name: str) -> list[str]:
        """Return the images of a model's containers, in their order."""
        container, _ = self.container(model_name)
        return [one["Image"] for one in container.get(CONTAINERS, [container])]

    def _resolve(self, container: dict[str, Any]) -> list[dict[str, Any]]:
        package_arn = container.get("ModelPackageName")
        if not package_arn:
            return [container]
        package = self._package(package_arn)
        if package.get("ModelApprovalStatus") != "Approved":
            raise invalid(f"Model package {package_arn} is {package.get('ModelApprovalStatus')}, not Approved.")
        specified = _specified(package, container.get("InferenceSpecificationName"))["Containers"]
        extra = container.get("Environment", {})
        for part in specified:
            part["Environment"] = {**part.get("Environment", {}), **extra}
        return list(specified)

    def _package(self, arn: str) -> Record:
        try:
            return self._cloud.store.get("ModelPackage", arn)
        except NoRecordError:
            raise invalid(f"Could not find model package {arn}.") from None

    def _check(self, container: dict[str, Any], s3: "S3Client") -> None:
        try:
            images.pull(container.get("Image", ""), self._cloud.containers, self._cloud.region)
        except images.UnknownImageError as error:
            raise invalid(f"Requested image {container.get('Image')} not found. {error}") from error
        source = container.get("ModelDataSource", {}).get("S3DataSource", {})
        if container.get("Mode") == "MultiModel":
            _check_multi(container)
        elif "ModelDataUrl" in container:
            _check_data(s3, container["ModelDataUrl"], prefix=False)
        elif source:
            _check_data(s3, source["S3Uri"], prefix=source["S3DataType"] == "S3Prefix")


def _check_multi(container: dict[str, Any]) -> None:
    """Let a container of several models say below which prefix they are; none has to be there yet."""
    if "ModelDataUrl" not in container:
        raise invalid("A container with the Mode MultiModel needs a ModelDataUrl, the prefix of its models.")


def _check_data(s3: "S3Client", url: str, *, prefix: bool) -> None:
    """Let a model's data be there and be readable: one object, or at least one below a prefix."""
    place = urlparse(url)
    bucket, key = place.netloc, place.path.lstrip("/")
    try:
        if not prefix:
            there = bool(key) and s3.head_object(Bucket=bucket, Key=key) is not None
        else:
            there = bool(s3.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents"))
    except ClientError as error:
        raise _no_access(url, error.response["Error"]["Code"]) from error
    if not there:
        raise _no_access(url, "there is no such object")


def _no_access(url: str, reason: str) -> ApiError:
    return invalid(
        f"Could not access model data at {url}. Please ensure that it exists and the role can read it ({reason})."
    )


def _specified(package: dict[str, Any], name: str | None) -> dict[str, Any]:
    """Return a package's inference specification: its own, or the additional one of a name."""
    if name is None:
        own: dict[str, Any] = package["InferenceSpecification"]
        return own
    more: list[dict[str, Any]] = package.get("AdditionalInferenceSpecifications", [])
    for additional in more:
        if additional["Name"] == name:
            return additional
    raise invalid(f"Model package {package['ModelPackageArn']} has no inference specification {name}.")
