"""A repository at GitHub, GitLab or Bitbucket is made with a token: whole, once, and undone where it fails."""

import functools
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from boto3.session import Session
from tests.support.documents import read, table
from tests.support.git_host_server import served
from tests.support.git_hosts import TOKEN, BitbucketFake, GitHubFake, GitLabFake, HostFake, basic
from tests.support.hooks import SIGNING_TOKEN
from tests.support.project_cloud import ProjectCloud
from tests.support.project_folders import write
from typer.testing import CliRunner, Result

from signalbox_operate import account, cli
from signalbox_operate.automations import command_line, hosted
from signalbox_operate.automations.creating import Elsewhere, Wishes
from signalbox_operate.hosts import bitbucket, github, gitlab
from signalbox_operate.hosts.model import HostError
from signalbox_operate.projects import deploying, reading

NAME = "acme/wine"
SECRET, HOOK_SECRET = "git/token", "an-example-of-a-secret-of-webhooks"
STACK = "signalbox-cicd-wine"
CALLED = {"github": "GitHub", "gitlab": "GitLab", "bitbucket": "Bitbucket"}
CONNECTION = "arn:aws:codeconnections:us-east-1:123456789012:connection/0123"
FILES = {"buildspec.yml", "code/train.py", "pipeline.py", "signalbox.yaml"}
YAML = "project: wine\ncontainers: {wine: {problem: binary}}\n"  # without a definition, whose script takes long
# What takes long and is the same for all tests.
PACKED, SESSION = functools.cache(command_line.make), functools.cache(Session)


class World:
    """A project's folder, its cloud, and a host; `create` and `remove` are what somebody types."""

    def __init__(self, provider: str, host: HostFake, folder: Path) -> None:
        self.provider, self.host, self.cloud = provider, host, ProjectCloud()
        self.folder = write(folder, YAML, buildspec__yml="version: 0.2\n")
        self.cloud.secrets.found = {SECRET: TOKEN, "signalbox/hooks/wine": HOOK_SECRET}
        self.address = f"{self.cloud.place().stack.output('ReviewUrl')}/hooks/wine"

    def create(self, *more: str, name: str = NAME) -> Result:
        """Create the project's automation, with the token and the words besides."""
        there = ("--repository", f"{self.provider}:{name}", "--url", f"{self.host.url}/{name}.git")
        return self.run("create", str(self.folder), *there, "--token-secret", SECRET, "--yes", *more)

    def remove(self, *more: str) -> Result:
        """Remove the project."""
        return self.run("remove", "wine", "--yes", *more)

    def run(self, *words: str) -> Result:
        """Run a command of `signalbox projects`."""
        done = CliRunner().invoke(cli.app, ["projects", *words])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    def maker(self) -> Callable[[], object]:
        """Return what `create` does, of a project that is checked only once."""
        place = self.cloud.place()
        checked = deploying.check(reading.read(self.folder), place, covered=False)
        code = Elsewhere(self.provider, NAME, f"{self.host.url}/{NAME}.git")
        return lambda: hosted.create(checked, place, Wishes(elsewhere=code), SECRET)

    @property
    def called(self) -> str:
        """What people call the host."""
        return CALLED[self.provider]

    @property
    def said(self) -> list[str]:
        """What was said so far."""
        return self.cloud.said

    @property
    def commits(self) -> list[str]:
        """The first lines of the repository's commits."""
        return self.host.said(NAME, "log", "--format=%s", "--all").splitlines()

    @property
    def posted(self) -> list[dict[str, Any]]:
        """The webhooks of the repository, as they were made."""
        return list(self.host.hooks[NAME].values())


def made(provider: str, folder: Path) -> HostFake:
    if provider == "github":
        return GitHubFake(folder, git=basic("x-access-token"))
    if provider == "gitlab":
        return GitLabFake(folder, git=basic("oauth2"))
    return BitbucketFake(folder, git=basic("x-token-auth"))


@pytest.fixture
def provider() -> str:
    return "github"


