"""Make a project's automation, or bring it up to date. Safe to repeat, and to break off anywhere.

CloudFormation makes all of it or nothing. What lies in the artifacts bucket before that is under a digest of its
content; the repository gets its first commit when it is made, and is never written to again.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from signalbox import names
from signalbox.aws import parameters as parameter_store
from signalbox.aws.errors import code_of
from signalbox.pushes.model import BITBUCKET, CODECOMMIT, GITHUB, GITLAB
from signalbox_operate.automations import automation, command_line, first_commit, places
from signalbox_operate.automations.automation import Automation
from signalbox_operate.hosts import choosing
from signalbox_operate.projects.checking import Checked
from signalbox_operate.projects.definitions import PROJECT_TAG
from signalbox_operate.projects.place import Place
from signalbox_operate.projects.target import Target
from signalbox_operate.stack import OperateError

TEMPLATE = Path(__file__).with_name("project.yaml")
CREATE, THERE, NONE = "create", "there", "none"
# How a repository is called elsewhere: an owner, or groups, and a name.
_NAME = r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+"
# What CodeBuild calls a repository at a provider, and one on a server of one's own (API reference, ProjectSource).
_SOURCE_TYPES = {
    GITHUB: ("GITHUB", "GITHUB_ENTERPRISE"),
    GITLAB: ("GITLAB", "GITLAB_SELF_MANAGED"),
    BITBUCKET: ("BITBUCKET", "BITBUCKET"),
}
_CODE = ("Provider", "RepositoryName", "RepositoryUrl", "ConnectionArn")
# Outputs of the stack that the template takes as parameters of the same names.
_OF_STACK = (
    "Prefix",
    "DataBucket",
    "ArtifactsBucket",
    "KeyArn",
    "UploadsTable",
    "PushesQueueArn",
    "EventsDeadLettersArn",
    "ContainerPolicyArn",
    "MlopsMachineArn",
    "ReleaseMachineArn",
)
# What is wrong in AWS's words, and in ours; the words are those of the resource's event.
_CAUSES = {
    "OperationNotAllowedException": (
        "CodeCommit makes no repository in this account: ask AWS Support to open it, or give `--repository none` and "
        "build the project in your own CI, with the policy that is named then"
    ),
    "PolicySize": (
        "the project has more models, prefixes and places than fit into one IAM policy: make two projects of it, or "
        "give its uploads one prefix"
    ),
}


@dataclass(frozen=True)
class Elsewhere:
    """A repository of another provider than CodeCommit, whose webhooks tell of pushes.

    `connection` is the ARN of the connection that may clone it, "" where everybody may.
    """

    provider: str
    name: str
    url: str
    connection: str = ""

    @classmethod
    def named(cls, words: str, connection: str = "", url: str = "") -> "Elsewhere":
        """Return the repository in `github:owner/name`; `url` is where it is cloned from if not at the provider's.

        Raises:
            OperateError: no provider of webhooks is named so, or no repository can be.
        """
        provider, _, name = words.partition(":")
        if provider not in choosing.SITES or not re.fullmatch(_NAME, name):
            kinds = ", ".join(f"{one}:owner/name" for one in choosing.SITES)
            raise OperateError(f"{words} is no repository: give codecommit, none, or one of {kinds}")
        return cls(provider, name, url or f"{choosing.SITES[provider]}/{name}.git", connection)

    @property
    def source_type(self) -> str:
        """Return what CodeBuild calls such a repository."""
        at_provider, own = _SOURCE_TYPES[self.provider]
        return at_provider if self.url.startswith(f"{choosing.SITES[self.provider]}/") else own


@dataclass(frozen=True)
class Wishes:
    """What the automation is to have: no repository, one in CodeCommit, or the one `elsewhere`.

    `experiments` is None where the project's file says it; with `empty`, a new repository gets no first commit.
    """

    repository: bool = True
    experiments: bool | None = None
    empty: bool = False
    elsewhere: Elsewhere | None = None


def create(made: Checked, place: Place, wishes: Wishes) -> Automation:
    """Make the automation of a checked project, or bring it up to date, and return it.

    Raises:
        OperateError: it cannot be made, for the reason that is told; then it is as it was before.
    """
    project, before = made.project.name, automation.of(made.project.name, place)
    repository = _repository(project, before, place, wishes)
    program = command_line.make()
    parameters = {
        **_of_stack(place),
        **_of_project(made, wishes, _left(made, before, place)),
        **_of_code(wishes.elsewhere),
        "Repository": repository,
        "Images": _images(project, before, place),
        "CommandLineKey": program.key,
        **{name: before.parameters[name] for name in ("SeedKey", "SeedVersion") if name in before.parameters},
    }
    bucket, s3 = place.stack.output("ArtifactsBucket"), place.client("s3")
    if repository == CREATE and before.parameters.get("Repository") != CREATE and not wishes.empty:
        parameters |= _first_commit(made, bucket, s3)
    s3.put_object(Bucket=bucket, Key=program.key, Body=program.content, ContentType="application/zip")
    _put(before, parameters, {PROJECT_TAG: project, **made.project.tags})
    after = automation.of(project, place)
    _bind(project, after.boundary, place)
    return after


def sent(template: str) -> str:
    """Return a template as it is sent: without the lines that are comments, which would count in its size."""
    return "".join(line for line in template.splitlines(keepends=True) if not line.lstrip().startswith("#"))


def clone_url(project: str, place: Place) -> str:
    """Return the address of a project's repository."""
    name = names.repository(place.prefix, project)
    found = place.client("codecommit").get_repository(repositoryName=name)
    return str(found["repositoryMetadata"]["cloneUrlHttp"])


