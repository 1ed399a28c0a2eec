"""Records reach the store 25 at a time, each tried again by itself; a run that died writes the same records again."""

import csv
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.documents import ROOT
from tests.support.features import definition

from signalbox_features import writing
from signalbox_features.store import FeatureStoreWriter
from signalbox_features.tables import RecordsFile
from signalbox_features.writing import RecordAnswer, StoreError

type Given = Sequence[dict[str, str]]


class Shelf:
    """A store that remembers every record that it took, and does to a call what the test says."""

    def __init__(self, answer: Callable[[int, dict[str, str]], RecordAnswer] = lambda *_: RecordAnswer(True)) -> None:
        self.taken: list[dict[str, str]] = []
        self.calls: list[int] = []
        self._tries: Counter[str] = Counter()
        self._answer, self._lock = answer, threading.Lock()

    def write(self, records: Given) -> list[RecordAnswer]:
        """Take records; `answer` is asked with the number of the try and the record."""
        with self._lock:
            self.calls.append(len(records))
            return [self._take(record) for record in records]

    def _take(self, record: dict[str, str]) -> RecordAnswer:
        self._tries[record["id"]] += 1
        answer = self._answer(self._tries[record["id"]], record)
        if answer.written:
            self.taken.append(record)
        return answer

    @property
    def ids(self) -> list[int]:
        """Return which records were taken, in order."""
        return sorted(int(record["id"]) for record in self.taken)


def records(folder: Path, count: int, name: str = "records.csv") -> Path:
    """Write records whose length is missing in every third."""
    file = folder / name
    with file.open("w", newline="") as to:
        made = RecordsFile(to, ["id", "at", "length"])
        for number in range(1, count + 1):
            made.add("a.csv", number + 1, [str(number), 5.5, None if number % 3 == 0 else number / 7])
    return file


def no_pause(seconds: float) -> None:
    """Stand where nothing is waited for."""
    pytest.fail(f"{seconds} seconds were waited")


def outcomes(folder: Path) -> list[dict[str, str]]:
    (file,) = folder.glob("outcomes-*.csv")
    with file.open(newline="") as rows:
        return sorted(csv.DictReader(rows), key=lambda row: int(row["number"]))


def test_every_record_is_written_once_in_calls_of_at_most_25(tmp_path: Path) -> None:
    shelf = Shelf()
    done = writing.write(records(tmp_path, 1_001), shelf, no_pause)

    assert shelf.ids == list(range(1, 1_002))
    assert sorted(shelf.calls) == [1, *[25] * 40]
    assert (done.written, done.before, done.refused, done.left) == (1_001, 0, 0, 0)
    assert shelf.taken[0].keys() <= {"id", "at", "length"}
    assert {"id": "3", "at": "5.5"} in shelf.taken  # a missing value is no feature of the record
    assert [row["outcome"] for row in outcomes(tmp_path)] == ["written"] * 1_001


def test_a_record_is_tried_again_by_itself_with_longer_and_longer_pauses(tmp_path: Path) -> None:
    shelf = Shelf(lambda attempt, record: RecordAnswer(record["id"] != "7" or attempt > 4, "throttled", again=True))
    pauses: list[float] = []
    done = writing.write(records(tmp_path, 25), shelf, pauses.append)

    assert shelf.calls == [25, 1, 1, 1, 1]
    assert pauses == [0.2, 0.4, 0.8, 1.6]
    assert (done.written, done.left) == (25, 0)
    assert outcomes(tmp_path)[6]["tries"] == "5"


def test_what_is_refused_is_told_by_file_and_line_and_not_tried_again(tmp_path: Path) -> None:
    shelf = Shelf(lambda _, record: RecordAnswer(record["id"] != "7", "ValidationError: no"))
    done = writing.write(records(tmp_path, 25), shelf, no_pause)

    assert (done.written, done.refused, done.first) == (24, 1, "a.csv, line 8: ValidationError: no")
    row = outcomes(tmp_path)[6]
    assert (row["source_line"], row["outcome"], row["tries"], row["told"]) == (
        "8",
        "refused",
        "1",
        "ValidationError: no",
    )


