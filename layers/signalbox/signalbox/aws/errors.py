"""AWS's refusals as errors of ours: what passes by itself, what does not exist, and everything else.

The codes are botocore's (`error.response["Error"]["Code"]`), from each service's API reference, "Common Errors".
"""

import re
from collections.abc import Callable

from botocore.exceptions import (
    BotoCoreError,
    ChecksumError,
    ClientError,
    ConnectionError,  # noqa: A004  # the library's name for it
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.parsers import ResponseParserError

# Throttling and faults of the service that come without a status of 500 or more: the same call later is likely to
# succeed. They are those that botocore itself repeats (`botocore.retries.standard`), and these.
BUSY = frozenset(
    {
        "500",  # S3's HeadObject has no body, so its code is the HTTP status
        "503",
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "KMS.ThrottlingException",
        "KMSThrottlingException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_TOO_MANY, _FAULTS = 429, 500
# The connection was refused, broke, or said nothing in time; or an answer came cut off or garbled.
_LOST = (
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ChecksumError,
    FlexibleChecksumError,
    ResponseParserError,
)
_MISSING = frozenset(
    {"404", "NoSuchBucket", "NoSuchKey", "NoSuchVersion", "NotFound", "ParameterNotFound", "ResourceNotFound"}
)
# SageMaker has a code for what does not exist; its older operations send a ValidationException that says so.
_MISSING_WORDS = r"(?i)could not find|cannot find|does not exist|not found"


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

    `code` is AWS's, or the name of the library's error; `reasons` are the codes of a cancelled transaction's parts, in
    their order ("None" where a part was fine); `item` is what stands where a condition did not hold, as DynamoDB writes
    it. `repeated` says that the library had tried the call before: AWS may have done it then, and only the answer was
    lost.
    """

    def __init__(self, operation: str, code: str, message: str, error: ClientError | None = None) -> None:
        super().__init__(f"{operation} was refused: {code} {message}".rstrip())
        answer: dict[str, object] = {**error.response} if error else {}
        reasons, item = answer.get("CancellationReasons"), answer.get("Item")
        self.code = code
        self.reasons = tuple(one.get("Code", "None") for one in reasons) if isinstance(reasons, list) else ()
        self.item: dict[str, object] = item if isinstance(item, dict) else {}
        self.repeated = error is not None and error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0


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
    return code == "ValidationException" and bool(re.search(_MISSING_WORDS, message_of(error)))


def is_busy(error: ClientError) -> bool:
    """Say whether AWS throttled the call or failed at it, so that the same call later is likely to succeed."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code_of(error) in BUSY or status == _TOO_MANY or status >= _FAULTS


def is_lost(error: BaseException | None) -> bool:
    """Say whether the library got no answer, or only a part of one: nobody knows whether AWS did what was asked."""
    return isinstance(error, _LOST)


class translated:  # noqa: N801  # read as a verb; a class, because a generator's context costs three times the calls
    """Turn what AWS's library raises in the block into errors of ours; `operation` is named in their messages.

    Raises:
        ServiceBusyError: the call was throttled, the service failed, could not be reached, or its answer was lost.
        CallRefusedError: any other refusal.
    """

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ClientError):
            code, message = code_of(error), message_of(error)
            if is_busy(error):
                raise ServiceBusyError(self._operation, f"{code} {message}") from error
            raise CallRefusedError(self._operation, code, message, error) from error
        if is_lost(error):
            raise ServiceBusyError(self._operation, str(error)) from error
        if isinstance(error, BotoCoreError):  # the call was not even made: a wrong parameter, no credentials
            raise CallRefusedError(self._operation, type(error).__name__, str(error)) from error


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
