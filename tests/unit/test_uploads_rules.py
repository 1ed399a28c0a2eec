"""Names, descriptions, tokens and request ids are legal, and the same for the same thing."""

from datetime import timedelta

import pytest
from tests.support.botocore_strict import check_request
from tests.support.uploads import BUCKET, PIPELINE, Clock

from signalbox.uploads import rules
from signalbox.uploads.model import Run, Upload


@pytest.mark.parametrize("number", [1, 2, 5_000])
def test_name_and_description_are_legal_whatever_the_keys(number: int) -> None:
    uploads = [Upload(BUCKET, f"incoming/{index}\r\n\u2028\x85🐚 ünï.csv", "v", 1, "t") for index in range(number)]
    run = Run("p" * 200, 999_999_999, Clock()())
    description = rules.description(run, uploads)
    check_request(
        "sagemaker",
        "StartPipelineExecution",
        {
            "PipelineName": PIPELINE,
            "ClientRequestToken": run.token,
            "PipelineExecutionDisplayName": rules.display_name(run, uploads),
            "PipelineExecutionDescription": description,
        },
    )
    assert ("…" in description) == (number == 5_000)


def test_the_token_belongs_to_the_run_and_to_no_other() -> None:
    run = Run(PIPELINE, 1, Clock()())
    again = Run(PIPELINE, 1, Clock()() + timedelta(seconds=1))
    assert run.token == Run(PIPELINE, 1, Clock()()).token
    assert run.token != again.token
    assert run.at("Started").token == run.token


def test_requests_of_different_half_windows_have_different_ids() -> None:
    clock = Clock()
    first = rules.request_id("run-requested", PIPELINE, clock(), 1)
    clock.forward(0.49)
    assert rules.request_id("run-requested", PIPELINE, clock(), 1) == first
    clock.forward(0.01)
    assert rules.request_id("run-requested", PIPELINE, clock(), 1) != first
