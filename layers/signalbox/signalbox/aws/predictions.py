"""Predictions of the models behind SageMaker's endpoints."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from signalbox.aws import clients
from signalbox.aws.errors import code_of, message_of, translated
from signalbox.aws.model import ModelAnswer

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

# A model has 60 seconds to answer (Amazon SageMaker AI Runtime API reference, InvokeEndpoint).
_MODEL_SECONDS = 65


class EndpointCaller:
    """The models behind SageMaker's endpoints."""

    def __init__(self, runtime: "SageMakerRuntimeClient | None" = None) -> None:
        self._runtime: SageMakerRuntimeClient = runtime or clients.client(
            "sagemaker-runtime", read_seconds=_MODEL_SECONDS
        )

    def ask(self, endpoint: str, body: str | bytes, content_type: str, accept: str | None = None) -> ModelAnswer:
        """Send one request and return the answer, or why the model refused it; `accept` is `content_type` unless given.

        Bytes of the answer that are no UTF-8 become U+FFFD.

        Raises:
            ServiceBusyError: SageMaker could not answer now.
            CallRefusedError: SageMaker refused the call.
        """
        with translated(f"sagemaker:InvokeEndpoint of {endpoint}"):
            try:
                answer = self._runtime.invoke_endpoint(
                    EndpointName=endpoint,
                    Body=body.encode() if isinstance(body, str) else body,
                    ContentType=content_type,
                    Accept=accept or content_type,
                )
            except ClientError as error:
                if code_of(error) != "ModelError":
                    raise
                return ModelAnswer(failure=message_of(error))
            return ModelAnswer(answer["Body"].read().decode(errors="replace"))
