"""Uploads are written down once each, whatever S3 sends, and a run is asked for."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.support.samples import sample, sqs_event, with_detail
from tests.support.uploads import (
    ABALONE,
    BUCKET,
    PIPELINE,
    WINE,
    Clock,
    MemoryDeadLetterQueue,
    MemoryObjects,
    MemoryProjects,
    MemoryRequests,
    MemoryTable,
    MemoryTables,
    a_project,
)

from signalbox.aws.errors import CallRefusedError, ServiceBusyError
from signalbox.projects import Project, to_json
from signalbox.uploads.adapters import KnownProjects
from signalbox.uploads.model import UNCLAIMED
from signalbox.uploads.recording import RecordingPorts, record

KEY = "incoming/abalone.csv"
VERSION = "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e"
NATIVE = sample("s3/object-created")
TRAIL = sample("s3/put-object-cloudtrail")
BARE_TRAIL = sample("s3/put-object-without-version-cloudtrail")


@dataclass
class World:
    """What recording works on."""

    clock: Clock
    objects: MemoryObjects
    tables: MemoryTables
    requests: MemoryRequests
    projects: Any = field(default_factory=MemoryProjects)
    dead_letters: MemoryDeadLetterQueue = field(default_factory=MemoryDeadLetterQueue)

    def deliver(self, *events: Any) -> list[str]:
        """Deliver events; return the ids of the messages that failed."""
        ports = RecordingPorts(
            objects=self.objects,
            projects=self.projects,
            store_of=self.tables,
            requests=self.requests,
            dead_letters=self.dead_letters,
            clock=self.clock,
        )
        response = record(sqs_event(*events), ports)
        return [item["itemIdentifier"] for item in response["batchItemFailures"]]

    @property
    def table(self) -> MemoryTable:
        """Return the pipeline's part of the table."""
        return self.tables(PIPELINE)

    @property
    def waiting(self) -> list[tuple[str, str]]:
        """Return key and version of what waits."""
        return [(upload.key, upload.version) for upload in self.table.waiting(most=100)]


@pytest.fixture
def world() -> World:
    clock, objects, tables = Clock(), MemoryObjects(), MemoryTables()
    requests = MemoryRequests(clock)
    objects.put(KEY, VERSION)
    return World(clock, objects, tables, requests)


def test_an_upload_is_recorded_and_a_run_asked_for(world: World) -> None:
    assert world.deliver(NATIVE) == []
    (upload,) = world.table.waiting(most=10)
    assert (upload.bucket, upload.key, upload.version, upload.size) == (BUCKET, KEY, VERSION, 10)
    assert upload.recorded_at == "2026-11-20T12:00:00.000000Z"
    assert len(world.requests.visible) == 1


@pytest.mark.parametrize("events", [(NATIVE, TRAIL), (TRAIL, NATIVE), (BARE_TRAIL, NATIVE, TRAIL), (TRAIL, TRAIL)])
def test_all_shapes_of_one_upload_are_one_upload(world: World, events: tuple[Any, ...]) -> None:
    world.deliver(*events)
    assert world.waiting == [(KEY, VERSION)]


@pytest.mark.parametrize("events", [(sample("s3/object-created-unversioned"), BARE_TRAIL), (BARE_TRAIL,) * 2])
def test_without_versions_etag_and_time_tell_uploads_apart(world: World, events: tuple[Any, ...]) -> None:
    world.objects.put(KEY, None, etag="b1946ac92492d2347c6235b4d2611184", second=1)
    world.deliver(*events)
    assert world.waiting == [(KEY, "b1946ac92492d2347c6235b4d2611184 2026-11-20T11:00:01.000000+00:00")]
    world.objects.put(KEY, None, etag="b1946ac92492d2347c6235b4d2611184", second=2)
    world.deliver(*events)
    assert len(world.waiting) == 2


def test_a_second_delivery_asks_for_a_run_again(world: World) -> None:
    world.deliver(NATIVE)
    world.clock.forward(60)
    world.deliver(NATIVE)
    assert len(world.requests.visible) == 2


