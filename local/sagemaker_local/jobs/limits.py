"""What SageMaker refuses of a job's times, before anything runs."""

from collections.abc import Mapping
from typing import Any

from sagemaker_local.core.errors import invalid

LONGEST = 432_000
"""Seconds of the longest run of a job (service quotas "Longest run time for a training job", "... processing job")."""


def check_times(request: Mapping[str, Any]) -> None:
    """Refuse a run that is longer than the quota, and a wait for spot capacity that does not fit.

    Source: API reference, StoppingCondition: the wait is that of a spot job, and at least as long as its run.

    Raises:
        ApiError: ValidationException.
    """
    stopping = request.get("StoppingCondition", {})
    run, wait = stopping.get("MaxRuntimeInSeconds"), stopping.get("MaxWaitTimeInSeconds")
    if run is not None and run > LONGEST:
        raise invalid(f"MaxRuntimeInSeconds {run} is longer than the longest run time of a job, {LONGEST} seconds.")
    if request.get("EnableManagedSpotTraining"):
        if wait is None or wait < (run or 0):
            raise invalid(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
                f"MaxRuntimeInSeconds ({run}) for managed spot training."
            )
    elif wait is not None:
        raise invalid("MaxWaitTimeInSeconds is for managed spot training only: set EnableManagedSpotTraining.")
