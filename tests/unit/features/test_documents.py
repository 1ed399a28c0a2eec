"""The page about features says what the schema and the code are, and its commands and programs run as they stand."""

import json
import os
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.support.athena import FILE, FakeAthena, FakeCloud
from tests.support.documents import ROOT, blocks, commands, read, table
from typer.testing import CliRunner

from signalbox_features import expressions, job, running, unused
from signalbox_features.reading import LONGEST_LINE
from signalbox_features.schema import SCHEMA
from signalbox_features.sources import of_manifest
from signalbox_features.statistics import LEAST_FOR_DRIFT
from signalbox_features.writing import MOST_RECORDS, TRIES, WORKERS
from signalbox_operate import account, cli
from signalbox_operate.commands.querying import SHOWN
from signalbox_operate.features import queries, reading, training_sets
from signalbox_operate.pipelines import features_job
from signalbox_operate.projects import reading as projects_reading
from signalbox_operate.projects import target

PAGE = read("docs/own-features.md")


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the project abalone, in which the page's commands have been run."""
    shutil.copytree(ROOT / "projects" / "abalone", tmp_path / "projects" / "abalone")
    monkeypatch.chdir(tmp_path)
    cloud = FakeCloud(FakeAthena(["SUCCEEDED"]))
    monkeypatch.setattr(account, "_made", lambda *_: cloud)
    monkeypatch.setattr("boto3.session.Session", lambda: cloud)
    for command in commands(PAGE):
        program, *words = shlex.split(command)
        assert program == "signalbox"
        done = CliRunner().invoke(cli.app, words)
        assert done.exit_code == 0, done.output
    return tmp_path


def test_the_commands_make_the_files_that_the_page_names(clone: Path) -> None:
    made = {file.name for file in (clone / "features-of-abalone").iterdir()}
    assert made == {row[0] for row in table(PAGE, "file", "what it has")}
    assert made == {running.RECORDS, running.QUARANTINE, unused.FILE, job.REPORT, job.PAGE}
    assert (clone / "projects" / "abalone" / "features.fitted.json").is_file()


def test_the_program_that_serves_runs_as_it_stands(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = CliRunner().invoke(cli.app, ["features", "check", "projects/abalone", "--json"])
    (clone / "projects" / "abalone" / "definition.json").write_text(checked.stdout)
    monkeypatch.chdir(clone / "projects" / "abalone")
    _, program, _ = blocks(PAGE, "python")
    names: dict[str, object] = {}
    exec(program.replace("server.transform_one", "found = server.transform_one"), names)  # noqa: S102  # the page's own

    found = names["found"]
    assert isinstance(found, dict)
    assert found["sex_M"] == 1.0
    assert "rings" not in found


def test_the_program_of_a_notebook_gets_a_frame(clone: Path) -> None:
    *_, program = blocks(PAGE, "python")
    names: dict[str, Any] = {}
    exec(program, names)  # noqa: S102  # the same
    assert len(names["frame"]) == FILE.count("\n") - 1


def test_the_line_of_the_page_is_a_step_where_deploy_says_what_the_script_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = projects_reading.read(ROOT / "projects" / "abalone")
    for name, value in target.variables(project, project.pipelines["abalone"], target.example("us-east-1")).items():
        monkeypatch.setenv(name, value)
    line, *_ = blocks(PAGE, "python")
    step = eval(line, {"features_job": features_job, "os": os, "image": "image"})  # noqa: S307  # the page's own
    assert step.definition()["Name"] == "Features"


def test_the_whole_definition_is_one(tmp_path: Path) -> None:
    (text,) = blocks(PAGE, "yaml")
    (tmp_path / "features.yaml").write_text(text)
    assert reading.read(tmp_path).group == "shells"


def test_the_tables_have_the_fields_of_the_schema() -> None:
    features = SCHEMA["properties"]["features"]["items"]["properties"]
    assert [row[0] for row in table(PAGE, "field", "what it says")] == list(SCHEMA["properties"])
    assert [row[0] for row in table(PAGE, "field of a feature", "what it says")] == list(features)


def test_the_manifest_is_one_that_the_job_reads(tmp_path: Path) -> None:
    (text,) = blocks(PAGE, "json")
    (tmp_path / "manifest.json").write_text(text)
    (tmp_path / json.loads(text)["files"][0]["file"]).write_text("x")
    (source,) = of_manifest(tmp_path / "manifest.json", tmp_path)
    assert source.name == "incoming/shells/part-1.csv"


def test_the_figures_are_those_of_the_code() -> None:
    assert f"{MOST_RECORDS} in a call, four calls at once" in PAGE
    assert (WORKERS, TRIES) == (4, 8)
    assert f"more than {LONGEST_LINE:,} bytes" in PAGE
    assert f"It shows up to {SHOWN} rows" in PAGE
    assert f"under `{queries.FOLDER}/` for a week" in PAGE
    assert (queries.LONGEST, training_sets.LABELS_A_QUERY) == (30 * 60, 1000)
    assert f"below {LEAST_FOR_DRIFT} rows it is not" in PAGE
    (row,) = [row for row in table(PAGE, "field of a feature", "what it says") if row[0] == "derive"]
    assert set(re.findall(r"\b[a-z]+\d?[a-z]?\b", row[1].partition("** and ")[2].partition(";")[0])) == set(
        expressions.FUNCTIONS
    )
