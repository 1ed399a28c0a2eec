"""The abalone job code, run as its jobs run it: in a process of its own, told all by arguments and environment."""

import ast
import csv
import importlib
import io
import json
import math
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from projects.abalone.pipeline.code import encoding
from tests.support import abalone

CODE = Path(encoding.__file__).parent
ROW = "M,0.455,0.365,0.095,0.514,0.2245,0.101,0.15"


@dataclass(frozen=True)
class Jobs:
    """The jobs of one run, under one folder."""

    base: Path

    def run(self, program: str, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a program to its end."""
        command = [sys.executable, str(CODE / program), *arguments]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("SM_")}
        variables = {**clean, "OMP_NUM_THREADS": "1", **environment}
        return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)

    def preprocess(self, share: str = "0", **files: str) -> "subprocess.CompletedProcess[str]":
        """Preprocess the given files, of which a share may be bad; `__` in a name is a dot."""
        raw = self.base / "raw" / "incoming"
        raw.mkdir(parents=True)
        for name, text in files.items():
            (raw / name.replace("__", ".")).write_text(text)
        folders = ["--input", str(self.base / "raw"), "--output", str(self.base / "out")]
        return self.run("preprocess.py", *folders, "--message", str(self.message_file), "--bad-share", share)

    def report(self) -> dict[str, Any]:
        """Return the report of the files that are not used."""
        found: dict[str, Any] = json.loads((self.base / "out" / "quarantine" / "quarantine.json").read_text())
        return found

    def train(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Train on what was preprocessed."""
        channels = {f"SM_CHANNEL_{name.upper()}": str(self.base / "out" / name) for name in CHANNELS}
        folders = {"SM_MODEL_DIR": str(self.base / "model"), "SM_OUTPUT_DIR": str(self.base / "output")}
        return self.run("train.py", *arguments, **channels, **folders)

    def evaluate(self) -> "subprocess.CompletedProcess[str]":
        """Pack the model as SageMaker does, and evaluate it."""
        (self.base / "artifact").mkdir(exist_ok=True)
        with tarfile.open(self.base / "artifact" / "model.tar.gz", "w:gz") as archive:
            archive.add(self.base / "model", ".")
        folders = ["--model", str(self.base / "artifact"), "--test", str(self.base / "out" / "test")]
        output = ["--output", str(self.base / "evaluation"), "--message", str(self.message_file)]
        return self.run("evaluate.py", *folders, *output)

    @property
    def message_file(self) -> Path:
        """Where a processing job says why it failed."""
        return self.base / "output" / "message"

    def rows(self, part: str) -> list[list[str]]:
        """Return the rows of a part."""
        return list(csv.reader(io.StringIO((self.base / "out" / part / f"{part}.csv").read_text())))


CHANNELS = ("train", "validation", "transform")


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(tmp_path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    """One run of all three jobs over 600 rows in two files."""
    run = Jobs(tmp_path_factory.mktemp("abalone"))
    lines = abalone.lines(600)
    for done in (
        run.preprocess(a__csv="\n".join(lines[:350]) + "\n", b__csv="\n".join(lines[350:])),
        run.train("--num_round", "60"),
        run.evaluate(),
    ):
        assert done.returncode == 0, done.stderr
    return run


@pytest.fixture
def serving(trained: Jobs, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The inference code as the model brings it, found where a server would look for it."""
    own = ("inference", "encoding", "boosting")
    monkeypatch.syspath_prepend(str(trained.base / "model" / "code"))
    for name in own:
        sys.modules.pop(name, None)
    yield importlib.import_module("inference")
    for name in own:
        sys.modules.pop(name, None)


def test_every_row_goes_to_one_part_and_the_parts_are_seven_to_three(trained: Jobs) -> None:
    counts = {part: len(trained.rows(part)) for part in ("train", "validation", "test")}
    assert sum(counts.values()) == 600
    assert 360 < counts["train"] < 480
    assert min(counts.values()) > 50
    assert json.loads((trained.base / "out" / "counts" / "counts.json").read_text()) == counts


def test_the_same_rows_in_other_files_give_the_same_parts(trained: Jobs, jobs: Jobs) -> None:
    lines = abalone.lines(600)
    assert jobs.preprocess(all__data="\n".join([*reversed(lines), *lines[:20], ""])).returncode == 0
    for part in ("train", "validation", "test"):
        assert jobs.rows(part) == trained.rows(part)


def test_the_test_rows_stay_as_they_were_uploaded_with_the_label_first(trained: Jobs) -> None:
    uploaded = {tuple(line.split(",")) for line in abalone.lines(600)}
    for label, sex, *measures in trained.rows("test"):
        assert any(row[0] == sex and row[-1] == label and _equal(row[1:-1], measures) for row in uploaded)


def _equal(texts: tuple[str, ...], others: list[str]) -> bool:
    return all(float(one) == float(other) for one, other in zip(texts, others, strict=True))


def test_training_rows_are_encoded_by_what_was_learnt_from_them_alone(trained: Jobs) -> None:
    rows = [[float(value) for value in row] for row in trained.rows("train")]
    transform = json.loads((trained.base / "out" / "transform" / "transform.json").read_text())
    lengths = sorted(row[4] for row in rows)
    middle = (lengths[(len(lengths) - 1) // 2] + lengths[len(lengths) // 2]) / 2
    assert transform["medians"]["Length"] == pytest.approx(middle)
    assert all(sum(row[1:4]) == 1 and len(row) == 11 for row in rows)


def test_the_model_is_better_than_guessing_the_mean_and_its_error_has_a_deviation(trained: Jobs) -> None:
    report = json.loads((trained.base / "evaluation" / "evaluation.json").read_text())
    labels = [float(row[0]) for row in trained.rows("test")]
    mean = sum(labels) / len(labels)
    guess = sum((label - mean) ** 2 for label in labels) / len(labels)
    mse = report["regression_metrics"]["mse"]
    assert report["rows"] == len(labels)
    assert 0 < mse["value"] < 0.8 * guess
    assert 0 < mse["standard_deviation"] < mse["value"]
    assert report["regression_metrics"]["mae"]["value"] < math.sqrt(mse["value"])


def test_the_whole_table_trains_a_model_well_under_the_threshold(jobs: Jobs) -> None:
    lines = abalone.lines(4177)
    for done in (jobs.preprocess(abalone__data="\n".join(lines)), jobs.train(), jobs.evaluate()):
        assert done.returncode == 0, done.stderr
    report = json.loads((jobs.base / "evaluation" / "evaluation.json").read_text())
    assert report["regression_metrics"]["mse"]["value"] < 5.5


def test_the_model_folder_has_all_that_serving_needs(trained: Jobs) -> None:
    found = {str(path.relative_to(trained.base / "model")) for path in (trained.base / "model").rglob("*.*")}
    assert found == {"transform.json", "code/inference.py", "code/encoding.py", "code/boosting.py"}
    assert (trained.base / "model" / "xgboost-model").read_bytes().startswith(b"{")


def test_the_model_answers_raw_rows_with_one_number_a_line(trained: Jobs, serving: ModuleType) -> None:
    model = serving.model_fn(str(trained.base / "model"))
    for body in (f"{ROW}\n\n{ROW}\n", f"{ROW}\r\n{ROW}".encode()):
        data = serving.input_fn(body, "text/csv; charset=utf-8")
        answer, content_type = serving.output_fn(serving.predict_fn(data, model), "*/*")
        assert content_type == "text/csv"
        first, second = answer.splitlines()
        assert first == second
        assert 3 < float(first) < 25


@pytest.mark.parametrize(
    ("body", "content_type", "problem"),
    [
        (ROW, "application/json", "content type 'application/json' is not taken"),
        ("", "text/csv", "the body has no rows"),
        (b"\xff\xfe", "text/csv", "the body is not UTF-8 text"),
        (f"{ROW}\nX{ROW[1:]}", "text/csv", "row 2 Sex is 'X', wants one of F, I, M"),
        (f"{ROW},15", "text/csv", "row 1 has 9 columns, wants 8: Sex, Length"),
        (ROW.replace("0.095", "tall"), "text/csv", "row 1 Height is 'tall', wants a number"),
        (ROW.replace("0.095", "0.0_95"), "text/csv", "row 1 Height is '0.0_95', wants a number"),
        (ROW.replace("0.095", "0.\u0663"), "text/csv", "row 1 Height is '0.\u0663', wants a number"),
        (ROW.replace("0.095", "inf"), "text/csv", "row 1 Height is inf, wants a number from 0 to 2"),
        (ROW.replace("0.095", "-1"), "text/csv", "row 1 Height is -1, wants a number from 0 to 2"),
        (ROW.replace("0.095", "nan"), "text/csv", "row 1 Height is nan"),
    ],
)
def test_a_request_that_cannot_be_answered_says_which_row_and_why(
    serving: ModuleType, body: str | bytes, content_type: str, problem: str
) -> None:
    with pytest.raises(serving.RequestError) as caught:
        serving.input_fn(body, content_type)
    assert problem in str(caught.value)


def test_a_caller_gets_the_first_format_that_it_takes(serving: ModuleType) -> None:
    assert serving.output_fn([1.0, 2.5], "image/png, application/json;q=0.9") == ("[1.0, 2.5]", "application/json")
    assert serving.output_fn([1.0, 2.5], None) == ("1.00000\n2.50000\n", "text/csv")
    with pytest.raises(serving.RequestError, match="'image/png' takes neither"):
        serving.output_fn([1.0], "image/png")


GOOD = f"{ROW},15\n"


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({}, "no data file (.csv or .data) among the uploads: nothing was uploaded"),
        ({"notes__txt": "hello"}, "no data file (.csv or .data) among the uploads: incoming/notes.txt"),
        ({"a__csv": GOOD, "b__csv": "\n\n"}, "1 of 2 files cannot be used, and the project allows a share of 0"),
        ({"a__csv": GOOD, "b__csv": "\n\n"}, "incoming/b.csv: has no rows"),
        ({"a__csv": "Sex,Length\n"}, "incoming/a.csv: line 1 has 2 columns, wants 9: Sex, Length"),
        ({"a__csv": GOOD + GOOD.replace("0.095", "0.09_5")}, "incoming/a.csv: line 2 Height is '0.09_5', wants a num"),
        ({"a__csv": GOOD.replace(",15\n", ",1_5\n")}, "incoming/a.csv: line 1 Rings is '1_5', wants a whole number"),
        ({"a__csv": GOOD.replace(",15\n", ",\uff17\n")}, "line 1 Rings is '\uff17', wants a whole number"),
        ({"a__csv": GOOD + GOOD.replace("0.095", "9.5")}, "incoming/a.csv: line 2 Height is 9.5, wants a number from"),
        ({"a__csv": GOOD.replace(",15", ",15.5")}, "incoming/a.csv: line 1 Rings is '15.5', wants a whole number"),
        ({"a__csv": GOOD.replace(",15\n", ",0\n")}, "incoming/a.csv: line 1 Rings is 0, wants a whole number from 1"),
        ({"a__csv": GOOD}, "1 different rows are too few"),
    ],
)
def test_a_run_that_cannot_go_on_keeps_a_report_that_says_why_with_file_and_line(
    jobs: Jobs, files: dict[str, str], problem: str
) -> None:
    done = jobs.preprocess(**files)
    assert done.returncode == 0, "SageMaker keeps no report of a job that fails"
    assert problem in done.stderr
    assert problem in jobs.message_file.read_text()
    assert problem in jobs.report()["problem"]
    assert jobs.report()["good"] == 0
    assert all(jobs.rows(part) == [] for part in ("train", "validation", "test"))


def test_all_bad_files_are_named_and_not_the_first_only(jobs: Jobs) -> None:
    lines = abalone.lines(300)
    bad = GOOD.replace("0.095", "tall")
    jobs.preprocess(a__csv="\n".join(lines), b__csv=bad * 7, c__csv="", d__csv="x", notes__txt="hello")
    assert jobs.report()["problem"].startswith("3 of 4 files cannot be used")
    height = "Height is 'tall', wants a number"
    assert [(one["file"], one["kind"]) for one in jobs.report()["quarantined"]] == [
        ("incoming/b.csv", "bad"),
        ("incoming/c.csv", "empty"),
        ("incoming/d.csv", "bad"),
        ("incoming/notes.txt", "ignored"),
    ]
    assert jobs.report()["quarantined"][0]["faults"] == [{"line": line, "reason": height} for line in range(1, 6)]
    assert jobs.report()["quarantined"][0]["more"] == 2


def test_where_the_project_allows_a_share_the_rows_of_the_good_files_are_written(jobs: Jobs) -> None:
    lines = abalone.lines(300)
    bad = f"{GOOD.replace('0.095', 'tall')}{GOOD}"
    files = {"a__csv": "\n".join(lines[:150]), "b__csv": bad, "c__csv": "\n".join(lines[150:]), "readme__md": "?"}
    assert jobs.preprocess(share="0.34", **files).returncode == 0
    assert (jobs.report()["good"], jobs.report()["problem"]) == (2, "")
    assert [one["file"] for one in jobs.report()["quarantined"]] == ["incoming/b.csv", "incoming/readme.md"]
    written = sum(len(jobs.rows(part)) for part in ("train", "validation", "test"))
    assert written == len(set(lines)), "a bad file gives none of its rows, also not its good ones"


def test_every_file_that_is_bad_passes_any_share(jobs: Jobs) -> None:
    jobs.preprocess(share="1", a__csv="x", b__csv="y")
    assert jobs.report()["problem"].startswith("2 of 2 files cannot be used, and none is good. incoming/a.csv: ")


def test_training_without_rows_leaves_the_reason_in_the_failure_file(jobs: Jobs) -> None:
    done = jobs.train()
    assert done.returncode == 1
    assert (jobs.base / "output" / "failure").read_text() == "channel train has no rows: give it CSV files, label first"


def test_an_unknown_hyperparameter_is_refused_by_name(jobs: Jobs) -> None:
    done = jobs.train("--depth", "3")
    assert done.returncode != 0
    assert "--depth" in done.stderr


def test_evaluation_without_test_rows_says_so(jobs: Jobs) -> None:
    (jobs.base / "model").mkdir()
    done = jobs.evaluate()
    assert done.returncode == 1
    assert jobs.message_file.read_text() == "the test data has no rows"


def test_a_measure_of_zero_counts_as_not_taken() -> None:
    known = encoding.read_features(ROW.split(","))
    unmeasured = encoding.read_features(ROW.replace("0.095", "0").split(","))
    transform = encoding.fit([known, known, unmeasured])
    assert encoding.encode(unmeasured, transform) == encoding.encode(known, transform)


@pytest.mark.parametrize("path", sorted(CODE.glob("*.py")), ids=lambda path: path.name)
def test_the_code_is_written_for_the_oldest_python_of_the_images(path: Path) -> None:
    ast.parse(path.read_text(), feature_version=(3, 8))


@pytest.mark.parametrize("path", sorted(CODE.glob("*.py")), ids=lambda path: path.name)
def test_the_code_imports_nothing_that_its_images_lack(path: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported.add((node.module or "").partition(".")[0])
    beside = {program.stem for program in CODE.glob("*.py")}
    assert imported - beside - set(sys.stdlib_module_names) <= {"numpy", "xgboost"}
