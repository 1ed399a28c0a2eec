"""The logs of SageMaker's jobs and of builds in CloudWatch Logs."""

from typing import TYPE_CHECKING

from signalbox import plain
from signalbox.aws import clients
from signalbox.aws.errors import CallRefusedError, ServiceBusyError, none_if_missing, translated
from signalbox.observability import logger

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

# What a person reads at a glance, and a mail has room for.
LINES, WIDTH = 20, 300


class JobLogs:
    """The log groups that SageMaker writes; a job's streams begin with its name (Developer Guide, "Log groups …")."""

    def __init__(self, logs: "CloudWatchLogsClient | None" = None) -> None:
        self._given = logs

    def tail(self, group: str, job: str) -> tuple[str, ...]:
        """Return the last lines of the stream that a job wrote to last: at most 20, of at most 300 characters each.

        None where there are none, or where they cannot be read: what they are read for goes on without them.
        """
        try:
            with translated(f"logs:GetLogEvents of {job} in {group}"), none_if_missing():
                return self._tail(group, job)
        except (ServiceBusyError, CallRefusedError) as error:
            logger.warning("log could not be read", extra={"job": job, "reason": str(error)})
        return ()

    def _tail(self, group: str, job: str) -> tuple[str, ...]:
        # Made here, not at the cold start: most mails are about no job.
        logs: CloudWatchLogsClient = self._given or clients.client("logs")
        streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]
        if not streams:
            return ()
        last = max(streams, key=lambda stream: stream.get("lastEventTimestamp", 0))
        return _last_lines(logs, group, last["logStreamName"])


class BuildLogs:
    """The logs of builds, each of which writes one stream."""

    def __init__(self, logs: "CloudWatchLogsClient | None" = None) -> None:
        self._given = logs

    def tail(self, group: str, stream: str) -> tuple[str, ...]:
        """Return the last lines of a stream, as `JobLogs.tail` does those of a job."""
        try:
            with translated(f"logs:GetLogEvents of {stream} in {group}"), none_if_missing():
                return _last_lines(self._given or clients.client("logs"), group, stream)
        except (ServiceBusyError, CallRefusedError) as error:
            logger.warning("log could not be read", extra={"stream": stream, "reason": str(error)})
        return ()


def _last_lines(logs: "CloudWatchLogsClient", group: str, stream: str) -> tuple[str, ...]:
    found = logs.get_log_events(logGroupName=group, logStreamName=stream, limit=LINES)
    return plain.tail((event["message"] for event in found["events"]), LINES, WIDTH)
