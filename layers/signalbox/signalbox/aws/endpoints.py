"""SageMaker's endpoints, and what is behind them: endpoint → endpoint config → model → model package."""

from typing import TYPE_CHECKING

from signalbox.aws import clients
from signalbox.aws.errors import or_none
from signalbox.aws.model import Endpoint

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import DescribeModelOutputTypeDef


class Endpoints:
    """The endpoints. Every method raises ServiceBusyError and CallRefusedError as `errors.translated` does."""

    def __init__(self, sagemaker: "SageMakerClient | None" = None) -> None:
        self._sagemaker: SageMakerClient = sagemaker or clients.client("sagemaker")

    def find(self, name: str) -> Endpoint | None:
        """Return an endpoint, or None."""
        found = or_none(f"sagemaker:DescribeEndpoint of {name}", self._sagemaker.describe_endpoint, EndpointName=name)
        if found is None:
            return None
        pending = (
            found["PendingDeploymentSummary"]["EndpointConfigName"] if "PendingDeploymentSummary" in found else None
        )
        status, config = found["EndpointStatus"], found["EndpointConfigName"]
        return Endpoint(name, status, config, pending, found.get("FailureReason", ""))

    def package_of(self, config: str) -> str | None:
        """Return the ARN of the package that a config serves.

        None where its model was made of no package, and where config or model are gone: a chain that breaks because
        something is being deleted serves nothing.
        """
        operation = f"sagemaker:DescribeEndpointConfig of {config}"
        found = or_none(operation, self._sagemaker.describe_endpoint_config, EndpointConfigName=config)
        model = found["ProductionVariants"][0].get("ModelName") if found else None
        served = self._model(model) if model else None
        if served is None:
            return None
        containers = [
            *served.get("Containers", []),
            *([served["PrimaryContainer"]] if "PrimaryContainer" in served else []),
        ]
        return next((one["ModelPackageName"] for one in containers if "ModelPackageName" in one), None)

    def live_package(self, name: str) -> str | None:
        """Return the ARN of the package that an endpoint serves, or None."""
        endpoint = self.find(name)
        return self.package_of(endpoint.config) if endpoint else None

    def has_config(self, name: str) -> bool:
        """Say whether there is an endpoint config of this name."""
        operation = f"sagemaker:DescribeEndpointConfig of {name}"
        return or_none(operation, self._sagemaker.describe_endpoint_config, EndpointConfigName=name) is not None

    def has_model(self, name: str) -> bool:
        """Say whether there is a model of this name."""
        return self._model(name) is not None

    def _model(self, name: str) -> "DescribeModelOutputTypeDef | None":
        return or_none(f"sagemaker:DescribeModel of {name}", self._sagemaker.describe_model, ModelName=name)
