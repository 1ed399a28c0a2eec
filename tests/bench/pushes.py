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
from tests.system.pushed import Pushed
from tests.system.world import World

PUSHES = 5
PROJECT = "pushed"
_BARE = "bench-bare"
_FILE = f"""\
project: {PROJECT}
uploads: {{suffix: .csv, quiet_seconds: 0}}
pipelines:
  nothing: {{definition: definition.py}}
branches: {{main: main, experiments: false}}
"""
# A run that has nothing to do, so that what is measured is the path to it; each push compares another number.
_DEFINITION = """\
import json

equal = {"Type": "Equals", "LeftValue": 0, "RightValue": 1}
nothing = {"Conditions": [equal], "IfSteps": [], "ElseSteps": []}
parameter = {"Name": "InputManifest", "Type": "String"}
steps = [{"Name": "Nothing", "Type": "Condition", "Arguments": nothing}]
print(json.dumps({"Version": "2020-12-01", "Parameters": [parameter], "Steps": steps}))
"""


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
        commit = made.change(f'RightValue": {number}}}', f'RightValue": {number + 1}}}', push="main")
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
    (seed / "definition.py").write_text(_DEFINITION)
    made = Pushed(world, PROJECT, seed)
    made.create()
    made.built(made.head())
    world.client("s3").put_object(Bucket=world.outputs["DataBucket"], Key=f"incoming/{PROJECT}/1.csv", Body=b"1\n")
    wait("the first run of the project", partial(_run, made, 1))
    return made


def _bare(made: Pushed) -> Path:
    made.world.client("codecommit").create_repository(repositoryName=_BARE)
    clone = made.seed.with_name(_BARE)
    made.git("clone", f"{made.world.cloud.environment['AWS_ENDPOINT_URL']}/v1/repos/{_BARE}", str(clone))
    return clone


def _seconds_of_push(made: Pushed, clone: Path, number: int) -> float:
    """Return the seconds that a commit and its push take, where nobody listens."""
    file = clone / "definition.py"
    file.write_text(_DEFINITION.replace('RightValue": 1', f'RightValue": {number}'))
    begun = time.time()
    made.git("add", "--all", folder=clone)
    made.git("commit", "--message", f"number {number}", folder=clone)
    made.git("push", "origin", "HEAD:main", folder=clone)
    return time.time() - begun


def _run(made: Pushed, number: int) -> dict[str, Any] | None:
    """Return the `number`th run of the project's pipeline; None before there is one."""
    found = made.runs(f"{made.build}--nothing")
    return found[number - 1] if len(found) >= number else None
