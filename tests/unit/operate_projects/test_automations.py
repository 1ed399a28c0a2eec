"""A project gets its repository and builds whole or not at all, again without harm, and loses them with the project."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.documents import ROOT
from tests.support.project_cloud import ProjectCloud
from tests.support.project_folders import SCRIPT, YAML, write
from typer.testing import CliRunner, Result

from signalbox_operate import account, cli
from signalbox_operate.automations import automation, command_line, creating, first_commit
from signalbox_operate.automations.creating import Elsewhere, Wishes
from signalbox_operate.projects import deploying, reading, removing
from signalbox_operate.projects.model import ProjectError
from signalbox_operate.projects.template import LIMIT
from signalbox_operate.stack import OperateError

STACK = "signalbox-cicd-wine"
REPOSITORY = "signalbox-wine"
BUILDSPEC = {"buildspec__yml": "version: 0.2\n"}


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> ProjectCloud:
    monkeypatch.setattr("time.sleep", lambda _: None)
    made = ProjectCloud()
    work = made.stacks._work

    def worked(name: str, request: dict[str, Any], *rest: str) -> None:
        work(name, request, *rest)
        if name == STACK and not made.stacks.fail_on:
            made.codecommit.there.add(REPOSITORY)
            made.ecr.there.add("signalbox/wine")

    monkeypatch.setattr(made.stacks, "_work", worked)
    return made


def create(cloud: ProjectCloud, folder: Path, yaml: str = YAML, **wishes: Any) -> automation.Automation:
    place = cloud.place()
    made = deploying.check(reading.read(write(folder, yaml, **BUILDSPEC)), place, covered=False)
    return creating.create(made, place, Wishes(**wishes))


def deploy(cloud: ProjectCloud, folder: Path, yaml: str = YAML, **files: str) -> None:
    deploying.deploy(reading.read(write(folder, yaml, **files)), cloud.place())


def given(cloud: ProjectCloud) -> dict[str, str]:
    """Return what the automation's stack was given at last."""
    return {one["ParameterKey"]: one["ParameterValue"] for one in cloud.stacks.stacks[STACK]["parameters"]}


def uploaded(cloud: ProjectCloud, beginning: str) -> zipfile.ZipFile:
    (found,) = [one["Body"] for one in cloud.s3.requests("PutObject") if one["Key"].startswith(beginning)]
    return zipfile.ZipFile(io.BytesIO(found))


def grant(cloud: ProjectCloud, project: str = "wine") -> dict[str, list[str]]:
    """Return what the builds of a project may claim."""
    found: dict[str, list[str]] = json.loads(cloud.ssm.found[f"/signalbox/grants/{project}"])
    return found


def roles(cloud: ProjectCloud) -> list[dict[str, Any]]:
    resources = json.loads(cloud.stacks.stacks["signalbox-project-wine"]["template"])["Resources"].values()
    return [one["Properties"] for one in resources if one["Type"] == "AWS::IAM::Role"]


