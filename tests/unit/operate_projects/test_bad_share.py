"""The share of a run's files that may be bad goes from a project's file into its jobs' command lines."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.support import tables
from tests.support.documents import ROOT
from tests.support.project_folders import YAML, write

from signalbox_operate.new import profile, writing
from signalbox_operate.new.model import Answers
from signalbox_operate.projects import definitions, reading, target
from signalbox_operate.projects.model import ProjectError

TARGET = target.example("us-east-1")


def prepares(folder: Path) -> dict[str, Any]:
    """Return what the first job of a project's pipeline runs."""
    project = reading.read(folder)
    (entry,) = project.pipelines.values()
    found: dict[str, Any] = definitions.make(project, entry, TARGET)["Steps"][0]["Arguments"]["AppSpecification"]
    return found


def allow(folder: Path, share: str) -> Path:
    file = folder / "signalbox.yaml"
    text = file.read_text().replace("    definition:", f"    bad_share: {share}\n    definition:")
    file.write_text(text)
    return folder


@pytest.fixture
def abalone(tmp_path: Path) -> Path:
    return shutil.copytree(ROOT / "projects" / "abalone", tmp_path / "abalone")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file, folder = tables.named("cars").write(tmp_path), tmp_path / "cars"
    writing.write("cars", file, profile.look(file, Answers(label="Miles_per_Gallon")), folder)
    return folder


def test_the_share_reaches_the_jobs_of_both_seeds(abalone: Path, table: Path) -> None:
    assert prepares(abalone)["ContainerArguments"][4:6] == ["--bad-share", "0"]
    assert prepares(allow(abalone, "0.25"))["ContainerArguments"][4:6] == ["--bad-share", "0.25"]
    assert prepares(table)["ContainerEntrypoint"][2:] == ["--bad-share", "0"]
    assert prepares(allow(table, "1"))["ContainerEntrypoint"][2:] == ["--bad-share", "1"]


def test_a_definition_that_is_a_file_has_a_word_for_it(tmp_path: Path) -> None:
    yaml = YAML.replace("pipeline.py", "pipeline.json").replace(
        "    definition:", "    bad_share: 0.1\n    definition:"
    )
    project = reading.read(write(tmp_path, yaml, pipeline__json='{"Version": "2020-12-01", "Steps": ["{bad_share}"]}'))
    (entry,) = project.pipelines.values()
    assert definitions.make(project, entry, TARGET)["Steps"] == ["0.1"]


@pytest.mark.parametrize("share", ["-0.1", "1.5", "few"])
def test_a_share_that_is_none_is_refused_with_its_line(abalone: Path, share: str) -> None:
    with pytest.raises(ProjectError, match=r"bad_share.*has to be a number from 0 to 1"):
        reading.read(allow(abalone, share))
