"""The gate over the package `sagemaker_local`; each defect that is planted in a copy of the package is seen."""

import shutil
from pathlib import Path

import pytest
from tests.gates.checks import local_cloud
from tests.gates.test_template import listed


def test_the_local_cloud_knows_nothing_of_signalbox_and_imports_in_one_direction() -> None:
    problems = local_cloud.check()

    assert not problems, listed(problems)


@pytest.mark.parametrize(
    ("file", "line", "seen"),
    [
        ("access.py", "import signalbox.names", "sagemaker_local/access.py: line"),
        ("runtime/data.py", "from signalbox_local.project import STATE", "speaks of Signalbox: from signalbox_local"),
        ("core/store.py", "def late():\n    from signalbox_operate import cli", "speaks of Signalbox"),
        ("core/store.py", "import functions.start_run.app", "imports functions.start_run.app"),
        ("core/store.py", "from tests.support import samples", "imports tests.support.samples"),
        ("core/store.py", "from pipelines import builder", "imports pipelines.builder"),
        ("core/store.py", "from . import errors", "imports ..errors: the package stands alone"),
        ("server.py", 'STATE = ".signalbox"', "speaks of Signalbox: STATE"),
        ("process.py", 'os.environ["SIGNALBOX_API_URL"]', "speaks of Signalbox: os.environ"),
        ("README.md", "This is a part of Signalbox.", "sagemaker_local/README.md: line"),
        ("serving/fleet.py", "from sagemaker_local.jobs import training", "imports in a circle"),
        ("core/store.py", "from sagemaker_local.pipelines.model import Step", "imports in a circle"),
        ("ministack.py", "def late():\n    from sagemaker_local import access", "imports in a circle"),
    ],
)
def test_a_planted_defect_is_seen(tmp_path: Path, file: str, line: str, seen: str) -> None:
    folder = tmp_path / "sagemaker_local"
    shutil.copytree(local_cloud.FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    assert (folder / file).is_file()
    with (folder / file).open("a", encoding="utf-8") as stream:
        stream.write(f"\n\n{line}\n")

    assert seen in listed(local_cloud.check(folder))
