"""State changes of a service, sent to the default bus; on demand each of them twice, as SageMaker may."""

import logging
import random
from typing import Any

from sagemaker_local import ministack

_LOG = logging.getLogger("sagemaker_local")


class BusEvents:
    """Sends events of one source.

    SageMaker "may send multiple events for each state change" (Developer Guide, automating-sagemaker-with-eventbridge):
    with `repeat` of 1.0 every event comes twice, with 0.5 every second one by the seeded chance. What others deliver by
    "best effort" (EventBridge reference) may come twice just as well.
    """

    def __init__(
        self, account: str, region: str, repeat: float = 0.0, seed: int = 0, source: str = "aws.sagemaker"
    ) -> None:
        self._account = account
        self._region = region
        self._source = source
        self._repeat = repeat
        self._source = source
        self._chance = random.Random(seed)  # noqa: S311  # a repeatable chance is the point

    def send(self, detail_type: str, resources: list[str], detail: dict[str, Any]) -> None:
        """Send one event, or two of them with ids of their own.

        Best effort, as on AWS: a bus that fails is written to the log, and what the event is about goes on.
        """
        ministack.use_scope(self._account, self._region)
        times = 2 if self._chance.random() < self._repeat else 1
        for _ in range(times):
            try:
                ministack.put_event(self._source, detail_type, resources, detail)
            except Exception:  # noqa: BLE001  # whatever it is
                _LOG.exception("an event was lost: %s %s", detail_type, resources)