def test_what_the_store_never_takes_is_left_and_the_next_run_writes_it_alone(tmp_path: Path) -> None:
    file = records(tmp_path, 60)
    first = Shelf(lambda _, record: RecordAnswer(int(record["id"]) % 20 > 0, "busy", again=True))
    pauses: list[float] = []
    done = writing.write(file, first, pauses.append)
    assert (done.written, done.left) == (57, 3)
    assert Counter(row["outcome"] for row in outcomes(tmp_path)) == {"written": 57, "left": 3}
    assert len(pauses) == 3 * (writing.TRIES - 1)

    second = Shelf()
    done = writing.write(file, second, no_pause)
    assert second.ids == [20, 40, 60]
    assert (done.written, done.before) == (3, 57)


class Death(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("at", [1, 2, 5, 17, 39])
def test_a_run_that_dies_and_is_run_again_writes_each_record_as_the_same(tmp_path: Path, at: int) -> None:
    file = records(tmp_path, 1_000)
    written: list[dict[str, str]] = []

    def dies(_: int, record: dict[str, str]) -> RecordAnswer:
        if len(written) >= at * 25:
            raise Death
        written.append(record)
        return RecordAnswer(True)

    with pytest.raises(Death):
        writing.write(file, Shelf(dies), no_pause)
    again = Shelf()
    done = writing.write(file, again, no_pause)

    assert {int(record["id"]) for record in written} | set(again.ids) == set(range(1, 1_001))
    assert len({tuple(record.items()) for record in [*written, *again.taken]}) == 1_000
    assert done.before + done.written == 1_000
    assert {row["number"] for row in outcomes(tmp_path) if row["outcome"] == "written"} == set(
        map(str, range(1, 1_001))
    )


@pytest.mark.parametrize("lost", [1, 2, 10, 22, 23, 24])  # the last line has 23 bytes
def test_a_line_that_broke_off_counts_for_nothing(tmp_path: Path, lost: int) -> None:
    file = records(tmp_path, 50)
    writing.write(file, Shelf(), no_pause)
    (kept,) = tmp_path.glob("outcomes-*.csv")
    kept.write_bytes(kept.read_bytes()[:-lost])

    again = Shelf()
    done = writing.write(file, again, no_pause)
    assert (len(again.ids), done.before) == ((1, 49) if lost < 24 else (2, 48))
    assert [(row["number"], row["outcome"]) for row in outcomes(tmp_path)] == [
        (str(number), "written") for number in range(1, 51)
    ]


_DIES = """
import os, sys
from pathlib import Path
from signalbox_features import writing

class Store:
    def write(self, records):
        if any(int(record["id"]) > 400 for record in records):
            os._exit(9)
        return [writing.RecordAnswer(True)] * len(records)

writing.write(Path(sys.argv[1]), Store(), None)
"""


def test_a_process_that_is_killed_leaves_what_is_known_of_what_it_wrote(tmp_path: Path) -> None:
    file = records(tmp_path, 1_000)
    environment = {"PYTHONPATH": str(ROOT / "features"), "PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", _DIES, str(file)], env=environment, check=False)

    assert done.returncode == 9
    assert 100 <= len(outcomes(tmp_path)) <= 400  # at most twice four batches were under way
    again = Shelf()
    writing.write(file, again, no_pause)
    assert {row["number"] for row in outcomes(tmp_path)} == set(map(str, range(1, 1_001)))
    assert len(again.ids) < 1_000


def test_other_records_begin_anew(tmp_path: Path) -> None:
    writing.write(records(tmp_path, 50), Shelf(), no_pause)
    again = Shelf()
    writing.write(records(tmp_path, 51), again, no_pause)
    assert len(again.ids) == 51


def test_a_store_that_takes_nothing_ends_the_run_and_keeps_what_was_written(tmp_path: Path) -> None:
    def closed(_: int, record: dict[str, str]) -> RecordAnswer:
        if int(record["id"]) > 400:
            raise StoreError("closed")
        return RecordAnswer(True)

    shelf = Shelf(closed)
    with pytest.raises(StoreError, match="closed"):
        writing.write(records(tmp_path, 1_000), shelf, no_pause)
    assert {row["number"] for row in outcomes(tmp_path)} == set(map(str, range(1, 401)))


class Ended(NamedTuple):
    """What `wait` returns."""

    done: set[Future[Any]]
    not_done: set[Future[Any]]


def test_what_is_under_way_when_the_store_closes_is_awaited_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failed_first(under_way: set[Future[Any]], return_when: str = ALL_COMPLETED) -> Any:
        done, _ = wait(under_way)
        failed = {one for one in done if one.exception()} if return_when == FIRST_COMPLETED else set()
        return Ended(failed or done, done - failed if failed else set())

    def closed(_: int, record: dict[str, str]) -> RecordAnswer:
        if int(record["id"]) > 25:
            raise StoreError("closed")
        return RecordAnswer(True)

    monkeypatch.setattr(writing, "wait", failed_first)
    with pytest.raises(StoreError, match="closed"):
        writing.write(records(tmp_path, 50), Shelf(closed), no_pause)
    assert len(outcomes(tmp_path)) == 25


