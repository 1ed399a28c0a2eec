"""Every legal key is recorded as S3 has it, however the event writes it: spaces, plus signs, newlines, 1,024 bytes."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.support.samples import sample, sqs_event, with_detail
from tests.support.uploads import (
    BUCKET,
    PIPELINE,
    Clock,
    MemoryDeadLetterQueue,
    MemoryObjects,
    MemoryProjects,
    MemoryRequests,
    MemoryTables,
)

from signalbox.uploads.recording import RecordingPorts, record

PLACE = "incoming/"
LONGEST = 1_024  # bytes (Amazon S3 User Guide, "Naming Amazon S3 objects")


def _as_it_is(key: str) -> str:
    return key


WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": _as_it_is,
    "encoded": quote,
    "encoded as a form": quote_plus,
    "all of it": lambda key: quote(key, safe=""),
}
CALLS = ("put-object", "copy-object", "complete-multipart-upload", "post-object")
# A key's own characters: no surrogates, which are no UTF-8; a slash at the end is a folder's.
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300).filter(
    lambda name: not name.endswith("/") and len(f"{PLACE}{name}".encode()) <= LONGEST
)


def recorded(event: dict[str, Any], key: str) -> list[str]:
    """Record an event about the only object of the bucket; return the keys that wait then."""
    clock, tables, objects = Clock(), MemoryTables(), MemoryObjects()
    objects.put(key)
    ports = RecordingPorts(
        objects=objects,
        projects=MemoryProjects(),
        store_of=tables,
        requests=MemoryRequests(clock),
        dead_letters=MemoryDeadLetterQueue(),
        clock=clock,
    )
    assert record(sqs_event(event), ports) == {"batchItemFailures": []}
    return [upload.key for upload in tables(PIPELINE).waiting()]


def trailed(call: str, key: str) -> dict[str, Any]:
    return with_detail(
        sample(f"s3/{call}-cloudtrail"), requestParameters__bucketName=BUCKET, requestParameters__key=key
    )


@settings(max_examples=150)
@given(name=names, how=st.sampled_from(sorted(WRITTEN)), call=st.sampled_from(CALLS))
@example(name="a b+c%20d.csv", how="encoded as a form", call="copy-object")
@example(name="line\nbreak\r\t.csv", how="all of it", call="put-object")
@example(name="100%.csv", how="as it is", call="put-object")
@example(name="ü" * ((LONGEST - len(PLACE)) // 2), how="encoded", call="complete-multipart-upload")
def test_a_key_that_cloudtrail_writes_in_any_way_is_recorded_as_s3_has_it(name: str, how: str, call: str) -> None:
    key = f"{PLACE}{name}"
    assert recorded(trailed(call, WRITTEN[how](key)), key) == [key]


@settings(max_examples=50)
@given(name=names)
@example(name="a b+c%20d\n.csv")
@example(name="ü" * ((LONGEST - len(PLACE)) // 2))
def test_a_key_in_s3s_own_event_is_recorded_as_it_is(name: str) -> None:
    key = f"{PLACE}{name}"
    assert recorded(with_detail(sample("s3/object-created"), bucket__name=BUCKET, object__key=key), key) == [key]


@pytest.mark.parametrize(
    "reason", ["PutObject", "CopyObject", "POST Object", "CompleteMultipartUpload", "Replication", None]
)
def test_what_wrote_an_object_decides_nothing_so_replicas_are_uploads_too(reason: str | None) -> None:
    key = f"{PLACE}a.csv"
    changes = {"bucket__name": BUCKET, "object__key": key, "reason": reason}
    assert recorded(with_detail(sample("s3/object-created"), **changes), key) == [key]


def test_a_replica_that_a_service_wrote_for_another_account_is_recorded_with_that_service() -> None:
    key = f"{PLACE}a.csv"
    identity = {"type": "AWSService", "invokedBy": "s3.amazonaws.com"}
    event = with_detail(trailed("put-object", key), userIdentity=identity, requestParameters__key=key)
    assert recorded(event, key) == [key]
