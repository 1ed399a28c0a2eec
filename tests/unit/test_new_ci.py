"""`signalbox new --ci` and `signalbox ci` as a person types them."""

from pathlib import Path

import pytest
from tests.support import tables
from tests.support.documents import ROOT
from typer.testing import CliRunner, Result

from signalbox_operate.cli import app
from signalbox_operate.new import ci

PLACES = {service: place for service, (place, _) in ci.FILES.items()}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, with a table beside it."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def new(beside: Path, *words: str) -> Result:
    return run("new", "iris", "--from", str(tables.named("iris").write(beside)), "--label", "5", *words)


def said(result: Result) -> str:
    return " ".join((result.stdout + result.stderr).split())


def carried(folder: Path) -> set[str]:
    return {service for service, place in PLACES.items() if (folder / place).is_file()}


@pytest.mark.parametrize(
    ("words", "services"),
    [
        ([], {"codebuild"}),
        (["--ci", "github"], {"github"}),
        (["--ci", "gitlab", "--ci", "jenkins", "--ci", "gitlab"], {"gitlab", "jenkins"}),
        (["--ci", "none"], set()),
    ],
)
def test_a_project_carries_the_ci_files_that_were_asked_for_and_its_readme_names_them(
    words: list[str], services: set[str], here: Path, tmp_path: Path
) -> None:
    result = new(tmp_path, *words)
    assert result.exit_code == 0, said(result)
    assert carried(here / "iris") == services
    readme = (here / "iris" / "README.md").read_text()
    assert {service for service, place in PLACES.items() if f"| `{place}` |" in readme} == services
    assert "__CI__" not in readme


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--ci", "travis"], "there is no CI file for 'travis': name one of codebuild, github"),
        (["--ci", "none", "--ci", "github"], "--ci none stands alone"),
    ],
)
def test_a_ci_that_cannot_be_is_refused_and_nothing_is_written(
    words: list[str], told: str, here: Path, tmp_path: Path
) -> None:
    result = new(tmp_path, *words)
    assert result.exit_code == 1
    assert told in said(result)
    assert list(here.iterdir()) == []


def test_projects_of_templates_and_of_definitions_carry_it_too(here: Path) -> None:
    definition = ROOT / "tests/fidelity/cases/abalone-definition.json"
    for begun in (["shells", "--template", "abalone"], ["rings", "--definition", str(definition)]):
        result = run("new", *begun, "--ci", "bitbucket")
        assert result.exit_code == 0, said(result)
        assert carried(here / begun[0]) == {"bitbucket"}


def test_the_ci_file_of_a_template_is_kept(here: Path, tmp_path: Path) -> None:
    assert new(tmp_path).exit_code == 0
    (here / "iris" / "buildspec.yml").write_text("ours\n")
    assert run("new", "petals", "--template", str(here / "iris")).exit_code == 0
    assert (here / "petals" / "buildspec.yml").read_text() == "ours\n"


def test_a_ci_file_is_added_to_a_project_and_one_that_is_there_stays(here: Path, tmp_path: Path) -> None:
    assert new(tmp_path, "--ci", "none").exit_code == 0
    added = run("ci", "github", "iris")
    assert added.exit_code == 0, said(added)
    file = here / "iris" / ".github/workflows/signalbox.yml"
    assert "iris/.github/workflows/signalbox.yml" in said(added)
    file.write_text("ours\n")
    again = run("ci", "github", "iris")
    assert again.exit_code == 1
    assert "exists already: nothing was written" in said(again)
    assert file.read_text() == "ours\n"


@pytest.mark.parametrize(("words", "told"), [(["none", "iris"], "'none'"), (["github", "."], "no signalbox.yaml in")])
def test_what_cannot_be_added_is_said(words: list[str], told: str, here: Path, tmp_path: Path) -> None:
    assert new(tmp_path, "--ci", "none").exit_code == 0
    result = run("ci", *words)
    assert result.exit_code == 1
    assert told in said(result)
    assert carried(here) == carried(here / "iris") == set()


def test_a_place_that_cannot_be_written_is_said(here: Path, tmp_path: Path) -> None:
    assert new(tmp_path, "--ci", "none").exit_code == 0
    (here / "iris" / ".github").write_text("a file")
    result = run("ci", "github", "iris")
    assert result.exit_code == 1
    assert "cannot be written" in said(result)