@pytest.fixture
def world(provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    (tmp_path / "host").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(command_line, "make", PACKED)
    monkeypatch.setattr(account, "Session", SESSION)
    with served(made(provider, tmp_path / "host")) as host:
        world = World(provider, host, tmp_path / "wine")
        monkeypatch.setattr(account, "client", world.cloud.clients.__getitem__)
        monkeypatch.setattr("signalbox_operate.commands.projecting.place_of", lambda _: world.cloud.place())
        yield world


every_provider = pytest.mark.parametrize("provider", ["github", "gitlab", "bitbucket"])


def whole(world: World) -> None:
    """Hold that the repository has one commit and one webhook, and that the automation is there."""
    assert world.commits == ["First commit"]
    assert len(world.posted) == 1
    assert STACK in world.cloud.stacks.stacks


def lines(done: Result, code: int = 0) -> list[str]:
    assert done.exit_code == code, done.output
    return done.output.splitlines()


HOOKS = {
    "github": {
        "name": "web",
        "active": True,
        "events": ["push"],
        "config": {"url": "", "content_type": "json", "secret": HOOK_SECRET, "insecure_ssl": "0"},
    },
    "gitlab": {"url": "", "token": HOOK_SECRET, "push_events": True, "enable_ssl_verification": True},
    "bitbucket": {
        "description": "Signalbox",
        "url": "",
        "active": True,
        "events": ["repo:push"],
        "secret": HOOK_SECRET,
    },
}
PRIVATE = {"github": ("private", True), "gitlab": ("visibility", "private"), "bitbucket": ("is_private", True)}


@every_provider
def test_a_repository_is_made_private_with_its_webhook_and_then_begins_with_the_files_of_the_folder(
    world: World,
) -> None:
    told = lines(world.create("--connection", CONNECTION))

    whole(world)
    assert set(world.host.said(NAME, "ls-tree", "-r", "--name-only", "main").splitlines()) == FILES
    wanted = json.loads(json.dumps(HOOKS[world.provider]).replace('"url": ""', f'"url": "{world.address}"'))
    assert world.posted == [wanted]
    field, value = PRIVATE[world.provider]
    assert world.host.repositories[NAME][field] == value
    assert world.host.calls[-1] == f"POST /{NAME}.git/git-receive-pack"  # so that the webhook tells of it
    assert told[-2:] == [f"git clone {world.host.url}/{NAME}.git", "a push to main is built and deployed"]


@every_provider
def test_a_repetition_makes_nothing_twice_and_pushes_nothing(world: World) -> None:
    world.create()
    told = world.cloud.said
    told.clear()
    lines(world.create())

    whole(world)
    assert f"stack {STACK} unchanged" in told
    assert any(line.endswith("has commits already: nothing is pushed to it") for line in told)


def test_what_breaks_off_at_any_call_is_completed_by_the_next_one(world: World) -> None:
    make = world.maker()
    make()
    calls = len(world.host.calls)
    assert calls >= len(("there", "make", "hook", "put_hook", "refs", "push", "pack"))
    for number in range(calls + 1):
        for name in list(world.host.repositories):
            world.host.remove(name)
        world.cloud.stacks.stacks.clear()
        world.host.calls.clear()
        world.host.dies_at = number
        with pytest.raises(HostError):
            make()
        world.host.dies_at = None
        make()
        whole(world)


@every_provider
def test_what_is_there_is_used_and_keeps_its_commits(world: World) -> None:
    world.host.add(NAME)
    world.host.begin(NAME)
    world.host.put_hook(NAME, None, {"url": "https://ci.example.com", "config": {"url": "https://ci.example.com"}})

    told = lines(world.create())

    assert world.commits == ["Others"]
    assert [one.get("active", True) for one in world.posted] == [True, True]
    assert f"note: the repository {NAME} at {world.called} has commits already: nothing is pushed to it" in world.said
    assert told[-1] == "note: builds can clone it only where it is public: for a private one give --connection ARN"


@every_provider
def test_a_webhook_that_is_there_gets_the_secret_that_the_project_has_by_now(world: World) -> None:
    world.create()
    world.cloud.secrets.found["signalbox/hooks/wine"] = "another-example"
    world.create()

    (hook,) = world.posted
    assert "another-example" in json.dumps(hook)
    assert HOOK_SECRET not in json.dumps(hook)


def test_a_repository_is_left_without_a_commit_where_that_is_wished(world: World) -> None:
    lines(world.create("--empty"))

    assert world.commits == []
    assert len(world.posted) == 1


@every_provider
def test_a_repository_that_was_just_made_goes_again_when_the_automation_cannot_be_made(world: World) -> None:
    world.cloud.stacks.fail_on = "Build"
    done = world.create()

    assert "could not be created, and nothing of it is left" in lines(done, 1)[-1]
    assert f"repository {NAME} at {world.called} deleted again" in world.said
    assert not world.host.repositories
    world.cloud.stacks.fail_on = None
    lines(world.create())
    whole(world)


@every_provider
def test_a_repository_and_its_webhook_go_again_when_the_push_is_refused(world: World) -> None:
    world.host.refusals = {f"POST /{NAME}.git/git-receive-pack": (403, {"message": "no"})}
    done = world.create()

    told = lines(done, 1)[-1]
    assert f"git push of {world.host.url}/{NAME}.git failed: " in told
    assert re.search(r"403 .*\(the token needs the (scope|permission) ", told)
    assert world.said[-3:] == [
        f"webhook {world.address} of {NAME} at {world.called} deleted",
        f"note: stack {STACK} is made and stays, for the next try",
        f"repository {NAME} at {world.called} deleted again",
    ]
    assert not world.host.repositories
    world.host.refusals = {}
    lines(world.create())
    whole(world)


@every_provider
def test_a_repository_that_was_there_before_stays_when_the_push_is_refused(world: World) -> None:
    world.host.add(NAME)
    world.host.refusals = {f"POST /{NAME}.git/git-receive-pack": (403, {"message": "no"})}

    assert world.create().exit_code == 1
    assert NAME in world.host.repositories
    assert not world.posted


def test_a_repository_that_somebody_has_pushed_to_meanwhile_stays(world: World) -> None:
    world.host.refusals = {f"POST /api/v3/repos/{NAME}/hooks": (403, {"message": "Resource not accessible"})}
    world.host.before = lambda call: world.host.begin(NAME) if call.startswith("POST") and "hooks" in call else None
    done = world.create()

    assert "give it the permission Webhooks: write (a classic token: the scope repo)" in lines(done, 1)[-1]
    assert world.commits == ["Others"]
    assert f"note: the repository {NAME} at GitHub has commits by now: it stays as it is" in world.said


def test_what_cannot_be_undone_is_named_and_the_first_failure_is_told(world: World) -> None:
    world.cloud.stacks.fail_on = "Build"
    world.host.refusals = {"DELETE": (403, {"message": "Must have admin rights to Repository."})}
    done = world.create()

    assert "could not be created" in lines(done, 1)[-1]
    left = f"note: repository {NAME} at GitHub is left as it is, for the next `signalbox projects create` to use: "
    assert [line for line in world.said if line.startswith(left) and "the scope delete_repo" in line]


REFUSALS = {
    "401": ((401, {"message": "Bad credentials"}), {}, "does not know the token: it is wrong, or has expired"),
    "403": ((403, {"message": "Forbidden"}), {}, "give it the permission Administration: write (a classic token: the"),
    "404": ((404, {"message": "Not Found"}), {}, "give it the permission Administration: write (a classic token: the"),
    "429": ((429, {}), {"Retry-After": "90"}, "takes no more requests of this token for now: repeat in 90 seconds"),
    "reset": (
        (403, {"message": "API rate limit exceeded"}),
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 36_000)},
        "takes no more requests of this token for now: repeat in 3",
    ),
    "301": ((301, {"message": "Moved Permanently"}), {"Location": "/elsewhere"}, "name the repository as it is called"),
    "500": ((502, None), {}, "GitHub is out of order: repeat later (POST /orgs/acme/repos: 502)"),
    "422": ((422, {"message": "Invalid"}), {}, "refuses what is asked (POST /orgs/acme/repos: 422, Invalid)"),
}


