"""Git itself, with repositories of CodeCommit: what people do every day, and what is larger or odder than that."""

import random
import subprocess

import pytest
from tests.sagemaker_local.support.codecommit import CodeCommits

EMOJI = "feature/🚀-👩\u200d🔬"
LONG = "x" * 200


def test_what_is_pushed_is_cloned(codecommits: CodeCommits) -> None:
    repository = codecommits.repository()
    first = codecommits.clone(repository)
    commits = [first.commit("a.txt"), first.commit("folder/b.txt")]
    first.git("push", "--quiet", "origin", "main")

    second = codecommits.clone(repository)

    assert second.git("log", "--format=%H", "--reverse").split() == commits
    assert (second.folder / "folder/b.txt").read_text() == "folder/b.txt work\n"


def test_a_second_push_goes_on_and_what_was_pushed_meanwhile_has_to_be_fetched_first(codecommits: CodeCommits) -> None:
    repository = codecommits.repository()
    first = codecommits.clone(repository)
    first.commit("a.txt")
    first.git("push", "--quiet", "origin", "main")
    second = codecommits.clone(repository)
    first.commit("a.txt", message="again")
    first.git("push", "--quiet", "origin", "main")
    second.commit("b.txt")

    assert "[rejected]" in second.try_("push", "origin", "main").stderr
    second.git("pull", "--quiet", "--rebase", "origin", "main")
    second.git("push", "--quiet", "origin", "main")

    assert first.git("ls-remote", "origin", "main").split()[0] == second.git("rev-parse", "HEAD")


def test_a_force_push_sets_a_branch_back(codecommits: CodeCommits) -> None:
    repository = codecommits.repository()
    clone = codecommits.clone(repository)
    first = clone.commit("a.txt")
    clone.commit("b.txt")
    clone.git("push", "--quiet", "origin", "main")
    clone.git("reset", "--quiet", "--hard", first)

    assert clone.try_("push", "origin", "main").returncode == 1
    clone.git("push", "--quiet", "--force", "origin", "main")

    found = codecommits.client().get_branch(repositoryName=repository, branchName="main")["branch"]
    assert found == {"branchName": "main", "commitId": first}


@pytest.mark.parametrize("branch", ["feature/a/b", EMOJI, LONG, "-x", "a'b\"c"])
def test_a_branch_is_made_listed_and_deleted_whatever_it_is_called(codecommits: CodeCommits, branch: str) -> None:
    repository = codecommits.repository()
    clone, client = codecommits.clone(repository), codecommits.client()
    commit = clone.commit("a.txt")
    clone.git("push", "--quiet", "origin", "main", f"HEAD:refs/heads/{branch}")

    assert client.list_branches(repositoryName=repository)["branches"] == sorted(["main", branch])
    assert client.get_branch(repositoryName=repository, branchName=branch)["branch"]["commitId"] == commit
    clone.git("push", "--quiet", "origin", "--delete", f"refs/heads/{branch}")

    assert client.list_branches(repositoryName=repository)["branches"] == ["main"]


def test_the_first_branch_that_is_pushed_is_the_default_one_and_a_clone_begins_there(codecommits: CodeCommits) -> None:
    repository = codecommits.repository()
    clone = codecommits.clone(repository)
    clone.commit("a.txt")
    clone.git("push", "--quiet", "origin", "HEAD:trunk")
    clone.git("push", "--quiet", "origin", "HEAD:main")

    found = codecommits.client().get_repository(repositoryName=repository)["repositoryMetadata"]
    other = codecommits.outside()
    other.git("clone", "--quiet", codecommits.url(repository), ".")

    assert (found["defaultBranch"], other.git("branch", "--show-current")) == ("trunk", "trunk")
    assert "refusing to delete the current branch" in clone.try_("push", "origin", "--delete", "trunk").stderr


