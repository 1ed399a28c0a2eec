"""`python -m tests.bench.scale`: how many uploads a second are taken, what gives way first, and what an upload costs.

Second by second, uploads come, become events, wait in the queue, and are recorded as far as each limit allows; each
limit is a bucket that is filled once a second. How the uploads are spread over keys, how large batches are, what a
process asks and what an upload writes are the real code's (`scale_calls`). After that, look by look, runs take what
waits by the real rules. What is printed are the tables of `docs/scale.md`, which a test compares.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cache
from typing import NamedTuple

from signalbox import moments
from signalbox.project_documents import LONGEST, Window
from signalbox.uploads import items, rules
from signalbox.uploads.model import Upload
from signalbox.uploads.table import CHUNK
from tests.bench import prices, scale_calls
from tests.bench.scale_limits import (
    DOCUMENTS,
    EVENTS,
    FIRST_BATCHES,
    FUNCTIONS,
    KEY,
    LIMITS,
    MAPPING,
    MORE_BATCHES,
    MORE_PROVISIONED,
    QUERY_SECONDS,
    REQUESTS,
    SECONDS,
    TABLE,
    TAKING_SECONDS,
)
from tests.support.uploads import BUCKET, Clock

WATCHED = 900  # seconds that a simulation goes on
_RUN_SECONDS = 600
_USUAL = Window(quiet_seconds=60, longest_seconds=LONGEST, batch=None)


class Case(NamedTuple):
    """Uploads that come to some projects, `rate` a second to all of them; `keys` is how many each pipeline's have.

    `raised` says that the quotas are, and `own` has limits that count in place of others.
    """

    name: str
    rate: int
    projects: int = 1
    raised: bool = False
    keys: int = len(items.SHARDS)
    own: Mapping[str, float] = {}

    @property
    def limits(self) -> Mapping[str, float]:
        """Return the limits that count."""
        return {name: limit.raised if self.raised else limit.default for name, limit in LIMITS.items()} | dict(self.own)


class Outcome(NamedTuple):
    """What became of a case: uploads recorded a second in the end, what kept it from more, and the longest wait.

    `wait` is in seconds, from an upload to its record, and None where more come than are recorded; `limit` is None
    where as many are recorded as come.
    """

    rate: float
    limit: str | None
    wait: float | None


CASES = (
    Case("one project, all that waits under one key, as it was", 5_000, keys=1),
    Case("one project", 5_000),
    Case("one project, quotas raised", 20_000, raised=True),
    Case("ten projects", 50_000, projects=10),
    Case("ten projects, quotas raised", 50_000, projects=10, raised=True),
    Case("ten projects, quotas raised", 100_000, projects=10, raised=True),
    Case("two hundred projects, quotas raised", 50_000, projects=200, raised=True),
)


def simulate(case: Case) -> Outcome:
    """Let uploads come for `WATCHED` seconds and return what became of them."""
    came, events, queue, recorded, wait = 0.0, 0.0, 0.0, 0.0, 0.0
    times, what = list[float](), list[str | None]()
    for second in range(WATCHED):
        came += case.rate
        events += case.rate
        moved = min(events, case.limits[EVENTS])
        events, queue = events - moved, queue + moved
        room = capacities(case, second)
        limit = min(room, key=lambda name: room[name])
        done = min(queue, room[limit])
        queue, recorded = queue - done, recorded + done
        times.append(done)
        what.append(limit if queue >= 1 else EVENTS if events >= 1 else None)
        wait = max(wait, second + 1 - recorded / case.rate)
    lately = Counter(what[-60:])
    reason = lately.most_common(1)[0][0]
    return Outcome(sum(times[-60:]) / 60, reason, wait if reason is None else None)


def capacities(case: Case, second: int) -> dict[str, float]:
    """Return how many uploads each limit lets be recorded in a second of a case, once they are in the queue."""
    calls, limits = scale_calls.of_process(case.projects), case.limits
    more = MORE_PROVISIONED if case.raised else MORE_BATCHES
    return {
        MAPPING: min(limits[MAPPING], FIRST_BATCHES + second * more) / SECONDS,
        FUNCTIONS: limits[FUNCTIONS] / SECONDS,
        TABLE: limits[TABLE] / calls.recording,
        KEY: case.projects * limits[KEY] / calls.waiting / fullest(case.rate // case.projects, case.keys),
        REQUESTS: limits[REQUESTS] / calls.requests / SECONDS,
        DOCUMENTS: limits[DOCUMENTS] / calls.documents / SECONDS,
    }


@cache
def fullest(uploads: int, keys: int = len(items.SHARDS)) -> float:
    """Return which share of the uploads that a pipeline gets in a second has the key that gets most of them."""
    if keys == 1:
        return 1.0
    found = (Upload(BUCKET, f"incoming/{number}.csv", "v1", 10, "") for number in range(uploads))
    shards = Counter(str(items.waiting_key(one, "p")["pk"]) for one in found)
    return max(shards.values()) / uploads


def needed(rate: int, projects: int) -> dict[str, float]:
    """Return what a rate needs of each limit."""
    calls, at_work = scale_calls.of_process(projects), rate * SECONDS
    return {
        EVENTS: rate,
        MAPPING: at_work,
        FUNCTIONS: at_work,
        TABLE: rate * calls.recording,
        KEY: rate / projects * calls.waiting * fullest(rate // projects),
        REQUESTS: at_work * calls.requests,
        DOCUMENTS: at_work * calls.documents,
    }


class Drain(NamedTuple):
    """How long it takes until the last of some uploads is in a run: the number of runs, and hours since the first."""

    runs: int
    hours: float


def drain(uploads: int, seconds: float, run_seconds: float = _RUN_SECONDS, window: Window = _USUAL) -> Drain:
    """Let runs of one pipeline take uploads that came within some seconds, and return when the last has its run."""
    clock, began = Clock(), Clock()()
    poll, runs, waiting = scale_calls.poll_seconds(), 0, uploads
    clock.forward(seconds)
    newest, taken = _recorded(clock), 0
    while waiting:
        clock.forward(poll)
        # They came evenly, so the oldest that waits is as far from the first as its place among all.
        oldest = _recorded(Clock(began + timedelta(seconds=seconds * taken / uploads)))
        if rules.is_due([oldest] * (window.batch or 1), newest, window, clock()):
            some = min(waiting, rules.MOST_UPLOADS)
            clock.forward(-(-some // CHUNK) * TAKING_SECONDS)
            waiting, taken, runs = waiting - some, taken + some, runs + 1
            if waiting:
                clock.forward(run_seconds)
    return Drain(runs, (clock() - began).total_seconds() / 3600)


def _recorded(clock: Clock) -> Upload:
    return Upload(BUCKET, "incoming/1.csv", "v1", 10, moments.text_of(clock()))


def costs() -> dict[str, float]:
    """Return what each part of an upload costs, in US dollars, without the free tier and without its run."""
    calls, batch, second = scale_calls.of_process(1), scale_calls.batch_size(), prices.GB * prices.GB_SECOND
    return {
        "CloudTrail's data event": prices.TRAIL,
        "the message: sent, and received and deleted in batches": prices.MESSAGE * (1 + 2 / batch),
        "HeadObject, when it is recorded and before its run": prices.HEAD * (calls.looks + 1),
        "`record_uploads`: its share of a call, and its time": prices.CALL / batch
        + SECONDS * prices.GB * prices.GB_SECOND,
        "writes of the table: recorded": calls.recording * prices.WRITE,
        "writes of the table: taken": calls.taking * prices.WRITE,
        "writes of the table: when its run is over, until when it is kept": calls.ending * prices.WRITE,
        "`start_run`: its time for taking": TAKING_SECONDS / CHUNK * second,
        "a line of the log": prices.LINE / 1e9 * prices.LOG_GB,
    }


def look_queries() -> int:
    """Return how many queries of the table a look at waiting uploads makes that are not due yet."""
    return 2 + 2 * len(items.waiting_keys("p"))  # the latest run, the last wish; the newest and the oldest that waits


def look_costs() -> dict[str, float]:
    """Return what the looks of a month cost for a pipeline for which uploads wait all the time, in US dollars."""
    looks = 730 * 3600 / scale_calls.poll_seconds()
    seconds = look_queries() * QUERY_SECONDS
    return {
        f"{look_queries()} queries of the table": looks * look_queries() * prices.READ,
        "`start_run`": looks * (prices.CALL + seconds * prices.GB * prices.GB_SECOND),
        "the message: sent, received and deleted": looks * 3 * prices.FIFO_MESSAGE,
    }


def texts() -> dict[str, str]:
    """Return the tables of `docs/scale.md` by their names, in Markdown."""
    few, many = needed(5_000, 1), needed(50_000, 10)
    return {
        "needed": _table(
            ("limit", "by default", "raised to", "how", "5,000 a second, one project", "50,000 a second, ten projects"),
            (
                (
                    f"[{limit.what}]({limit.source})",
                    _number(limit.default),
                    _number(limit.raised),
                    limit.how,
                    _needed(few[name], limit.default),
                    _needed(many[name], limit.default),
                )
                for name, limit in LIMITS.items()
            ),
        ),
        "taken": _table(
            ("uploads a second that come", "to", "recorded a second", "what gives way first", "longest wait"),
            (_row(case, simulate(case)) for case in CASES),
        ),
        "drained": _table(
            ("uploads", "within", "runs", "until the last has its run"),
            (
                _drained(number, seconds)
                for number, seconds in ((5_000, 60), (50_000, 60), (300_000, 60), (3_000_000, 600))
            ),
        ),
        "costs": _table(
            ("part", "for a million uploads"),
            ((what, f"${dollars * 1e6:.2f}") for what, dollars in [*costs().items(), ("sum", sum(costs().values()))]),
        ),
        "looks": _table(
            ("a look", "a month of them"),
            ((what, f"${cost:.2f}") for what, cost in [*look_costs().items(), ("sum", sum(look_costs().values()))]),
        ),
        "share": _table(
            ("uploads in a run", "of the run, for each", "all, for each"),
            (
                (f"{number:,}", f"${prices.RUN / number:.7f}", f"${prices.RUN / number + sum(costs().values()):.7f}")
                for number in (1, 10, 100, 1_000, rules.MOST_UPLOADS)
            ),
        ),
    }


def _row(case: Case, outcome: Outcome) -> tuple[str, ...]:
    way = "nothing" if outcome.limit is None else LIMITS[outcome.limit].what
    wait = "grows" if outcome.wait is None else f"{outcome.wait:.0f} s"
    return f"{case.rate:,}", case.name, f"{round(outcome.rate, -1):,.0f}", way, wait


def _drained(uploads: int, seconds: int) -> tuple[str, ...]:
    found = drain(uploads, seconds)
    last = f"{found.hours * 60:.0f} min" if found.hours < 1 else f"{found.hours:,.1f} h"
    return f"{uploads:,}", f"{seconds} s", f"{found.runs:,}", last


def _needed(value: float, default: float) -> str:
    return f"**{_number(value)}**" if value > default else _number(value)


def _number(value: float) -> str:
    return f"{value:,.0f}"


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(header)
    lines = [f"| {' | '.join(cells)} |" for cells in (names, *rows)]
    return "\n".join([lines[0], "|---" * len(names) + "|", *lines[1:]])


if __name__ == "__main__":
    for name, text in texts().items():
        print(f"{name}\n{text}\n")  # noqa: T201  # it is what the command is for
