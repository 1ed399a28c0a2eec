"""The samples in `events/`, and small builders that vary and wrap them."""

import base64
import copy
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

EVENTS = Path(__file__).parents[2] / "events"


def sample(name: str) -> dict[str, Any]:
    """Return a copy of the sample `events/<name>.json`, as in `sample("s3/object-created")`."""
    return copy.deepcopy(_read(name))


def sample_names(folder: str) -> list[str]:
    """Return the names of the samples under a folder of `events/`, near misses too."""
    return sorted(path.relative_to(EVENTS).with_suffix("").as_posix() for path in (EVENTS / folder).rglob("*.json"))


def with_detail(event: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the event with members of its `detail` replaced; None takes one out.

    A double underscore goes a level deeper, and one underscore stands for the dash that some members have, where the
    event knows no member with the underscore: `with_detail(event, object__version_id="v2")`.
    """
    changed = copy.deepcopy(dict(event))
    for path, value in changes.items():
        *parents, name = path.split("__")
        place = changed["detail"]
        for parent in parents:
            place = place[parent]
        name = name if name in place or name.replace("_", "-") not in place else name.replace("_", "-")
        if value is None:
            place.pop(name, None)
        else:
            place[name] = value
    return changed


def sqs_event(*bodies: Any, group: str | None = None, queue: str = "uploads") -> dict[str, Any]:
    """Return what Lambda gets from a queue: one message per body (a text as it is, anything else as JSON).

    With `group`, the queue is a FIFO queue. Message ids are `m-0`, `m-1`, ….
    """
    return {"Records": [_message(index, body, group, queue) for index, body in enumerate(bodies)]}


def http_event(name: str, **changes: Any) -> dict[str, Any]:
    """Return the sample `http/<name>` with top-level members replaced; a body of bytes is sent in base64."""
    event = {**sample(f"http/{name}"), **changes}
    if isinstance(event.get("body"), bytes):
        event["body"], event["isBase64Encoded"] = base64.b64encode(event["body"]).decode(), True
    return event


def lambda_context(name: str = "function") -> Any:
    """Return the part of a Lambda context that the logger reads."""
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    return SimpleNamespace(
        function_name=name,
        memory_limit_in_mb=256,
        invoked_function_arn=arn,
        aws_request_id="00000000-0000-4000-8000-00000000abcd",
        get_remaining_time_in_millis=lambda: 30_000,
    )


@cache
def _read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return content


def _message(index: int, body: Any, group: str | None, queue: str) -> dict[str, Any]:
    attributes = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": "1795176000000",
        "SenderId": "AROAEXAMPLE:events",
        "ApproximateFirstReceiveTimestamp": "1795176000100",
    }
    if group is not None:
        attributes |= {"MessageGroupId": group, "MessageDeduplicationId": f"d-{index}", "SequenceNumber": str(index)}
    suffix = ".fifo" if group is not None else ""
    return {
        "messageId": f"m-{index}",
        "receiptHandle": f"r-{index}",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{queue}{suffix}",
        "awsRegion": "us-east-1",
    }