def test_the_stack_is_given_what_the_project_says_and_where_its_jobs_read_and_write(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    create(cloud, tmp_path, YAML + "branches: {main: trunk, experiments: true}\ntags: {team: cellar}\n")

    found = given(cloud)
    assert (found["Project"], found["Main"], found["Experiments"]) == ("wine", "trunk", "yes")
    assert (found["Repository"], found["Images"], found["Network"]) == ("create", "create", "no")
    assert found["DataPrefixes"] == "incoming/wine/*,models/wine/*"
    assert "arn:aws:s3:::signalbox-data/incoming/wine/*" in found["Reads"].split(",")
    assert not any("/code/" in one or "/pipelines/" in one for one in found["Reads"].split(","))
    assert found["Documents"].split(",") == [
        f"arn:aws:ssm:us-east-1:123456789012:parameter/signalbox/{name}" for name in ("projects/wine", "models/wine")
    ]
    assert found["PushesQueueArn"].endswith(".fifo")
    assert found["LogRetentionDays"] == "90"
    tags = cloud.stacks.stacks[STACK]["tags"]
    assert tags == [{"Key": "sagemaker:project-name", "Value": "wine"}, {"Key": "team", "Value": "cellar"}]


def test_the_template_fits_into_a_request(cloud: ProjectCloud, tmp_path: Path) -> None:
    create(cloud, tmp_path)

    (made,) = cloud.stacks.requests("CreateStack")
    assert len(made["TemplateBody"].encode()) < LIMIT
    assert made["TemplateBody"] == creating.sent((ROOT / "cicd/project.yaml").read_text(encoding="utf-8"))
    assert made["Capabilities"] == ["CAPABILITY_NAMED_IAM"]


def test_a_new_repository_begins_with_the_files_of_the_folder_and_is_never_written_again(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    create(cloud, tmp_path)
    first = given(cloud)
    assert set(uploaded(cloud, "first-commits/wine/").namelist()) == {
        *("signalbox.yaml", "buildspec.yml", "pipeline.py", "code/train.py")
    }
    assert first["SeedVersion"] == "v1"

    create(cloud, tmp_path, YAML + "tags: {team: cellar}\n")

    assert len([one for one in cloud.s3.requests("PutObject") if one["Key"].startswith("first-commits/")]) == 1
    assert (given(cloud)["SeedKey"], given(cloud)["Repository"]) == (first["SeedKey"], "create")
    assert f"stack {STACK} updated" in cloud.said


def test_a_repetition_of_the_same_changes_nothing(cloud: ProjectCloud, tmp_path: Path) -> None:
    create(cloud, tmp_path)
    create(cloud, tmp_path)

    assert cloud.said[-1] == f"stack {STACK} unchanged"


def test_a_repository_that_was_kept_is_found_and_stays_as_it_is(cloud: ProjectCloud, tmp_path: Path) -> None:
    cloud.codecommit.there.add(REPOSITORY)
    cloud.ecr.there.add("signalbox/wine")

    create(cloud, tmp_path)

    assert (given(cloud)["Repository"], given(cloud)["Images"]) == ("there", "there")
    assert "SeedKey" not in given(cloud)
    assert f"note: the repository {REPOSITORY} is there already, and stays as it is" in cloud.said


def test_a_project_whose_code_lies_elsewhere_gets_rights_and_no_repository(cloud: ProjectCloud, tmp_path: Path) -> None:
    made = create(cloud, tmp_path, repository=False)

    assert given(cloud)["Repository"] == "none"
    assert not cloud.codecommit.calls
    assert made.outputs["DeployPolicyArn"].startswith("arn:aws:iam::123456789012:policy/signalbox/automations/wine/")


def test_a_repository_without_a_commit_is_made_where_that_is_wished(cloud: ProjectCloud, tmp_path: Path) -> None:
    create(cloud, tmp_path, empty=True)

    assert given(cloud)["Repository"] == "create"
    assert "SeedKey" not in given(cloud)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (
            "CreateRepository request is not allowed (Error Code: OperationNotAllowedException)",
            "CodeCommit makes no repository in this account: ask AWS Support to open it, or give `--repository none`",
        ),
        ("Cannot exceed quota for PolicySize: 6144", "the project has more models, prefixes and places than fit"),
        ("it is there already", "stack signalbox-cicd-wine could not be created, and nothing of it is left"),
    ],
)
def test_what_cannot_be_made_leaves_nothing_and_is_said_with_the_way_out(
    cloud: ProjectCloud, tmp_path: Path, reason: str, told: str
) -> None:
    cloud.stacks.fail_on, cloud.stacks.fails_with = "CodeRepository", reason

    with pytest.raises(OperateError) as failed:
        create(cloud, tmp_path)

    assert str(failed.value).startswith(told)
    assert reason in str(failed.value)
    assert STACK not in cloud.stacks.stacks


