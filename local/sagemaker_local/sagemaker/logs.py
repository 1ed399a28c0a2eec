"""A job's output in CloudWatch Logs, where SageMaker writes it: as the job's role, into the group of its kind.

Source: Developer Guide, "Log groups and streams that Amazon SageMaker AI sends to Amazon CloudWatch Logs".
"""

import logging
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sagemaker_local.runtime.process import tail

_LOG = logging.getLogger("sagemaker_local")
# What one call of PutLogEvents takes is 10,000 events and 1 MB (API reference); the end of a log is what people read.
_LINES, _WIDTH = 1_000, 1_000


def keep(logs: Any, kind: str, job: str, output: Path | None, now: datetime) -> None:
    """Put a job's output into its stream: `kind` is the job's, as `TrainingJob`; an output that is not there is none.

    A role that may not write logs leaves none, and its job goes on all the same.
    """
    written = tail(output, _LINES).splitlines() if output else []
    at = int(now.timestamp() * 1000)
    events = [{"timestamp": at, "message": line[:_WIDTH]} for line in written if line.strip()]
    if not events:
        return
    place = {"logGroupName": f"/aws/sagemaker/{kind}s", "logStreamName": f"{job}/algo-1-{at // 1000}"}
    try:
        _make(logs.create_log_group, logGroupName=place["logGroupName"])
        _make(logs.create_log_stream, **place)
        logs.put_log_events(**place, logEvents=events)
    except (ClientError, BotoCoreError) as error:
        _LOG.warning("the log of %s is not in CloudWatch: %s", job, error)


def _make(create: Any, **request: str) -> None:
    try:
        create(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
            raise
