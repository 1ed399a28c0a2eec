"""The endpoints, and what is behind them: config, model, package."""

from typing import Any

import pytest
from tests.support.botocore_strict import RecordingClient, client_error

from signalbox.aws.endpoints import Endpoints
from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox.aws.model import Endpoint

NAME = "signalbox-abalone-prod"
ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/signalbox-abalone/3"
DESCRIBED = {"EndpointName": NAME, "EndpointConfigName": "config-1", "EndpointStatus": "InService"}
ANSWERS: dict[str, Any] = {
    "describe_endpoint": DESCRIBED,
    "describe_endpoint_config": {"ProductionVariants": [{"VariantName": "AllTraffic", "ModelName": "model-1"}]},
    "describe_model": {"Containers": [{"ModelPackageName": ARN}]},
}
MISSING = client_error("ValidationException", "Could not find it")


def endpoints(**changes: Any) -> tuple[Endpoints, RecordingClient]:
    client: Any = RecordingClient("sagemaker", ANSWERS | changes)
    return Endpoints(client), client


def test_an_endpoint_is_read_with_the_config_that_is_live() -> None:
    found, client = endpoints()
    assert found.find(NAME) == Endpoint(NAME, "InService", "config-1")
    assert client.requests("DescribeEndpoint") == [{"EndpointName": NAME}]


def test_an_endpoint_that_moves_says_where_to_and_a_failed_one_why() -> None:
    moving = DESCRIBED | {
        "EndpointStatus": "Updating",
        "PendingDeploymentSummary": {"EndpointConfigName": "config-2"},
        "FailureReason": "no capacity",
    }
    found = endpoints(describe_endpoint=moving)[0].find(NAME)
    assert found == Endpoint(NAME, "Updating", "config-1", "config-2", "no capacity")


def test_the_live_package_is_found_behind_the_endpoint() -> None:
    found, client = endpoints()
    assert found.live_package(NAME) == ARN
    assert client.calls == [
        ("DescribeEndpoint", {"EndpointName": NAME}),
        ("DescribeEndpointConfig", {"EndpointConfigName": "config-1"}),
        ("DescribeModel", {"ModelName": "model-1"}),
    ]


@pytest.mark.parametrize(
    ("changes", "package"),
    [
        ({"describe_endpoint": MISSING}, None),
        ({"describe_endpoint_config": MISSING}, None),
        ({"describe_endpoint_config": {"ProductionVariants": [{"VariantName": "AllTraffic"}]}}, None),
        ({"describe_model": MISSING}, None),
        ({"describe_model": {"PrimaryContainer": {"ModelPackageName": ARN}}}, ARN),
        ({"describe_model": {"PrimaryContainer": {"Image": "image"}}}, None),
    ],
)
def test_a_chain_that_ends_early_means_that_nothing_of_ours_is_live(
    changes: dict[str, Any], package: str | None
) -> None:
    assert endpoints(**changes)[0].live_package(NAME) == package


@pytest.mark.parametrize(
    ("wanted", "first", "scaled"), [(4, 1, True), (4, 4, False), (1, 4, False), (2, None, True), (0, None, False)]
)
def test_an_endpoint_with_more_instances_than_its_configs_begin_with_was_scaled_out(
    wanted: int, first: int | None, scaled: bool
) -> None:
    variant = {"VariantName": "AllTraffic", "DesiredInstanceCount": wanted}
    begins = {"VariantName": "AllTraffic", "ModelName": "model-1", "InitialInstanceCount": first}
    found, client = endpoints(
        describe_endpoint=DESCRIBED | {"ProductionVariants": [variant]},
        describe_endpoint_config={"ProductionVariants": [begins]} if first else MISSING,
    )

    assert found.scaled_out(NAME, "config-2") is scaled
    assert client.requests("DescribeEndpointConfig")[0] == {"EndpointConfigName": "config-1"}


def test_an_endpoint_that_is_gone_was_not_scaled_out() -> None:
    assert not endpoints(describe_endpoint=MISSING)[0].scaled_out(NAME, "config-2")


def test_what_is_there_is_told_from_what_is_not() -> None:
    here, _client = endpoints()
    assert (here.has_config("config-1"), here.has_model("model-1")) == (True, True)
    gone, _client = endpoints(describe_endpoint=MISSING, describe_endpoint_config=MISSING, describe_model=MISSING)
    assert (gone.find(NAME), gone.has_config("config-1"), gone.has_model("model-1")) == (None, False, False)


@pytest.mark.parametrize(
    ("code", "error"), [("AccessDeniedException", CallRefusedError), ("ThrottlingException", ServiceBusyError)]
)
@pytest.mark.parametrize("operation", ANSWERS)
def test_a_refusal_is_not_taken_for_something_missing(operation: str, code: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=code):
        endpoints(**{operation: client_error(code)})[0].live_package(NAME)
