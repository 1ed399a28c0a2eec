"""The feature job beside a plain pandas script that makes the same features, by turns: rows a second, peak memory."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from signalbox_features import fitting, sources
from signalbox_local.project import program_environment
from signalbox_operate.features import reading
from tests.bench.figures import BenchError, Ratio
from tests.support.abalone import seeded
from tests.support.documents import ROOT

SIZES = (100_000, 1_000_000)
_FILES = 4
_TURNS = {SIZES[0]: 3, SIZES[1]: 1}
# Both programs say at their end what they took: seconds without the start of Python, and the most that they held.
_TOLD = """
import json, re, sys, time
def told(begun):
    held = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
    sys.stderr.write("\\n" + json.dumps({"seconds": time.perf_counter() - begun, "held": held}))
"""
_JOB = f"""{_TOLD}
from signalbox_features import job
begun = time.perf_counter()
code = job.main(sys.argv[1:])
told(begun)
sys.exit(code)
"""
_PANDAS = f"""{_TOLD}
begun = time.perf_counter()
import pandas as pd
from pathlib import Path
names = "sex length diameter height whole_weight shucked_weight viscera_weight shell_weight rings".split()
folder, output = map(Path, sys.argv[1:])
df = pd.concat([pd.read_csv(file, names=names) for file in sorted(folder.glob("*.csv"))], ignore_index=True)
for name in names[1:8]:
    df[name] = (df[name] - df[name].mean()) / df[name].std(ddof=0)
df = pd.get_dummies(df, columns=["sex"], dtype=float)
df.insert(0, "record_id", range(len(df)))
df.insert(1, "record_time", time.time())
df.to_csv(output, index=False)
told(begun)
"""


@dataclass(frozen=True)
class FeatureRun:
    """How a number of rows became features: seconds of the job and of pandas, and the most bytes that each held."""

    rows: int
    seconds: Ratio
    memory: tuple[int, int]


def measure(folder: Path, say: Callable[[str], None]) -> list[FeatureRun]:
    """Return a figure for each of `SIZES`.

    Raises:
        BenchError: a program failed.
    """
    folder.mkdir(parents=True)
    definition = reading.read(ROOT / "projects" / "abalone")
    (folder / "definition.json").write_text(json.dumps(definition.given))
    lines = seeded(SIZES[0] // _FILES // 5)
    (folder / "fit.csv").write_text("\n".join([*lines, ""]))
    fitting.save(fitting.fit(definition, sources.of_paths([folder / "fit.csv"])), folder / "fitted.json")
    return [_measured(folder, size, lines, say) for size in SIZES]


def _measured(folder: Path, size: int, lines: list[str], say: Callable[[str], None]) -> FeatureRun:
    place = folder / str(size)
    (place / "input").mkdir(parents=True)
    block = "\n".join([*lines, ""])
    entries = []
    for number in range(_FILES):
        name = f"{number}.csv"
        with (place / "input" / name).open("w") as file:
            file.writelines([block] * (size // _FILES // len(lines)))
        entries.append({"file": name, "version": "1", "uploaded": "2026-11-27T12:00:00Z"})
    (place / "manifest.json").write_text(json.dumps({"files": entries}))
    pairs, held = [], [(0, 0)]
    for turn in range(_TURNS[size]):
        say(f"features of {size:,} rows, turn {turn + 1}")
        ours, theirs = _run(_JOB, *_words(folder, place)), _run(_PANDAS, str(place / "input"), str(place / "p.csv"))
        pairs.append((ours[0], theirs[0]))
        held.append((ours[1], theirs[1]))
    return FeatureRun(size, Ratio.of(pairs), (max(own for own, _ in held), max(other for _, other in held)))


def _words(folder: Path, place: Path) -> list[str]:
    given = {"definition": folder / "definition.json", "artefact": folder / "fitted.json", "input": place / "input"}
    given |= {"manifest": place / "manifest.json", "output": place / "out"}
    return [word for name, path in given.items() for word in (f"--{name}", str(path))]


def _run(program: str, *words: str) -> tuple[float, int]:
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        env=program_environment({}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"a program that makes features failed: {done.stderr[-500:]}")
    told = json.loads(done.stderr.splitlines()[-1])
    return told["seconds"], told["held"]
