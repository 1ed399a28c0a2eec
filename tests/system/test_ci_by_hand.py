"""The CI files that a project carries deploy it: their own lines, run by hand, as the role of cicd/oidc.yaml."""

import os
import re
import sysconfig
import venv
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from sagemaker_local import inbox
from signalbox import names
from signalbox.pushes import documents
from signalbox.pushes.model import Published
from signalbox_local import browser, deploy
from signalbox_local.browser import Browser
from signalbox_local.project import ROOT
from signalbox_operate.new import ci
from tests.gates.checks import oidc
from tests.support import ci_files, command_line
from tests.system import id_tokens
from tests.system.clones import Clone
from tests.system.pushed import Pushed
from tests.system.world import PREFIX, World

PROJECT = "clover"
PIPELINE = f"{PREFIX}-{PROJECT}--train"
# The stacks of the role, and the tokens that each of them is to trust and to refuse.
CASES = {"github": "GitHub", "gitlab": "GitLab", "bitbucket": "Bitbucket", "jenkins": "Jenkins"}
REGION = "us-east-1"
_PROVIDER = "arn:aws:iam::{account}:oidc-provider/{issuer}"


@dataclass(frozen=True)
class Clover:
    """The project, its repository, the roles of its CIs, and what a machine of a CI has."""

    world: World
    folder: Path
    clone: Clone
    wheel: Path
    roles: dict[str, str]

    def push(self, service: str) -> str:
        """Push a change of the job's code; return its commit."""
        file = self.clone.folder / "pipeline" / "code" / "table.py"
        file.write_text(f"{file.read_text()}\n# {service}\n")
        return self.clone.push(f"For {service}")

    def run(self, service: str, commit: str) -> str:
        """Run the lines of a service's file on a machine with a clone of main; return what they said."""
        machine = self.folder / service
        checkout = machine / "checkout"
        self.clone.git("clone", "--quiet", str(self.clone.bare), str(checkout))
        with ExitStack() as stack:
            given, last = self._token(service, machine, stack)
            variables = {**self._machine(machine), **ci_files.pushed(service, "main", commit), **given}
            variables |= {"AWS_ROLE_ARN": self.roles[service], "SIGNALBOX_PACKAGE": str(self.wheel)}
            code, told = ci_files.execute(service, checkout, variables, last)
        assert code == 0, told
        return told

    def _machine(self, machine: Path) -> dict[str, str]:
        """Return what every line finds: a Python without the command line, the region, and where AWS is.

        The libraries of the command line are those that are installed here: there is no index to take them from.
        """
        venv.EnvBuilder(symlinks=True).create(machine / "python")
        own = [str(machine / "python" / "bin"), *ci_files.path_of("sh", "bash", "mktemp", "git", "curl")]
        return {
            "PATH": os.pathsep.join(own),
            "HOME": str(machine),
            "TMPDIR": str(machine),
            "PYTHONPATH": sysconfig.get_path("purelib"),
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.world.cloud.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "SIGNALBOX_STACK": deploy.STACK,
        }

    def _token(self, service: str, machine: Path, stack: ExitStack) -> tuple[dict[str, str], dict[str, str]]:
        """Return the variables by which a service gives a run its token: to every shell, and to the last one alone."""
        case = oidc.CASES[CASES[service]]

        def made(audience: str) -> str:
            return id_tokens.token(case.issuer, case.right[0], audience)

        if service == "github":
            address = stack.enter_context(id_tokens.server(made))
            known = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
            return dict(zip(known, (address, id_tokens.BEARER), strict=True)), {}
        if service == "jenkins":
            (variable,) = re.findall(r"(\w+) = credentials\('signalbox-id-token'\)", ci.text(service))
            (machine / "token").write_text(made(case.audience))
            return {}, {variable: str(machine / "token")}
        variable = {"gitlab": "SIGNALBOX_ID_TOKEN", "bitbucket": "BITBUCKET_STEP_OIDC_TOKEN"}[service]
        return {variable: made(case.audience)}, {}

    def published(self) -> Published:
        """Return what the stack was told of the project last."""
        name = names.published_parameter(PREFIX, PROJECT)
        text = self.world.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
        return documents.parse_published(text)

    def definition(self) -> str:
        """Return the definition that SageMaker has of the pipeline."""
        found = self.world.client("sagemaker").describe_pipeline(PipelineName=PIPELINE)
        return str(found["PipelineDefinition"])


