"""The last lines of a job's log: from the stream that was written to last, short, and without anything unseen."""

from typing import Any

import pytest
from tests.support.botocore_strict import RecordingClient, client_error

from signalbox.aws import clients
from signalbox.aws.logs import LINES, WIDTH, JobLogs

GROUP, JOB = "/aws/sagemaker/TrainingJobs", "signalbox-iris-training-0a1b2c3d"
STREAMS = [
    {"logStreamName": f"{JOB}/algo-1-1", "lastEventTimestamp": 2},
    {"logStreamName": f"{JOB}/algo-2-1", "lastEventTimestamp": 5},
    {"logStreamName": f"{JOB}/algo-3-1"},
]


def logs(*messages: str, **changes: Any) -> RecordingClient:
    events = {"events": [{"message": message, "timestamp": 1} for message in messages]}
    return RecordingClient(
        "logs", {"describe_log_streams": {"logStreams": STREAMS}, "get_log_events": events} | changes
    )


def tail(client: Any) -> tuple[str, ...]:
    return JobLogs(client).tail(GROUP, JOB)


def test_the_stream_that_was_written_to_last_is_read_from_its_end() -> None:
    client = logs("epoch 1", "no such file")

    assert tail(client) == ("epoch 1", "no such file")
    assert client.calls == [
        ("DescribeLogStreams", {"logGroupName": GROUP, "logStreamNamePrefix": f"{JOB}/"}),
        ("GetLogEvents", {"logGroupName": GROUP, "logStreamName": f"{JOB}/algo-2-1", "limit": LINES}),
    ]


def test_lines_are_bounded_and_have_nothing_that_moves_a_cursor_or_a_direction() -> None:
    found = tail(logs(*["x" * 9_000] * 15, *["a\r\n\x1b[31mred\x1b[0m\u202e\x00\n\n"] * 15))

    assert len(found) == LINES
    assert set(found) == {"a", "red"}
    assert tail(logs("x" * 9_000)) == ("x" * (WIDTH - 1) + "…",)


@pytest.mark.parametrize(
    "answers",
    [
        {"describe_log_streams": {"logStreams": []}},
        {"describe_log_streams": client_error("ResourceNotFoundException")},
        {"describe_log_streams": client_error("AccessDeniedException")},
        {"get_log_events": client_error("ThrottlingException")},
        {"get_log_events": {"events": []}},
    ],
)
def test_a_log_that_is_not_there_or_cannot_be_read_has_no_lines(answers: dict[str, Any]) -> None:
    assert tail(logs("a", **answers)) == ()


def test_without_a_client_the_functions_own_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "client", {"logs": logs("a")}.__getitem__)

    assert JobLogs().tail(GROUP, JOB) == ("a",)
