"""The documents say what the code and the template are: tables, names, links and commands are compared, not trusted."""

import ast
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session
from tests.gates.cfn_yaml import parse
from tests.support.documents import (
    ROOT,
    blocks,
    commands,
    counted,
    documents,
    links,
    prose,
    read,
    table,
)
from tests.support.reader import UnknownCommandError, how_to_follow
from tests.support.samples import EVENTS

README = read("README.md")
_PICTURE_LIMIT = 150_000  # bytes
_AWS = re.compile(r"aws (?P<service>[\w-]+) (?P<operation>[\w-]+)(?P<rest>.*)")


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return parse(read("template.yaml"))


def of_type(template: dict[str, Any], kind: str) -> list[str]:
    return sorted(name for name, resource in template["Resources"].items() if resource["Type"] == kind)


def test_the_parameters_are_those_of_the_template_with_their_defaults(template: dict[str, Any]) -> None:
    rows = {row[0]: row[1] for row in table(README, "parameter", "default", "meaning")}

    shown = {"": "*empty*", None: "*asked*"}
    wanted = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}
    assert rows == {name: shown.get(default, str(default)) for name, default in wanted.items()}


def test_the_outputs_are_those_of_the_template(template: dict[str, Any]) -> None:
    assert [row[0] for row in table(README, "output", "what it is")] == list(template["Outputs"])


def test_the_metrics_are_those_that_the_code_counts() -> None:
    rows = [row[0] for row in table(README, "metric", "counts")]

    assert sorted(rows) == sorted(counted())


def test_the_rules_are_those_of_the_template_and_have_their_samples(template: dict[str, Any]) -> None:
    rules = of_type(template, "AWS::Events::Rule")
    assert sorted(row[1] for row in table(README, "event", "rule", "consumer")) == rules

    events = read("docs/events.md")
    assert all(f"`{rule}`" in events for rule in rules)
    named = set(re.findall(r"events/[\w/-]+\.json", events))
    samples = {file for file in EVENTS.rglob("*.json") if "near-misses" not in file.parts}
    assert named == {file.relative_to(ROOT).as_posix() for file in samples}


def test_the_counts_behind_the_idle_costs_are_those_of_the_template(template: dict[str, Any]) -> None:
    numbers = {row[0]: int(row[1]) for row in table(README, "what", "number", "price", "a month")}

    kinds = Counter(resource["Type"] for resource in template["Resources"].values())
    polled = sum(
        event["Type"] == "SQS"
        for name in of_type(template, "AWS::Serverless::Function")
        for event in template["Resources"][name]["Properties"].get("Events", {}).values()
    )
    assert numbers == {
        "KMS keys": kinds["AWS::KMS::Key"],
        "secrets": kinds["AWS::SecretsManager::Secret"],
        "alarms": kinds["AWS::CloudWatch::Alarm"],
        "queues that Lambda polls": polled,
    }


def test_every_function_belongs_to_a_journey_and_every_role_is_explained(template: dict[str, Any]) -> None:
    functions = {folder.name for folder in (ROOT / "functions").iterdir() if (folder / "app.py").is_file()}
    journeys = " ".join(" ".join(row) for row in table(README, "journey", "starts with", "what happens", "where"))
    assert {name for name in functions if name not in journeys} == set()

    assert sorted(row[0] for row in table(read("docs/security.md"), "role", "may")) == of_type(
        template, "AWS::IAM::Role"
    )


def test_the_tables_of_the_template_are_described(template: dict[str, Any]) -> None:
    assert all(f"### {name}" in read("docs/events.md") for name in of_type(template, "AWS::DynamoDB::Table"))


def test_every_dependency_has_its_reason() -> None:
    decided = read("docs/decisions.md")
    project = tomllib.loads(read("pyproject.toml"))
    groups = [project["project"]["dependencies"], *project["dependency-groups"].values()]
    listed = [re.split(r"[=\[]", needed)[0] for group in groups for needed in group]
    npm = re.findall(r'"([@\w/-]+)": "\d', read("tests/gates/node/package.json"))

    assert len(listed) > 20
    assert [name for name in [*listed, *npm] if f"`{name}`" not in decided] == []


def test_the_layout_names_folders_that_exist() -> None:
    named = [name for row in table(README, "folder", "what is in it") for name in row[0].split(", ")]

    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_row_of_the_features_names_a_test_that_exists() -> None:
    for ids, _, _, files in table(README, "id", "feature", "state", "exercised by"):
        assert all(re.fullmatch(r"[A-E]-F\d+|S\d+|BP\d+", name) for name in ids.split(", ")), ids
        assert all((ROOT / file).is_file() for file in files.split(", ")), (ids, files)


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    broken = [
        target
        for target in links(document.read_text(encoding="utf-8"))
        if not target.startswith("https://") and not (document.parent / target.partition("#")[0]).exists()
    ]

    assert broken == []


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


def test_a_command_that_nobody_runs_is_refused() -> None:
    with pytest.raises(UnknownCommandError, match="no test runs 'make coffee'"):
        how_to_follow("make coffee")


def test_the_readme_has_no_code_of_other_languages_than_it_runs_or_shows() -> None:
    assert README.count("```") == 2 * (len(blocks(README, "bash")) + len(blocks(README, "text")))


@pytest.mark.parametrize("command", commands(read("docs/operating.md"), "sh"))
def test_every_command_of_the_aws_cli_is_one_of_its_api(command: str) -> None:
    found = _AWS.fullmatch(command)
    assert found, command
    service, operation = found["service"], found["operation"].replace("-", " ").title().replace(" ", "")
    model = get_session().get_service_model(service)
    members = set(model.operation_model(operation).input_shape.members)  # type: ignore[union-attr]  # each has an input

    options = {option.replace("-", "").lower() for option in re.findall(r" --([\w-]+)", found["rest"])}
    flags = {"overwrite"} & options
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
