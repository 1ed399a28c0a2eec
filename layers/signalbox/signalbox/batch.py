"""Batches from SQS: the good messages go on, the others are reported one by one.

Powertools has a batch processor, but importing it costs 90 ms of a cold start, and all that is needed here is below.

A message that is reported as failed comes back after the queue's visibility timeout, and goes to the queue's
dead-letter queue when it has come back too often. Why it failed is in the log, under its message id.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from signalbox.events import EventError
from signalbox.observability import count, logger

type Failures = dict[str, list[dict[str, str]]]


def process[Message](
    event: Mapping[str, Any],
    read: Callable[[Mapping[str, Any]], Message],
    handle: Callable[[Message], object],
) -> Failures:
    """Read and handle each message of `event`; return Lambda's partial batch response.

    `read` takes the message's JSON object and raises EventError where it cannot be understood. Such a message is
    reported as failed and ends in the dead-letter queue; the others go on, also those behind it in its FIFO group:
    it will never be understood, so holding them back would gain nothing.

    When `handle` raises, the message is reported as failed. In a FIFO queue those behind it in its group are held
    back and reported too, since they were sent to be handled after it.

    Raises:
        EventError: `event` is not from a queue.
    """
    if not isinstance(event.get("Records"), list):
        raise EventError("the event has no member 'Records'")
    failed: list[str] = []
    stopped: set[str] = set()
    for record in event["Records"]:
        group = record.get("attributes", {}).get("MessageGroupId")
        if group in stopped:
            logger.warning("message held back behind a failed one of its group", extra=_about(record))
            failed.append(record["messageId"])
        elif not _understood(record, read, handle, stopped):
            failed.append(record["messageId"])
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _understood[Message](
    record: Mapping[str, Any],
    read: Callable[[Mapping[str, Any]], Message],
    handle: Callable[[Message], object],
    stopped: set[str],
) -> bool:
    """Read and handle one message; say whether both went well, and put its group in `stopped` if handling did not."""
    try:
        message = read(_body(record))
    except EventError as error:
        count("MessageNotUnderstood")
        logger.error("message not understood", extra={**_about(record), "reason": str(error)})
        return False
    try:
        handle(message)
    except Exception as error:  # noqa: BLE001  # whatever it was, the other messages go on and this one comes back
        count("MessageFailed")
        logger.exception("message failed", extra={**_about(record), "reason": str(error)})
        if "MessageGroupId" in record.get("attributes", {}):
            stopped.add(record["attributes"]["MessageGroupId"])
        return False
    return True


def _body(record: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        body = json.loads(record["body"])
    except ValueError as error:
        raise EventError(f"the message is not JSON ({error})") from None
    if not isinstance(body, Mapping):
        raise EventError(f"the message is a JSON {type(body).__name__}, not an object")
    return body


def _about(record: Mapping[str, Any]) -> dict[str, Any]:
    received = record.get("attributes", {}).get("ApproximateReceiveCount")
    return {"message_id": record["messageId"], "queue": record.get("eventSourceARN"), "received": received}
