"""What AWS refuses is told apart: what passes by itself, what does not exist, and everything else."""

from typing import Any

import pytest
from botocore.exceptions import (
    ChecksumError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    ResponseStreamingError,
    SSLError,
)
from botocore.parsers import ResponseParserError
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker
from tests.support.botocore_strict import client_error

from signalbox.aws.errors import _LOST, BUSY, CallRefusedError, ServiceBusyError, is_missing, or_none, translated

CALL = "s3:HeadObject of s3://data/a.csv"


def raises(error: Exception) -> Any:
    def call(**_: Any) -> None:
        raise error

    return call


def cancelled(*codes: str | None) -> ClientError:
    error = client_error("TransactionCanceledException")
    response: Any = error.response
    response["CancellationReasons"] = [{"Code": code} if code else {} for code in codes]
    return error


@pytest.mark.parametrize("code", sorted(BUSY))
def test_what_passes_by_itself_is_busy_and_names_the_call(code: str) -> None:
    with pytest.raises(ServiceBusyError) as caught, translated(CALL):
        raise client_error(code, "Rate exceeded")
    assert str(caught.value) == f"{CALL}: {code} Rate exceeded: try again in a moment"
    assert caught.value.reason == f"{code} Rate exceeded"
    assert isinstance(caught.value.__cause__, ClientError)


@pytest.mark.parametrize(
    "error", [EndpointConnectionError(endpoint_url="https://s3"), ReadTimeoutError(endpoint_url="https://s3")]
)
def test_a_service_that_cannot_be_reached_is_busy(error: Exception) -> None:
    with pytest.raises(ServiceBusyError, match=CALL), translated(CALL):
        raise error


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 530])
def test_a_fault_of_the_service_is_busy_whatever_its_code(status: int) -> None:
    with pytest.raises(ServiceBusyError, match="Whatever"), translated(CALL):
        raise client_error("Whatever", status=status)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionClosedError(endpoint_url="https://s3"),
        ConnectTimeoutError(endpoint_url="https://s3"),
        SSLError(endpoint_url="https://s3", error=OSError("broken")),
        HTTPClientError(error="broken"),
        ResponseStreamingError(error="broken"),
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
        ChecksumError(checksum_type="crc32", expected_checksum="1", actual_checksum="2"),
        FlexibleChecksumError(error_msg="Expected checksum"),
        ResponseParserError("garbled"),
    ],
)
def test_an_answer_that_is_lost_or_cut_off_is_busy(error: Exception) -> None:
    with pytest.raises(ServiceBusyError, match=CALL), translated(CALL):
        raise error


@pytest.mark.parametrize("error", [NoCredentialsError(), ParamValidationError(report="Missing Bucket")])
def test_a_call_that_was_never_made_is_refused_because_no_repetition_would_help(error: Exception) -> None:
    with pytest.raises(CallRefusedError, match=f"was refused: {type(error).__name__}"), translated(CALL):
        raise error


def test_all_that_the_library_repeats_is_busy() -> None:
    throttled: Any = ThrottledRetryableChecker
    transient: Any = TransientRetryableChecker
    assert {*throttled._THROTTLED_ERROR_CODES, *transient._TRANSIENT_ERROR_CODES} <= BUSY
    assert all(issubclass(kind, _LOST) for kind in transient._TRANSIENT_EXCEPTION_CLS)


def test_another_refusal_keeps_its_code_and_names_the_call() -> None:
    with pytest.raises(CallRefusedError) as caught, translated(CALL):
        raise client_error("AccessDenied", "not yours")
    assert str(caught.value) == f"{CALL} was refused: AccessDenied not yours"
    assert (caught.value.code, caught.value.reasons) == ("AccessDenied", ())


def test_a_refusal_without_a_message_is_told_by_the_whole_error() -> None:
    with pytest.raises(CallRefusedError, match="An error occurred"), translated(CALL):
        raise client_error("AccessDenied", "")


def test_a_cancelled_transaction_has_the_reasons_of_its_parts_in_their_order() -> None:
    with pytest.raises(CallRefusedError) as caught, translated(CALL):
        raise cancelled("None", "ConditionalCheckFailed", None)
    assert caught.value.reasons == ("None", "ConditionalCheckFailed", "None")


def test_an_error_that_is_not_awss_goes_through() -> None:
    with pytest.raises(TimeoutError), translated(CALL):
        raise TimeoutError


def test_what_fails_nowhere_is_not_touched() -> None:
    with translated(CALL):
        done = True
    assert done


@pytest.mark.parametrize(
    ("code", "message", "missing"),
    [
        ("404", "Not Found", True),
        ("NoSuchKey", "", True),
        ("NoSuchBucket", "", True),
        ("ResourceNotFound", "", True),
        ("ResourceNotFoundException", "", True),
        ("ParameterNotFound", "", True),
        ("ValidationException", "Could not find model 'm'", True),
        ("ValidationException", "the pipeline does not exist", True),
        ("ValidationException", "the name is too long", False),
        ("403", "Forbidden", False),
        ("AccessDeniedException", "not found in your permissions", False),
    ],
)
def test_only_what_does_not_exist_is_missing(code: str, message: str, missing: bool) -> None:
    assert is_missing(client_error(code, message)) is missing


def test_or_none_returns_the_answer_and_passes_the_request_on() -> None:
    assert or_none(CALL, lambda **request: request, Bucket="data", Key="a.csv") == {"Bucket": "data", "Key": "a.csv"}


def test_or_none_returns_none_only_for_what_is_missing() -> None:
    assert or_none(CALL, raises(client_error("404"))) is None
    with pytest.raises(CallRefusedError, match="403"):
        or_none(CALL, raises(client_error("403")))
    with pytest.raises(ServiceBusyError, match="SlowDown"):
        or_none(CALL, raises(client_error("SlowDown")))
