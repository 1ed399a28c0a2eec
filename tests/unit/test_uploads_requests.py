"""A run is asked for once in half a delay of the queue, however many uploads come, and never too early to see them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.samples import sample, sqs_event, with_detail
from tests.support.uploads import (
    PIPELINE,
    Clock,
    MemoryDeadLetterQueue,
    MemoryObjects,
    MemoryProjects,
    MemoryTables,
)

from signalbox.aws.errors import ServiceBusyError
from signalbox.uploads.adapters import SqsRunRequests
from signalbox.uploads.recording import RecordingPorts, record

DELAY = 60
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Queue:
    """A FIFO queue with a delay: it swallows an id that it accepted in a group in the last five minutes."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._accepted: dict[tuple[str, str], float] = {}
        self.delivered: list[tuple[str, float]] = []
        self.calls = 0

    def send_message(self, **request: Any) -> dict[str, str]:
        """Take a message, or swallow it."""
        self.calls += 1
        known = request["MessageGroupId"], request["MessageDeduplicationId"]
        if known not in self._accepted or self._now() - self._accepted[known] > 300:
            self._accepted[known] = self._now()
            self.delivered.append((request["MessageGroupId"], self._now() + DELAY))
        return {"MessageId": "m"}


class World:
    """Some processes, each with a clock of its own, before one queue; `now` are true seconds."""

    def __init__(self, *offsets: float) -> None:
        self.now = 0.0
        self.offsets = list(offsets)
        self.queue = Queue(lambda: self.now)
        self.processes = [self._process(number) for number in range(len(offsets))]

    def _process(self, number: int) -> SqsRunRequests:
        client: Any = self.queue
        return SqsRunRequests("https://sqs/runs.fifo", DELAY, lambda: self._clock(number), client, lambda: self.now)

    def _clock(self, number: int) -> datetime:
        return NOW + timedelta(seconds=self.now + self.offsets[number])

    def is_heard(self, at: float, pipeline: str = PIPELINE) -> bool:
        """Say whether a request of a moment is delivered after it, and before long."""
        return any(group == pipeline and at <= moment <= at + DELAY for group, moment in self.queue.delivered)


def test_a_process_sends_one_request_for_each_pipeline_in_half_a_delay() -> None:
    world = World(0)
    for second in range(DELAY):
        world.now = second
        for _ in range(50):
            world.processes[0].ask(PIPELINE)
            world.processes[0].ask("signalbox-wine")
            world.processes[0].ask_for_claims(PIPELINE)
    assert world.queue.calls == 2 * 3
    assert all(world.is_heard(second) for second in range(DELAY))


# Clocks that differ by half a delay at most; who asks, and how long after the one before.
_CLOCKS = st.lists(st.sampled_from([-DELAY / 4, 0, DELAY / 4]), min_size=1, max_size=3)
_PAUSES = st.sampled_from([0, 1, 14, 15, 29, 30, 44, 45, 59, 60])
_ASKED = st.lists(st.tuples(st.integers(0, 2), _PAUSES), min_size=1, max_size=30)


@given(clocks=_CLOCKS, asked=_ASKED)
@example(clocks=[DELAY / 4, -DELAY / 4], asked=[(0, 45), (1, 59), (1, 29)])  # swallowed, and asked for once more
def test_every_request_is_followed_by_a_message_that_is_handled_after_it(
    clocks: list[float], asked: list[tuple[int, int]]
) -> None:
    world = World(*clocks)
    for process, pause in asked:
        world.now += pause
        world.processes[process % len(clocks)].ask(PIPELINE)
        assert world.is_heard(world.now)


def test_a_clock_that_is_set_back_to_an_earlier_number_keeps_no_request() -> None:
    world = World(0)
    world.processes[0].ask(PIPELINE)
    world.now, world.offsets[0] = 3600, -3600
    world.processes[0].ask(PIPELINE)
    assert world.is_heard(3600)


def test_a_process_that_was_frozen_for_hours_asks_again() -> None:
    world = World(0)
    world.processes[0].ask(PIPELINE)
    world.now = 10_000
    world.processes[0].ask(PIPELINE)
    assert world.is_heard(10_000)


def test_a_request_that_sqs_did_not_take_is_sent_again() -> None:
    busy = [client_error("ThrottlingException"), {}]
    client: Any = RecordingClient("sqs", {"send_message": busy})
    requests = SqsRunRequests("https://sqs/runs.fifo", DELAY, Clock(), client)
    with pytest.raises(ServiceBusyError):
        requests.ask(PIPELINE)
    requests.ask(PIPELINE)
    requests.ask(PIPELINE)
    assert len(client.requests("SendMessage")) == 2


def test_batch_after_batch_of_one_process_is_one_request() -> None:
    clock, objects, tables, client = Clock(), MemoryObjects(), MemoryTables(), RecordingClient("sqs")
    sqs: Any = client
    requests = SqsRunRequests("https://sqs/runs.fifo", DELAY, clock, sqs)
    ports = RecordingPorts(objects, MemoryProjects(), tables, requests, MemoryDeadLetterQueue(), clock)
    for batch in range(20):
        keys = [f"incoming/{batch}-{number}.csv" for number in range(10)]
        events = []
        for key in keys:
            objects.put(key)
            events.append(with_detail(sample("s3/object-created"), object={"key": key, "size": 10, "etag": "e1"}))
        assert record(sqs_event(*events), ports) == {"batchItemFailures": []}
    assert len(tables.waiting[PIPELINE]) == 200
    assert len(client.requests("SendMessage")) == 1
