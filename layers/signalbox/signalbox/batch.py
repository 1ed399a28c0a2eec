"""Batches from SQS: the good messages go on, the others are dealt with one by one.

Powertools has a batch processor, but importing it costs 90 ms of a cold start, and all that is needed here is below.

A message that cannot be understood goes to the dead-letter queue at once, with its reason beside it: it will never be
understood, so bringing it back would gain nothing. A message whose handling fails is reported as failed: it comes back
after the queue's visibility timeout, and the queue moves it to its dead-letter queue when it has come back too often.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from signalbox.events import EventError
from signalbox.observability import count, logger

type Failures = dict[str, list[dict[str, str]]]


@dataclass(frozen=True)
class DeadLetter:
    """A message that cannot be understood: its body as it came, why, and the ARN of the queue that it came from.

    `group` is its message group; None where that queue is not a FIFO queue.
    """

    message_id: str
    body: str
    reason: str
    source: str
    group: str | None


class DeadLetters(Protocol):
    """The dead-letter queue."""

    def bury(self, letter: DeadLetter) -> None:
        """Keep the message and its reason; raise where that is not certain."""


@dataclass(frozen=True)
class Consumer[Message]:
    """What a function does with the messages of its queue.

    `read` takes a message's JSON object and raises EventError where it cannot be understood.
    """

    read: Callable[[Mapping[str, Any]], Message]
    handle: Callable[[Message], object]
    dead_letters: DeadLetters

    def process(self, event: Mapping[str, Any]) -> Failures:
        """Read and handle each message of `event`; return Lambda's partial batch response.

        A message that is not understood is acknowledged once the dead-letter queue has it, and reported as failed
        where that queue does not take it: so it is in one of the two queues at every moment. A death in between
        leaves it in both, and its second delivery buries it again, which a FIFO queue takes for the same message. The
        others go on, also those behind it in its FIFO group.

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
            group = _group(record)
            if group in stopped:
                logger.warning("message held back behind a failed one of its group", extra=_about(record))
                failed.append(record["messageId"])
            elif not self._done(record, stopped):
                failed.append(record["messageId"])
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    def _done(self, record: Mapping[str, Any], stopped: set[str]) -> bool:
        """Deal with one message; say whether it may be acknowledged. Put its group in `stopped` if handling failed."""
        try:
            message = self.read(_body(record))
        except EventError as error:
            return self._buried(record, str(error))
        try:
            self.handle(message)
        except Exception as error:  # noqa: BLE001  # whatever it was, the other messages go on and this one comes back
            count("MessageFailed")
            logger.exception("message failed", extra={**_about(record), "reason": str(error)})
            group = _group(record)
            if group is not None:
                stopped.add(group)
            return False
        return True

    def _buried(self, record: Mapping[str, Any], reason: str) -> bool:
        count("MessageNotUnderstood")
        logger.error("message not understood", extra={**_about(record), "reason": reason})
        source = str(record.get("eventSourceARN", ""))
        letter = DeadLetter(record["messageId"], record["body"], reason, source, _group(record))
        try:
            self.dead_letters.bury(letter)
        except Exception:  # noqa: BLE001  # whatever it was, the message comes back and is not lost
            count("DeadLetterRefused")
            logger.exception("message could not be sent to the dead-letter queue", extra=_about(record))
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


def _group(record: Mapping[str, Any]) -> str | None:
    group: str | None = record.get("attributes", {}).get("MessageGroupId")
    return group


def _about(record: Mapping[str, Any]) -> dict[str, Any]:
    received = record.get("attributes", {}).get("ApproximateReceiveCount")
    return {"message_id": record["messageId"], "queue": record.get("eventSourceARN"), "received": received}
