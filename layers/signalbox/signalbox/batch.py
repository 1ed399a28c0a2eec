"""Batches from SQS: the good messages go on, the others are dealt with one by one.

Powertools has a batch processor, but importing it costs 90 ms of a cold start, and all that is needed here is below.

A message that cannot be understood goes to the dead-letter queue at once, with its reason beside it: it will never be
understood, so bringing it back would gain nothing. A message whose handling fails is reported as failed: it comes back
after the queue's visibility timeout, and the queue moves it to its dead-letter queue when it has come back too often.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple, NotRequired, Protocol, TypedDict

from signalbox.events import EventError
from signalbox.observability import count, logger


class SqsMessage(TypedDict):
    """What is read of a message of a queue; only those of a FIFO queue have a `MessageGroupId`."""

    messageId: str
    body: str
    attributes: NotRequired[Mapping[str, str]]
    eventSourceARN: NotRequired[str]


class FailedMessage(TypedDict):
    """A message that has to come back."""

    itemIdentifier: str


class BatchResponse(TypedDict):
    """Lambda's partial batch response: the messages that have to come back."""

    batchItemFailures: list[FailedMessage]


class DeadLetter(NamedTuple):
    """A message that cannot be understood: its body as it came, why, and the ARN of the queue that it came from.

    `group` is its message group; None where that queue is not a FIFO queue.
    """

    message_id: str
    body: str
    reason: str
    source: str
    group: str | None


class DeadLetterQueue(Protocol):
    """The dead-letter queue."""

    def send(self, letter: DeadLetter) -> None:
        """Keep the message and its reason; raise where that is not certain."""


class Consumer[Message]:
    """The messages of one batch, handled one after another by a loop.

        for delivery in consumer:
            with delivery as message:
                ...  # may raise
        return consumer.response

    It is a loop and no callback, so that few calls lie between a handler and what it does.

    A message that is not understood is acknowledged once the dead-letter queue has it, and reported as failed where
    that queue does not take it: so it is in one of the two queues at every moment. A death in between leaves it in
    both, and its second delivery sends it again, which a FIFO queue takes for the same message. The others go on, also
    those behind it in its FIFO group.

    A message whose handling raises is reported as failed. In a FIFO queue those behind it in its group are held back
    and reported too, since they were sent to be handled after it.
    """

    def __init__(
        self,
        event: Mapping[str, object],
        read: Callable[[Mapping[str, object]], Message],
        dead_letters: DeadLetterQueue,
    ) -> None:
        """Take a batch; `read` takes a message's JSON object, and raises EventError where it cannot be understood.

        Raises:
            EventError: `event` is not from a queue.
        """
        records = event.get("Records")
        if not isinstance(records, list):
            raise EventError("the event has no member 'Records'")
        self._records: list[SqsMessage] = records
        self._read = read
        self._dead_letters = dead_letters
        self._failed: list[str] = []
        self._stopped: set[str] = set()

    @property
    def response(self) -> BatchResponse:
        """Return which messages failed, once the loop is over."""
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in self._failed]}

    def __iter__(self) -> Iterator[AbstractContextManager[Message]]:
        """Yield each message that is understood, and not held back."""
        for record in self._records:
            if _group(record) in self._stopped:
                logger.warning("message held back behind a failed one of its group", extra=_about(record))
                self._failed.append(record["messageId"])
                continue
            try:
                message = self._read(_body(record))
            except EventError as error:
                self._dead_letter(record, str(error))
                continue
            yield self._delivery(record, message)

    @contextmanager
    def _delivery(self, record: SqsMessage, message: Message) -> Iterator[Message]:
        try:
            yield message
        except EventError as error:  # what it means shows only where it is handled
            self._dead_letter(record, str(error))
        except Exception as error:  # noqa: BLE001  # whatever it was, the other messages go on and this one comes back
            count("MessageFailed")
            logger.exception("message failed", extra={**_about(record), "reason": str(error)})
            self._failed.append(record["messageId"])
            if (group := _group(record)) is not None:
                self._stopped.add(group)

    def _dead_letter(self, record: SqsMessage, reason: str) -> None:
        count("MessageNotUnderstood")
        logger.error("message not understood", extra={**_about(record), "reason": reason})
        source = record.get("eventSourceARN", "")
        try:
            self._dead_letters.send(DeadLetter(record["messageId"], record["body"], reason, source, _group(record)))
        except Exception:  # noqa: BLE001  # whatever it was, the message comes back and is not lost
            count("DeadLetterRefused")
            logger.exception("message could not be sent to the dead-letter queue", extra=_about(record))
            self._failed.append(record["messageId"])


def _body(record: SqsMessage) -> Mapping[str, object]:
    try:
        body = json.loads(record["body"])
    except ValueError as error:
        raise EventError(f"the message is not JSON ({error})") from None
    if not isinstance(body, Mapping):
        raise EventError(f"the message is a JSON {type(body).__name__}, not an object")
    return body


def _group(record: SqsMessage) -> str | None:
    return record.get("attributes", {}).get("MessageGroupId")


def _about(record: SqsMessage) -> dict[str, str | None]:
    received = record.get("attributes", {}).get("ApproximateReceiveCount")
    return {"message_id": record["messageId"], "queue": record.get("eventSourceARN"), "received": received}
