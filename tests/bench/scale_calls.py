"""What one process of `record_uploads` asks of AWS, and what an upload writes: counted while the real code handles it.

Only AWS is played: the rules, the journey, the adapters of the queue and of the documents, and the requests to the
table are those of the layer, and batch size and delay those of the template.
"""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from signalbox import moments
from signalbox.aws.objects import StoredObject
from signalbox.aws.table import Item, Table, key
from signalbox.observability import metrics
from signalbox.uploads import items, remaining
from signalbox.uploads.adapters import KnownProjects, SqsRunRequests
from signalbox.uploads.lifetimes import ItemLifetimes
from signalbox.uploads.model import Run, Upload
from signalbox.uploads.recording import RecordingPorts, record
from signalbox.uploads.table import UploadsTable
from tests.gates.cfn_yaml import parse
from tests.gates.template import ROOT
from tests.support.samples import sample, sqs_event, with_detail
from tests.support.uploads import BUCKET, Clock, MemoryDeadLetterQueue

MINUTES = 2  # in which a process is watched, at a batch a second: what it asks by the clock, more do not change
_PAGE = 10  # parameters in an answer of GetParametersByPath
_KB = 1024
_TAKEN = 330  # uploads: ten transactions


class Calls(NamedTuple):
    """What the simulation multiplies.

    For each upload: `looks` of HeadObject while it is recorded, the write units of its recording, of its taking and of
    what is marked when its run is over, and of the first the units of one waiting upload's key. For each second of a
    process at work: `requests` for each pipeline, and `documents`, the calls of GetParametersByPath.
    """

    looks: float
    recording: float
    taking: float
    ending: float
    waiting: float
    requests: float
    documents: float


