"""A repository of another provider is built by what its webhooks tell: checked, once, and at the newest commit."""

import json
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from sagemaker_local import inbox
from signalbox import names
from signalbox_local.project import ROOT
from tests.support.git_host_server import served
from tests.support.git_hosts import TOKEN, GitHubFake, HostFake, basic
from tests.support.hooks import SIGNING_TOKEN, digest, request, standard
from tests.system.clones import Clone
from tests.system.project_folders import ANSWER, DEFINITION, JUDGE
from tests.system.pushed import Pushed
from tests.system.world import PREFIX, World

NONE = "0" * 40
TOKEN_SECRET = "git/token"
GUESSED = "whsec_AAAA"  # a signing token of another one
# A project for each provider: a changed one would hold in receive_hook after a minute.
PROJECTS = {"github": "peony", "gitlab": "lotus", "bitbucket": "dahlia"}
RELEASED = ("github", "gitlab")
CONTAINER = """\
project: {project}
containers:
  {project}:
    folder: container
    problem: multiclass
    channel: train
    hyperparameters: {{max_leaf_nodes: 4}}
"""
PIPELINE = """\
project: {project}
pipelines:
  judge: {{definition: definition.py, code: code, models: [{project}]}}
"""


@dataclass(frozen=True)
class Hooked:
    """A project that a provider's webhooks tell of, and the clone that is pushed from."""

    provider: str
    clone: Clone
    address: str
    secret: str
    builds: Pushed

    @property
    def project(self) -> str:
        """The project's name, which is its model's, too."""
        return PROJECTS[self.provider]

    def push(self, text: str) -> tuple[str, str]:
        """Change what nothing is made of, and push it; return the commits before and after."""
        before = self.clone.head
        (self.clone.folder / "README.md").write_text(text)
        return before, self.clone.push(text)

    def tell(self, before: str, after: str, *, secret: str = "", delivery: str = "", project: str = "") -> int:
        """Send what the provider sends of a push to main; return the status of the answer."""
        body, headers = self._request(before, after)
        signed = _signed(self.provider, body, secret or self.secret, delivery or str(uuid.uuid4()))
        return self._send(body, {**headers, **signed}, project or self.project)

    def tell_by_token(self, before: str, after: str, delivery: str) -> int:
        """Send it as a GitLab that signs nothing does: with the secret itself."""
        body, headers = self._request(before, after)
        named = {"x-gitlab-token": self.secret, "idempotency-key": delivery}
        return self._send(body, {**headers, **named}, self.project)

    def _request(self, before: str, after: str) -> tuple[str, dict[str, str]]:
        def change(payload: dict[str, Any]) -> None:
            _PUSHES[self.provider](payload, f"acme/{self.project}", before, after)

        event = request(self.provider, change)
        return event["body"], {name: value for name, value in event["headers"].items() if name not in _LEFT_OUT}

    def _send(self, body: str, headers: Mapping[str, str], project: str) -> int:
        address = self.address.replace(f"/{self.project}", f"/{project}")
        return httpx.post(address, content=body, headers=headers, timeout=60).status_code


# What the samples have of their way to the function, and what each request of a scenario has anew.
_LEFT_OUT = ("host", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "x-gitlab-token", "idempotency-key")


def _signed(provider: str, body: str, secret: str, delivery: str) -> dict[str, str]:
    """Return the headers that sign a request and name its delivery; GitLab's are those of a signing token."""
    if provider == "gitlab":
        return standard(delivery, int(time.time()), body, secret)
    if provider == "github":
        return {"x-hub-signature-256": digest(body, secret), "x-github-delivery": delivery}
    return {"x-hub-signature": digest(body, secret), "x-request-uuid": delivery}


def _github(payload: dict[str, Any], repository: str, before: str, after: str) -> None:
    payload |= {"before": before, "after": after}
    payload["repository"] = {"id": 1, "full_name": repository}


