"""What waits for a pipeline lies under 16 keys, and is read, taken and handed over as if it lay under one."""

from collections import Counter
from collections.abc import Iterator
from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto import mock_aws
from tests.bench import scale, scale_calls
from tests.support.dynamodb import created_table
from tests.support.samples import sqs_event
from tests.support.starting import REQUEST, a_world
from tests.support.uploads import BUCKET, PIPELINE, MemoryProjects, a_project

from signalbox import moments
from signalbox.aws.table import Table
from signalbox.uploads import items
from signalbox.uploads.model import Run, RunConflictError, Upload
from signalbox.uploads.starting import start
from signalbox.uploads.table import UploadsTable

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
RUN = Run(PIPELINE, 1, NOW)
KEYS = 17


class CountedTable(Table):
    """A table that counts what is asked of it: the keys of its queries, and the items that those read."""

    def __init__(self, dynamodb: Any) -> None:
        super().__init__("uploads", dynamodb)
        self.asked: list[str] = []
        self.read: list[int] = []
        dynamodb.meta.events.register("provide-client-params.dynamodb.Query", self._note)
        dynamodb.meta.events.register("after-call.dynamodb.Query", self._count)

    def _note(self, params: dict[str, Any], **_: object) -> None:
        self.asked.append(params["ExpressionAttributeValues"][":pk"]["S"])

    def _count(self, parsed: dict[str, Any], **_: object) -> None:
        self.read.append(parsed["Count"])


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[CountedTable]:
    for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "us-east-1")
    with mock_aws():
        yield CountedTable(created_table("uploads"))


@pytest.fixture
def store(table: CountedTable) -> UploadsTable:
    return UploadsTable(table, PIPELINE)


def an_upload(number: int) -> Upload:
    return Upload(BUCKET, f"incoming/{number}.csv", "v1", 10, moments.text_of(NOW + timedelta(seconds=number)))


def waits_unspread(table: Table, upload: Upload) -> None:
    """Let an upload wait as versions before the shards wrote it."""
    facts = items.facts_of(upload)
    table.put({**items.upload_key(upload), **facts, "pipeline": PIPELINE})
    table.put({"pk": f"waiting#{PIPELINE}", "sk": f"{upload.recorded_at}#{upload.digest}", **facts})


def waiting_items(table: Table, pipeline: str = PIPELINE) -> list[str]:
    return [str(item["pk"]) for pk in items.waiting_keys(pipeline) for item in table.query(pk)]


def test_the_shard_of_an_upload_follows_from_its_business_key_alone() -> None:
    places = {items.waiting_key(replace(an_upload(1), recorded_at=text, by=text), PIPELINE)["pk"] for text in "ab"}
    assert places == {f"waiting#{PIPELINE}--#{an_upload(1).digest[0]}"}


def test_many_uploads_are_spread_evenly_over_sixteen_keys_of_which_none_is_another_pipelines() -> None:
    number = 16_000
    found = Counter(items.waiting_key(an_upload(each), PIPELINE)["pk"] for each in range(number))
    assert set(found) == set(items.waiting_keys(PIPELINE)[1:])
    assert len(found) == 16
    assert max(found.values()) < 1.15 * number / 16
    assert not set(found) & set(items.waiting_keys(f"{PIPELINE}--0"))


def test_uploads_of_all_shards_and_of_earlier_versions_are_read_in_the_order_of_their_times(
    table: CountedTable, store: UploadsTable
) -> None:
    uploads = [an_upload(number) for number in range(40)]
    for upload in reversed(uploads):
        if upload in uploads[::7]:
            waits_unspread(table, upload)
        else:
            store.record(upload)
    assert len(set(waiting_items(table))) > 10
    found = store.waiting()
    assert [upload.key for upload in found] == [upload.key for upload in uploads]
    assert [upload.spread for upload in found] == [upload not in uploads[::7] for upload in uploads]
    assert store.waiting(most=11) == found[:11]
    assert store.last_waiting() == found[-1]


def test_a_look_at_what_waits_asks_each_key_once_and_reads_one_upload_of_each(
    table: CountedTable, store: UploadsTable
) -> None:
    for number in range(60):
        store.record(an_upload(number))
    for look in (lambda: store.waiting(most=1), store.last_waiting):
        table.asked.clear()
        table.read.clear()
        look()
        # The oldest is followed by the next of its shard, which is asked for only where somebody wants more.
        assert (sorted(table.asked), max(table.read)) == (sorted(items.waiting_keys(PIPELINE)), 1)


def test_a_runs_share_is_read_without_all_that_waits(table: CountedTable, store: UploadsTable) -> None:
    for number in range(300):
        store.record(an_upload(number))
    table.asked.clear()
    table.read.clear()
    assert len(store.waiting(most=80)) == 80
    assert sum(table.read) < 250
    assert len(table.asked) < KEYS + 8


@pytest.mark.parametrize("spread", [True, False], ids=["spread", "of an earlier version"])
def test_what_waits_is_taken_once_wherever_it_lies(table: CountedTable, store: UploadsTable, spread: bool) -> None:
    for number in range(5):
        if spread:
            store.record(an_upload(number))
        else:
            waits_unspread(table, an_upload(number))
    found = store.waiting()
    store.open(RUN)
    store.take(RUN, found[:3])
    with pytest.raises(RunConflictError):
        store.take(RUN, found[2:])
    store.take(RUN, found[3:])
    assert waiting_items(table) == []
    assert {upload.key for upload in store.taken(RUN)} == {upload.key for upload in found}


def test_an_upload_of_an_earlier_version_is_handed_over_into_a_shard(table: CountedTable, store: UploadsTable) -> None:
    waits_unspread(table, an_upload(1))
    store.hand_over(store.waiting(), "signalbox-wine")
    assert waiting_items(table) == []
    assert waiting_items(table, "signalbox-wine") == [f"waiting#signalbox-wine--#{an_upload(1).digest[0]}"]
    assert UploadsTable(table, "signalbox-wine").waiting() == [an_upload(1)]


def test_who_uploaded_is_added_to_what_an_earlier_version_wrote_down(table: CountedTable, store: UploadsTable) -> None:
    waits_unspread(table, an_upload(1))
    assert not store.record(replace(an_upload(1), by="user/ann"))
    assert [upload.by for upload in (*store.waiting(), *store.history(BUCKET, "incoming/1.csv"))] == ["user/ann"] * 2


def test_a_look_at_what_is_not_due_makes_as_many_queries_as_its_costs_count(
    table: CountedTable, store: UploadsTable
) -> None:
    world = a_world()
    for number in range(30):
        store.record(an_upload(number))
    table.asked.clear()
    quiet = MemoryProjects(a_project("abalone", "incoming/", quiet_seconds=3_000))
    ports = world.ports._replace(store_of=lambda name: UploadsTable(table, name), projects=quiet)
    world.clock.forward(60)
    assert start(sqs_event(REQUEST, group=PIPELINE, queue="runs"), ports) == {"batchItemFailures": []}
    assert len(world.requests.asked) == 1
    assert len(table.asked) == scale.look_queries()


def test_nothing_is_spread_before_its_readers_look_everywhere_nor_limited_with_other_pipelines_requests() -> None:
    resources = scale_calls.template()["Resources"]
    assert resources["RecordUploadsFunction"]["DependsOn"] == "StartRunFunction"
    queue = resources["RunsQueue"]["Properties"]
    assert (queue["FifoThroughputLimit"], queue["DeduplicationScope"]) == ("perMessageGroupId", "messageGroup")
