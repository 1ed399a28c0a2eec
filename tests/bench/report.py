"""What was measured, as tables, and one line for each goal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil

from rich.console import Console
from rich.table import Table

from signalbox.uploads.rules import MOST_UPLOADS
from tests.bench.cloud import Memory
from tests.bench.cold_starts import Start
from tests.bench.emulators import PLAIN_NAME, Beside
from tests.bench.features import FeatureRun
from tests.bench.figures import Goal, Ratio, Spread, goal, milliseconds, times
from tests.bench.handling import Handling
from tests.bench.latency import Latency
from tests.bench.notebooks import SMALL, SavedTree
from tests.bench.uploads import Intake

START_LIMIT, HANDLING_LIMIT, SIZE_LIMIT, MEMORY_LIMIT = 1.15, 2.0, 100.0, 300.0
BOOT_LIMIT, JOB_LIMIT = 1.5, 0.5
INTAKE_LIMIT, RUN_LIMIT = 2.0, 1.0  # the time of a bare put; runs, of each beginning 5,000 uploads
FIRST_LIMIT, CALLS_LIMIT, SECOND_LIMIT, WORKER_LIMIT = 1.0, 0.1, 0.05, 200.0
_KILO, _MEGA = 1000, 1_000_000
_UPLOAD = 50 * 1024 * 1024  # bytes of a zipped package or layer (AWS Lambda Developer Guide, quotas)


@dataclass(frozen=True)
class Sizes:
    """Zipped bytes of each function's own code and of the layer."""

    functions: dict[str, int]
    layer: int


