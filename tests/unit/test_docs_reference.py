"""What the documents' tables say of parameters, outputs, settings, events, metrics, costs and commands is so."""

import inspect
import json
import re
from collections import Counter
from typing import Any, get_args

import pytest
import typer
from tests.gates.cfn_yaml import parse
from tests.support.documents import ROOT, blocks, counted, read, table
from tests.support.samples import EVENTS
from typer.core import TyperArgument, TyperGroup

from signalbox import grants, names
from signalbox.contracts.releases import ReleaseVerdict, RollbackResult, StageVerdict
from signalbox.grants import Grant
from signalbox.pushes import documents
from signalbox.releases.adapters import ReleasesTable
from signalbox.releases.model import read_request
from signalbox.settings import Settings
from signalbox_operate import cli
from signalbox_operate.pipelines import images

REFERENCE = read("docs/reference.md")
# What AWS bills of an automation while nothing happens, and what it does not (the price lists of docs/costs.md).
_BY_THE_MONTH = {"AWS::SecretsManager::Secret"}
_BY_USE = {
    "AWS::CodeBuild::Project",
    "AWS::CodeCommit::Repository",
    "AWS::ECR::Repository",
    "AWS::Events::Rule",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Role",
    "AWS::Logs::LogGroup",
    "AWS::SSM::Parameter",
}


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return parse(read("template.yaml"))


def of_type(template: dict[str, Any], kind: str) -> list[str]:
    return sorted(name for name, resource in template["Resources"].items() if resource["Type"] == kind)


def test_the_parameters_are_those_of_the_template_with_their_defaults(template: dict[str, Any]) -> None:
    rows = {row[0]: row[1] for row in table(REFERENCE, "parameter", "default", "meaning")}

    shown = {"": "*empty*", None: "*asked*", ",".join(images.ACCOUNTS.values()): "*AWS's*"}
    wanted = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}
    assert rows == {name: shown.get(default, str(default)) for name, default in wanted.items()}


def test_the_outputs_are_those_of_the_template(template: dict[str, Any]) -> None:
    assert [row[0] for row in table(REFERENCE, "output", "what it is")] == list(template["Outputs"])


def test_the_metrics_are_those_that_the_code_counts() -> None:
    rows = [row[0] for row in table(REFERENCE, "metric", "counts")]

    assert sorted(rows) == sorted(counted())


def test_the_rules_are_those_of_the_template_and_have_their_samples(template: dict[str, Any]) -> None:
    rules = sorted(
        of_type(template, "AWS::Events::Rule") + of_type(parse(read("cicd/project.yaml")), "AWS::Events::Rule")
    )
    rows = table(REFERENCE, "event", "rule", "consumer")
    assert sorted(row[1].removesuffix(" of each project") for row in rows) == rules

    events = read("docs/events.md")
    assert all(f"`{rule}`" in events for rule in rules)
    named = set(re.findall(r"events/[\w/-]+\.json", events))
    samples = {file for file in EVENTS.rglob("*.json") if "near-misses" not in file.parts}
    assert named == {file.relative_to(ROOT).as_posix() for file in samples}


def test_the_counts_behind_the_idle_costs_are_those_of_the_template(template: dict[str, Any]) -> None:
    numbers = {row[0]: int(row[1]) for row in table(read("docs/costs.md"), "what", "number", "price", "a month")}

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


def test_the_counts_behind_the_costs_of_watching_are_those_of_the_reference_and_the_template(
    template: dict[str, Any],
) -> None:
    rows = table(read("docs/costs.md"), "what is watched", "number", "price", "at most a month")

    routes = {
        (event["Properties"]["Method"], event["Properties"]["Path"])
        for name in of_type(template, "AWS::Serverless::Function")
        for event in template["Resources"][name]["Properties"].get("Events", {}).values()
        if event["Type"] == "HttpApi"
    }
    outcomes, measured = (int(row[1]) for row in rows)
    assert 0 <= outcomes - len(table(REFERENCE, "metric", "counts")) < 20
    assert measured == len(routes)
    assert [float(row[3].lstrip("$")) for row in rows] == [
        pytest.approx(outcomes * 0.30),
        pytest.approx(measured * 6 * 0.30),
    ]


def test_an_idle_project_costs_what_its_automation_has_of_what_is_billed_by_the_month() -> None:
    resources = parse(read("cicd/project.yaml"))["Resources"]
    rows = table(read("docs/costs.md"), "automation of a project", "1", "10", "100", "why")
    billed = {
        name: resource.get("Condition") for name, resource in resources.items() if resource["Type"] in _BY_THE_MONTH
    }

    assert {resource["Type"] for resource in resources.values()} <= _BY_USE | _BY_THE_MONTH
    assert billed == {"HookSecret": "Hooked"}
    assert [[float(cell.lstrip("$")) for cell in row[1:4]] for row in rows] == [[0] * 3, [0.4, 4, 40], [0] * 3]


def test_the_costs_name_the_price_of_traces_where_functions_and_machines_are_traced(template: dict[str, Any]) -> None:
    machines = [template["Resources"][name] for name in of_type(template, "AWS::Serverless::StateMachine")]

    assert template["Globals"]["Function"]["Tracing"] == "Active"
    assert all(machine["Properties"]["Tracing"]["Enabled"] for machine in machines)
    assert re.search(r"send traces to X-Ray: [^.]+?\[\$\d+\.\d\d a million\]\(https://aws", read("docs/costs.md"))


