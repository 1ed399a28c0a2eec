"""Mailing every approver that an execution of a machine ended without a word of its own: stopped, or out of time."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol

from signalbox.events import MachineStopped
from signalbox.notifications import stopped_texts
from signalbox.notifications.notifying import NotifyingPorts, send
from signalbox.observability import count, logger

if TYPE_CHECKING:
    from signalbox.contracts.endings import RunReport

# Longer than the function may run (30 s), shorter than Lambda waits before it tries again (1 minute): a claim that
# is older belongs to an invocation that died.
LEASE = timedelta(seconds=45)


class MailLog(Protocol):
    """Which executions people were notified of by mail: see `uploads.ports.NotificationLog`."""

    def notified(self, execution: str) -> bool:
        """Say whether the mail about an execution was sent."""

    def claim(self, execution: str, now: datetime, lease: timedelta) -> bool:
        """Take the mail upon oneself; False if it was sent before. Raises while somebody else is at it."""

    def close(self, execution: str, now: datetime) -> None:
        """Write down that the mail was sent."""


class StoppingPorts(NamedTuple):
    """What reporting needs from outside; `last_action` tells what an execution did last for a model, "" for nothing."""

    log: MailLog
    last_action: Callable[[str, str], str]
    mails: NotifyingPorts
    clock: Callable[[], datetime]


def report(event: Mapping[str, object], ports: StoppingPorts) -> "RunReport":
    """Notify people of an execution that was stopped or ran out of time: one mail, however often the event comes.

    Raises:
        EventError: the event does not parse.
        MailError: nobody could be reached.
        ServiceBusyError, CallRefusedError: AWS did not take a call.
    """
    change = MachineStopped.read(event)
    notified = ports.log.notified(change.execution_arn)
    if not notified and ports.log.claim(change.execution_arn, ports.clock(), LEASE):
        content = stopped_texts.stopped(change, ports.last_action(change.model, change.name))
        send(content, change.execution_arn, ports.mails.about(change.package or change.model))
        ports.log.close(change.execution_arn, ports.clock())
        count("StopReported")
        logger.info("stopped execution reported", extra={"execution": change.execution_arn, "status": change.status})
        return {"outcome": "notified", "execution": change.execution_arn, "status": change.status}
    count("StopReportRepeated")
    return {"outcome": "notified-before", "execution": change.execution_arn, "status": change.status}
