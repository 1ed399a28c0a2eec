"""What SageMaker would refuse about a container's files and hyperparameters, and how its programs are judged."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from signalbox_operate import cli
from signalbox_operate.containers import limits, programs
from signalbox_operate.containers.contract import Contract
from signalbox_operate.containers.model import Answer, Ended, Step, Trial

FIRST = "#!/usr/bin/env python3\n"
BOTH = {"train": FIRST, "serve": FIRST}


def written(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, text in files.items():
        (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("serve", "problem"),
    [
        (None, "there is no serve in"),
        ("import flask\n", "its first line has to name its interpreter, as #!/usr/bin/env python3 does"),
        ("", "its first line has to name its interpreter"),
        (b"#!/bin/sh\r\nexec x\r\n", "its first line ends with a carriage return: save it with Unix line ends"),
        (b"\xef\xbb\xbf#!/bin/sh\n", "it begins with a byte order mark"),
        ("#!/" + "x" * 300 + "\n", "its first line is longer than the 256 characters"),
    ],
)
def test_a_program_that_could_not_be_executed_is_named(tmp_path: Path, serve: str | bytes | None, problem: str) -> None:
    files: dict[str, str | bytes] = {"train": FIRST} if serve is None else {"train": FIRST, "serve": serve}

    train, refused = programs.check(written(tmp_path, files))

    assert train == Step("program train", "ok")
    assert (refused.what, refused.verdict) == ("program serve", "refused")
    assert problem in refused.told


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("#!/bin/bash\ngunicorn app\n", True),
        ("#!/usr/bin/env bash\nserver &\nwait\n", True),
        ("#!/bin/bash\nexec gunicorn app\n", False),
        ("#!/bin/bash\ntrap 'kill $!' TERM\nserver &\nwait\n", False),
        ("#!/usr/bin/env python3\nprint()\n", False),
    ],
)
def test_a_shell_that_keeps_sigterm_to_itself_is_warned_about(tmp_path: Path, text: str, warned: bool) -> None:
    found = list(programs.check(written(tmp_path, {"train": FIRST, "serve": text})))

    assert ["start the server by exec" in step.told for step in found if step.verdict == "warned"] == [True] * warned


def test_the_programs_may_lie_in_a_folder_of_the_folder(tmp_path: Path) -> None:
    inner = tmp_path / "container" / "decision_trees"
    inner.mkdir(parents=True)
    written(inner, BOTH)

    assert programs.folder_of(tmp_path) == programs.folder_of(inner) == inner


def refused(**changes: object) -> list[str]:
    trial = replace(Trial({"training": Path()}), **changes)  # type: ignore[arg-type]  # a test gives what fits
    return [step.told for step in limits.check(trial) if step.verdict == "refused"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"channels": {"my data": Path()}}, "channel 'my data' does not fit SageMaker's pattern"),
        ({"channels": {"c" * 65: Path()}}, "has 65 characters, and SageMaker takes 64"),
        ({"hyperparameters": {"n": "x" * 2501}}, "has 2,501 characters, and SageMaker takes 2,500"),
        ({"hyperparameters": {"n" * 257: "x"}}, "has 257 characters, and SageMaker takes 256"),
        ({"hyperparameters": {f"n{one}": "x" for one in range(101)}}, "there are 101 hyperparameters"),
        ({"environment": {"1X": "x"}}, "environment variable '1X' does not fit SageMaker's pattern"),
        ({"environment": {f"N{one}": "x" for one in range(101)}}, "there are 101 environment variables"),
    ],
)
def test_what_is_over_sagemakers_limits_is_named(changes: dict[str, object], problem: str) -> None:
    (told,) = refused(**changes)

    assert problem in told


def test_what_is_within_the_limits_is_taken() -> None:
    assert refused(hyperparameters={"n" * 256: "x" * 2500}, environment={"A_1": "x"}) == []


@dataclass
class FakeServer:
    """A server whose answers are given; each request takes a second of the clock."""

    answers: dict[str, Answer | None]
    tick: Callable[[], float]
    alive: bool = True
    listens: str = ""
    stops_after: float | None = 0.5
    stopped: bool = False

    def ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], seconds: float
    ) -> Answer | None:
        """Answer by the path."""
        self.tick()
        return self.answers.get(path)

    def running(self) -> bool:
        """Say whether it lives."""
        return self.alive

    def elsewhere(self) -> str:
        """Say where it listens."""
        return self.listens

    def stop(self, seconds: float) -> float | None:
        """End."""
        self.stopped = True
        return self.stops_after

    def output(self) -> str:
        """Return what it printed."""
        return "Traceback\nOSError"


@dataclass
class FakeRuntime:
    """A runtime whose trainings end as the test says, one after the other."""

    endings: list[Ended]
    server: FakeServer
    failure: str = ""
    model: bytes | None = b"model"
    trees: list[Path] = field(default_factory=list)

    def train(self, tree: Path, trial: Trial) -> Ended:
        """End, and leave what a program would."""
        self.trees.append(tree)
        ended = self.endings.pop(0)
        if self.failure:
            (tree / "output" / "failure").write_text(self.failure)
        if self.model is not None and ended.code == 0:
            (tree / "model" / "model").write_bytes(self.model)
        return ended

    def serve(self, tree: Path, trial: Trial) -> FakeServer:
        """Start."""
        self.trees.append(tree)
        return self.server


@pytest.fixture
def clock() -> Callable[[], float]:
    """A clock that goes on by a second at each look."""
    return itertools.count(0.0, 1.0).__next__


@pytest.fixture
def runtime(clock: Callable[[], float]) -> FakeRuntime:
    """A container that keeps to the contract, but for the failure of its second training."""
    answers: dict[str, Answer | None] = {"/ping": Answer(200, b""), "/invocations": Answer(200, b"setosa\n")}
    return FakeRuntime([Ended(0, ""), Ended(1, "")], FakeServer(answers, clock))


def steps(runtime: FakeRuntime, clock: Callable[[], float], work: Path, **changes: object) -> list[Step]:
    data = work / "data.csv"
    data.write_text("setosa,5.1\n")
    trial = replace(Trial({"training": data}, {"depth": "3"}, request=b"5.1", ping_seconds=20), **changes)  # type: ignore[arg-type]  # a test gives what fits
    return list(Contract(runtime, trial, work / "work", clock, lambda _: None).run())


def test_training_finds_data_and_hyperparameters_where_sagemaker_puts_them(
    runtime: FakeRuntime, clock: Callable[[], float], tmp_path: Path
) -> None:
    steps(runtime, clock, tmp_path)

    first, second, serving = runtime.trees
    assert (first / "input/data/training/data.csv").read_text() == "setosa,5.1\n"
    assert (first / "input/config/hyperparameters.json").read_text() == '{"depth": "3"}'
    assert list((second / "input/data/training").iterdir()) == []
    assert (serving / "model/model").read_bytes() == b"model"
    assert runtime.server.stopped


def test_a_failure_without_a_reason_is_warned_about_and_one_with_a_reason_is_not(
    runtime: FakeRuntime, clock: Callable[[], float], tmp_path: Path
) -> None:
    assert [step.verdict for step in steps(runtime, clock, tmp_path)] == ["ok", "warned", "ok", "ok", "ok"]


@pytest.mark.parametrize(
    ("changes", "verdict", "told"),
    [
        ({"endings": [Ended(None, "epoch 1")]}, "refused", "it did not end within 600 s; it printed: epoch 1"),
        ({"endings": [Ended(2, "boom")]}, "refused", "AlgorithmError: , exit code: 2; it printed: boom"),
        (
            {"endings": [Ended(2, "boom")], "failure": "no rows"},
            "refused",
            "SageMaker shows: AlgorithmError: no rows, exit code: 2",
        ),
        ({"failure": "no rows"}, "warned", "SageMaker shows nothing of its failure file: no rows"),
        ({"model": None}, "warned", "it left nothing in /opt/ml/model"),
    ],
)
def test_a_training_is_judged_by_its_exit_code_its_failure_file_and_its_model(
    changes: dict[str, object],
    verdict: str,
    told: str,
    runtime: FakeRuntime,
    clock: Callable[[], float],
    tmp_path: Path,
) -> None:
    first, *_ = steps(replace(runtime, **changes), clock, tmp_path)  # type: ignore[arg-type]  # a test gives what fits

    assert first.verdict == verdict
    assert told in first.told


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"alive": False}, "it ended before it answered /ping; it printed: Traceback | OSError"),
        ({"answers": {"/ping": Answer(503, b"")}}, "not answered with 200 within 20 s (the last answer was 503)"),
        ({"answers": {}}, "not answered with 200 within 20 s (there was no answer)"),
        ({"answers": {}, "listens": "it listens on ::1:5000"}, "listen on port 8080, and it listens on ::1:5000"),
        ({"answers": {"/ping": Answer(200, b"")}}, "no answer within 60 s"),
        ({"answers": {"/ping": Answer(200, b""), "/invocations": Answer(500, b"boom")}}, "the answer is 500: boom"),
        ({"answers": {"/ping": Answer(200, b""), "/invocations": Answer(200, b"")}}, "the answer is empty"),
        ({"stops_after": None}, "it still runs 30 s after SIGTERM and is killed"),
    ],
)
def test_a_server_is_judged_by_its_answers_and_its_end(
    changes: dict[str, object],
    told: str,
    runtime: FakeRuntime,
    clock: Callable[[], float],
    tmp_path: Path,
) -> None:
    runtime.server = replace(runtime.server, **changes)  # type: ignore[arg-type]  # a test gives what fits

    found = [step for step in steps(runtime, clock, tmp_path) if step.verdict == "refused"]

    assert [told in step.told for step in found] == [True]
    assert runtime.server.stopped


def test_without_a_request_the_prediction_is_left_out(
    runtime: FakeRuntime, clock: Callable[[], float], tmp_path: Path
) -> None:
    found = steps(runtime, clock, tmp_path, request=None)

    assert ("one prediction", "skipped") in [(step.what, step.verdict) for step in found]


def ask(*words: object) -> Result:
    return CliRunner().invoke(cli.app, ["test", *map(str, words)])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "there is nothing to train on: give the data with --channel NAME=PATH"),
        (["--channel", "training"], "channel 'training' has to be NAME=VALUE"),
        (["--channel", "a=x", "--channel", "a=y"], "channel 'a' is given twice"),
        (["--channel", "a=x", "--hyperparameter", "b"], "hyperparameter 'b' has to be NAME=VALUE"),
        (["--channel", "a=x"], "channel a: there are no data in x"),
    ],
)
def test_options_that_cannot_be_used_are_told(tmp_path: Path, words: list[str], told: str) -> None:
    done = ask(written(tmp_path, BOTH), *words)

    assert done.exit_code == 1
    assert told in done.stderr


def test_a_folder_without_programs_is_told(tmp_path: Path) -> None:
    done = ask(tmp_path, "--channel", "a=x")

    assert "has no programs train and serve: name the folder of a container" in " ".join(done.stderr.split())
