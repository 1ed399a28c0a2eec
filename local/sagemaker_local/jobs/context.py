"""What a job is given from outside, and what it hands back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sagemaker_local.runtime.process import TRAINING_GRACE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

type OnStatus = Callable[[str, str], None]
"""Called with a secondary status and its message, each time the job moves on."""


@dataclass(frozen=True)
class JobContext:
    """What a job needs besides its request.

    Attributes:
        folder: an empty folder of the job's own; `ml/` in it stands for /opt/ml, `log` is the program's output.
        s3: a client that acts with the job's role.
        environment: what the role's container credentials and region come to: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
            AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL.
        containers: the folder of the images that the project brings itself.
        grace: seconds between SIGTERM and SIGKILL.
        on_line: called with each line that the program prints.
        on_metrics: called with the metrics of MetricDefinitions that a line of a training program has numbers of.
    """

    folder: Path
    s3: S3Client
    environment: Mapping[str, str]
    containers: Path
    grace: float = TRAINING_GRACE
    on_line: Callable[[str], None] | None = None
    on_metrics: Callable[[Mapping[str, float]], None] | None = None


@dataclass(frozen=True)
class Outcome:
    """How a job ended, in the words of its Describe call.

    Attributes:
        status: Completed, Failed or Stopped.
        secondary: the last secondary status (training); equal to `status` otherwise.
        failure_reason: FailureReason, at most 1,024 characters.
        exit_message: ExitMessage of a processing job: the text its program left in /opt/ml/output/message.
        model_artifacts: ModelArtifacts.S3ModelArtifacts of a training job.
        metrics: FinalMetricDataList of a training job.
        log: the program's output; None if it never started.
        started: when the program was started; None if it never was.
        ended: when it ended, or the job without it.
    """

    status: str
    secondary: str
    failure_reason: str | None = None
    exit_message: str | None = None
    model_artifacts: str | None = None
    metrics: list[dict[str, Any]] = field(default_factory=list)
    log: Path | None = None
    started: datetime | None = None
    ended: datetime = field(default_factory=lambda: datetime.now(UTC))