@dataclass
class Report:
    """Everything that was measured; what was left out is None."""

    starts: Sequence[Start] | None = None
    handlings: Sequence[Handling] | None = None
    sizes: Sizes | None = None
    latencies: Sequence[Latency] | None = None
    memory: Memory | None = None
    emulators: Sequence[Beside] | None = None
    jobs: Sequence[tuple[float, float]] | None = None
    intake: Intake | None = None
    features: Sequence[FeatureRun] | None = None
    notebooks: Sequence[SavedTree] | None = None
    notes: list[str] = field(default_factory=list)

    def goals(self) -> list[Goal]:
        """Return the goals of what was measured."""
        found = []
        if self.starts is not None:
            ratios = {start.function: start.cpu.spread.middle for start in self.starts}
            found.append(goal("cold start, CPU time beside a bare client", START_LIMIT, "×", ratios))
        if self.handlings is not None:
            usual = {one.function: one.usual.own * _KILO for one in self.handlings}
            found.append(goal("handling without calls to AWS", HANDLING_LIMIT, "ms", usual))
        if self.sizes is not None:
            zipped = {name: size / _KILO for name, size in self.sizes.functions.items()}
            found.append(goal("a function's own code, zipped", SIZE_LIMIT, "kB", zipped))
        if self.memory is not None:
            found.append(goal("local cloud without jobs", MEMORY_LIMIT, "MB", {"peak": self.memory.used / _MEGA}))
        if self.emulators is not None:
            starts = {one.other: one.start.spread.middle for one in self.emulators if one.other == PLAIN_NAME}
            found.append(goal("start to the first answer, beside ministack alone", BOOT_LIMIT, "×", starts))
        if self.jobs is not None:
            added = Spread.of([job - by_hand for job, by_hand in self.jobs]).middle
            found.append(goal("a training job beside its program alone", JOB_LIMIT, "s", {"added": added}))
        if self.intake is not None:
            beside = {"record_uploads": self.intake.recording.spread.middle}
            found.append(goal("time of an upload's record, beside a bare conditional put", INTAKE_LIMIT, "×", beside))
            runs = {
                f"{one.number:,} uploads, {one.rate} a second": one.runs / ceil(one.number / MOST_UPLOADS)
                for one in self.intake.crowds
            }
            found.append(goal("runs for each beginning 5,000 uploads", RUN_LIMIT, "runs", runs))
        if self.features is not None:
            peaks = {f"{one.rows:,} rows": one.memory[0] / _MEGA for one in self.features}
            found.append(goal("memory of the feature job", MEMORY_LIMIT, "MB", peaks))
        if self.notebooks is not None:
            found += _of_notebooks(self.notebooks)
        return found

    def show(self, console: Console) -> None:
        """Print the tables, the notes and the goals."""
        tables = (
            (self.starts, self._starts),
            (self.handlings, self._handlings),
            (self.sizes, self._sizes),
            (self.latencies, self._latencies),
            (self.memory, self._memory),
            (self.emulators, self._emulators),
            (self.jobs, self._jobs),
            (self.intake, self._crowds),
            (self.features, self._features),
            (self.notebooks, self._notebooks),
        )
        for measured, table in tables:
            if measured is not None:
                console.print(table())
        for line in (*self.notes, *(one.line for one in self.goals())):
            console.print(line, highlight=False, soft_wrap=True)

    def _starts(self) -> Table:
        rows = [
            (
                start.function,
                start.service,
                times(start.cpu),
                times(start.wall),
                milliseconds(start.cpu.own),
                milliseconds(start.cpu.other),
                f"{start.complete.spread.middle:.2f} × ({start.services})",
            )
            for start in self.starts or ()
        ]
        columns = ("function", "first client", "CPU time", "wall time", "own CPU", "bare CPU", "all clients")
        return _table("Cold start, beside a bare boto3 client", columns, rows)

    def _handlings(self) -> Table:
        rows = [
            (
                one.function,
                times(one.usual),
                milliseconds(one.usual.own),
                milliseconds(one.slow),
                milliseconds(one.usual.other),
                milliseconds(one.first),
            )
            for one in self.handlings or ()
        ]
        columns = ("function", "ratio", "median", "95 %", "empty", "first event")
        return _table("Handling without calls to AWS, beside an empty handler", columns, rows)

    def _sizes(self) -> Table:
        sizes = self.sizes or Sizes({}, 0)
        limit = SIZE_LIMIT * _KILO
        rows = [(name, f"{size / limit:.3f} ×", f"{size / _KILO:.1f} kB") for name, size in sizes.functions.items()]
        rows.append(("the layer", f"{sizes.layer / _UPLOAD:.3f} ×", f"{sizes.layer / _KILO:,.1f} kB"))
        return _table("Zipped, beside 100 kB; the layer beside 50 MiB", ("what", "ratio", "size"), rows)

    def _latencies(self) -> Table:
        rows = [
            (
                one.what,
                times(one.ratio),
                milliseconds(one.ratio.own),
                f"{milliseconds(one.ratio.other)} {one.reference}",
            )
            for one in self.latencies or ()
        ]
        return _table("Latency through the stack, on the local cloud", ("path", "ratio", "median", "beside"), rows)

    def _memory(self) -> Table:
        memory = self.memory or Memory(1, 0, 0)
        rows = [
            (what, f"{size / memory.plain:.2f} ×", f"{size / _MEGA:,.0f} MB")
            for what, size in (
                ("ministack alone, when it answers", memory.plain),
                ("the local cloud, when it answers", memory.booted),
                ("the local cloud, after a deployment, runs and releases", memory.used),
            )
        ]
        return _table("Peak memory of the process", ("what", "ratio", "peak"), rows)

    def _emulators(self) -> Table:
        beside = self.emulators or ()
        rows = [
            ("start to the first answer", *(f"{times(one.start)}, {milliseconds(one.start.own)}" for one in beside))
        ]
        rows.append(
            (
                "peak memory after the calls",
                *(f"{own / other:.2f} ×, {own / _MEGA:.0f} MB" for own, other in (one.memory for one in beside)),
            )
        )
        for name in beside[0].calls if beside else ():
            found = [one.calls[name] for one in beside]
            rows.append((name, *(f"{times(ratio)}, {1 / ratio.own:,.0f} a second" for ratio in found)))
        columns = ("what", *(f"beside {one.other}" for one in beside))
        return _table("The local cloud beside others: seconds of the same call", columns, rows)

    def _jobs(self) -> Table:
        pairs = list(self.jobs or ())
        ratio = Ratio.of(pairs)
        row = (times(ratio), milliseconds(ratio.own), milliseconds(ratio.other))
        return _table("A training job that does nothing, beside its program", ("ratio", "job", "by hand"), [row])

    def _crowds(self) -> Table:
        rows = [
            (f"{one.number:,}", f"{one.rate}", f"{one.runs}", f"${one.way:.7f}", f"${one.whole:.7f}")
            for one in (self.intake.crowds if self.intake else ())
        ]
        columns = ("uploads", "a second", "runs", "each on its way", "each with its run")
        return _table("Uploads, their runs, and what each costs", columns, rows)

    def _features(self) -> Table:
        rows = []
        for one in self.features or ():
            own, other = one.memory
            speeds = [f"{one.rows / seconds:,.0f}" for seconds in (one.seconds.own, one.seconds.other)]
            held = f"{own / other:.2f} ×", f"{own / _MEGA:.0f} MB, {other / _MEGA:.0f} MB"
            rows.append((f"{one.rows:,}", times(one.seconds), ", ".join(speeds), *held))
        columns = ("rows", "time", "rows a second: the job, pandas", "peak memory", "the job, pandas")
        return _table("The feature job beside a plain pandas script", columns, rows)

    def _notebooks(self) -> Table:
        rows = []
        for one in self.notebooks or ():
            for turn, worker in enumerate(one.worker):
                sync = one.sync[turn] if one.sync else None
                beside = (f"{sync.seconds:.1f} s", f"{sync.requests:,}") if sync else ("", "")
                which = ("first", "second")[turn]
                own = (f"{worker.seconds:.1f} s", f"{worker.requests:,}", f"{worker.held / _MEGA:.0f} MB")
                rows.append((one.tree, which, own[0], beside[0], own[1], beside[1], own[2]))
        columns = ("tree", "snapshot", "worker", "aws s3 sync", "requests", "aws s3 sync", "worker's memory")
        return _table("The worker of notebook instances beside aws s3 sync", columns, rows)


def _of_notebooks(trees: Sequence[SavedTree]) -> list[Goal]:
    """Return the goals of snapshots, beside the first sync of the same tree; a million files have none beside them."""
    both = {one.tree: (one.worker, one.sync[0]) for one in trees if one.sync}
    first = {tree: worker[0].seconds / sync.seconds for tree, (worker, sync) in both.items()}
    calls = {SMALL: both[SMALL][0][0].requests / both[SMALL][1].requests}
    second = {tree: worker[1].seconds / sync.seconds for tree, (worker, sync) in both.items()}
    held = {one.tree: max(turn.held for turn in one.worker) / _MEGA for one in trees}
    return [
        goal("first snapshot, beside the first sync", FIRST_LIMIT, "×", first),
        goal("requests of the first snapshot, beside the first sync", CALLS_LIMIT, "×", calls),
        goal("second snapshot, beside the first sync", SECOND_LIMIT, "×", second),
        goal("memory of the worker", WORKER_LIMIT, "MB", held),
    ]


def _table(title: str, columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Table:
    table = Table(*columns, title=title, title_justify="left", title_style="bold")
    for row in rows:
        table.add_row(*row)
    return table