ID, AT = {"FeatureName": "record_id", "ValueAsString": "1"}, {"FeatureName": "record_time", "ValueAsString": "5.5"}
RECORD = {"record_id": "1", "record_time": "5.5"}


def feature_store(answer: Any, **change: Any) -> tuple[FeatureStoreWriter, RecordingClient]:
    client = RecordingClient("sagemaker-featurestore-runtime", {"batch_write_record": answer})
    return FeatureStoreWriter(client, "shells", definition(**change)), client


@pytest.mark.parametrize(
    ("change", "more"),
    [
        ({}, {"TargetStores": ["OfflineStore"]}),
        ({"store": "online"}, {"TargetStores": ["OnlineStore"]}),
        ({"store": "both", "ttl": {"days": 30}}, {"TtlDuration": {"Unit": "Days", "Value": 30}}),
    ],
)
def test_the_request_is_what_aws_takes(change: dict[str, Any], more: dict[str, Any]) -> None:
    store, client = feature_store({"Errors": [], "UnprocessedEntries": []}, **change)
    assert store.write([RECORD]) == [RecordAnswer(True)]
    entry = {"FeatureGroupName": "shells", "Record": [ID, AT], **more}
    assert client.requests("BatchWriteRecord") == [{"Entries": [entry]}]


def test_an_answer_is_told_for_each_record_by_its_keys() -> None:
    def entry(number: str) -> dict[str, Any]:
        return {"FeatureGroupName": "shells", "Record": [{**ID, "ValueAsString": number}, AT]}

    failed = [
        {"Entry": entry("2"), "ErrorCode": "ValidationError", "ErrorMessage": "no"},
        {"Entry": entry("3"), "ErrorCode": "InternalFailure", "ErrorMessage": "later"},
    ]
    store, _ = feature_store({"Errors": failed, "UnprocessedEntries": [entry("4")]})
    assert store.write([{**RECORD, "record_id": number} for number in "1234"]) == [
        RecordAnswer(True),
        RecordAnswer(False, "ValidationError: no"),
        RecordAnswer(False, "InternalFailure: later", again=True),
        RecordAnswer(False, "it was not processed", again=True),
    ]


@pytest.mark.parametrize(
    "error",
    [client_error("ThrottlingException", "slow down", "BatchWriteRecord"), EndpointConnectionError(endpoint_url="x")],
)
def test_a_call_that_fails_for_a_while_is_tried_again_with_all_its_records(error: Exception) -> None:
    store, _ = feature_store(error)
    assert [answer.again for answer in store.write([RECORD, RECORD])] == [True, True]


@pytest.mark.parametrize(
    "error", [client_error("AccessForbidden", "you may not", "BatchWriteRecord"), ParamValidationError(report="wrong")]
)
def test_a_call_that_always_fails_ends_the_run_with_a_sentence(error: Exception) -> None:
    store, _ = feature_store(error)
    with pytest.raises(StoreError, match="the feature group shells takes no records: "):
        store.write([RECORD])


class OldClient:
    """A client of a boto3 that knows PutRecord alone."""

    def __init__(self, *answers: Exception | None) -> None:
        self._answers = list(answers)
        self.records: list[dict[str, Any]] = []

    def put_record(self, **entry: Any) -> dict[str, Any]:
        """Take a record."""
        self.records.append(entry)
        answer = self._answers.pop(0)
        if answer:
            raise answer
        return {}


def put_error(code: str) -> ClientError:
    return client_error(code, "told", "PutRecord")


def test_a_client_without_the_batch_call_writes_records_one_by_one() -> None:
    client = OldClient(None, put_error("ValidationError"), put_error("ServiceUnavailable"))
    found = FeatureStoreWriter(client, "shells", definition()).write([RECORD] * 3)

    assert [(answer.written, answer.again) for answer in found] == [(True, False), (False, False), (False, True)]
    assert client.records[0] == {"FeatureGroupName": "shells", "Record": [ID, AT], "TargetStores": ["OfflineStore"]}
    with pytest.raises(StoreError, match="takes no records"):
        FeatureStoreWriter(OldClient(put_error("AccessForbidden")), "shells", definition()).write([RECORD])
