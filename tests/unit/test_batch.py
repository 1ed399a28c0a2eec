"""A bad message is reported with its reason, and the good ones go on."""

import logging
from collections.abc import Mapping
from typing import Any

import pytest
from tests.support.samples import sqs_event

from signalbox import batch
from signalbox.events import EventError
from signalbox.observability import logger


def read(body: Mapping[str, Any]) -> int:
    if "number" not in body:
        raise EventError("the event has no member 'number'")
    return int(body["number"])


class Handled:
    """Remembers numbers, and fails at 13."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def __call__(self, number: int) -> None:
        """Handle a number."""
        if number == 13:
            raise RuntimeError("unlucky")
        self.numbers.append(number)


def failed(response: Mapping[str, Any]) -> list[str]:
    return [item["itemIdentifier"] for item in response["batchItemFailures"]]


def test_good_messages_are_handled_and_none_is_reported() -> None:
    handled = Handled()
    assert batch.process(sqs_event({"number": 1}, {"number": 2}), read, handled) == {"batchItemFailures": []}
    assert handled.numbers == [1, 2]


def test_a_message_that_is_not_understood_is_reported_with_its_reason_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logger, "_logger", logging.getLogger("batch"))
    event = sqs_event({"number": 1}, "not json", "[1]", {}, {"number": 2})
    handled = Handled()
    assert failed(batch.process(event, read, handled)) == ["m-1", "m-2", "m-3"]
    assert handled.numbers == [1, 2]
    told = [(record.getMessage(), vars(record)["message_id"], vars(record)["reason"]) for record in caplog.records]
    assert [message for message, _, _ in told] == ["message not understood"] * 3
    assert [message_id for _, message_id, _ in told] == ["m-1", "m-2", "m-3"]
    assert "the message is not JSON" in told[0][2]
    assert "the message is a JSON list, not an object" in told[1][2]
    assert "no member 'number'" in told[2][2]


def test_a_message_that_fails_is_reported_alone_in_a_standard_queue() -> None:
    handled = Handled()
    event = sqs_event({"number": 13}, {"number": 2})
    assert failed(batch.process(event, read, handled)) == ["m-0"]
    assert handled.numbers == [2]


def test_a_message_that_fails_holds_back_those_behind_it_in_its_group() -> None:
    handled = Handled()
    event = sqs_event({"number": 1}, {"number": 13}, {"number": 2}, {"number": 3}, group="g")
    event["Records"][3]["attributes"]["MessageGroupId"] = "another"
    assert failed(batch.process(event, read, handled)) == ["m-1", "m-2"]
    assert handled.numbers == [1, 3]


def test_a_message_that_is_not_understood_holds_nobody_back_in_its_group() -> None:
    handled = Handled()
    event = sqs_event("not json", {"number": 2}, group="g")
    assert failed(batch.process(event, read, handled)) == ["m-0"]
    assert handled.numbers == [2]


def test_an_event_that_is_not_from_a_queue_is_refused() -> None:
    with pytest.raises(EventError, match="no member 'Records'"):
        batch.process({"detail-type": "x"}, read, Handled())
