"""Where a webhook is looked up and handed on to: the project's document and secret, and the queue of pushes."""

import json
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from signalbox import names
from signalbox.aws import clients
from signalbox.aws.errors import none_if_missing, translated
from signalbox.code_events import TOLD, BranchTold
from signalbox.pushes import documents
from signalbox.pushes.model import Automation

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

# A secret that was changed holds this much later at most; a flood of requests reads each text once in that time.
_FRESH_SECONDS = 60


class Fresh:
    """Texts by names, as they were at most a minute ago; what was not there is looked for again."""

    def __init__(self, find: Callable[[str], str], clock: Callable[[], float] = time.monotonic) -> None:
        self._find = find
        self._clock = clock
        self._known: dict[str, tuple[str, float]] = {}

    def text(self, name: str) -> str:
        """Return the text of a name; "" where there is none."""
        text, read_at = self._known.get(name, ("", 0.0))
        if not text or self._clock() - read_at > _FRESH_SECONDS:
            text = self._find(name)
            self._known[name] = text, self._clock()
        return text


def automation_of(project: str, prefix: str, texts: Fresh) -> Automation | None:
    """Return how a project is built, of the documents by their names; None where nobody builds it."""
    text = texts.text(names.automation_parameter(prefix, project))
    found = documents.readable([(project, text)]) if text else []
    return found[0] if found else None


def secret(prefix: str, project: str, secrets: "SecretsManagerClient | None" = None) -> str:
    """Return the secret that a project's webhooks are signed with; "" where there is none."""
    client: SecretsManagerClient = secrets or clients.client("secretsmanager")
    name = names.hook_secret(prefix, project)
    with translated(f"secretsmanager:GetSecretValue of {name}"), none_if_missing():
        return client.get_secret_value(SecretId=name)["SecretString"]
    return ""


class PushesQueue:
    """The queue of pushes. Every method raises ServiceBusyError and CallRefusedError."""

    def __init__(self, url: str, sqs: "SQSClient | None" = None) -> None:
        self._url = url
        self._sqs: SQSClient = sqs or clients.client("sqs")

    def send(self, told: Sequence[BranchTold]) -> None:
        """Send a message about each branch that a webhook told of; sent twice within minutes, it counts once.

        After that the table of branches knows that it was told.
        """
        for one in told:
            with translated(f"sqs:SendMessage of a message about {one.project}"):
                self._sqs.send_message(
                    QueueUrl=self._url,
                    MessageBody=json.dumps(one.message()),
                    MessageGroupId=one.project,
                    MessageDeduplicationId=names.token(TOLD, one.project, one.delivery, one.branch),
                )