def _gitlab(payload: dict[str, Any], repository: str, before: str, after: str) -> None:
    payload |= {"before": before, "after": after, "checkout_sha": after}
    payload["project"]["path_with_namespace"] = repository
    payload["commits"][-1]["id"] = after


def _bitbucket(payload: dict[str, Any], repository: str, before: str, after: str) -> None:
    payload["repository"]["full_name"] = repository
    (change,) = payload["push"]["changes"]
    change["new"]["target"]["hash"] = after
    change["old"] = None if before == NONE else {**change["old"], "target": {"hash": before}}


_PUSHES: Mapping[str, Callable[[dict[str, Any], str, str, str], None]] = {
    "github": _github,
    "gitlab": _gitlab,
    "bitbucket": _bitbucket,
}


def _write(provider: str, folder: Path) -> None:
    """Write a project: a container where its model is to be released, else a pipeline, which runs over uploads."""
    project = PROJECTS[provider]
    if provider in RELEASED:
        shutil.copytree(ROOT / "projects" / "iris" / "iris-decision-tree", folder / "container")
        (folder / "signalbox.yaml").write_text(CONTAINER.format(project=project))
        return
    (folder / "code").mkdir(parents=True)
    (folder / "signalbox.yaml").write_text(PIPELINE.format(project=project))
    for name, text in {"definition.py": DEFINITION, "code/judge.py": JUDGE, "code/answer.py": ANSWER}.items():
        (folder / name).write_text(text)


def _hooked(world: World, provider: str, folder: Path) -> Hooked:
    """Give a project builds of a repository elsewhere, as a person does, with the first commit in it."""
    project, clone = PROJECTS[provider], Clone(folder / "clone", folder / "acme" / f"{PROJECTS[provider]}.git")
    _write(provider, clone.folder)
    world.signalbox("ci", "codebuild", str(clone.folder))
    words = ("--repository", f"{provider}:acme/{project}", "--url", clone.bare.as_uri(), "--yes")
    told = world.signalbox("projects", "create", str(clone.folder), *words).decode()
    address = next(line for line in told.splitlines() if line.startswith("webhook: ")).removeprefix("webhook: ")
    assert address == f"{world.outputs['ReviewUrl']}/hooks/{project}"
    secrets, name = world.client("secretsmanager"), names.hook_secret(PREFIX, project)
    if provider == "gitlab":
        secrets.put_secret_value(SecretId=name, SecretString=SIGNING_TOKEN)  # which GitLab makes: docs/ci.md
    clone.begin()
    secret = secrets.get_secret_value(SecretId=name)["SecretString"]
    return Hooked(provider, clone, address, secret, Pushed(world, project, clone.folder))


def _made_with_token(world: World, host: HostFake, folder: Path) -> Hooked:
    """Give a project a repository, webhook and builds at GitHub, as a person with a token does."""
    project = PROJECTS["github"]
    repository = f"acme/{project}"
    clone = Clone(folder / project, host.bare(repository))
    _write("github", clone.folder)
    world.signalbox("ci", "codebuild", str(clone.folder))
    words = ("--repository", f"github:{repository}", "--url", f"{host.url}/{repository}.git", "--yes")
    world.signalbox("projects", "create", str(clone.folder), *words, "--token-secret", TOKEN_SECRET)
    (hook,) = host.hooks[repository].values()
    clone.join()
    return Hooked(
        "github", clone, hook["config"]["url"], hook["config"]["secret"], Pushed(world, project, clone.folder)
    )


@pytest.fixture(scope="module")
def github(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostFake]:
    """Return a GitHub on this machine, to which the stack's owner has a token."""
    secrets = world.client("secretsmanager")
    secrets.create_secret(Name=TOKEN_SECRET, SecretString=json.dumps({"token": TOKEN}))
    with served(GitHubFake(tmp_path_factory.mktemp("host"), git=basic("x-access-token"), public=True)) as host:
        yield host
    secrets.delete_secret(SecretId=TOKEN_SECRET, ForceDeleteWithoutRecovery=True)