def test_tags_are_pushed_and_fetched_with_what_they_say(codecommits: CodeCommits) -> None:
    repository = codecommits.repository()
    clone = codecommits.clone(repository)
    commit = clone.commit("a.txt")
    clone.git("tag", "light")
    clone.git("tag", "--annotate", "--message", "said", "v1.0")
    clone.git("push", "--quiet", "origin", "main", "--tags")

    other = codecommits.clone(repository)

    assert other.git("tag", "--list").split() == ["light", "v1.0"]
    assert other.git("rev-parse", "v1.0^{commit}") == commit
    assert other.git("tag", "--list", "--format=%(contents)", "v1.0") == "said"


def test_a_commit_of_ten_thousand_files_and_thirty_megabytes_is_pushed_and_cloned(
    codecommits: CodeCommits,
) -> None:
    repository = codecommits.repository()
    clone = codecommits.clone(repository)
    subprocess.run(["git", "fast-import", "--quiet", "--force"], cwd=clone.folder, input=many(10_000), check=True)
    clone.git("push", "--quiet", "origin", "main")

    other = codecommits.outside()
    other.git("clone", "--quiet", "--no-checkout", codecommits.url(repository), ".")

    assert len(other.git("ls-tree", "-r", "--name-only", "HEAD").splitlines()) == 10_001
    assert other.git("cat-file", "-s", "HEAD:large") == "30000000"
    folder = codecommits.client().get_folder(repositoryName=repository, folderPath="d7")
    assert len(folder["files"]) == 100


def many(count: int) -> bytes:
    """Return a commit of so many files, and one that cannot be packed much smaller, as fast-import reads it."""
    noise = random.Random(1).randbytes(30_000_000)  # noqa: S311  # the same each time
    parts = [b"commit refs/heads/main\ncommitter a <b> 1 +0000\ndata 4\nmany\n"]
    parts += [b"M 100644 inline d%d/f%d\ndata 5\n%05d\n" % (at % 100, at, at) for at in range(count)]
    return b"".join([*parts, b"M 100644 inline large\ndata 30000000\n", noise, b"\n"])


def test_a_shallow_clone_is_made_and_pushed_from(codecommits: CodeCommits) -> None:
    repository = codecommits.repository()
    clone = codecommits.clone(repository)
    for number in range(3):
        clone.commit("a.txt", message=str(number))
    clone.git("push", "--quiet", "origin", "main")

    shallow = codecommits.outside()
    shallow.git("clone", "--quiet", "--depth", "1", codecommits.url(repository), ".")
    commit = shallow.commit("b.txt")
    shallow.git("push", "--quiet", "origin", "main")

    assert shallow.git("rev-list", "--count", "HEAD") == "2"
    assert clone.git("ls-remote", "origin", "main").split()[0] == commit


def test_a_fetch_that_has_much_to_say_comes_packed(codecommits: CodeCommits) -> None:
    repository = codecommits.repository()
    first = codecommits.clone(repository)
    first.commit("a.txt")
    first.git("push", "--quiet", "origin", "main")
    second = codecommits.clone(repository)
    for number in range(60):  # git packs what it has to say when it has more than 1,024 bytes
        second.commit(message=str(number))
    first.commit("b.txt")
    first.git("push", "--quiet", "origin", "main")

    second.git("fetch", "--quiet", "origin")

    assert second.git("rev-parse", "origin/main") == first.git("rev-parse", "HEAD")


def test_many_references_in_one_push_are_all_there(codecommits: CodeCommits) -> None:
    repository = codecommits.repository()
    clone = codecommits.clone(repository)
    clone.commit("a.txt")
    branches = [f"b/{number}" for number in range(250)]
    clone.git("push", "--quiet", "origin", "main", *(f"HEAD:refs/heads/{branch}" for branch in branches))

    pages = codecommits.client().get_paginator("list_branches").paginate(repositoryName=repository)

    assert [branch for page in pages for branch in page["branches"]] == sorted([*branches, "main"])


def test_a_repository_that_is_deleted_or_never_was_is_not_found(codecommits: CodeCommits) -> None:
    repository = codecommits.repository()
    clone = codecommits.clone(repository)
    codecommits.client().delete_repository(repositoryName=repository)

    assert f"{repository} does not exist in us-east-1" in clone.try_("fetch", "origin").stderr
    assert "not found" in clone.try_("ls-remote", codecommits.url("never")).stderr