def test_every_function_belongs_to_a_journey_and_every_role_is_explained(template: dict[str, Any]) -> None:
    functions = {folder.name for folder in (ROOT / "functions").iterdir() if (folder / "app.py").is_file()}
    journeys = " ".join(
        " ".join(row) for row in table(read("README.md"), "journey", "starts with", "what happens", "where")
    )
    assert {name for name in functions if name not in journeys} == set()

    assert sorted(row[0] for row in table(read("docs/security.md"), "role", "may")) == of_type(
        template, "AWS::IAM::Role"
    )


def test_the_tables_of_the_template_are_described(template: dict[str, Any]) -> None:
    assert all(f"### {name}" in read("docs/events.md") for name in of_type(template, "AWS::DynamoDB::Table"))


def test_the_documents_of_pushes_are_those_that_the_code_reads_and_writes() -> None:
    described = read("docs/events.md").partition("## Documents of pushes")[2].partition("\n## ")[0]
    automation, published, experiment = blocks(described, "json")
    assert documents.parse_automation(automation).branches == names.branches_build("signalbox", "wine")
    assert json.loads(documents.to_json(documents.parse_published(published))) == json.loads(published)
    made = json.loads(experiment)
    branch = made["branch"]
    assert made["pipelines"] == {"train": names.branch_pipeline("signalbox", "wine", "train", branch)}
    assert made["groups"] == {"wine": names.branch_group("signalbox", "wine", "wine", branch)}


def test_the_grant_is_what_the_code_reads() -> None:
    (text,) = blocks(read("docs/events.md").partition("## Grants")[2].partition("\n## ")[0], "json")
    assert grants.parse([("wine", text)]) == {"wine": Grant(frozenset({"incoming/wine/"}), frozenset({"wine"}))}


def test_the_settings_are_those_that_the_functions_read() -> None:
    rows = {row[0]: row[1].split(", ") for row in table(REFERENCE, "variable", "read by", "what it holds")}

    read_by: dict[str, list[str]] = {}
    for settings in (known for known in Settings.__subclasses__() if known.__module__ == Settings.__module__):
        function = re.sub(r"(?<!^)(?=[A-Z])", "_", settings.__name__).lower()
        assert (ROOT / "functions" / function / "app.py").is_file(), function
        for field in settings.__annotations__:
            read_by.setdefault(field.upper(), []).append(function)
    assert rows == {variable: sorted(functions) for variable, functions in sorted(read_by.items())}
    assert list(rows) == sorted(rows)


OF_ALL = {"--stack", "--region", "--profile"}
# They work on this machine, with no stack.
_OF_FEATURES = {f"features {own}" for own in ("apply", "check", "fit", "import", "training-set")}
AT_HOME = {"build", "ci", "features", "new", "run", "test"} | _OF_FEATURES
# They ask SageMaker alone.
WITHOUT = {"notebooks", "notebooks plan"}
# It has two stacks, `--from` and `--to`.
BETWEEN = {"promote"}


def test_the_commands_are_those_of_the_command_line_with_their_options() -> None:
    shown = table(REFERENCE, "command", "what it does", "options of its own")
    rows = {row[0]: {option for option in row[2].split(", ") if option} for row in shown}

    group = typer.main.get_command(cli.app)
    assert isinstance(group, TyperGroup)
    wanted = {}
    commands = dict(group.commands)
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            commands |= {f"{name} {own}": one for own, one in command.commands.items()}
    for name, command in commands.items():
        options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
        assert options >= (OF_ALL - {"--stack"} if name in AT_HOME | WITHOUT | BETWEEN else OF_ALL)
        arguments = [_argument(one) for one in command.params if isinstance(one, TyperArgument)]
        wanted[" ".join([name, *arguments])] = options - OF_ALL
    assert rows == wanted


def _argument(argument: TyperArgument) -> str:
    """Return an argument as a usage line shows it: `[FILE]` may be left out, `FILES...` may be several."""
    name = str(argument.name).upper() + ("..." if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def test_every_way_in_which_a_failed_release_leaves_its_stage_says_what_to_do() -> None:
    rows = table(read("docs/operating.md"), "rollback", "how the stage was left", "what to do")

    assert sorted(row[0] for row in rows) == sorted(get_args(RollbackResult.__value__))
    assert all(all(row) for row in rows)


def test_the_release_that_is_started_by_hand_is_understood() -> None:
    (given,) = re.findall(r"start-execution .*--input '(.*)'$", read("docs/operating.md"), re.MULTILINE)

    request = read_request(
        {
            "execution": "by-hand",
            "execution_arn": "arn:aws:states:us-east-1:123456789012:execution:signalbox-ReleaseMachine:by-hand",
            "started": "2026-11-20T10:00:00.000Z",
            "input": json.loads(given),
            "progress": None,
            "last": None,
        },
        "signalbox",
    )

    assert (request.model, request.trigger) == ("abalone", "approved")


def test_the_verdicts_and_items_of_releases_are_those_of_the_code() -> None:
    described = read("docs/events.md").partition("### ReleasesTable")[2]
    verdicts = re.search(r"Verdicts of a stage: (?P<listed>[^.]*)\.", described)
    assert verdicts
    recorded = {*get_args(StageVerdict.__value__), *get_args(ReleaseVerdict.__value__)}
    # Of these no stage has a record: it was not touched, or the word is about all stages.
    assert set(re.findall(r"`([\w-]+)`", verdicts["listed"])) == recorded - {"kept", "nothing-to-do", "rolled-back"}

    items = [row for row in table(described, "item", "pk", "sk", "attributes") if row[1] == "model#<model>"]
    known = inspect.getdoc(ReleasesTable)
    assert len(items) == 3
    assert [row[2] for row in items if row[2] not in str(known)] == []
