"""The gates over the templates of a project's automation, and planted defects that each of them sees."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.gates import automations
from tests.gates.automations import PROJECT, WINE
from tests.gates.checks import builds, lint, posture, written
from tests.gates.mutations import AUTOMATION, Mutation
from tests.gates.patterns import matches, pattern_error
from tests.gates.template import Problem, Template
from tests.gates.test_template import listed
from tests.gates.values import ACCOUNT, REGION, STACK, Values

from signalbox import names

type Check = Callable[[Template], list[Problem]]
CHECKS: dict[str, Check] = {
    "builds": builds.check,
    "lint": lint.check,
    "posture": posture.check,
    "written": written.check,
}
TEXTS = automations.texts()


@pytest.mark.parametrize("name", ["lint", "written"])
@pytest.mark.parametrize("path", TEXTS)
def test_each_template_passes_the_check(path: str, name: str) -> None:
    problems = CHECKS[name](automations.load(TEXTS[path]))

    assert not problems, listed(problems)


@pytest.mark.parametrize("name", ["builds", "posture"])
def test_the_automation_of_a_project_passes_the_check(name: str) -> None:
    problems = CHECKS[name](automations.load(TEXTS[PROJECT], WINE))

    assert not problems, listed(problems)


def told(rule: str, event: dict[str, Any], experiments: str = "yes") -> bool:
    """Say whether a rule of the project wine's automation lets an event through."""
    template = automations.load(TEXTS[PROJECT], WINE)
    values = Values(template.sam, template.cfn, "cicd", {**WINE.given, "Experiments": experiments})
    pattern = values.of(template.cfn["Resources"][rule]["Properties"]["EventPattern"])
    assert pattern_error(pattern) is None
    return matches(pattern, event)


def pushed(repository: str = "signalbox-wine", branch: str = "main", kind: str = "branch") -> dict[str, Any]:
    """Return an event of CodeCommit (its User Guide, "Monitoring CodeCommit events", referenceUpdated)."""
    detail = {"event": "referenceUpdated", "repositoryName": repository, "referenceType": kind, "referenceName": branch}
    return {
        "source": "aws.codecommit",
        "detail-type": "CodeCommit Repository State Change",
        "resources": [f"arn:aws:codecommit:{REGION}:{ACCOUNT}:{repository}"],
        "detail": detail,
    }


def ended(project: str = "signalbox-wine", status: str = "SUCCEEDED") -> dict[str, Any]:
    """Return an event of CodeBuild (its User Guide, "Build notifications input format reference")."""
    detail = {"build-status": status, "project-name": project}
    return {"source": "aws.codebuild", "detail-type": "CodeBuild Build State Change", "detail": detail}


def test_pushes_to_branches_of_this_repository_are_told_of_and_no_others() -> None:
    assert told("PushRule", pushed())
    assert told("PushRule", {**pushed(), "detail": {**pushed()["detail"], "event": "referenceDeleted"}})
    assert told("PushRule", pushed(branch="faster"))
    assert not told("PushRule", pushed(branch="faster"), experiments="no")
    assert told("PushRule", pushed(), experiments="no")
    assert not told("PushRule", pushed(kind="tag"))
    assert not told("PushRule", pushed("signalbox-winery"))
    assert not told("PushRule", {**pushed(), "detail": {**pushed()["detail"], "event": "pullRequestCreated"}})


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "FAULT", "TIMED_OUT", "STOPPED"])
def test_every_end_of_a_build_of_this_project_is_told_of_and_no_others(status: str) -> None:
    assert told("BuildRule", ended(status=status))
    assert told("BuildRule", ended("signalbox-wine--branches", status))
    assert not told("BuildRule", ended("signalbox-winery", status))


def test_a_build_that_goes_on_is_not_told_of() -> None:
    assert not told("BuildRule", ended(status="IN_PROGRESS"))


