"""Whom the journey of a push hands on to: the runs of pipelines, and the machine that trains an image."""

import json
from typing import TYPE_CHECKING

from signalbox import names
from signalbox.aws import clients
from signalbox.aws.errors import translated
from signalbox.aws.machines import StateMachines
from signalbox.pushes import rules
from signalbox.pushes.model import Changed, TrainedImage

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_GROUP_LIMIT = 128  # Amazon SQS API reference, SendMessage: MessageGroupId


class Handing:
    """The queue of runs, and the machine. Every method raises ServiceBusyError and CallRefusedError."""

    def __init__(
        self,
        runs_queue_url: str,
        machine_arn: str,
        sqs: "SQSClient | None" = None,
        machines: StateMachines | None = None,
    ) -> None:
        self._queue_url = runs_queue_url
        self._machine_arn = machine_arn
        self._sqs: SQSClient = sqs or clients.client("sqs")
        self._machines = machines or StateMachines()

    def run_again(self, pipeline: str, changed: Changed) -> None:
        """Ask for a run of a pipeline that a commit has changed; asked twice, it is done once."""
        about = {"commit": changed.commit, "number": changed.number}
        with translated(f"sqs:SendMessage of a message about {pipeline}"):
            self._sqs.send_message(
                QueueUrl=self._queue_url,
                MessageBody=json.dumps({"kind": rules.RUN_AGAIN, "pipeline": pipeline, **about}),
                MessageGroupId=names.slug(pipeline, _GROUP_LIMIT),
                MessageDeduplicationId=names.token(rules.RUN_AGAIN, pipeline, changed.commit, str(changed.number)),
            )

    def train(self, image: TrainedImage, by: str) -> bool:
        """Train an image; False if that was started before.

        The name is made as the command line makes it: the same image, commit and model, the same execution.
        """
        key = names.token(image.image, image.commit, image.model, "1")[:12]
        name = names.execution("train", image.model, image.commit[:12], key)
        given = {"image": image.image, "commit": image.commit, "model": image.model, "started_by": by}
        return self._machines.start(self._machine_arn, name, given)
