"""Dead-letter queues, for the messages of a queue that cannot be understood."""

from typing import TYPE_CHECKING

from signalbox.aws import clients
from signalbox.aws.errors import translated
from signalbox.batch import DeadLetter

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageRequestTypeDef

_REASON_LIMIT = 1_000  # characters: enough for a person, and the whole message must not outgrow SQS's limit


class SqsDeadLetterQueue:
    """The dead-letter queue of a queue, for the messages of it that cannot be understood."""

    def __init__(self, queue_url: str, sqs: "SQSClient | None" = None) -> None:
        self._queue_url = queue_url
        self._sqs: SQSClient = sqs or clients.client("sqs")

    def send(self, letter: DeadLetter) -> None:
        """Send the message as it came, with the attributes `Reason`, `Source` and `Replay` beside it.

        In a FIFO queue its own id is its deduplication id, so that a second delivery is kept once.

        Raises:
            ServiceBusyError, CallRefusedError: SQS did not take it.
        """
        replay = (
            "Mend what the reason names, then: aws sqs start-message-move-task --source-arn <ARN of this queue> "
            f"--destination-arn {letter.source}. It is safe: what was handled before changes nothing."
        )
        texts = {"Reason": letter.reason[:_REASON_LIMIT], "Source": letter.source, "Replay": replay}
        request: SendMessageRequestTypeDef = {
            "QueueUrl": self._queue_url,
            "MessageBody": letter.body,
            "MessageAttributes": {
                name: {"DataType": "String", "StringValue": _sendable(text)} for name, text in texts.items()
            },
        }
        if letter.group:
            request |= {"MessageGroupId": letter.group, "MessageDeduplicationId": letter.message_id}
        with translated("sqs:SendMessage to the dead-letter queue"):
            self._sqs.send_message(**request)


def _sendable(text: str) -> str:
    """Return a text with ? for what a message attribute may not hold (Amazon SQS API reference, SendMessage).

    It is no regular expression: compiling one over all characters would take 10 ms of each cold start.
    """
    return "".join(
        one if one in "\t\n\r" or " " <= one <= "\ud7ff" or "\ue000" <= one <= "\ufffd" or one > "\uffff" else "?"
        for one in text
    )
