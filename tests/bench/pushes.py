"""Latency of a push through the deployed stack: until its build starts, and until its pipeline does.

Each push is measured right after a bare one, of the same size, to a repository of the same cloud that nobody builds.
"""

import time
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.figures import Ratio
from tests.bench.latency import Latency, Progress
from tests.bench.reference import wait
from tests.system.project_folders import ANSWER, DEFINITION, JUDGE
from tests.system.pushed import Pushed
from tests.system.world import World

PUSHES = 5
PROJECT = "pushed"
_BARE = "bench-bare"
_FILE = f"""\
project: {PROJECT}
uploads: {{suffix: .csv, quiet_seconds: 0}}
pipelines:
  judge: {{definition: definition.py, code: code, models: [{PROJECT}]}}
branches: {{main: main, experiments: false}}
"""
# Too weak to be registered: a run is over when its one job is.
_UPLOAD = f"{PROJECT},0.1\n".encode()
_LEAST = 0.8


def measure(world: World, folder: Path, progress: Progress) -> list[Latency]:
    """Return the latencies of a push, with its project's files below `folder`.

    Raises:
        BenchError: a push does not lead where it should.
    """
    progress("a project with a repository")
    made = _project(world, folder)
    bare = _bare(made)
    starts, runs = [], []
    for number in range(1, PUSHES + 1):
        progress(f"push {number} of {PUSHES}")
        compared = _seconds_of_push(made, bare, number)
        begun = time.time()
        commit = made.change(f"{_least(number - 1)})", f"{_least(number)})", push="main")
        run = wait("the run of a push", partial(_run, made, number + 1))
        starts.append((made.built(commit)["startTime"].timestamp() - begun, compared))
        runs.append((run["StartTime"].timestamp() - begun, compared))
    made.remove()
    beside = "git push to a repository that nobody builds"
    return [
        Latency("git push → StartBuild", beside, Ratio.of(starts)),
        Latency("git push → StartPipelineExecution, with the build", beside, Ratio.of(runs)),
    ]


def _project(world: World, folder: Path) -> Pushed:
    """Return a project that is deployed by its first push, and has had a run over an upload."""
    seed = folder / PROJECT
    seed.mkdir(parents=True)
    (seed / "signalbox.yaml").write_text(_FILE)
    (seed / "definition.py").write_text(DEFINITION)
    (seed / "code").mkdir()
    (seed / "code" / "judge.py").write_text(JUDGE)
    (seed / "code" / "answer.py").write_text(ANSWER)
    made = Pushed(world, PROJECT, seed)
    made.create()
    made.built(made.head())
    world.client("s3").put_object(Bucket=world.outputs["DataBucket"], Key=f"incoming/{PROJECT}/1.csv", Body=_UPLOAD)
    wait("the first run of the project", partial(_run, made, 1))
    return made


def _bare(made: Pushed) -> Path:
    made.world.client("codecommit").create_repository(repositoryName=_BARE)
    clone = made.seed.with_name(_BARE)
    made.git("clone", f"{made.world.cloud.environment['AWS_ENDPOINT_URL']}/v1/repos/{_BARE}", str(clone))
    return clone


def _seconds_of_push(made: Pushed, clone: Path, number: int) -> float:
    """Return the seconds that a commit and its push take, where nobody listens."""
    (clone / "definition.py").write_text(DEFINITION.replace(f"{_LEAST})", f"{_least(number)})"))
    begun = time.time()
    made.git("add", "--all", folder=clone)
    made.git("commit", "--message", f"number {number}", folder=clone)
    made.git("push", "origin", "HEAD:main", folder=clone)
    return time.time() - begun


def _least(number: int) -> float:
    """Return the accuracy that a model has to reach after so many pushes: each changes it."""
    return round(_LEAST + number / 100, 2)


def _run(made: Pushed, number: int) -> dict[str, Any] | None:
    """Return the `number`th run of the project's pipeline; None before there is one."""
    found = made.runs(f"{made.build}--judge")
    return found[number - 1] if len(found) >= number else None