def test_the_document_says_what_is_built() -> None:
    template = automations.load(TEXTS[PROJECT], WINE)
    properties = template.resolved("AWS::SSM::Parameter")["Automation"]

    assert properties["Name"] == names.automation_parameter(STACK, "wine")
    assert json.loads(properties["Value"]) == {
        "project": "wine",
        "repository": {"provider": "codecommit", "name": names.repository(STACK, "wine")},
        "main": "main",
        "build": names.repository(STACK, "wine"),
        "branches": names.branches_build(STACK, "wine"),
    }


CONNECTION = f"arn:aws:codeconnections:{REGION}:{ACCOUNT}:connection/0123"
ELSEWHERE = {
    "Repository": "there",
    "Provider": "gitlab",
    "RepositoryName": "acme/drinks/wine",
    "RepositoryUrl": "https://gitlab.com/acme/drinks/wine.git",
    "SourceType": "GITLAB",
    "ConnectionArn": CONNECTION,
}


def elsewhere(**more: str) -> dict[str, Any]:
    """Return the resources of the automation of a repository elsewhere."""
    template = automations.load(TEXTS[PROJECT], WINE)
    values = Values(template.sam, template.cfn, "cicd", {**WINE.given, **ELSEWHERE, **more})
    resources = template.cfn["Resources"].items()
    made = {name: one for name, one in resources if "Condition" not in one or values._true(one["Condition"])}
    return {name: values.of(one["Properties"]) for name, one in made.items()}


def test_a_repository_elsewhere_is_cloned_by_its_connection_and_told_of_by_webhooks() -> None:
    made = elsewhere()

    assert "PushRule" not in made
    assert "CodeRepository" not in made
    assert json.loads(made["Automation"]["Value"])["repository"] == {"provider": "gitlab", "name": "acme/drinks/wine"}
    for build in ("Build", "BranchesBuild"):
        assert made[build]["Source"] == {
            "Type": "GITLAB",
            "Location": "https://gitlab.com/acme/drinks/wine.git",
            "Auth": {"Type": "CODECONNECTIONS", "Resource": CONNECTION},
            "BuildSpec": "buildspec.yml",
        }
    secret = made["HookSecret"]
    assert secret["Name"] == names.hook_secret(STACK, "wine")
    assert "BuildRule" in made


@pytest.mark.parametrize(
    ("more", "actions"),
    [
        ({}, {"codeconnections:GetConnection", "codeconnections:GetConnectionToken"}),
        ({"ConnectionArn": ""}, set()),
        ({"Provider": "codecommit", "ConnectionArn": ""}, {"codecommit:GitPull"}),
    ],
)
def test_builds_may_clone_as_their_provider_asks_for_and_not_otherwise(more: dict[str, str], actions: set[str]) -> None:
    made = elsewhere(**more)

    statements = made["SourcesPolicy"]["PolicyDocument"]["Statement"]
    granted = {action for statement in statements for action in statement["Action"]}
    assert {action for action in granted if not action.startswith("s3:")} == actions
    assert all(one["Resource"] == CONNECTION for one in statements if one["Sid"] == "CloneByConnection")


@pytest.mark.parametrize("kind", ["GITHUB", "GITHUB_ENTERPRISE", "GITLAB_SELF_MANAGED", "BITBUCKET"])
def test_each_kind_of_repository_is_codebuilds_own(kind: str) -> None:
    made = elsewhere(SourceType=kind, ConnectionArn="")

    assert [made[build]["Source"]["Type"] for build in ("Build", "BranchesBuild")] == [kind, kind]
    assert "Auth" not in made["Build"]["Source"]


@pytest.mark.parametrize("mutation", AUTOMATION, ids=lambda mutation: f"{mutation.id}: {mutation.what}")
def test_a_planted_defect_is_seen(mutation: Mutation) -> None:
    planted = automations.load(mutation.plant(TEXTS)[PROJECT], WINE)
    where, _, what = mutation.speaks_of.partition(" ")

    problems = builds.check(planted, where) if mutation.check == "builds" else CHECKS[mutation.check](planted)

    assert any(where in problem.where and what in problem.what for problem in problems), listed(problems)
