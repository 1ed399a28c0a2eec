"""The command line is built into a wheel, which works in an environment of its own, without the repository."""

import ast
import os
import subprocess
import sys
import sysconfig
import zipfile
from email.parser import Parser
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.support import command_line, tables
from tests.support.documents import ROOT

from signalbox_operate import __version__

PACKAGES = {
    "signalbox": ROOT / "layers" / "signalbox" / "signalbox",
    "signalbox_features": ROOT / "features" / "signalbox_features",
    "signalbox_operate": ROOT / "operate" / "signalbox_operate",
    "signalbox_snapshot": ROOT / "notebooks" / "worker" / "signalbox_snapshot",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as `pip install ./operate` does."""
    return command_line.wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program `signalbox`, installed from the wheel; the libraries that it needs are those of this environment."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    words = ["--python", str(folder / "bin" / "python"), "install", "--quiet", "--no-index", "--no-deps", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True, cwd=folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return folder / "bin" / "signalbox"


def ask(program: Path, *words: str, folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run the program in a folder away from the repository, where nobody has an account."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON", "SIGNALBOX_"))}
    environment = kept | {"AWS_CONFIG_FILE": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true"}
    return subprocess.run(
        [program, *words],
        cwd=folder or program.parent,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_has_every_file_of_its_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}

    written = {
        f"{name}/{file.relative_to(folder).as_posix()}"
        for name, folder in PACKAGES.items()
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert held == written


def test_the_wheel_needs_what_the_packages_import(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (described,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = Parser().parsestr(archive.read(described).decode())
    needed = {canonicalize_name(Requirement(text).name) for text in metadata.get_all("Requires-Dist", [])}
    # boto3 and jinja2 bring these: they are one library to whoever uses them.
    brought = {"botocore", "jmespath", "markupsafe"}

    known = packages_distributions()
    files = {file for folder in PACKAGES.values() for file in folder.rglob("*.py")}
    # A seed is copied into a project: it is run there, by what its jobs have.
    imported = {root for file in files if "seed" not in file.parts for root in _imports(file)}
    # What comes with a clone alone, and is asked for where a command needs it: the seeds, and the local cloud.
    own = {"projects", "signalbox_local", *PACKAGES}
    foreign = imported - set(sys.stdlib_module_names) - own
    unknown = {root for root in foreign if root not in known}
    assert unknown == set()
    assert {canonicalize_name(known[root][0]) for root in foreign} - brought == needed
    assert metadata["Version"] == __version__


def _imports(file: Path) -> set[str]:
    """Return the top-level packages that a file imports at run time."""
    tree = ast.parse(file.read_text())
    unseen = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
        for node in ast.walk(block)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in unseen:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_the_installed_program_says_its_version_and_its_commands(program: Path) -> None:
    assert ask(program, "--version").stdout == f"signalbox {__version__}\n"
    told = ask(program, "--help").stdout
    assert all(command in told for command in ("upload", "runs", "models", "doctor"))


def test_the_installed_program_says_what_it_lacks_in_one_sentence(program: Path) -> None:
    asked, deployed = ask(program, "status"), ask(program, "deploy", "nowhere")
    begun = ask(program, "new", "shells", "--template", "abalone")

    assert (asked.returncode, deployed.returncode, begun.returncode) == (1, 1, 1)
    assert asked.stderr.startswith("error: no AWS region is set")
    assert deployed.stderr.startswith("error: there is no signalbox.yaml in nowhere")
    assert "the seeds of Signalbox come with a clone of it" in " ".join(begun.stderr.split())


def test_the_installed_program_makes_a_project_of_a_table_that_it_can_check(program: Path, tmp_path: Path) -> None:
    file = tables.named("cars").write(tmp_path)
    made = ask(program, "new", "cars", "--from", str(file), "--label", "Miles_per_Gallon")
    checked = ask(program, "check", "cars", "--region", "eu-west-1")

    assert made.returncode == 0, made.stderr
    assert "project cars can be deployed" in checked.stdout, checked.stderr
    assert "the local cloud is not installed here" in " ".join(ask(program, "run", "cars").stderr.split())


def test_the_installed_program_begins_and_checks_projects_away_from_the_repository(
    program: Path, tmp_path: Path
) -> None:
    table = tmp_path / "wine.csv"
    rows = [f"{number % 9},{number % 7}.5,{('good', 'bad')[number % 2]}" for number in range(60)]
    table.write_text("\n".join(["alcohol,acid,quality", *rows]) + "\n")
    begun = ask(program, "new", "wine", "--from", str(table), "--label", "quality", folder=tmp_path)
    assert begun.returncode == 0, begun.stdout + begun.stderr

    checked = ask(program, "check", "wine", folder=tmp_path)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "project wine can be deployed" in checked.stdout