@pytest.fixture(scope="module")
def clover(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clover]:
    """Make the project of a table, with the files of all services, and a role for each; nothing of it is left."""
    folder = tmp_path_factory.mktemp("clover")
    table = folder / "iris.csv"
    table.write_text((world.iris / "train" / "iris.csv").read_text())
    said = ("--from", str(table), "--no-header", "--label", "1", "--problem", "multiclass", "--threshold", "0.5")
    services = [word for service in CASES for word in ("--ci", service)]
    world.signalbox("new", PROJECT, *said, *services, folder=folder)
    clone = Clone(folder / PROJECT, folder / "clover.git")
    file = clone.folder / "signalbox.yaml"
    file.write_text(file.read_text().replace("quiet_seconds: 60", "quiet_seconds: 1"))
    world.signalbox("projects", "create", str(clone.folder), "--repository", "none", "--yes")
    policy = deploy.outputs(world.cloud, f"{PREFIX}-cicd-{PROJECT}")["DeployPolicyArn"]
    roles = {service: _role(world, service, policy) for service in CASES}
    clone.begin()
    (folder / "wheel").mkdir()
    yield Clover(world, folder, clone, command_line.wheel(folder / "wheel"), roles)
    for service in CASES:
        world.client("cloudformation").delete_stack(StackName=_stack(service))
    Pushed(world, PROJECT, clone.folder).remove()


def _stack(service: str) -> str:
    return f"ci-{PROJECT}-{service}"


def _role(world: World, service: str, policy: str) -> str:
    """Deploy the role of a service, as docs/ci.md has it, and return its ARN.

    The account has the provider of the tokens already, as after the first project's.
    """
    case, cloudformation = oidc.CASES[CASES[service]], world.client("cloudformation")
    account = policy.split(":")[4]
    given = {
        **case.given,
        "Prefix": PREFIX,
        "Project": PROJECT,
        "DeployPolicyArn": policy,
        "ProviderArn": _PROVIDER.format(account=account, issuer=case.issuer),
    }
    cloudformation.create_stack(
        StackName=_stack(service),
        TemplateBody=(ROOT / "cicd" / "oidc.yaml").read_text(encoding="utf-8"),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=_stack(service), WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    return deploy.outputs(world.cloud, _stack(service))["RoleArn"]


def _trusts(world: World, role: str, token: str) -> bool:
    """Say whether a role may be taken with a token."""
    sts = boto3.client(
        "sts", endpoint_url=world.cloud.url, region_name=REGION, config=Config(signature_version=UNSIGNED)
    )
    try:
        sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="tried", WebIdentityToken=token)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


@pytest.mark.parametrize("service", CASES)
def test_a_role_takes_the_tokens_of_its_repository_and_branch_and_no_others(
    service: str, clover: Clover, world: World
) -> None:
    case, role = oidc.CASES[CASES[service]], clover.roles[service]
    right = case.right[0]
    assert _trusts(world, role, id_tokens.token(case.issuer, right, case.audience))
    others = [(case.issuer, wrong, case.audience) for wrong in case.wrong]
    others += [("evil.example.com", right, case.audience), (case.issuer, right, "elsewhere")]
    trusted = [claims for claims in others if _trusts(world, role, id_tokens.token(*claims))]
    assert not trusted


@pytest.mark.parametrize("service", CASES)
def test_the_lines_of_a_ci_file_deploy_the_commit_as_the_role_of_the_repository(
    service: str, clover: Clover, world: World
) -> None:
    commit = clover.push(service)

    told = clover.run(service, commit)

    assert "1 passed, 2 skipped" in told, "the project's own tests ran; data are not committed"
    published, role = clover.published(), clover.roles[service].rpartition("/")[2]
    assert (published.commit, published.pipelines["train"].commit) == (commit, commit)
    assert f":assumed-role/{role}/" in published.by
    assert commit in clover.definition()
    made = [call for call in world.cloud.calls() if f":assumed-role/{role}/" in call["principal"]]
    assert "ssm:PutParameter" in {call["action"] for call in made}
    assert not [call for call in made if not call["allowed"]]


def test_what_a_ci_deployed_is_trained_reviewed_with_its_commit_and_released(clover: Clover, world: World) -> None:
    commit = clover.clone.head
    world.signalbox("upload", str(clover.clone.folder / "data" / "iris.csv"), "--project", PROJECT)
    mail = world.mail("approve", f"{PROJECT} version 1")
    assert commit in inbox.text(mail)
    assert commit in Browser().client.get(browser.link(mail, "approve")).text
    world.approve(mail)
    world.approve(world.mail("to prod", f"{PROJECT} version 1"))
    world.wait_for(f"{PROJECT} in prod", lambda: world.live_package(PROJECT, "prod"))
    assert world.package(PROJECT, 1)["CustomerMetadataProperties"]["commit"] == commit
    row = world.rows()[0]
    assert world.predict("prod", PROJECT, ",".join(row[1:])).decode().strip() == row[0]
