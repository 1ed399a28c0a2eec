"""A repository of another provider is built by what its webhooks tell: checked, once, and at the newest commit."""

import hashlib
import hmac
import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from signalbox import names
from tests.support.git_host_server import served
from tests.support.git_hosts import TOKEN, GitHubFake, basic
from tests.system.project_folders import ANSWER, DEFINITION, JUDGE
from tests.system.world import PREFIX, World

PROJECT, REPOSITORY = "tulip", "acme/tulip"
TOKEN_SECRET = "git/token"
BUILD = f"{PREFIX}-{PROJECT}"
FILE = """\
project: tulip
pipelines:
  judge: {definition: definition.py, code: code, models: [tulip]}
"""
NONE = "0" * 40
ENDS = ("SUCCEEDED", "FAILED", "FAULT", "TIMED_OUT", "STOPPED")
_ANN = {"NAME": "Ann", "EMAIL": "ann@example.com"}


@dataclass
class Tulip:
    """The project, its repository at a provider that is this machine, and a person's clone of it."""

    world: World
    clone: Path
    address: str
    secret: str

    def git(self, *words: str) -> str:
        """Run git as a person; return what it prints."""
        person = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _ANN.items()}
        environment = {**os.environ, **person, "HOME": "/nonexistent"}
        done = subprocess.run(
            ["git", *words], cwd=self.clone, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def push(self, text: str) -> tuple[str, str]:
        """Commit something and push it; return the commits before and after."""
        before = self.git("rev-parse", "HEAD")
        (self.clone / "README.md").write_text(text)
        self.git("add", "--all")
        self.git("commit", "--message", text)
        self.git("push", "--quiet", "origin", "HEAD:main")
        return before, self.git("rev-parse", "HEAD")

    def tell(self, before: str, after: str, *, secret: str = "", delivery: str = "", project: str = PROJECT) -> int:
        """Send what GitHub sends of a push to main; return the status of the answer."""
        payload = {
            "ref": "refs/heads/main",
            "before": before,
            "after": after,
            "repository": {"id": 1, "full_name": REPOSITORY},
            "pusher": {"name": "ann", "email": "ann@example.com"},
            "head_commit": {"id": after, "author": {"name": "Ann", "email": "ann@example.com"}},
        }
        body = json.dumps(payload).encode()
        signature = hmac.new((secret or self.secret).encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
            "X-Hub-Signature-256": f"sha256={signature}",
        }
        address = self.address.replace(f"/{PROJECT}", f"/{project}")
        return httpx.post(address, content=body, headers=headers, timeout=60).status_code

    def builds(self) -> list[dict[str, Any]]:
        """Return the builds of the project, the oldest first."""
        codebuild = self.world.client("codebuild")
        ids = codebuild.list_builds_for_project(projectName=BUILD, sortOrder="ASCENDING").get("ids", [])
        found: list[dict[str, Any]] = codebuild.batch_get_builds(ids=ids)["builds"] if ids else []
        return found

    def built(self, commit: str) -> None:
        """Wait until a commit was built well."""

        def look() -> dict[str, Any] | None:
            found = [one for one in self.builds() if one["sourceVersion"] == commit]
            return found[-1] if found and found[-1]["buildStatus"] in ENDS else None

        build = self.world.wait_for(f"the build of {commit}", look)
        assert build["buildStatus"] == "SUCCEEDED", build["phases"]


@pytest.fixture(scope="module")
def tulip(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tulip]:
    """Give a project a repository elsewhere and builds, as a person does; nothing of it is left in the stack."""
    folder = tmp_path_factory.mktemp("tulip")
    clone = folder / "tulip"
    (clone / "code").mkdir(parents=True)
    files = {"signalbox.yaml": FILE, "definition.py": DEFINITION, "code/judge.py": JUDGE, "code/answer.py": ANSWER}
    for name, text in files.items():
        (clone / name).write_text(text)
    world.signalbox("ci", "codebuild", str(clone))
    secrets = world.client("secretsmanager")
    secrets.create_secret(Name=TOKEN_SECRET, SecretString=json.dumps({"token": TOKEN}))
    with served(GitHubFake(folder, git=basic("x-access-token"), public=True)) as host:
        words = ("--repository", f"github:{REPOSITORY}", "--url", f"{host.url}/{REPOSITORY}.git", "--yes")
        world.signalbox("projects", "create", str(clone), *words, "--token-secret", TOKEN_SECRET)
        (hook,) = host.hooks[REPOSITORY].values()
        made = Tulip(world, clone, hook["config"]["url"], hook["config"]["secret"])
        made.git("init", "--quiet")
        made.git("remote", "add", "origin", str(host.bare(REPOSITORY)))
        made.git("fetch", "--quiet", "origin")
        made.git("reset", "--quiet", "--hard", "origin/main")
        yield made
        world.signalbox("projects", "remove", PROJECT, "--yes", "--token-secret", TOKEN_SECRET)
        assert not host.hooks[REPOSITORY]
    secrets.delete_secret(SecretId=TOKEN_SECRET, ForceDeleteWithoutRecovery=True)


def test_the_repository_is_made_with_a_token_and_has_the_webhook_of_the_stack(tulip: Tulip, world: World) -> None:
    assert tulip.git("log", "--format=%s") == "First commit"
    assert set(tulip.git("ls-files").splitlines()) >= {"signalbox.yaml", "buildspec.yml", "code/judge.py"}
    assert tulip.address == f"{world.outputs['ReviewUrl']}/hooks/{PROJECT}"
    held = world.client("secretsmanager").get_secret_value(SecretId=names.hook_secret(PREFIX, PROJECT))
    assert tulip.secret == held["SecretString"]


def test_a_webhook_that_is_not_signed_or_of_no_project_starts_nothing(tulip: Tulip) -> None:
    head = tulip.git("rev-parse", "HEAD")
    assert tulip.tell(NONE, head, secret="guessed") == 401
    assert tulip.tell(NONE, head, project="daisy") == 404
    assert tulip.tell(NONE, head, project="abalone") == 404
    assert not tulip.builds()


def test_a_push_that_a_webhook_tells_of_is_built_and_deployed_once(tulip: Tulip, world: World) -> None:
    head = tulip.git("rev-parse", "HEAD")
    assert tulip.tell(NONE, head, delivery="first") == 202
    assert tulip.tell(NONE, head, delivery="first") == 200
    tulip.built(head)
    assert PROJECT in world.signalbox("projects").decode()
    assert [one["sourceVersion"] for one in tulip.builds()] == [head]


def test_of_pushes_that_are_told_late_and_out_of_order_the_newest_is_built_last_and_once(tulip: Tulip) -> None:
    first, second, third = (tulip.push(text) for text in ("One", "Two", "Three"))
    for before, after in (third, first, second, first):
        assert tulip.tell(before, after) == 202
    tulip.built(third[1])
    assert tulip.tell(*first) == 202
    fourth = tulip.push("Four")
    assert tulip.tell(*fourth) == 202
    tulip.built(fourth[1])
    commits = [one["sourceVersion"] for one in tulip.builds()]
    assert commits.count(third[1]) == commits.count(fourth[1]) == 1
    assert commits[-2:] == [third[1], fourth[1]]
