"""The project on this machine: its packages, its tools, and the variables of its cloud."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sagemaker_local.process import Options
from signalbox_local.project import ROOT, STATE, ProjectCloud, options, program_environment, python_path


def test_programs_of_the_project_find_its_packages_and_its_tools_first() -> None:
    made = program_environment({"A": "b"})
    assert made["A"] == "b"
    assert made["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert made["PYTHONPATH"].split(os.pathsep) == python_path()
    assert python_path()[0] == str(ROOT)


def test_the_environment_says_where_the_api_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda _, **more: started([sys.executable, "-c", ""], **more))
    cloud = ProjectCloud(Options(tmp_path))
    cloud.stop()

    assert cloud.environment["SIGNALBOX_API_URL"] == f"{cloud.environment['AWS_ENDPOINT_URL']}/public"


def test_the_projects_cloud_keeps_its_state_apart_and_knows_the_projects_containers() -> None:
    chosen = options(4711)
    assert (chosen.port, chosen.folder, chosen.containers) == (4711, STATE / "cloud-4711", ROOT / "projects")
