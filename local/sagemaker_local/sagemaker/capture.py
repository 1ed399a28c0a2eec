"""Data capture: what an endpoint was asked and what it answered, as lines of JSON in S3, written as the model's role.

Source: Developer Guide, "Capture data from real-time endpoint": the layout of the keys and of a line. Here each
exchange is an object of its own, written at once; SageMaker gathers some minutes of them.
"""

import base64
import json
import logging
import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_local.runtime import data
from sagemaker_local.runtime.errors import ContainerError
from sagemaker_local.serving import VariantResponse

_LOG = logging.getLogger("sagemaker_local")
_MODES = {"Input": ("Input", "InputAndOutput"), "Output": ("Output", "InputAndOutput")}
_WHOLE = 100


def capture_summary(config: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the capture of an endpoint configuration as DescribeEndpoint shows it; None where there is none."""
    given = config.get("DataCaptureConfig")
    if not given:
        return None
    enabled = given.get("EnableCapture", True)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": given["InitialSamplingPercentage"],
        "DestinationS3Uri": given["DestinationS3Uri"],
        "KmsKeyId": given.get("KmsKeyId", ""),
    }


@dataclass(frozen=True)
class Capture:
    """The capture of one endpoint; `client(variant, key)` is an S3 client that acts as the role of the variant."""

    config: Mapping[str, Any]
    endpoint: str
    client: Callable[[str, str], Any]
    clock: Callable[[], datetime]
    chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311  # a sample, no secret

    def wants(self) -> bool:
        """Tell whether the next exchange is one of the sample."""
        share = float(self.config["InitialSamplingPercentage"]) if self.config.get("EnableCapture", True) else 0.0
        return self.chance.random() * _WHOLE < share

    def keep(self, request: Mapping[str, Any], response: VariantResponse) -> None:
        """Write one exchange. What cannot be written is said in the cloud's log, and the endpoint serves on."""
        now = self.clock()
        name = f"{now:%Y/%m/%d/%H}/{now:%M-%S}-{now.microsecond // 1000:03}-{uuid.uuid4()}.jsonl"
        uri = f"{self.config['DestinationS3Uri'].rstrip('/')}/{self.endpoint}/{response.variant}/{name}"
        text = json.dumps(captured(self.config, request, response, now))
        try:
            client = self.client(response.variant, self.config.get("KmsKeyId", ""))
            data.write(client, f"{text}\n".encode(), uri)
        except (ContainerError, ClientError, BotoCoreError) as error:
            _LOG.warning("an exchange of endpoint %s was not captured: %s", self.endpoint, error)


def captured(
    config: Mapping[str, Any], request: Mapping[str, Any], response: VariantResponse, now: datetime
) -> dict[str, Any]:
    """Return one exchange as a line of the captured data has it."""
    modes = [option["CaptureMode"] for option in config["CaptureOptions"]]
    kinds = config.get("CaptureContentTypeHeader", {})
    bodies = {
        "Input": (request.get("ContentType", ""), request.get("Body", b"")),
        "Output": (response.headers.get("content-type", ""), response.body),
    }
    data_of = {
        f"endpoint{side}": {"mode": side.upper(), **_body(kinds, *body)}
        for side, body in bodies.items()
        if any(mode in _MODES[side] for mode in modes)
    }
    said = {"customAttributes": [request["CustomAttributes"]]} if "CustomAttributes" in request else {}
    named = {"inferenceId": request["InferenceId"]} if "InferenceId" in request else {}
    event = {"eventId": str(uuid.uuid4()), **said, **named, "inferenceTime": now.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return {"captureData": data_of, "eventMetadata": event, "eventVersion": "0"}


def _body(kinds: Mapping[str, Any], content_type: str, body: bytes) -> dict[str, str]:
    """Return a body: as text where its type is one that the configuration names, else in base64."""
    plain = content_type.partition(";")[0].strip()
    for encoding, named in (("CSV", kinds.get("CsvContentTypes")), ("JSON", kinds.get("JsonContentTypes"))):
        if plain in (named or []):
            return {"observedContentType": content_type, "data": body.decode("utf-8", "replace"), "encoding": encoding}
    return {"observedContentType": content_type, "data": base64.b64encode(body).decode(), "encoding": "BASE64"}
