"""`python -m tests.bench`: measure everything side by side in one run, and print it as ratios.

The exit code says whether it could be measured, not whether the goals are met: a bench is no test.
"""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from sagemaker_local.process import CloudError
from tests.bench import cloud, cold_starts, emulators, features, handling, jobs, latency, notebooks, pushes, uploads
from tests.bench.built import Stack, built
from tests.bench.figures import BenchError
from tests.bench.report import Report, Sizes
from tests.gates.artefacts import zipped_size

PARTS = ("starts", "handling", "sizes", "cloud", "emulators", "jobs", "uploads", "features", "notebooks")
_BUILT = {"starts", "handling", "sizes", "cloud"}
_SLOW = {"uploads", "notebooks"}  # 22,220 uploads, and files by the million
_ROUNDS = 12


def main() -> int:
    """Measure what is asked for and print it; return the exit code."""
    options = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    options.add_argument(
        "parts",
        nargs="*",
        metavar="part",
        help=f"what to measure, of {', '.join(PARTS)}: all but {', '.join(sorted(_SLOW))}",
    )
    options.add_argument("--rounds", type=int, default=_ROUNDS, help="pairs of processes for each cold start")
    chosen = options.parse_args()
    parts = set(chosen.parts) or {*PARTS} - _SLOW
    if not parts <= set(PARTS) or chosen.rounds < 1:
        options.error(f"the parts are {', '.join(PARTS)}, and there is at least one round")
    # Files have no terminal's width to keep to.
    console = Console(width=None if sys.stdout.isatty() else 150)
    try:
        with tempfile.TemporaryDirectory(prefix="signalbox-bench-") as folder:
            report = _measure(parts, chosen.rounds, Path(folder), console)
    except (BenchError, CloudError, AssertionError) as error:  # the last is what a scenario says that waits in vain
        console.print(f"not measured: {error}", markup=False)
        return 1
    report.show(console)
    return 0


def _measure(parts: set[str], rounds: int, folder: Path, console: Console) -> Report:
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    report = Report(notes=[f"Measured with {machine}; load at the beginning {os.getloadavg()[0]:.1f}."])
    with console.status("sam build") as status:
        if parts & _BUILT:
            (folder / "stack").mkdir()
            _measure_built(parts, rounds, built(folder / "stack"), folder, report, status.update)
        if "emulators" in parts:
            report.emulators = emulators.measure(folder / "emulators", status.update)
        if "jobs" in parts:
            report.jobs = jobs.measure(folder / "jobs", status.update)
        if "uploads" in parts:
            report.intake = uploads.measure(folder / "uploads", status.update)
        if "features" in parts:
            report.features = features.measure(folder / "features", status.update)
        if "notebooks" in parts:
            report.notebooks = notebooks.measure(folder / "notebooks", status.update)
    return report


def _measure_built(
    parts: set[str], rounds: int, stack: Stack, folder: Path, report: Report, say: Callable[[str], None]
) -> None:
    if "starts" in parts:
        report.starts = cold_starts.measure(stack, rounds, say)
    if "handling" in parts:
        report.handlings = handling.measure(stack, say)
    if "sizes" in parts:
        report.sizes = _sizes(stack, folder / "archive.zip")
    if "cloud" in parts:
        say("plain ministack starts")
        plain = cloud.plain_peak(folder / "plain")
        with cloud.running(stack, folder, say) as (world, booted):
            report.latencies = [*latency.measure(world, say), *pushes.measure(world, folder / "pushes", say)]
            report.memory = cloud.Memory(plain, booted, cloud.peak(world.cloud.pid))


def _sizes(stack: Stack, archive: Path) -> Sizes:
    functions = {function.name: zipped_size(function.code, archive) for function in stack.functions}
    return Sizes(functions, zipped_size(stack.build.layer, archive))


if __name__ == "__main__":
    sys.exit(main())
