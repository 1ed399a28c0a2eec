"""The README of the local cloud: its command starts a cloud, its example runs there, its table names what there is."""

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from tests.sagemaker_local.support.programs import PACKAGE, environment

from sagemaker_local.reference import reference
from sagemaker_local.server import free_port
from sagemaker_local.stacks import TYPES

README = (PACKAGE / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def started(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A cloud that the README's command started, on a free port."""
    _, *words = block("bash").replace("4566", str(free_port())).split()
    process = subprocess.Popen(
        [sys.executable, *words], cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.communicate()


def exported(process: "subprocess.Popen[str]") -> dict[str, str]:
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    variables: dict[str, str] = {}
    for line in lines:
        if line.startswith("#"):
            return variables
        [(name, _, value)] = [word.partition("=") for word in shlex.split(line.removeprefix("export "))]
        variables[name] = value
    raise AssertionError(f"the cloud ended after it printed {variables}")


def test_the_example_trains_deploys_and_asks_a_model_and_ctrl_c_ends_the_cloud(
    started: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    variables = exported(started)

    done = subprocess.run(
        [sys.executable, "-c", block("python")],
        cwd=tmp_path,
        env={**environment(), **variables},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert abs(int(done.stdout.removeprefix("20 times 2 is about ")) - 40) <= 2
    started.send_signal(signal.SIGINT)
    assert started.wait(20) == 130


def test_a_second_cloud_on_its_port_is_refused_in_a_sentence(started: "subprocess.Popen[str]", tmp_path: Path) -> None:
    port = exported(started)["AWS_ENDPOINT_URL"].rpartition(":")[2]
    words = ["-m", "sagemaker_local", "--port", port, "--folder", str(tmp_path / "other")]

    second = subprocess.run([sys.executable, *words], env=environment(), capture_output=True, text=True, check=False)

    assert second.returncode == 1
    assert second.stderr.startswith(f"port {port} of 127.0.0.1 is taken, perhaps by another local cloud")
    assert len(second.stderr.splitlines()) == 1


def test_the_layout_names_what_there_is_and_nothing_else() -> None:
    section = README.partition("## How it is laid out")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    there = {path.name for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"}

    assert named == there - {"__init__.py", "__main__.py", "__pycache__"}


def test_the_types_of_stacks_are_those_of_the_table_with_what_templates_get_of_them() -> None:
    section = README.partition("## Stacks with SageMaker's resources")[2].partition("\n## ")[0]
    cells = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| `")]
    written = [[re.findall(r"`([^`]+)`", cell) for cell in row] for row in cells]

    assert [(*kind, *reference, attributes, refused) for kind, reference, attributes, _, refused in written] == [
        (row.type_name, row.reference, list(row.attributes), sorted(row.not_emulated)) for row in TYPES
    ]


def test_the_reference_is_what_the_code_has() -> None:
    assert README.partition("## Reference\n")[2].strip().partition("\n\n")[2] == reference().strip(), (
        "put what python -m sagemaker_local.reference prints at the end of the README"
    )


def test_the_version_of_ministack_is_the_one_that_is_tested() -> None:
    assert f"`ministack=={version('ministack')}`" in README
