"""What a release makes of each answer: every row, and that none is missing."""

from typing import Any, get_args

import pytest

from signalbox.contracts.errors import DYNAMODB, LAMBDA
from signalbox.contracts.releases import ReleaseAction
from signalbox.releases.reactions import REACTIONS, ROLLBACK_REACTIONS, row_for

UNCLEAR = "SageMaker.SageMakerException"
LIMIT = "SageMaker.ResourceLimitExceededException"
PATIENTLY = ["repeat"] * 9
# Neither is ever answered with a failure: the machine ends with them, or only waits.
NEVER_FAIL = {"wait", "done", "failed"}


def reactions(action: Any, error: str, times: int = 6, *, rolling_back: bool = False) -> list[str]:
    """Return the reactions to the first, second, … failure of an action in a row."""
    row = row_for(action, error, rolling_back=rolling_back)
    return [row.after(number) for number in range(1, times + 1)]


def test_every_action_that_can_fail_has_its_rows() -> None:
    assert set(REACTIONS) == set(get_args(ReleaseAction.__value__)) - NEVER_FAIL
    assert all(rows[-1].matches("anything") for rows in (*REACTIONS.values(), *ROLLBACK_REACTIONS.values()))


@pytest.mark.parametrize("action", ["create-model", "create-config", "create-endpoint", "update-endpoint"])
def test_a_call_whose_answer_is_unclear_is_looked_after_and_tried_three_times(action: str) -> None:
    for error in (UNCLEAR, "SageMaker.SdkClientException", "States.Timeout"):
        assert reactions(action, error, 4) == ["look", "look", "roll back", "roll back"]


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ("record", "DynamoDB.AmazonDynamoDBException"),
        ("record", "DynamoDB.InternalServerError"),
        ("record", "DynamoDB.InternalServerErrorException"),
        ("record", "DynamoDB.RequestLimitExceeded"),
        ("record", "DynamoDB.RequestLimitExceededException"),
        ("verify", "Lambda.ClientExecutionTimeoutException"),
        ("verify", "Lambda.Unknown"),
        ("verify", "Sandbox.Timedout"),
    ],
)
def test_an_error_that_passes_is_known_by_each_name_that_aws_may_give_it(action: str, error: str) -> None:
    assert reactions(action, error) == PATIENTLY[:6]


@pytest.mark.parametrize("action", ["create-model", "put-alarm", "create-config", "create-endpoint", "update-endpoint"])
def test_a_refusal_that_has_a_name_of_its_own_fails_the_stage_at_once(action: str) -> None:
    assert reactions(action, LIMIT, 1) == ["roll back"]
    assert reactions(action, "States.TaskFailed", 1) == ["roll back"]


@pytest.mark.parametrize(
    ("action", "error", "expected"),
    [
        ("put-alarm", "CloudWatch.CloudWatchException", ["repeat", "repeat", "repeat", "roll back"]),
        ("put-alarm", "CloudWatch.LimitExceededException", ["roll back"]),
        ("delete-endpoint", UNCLEAR, ["proceed"]),
        ("delete-endpoint", "States.TaskFailed", ["fail"]),
        ("delete-alarm", "CloudWatch.ResourceNotFound", ["proceed"]),
        ("delete-config", LIMIT, ["proceed"]),
        ("delete-model", "States.TaskFailed", ["proceed"]),
        ("review", "ReviewRejected", ["close"]),
        ("review", "States.Timeout", ["close"]),
        ("review", "Lambda.TooManyRequestsException", [*PATIENTLY, "fail"]),
        ("review", "MailError", ["fail"]),
        ("close-review", "ServiceBusyError", [*PATIENTLY, "fail"]),
        ("close-review", "ReviewError", ["fail"]),
        ("verify", "ServiceBusyError", [*PATIENTLY, "roll back"]),
        ("verify", "GoldenMismatchError", ["roll back"]),
        ("verify", "States.Timeout", [*PATIENTLY, "roll back"]),
        ("verify", "States.TaskFailed", ["roll back"]),
        ("record", "DynamoDB.ThrottlingException", [*PATIENTLY, "unrecorded"]),
        ("record", "DynamoDB.ResourceNotFoundException", ["unrecorded"]),
        ("announce", "Lambda.ServiceException", [*PATIENTLY, "fail"]),
        ("announce", "ServiceBusyError", [*PATIENTLY, "fail"]),
        # A function that ran may have sent some of the mails.
        ("announce", "MailError", ["fail"]),
        ("announce", "States.Timeout", ["fail"]),
    ],
)
def test_what_a_release_makes_of_an_error_on_its_way_forward(action: str, error: str, expected: list[str]) -> None:
    assert reactions(action, error, len(expected)) == expected


@pytest.mark.parametrize(
    ("action", "error", "expected"),
    [
        ("update-endpoint", LIMIT, ["proceed"]),
        ("delete-endpoint", "States.TaskFailed", ["proceed"]),
        ("delete-alarm", "CloudWatch.ResourceNotFound", ["proceed"]),
        ("delete-config", UNCLEAR, ["proceed"]),
        ("delete-model", UNCLEAR, ["proceed"]),
        ("verify", "ServiceBusyError", [*PATIENTLY, "unverified"]),
        ("verify", "GoldenMismatchError", ["unverified"]),
        ("record", "DynamoDB.ThrottlingException", [*PATIENTLY, "proceed"]),
        ("record", "DynamoDB.ResourceNotFoundException", ["proceed"]),
        ("announce", "Lambda.ServiceException", [*PATIENTLY, "proceed"]),
        ("announce", "MailError", ["proceed"]),
    ],
)
def test_nothing_hides_the_first_error_of_a_stage_that_is_rolled_back(
    action: str, error: str, expected: list[str]
) -> None:
    assert reactions(action, error, len(expected), rolling_back=True) == expected


def test_what_passes_by_itself_is_tried_again_wherever_a_function_is_asked_or_an_item_is_written() -> None:
    for action in ("review", "close-review", "verify", "announce"):
        assert all(row_for(action, error, rolling_back=False).reaction == "repeat" for error in LAMBDA)
    assert all(row_for("record", error, rolling_back=False).reaction == "repeat" for error in DYNAMODB)
