"""The command line reads the stack's outputs, and says clearly what is missing."""

import pytest
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.stack import OUTPUTS, CloudFormation

from signalbox_operate.stack import OperateError, read


def test_a_deployed_stack_tells_its_outputs() -> None:
    assert read("signalbox", CloudFormation()).output("DataBucket") == "signalbox-data"


def test_a_stack_that_does_not_exist_is_named_with_what_to_do() -> None:
    with pytest.raises(OperateError, match="there is no stack 'other' in this account and region: deploy it with"):
        read("other", CloudFormation())


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"])
def test_a_stack_that_is_not_deployed_to_its_end_is_refused(status: str) -> None:
    with pytest.raises(OperateError, match=f"stack 'signalbox' is {status}"):
        read("signalbox", CloudFormation(status))


def test_a_stack_that_went_back_to_its_last_good_state_serves() -> None:
    assert read("signalbox", CloudFormation("UPDATE_ROLLBACK_COMPLETE")).outputs == OUTPUTS


def test_an_output_that_is_missing_is_named() -> None:
    with pytest.raises(OperateError, match="stack 'signalbox' has no output DataBucket"):
        read("signalbox", CloudFormation(outputs={"Prefix": "signalbox"})).output("DataBucket")


def test_another_refusal_of_aws_is_not_hidden() -> None:
    denied = client_error("AccessDenied", "not allowed")
    with pytest.raises(RecordingClient("cloudformation").exceptions.ClientError, match="not allowed"):
        read("signalbox", RecordingClient("cloudformation", {"describe_stacks": denied}))