def test_a_batch_asks_once(world: World) -> None:
    world.objects.put("incoming/other.csv", "v1")
    world.deliver(NATIVE, with_detail(NATIVE, object={**NATIVE["detail"]["object"], "key": "incoming/other.csv"}))
    assert len(world.waiting) == 2
    assert len(world.requests.accepted) == 1


def test_when_the_request_cannot_be_sent_the_whole_batch_comes_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: str) -> None:
        raise ServiceBusyError("sqs:SendMessage", "throttled")

    monkeypatch.setattr(world.requests, "ask", refuse)
    with pytest.raises(ServiceBusyError):
        world.deliver(NATIVE)


@pytest.mark.parametrize(
    "name", ["object-created-folder-marker", "object-created-empty", "put-object-denied-cloudtrail"]
)
def test_what_holds_no_data_is_dropped_and_asks_for_nothing(world: World, name: str) -> None:
    world.objects.put("incoming/empty.csv", "v1", size=0)
    assert world.deliver(sample(f"s3/{name}")) == []
    assert world.waiting == []
    assert world.requests.visible == []


def test_an_object_that_is_deleted_already_is_dropped(world: World) -> None:
    world.objects.content.clear()
    assert world.deliver(NATIVE, TRAIL) == []
    assert world.waiting == []


POSTED, POSTED_BARE = sample("s3/post-object-cloudtrail"), sample("s3/post-object-without-key-cloudtrail")
ENCODED = sample("s3/put-object-encoded-cloudtrail")  # of the key in DECODED
DECODED = "incoming/batch 1+2/abalone.csv"


@pytest.mark.parametrize("event", [POSTED, POSTED_BARE])
def test_what_a_browsers_form_uploads_is_recorded(world: World, event: dict[str, Any]) -> None:
    assert world.deliver(event) == []
    assert world.waiting == [(KEY, VERSION)]


def test_a_key_that_cloudtrail_encodes_is_found_and_is_one_with_s3s_own_event(world: World) -> None:
    world.objects.put(DECODED, VERSION)
    native = with_detail(NATIVE, object__key=DECODED)
    world.deliver(ENCODED, native)
    assert world.waiting == [(DECODED, VERSION)]
    assert world.dead_letters.reasons == {}


def test_the_key_as_it_is_written_counts_where_both_are_there(world: World) -> None:
    written = ENCODED["detail"]["requestParameters"]["key"]
    world.objects.put(DECODED, "v-other")
    world.objects.put(written, VERSION)
    world.deliver(ENCODED)
    assert world.waiting == [(written, VERSION)]


def test_the_key_that_has_the_events_version_counts_where_both_are_there(world: World) -> None:
    world.objects.put(DECODED, VERSION)
    world.objects.put(ENCODED["detail"]["requestParameters"]["key"], "v-other")
    world.deliver(ENCODED)
    assert world.waiting == [(DECODED, VERSION)]


def test_a_key_that_may_be_encoded_and_is_nowhere_is_dead_lettered_and_not_dropped(world: World) -> None:
    assert world.deliver(ENCODED, NATIVE) == []
    assert DECODED in world.dead_letters.reasons["m-0"]
    assert "has nothing under" in world.dead_letters.reasons["m-0"]
    assert world.waiting == [(KEY, VERSION)]


def test_an_object_that_is_overwritten_already_is_recorded_as_its_successor(world: World) -> None:
    world.objects.put(KEY, "v2")
    world.deliver(NATIVE)
    assert world.waiting == [(KEY, "v2")]
    world.deliver(with_detail(NATIVE, object__version_id="v2"))
    assert world.waiting == [(KEY, "v2")]


def uploader(world: World) -> list[str]:
    return [upload.by for upload in world.table.waiting()]


def test_who_uploaded_is_kept_with_the_upload(world: World) -> None:
    world.deliver(TRAIL)
    assert uploader(world) == ["assumed-role/DataUploader/alice"]


@pytest.mark.parametrize("event", [TRAIL, BARE_TRAIL])
def test_nobody_counts_as_the_uploader_of_what_may_be_the_content_of_somebody_else(world: World, event: Any) -> None:
    world.objects.put(KEY, "v2")
    world.deliver(event)
    assert uploader(world) == [""]


