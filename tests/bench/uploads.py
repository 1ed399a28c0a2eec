"""Uploads: how many runs so many become, what each costs, and how fast they are written down beside the bare table.

The runs are counted in a storm (`tests.support.storm`): the real functions over the local cloud's table and bucket, in
a time that only the storm moves, so that hours pass in minutes. Each message is handled by a function of its own, which
is the dearest case. How fast uploads are written down is measured in real time.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import batched
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest

from sagemaker_local.process import Options
from signalbox.aws.table import Table
from signalbox.uploads.table import UploadsTable
from signalbox_local.project import ROOT, ProjectCloud
from tests.bench import prices
from tests.bench.figures import BenchError, Ratio
from tests.bench.scale_calls import of_process
from tests.bench.scale_limits import QUERY_SECONDS, SECONDS
from tests.support.dynamodb import created_table
from tests.support.samples import sample, sqs_event, with_detail
from tests.support.storm import TABLE, Calm, Storm, storm
from tests.support.uploads import BUCKET, PIPELINE

type Progress = Callable[[str], None]
NUMBERS, RATES = (10, 100, 1_000, 10_000), (10, 100)
QUIET_SECONDS, POLL_SECONDS, RUN_SECONDS = 60, 15, 600
LATE_SECONDS = 3  # an event comes up to so much after its upload, so that they come in another order
ROUNDS, PAIRS = 200, 5
_BARE = "bare"


class Uploads(NamedTuple):
    """So many uploads, so many of them a second: how many runs they became, and what each cost, in US dollars.

    `way` is what an upload costs without the jobs of its run, and `whole` with its share of them.
    """

    number: int
    rate: int
    runs: int
    way: float
    whole: float


class Intake(NamedTuple):
    """Uploads of every size of crowd, and the time of writing them down beside that of bare conditional puts."""

    crowds: list[Uploads]
    recording: Ratio


def measure(folder: Path, progress: Progress) -> Intake:
    """Return the figures.

    Raises:
        BenchError: an upload is missing, or in two runs.
    """
    crowds = []
    for number in NUMBERS:
        for rate in RATES:
            progress(f"{number:,} uploads, {rate} a second")
            with raging(folder / f"{number}-{rate}") as storming:
                crowds.append(crowd(storming, number, rate))
    progress("intake beside bare puts")
    with raging(folder / "intake") as storming:
        return Intake(crowds, recording(storming))


@contextmanager
def raging(folder: Path) -> Iterator[Storm]:
    """Give a storm over a cloud of its own."""
    with ProjectCloud(Options(folder, ROOT / "projects")) as cloud, pytest.MonkeyPatch.context() as patch:
        patch.setenv("POWERTOOLS_LOG_LEVEL", "CRITICAL")
        patch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
        with storm(patch, Calm(), cloud=cloud.environment, quiet=QUIET_SECONDS, poll=POLL_SECONDS) as given:
            given.executions.seconds = RUN_SECONDS
            yield given


def crowd(storming: Storm, number: int, rate: int) -> Uploads:
    """Let uploads come, and return what became of them.

    Raises:
        BenchError: an upload is missing, or in two runs.
    """
    for index in range(number):
        upload = lambda key=f"incoming/{index}.csv": storming.upload(key, times=1, late=LATE_SECONDS)  # noqa: E731
        storming.at(index / rate, upload)
    storming.settle(most=number * 20 + 10_000)
    table = UploadsTable(Table(TABLE, boto3.client("dynamodb")), PIPELINE)
    runs = [run for run, _ in table.newest(number + 1)]
    taken = Counter(one.key for run in runs for one in table.taken(run))
    if len(taken) != number or max(taken.values()) > 1 or storming.failures:
        raise BenchError(f"of {number} uploads {len(taken)} are in runs, one in {max(taken.values(), default=0)}")
    last = len(table.taken(runs[0]))  # which the end of the next run marks
    way = (way_of(storming, number) + last * of_process(1).ending * prices.WRITE) / number
    return Uploads(number, rate, len(runs), way, way + len(runs) * prices.RUN / number)


def way_of(storming: Storm, number: int) -> float:
    """Return what the ways of all uploads have cost, in US dollars: events, messages, calls, items, and their time."""
    calls, invoked = storming.calls, storming.invocations
    seconds = number * SECONDS + (calls["Query"] + calls["GetItem"]) * QUERY_SECONDS
    requests = number + 2 * invoked["record_uploads"]
    return sum(
        (
            number * (prices.TRAIL + prices.LINE / 1e9 * prices.LOG_GB),
            requests * prices.MESSAGE + 3 * calls["SendMessage"] * prices.FIFO_MESSAGE,
            sum(invoked.values()) * prices.CALL + seconds * prices.GB * prices.GB_SECOND,
            calls["HeadObject"] * prices.HEAD + calls["PutObject"] * prices.PUT,
            storming.written * prices.WRITE + calls["Query"] * prices.READ,
        )
    )


def recording(storming: Storm) -> Ratio:
    """Return the time in which `record_uploads` writes uploads down, beside that of as many bare conditional puts.

    One process each, by turns: ten uploads to a batch, one bare put after the other.
    """
    dynamodb = created_table(_BARE)
    pairs = []
    for turn in range(PAIRS + 1):
        keys = [f"incoming/{turn}/{number}.csv" for number in range(ROUNDS)]
        events = [_put(key) for key in keys]
        begun = time.perf_counter()
        for key in keys:
            item = {"pk": {"S": f"upload#{BUCKET}/{key}"}, "sk": {"S": "v1"}}
            dynamodb.put_item(TableName=_BARE, Item=item, ConditionExpression="attribute_not_exists(pk)")
        between = time.perf_counter()
        for batch in batched(events, 10, strict=True):
            if storming.invoke("record_uploads", sqs_event(*batch), again=False) != {"batchItemFailures": []}:
                raise BenchError("an upload was not written down")
        pairs.append((time.perf_counter() - between, between - begun))
    return Ratio.of(pairs[1:])  # the first one makes the clients


def _put(key: str) -> dict[str, Any]:
    version = boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"9\n")["VersionId"]
    native = sample("s3/object-created")
    return with_detail(native, object=native["detail"]["object"] | {"key": key, "version-id": version})