@pytest.mark.parametrize("why", REFUSALS)
def test_a_refusal_of_the_host_is_said_with_the_way_out_before_anything_is_made(world: World, why: str) -> None:
    answer, world.host.headers, told = REFUSALS[why]
    world.host.refusals = {"POST /api/v3/orgs/acme/repos": answer}
    done = world.create()

    assert told in lines(done, 1)[-1]
    assert not world.cloud.stacks.stacks
    assert not any("/elsewhere" in call for call in world.host.calls)


@every_provider
def test_a_name_that_is_taken_by_what_the_token_may_not_see_is_said(world: World) -> None:
    world.host.add(NAME)
    world.host.repositories.clear()

    assert "has one of this name already, hidden from this token: choose another" in lines(world.create(), 1)[-1]


def test_a_host_that_does_not_answer_is_named(world: World) -> None:
    world.host.dies_at = 0

    told = lines(world.create(), 1)[-1]
    assert told.startswith(f"error: GitHub does not answer under {world.host.url}/api/v3: is there a network")


APIS = {
    "github": "https://api.github.com",
    "gitlab": "https://gitlab.com/api/v4",
    "bitbucket": "https://api.bitbucket.org/2.0",
}


@every_provider
def test_the_providers_own_api_is_asked_where_no_address_is_given(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # where nothing listens
    words = ("create", str(world.folder), "--repository", f"{world.provider}:{NAME}", "--token-secret", SECRET, "--yes")

    told = f"error: {world.called} does not answer under {APIS[world.provider]}: is there a network"
    assert lines(world.run(*words), 1)[-1].startswith(told)


def test_the_first_commit_is_on_the_branch_whose_pushes_are_deployed(world: World) -> None:
    write(world.folder, YAML + "branches: {main: trunk}\n")
    told = lines(world.create())

    assert world.host.said(NAME, "for-each-ref", "--format=%(refname)").split() == ["refs/heads/trunk"]
    assert "a push to trunk is built and deployed" in told


def test_a_page_for_people_is_no_api(world: World) -> None:
    world.host.refusals = {"GET": (200, b"<html>")}

    assert "is not GitHub's API: correct the address" in lines(world.create(), 1)[-1]


OWNERS = {
    "ada/wine": (0, "POST /api/v3/user/repos"),
    "bob/wine": (1, "the token is ada's, who makes no repository of bob"),
    "nobody/wine": (1, "GitHub has no nobody: correct the owner"),
}


@pytest.mark.parametrize("name", OWNERS)
def test_at_github_a_person_makes_only_repositories_of_their_own(world: World, name: str) -> None:
    code, told = OWNERS[name]
    done = world.create(name=name)

    assert done.exit_code == code, done.output
    assert told in (" ".join(world.host.calls) if code == 0 else done.output)
    assert set(world.host.repositories) == ({name} if code == 0 else set())


@pytest.mark.parametrize("provider", ["gitlab"])
def test_at_gitlab_groups_are_named_whole_and_have_to_be_there(world: World) -> None:
    name = "acme/drinks/wine"

    assert "GitLab has no acme/drinks that the token may see" in lines(world.create(name=name), 1)[-1]
    world.host.owners = ("acme/drinks",)
    lines(world.create(name=name))
    assert set(world.host.repositories) == {name}


@pytest.mark.parametrize("provider", ["gitlab"])
def test_a_project_that_gitlab_is_about_to_delete_is_not_used(world: World) -> None:
    world.host.add(NAME, {"marked_for_deletion_on": "2026-11-27"})

    assert f"GitLab is about to delete {NAME}: restore it there" in lines(world.create(), 1)[-1]
    assert not world.cloud.stacks.stacks


@pytest.mark.parametrize("provider", ["gitlab"])
def test_a_signing_token_of_gitlab_stays_one(world: World) -> None:
    world.cloud.secrets.found["signalbox/hooks/wine"] = SIGNING_TOKEN
    lines(world.create())

    (hook,) = world.posted
    assert (hook["signing_token"], "token" in hook) == (SIGNING_TOKEN, False)


@pytest.mark.parametrize("provider", ["bitbucket"])
def test_an_api_token_of_bitbucket_presents_its_user(world: World) -> None:
    world.host.known, world.host.git = basic("ada@example.com"), basic("x-bitbucket-api-token-auth")
    world.cloud.secrets.found[SECRET] = json.dumps({"user": "ada@example.com", "token": TOKEN})

    lines(world.create())
    whole(world)


NO_TOKENS = [
    " ",
    "two words",
    "{",
    '{"token": 7}',
    '{"user": "ada", "token": ""}',
    '{"user": "a:b", "token": "t"}',
    "\u20ac",
]


@pytest.mark.parametrize("text", NO_TOKENS)
def test_a_secret_without_a_token_is_refused_and_not_shown(world: World, text: str) -> None:
    world.cloud.secrets.found[SECRET] = text
    done = world.create()

    assert lines(done, 1)[-1].startswith(
        f"error: the secret {SECRET} has no token: its value has to be the token alone"
    )
    assert not world.host.calls


def test_a_secret_that_is_not_there_is_named(world: World) -> None:
    del world.cloud.secrets.found[SECRET]

    assert f"there is no secret {SECRET} in this account and region" in lines(world.create(), 1)[-1]


ADDRESSES = {
    "http://git.example.com/acme/wine.git": "is not encrypted, and the token would be read on its way",
    "https://git.example.com/wine.git": "is not where acme/wine is cloned from: with a token it has to end in",
    "https://ada:pw@git.example.com/acme/wine.git": "give it without user and password",
}


@pytest.mark.parametrize("url", ADDRESSES)
def test_an_address_that_a_token_must_not_be_sent_to_is_refused(world: World, url: str) -> None:
    done = world.create("--url", url)

    assert ADDRESSES[url] in lines(done, 1)[-1]
    assert not world.host.calls


def test_a_token_without_a_repository_elsewhere_is_refused(world: World) -> None:
    done = world.run("create", str(world.folder), "--token-secret", SECRET, "--yes")

    assert "--token-secret is for a repository at GitHub, GitLab or Bitbucket: name it" in lines(done, 1)[-1]
    assert not world.cloud.stacks.stacks


def test_the_token_is_in_no_argument_file_or_line_and_no_helper_of_the_user_keeps_it(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = tmp_path / "bin"
    watched.mkdir()
    (watched / "git").write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/seen\n{shutil.which("git")} "$@" || exit $?\n'
        f'[ -z "$GIT_DIR" ] || cat "$GIT_DIR/config" >> {tmp_path}/seen\n'
    )
    (watched / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(watched), prepend=os.pathsep)
    monkeypatch.setenv("GIT_TRACE_CURL", str(tmp_path / "traced"))
    (tmp_path / ".gitconfig").write_text(
        f'[credential]\nhelper = store\n[url "{tmp_path}/elsewhere/"]\ninsteadOf = {world.host.url}/\n'
        "[user]\nname = Ada\nemail = ada@example.com\n"
    )
    done = world.create()

    whole(world)
    assert world.host.said(NAME, "log", "-1", "--format=%an %ae").strip() == "Ada ada@example.com"
    seen = (tmp_path / "seen").read_text()
    assert "push" in seen
    assert "[core]" in seen
    told = [seen, done.output, *world.said, repr(world.cloud.stacks.calls), repr(world.cloud.s3.calls)]
    keys = (TOKEN, basic("x-access-token").split()[1])
    assert not [one for one in told for key in keys if key in one]
    left = [path for path in tmp_path.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
    assert not left
    assert not (tmp_path / ".git-credentials").exists()
    assert not (tmp_path / "traced").exists()


def test_no_failure_shows_the_token(world: World) -> None:
    for refused in ("GET /api", "POST /api", f"GET /{NAME}", f"POST /{NAME}"):
        world.host.refusals = {refused: (403, {"message": "no"})}
        assert TOKEN not in "\n".join([*lines(world.create(), 1), *world.said])


@every_provider
def test_a_removal_with_the_token_deletes_the_webhook_and_keeps_the_repository(world: World) -> None:
    world.create()
    lines(world.remove("--token-secret", SECRET))

    assert world.posted == []
    assert world.commits == ["First commit"]
    assert f"webhook {world.address} of {NAME} at {world.called} deleted" in world.said
    assert STACK not in world.cloud.stacks.stacks
    assert not [line for line in world.said if line.startswith("note: delete the webhook")]


def test_a_removal_without_the_token_says_which_webhook_is_left(world: World) -> None:
    world.create()
    lines(world.remove())

    assert f"note: delete the webhook {world.address} of {NAME} at github: its pushes are refused now" in world.said
    assert len(world.posted) == 1


def test_a_removal_whose_token_is_refused_removes_nothing(world: World) -> None:
    world.create()
    world.host.known = "Bearer another"

    assert "does not know the token" in lines(world.remove("--token-secret", SECRET), 1)[-1]
    assert STACK in world.cloud.stacks.stacks


def test_a_removal_of_a_project_without_a_webhook_needs_no_token(world: World) -> None:
    lines(world.run("create", str(world.folder), "--repository", "none", "--yes"))
    del world.cloud.secrets.found[SECRET]

    lines(world.remove("--token-secret", SECRET))
    assert not world.host.calls


@pytest.mark.parametrize("host", [github, gitlab, bitbucket])
def test_the_page_has_every_scope_that_a_refusal_names(host: ModuleType) -> None:
    rows = {
        row[0]: row[2] for row in table(read("docs/ci.md"), "provider", "value of the secret", "what the token needs")
    }
    needs = " ".join(one for one in vars(host).values() if isinstance(one, str) and one.startswith("the "))
    named = re.findall(r"(?:permission|scope|the role|token:) (?!the )([A-Z]\w+(?:: \w+)?|[a-z_]+(?::[a-z]+)*)", needs)

    told = rows[CALLED[host.__name__.rpartition(".")[2]]]
    assert len(named) > 3
    assert [one for one in named if one not in told] == []