class CountedTable(Table):
    """A table that takes every transaction and counts its write units by the first part of each key.

    A unit is a KB or less; a transaction takes two for each. What is changed or deleted was put before.
    """

    def __init__(self) -> None:
        super().__init__("uploads", dynamodb=_Unused())  # type: ignore[arg-type]  # nothing but transactions
        self.units: Counter[str] = Counter()
        self._sizes: dict[tuple[str, str], int] = {}

    def transact(self, *writes: Any) -> bool:
        """Count the units of some writes."""
        for write in writes:
            ((_, request),) = write.items()
            item = request.get("Item") or request["Key"]
            known = item["pk"]["S"], item["sk"]["S"]
            size = sum(len(name) + len(str(*value.values())) for name, value in item.items())
            self._sizes[known] = max(size, self._sizes.get(known, 0))
            self.units[known[0].partition("#")[0]] += 2 * -(-self._sizes[known] // _KB)
        return True


class EndedTable(CountedTable):
    """The same, with the uploads of a run."""

    def __init__(self, run: Run, uploads: Sequence[Upload]) -> None:
        super().__init__()
        place = f"run#{run.id}"
        self._found = [{**key(place, one.digest), **items.facts_of(one), "run": run.id} for one in uploads]

    def query(self, *_: object, **__: object) -> Iterator[Item]:
        """Return the uploads."""
        return iter(self._found)

    def update(self, *_: object, **__: object) -> Item:
        """Count the unit of one item."""
        self.units["pipeline"] += 1
        return {}


class _Unused:
    """No client of AWS."""


class _Objects:
    """A bucket in which every object is there."""

    def __init__(self) -> None:
        self.looks = 0

    def look(self, bucket: str, key: str) -> StoredObject | None:
        """Return what is under any key."""
        self.looks += 1
        return StoredObject("v1", "e1", 10, datetime(2026, 11, 20, 11, tzinfo=UTC))

    def write(self, uri: str, text: str, content_type: str) -> None:
        """Nothing is written while uploads are recorded."""
        raise NotImplementedError

    def text(self, uri: str, *, version: str | None) -> str | None:
        """Nothing is read either."""
        raise NotImplementedError


class _Queue:
    """A queue that counts what it is sent."""

    def __init__(self) -> None:
        self.calls = 0

    def send_message(self, **_: object) -> dict[str, str]:
        """Take a message."""
        self.calls += 1
        return {}


@cache
def template() -> dict[str, Any]:
    """Return the stack's template."""
    parsed: dict[str, Any] = parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    return parsed


def batch_size() -> int:
    """Return how many messages `record_uploads` gets at once."""
    function = template()["Resources"]["RecordUploadsFunction"]["Properties"]
    return int(function["Events"]["Messages"]["Properties"]["BatchSize"])


def poll_seconds() -> int:
    """Return the delay of the queue of requests, which is the time between two looks at what waits."""
    return int(template()["Parameters"]["PollSeconds"]["Default"])


@cache
def of_process(projects: int) -> Calls:
    """Return what one process asks while it handles batch after batch of uploads to so many projects by turns."""
    clock, table, objects, queue, loads = Clock(), CountedTable(), _Objects(), _Queue(), [0]
    began, client, number = clock(), queue, 0
    documents = [_document(each) for each in range(projects)]
    grants = [(name, json.dumps({"prefixes": [f"incoming/{name}/"], "models": [name]})) for name, _ in documents]

    def load(path: str) -> list[tuple[str, str]]:
        found = grants if path.endswith("/grants/") else documents
        loads[0] += -(-len(found) // _PAGE)
        return found

    ports = RecordingPorts(
        objects=objects,
        projects=KnownProjects("signalbox", clock, load),
        store_of=lambda pipeline: UploadsTable(table, pipeline),
        requests=SqsRunRequests(
            "https://sqs/runs.fifo",
            poll_seconds(),
            clock,
            client,  # type: ignore[arg-type]  # it is only sent messages
            lambda: clock().timestamp(),
        ),
        dead_letters=MemoryDeadLetterQueue(),
        clock=clock,
    )
    size = batch_size()
    with _quiet():
        while (clock() - began).total_seconds() < 60 * MINUTES:
            events = []
            for _ in range(size):
                name = f"incoming/{documents[number % projects][0]}/2026/11/20/part-{number:09d}.csv"
                events.append(with_detail(sample("s3/object-created"), object={"key": name, "size": 10, "etag": "e1"}))
                number += 1
            assert record(sqs_event(*events), ports) == {"batchItemFailures": []}
            metrics.clear_metrics()  # as the handler does after each batch
            clock.forward(1)
    seconds = (clock() - began).total_seconds()
    recording = table.units.total() / number
    return Calls(
        looks=objects.looks / number,
        recording=recording,
        taking=_taking(),
        ending=_ending(),
        waiting=table.units["waiting"] / number,
        requests=queue.calls / projects / seconds,
        documents=loads[0] / seconds,
    )


def _taking() -> float:
    """Return the write units for each upload that a run takes, with those of the run itself."""
    table, at = CountedTable(), Clock()()
    UploadsTable(table, "signalbox-p0").take(Run("signalbox-p0", 1, at), _uploads(at))
    return table.units.total() / _TAKEN


def _ending() -> float:
    """Return the write units for each upload when what its run has is marked to be forgotten."""
    at = Clock()()
    run = Run("signalbox-p0", 1, at)
    table = EndedTable(run, _uploads(at))
    ItemLifetimes(table).expire(run, at, lambda: remaining.ENOUGH)
    return table.units.total() / _TAKEN


def _uploads(at: datetime) -> list[Upload]:
    names = (f"incoming/p0/2026/11/20/part-{each:09d}.csv" for each in range(_TAKEN))
    return [Upload(BUCKET, name, "v1", 10, moments.text_of(at)) for name in names]


def _document(number: int) -> tuple[str, str]:
    """Return a project with one pipeline: the name of its parameter, and its text."""
    name = f"p{number}"
    pipeline = {"name": f"signalbox-{name}", "parameter": "InputManifest", "takes": "manifest", "models": [name]}
    uploads = [{"prefix": f"incoming/{name}/", "suffix": ".csv", "quiet_seconds": 60, "pipeline": name}]
    project = {"project": name, "id": f"{name}-0123456789ab", "uploads": uploads, "pipelines": {name: pipeline}}
    return name, json.dumps(project)


@contextmanager
def _quiet() -> Iterator[None]:
    """Let neither logs nor metrics be written meanwhile."""
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        metrics.clear_metrics()
