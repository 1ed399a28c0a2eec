"""A bad message is dead-lettered with its reason, one that fails comes back, and the good ones go on."""

import logging
from collections.abc import Mapping
from typing import Any

import pytest
from tests.support.samples import sqs_event
from tests.support.uploads import MemoryDeadLetterQueue

from signalbox.batch import Consumer
from signalbox.events import EventError
from signalbox.observability import logger
from signalbox.reading import Fields


def read(body: Mapping[str, object]) -> int:
    return Fields(body, EventError).whole("number")


class Handled:
    """Remembers numbers, and fails at 13."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def __call__(self, number: int) -> None:
        """Handle a number."""
        if number == 13:
            raise RuntimeError("unlucky")
        self.numbers.append(number)


class World:
    """A consumer, what it handled, and its dead-letter queue."""

    def __init__(self) -> None:
        self.handled = Handled()
        self.dead_letters = MemoryDeadLetterQueue()

    def deliver(self, event: Mapping[str, Any]) -> list[str]:
        """Deliver a batch; return the ids of the messages that come back."""
        consumer = Consumer(event, read, self.dead_letters)
        for delivery in consumer:
            with delivery as number:
                self.handled(number)
        return [item["itemIdentifier"] for item in consumer.response["batchItemFailures"]]


@pytest.fixture
def world() -> World:
    return World()


def test_good_messages_are_handled_and_none_is_reported(world: World) -> None:
    assert world.deliver(sqs_event({"number": 1}, {"number": 2})) == []
    assert world.handled.numbers == [1, 2]


def test_a_message_that_is_not_understood_is_dead_lettered_as_it_came_and_the_others_go_on(world: World) -> None:
    assert world.deliver(sqs_event({"number": 1}, "not json", "[1]", {}, {"number": 2})) == []
    assert world.handled.numbers == [1, 2]
    reasons = world.dead_letters.reasons
    assert list(reasons) == ["m-1", "m-2", "m-3"]
    assert "the message is not JSON" in reasons["m-1"]
    assert "the message is a JSON list, not an object" in reasons["m-2"]
    assert "number is missing: give a whole number" in reasons["m-3"]
    letter = world.dead_letters.letters[0]
    assert (letter.body, letter.group) == ("not json", None)
    assert letter.source == "arn:aws:sqs:us-east-1:123456789012:uploads"


def test_a_message_that_cannot_be_dead_lettered_comes_back_and_the_others_go_on(world: World) -> None:
    world.dead_letters.refuses = True
    assert world.deliver(sqs_event("not json", {"number": 2})) == ["m-0"]
    assert world.handled.numbers == [2]
    world.dead_letters.refuses = False
    assert world.deliver(sqs_event("not json")) == []
    assert list(world.dead_letters.reasons) == ["m-0"]


def test_the_log_names_each_message_that_is_not_understood_and_why(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    monkeypatch.setattr(logger, "_logger", logging.getLogger("batch"))
    world.deliver(sqs_event("not json", "[1]"))
    told = [(record.getMessage(), vars(record)["message_id"], vars(record)["reason"]) for record in caplog.records]
    assert [message for message, _, _ in told] == ["message not understood"] * 2
    assert [message_id for _, message_id, _ in told] == ["m-0", "m-1"]
    assert "the message is not JSON" in told[0][2]


def test_a_message_that_fails_is_reported_alone_in_a_standard_queue(world: World) -> None:
    assert world.deliver(sqs_event({"number": 13}, {"number": 2})) == ["m-0"]
    assert world.handled.numbers == [2]
    assert world.dead_letters.letters == []


def test_a_message_that_fails_holds_back_those_behind_it_in_its_group(world: World) -> None:
    event = sqs_event({"number": 1}, {"number": 13}, {"number": 2}, {"number": 3}, group="g")
    event["Records"][3]["attributes"]["MessageGroupId"] = "another"
    assert world.deliver(event) == ["m-1", "m-2"]
    assert world.handled.numbers == [1, 3]


@pytest.mark.parametrize("refuses", [False, True])
def test_a_message_that_is_not_understood_holds_nobody_back_in_its_group(world: World, refuses: bool) -> None:
    world.dead_letters.refuses = refuses
    assert world.deliver(sqs_event("not json", {"number": 2}, group="g")) == (["m-0"] if refuses else [])
    assert world.handled.numbers == [2]


def test_an_event_that_is_not_from_a_queue_is_refused(world: World) -> None:
    with pytest.raises(EventError, match="no member 'Records'"):
        world.deliver({"detail-type": "x"})
