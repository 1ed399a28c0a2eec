"""`signalbox new` as a person types it: whole folders or nothing, and questions where there is a terminal."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.support import tables
from tests.support.documents import ROOT
from typer.testing import CliRunner, Result

from signalbox_operate.cli import app
from signalbox_operate.commands import beginning
from signalbox_operate.new import folders, writing

FILES = {
    ".gitignore",
    "README.md",
    "buildspec.yml",
    "notebook.ipynb",
    "pipeline/code/evaluate.py",
    "pipeline/code/files.py",
    "pipeline/code/inference.py",
    "pipeline/code/job.py",
    "pipeline/code/prepare.py",
    "pipeline/code/quarantine.py",
    "pipeline/code/rows.py",
    "pipeline/code/table.py",
    "pipeline/code/train.py",
    "pipeline/definition.py",
    "signalbox.yaml",
    "tests/test_project.py",
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, with a table beside it."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def new(*words: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, ["new", *words], input=typed)


def listed(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def said(result: Result) -> str:
    return " ".join((result.stdout + result.stderr).split())


def test_a_project_is_written_whole_and_every_decision_is_said_and_in_its_readme(here: Path, tmp_path: Path) -> None:
    file = tables.named("cars").write(tmp_path)
    result = new("cars", "--from", str(file), "--label", "Miles_per_Gallon")
    assert result.exit_code == 0, said(result)
    assert listed(here) == {f"cars/{name}" for name in (*FILES, "data/cars.csv")}
    readme = (here / "cars" / "README.md").read_text()
    sentences = [line for line in result.stdout.splitlines() if line.startswith("- ")]
    assert len(sentences) > 6
    assert all(sentence in readme for sentence in sentences)
    everything = "".join(path.read_text() for path in here.rglob("*") if path.is_file())
    assert "__PROJECT__" not in everything
    described = yaml.safe_load((here / "cars" / "signalbox.yaml").read_text())
    assert described["uploads"]["prefix"] == "incoming/cars/"
    assert described["pipelines"]["train"]["models"] == ["cars"]


def test_the_tests_of_a_project_pass_and_its_notebook_runs(here: Path, tmp_path: Path) -> None:
    file = tables.named("iris").write(tmp_path)
    assert new("iris-flowers", "--from", str(file), "--label", "column5").exit_code == 0
    project = here / "iris-flowers"
    places = [ROOT, ROOT / "layers/signalbox", ROOT / "operate", ROOT / "features", ROOT / "notebooks/worker"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places))}

    def run(*words: str) -> str:
        line = [sys.executable, *words]
        done = subprocess.run(line, cwd=project, env=environment, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    assert "3 passed" in run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    moved = (project / "data").rename(here / "data")  # as in a repository, to which data are not committed
    assert "1 passed, 2 skipped" in run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    moved.rename(project / "data")
    cells = json.loads((project / "notebook.ipynb").read_text())["cells"]
    program = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert "multiclass_classification_metrics" in run("-c", program)


def test_what_a_table_does_not_say_is_asked_in_a_terminal(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beginning, "_can_ask", lambda: True)
    file = tables.named("cars").write(tmp_path)
    result = new("cars", "--from", str(file), typed="nothing\nCylinders\n2\n")
    assert result.exit_code == 0, said(result)
    assert "Which column is to be predicted?" in result.stdout
    assert "Cylinders is predicted: a multiclass problem, because as you said." not in result.stdout
    assert "Cylinders is predicted: a multiclass problem, as you said." in result.stdout
    assert (here / "cars" / "signalbox.yaml").is_file()


def test_without_a_terminal_the_option_that_answers_is_named_and_nothing_is_written(here: Path, tmp_path: Path) -> None:
    result = new("cars", "--from", str(tables.named("cars").write(tmp_path)))
    assert result.exit_code == 1
    assert "Answer with --label: Name, Miles_per_Gallon" in said(result)
    assert listed(here) == set()


def test_a_folder_that_exists_stays_as_it_is(here: Path, tmp_path: Path) -> None:
    (here / "cars").mkdir()
    (here / "cars" / "mine.txt").write_text("mine")
    result = new("cars", "--from", str(tables.named("cars").write(tmp_path)), "--label", "Miles_per_Gallon")
    assert result.exit_code == 1
    assert "cars exists already: nothing was written" in said(result)
    assert listed(here) == {"cars/mine.txt"}


@pytest.mark.parametrize("name", ["Wine", "wine_1", "-wine", "wi--ne", "w" * 31, "../wine"])
def test_a_name_that_no_project_may_have_is_refused_by_its_rule(name: str, here: Path, tmp_path: Path) -> None:
    result = new("--from", str(tables.named("iris").write(tmp_path)), "--label", "5", "--", name)
    assert result.exit_code == 1
    assert "a project cannot be called" in said(result)
    assert listed(here) == set()


def test_a_failure_while_writing_leaves_nothing(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    result = new("iris", "--from", str(tables.named("iris").write(tmp_path).absolute()), "--label", "5")
    assert result.exit_code == 1, result.output
    assert "No space left on device" in said(result)
    assert list(here.iterdir()) == []


def test_a_large_table_is_not_copied_but_rows_of_all_of_it_are_there_to_try(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "COPIED", 1000)
    file = tables.named("cars").write(tmp_path)
    assert new("cars", "--from", str(file), "--label", "Miles_per_Gallon").exit_code == 0
    lines = (here / "cars" / "data" / "cars.csv").read_text().splitlines()
    assert lines[0].startswith("Name,Miles_per_Gallon")
    assert len(lines) == 407
    assert f"signalbox upload {file}" in (here / "cars" / "README.md").read_text()


def test_jobs_get_an_instance_whose_memory_holds_the_table() -> None:
    sizes = (1_000, 1_000_000_000, 2_000_000_000, 20_000_000_000)
    assert [writing.instance(size) for size in sizes] == [
        "ml.m5.large",
        "ml.m5.xlarge",
        "ml.m5.2xlarge",
        "ml.m5.4xlarge",
    ]


def test_a_folder_is_whole_or_not_there(tmp_path: Path) -> None:
    def fail() -> None:
        with folders.made(tmp_path / "project") as inside:
            folders.write(inside, {"a/b.txt": "text"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []
