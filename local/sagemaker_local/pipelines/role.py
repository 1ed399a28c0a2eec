"""Calls to the cloud in the name of the pipeline's role, so that its permissions count as they do on AWS."""

import threading
from typing import Any
from urllib.parse import urlsplit

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from sagemaker_local.core.cloud import Cloud
from sagemaker_local.pipelines.expressions import ExpressionError
from sagemaker_local.pipelines.retries import SERVICE_FAULT, fault_of_call

_SESSION = "SageMaker"  # the session name that SageMaker gives itself


class StepFailedError(Exception):
    """A step failed: the reason, the exception type that a retry policy may name, and what is known of the step."""

    def __init__(self, reason: str, fault: str | None = None, metadata: dict[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fault = fault
        self.metadata = metadata or {}


class PipelineRole:
    """The role of one execution, and its clients, made when first needed."""

    def __init__(self, cloud: Cloud, role_arn: str) -> None:
        self._cloud = cloud
        self._role_arn = role_arn
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def call(self, service: str, operation: str, **request: Any) -> dict[str, Any]:
        """Return the answer of an operation such as CreateTrainingJob.

        Raises:
            StepFailedError: it was refused, or the cloud did not answer.
        """
        method = getattr(self._client(service), xform_name(operation))
        failed = f"ClientError: Failed to invoke {service}:{operation}. Error Details: "
        try:
            answer: dict[str, Any] = method(**request)
        except ClientError as error:
            detail: Any = error.response["Error"]
            raise StepFailedError(failed + detail.get("Message", detail["Code"]), fault_of_call(error)) from error
        except ParamValidationError as error:
            raise StepFailedError(failed + str(error)) from error
        except BotoCoreError as error:
            raise StepFailedError(failed + str(error), SERVICE_FAULT) from error
        return answer

    def read(self, uri: str) -> bytes:
        """Return an S3 object.

        Raises:
            ExpressionError: the URI is none.
            StepFailedError: the object cannot be read.
        """
        parts = urlsplit(uri, allow_fragments=False)
        if parts.scheme != "s3" or not parts.netloc or not parts.path.strip("/"):
            raise ExpressionError(f"'{uri}' is not the URI of an S3 object")
        try:
            answer = self.call("s3", "GetObject", Bucket=parts.netloc, Key=parts.path[1:])
        except StepFailedError as error:
            raise StepFailedError(f"{error.reason} ({uri})", error.fault) from error
        content: bytes = answer["Body"].read()
        return content

    def _client(self, service: str) -> Any:
        with self._lock:  # a client may be shared by threads, but boto3 makes only one at a time safely
            if service not in self._clients:
                self._clients[service] = self._cloud.access.client(service, self._role_arn, _SESSION)
            return self._clients[service]
