"""Asynchronous inference: requests that wait for their turn, and answers that go to S3 and, on demand, to SNS topics.

Source: API reference, InvokeEndpointAsync (defaults, names of outputs); Developer Guide, "Asynchronous inference" and
"Check prediction results" (the message of a topic). Everything is read, written and sent as the role of the model.
"""

import json
import logging
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_local.core.cloud import Call, Cloud
from sagemaker_local.core.errors import ApiError, invalid
from sagemaker_local.core.store import Record
from sagemaker_local.runtime import data
from sagemaker_local.runtime.errors import ContainerError

_LOG = logging.getLogger("sagemaker_local")
_TTL, _TIMEOUT = 21_600, 900
_AT_ONCE = 4  # requests at once where the configuration leaves it to SageMaker, which does not tell its number

type Ask = Callable[[str, Mapping[str, Any], float], dict[str, Any]]


@dataclass(frozen=True)
class Waiting:
    """One request that waits: when it came, where its input is and where its answer or its failure goes."""

    endpoint: str
    request: Mapping[str, Any]
    config: Mapping[str, Any]
    role: str
    received: datetime
    inference_id: str
    output: str
    failure: str | None


@dataclass
class AsyncInvocations:
    """InvokeEndpointAsync; `ask(endpoint, request, timeout)` answers as InvokeEndpoint does."""

    cloud: Cloud
    ask: Ask
    role_of: Callable[[str], str]
    _queues: dict[tuple[str, int], ThreadPoolExecutor] = field(default_factory=dict)

    def invoke(self, call: Call, endpoint: Record) -> dict[str, Any]:
        """Let a request wait for its turn, and say where its answer will be.

        Raises:
            ApiError: the endpoint is not an asynchronous one, or the request has not exactly one input.
        """
        request, config = call.request, endpoint.get("AsyncInferenceConfig")
        if not config:
            raise invalid(f"Endpoint {endpoint['EndpointName']} has no AsyncInferenceConfig: use InvokeEndpoint.")
        if bool(request.get("Body")) == ("InputLocation" in request):
            raise invalid("Exactly one of InputLocation and Body is required.")
        waiting = self._waiting(endpoint, request, config)
        self._queue(endpoint["EndpointName"], config).submit(self._work, waiting)
        places = {"OutputLocation": waiting.output, "FailureLocation": waiting.failure}
        return {"InferenceId": waiting.inference_id, **{key: value for key, value in places.items() if value}}

    def _waiting(self, endpoint: Record, request: Mapping[str, Any], config: Mapping[str, Any]) -> Waiting:
        outputs, made = config["OutputConfig"], str(uuid.uuid4())
        folder = "/".join([outputs["S3OutputPath"].rstrip("/"), *_extension(request)])
        failures = outputs.get("S3FailurePath")
        return Waiting(
            endpoint["EndpointName"],
            request,
            config,
            self.role_of(endpoint["Variants"][0]["ModelName"]),
            self.cloud.clock(),
            request.get("InferenceId", made),
            f"{folder}/{request.get('Filename', f'{made}.out')}",
            f"{failures.rstrip('/')}/{made}-error.out" if failures else None,
        )

    def _queue(self, endpoint: str, config: Mapping[str, Any]) -> ThreadPoolExecutor:
        size = config.get("ClientConfig", {}).get("MaxConcurrentInvocationsPerInstance", _AT_ONCE)
        return self._queues.setdefault((endpoint, size), ThreadPoolExecutor(size, thread_name_prefix="async"))

    def _work(self, waiting: Waiting) -> None:
        try:
            answer = self._answer(waiting)
            self._write(waiting, answer["Body"], waiting.output)
        except (ApiError, ContainerError, ClientError, BotoCoreError) as error:
            self._fail(waiting, error.message if isinstance(error, ApiError) else str(error))
        except Exception as error:  # noqa: BLE001  # whatever it is: its caller waits for an answer or a failure
            _LOG.exception("an asynchronous inference failed unexpectedly")
            self._fail(waiting, f"InternalFailure: {error!r}")
        else:
            self._tell(
                waiting, "SuccessTopic", {"contentType": answer["ContentType"], "outputLocation": waiting.output}
            )

    def _answer(self, waiting: Waiting) -> dict[str, Any]:
        request = waiting.request
        oldest = waiting.received + timedelta(seconds=request.get("RequestTTLSeconds", _TTL))
        if self.cloud.clock() > oldest:
            raise invalid("The request has waited longer than its RequestTTLSeconds.")
        body = request.get("Body") or self._read(waiting, request["InputLocation"])
        named = {name: request[name] for name in ("ContentType", "Accept", "CustomAttributes") if name in request}
        asked = {**named, "InferenceId": waiting.inference_id, "Body": body}
        return self.ask(waiting.endpoint, asked, float(request.get("InvocationTimeoutSeconds", _TIMEOUT)))

    def _read(self, waiting: Waiting, uri: str) -> bytes:
        bucket, key = data.split(uri)
        s3: Any = self.cloud.access.client("s3", waiting.role, waiting.endpoint)
        return bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def _write(self, waiting: Waiting, body: bytes, uri: str) -> None:
        key = waiting.config["OutputConfig"].get("KmsKeyId", "")
        s3: Any = self.cloud.access.client("s3", waiting.role, waiting.endpoint, key)
        data.write(s3, body, uri)

    def _fail(self, waiting: Waiting, reason: str) -> None:
        """Leave a request's failure where it is looked for."""
        try:
            if waiting.failure:
                self._write(waiting, reason.encode(), waiting.failure)
        except ContainerError as error:
            _LOG.warning("the failure of an asynchronous inference could not be written: %s", error)
        self._tell(waiting, "ErrorTopic", {"failureLocation": waiting.failure}, reason)

    def _tell(self, waiting: Waiting, topic: str, response: Mapping[str, Any], reason: str | None = None) -> None:
        arn = waiting.config["OutputConfig"].get("NotificationConfig", {}).get(topic)
        if not arn:
            return
        sns: Any = self.cloud.access.client("sns", waiting.role, waiting.endpoint)
        try:
            sns.publish(TopicArn=arn, Message=json.dumps(self._message(waiting, response, reason)))
        except (ClientError, BotoCoreError) as error:
            _LOG.warning("an asynchronous inference was not told to %s: %s", arn, error)

    def _message(self, waiting: Waiting, response: Mapping[str, Any], reason: str | None) -> dict[str, Any]:
        request = waiting.request
        asked = {"contentType": request.get("ContentType"), "inputLocation": request.get("InputLocation")}
        return {
            "awsRegion": self.cloud.region,
            "eventTime": _time(self.cloud.clock()),
            "receivedTime": _time(waiting.received),
            "invocationStatus": "Completed" if reason is None else "Failed",
            **({} if reason is None else {"failureReason": reason}),
            "requestParameters": {"endpointName": waiting.endpoint, **asked},
            "responseParameters": {name: value for name, value in response.items() if value},
            "inferenceId": waiting.inference_id,
            "eventVersion": "1.0",
            "eventSource": "aws:sagemaker",
            "eventName": "InferenceResult",
        }

    def close(self) -> None:
        """Let nothing that waits begin any more."""
        for queue in self._queues.values():
            queue.shutdown(wait=False, cancel_futures=True)


def _extension(request: Mapping[str, Any]) -> list[str]:
    extension = str(request.get("S3OutputPathExtension", "")).strip("/")
    return [extension] if extension else []


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
