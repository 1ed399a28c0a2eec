"""Sources come from repositories of git at a commit, a branch or a tag, and with the rights of the build's role."""

import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.sagemaker_local.support.builds import Builder, builder, context, spec

from sagemaker_local.codebuild.errors import BuildEndedError, PhaseError
from sagemaker_local.codebuild.git import Remote, codecommit
from sagemaker_local.codebuild.sources import Fetching

__all__ = ["builder"]
ROLE = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "key"}


def git(folder: Path, *words: str) -> str:
    name = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *name, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Make a repository with a commit on main, a tag on it, and another commit on a branch."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    for text, more in (("first", ("tag", "v1")), ("second", ("branch", "other"))):
        (folder / "file").write_text(text)
        (folder / "buildspec.yml").write_text(spec("echo at $(cat file), $CODEBUILD_RESOLVED_SOURCE_VERSION"))
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "-m", text)
        git(folder, *more)
    git(folder, "reset", "--quiet", "--hard", "v1")
    return folder


def fetching(folder: Path, remote: Remote, stop: threading.Event | None = None) -> Fetching:
    scratch = folder / "scratch"
    scratch.mkdir()
    return Fetching(None, ROLE, lambda _location, _role: remote, scratch, stop or threading.Event(), 30.0)


@pytest.mark.parametrize(
    ("version", "text"),
    [("", "first"), ("main", "first"), ("other", "second"), ("refs/heads/other", "second"), ("v1", "first")],
)
def test_a_repository_is_cloned_at_a_branch_or_a_tag(tmp_path: Path, repository: Path, version: str, text: str) -> None:
    source = {"type": "CODECOMMIT", "location": "any", "gitCloneDepth": 1}

    found = fetching(tmp_path, Remote(repository.as_uri())).fetch(source, version, tmp_path / "source")

    assert (tmp_path / "source" / "file").read_text() == text
    assert found == git(tmp_path / "source", "rev-parse", "HEAD")


def test_a_repository_is_cloned_at_a_commit(tmp_path: Path, repository: Path) -> None:
    commit = git(repository, "rev-parse", "other")
    source = {"type": "CODECOMMIT", "location": "any"}

    assert fetching(tmp_path, Remote(repository.as_uri())).fetch(source, commit, tmp_path / "source") == commit
    assert (tmp_path / "source" / "file").read_text() == "second"


def test_a_version_or_a_repository_that_is_not_there_fails_the_download(tmp_path: Path, repository: Path) -> None:
    source = {"type": "CODECOMMIT", "location": "any"}
    for number, (remote, version) in enumerate(((repository.as_uri(), "none"), (tmp_path.as_uri(), ""))):
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(PhaseError) as failed:
            fetching(folder, Remote(remote)).fetch(source, version, folder / "source")
        assert failed.value.code == "CLIENT_ERROR"
        assert "failed" in failed.value.message


def test_a_clone_ends_with_its_build(tmp_path: Path, repository: Path) -> None:
    stop = threading.Event()
    stop.set()

    with pytest.raises(BuildEndedError) as ended:
        fetching(tmp_path, Remote(repository.as_uri()), stop).fetch(
            {"type": "CODECOMMIT", "location": "any"}, "", tmp_path / "source"
        )

    assert ended.value.status == "STOPPED"


@pytest.mark.parametrize(
    "location",
    ["https://git-codecommit.us-east-1.amazonaws.com/v1/repos/team.code", "arn:aws:codecommit:us-east-1:1:team.code"],
)
def test_codecommit_is_this_clouds_and_git_asks_its_helper_with_the_roles_keys(location: str) -> None:
    remote = codecommit(location, ROLE)

    assert remote.url == "http://127.0.0.1:4566/v1/repos/team.code"
    assert remote.environment["AWS_ACCESS_KEY_ID"] == "key"
    settings = _settings(remote.environment)
    assert "sagemaker_local.codecommit.credentials" in settings["credential.http://127.0.0.1:4566.helper"]
    assert settings["url.http://127.0.0.1:4566/.insteadOf"] == "https://git-codecommit.us-east-1.amazonaws.com/"


def _settings(environment: Mapping[str, str]) -> dict[str, str]:
    count = int(environment["GIT_CONFIG_COUNT"])
    return {environment[f"GIT_CONFIG_KEY_{n}"]: environment[f"GIT_CONFIG_VALUE_{n}"] for n in range(count)}


def test_a_build_of_a_clone_on_this_machine_knows_its_commit(builder: Builder, repository: Path) -> None:
    source = {"type": "GITHUB", "location": repository.as_uri()}
    project = builder.project(source=source, sourceVersion="other")

    build = builder.ended(builder.start(project))
    missing = builder.ended(builder.start(project, sourceVersion="none"))

    commit = git(repository, "rev-parse", "other")
    assert build["resolvedSourceVersion"] == commit
    assert f"\nat second, {commit}\n" in builder.log(build)
    assert context(missing)[0] == "CLIENT_ERROR"
