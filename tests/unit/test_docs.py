"""The documents say what the code and the template are: tables, names, links and commands are compared, not trusted."""

import ast
import re
import shlex
import tomllib
from pathlib import Path

import pytest
from botocore.session import get_session
from tests.support.documents import (
    ROOT,
    anchors,
    blocks,
    commands,
    documents,
    links,
    prose,
    read,
    table,
    tables,
)
from tests.support.reader import UnknownCommandError, how_to_follow

README = read("README.md")
_PICTURE_LIMIT = 150_000  # bytes
_AWS = re.compile(r"aws (?P<service>[\w-]+) (?P<operation>[\w-]+)(?P<rest>.*)")


def test_every_dependency_has_its_reason() -> None:
    decided = read("docs/decisions.md")
    project = tomllib.loads(read("pyproject.toml"))
    groups = [project["project"]["dependencies"], *project["dependency-groups"].values()]
    listed = [re.split(r"[=<\[; ]", needed)[0] for group in groups for needed in group]
    npm = re.findall(r'"([@\w/-]+)": "\d', read("tests/gates/node/package.json"))

    assert len(listed) > 20
    assert [name for name in [*listed, *npm] if f"`{name}`" not in decided] == []


def test_the_readme_is_read_in_one_sitting() -> None:
    assert len(README.splitlines()) <= 160


def test_the_layout_names_folders_that_exist() -> None:
    named = [name for row in table(README, "folder", "what is in it") for name in row[0].split(", ")]

    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_row_of_the_features_names_a_test_that_exists() -> None:
    rows = tables(read("docs/features.md"), "id", "feature", "state", "exercised by")

    assert len(rows) >= 29
    for ids, _, _, files in rows:
        assert all(re.fullmatch(r"[A-E]-F\d+|S\d+|BP\d+", name) for name in ids.split(", ")), ids
        assert all((ROOT / file).is_file() for file in files.split(", ")), (ids, files)


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    own = [target for target in links(document.read_text(encoding="utf-8")) if not target.startswith("https://")]
    files = {target: document.parent / target.partition("#")[0] if target[0] != "#" else document for target in own}

    assert [target for target, file in files.items() if not file.exists()] == []
    sections = {target: target.partition("#")[2] for target in own if "#" in target}
    assert [target for target, anchor in sections.items() if anchor not in anchors(files[target])] == []


def test_pictures_are_small_and_the_flow_is_readable_in_the_dark() -> None:
    pictures = list((ROOT / "docs" / "images").iterdir())

    assert {picture.name for picture in pictures if picture.stat().st_size >= _PICTURE_LIMIT} == set()
    assert "prefers-color-scheme: dark" in read("docs/images/flow.svg")


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.name)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    text = document.read_text(encoding="utf-8")
    named = re.findall(r"`make ([a-z]+)", text) + [
        command.split()[1] for command in commands(text) if command.startswith("make ")
    ]

    assert [name for name in named if name not in targets] == []


@pytest.mark.parametrize("command", commands(README))
def test_every_command_of_the_readme_is_run_by_a_test(command: str) -> None:
    how_to_follow(command)


def test_every_file_of_the_project_that_a_command_of_the_readme_names_is_there() -> None:
    words = [word for command in commands(README) for word in shlex.split(command)]
    named = [word for word in words if "/" in word and (ROOT / word.split("/")[0]).is_dir()]

    assert "projects/abalone/sample.csv" in named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_a_command_that_nobody_runs_is_refused() -> None:
    with pytest.raises(UnknownCommandError, match="no test runs 'make coffee'"):
        how_to_follow("make coffee")


def test_the_readme_has_no_code_of_other_languages_than_it_runs_or_shows() -> None:
    assert README.count("```") == 2 * (len(blocks(README, "bash")) + len(blocks(README, "text")))


@pytest.mark.parametrize(
    "command",
    [
        one
        for document in ("docs/operating.md", "docs/scale.md")
        for one in commands(read(document), "sh")
        if one[:4] == "aws "
    ],
)
def test_every_command_of_the_aws_cli_is_one_of_its_api(command: str) -> None:
    found = _AWS.fullmatch(command)
    assert found, command
    service, operation = found["service"], found["operation"].replace("-", " ").title().replace(" ", "")
    model = get_session().get_service_model(service)
    members = set(model.operation_model(operation).input_shape.members)  # type: ignore[union-attr]  # each has an input

    options = {option.replace("-", "").lower() for option in re.findall(r" --([\w-]+)", found["rest"])}
    flags = {"overwrite", "query"} & options
    assert options - flags <= {member.lower() for member in members}, (options, members)
    assert set(model.operation_model(operation).input_shape.required_members) <= members  # type: ignore[union-attr]


def test_the_project_speaks_plainly_of_what_is_there() -> None:
    for document in documents():
        text = prose(document.read_text(encoding="utf-8"))
        assert not re.search(r"\b(TODO|TBD|FIXME|lorem)\b", text, re.IGNORECASE), document


def test_what_is_shipped_keeps_to_the_sizes_of_the_conventions() -> None:
    files = [*(ROOT / "functions").rglob("*.py"), *(ROOT / "layers").rglob("*.py")]

    assert {file.name for file in files if len(file.read_text(encoding="utf-8").splitlines()) > 300} == set()
    functions = [
        node
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    ]
    assert {one.name for one in functions if (one.end_lineno or 0) - one.lineno >= 50} == set()