def _of_stack(place: Place) -> dict[str, str]:
    days = place.stack.parameters.get("LogRetentionDays")
    given = {name: place.stack.output(name) for name in _OF_STACK} | ({"LogRetentionDays": days} if days else {})
    return {"StackName": place.stack.name, **given}


def _left(made: Checked, before: Automation, place: Place) -> list[str]:
    """Return the models that the project has no more, while documents of them are there that its builds may write.

    They stay granted, and a deployment may delete their documents: one that nobody has a grant of would be believed.
    """
    written = before.parameters.get("Documents", "").split(",")
    there = parameter_store.below(names.model_parameter(place.prefix, ""), place.client("ssm"))
    return [
        model for model, _ in there if model not in made.project.models and _document(model, made.target) in written
    ]


def _document(model: str, target: Target) -> str:
    return places.parameter_arn(names.model_parameter(target.prefix, model), target)


def _of_project(made: Checked, wishes: Wishes, left: Sequence[str]) -> dict[str, str]:
    project, branches = made.project, made.project.branches
    experiments = branches.get("experiments", False) if wishes.experiments is None else wishes.experiments
    statements = made.statements()
    lists = places.of(project, made.target, statements)
    lists["Models"] += left
    lists["Documents"] += [_document(model, made.target) for model in left]
    return {
        "Project": project.name,
        "Main": branches.get("main", "main"),
        "Experiments": "yes" if experiments else "no",
        "Network": "yes" if places.networked(statements) else "no",
        **{name: ",".join(values) for name, values in lists.items()},
    }


def _of_code(elsewhere: Elsewhere | None) -> dict[str, str]:
    code = elsewhere or Elsewhere(CODECOMMIT, "", "")
    named = dict(zip(_CODE, (code.provider, code.name, code.url, code.connection), strict=True))
    return {**named, "SourceType": code.source_type if elsewhere else "CODECOMMIT"}


def known_elsewhere(made: Automation) -> Elsewhere | None:
    """Return the repository elsewhere that an automation has; None where it has none."""
    provider, *others = (made.parameters.get(name, "") for name in _CODE)
    return Elsewhere(provider, *others) if provider in choosing.SITES else None


def _repository(project: str, before: Automation, place: Place, wishes: Wishes) -> str:
    """Return whether the stack makes the repository: it keeps the one that it made, and finds one that was kept."""
    if not wishes.repository:
        return NONE
    if wishes.elsewhere is not None:
        return THERE
    ours = before.parameters.get("Provider", CODECOMMIT) == CODECOMMIT  # what is there else is another provider's
    known = before.parameters.get("Repository", NONE) if ours else NONE
    if known != NONE:
        return known
    name = names.repository(place.prefix, project)
    there = _is_there(place, "codecommit", "get_repository", "RepositoryDoesNotExistException", repositoryName=name)
    if there:
        place.say(f"note: the repository {name} is there already, and stays as it is")
    return THERE if there else CREATE


def _images(project: str, before: Automation, place: Place) -> str:
    if known := before.parameters.get("Images"):
        return known
    name = f"{place.prefix}/{project}"
    there = _is_there(place, "ecr", "describe_repositories", "RepositoryNotFoundException", repositoryNames=[name])
    return THERE if there else CREATE


def _is_there(place: Place, service: str, call: str, missing: str, **request: Any) -> bool:
    try:
        getattr(place.client(service), call)(**request)
    except ClientError as error:
        if code_of(error) != missing:
            raise
        return False
    return True


def _first_commit(made: Checked, bucket: str, s3: Any) -> dict[str, str]:
    commit = first_commit.make(made.project.name, made.project.folder)
    kept = s3.put_object(Bucket=bucket, Key=commit.key, Body=commit.content, ContentType="application/zip")
    return {"SeedKey": commit.key, "SeedVersion": kept.get("VersionId", "")}


def _put(before: Automation, parameters: Mapping[str, str], tags: Mapping[str, str]) -> None:
    try:
        outcome = before.stack.put(sent(TEMPLATE.read_text(encoding="utf-8")), tags, parameters)
    except OperateError as error:
        for word, told in _CAUSES.items():
            if re.search(word, str(error)):
                raise OperateError(f"{told} ({error})") from error
        raise
    before.stack.say(f"stack {before.stack.name} {outcome}")


def _bind(project: str, boundary: str, place: Place) -> None:
    """Give the boundary to the roles of a project that is deployed already, by its own stack as it is."""
    stack = place.stack_of(project)
    template = stack.template()
    if template is None:
        return
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::IAM::Role":
            resource["Properties"]["PermissionsBoundary"] = boundary
    outcome = stack.put(template, stack.tags())
    stack.say(f"stack {stack.name} {outcome}: its roles have the boundary")
