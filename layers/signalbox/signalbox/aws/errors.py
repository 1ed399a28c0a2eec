"""AWS's refusals as errors of ours: what passes by itself, what does not exist, and everything else.

The codes are botocore's (`error.response["Error"]["Code"]`), from each service's API reference, "Common Errors".
"""

import re
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

# Throttling and faults of the service: the same call later is likely to succeed. S3's HeadObject has no body, so its
# code is the HTTP status.
BUSY = frozenset(
    {
        "500",
        "503",
        "InternalFailure",
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
        "TooManyRequestsException",
    }
)
_MISSING = frozenset({"404", "NoSuchBucket", "NoSuchKey", "NotFound", "ParameterNotFound", "ResourceNotFound"})
# SageMaker has a code for what does not exist; its older operations send a ValidationException that says so.
_MISSING_WORDS = re.compile(r"could not find|cannot find|does not exist|not found", re.IGNORECASE)


class ServiceBusyError(Exception):
    """AWS throttled the call or failed for a moment: the same call later is likely to succeed.

    `conflict` says that another transaction wrote the same items in that moment.
    """

    def __init__(self, operation: str, reason: str, *, conflict: bool = False) -> None:
        super().__init__(f"{operation}: {reason}: try again in a moment")
        self.reason = reason
        self.conflict = conflict


class CallRefusedError(Exception):
    """AWS refused a call, and a repetition would not help.

    `code` is AWS's; `reasons` are the codes of a cancelled transaction's parts, in their order ("None" where a part
    was fine).
    """

    def __init__(self, operation: str, code: str, message: str, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(f"{operation} was refused: {code} {message}".rstrip())
        self.code = code
        self.reasons = reasons


def code_of(error: ClientError) -> str:
    """Return AWS's code of an error."""
    return error.response["Error"]["Code"]


def message_of(error: ClientError) -> str:
    """Return AWS's words about an error, or the whole error where it has none."""
    return error.response["Error"].get("Message") or str(error)


def is_missing(error: ClientError) -> bool:
    """Say whether AWS answers that there is no such thing."""
    code = code_of(error)
    if code in _MISSING or code.startswith("ResourceNotFound"):
        return True
    return code == "ValidationException" and bool(_MISSING_WORDS.search(message_of(error)))


def _reasons(error: ClientError) -> tuple[str, ...]:
    """Return the codes of a cancelled transaction's parts; none for another error."""
    reasons: object = error.response.get("CancellationReasons", [])
    return tuple(one.get("Code", "None") for one in reasons) if isinstance(reasons, list) else ()


class translated:  # noqa: N801  # read as a verb; a class, because a generator's context costs three times the calls
    """Turn what AWS's library raises in the block into errors of ours; `operation` is named in their messages.

    Raises:
        ServiceBusyError: the call was throttled, the service failed, or could not be reached.
        CallRefusedError: any other refusal.
    """

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ClientError):
            code, message = code_of(error), message_of(error)
            if code in BUSY:
                raise ServiceBusyError(self._operation, f"{code} {message}") from error
            raise CallRefusedError(self._operation, code, message, _reasons(error)) from error
        if isinstance(error, BotoCoreError):
            raise ServiceBusyError(self._operation, str(error)) from error


class none_if_missing:  # noqa: N801  # the same
    """Leave the block where AWS says that there is no such thing, so that what follows it can return None."""

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        return isinstance(error, ClientError) and is_missing(error)


def or_none[Answer](operation: str, call: Callable[..., Answer], **request: object) -> Answer | None:
    """Return the answer to a call, or None where AWS says that there is no such thing.

    Raises:
        ServiceBusyError: see `translated`.
        CallRefusedError: see `translated`.
    """
    with translated(operation), none_if_missing():
        return call(**request)
    return None