def test_an_overwritten_object_without_versions_is_recorded_as_its_successor(world: World) -> None:
    world.objects.put(KEY, None, etag="e2")
    world.deliver(sample("s3/object-created-unversioned"))
    assert [version[:3] for _, version in world.waiting] == ["e2 "]


def test_a_bad_event_is_dead_lettered_with_its_reason_and_the_good_one_beside_it_recorded(world: World) -> None:
    bad = sample("s3/near-misses/get-object-cloudtrail")
    assert world.deliver(bad, "nonsense", NATIVE) == []
    assert (
        'detail.eventName is "GetObject", which uploads nothing: calls that upload are PutObject'
        in world.dead_letters.reasons["m-0"]
    )
    assert "the message is not JSON" in world.dead_letters.reasons["m-1"]
    assert world.waiting == [(KEY, VERSION)]
    assert len(world.requests.visible) == 1


def test_an_object_that_s3_will_not_show_is_reported_and_not_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(bucket: str, key: str) -> None:
        raise CallRefusedError("s3:HeadObject", "403", "Forbidden")

    monkeypatch.setattr(world.objects, "look", refuse)
    assert world.deliver(NATIVE) == ["m-0"]
    assert world.requests.visible == []


def test_an_upload_waits_for_the_pipeline_of_the_project_with_the_longest_prefix(world: World) -> None:
    world.projects.found = (ABALONE, WINE)
    world.objects.put("incoming/wine/red.csv", "v1")
    assert world.deliver(NATIVE, put("incoming/wine/red.csv")) == []
    assert world.tables.waiting == {PIPELINE: [KEY], "signalbox-wine": ["incoming/wine/red.csv"]}
    assert world.requests.asked == [
        {"kind": "run-requested", "pipeline": pipeline} for pipeline in (PIPELINE, "signalbox-wine")
    ]


def test_an_upload_that_nobody_claims_waits_and_is_looked_at_again(world: World) -> None:
    world.projects.found = (WINE,)
    assert world.deliver(NATIVE) == []
    assert world.tables.waiting == {UNCLAIMED: [KEY]}
    assert world.requests.asked == [{"kind": "claim-requested", "pipeline": UNCLAIMED}]


def test_an_upload_with_an_ending_that_its_project_does_not_want_is_dropped(world: World) -> None:
    world.projects.found = (a_project("abalone", "incoming/", suffix=".parquet"),)
    assert world.deliver(NATIVE) == []
    assert world.tables.waiting == {}
    assert world.requests.asked == []


@pytest.mark.parametrize("before", [(), (a_project("abalone", "incoming/", suffix=".parquet"),)])
def test_documents_from_before_the_batch_do_not_make_an_upload_unclaimed_or_unwanted(
    world: World, before: tuple[Project, ...]
) -> None:
    loads = iter([documents(*before), [], documents(ABALONE), []])  # each time the documents, then the grants
    world.projects = KnownProjects("signalbox", world.clock, lambda _: next(loads))
    world.projects.read_after(world.clock())
    world.clock.forward(1)
    assert world.deliver(NATIVE) == []
    assert world.tables.waiting == {PIPELINE: [KEY]}


def test_many_uploads_are_few_questions_for_the_projects(world: World) -> None:
    loads: list[str] = []

    def load(path: str) -> list[tuple[str, str]]:
        loads.append(path)
        return documents(ABALONE) if path == "/signalbox/projects/" else []

    world.projects = KnownProjects("signalbox", world.clock, load)
    for _ in range(10):
        world.clock.forward(6)
        world.deliver(NATIVE, TRAIL)
    assert loads == ["/signalbox/projects/", "/signalbox/grants/"]
    world.clock.forward(6)
    world.deliver(NATIVE)
    assert len(loads) == 4


def documents(*found: Project) -> list[tuple[str, str]]:
    """Return the documents of projects by their names."""
    return [(each.project, to_json(each)) for each in found]


def put(key: str) -> dict[str, Any]:
    """Return the event about a new object."""
    return with_detail(NATIVE, object={**NATIVE["detail"]["object"], "key": key, "version-id": "v1"})
