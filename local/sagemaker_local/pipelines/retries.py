"""Retry policies: which failures of a step are tried again, and after how long."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

SERVICE_FAULT = "Step.SERVICE_FAULT"
THROTTLING = "Step.THROTTLING"
INTERNAL_ERROR = "SageMaker.JOB_INTERNAL_ERROR"
CAPACITY_ERROR = "SageMaker.CAPACITY_ERROR"
RESOURCE_LIMIT = "SageMaker.RESOURCE_LIMIT"

RETRYABLE_TYPES = frozenset({"Processing", "Training", "Transform", "Model", "RegisterModel"})

_THROTTLED = {"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"}
_FAULTY = {"InternalFailure", "InternalServerError", "InternalError", "ServiceUnavailable", "ServiceException"}
_SERVER_ERROR = 500
# Bounds of RetryPolicies in the developer guide, "Retry policy for pipeline steps".
_BOUNDS = {"IntervalSeconds": (1, 43200), "BackoffRate": (0, 1e6), "MaxAttempts": (1, 20), "ExpireAfterMin": (1, 14400)}


@dataclass(frozen=True)
class Policy:
    """One policy; the defaults are those of the service."""

    faults: frozenset[str]
    interval: float = 1
    rate: float = 2
    attempts: float = 5
    expire_seconds: float | None = None


# Both are retried without being asked for.
_DEFAULT = Policy(frozenset({SERVICE_FAULT, THROTTLING}))


class Retries:
    """The attempts of one step."""

    def __init__(self, policies: list[dict[str, Any]]) -> None:
        self._policies = [*(_policy(raw) for raw in policies), _DEFAULT]
        self._used: dict[Policy, int] = {}

    def delay(self, fault: str | None, elapsed: float) -> float | None:
        """Return the seconds to wait before another attempt after `fault`, or None where there is none.

        `elapsed` are the seconds since the step began.
        """
        policy = next((policy for policy in self._policies if fault in policy.faults), None)
        if policy is None:
            return None
        used = self._used.get(policy, 0)
        expired = used >= policy.attempts if policy.expire_seconds is None else elapsed >= policy.expire_seconds
        if expired:
            return None
        self._used[policy] = used + 1
        return float(policy.interval * policy.rate**used)


def policy_problems(policies: Any) -> Iterator[str]:
    """Yield what is wrong with the RetryPolicies of a step."""
    if not isinstance(policies, list) or not all(isinstance(policy, dict) for policy in policies):
        yield "RetryPolicies must be a list of objects"
        return
    known = (SERVICE_FAULT, THROTTLING, INTERNAL_ERROR, CAPACITY_ERROR, RESOURCE_LIMIT)
    for policy in policies:
        faults = _faults(policy)
        yield from (f"RetryPolicies: ExceptionType {fault!r} is unknown" for fault in faults if fault not in known)
        if not faults:
            yield "RetryPolicies: ExceptionType is missing"
        if "MaxAttempts" in policy and "ExpireAfterMin" in policy:
            yield "RetryPolicies: MaxAttempts and ExpireAfterMin exclude each other"
        yield from (
            f"RetryPolicies: '{name}' is not a member"
            for name in sorted(set(policy) - set(_BOUNDS) - {"ExceptionType"})
        )
        for name, (low, high) in _BOUNDS.items():
            value = policy.get(name, low)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                yield f"RetryPolicies: {name} must be a number from {low} to {high:.0f}, not {value!r}"


def fault_of_call(error: ClientError) -> str | None:
    """Return the exception type of a refused call, or None where a repetition cannot help."""
    answer: Any = error.response
    code = answer.get("Error", {}).get("Code", "")
    if code in _THROTTLED:
        return THROTTLING
    if code in {"ResourceLimitExceeded", "ResourceLimitExceededException"}:
        return RESOURCE_LIMIT
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return SERVICE_FAULT if code in _FAULTY or status >= _SERVER_ERROR else None


def fault_of_job(reason: str) -> str | None:
    """Return the exception type of a failed job by its FailureReason, or None where a repetition cannot help."""
    marks = {
        "InternalServerError": INTERNAL_ERROR,
        "CapacityError": CAPACITY_ERROR,
        "ResourceLimitExceeded": RESOURCE_LIMIT,
    }
    return next((fault for mark, fault in marks.items() if mark in reason), None)


def _faults(policy: dict[str, Any]) -> list[Any]:
    """Return the exception types: a list, or, as older SDKs wrote, one string."""
    faults = policy.get("ExceptionType") or []
    return faults if isinstance(faults, list) else [faults]


def _policy(raw: dict[str, Any]) -> Policy:
    minutes = raw.get("ExpireAfterMin")
    return Policy(
        frozenset(_faults(raw)),
        raw.get("IntervalSeconds", 1),
        raw.get("BackoffRate", 2),
        raw.get("MaxAttempts", 5),
        None if minutes is None else minutes * 60,
    )