def test_the_roles_of_a_project_have_the_boundary_once_there_is_an_automation(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    deploy(cloud, tmp_path)
    assert not any("PermissionsBoundary" in one for one in roles(cloud))

    made = create(cloud, tmp_path)
    bound = [one["PermissionsBoundary"] for one in roles(cloud)]
    deploy(cloud, tmp_path)

    assert bound == [made.boundary] * 4
    assert [one["PermissionsBoundary"] for one in roles(cloud)] == bound
    assert "stack signalbox-project-wine unchanged" in cloud.said


def test_a_project_gets_the_boundary_at_its_first_deployment_and_is_not_tried_as_the_stacks_role(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    made = create(cloud, tmp_path)
    deploy(cloud, tmp_path)

    assert [one["PermissionsBoundary"] for one in roles(cloud)] == [made.boundary] * 4
    passed = {one["RoleArn"] for one in cloud.sagemaker.requests("CreatePipeline")}
    assert all("/projects/wine/" in role for role in passed)


WIDER = {
    "the model port is new": YAML + "containers: {port: {problem: binary}}\n",
    "uploads under incoming/port/ are new": YAML.replace("incoming/wine/", "incoming/port/"),
    "s3://elsewhere/port/ is new": YAML + "access: {read: [s3://elsewhere/port/]}\n",
}


@pytest.mark.parametrize("told", WIDER)
def test_what_the_automation_does_not_cover_is_refused_before_anything_is_written(
    cloud: ProjectCloud, tmp_path: Path, told: str
) -> None:
    create(cloud, tmp_path)
    before = len(cloud.s3.calls), len(cloud.sagemaker.calls)

    with pytest.raises(ProjectError) as refused:
        deploy(cloud, tmp_path, WIDER[told])

    assert any(told in problem for problem in refused.value.problems)
    assert any(
        "run" in problem and "`signalbox projects create` again" in problem for problem in refused.value.problems
    )
    assert (len(cloud.s3.calls), len(cloud.sagemaker.calls)) == before
    create(cloud, tmp_path, WIDER[told])
    deploy(cloud, tmp_path, WIDER[told])


def test_builds_are_granted_what_the_project_has_and_whatever_they_may_write_is_in_it(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    create(cloud, tmp_path, YAML + "containers: {port: {problem: binary}}\n")

    assert grant(cloud) == {"prefixes": ["incoming/wine/"], "models": ["wine", "port"]}
    written = {one.partition(":parameter/signalbox/")[2] for one in given(cloud)["Documents"].split(",")}
    assert written == {"projects/wine", *(f"models/{model}" for model in grant(cloud)["models"])}


def test_a_project_without_uploads_and_models_is_granted_nothing(cloud: ProjectCloud, tmp_path: Path) -> None:
    create(cloud, tmp_path, "project: wine\n")

    assert grant(cloud) == {"prefixes": [], "models": []}


def test_a_model_that_is_taken_out_stays_granted_until_its_document_is_gone(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    more = YAML + "containers: {port: {problem: binary}}\n"
    create(cloud, tmp_path, more)
    deploy(cloud, tmp_path, more)
    cloud.ssm.found["/signalbox/models/port"] = '{"project": "beer"}'  # whatever a build has written there

    create(cloud, tmp_path)
    assert grant(cloud)["models"] == ["wine", "port"]
    assert "models/port" in given(cloud)["Documents"]
    deploy(cloud, tmp_path)
    create(cloud, tmp_path)

    assert grant(cloud)["models"] == ["wine"]
    assert "models/port" not in given(cloud)["Documents"]


def test_a_prefix_within_a_granted_one_is_granted_by_people_only(cloud: ProjectCloud, tmp_path: Path) -> None:
    create(cloud, tmp_path)

    with pytest.raises(ProjectError, match="uploads under incoming/wine/red/ are new"):
        deploy(cloud, tmp_path, YAML.replace("incoming/wine/", "incoming/wine/red/"))


@pytest.mark.parametrize("take", [create, deploy])
def test_what_another_project_is_granted_is_claimed_though_its_documents_do_not_say_so(
    cloud: ProjectCloud, tmp_path: Path, take: Callable[[ProjectCloud, Path, str], object]
) -> None:
    create(cloud, tmp_path / "wine")

    with pytest.raises(ProjectError) as refused:
        take(cloud, tmp_path / "beer", YAML.replace("project: wine", "project: beer"))

    told = "\n".join(refused.value.problems)
    assert "incoming/wine/ is claimed by the project wine" in told
    assert "the model wine belongs to the project wine" in told


def test_what_a_build_wrote_about_others_keeps_nobody_from_deploying(cloud: ProjectCloud, tmp_path: Path) -> None:
    create(cloud, tmp_path / "wine")
    deploy(cloud, tmp_path / "wine")
    documents = cloud.ssm.found
    documents["/signalbox/projects/wine"] = documents["/signalbox/projects/wine"].replace("ng/wine/", "ng/port/")
    documents["/signalbox/models/wine"] = documents["/signalbox/models/wine"].replace('t":"wine"', 't":"port"')
    port = YAML.replace("wine", "port")

    deploy(cloud, tmp_path / "port", port, pipeline__py=SCRIPT.replace("wine", "port"))

    assert cloud.place().models_of("port") == ["port"]
    assert cloud.place().models_of("wine") == ["wine"]


def older(cloud: ProjectCloud) -> None:
    """Take from the automation what a version without grants did not give it."""
    del cloud.ssm.found["/signalbox/grants/wine"]
    stack = cloud.stacks.stacks[STACK]
    stack["parameters"] = [one for one in stack["parameters"] if one["ParameterKey"] not in ("Uploads", "Models")]


def test_an_automation_from_before_grants_deploys_as_before_and_says_what_to_do(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    create(cloud, tmp_path)
    older(cloud)

    deploy(cloud, tmp_path, YAML.replace("incoming/wine/", "incoming/wine/red/"))

    (told,) = [line for line in cloud.said if "functions believe whatever the builds of wine write" in line]
    assert "`signalbox projects create` again" in told
    create(cloud, tmp_path)
    cloud.said.clear()
    deploy(cloud, tmp_path)
    assert not [line for line in cloud.said if "functions believe" in line]


def test_a_further_pipeline_needs_no_other_automation(cloud: ProjectCloud, tmp_path: Path) -> None:
    create(cloud, tmp_path)
    more = YAML.replace("suffix: .csv}", "suffix: .csv, pipeline: train}") + "  again: {definition: again.py}\n"

    deploy(cloud, tmp_path, more, again__py=SCRIPT.replace("[process, register]", "[process]"))

    assert "signalbox-wine--again" in cloud.sagemaker.pipelines


def test_a_removal_takes_the_automation_first_and_its_boundary_last_and_keeps_the_code(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    create(cloud, tmp_path)
    deploy(cloud, tmp_path)

    removing.remove("wine", cloud.place())

    deleted = [one["StackName"] for one in cloud.stacks.requests("DeleteStack")]
    assert deleted == [STACK, "signalbox-project-wine", STACK]
    assert not cloud.stacks.stacks
    assert cloud.ssm.requests("DeleteParameters") == [{"Names": ["/signalbox/published/wine"]}]
    kept = f"the repository {REPOSITORY} and images 123456789012.dkr.ecr.us-east-1.amazonaws.com/signalbox/wine"
    assert f"stack {STACK} deleted; {kept} are left as they are" in cloud.said


def test_a_removal_leaves_no_document_that_a_build_has_put_beside_the_stack(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    create(cloud, tmp_path)
    deploy(cloud, tmp_path)
    cloud.stacks.stacks["signalbox-project-wine"]["made"].clear()  # as where a build writes them anew

    removing.remove("wine", cloud.place())

    assert not cloud.ssm.found


def test_an_automation_of_a_project_that_was_never_deployed_is_removed_too(cloud: ProjectCloud, tmp_path: Path) -> None:
    create(cloud, tmp_path)

    removing.remove("wine", cloud.place())

    assert not cloud.stacks.stacks
    assert not any("signalbox-project-wine" in line for line in cloud.said)


@pytest.fixture
def shell(cloud: ProjectCloud, monkeypatch: pytest.MonkeyPatch) -> ProjectCloud:
    """A shell with an account, in which the stack signalbox is the cloud's."""
    monkeypatch.setattr(account, "client", cloud.clients.__getitem__)
    monkeypatch.setattr("signalbox_operate.commands.projecting.place_of", lambda _: cloud.place())
    return cloud


def run(*arguments: str, **more: Any) -> Result:
    return CliRunner().invoke(cli.app, ["projects", "create", *arguments], **more)


def test_the_command_says_where_the_code_lies_and_what_is_next(shell: ProjectCloud, tmp_path: Path) -> None:
    done = run(str(write(tmp_path, **BUILDSPEC)), "--yes")

    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-2:] == [
        f"git clone https://git-codecommit.us-east-1.amazonaws.com/v1/repos/{REPOSITORY}",
        "a push to main is built and deployed",
    ]


def test_a_folder_without_a_buildspec_is_named(shell: ProjectCloud, tmp_path: Path) -> None:
    done = run(str(write(tmp_path)), "--yes")

    assert f"note: there is no buildspec.yml in {tmp_path}" in done.output


def test_rights_are_named_where_another_service_builds(shell: ProjectCloud, tmp_path: Path) -> None:
    done = run(str(write(tmp_path, **BUILDSPEC)), "--yes", "--repository", "none", "--experiments")

    told = [line for line in done.output.splitlines() if line.startswith("attach to the role of the service")]
    assert [line.rsplit("-", 1)[1] for line in told] == ["DeployPolicy", "BranchesPolicy"]


def last(done: Result, number: int) -> list[str]:
    assert done.exit_code == 0, done.output
    return done.output.splitlines()[-number:]


def test_of_a_repository_elsewhere_the_address_the_secret_and_what_to_do_are_told(
    shell: ProjectCloud, tmp_path: Path
) -> None:
    connection = "arn:aws:codeconnections:us-east-1:123456789012:connection/0123"
    words = ("--repository", "github:acme/wine", "--connection", connection)
    told = last(run(str(write(tmp_path, **BUILDSPEC)), "--yes", *words), 4)

    assert told[0].startswith("webhook: http")
    assert told[0].endswith("/hooks/wine")
    assert "--secret-id signalbox/hooks/wine " in told[1]
    assert told[2].startswith("at github, acme/wine: Settings → Webhooks")
    assert told[3] == "a push to main is built and deployed then"
    wanted = {
        "Repository": "there",
        "Provider": "github",
        "RepositoryName": "acme/wine",
        "RepositoryUrl": "https://github.com/acme/wine.git",
        "SourceType": "GITHUB",
        "ConnectionArn": connection,
        "SeedKey": "",
    }
    assert {name: given(shell).get(name, "") for name in wanted} == wanted
    assert not [one for one in shell.s3.requests("PutObject") if one["Key"].startswith("first-commits")]


def test_what_lies_elsewhere_stays_there_when_nothing_else_is_said(shell: ProjectCloud, tmp_path: Path) -> None:
    folder = str(write(tmp_path, **BUILDSPEC))
    run(folder, "--yes", "--repository", "gitlab:acme/drinks/wine", "--url", "https://git.example.com/wine.git")
    done = run(folder, "--yes", "--connection", "arn:aws:codeconnections:us-east-1:123456789012:connection/9")

    assert done.exit_code == 0, done.output
    code = {name: given(shell)[name] for name in ("Provider", "RepositoryName", "RepositoryUrl")}
    assert code == {
        "Provider": "gitlab",
        "RepositoryName": "acme/drinks/wine",
        "RepositoryUrl": "https://git.example.com/wine.git",
    }
    assert given(shell)["ConnectionArn"].endswith("/9")


def test_code_that_moves_to_codecommit_gets_a_repository_there(shell: ProjectCloud, tmp_path: Path) -> None:
    folder = str(write(tmp_path, **BUILDSPEC))
    run(folder, "--yes", "--repository", "bitbucket:acme/wine")
    shell.codecommit.there.discard(REPOSITORY)
    run(folder, "--yes", "--repository", "codecommit")

    assert (given(shell)["Provider"], given(shell)["Repository"]) == ("codecommit", "create")
    assert (given(shell)["RepositoryName"], given(shell)["SourceType"]) == ("", "CODECOMMIT")


@pytest.mark.parametrize(
    ("provider", "url", "kind"),
    [
        ("github", "", "GITHUB"),
        ("github", "https://git.example.com/acme/wine.git", "GITHUB_ENTERPRISE"),
        ("gitlab", "https://gitlab.com/acme/wine.git", "GITLAB"),
        ("gitlab", "https://git.example.com/acme/wine.git", "GITLAB_SELF_MANAGED"),
        ("bitbucket", "", "BITBUCKET"),
    ],
)
def test_a_repository_on_a_server_of_ones_own_is_another_kind_to_codebuild(provider: str, url: str, kind: str) -> None:
    assert Elsewhere.named(f"{provider}:acme/wine", url=url).source_type == kind


@pytest.mark.parametrize("words", ["github:", "github:wine", "github:acme/wi ne", "svn:acme/wine", "acme/wine"])
def test_what_is_no_repository_is_refused_with_what_is_one(shell: ProjectCloud, tmp_path: Path, words: str) -> None:
    done = run(str(write(tmp_path)), "--yes", "--repository", words)

    assert done.exit_code == 1
    assert "github:owner/name" in done.stderr
    assert not shell.stacks.stacks


def test_nothing_is_made_before_it_is_meant(shell: ProjectCloud, tmp_path: Path) -> None:
    done = run(str(write(tmp_path, **BUILDSPEC)), input="n\n")

    assert done.exit_code == 1
    assert "nothing was made" in done.stderr
    assert not shell.stacks.stacks
    assert not shell.s3.calls


def test_the_command_line_that_builds_run_is_this_one_with_its_libraries(tmp_path: Path) -> None:
    made = command_line.make()
    zipfile.ZipFile(io.BytesIO(made.content)).extractall(tmp_path)
    (tmp_path / "bin/signalbox").chmod(0o755)

    done = subprocess.run(
        [sys.executable, "-E", tmp_path / "bin/signalbox", "--version"], check=False, capture_output=True, text=True
    )

    assert done.stdout.startswith("signalbox "), done.stderr
    names = set(zipfile.ZipFile(io.BytesIO(made.content)).namelist())
    assert {"signalbox_operate/automations/project.yaml", "signalbox/names.py", "requirements.txt"} <= names
    assert not any("__pycache__" in name for name in names)
    needed = (tmp_path / "requirements.txt").read_text().splitlines()
    assert all("==" in line for line in needed)
    assert {"boto3", "botocore", "typer", "pyyaml", "jinja2", "markupsafe"} <= {line.split("==")[0] for line in needed}


def test_the_same_command_line_has_the_same_key_and_the_same_bytes() -> None:
    first, second = command_line.make(), command_line.make()

    assert first == second
    assert first.key.startswith("command-line/0.1.0-")


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True)


def test_a_folder_in_git_is_committed_as_git_would(tmp_path: Path) -> None:
    folder = write(tmp_path / "wine", **{"__gitignore": "data/\n", "data/large__csv": "1,2\n", "run__sh": "true\n"})
    (folder / "run.sh").chmod(0o755)
    git(tmp_path, "init", "-q")

    made = zipfile.ZipFile(io.BytesIO(first_commit.make("wine", folder).content))

    assert set(made.namelist()) == {".gitignore", "signalbox.yaml", "pipeline.py", "code/train.py", "run.sh"}
    assert made.getinfo("run.sh").external_attr >> 16 & 0o111
    assert not made.getinfo("pipeline.py").external_attr >> 16 & 0o111


def test_a_folder_outside_of_git_is_committed_without_caches_and_hidden_files(tmp_path: Path) -> None:
    hidden = {"__venv/x__py": "", "code/__pycache__/x__pyc": "", "__env": "SECRET=1", "__gitignore": "data/\n"}
    folder = write(tmp_path)
    for name, text in hidden.items():
        path = folder / name.replace("__pycache__", "CACHE").replace("__", ".").replace("CACHE", "__pycache__")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    made = zipfile.ZipFile(io.BytesIO(first_commit.make("wine", folder).content))

    assert set(made.namelist()) == {".gitignore", "signalbox.yaml", "pipeline.py", "code/train.py"}


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"data.csv": first_commit.LARGEST + 1}, "data.csv in "),
        ({f"{number}.csv": 1 for number in range(first_commit.MOST_FILES)}, " files, and a first commit at most 100"),
        (
            {"a.csv": first_commit.MOST_BYTES // 2, "b.csv": first_commit.MOST_BYTES // 2 + 1},
            " bytes, and a first commit",
        ),
    ],
)
def test_a_folder_that_no_commit_takes_is_refused_with_the_way_out(
    tmp_path: Path, files: dict[str, int], told: str
) -> None:
    folder = write(tmp_path)
    for name, size in files.items():
        (folder / name).write_bytes(b"0" * size)

    with pytest.raises(OperateError) as refused:
        first_commit.make("wine", folder)

    assert told in str(refused.value)
    assert "--empty" in str(refused.value)


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "wine")
    (tmp_path / "secret").write_text("key")
    (folder / "link").symlink_to(tmp_path / "secret")

    with pytest.raises(OperateError, match="is a link that leads out of it"):
        first_commit.make("wine", folder)
