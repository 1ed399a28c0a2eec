"""The CI files that projects carry: one way for all services, without keys, and nothing of outsiders is a program."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tests.support.ci_files import COMMIT, PACKAGE, document, run, said, shells
from tests.support.documents import ROOT

from signalbox_operate.new import ci

EVIL = 'feature/$(touch x);"a b"`touch y`'
SERVICES = list(ci.FILES)
OTHERS = [service for service in SERVICES if service != "codebuild"]
SCHEMAS = {"github": "github-workflows", "gitlab": "gitlab-ci", "bitbucket": "bitbucket-pipelines"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project's folder, with tests."""
    folder = tmp_path / "project"
    (folder / "tests").mkdir(parents=True)
    return folder


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("branch", ["main", EVIL, "-x"])
def test_every_service_runs_the_same_commands_and_a_branch_is_one_word_whatever_it_is_called(
    branch: str, service: str, project: Path
) -> None:
    ran = run(service, project, said(service, branch))

    assert ran.code == 0, ran.said
    assert ran.own == [
        ["signalbox", "check", "."],
        ["python", "-m", "pytest", "tests"],
        ["signalbox", "deploy", ".", "--commit", COMMIT, "--branch", branch],
    ]
    assert {path.name for path in project.iterdir()} <= {"tests", ".venv-signalbox"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_project_without_tests_is_checked_and_deployed(service: str, project: Path) -> None:
    (project / "tests").rmdir()

    ran = run(service, project, said(service, "main"))

    assert [words[1] for words in ran.own] == ["check", "deploy"]


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("fails", ["check", "pytest", "install"])
def test_what_fails_ends_the_run_and_nothing_is_deployed(fails: str, service: str, project: Path) -> None:
    ran = run(service, project, {**said(service, "main"), "FAILS": fails})

    assert ran.code != 0
    assert not [words for words in ran.own if "deploy" in words]


@pytest.mark.parametrize("service", SERVICES)
def test_a_deployment_that_fails_fails_the_run(service: str, project: Path) -> None:
    assert run(service, project, {**said(service, "main"), "FAILS": "deploy"}).code != 0


@pytest.mark.parametrize("service", ["github", "gitlab", "bitbucket"])
def test_only_the_deployment_has_the_token_and_nobody_else_can_read_it(service: str, project: Path) -> None:
    ran = run(service, project, said(service, "main"))

    assert {tuple(one.words[:1]): one.token for one in ran.calls if one.program == "signalbox"} == {
        ("check",): None,
        ("deploy",): "the-token",
    }
    (file,) = project.parent.glob("tmp.*")
    assert file.stat().st_mode & 0o077 == 0
    assert "the-token" not in ran.said


def test_a_token_that_github_does_not_give_ends_the_run(project: Path) -> None:
    ran = run("github", project, {**said("github", "main"), "FAILS": "curl"})

    assert ran.code != 0
    assert not [words for words in ran.own if "deploy" in words]
    assert any("https://tokens.example?v=1&audience=sts.amazonaws.com" in one.words for one in ran.calls)


@pytest.mark.parametrize("service", OTHERS)
def test_the_command_line_is_installed_from_what_the_settings_name(service: str, project: Path) -> None:
    ran = run(service, project, said(service, "main"))

    (installed,) = [one.words for one in ran.calls if "install" in one.words]
    assert installed[-1] == PACKAGE


@pytest.mark.parametrize("service", OTHERS)
def test_a_missing_setting_is_named_before_anything_runs(service: str, project: Path) -> None:
    ran = run(service, project, {**said(service, "main"), "SIGNALBOX_PACKAGE": ""})

    assert ran.code != 0
    assert "SIGNALBOX_PACKAGE: is not set, see docs/ci.md" in ran.said
    assert ran.own == []


def test_codebuild_takes_the_command_line_from_its_secondary_source(project: Path) -> None:
    ran = run("codebuild", project, said("codebuild", "main"))

    source = project.parent / "source"
    installed = next(one.words for one in ran.calls if one.program == "pip")
    assert f"{source}/requirements.txt" in installed
    assert {one.path for one in ran.calls if one.program == "signalbox"} == {str(source)}


def test_codebuild_deploys_nothing_where_it_was_not_told_a_branch(project: Path) -> None:
    ran = run("codebuild", project, {**said("codebuild", "main"), "SIGNALBOX_BRANCH": ""})

    assert "SIGNALBOX_BRANCH: is not set" in ran.said
    assert [words[1] for words in ran.own if words[0] == "signalbox"] == ["check"]


@pytest.mark.parametrize("service", SCHEMAS)
def test_a_file_is_one_that_its_service_takes(service: str, tmp_path: Path) -> None:
    def checked(text: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "ci.yml").write_text(text)
        words = ["--builtin-schema", f"vendor.{SCHEMAS[service]}", str(tmp_path / "ci.yml")]
        program = Path(sys.executable).with_name("check-jsonschema")
        return subprocess.run([program, *words], capture_output=True, text=True, check=False)

    done = checked(ci.text(service))
    assert done.returncode == 0, done.stdout
    misspelt = {
        "github": ("runs-on", "runs-at"),
        "gitlab": ("aud:", "audit:"),
        "bitbucket": ("oidc: true", "oidc: [1]"),
    }
    assert checked(ci.text(service).replace(*misspelt[service])).returncode == 1


def test_the_buildspec_has_what_codebuild_knows_and_takes_nothing_out_of_a_store() -> None:
    read = document("codebuild")
    phases = {"install": {"runtime-versions", "commands"}, "build": {"commands"}}

    # CodeBuild User Guide, "Build specification reference": all of these exist in version 0.2.
    assert set(read) == {"version", "env", "phases"}
    assert read["version"] == "0.2"
    assert read["env"] == {"git-credential-helper": "yes"}
    assert {name: set(phase) for name, phase in read["phases"].items()} == phases
    assert read["phases"]["install"]["runtime-versions"] == {"python": "3.13"}
    assert all(isinstance(line, str) for phase in read["phases"].values() for line in phase["commands"])


def test_jenkins_reads_a_pipeline_whose_shells_groovy_puts_nothing_into() -> None:
    text = ci.text("jenkins")
    groovy = re.sub(r"'''.*?'''|//[^\n]*", "", text, flags=re.DOTALL)

    assert all(groovy.count(left) == groovy.count(right) for left, right in ("()", "{}"))
    assert '"' not in groovy, "Groovy would put values into it"
    assert text.count("sh '''") == len(shells("jenkins")) == 2


def test_pull_requests_and_tags_deploy_nothing() -> None:
    assert document("github")["on"] == {"push": {"branches": ["main"]}}
    assert set(document("bitbucket")["pipelines"]) == {"branches"}
    (when,) = re.findall(r"when \{\n(.*?)\n            \}", ci.text("jenkins"), re.DOTALL)
    conditions = [line.partition("//")[0].strip() for line in when.splitlines()]
    assert conditions == ["branch 'main'", "not { changeRequest() }", "not { buildingTag() }"]


@pytest.mark.parametrize(
    ("variables", "runs"),
    [
        ({"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main"}, True),
        ({"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main-evil"}, False),
        ({"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_TAG": "main"}, False),
        ({"CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "main"}, False),
        ({"CI_PIPELINE_SOURCE": "external_pull_request_event", "CI_COMMIT_BRANCH": "main"}, False),
    ],
)
def test_gitlab_deploys_a_push_to_the_branch_alone(variables: dict[str, str], runs: bool) -> None:  # a case
    (rule,) = document("gitlab")["signalbox"]["rules"]
    parts = [re.fullmatch(r'\$(\w+) == "([^"]*)"', part) for part in rule["if"].split(" && ")]

    assert all(parts)
    assert all(part and variables.get(part[1]) == part[2] for part in parts) is runs


def test_runs_of_a_branch_wait_for_each_other_and_none_is_cut_off() -> None:
    assert document("github")["concurrency"] == {
        "group": "signalbox-${{ github.ref }}",
        "cancel-in-progress": "false",
    }
    gitlab = document("gitlab")["signalbox"]
    assert (gitlab["resource_group"], gitlab["interruptible"]) == ("signalbox-$CI_COMMIT_REF_SLUG", "false")
    assert document("bitbucket")["pipelines"]["branches"]["main"][0]["step"]["deployment"] == "production"
    assert "disableConcurrentBuilds()" in ci.text("jenkins")


def test_github_may_read_the_repository_and_ask_for_a_token_and_puts_no_value_into_a_shell() -> None:
    read = document("github")
    (job,) = read["jobs"].values()

    assert read["permissions"] == {"contents": "read", "id-token": "write"}
    assert "permissions" not in job
    assert all("${{" not in step.get("run", "") for step in job["steps"])
    used = re.findall(r"uses: (\S+)( # v[\d.]+)?$", ci.text("github"), re.MULTILINE)
    assert [name.partition("@")[0] for name, _ in used] == ["actions/checkout", "actions/setup-python"]
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", name) and version for name, version in used)


def test_the_other_services_give_a_token_and_no_key() -> None:
    assert document("gitlab")["signalbox"]["id_tokens"] == {"SIGNALBOX_ID_TOKEN": {"aud": "sts.amazonaws.com"}}
    assert document("bitbucket")["pipelines"]["branches"]["main"][0]["step"]["oidc"] == "true"
    for service in SERVICES:
        assert not re.search(r"ACCESS_KEY|SECRET|PASSWORD|secrets\.", ci.text(service), re.IGNORECASE), service


def test_where_a_deployment_runs_git_can_be_asked_for_the_newest_commit_of_the_branch() -> None:
    (job,) = document("github")["jobs"].values()
    images = [document("gitlab")["signalbox"]["image"], document("bitbucket")["image"]]

    assert job["steps"][0]["with"] == {"persist-credentials": "true"}
    # Docker Hub, python: a slim image has no packages but those that Python needs, and so no git.
    assert not [image for image in images if "slim" in image or "alpine" in image]


@pytest.mark.parametrize("service", SERVICES)
def test_versions_are_pinned_and_no_failure_is_passed_over(service: str) -> None:
    text = ci.text(service)
    packages = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    (pytest_here,) = [package["version"] for package in packages if package["name"] == "pytest"]

    assert not re.search(r"\blatest\b|\|\| *(true|:)|continue-on-error|allow_failure|catchError|set \+e", text)
    assert f"pytest=={pytest_here}" in text
    assert not [
        image for image in re.findall(r"image: (\S+)", text) if not re.fullmatch(r"python:3\.13\.\d+-[\w-]+", image)
    ]
