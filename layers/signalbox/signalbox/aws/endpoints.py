"""SageMaker's endpoints, and what is behind them: endpoint → endpoint config → model → model package."""

from typing import TYPE_CHECKING

from signalbox.aws import clients
from signalbox.aws.errors import none_if_missing, translated
from signalbox.aws.model import Endpoint

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import DescribeEndpointOutputTypeDef, DescribeModelOutputTypeDef


class Endpoints:
    """The endpoints. Every method raises ServiceBusyError and CallRefusedError as `errors.translated` does."""

    def __init__(self, sagemaker: "SageMakerClient | None" = None) -> None:
        self._sagemaker: SageMakerClient = sagemaker or clients.client("sagemaker")

    def find(self, name: str) -> Endpoint | None:
        """Return an endpoint, or None."""
        with translated(f"sagemaker:DescribeEndpoint of {name}"), none_if_missing():
            return _endpoint(name, self._sagemaker.describe_endpoint(EndpointName=name))
        return None

    def package_of(self, config: str) -> str | None:
        """Return the ARN of the package that a config serves.

        None where its model was made of no package, and where config or model are gone: a chain that breaks because
        something is being deleted serves nothing.
        """
        with translated(f"sagemaker:DescribeEndpointConfig of {config}, and of its model"), none_if_missing():
            found = self._sagemaker.describe_endpoint_config(EndpointConfigName=config)
            model = found["ProductionVariants"][0].get("ModelName")
            return _package_of(self._sagemaker.describe_model(ModelName=model)) if model else None
        return None

    def live_package(self, name: str) -> str | None:
        """Return the ARN of the package that an endpoint serves, or None."""
        endpoint = self.find(name)
        return self.package_of(endpoint.config) if endpoint else None

    def has_config(self, name: str) -> bool:
        """Say whether there is an endpoint config of this name."""
        with translated(f"sagemaker:DescribeEndpointConfig of {name}"), none_if_missing():
            self._sagemaker.describe_endpoint_config(EndpointConfigName=name)
            return True
        return False

    def scaled_out(self, name: str, target: str) -> bool:
        """Say whether an endpoint wants more instances than its own config and the config `target` begin with."""
        with translated(f"sagemaker:DescribeEndpoint of {name}"), none_if_missing():
            found = self._sagemaker.describe_endpoint(EndpointName=name)
            wanted = sum(one.get("DesiredInstanceCount", 0) for one in found.get("ProductionVariants", []))
            return all(wanted > self._first_instances(config) for config in (found["EndpointConfigName"], target))
        return False

    def _first_instances(self, config: str) -> int:
        """Return how many instances a config begins with; 0 where it is gone."""
        with translated(f"sagemaker:DescribeEndpointConfig of {config}"), none_if_missing():
            found = self._sagemaker.describe_endpoint_config(EndpointConfigName=config)
            return sum(one.get("InitialInstanceCount", 0) for one in found["ProductionVariants"])
        return 0

    def has_model(self, name: str) -> bool:
        """Say whether there is a model of this name."""
        with translated(f"sagemaker:DescribeModel of {name}"), none_if_missing():
            self._sagemaker.describe_model(ModelName=name)
            return True
        return False


def _endpoint(name: str, found: "DescribeEndpointOutputTypeDef") -> Endpoint:
    pending = found["PendingDeploymentSummary"]["EndpointConfigName"] if "PendingDeploymentSummary" in found else None
    return Endpoint(
        name=name,
        status=found["EndpointStatus"],
        config=found["EndpointConfigName"],
        pending=pending,
        reason=found.get("FailureReason", ""),
    )


def _package_of(model: "DescribeModelOutputTypeDef") -> str | None:
    containers = [*model.get("Containers", []), *([model["PrimaryContainer"]] if "PrimaryContainer" in model else [])]
    return next((one["ModelPackageName"] for one in containers if "ModelPackageName" in one), None)
