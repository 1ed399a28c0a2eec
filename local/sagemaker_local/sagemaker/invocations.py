"""What passes between a caller of InvokeEndpoint and a model: headers both ways, and how a model's failure is told."""

from collections.abc import Mapping
from typing import Any

from sagemaker_local.core.cloud import Cloud
from sagemaker_local.core.errors import ApiError
from sagemaker_local.core.shapes import service_model
from sagemaker_local.sagemaker.logs import endpoint_group
from sagemaker_local.serving import InvocationError, VariantResponse

SUCCESS = range(200, 300)
"""The statuses of an answer that is one."""
_SERVER_ERRORS = 500
MOST_BYTES = 6_291_456
"""Bytes of a model's answer that InvokeEndpoint passes on (botocore's model, BodyBlob)."""
# The members of a request that the container gets as headers, of the names that the API has for them (API reference,
# InvokeEndpoint: "forwarded verbatim"; Developer Guide, stateful sessions).
_TO_MODEL = ("CustomAttributes", "SessionId", "TargetModel")
_FROM_MODEL = ("CustomAttributes", "NewSessionId", "ClosedSessionId")
_TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
    "each container in Amazon CloudWatch, resolve the issue, and try again."
)
_NO_ANSWER = (
    "Amazon SageMaker could not get a response from the {endpoint} endpoint. This can occur when CPU or memory "
    "utilization is high. To check your utilization, see Amazon CloudWatch."
)


def headers_for(request: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers that a model gets with a request."""
    return {_header("input", member): request[member] for member in _TO_MODEL if member in request}


def answer_of(response: VariantResponse) -> dict[str, Any]:
    """Return a model's answer as InvokeEndpoint's."""
    given = {member: response.headers.get(_header("output", member).lower()) for member in _FROM_MODEL}
    return {
        "Body": response.body,
        "ContentType": response.headers.get("content-type", "application/octet-stream"),
        "InvokedProductionVariant": response.variant,
        **{member: value for member, value in given.items() if value is not None},
    }


def _header(side: str, member: str) -> str:
    operation = service_model("sagemaker-runtime").operation_model("InvokeEndpoint")
    shape: Any = operation.input_shape if side == "input" else operation.output_shape
    return str(shape.members[member].serialization["name"])


def check_answer(cloud: Cloud, endpoint: str, response: VariantResponse) -> None:
    """Let a model's answer be a success of a size that passes.

    Raises:
        ApiError: ModelError.
    """
    if response.status not in SUCCESS:
        text = response.body.decode("utf-8", "replace")
        raise model_error(cloud, endpoint, response.status, text)
    if len(response.body) > MOST_BYTES:
        size = f"the model's answer has {len(response.body)} bytes, and {MOST_BYTES} pass"
        raise model_error(cloud, endpoint, _SERVER_ERRORS, f"could not load the entire response body: {size}")


def no_answer(cloud: Cloud, endpoint: str, error: InvocationError) -> ApiError:
    """Return the ModelError of a model that was silent for too long, or is gone; its status is 0 then."""
    silent = isinstance(error.__cause__, TimeoutError)
    return model_error(cloud, endpoint, 0, _TIMED_OUT if silent else _NO_ANSWER.format(endpoint=endpoint))


def model_error(cloud: Cloud, endpoint: str, status: int, message: str) -> ApiError:
    """Return the ModelError of a model's answer, in SageMaker's words (RamVegiraju/SageMaker-Deployment#3).

    Its message holds what the model said; `OriginalStatusCode` is the model's status.
    """
    side = "client" if 0 < status < _SERVER_ERRORS else "server"
    group, region = endpoint_group(endpoint), cloud.region
    console = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={group}"
    sentence = (
        f'Received {side} error ({status}) from primary with message "{message}". '
        f"See {console} in account {cloud.account} for more information."
    )
    arn = f"arn:aws:logs:{region}:{cloud.account}:log-group:{group}"
    return ApiError("ModelError", sentence, 424, OriginalStatusCode=status, OriginalMessage=message, LogStreamArn=arn)