@pytest.fixture(scope="module")
def hooked(world: World, github: HostFake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Hooked]]:
    """Return a project of each provider; nothing of them is left in the stack, and no webhook."""
    made = {one: _hooked(world, one, tmp_path_factory.mktemp(one)) for one in PROJECTS if one != "github"}
    made = {"github": _made_with_token(world, github, tmp_path_factory.mktemp("github")), **made}
    for provider in RELEASED:
        world.put_iris(PROJECTS[provider])
    yield made
    for one in made.values():
        one.builds.remove(*(("--token-secret", TOKEN_SECRET) if one.provider == "github" else ()))
    assert not github.hooks[f"acme/{PROJECTS['github']}"]


def test_a_repository_that_is_made_with_a_token_has_the_first_commit_and_the_webhook_of_the_stack(
    hooked: dict[str, Hooked], world: World
) -> None:
    one = hooked["github"]
    assert one.clone.git("log", "--format=%s") == "First commit"
    assert set(one.clone.git("ls-files").splitlines()) >= {"signalbox.yaml", "buildspec.yml", "container/train"}
    assert one.address == f"{world.outputs['ReviewUrl']}/hooks/{one.project}"
    held = world.client("secretsmanager").get_secret_value(SecretId=names.hook_secret(PREFIX, one.project))
    assert one.secret == held["SecretString"]


@pytest.mark.parametrize("provider", PROJECTS)
def test_a_webhook_that_is_not_signed_or_of_no_project_starts_nothing(provider: str, hooked: dict[str, Hooked]) -> None:
    one = hooked[provider]
    assert one.tell(NONE, one.clone.head, secret=GUESSED) == 401
    assert one.tell(NONE, one.clone.head, project="daisy") == 404
    assert one.tell(NONE, one.clone.head, project="abalone") == 404
    assert not one.builds.builds()


def test_a_push_that_a_webhook_of_any_provider_tells_of_is_built_and_deployed_once(
    hooked: dict[str, Hooked], world: World
) -> None:
    for one in hooked.values():
        assert one.tell(NONE, one.clone.head, delivery="first") == 202
        assert one.tell(NONE, one.clone.head, delivery="first") == 200
    gitlab = hooked["gitlab"]
    assert gitlab.tell_by_token(NONE, gitlab.clone.head, "first") == 200
    for one in hooked.values():
        one.builds.built(one.clone.head)
        assert one.project in world.signalbox("projects").decode()
        assert [build["sourceVersion"] for build in one.builds.builds()] == [one.clone.head]


def test_a_push_that_a_webhook_tells_of_is_built_trained_reviewed_with_its_commit_and_released(
    hooked: dict[str, Hooked], world: World
) -> None:
    heads = {hooked[provider].project: hooked[provider].clone.head for provider in RELEASED}
    for model, head in heads.items():
        mail = world.mail("approve", f"{model} version 1")
        assert head in inbox.text(mail)
        world.approve(mail)
    row = world.rows()[0]
    for model, head in heads.items():
        world.approve(world.mail("to prod", f"{model} version 1"))
        world.wait_for(f"{model} in prod", partial(world.live_package, model, "prod"))
        assert world.package(model, 1)["MetadataProperties"]["CommitId"] == head
        assert world.predict("prod", model, ",".join(row[1:])).decode().strip() == row[0]


def test_of_pushes_that_are_told_late_and_out_of_order_the_newest_is_built_last_and_once(
    hooked: dict[str, Hooked],
) -> None:
    one = hooked["github"]
    first, second, third = (one.push(text) for text in ("One", "Two", "Three"))
    for before, after in (third, first, second, first):
        assert one.tell(before, after) == 202
    one.builds.built(third[1])
    assert one.tell(*first) == 202
    fourth = one.push("Four")
    assert one.tell(*fourth) == 202
    one.builds.built(fourth[1])
    commits = [build["sourceVersion"] for build in one.builds.builds()]
    assert commits.count(third[1]) == commits.count(fourth[1]) == 1
    assert commits[-2:] == [third[1], fourth[1]]
