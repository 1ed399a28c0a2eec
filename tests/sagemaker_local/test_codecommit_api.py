"""CodeCommit's API: repositories, branches, commits and files, and the codes that it refuses with."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.contract.world import allow, code, name
from tests.sagemaker_local.support.codecommit import CodeCommits

from sagemaker_local.server import ACCOUNT, REGION

NEVER = "1" * 40


def refused(client: Any, operation: str, **request: Any) -> str:
    with pytest.raises(ClientError) as error:
        getattr(client, operation)(**request)
    return code(error.value)


@pytest.fixture
def client(codecommits: CodeCommits) -> Any:
    """The API as the owner asks it."""
    return codecommits.client()


@pytest.fixture
def repository(codecommits: CodeCommits) -> str:
    """An empty repository."""
    return codecommits.repository()


def put(client: Any, repository: str, *paths: str, **more: Any) -> str:
    """Commit files to main, and return the commit."""
    files = [{"filePath": path, "fileContent": path.encode()} for path in paths]
    made = client.create_commit(**{"repositoryName": repository, "branchName": "main", "putFiles": files, **more})
    return str(made["commitId"])


def test_a_repository_is_described_as_on_aws(client: Any) -> None:
    made = name("repository")
    tags = {"team": "a"}
    created = client.create_repository(
        repositoryName=made, repositoryDescription="d", tags=tags, kmsKeyId="alias/mine"
    )["repositoryMetadata"]

    found = client.get_repository(repositoryName=made)["repositoryMetadata"]

    assert found == created
    assert len(found.pop("repositoryId")) == 36
    assert found.pop("creationDate") == found.pop("lastModifiedDate")
    host = f"git-codecommit.{REGION}.amazonaws.com"
    assert found == {
        "accountId": ACCOUNT,
        "repositoryName": made,
        "repositoryDescription": "d",
        "kmsKeyId": "alias/mine",
        "cloneUrlHttp": f"https://{host}/v1/repos/{made}",
        "cloneUrlSsh": f"ssh://{host}/v1/repos/{made}",
        "Arn": f"arn:aws:codecommit:{REGION}:{ACCOUNT}:{made}",
    }
    assert client.list_tags_for_resource(resourceArn=found["Arn"])["tags"] == tags


def test_a_repository_is_changed_and_deleted(client: Any, repository: str) -> None:
    client.update_repository_description(repositoryName=repository, repositoryDescription="new")
    client.update_repository_encryption_key(repositoryName=repository, kmsKeyId="alias/other")
    found = client.get_repository(repositoryName=repository)["repositoryMetadata"]
    client.update_repository_name(oldName=repository, newName=f"{repository}-2")
    renamed = client.get_repository(repositoryName=f"{repository}-2")["repositoryMetadata"]

    assert (found["repositoryDescription"], found["kmsKeyId"]) == ("new", "alias/other")
    assert renamed["repositoryId"] == found["repositoryId"]
    assert client.delete_repository(repositoryName=f"{repository}-2")["repositoryId"] == found["repositoryId"]
    assert "repositoryId" not in client.delete_repository(repositoryName=f"{repository}-2")


def test_names_are_as_they_are_written(client: Any, repository: str) -> None:
    upper = repository.upper()
    client.create_repository(repositoryName=upper)

    found = client.batch_get_repositories(repositoryNames=[repository, upper, "never", upper])

    assert [one["repositoryName"] for one in found["repositories"]] == [repository, upper]
    assert found["repositoriesNotFound"] == ["never"]


def test_repositories_are_listed_page_by_page_by_name_or_time(codecommits: CodeCommits) -> None:
    client = codecommits.client("ap-south-1")
    names = sorted(f"r{number:03}" for number in range(120))
    for one in names:
        client.create_repository(repositoryName=one)
    client.update_repository_description(repositoryName="r005", repositoryDescription="last")

    def listed(**more: str) -> list[str]:
        pages = client.get_paginator("list_repositories").paginate(**more)
        return [one["repositoryName"] for page in pages for one in page["repositories"]]

    assert listed() == names
    assert listed(order="descending") == names[::-1]
    assert listed(sortBy="lastModifiedDate", order="descending")[0] == "r005"


@pytest.mark.parametrize(
    ("operation", "request_", "expected"),
    [
        ("create_repository", {}, "RepositoryNameRequiredException"),
        ("create_repository", {"repositoryName": "a b"}, "InvalidRepositoryNameException"),
        ("create_repository", {"repositoryName": "ü"}, "InvalidRepositoryNameException"),
        ("create_repository", {"repositoryName": "a.git"}, "InvalidRepositoryNameException"),
        ("create_repository", {"repositoryName": "a" * 101}, "InvalidRepositoryNameException"),
        (
            "create_repository",
            {"repositoryName": "a", "repositoryDescription": "x" * 1001},
            "InvalidRepositoryDescriptionException",
        ),
        ("create_repository", {"repositoryName": "a", "tags": {"aws:x": "1"}}, "InvalidSystemTagUsageException"),
        (
            "create_repository",
            {"repositoryName": "a", "tags": {str(at): "1" for at in range(51)}},
            "TooManyTagsException",
        ),
        ("create_repository", {"repositoryName": 1}, "ValidationException"),
        ("get_repository", {"repositoryName": "never"}, "RepositoryDoesNotExistException"),
        ("batch_get_repositories", {}, "RepositoryNamesRequiredException"),
        (
            "batch_get_repositories",
            {"repositoryNames": [str(at) for at in range(26)]},
            "MaximumRepositoryNamesExceededException",
        ),
        ("list_repositories", {"sortBy": "size"}, "InvalidSortByException"),
        ("list_repositories", {"nextToken": "x"}, "InvalidContinuationTokenException"),
        ("update_repository_name", {"oldName": "never", "newName": "a"}, "RepositoryDoesNotExistException"),
        ("tag_resource", {"resourceArn": "arn:other", "tags": {"a": "b"}}, "InvalidResourceArnException"),
        (
            "tag_resource",
            {"resourceArn": f"arn:aws:codecommit:{REGION}:{ACCOUNT}:x"},
            "TagsMapRequiredException",
        ),
        ("create_pull_request", {"title": "t", "targets": []}, "UnknownOperationException"),
    ],
)
def test_what_cannot_be_done_with_a_repository_is_refused_by_its_code(
    client: Any, operation: str, request_: dict[str, Any], expected: str
) -> None:
    assert refused(client, operation, **request_) == expected


def test_a_taken_name_is_refused(client: Any, repository: str) -> None:
    other = f"{repository}-2"
    client.create_repository(repositoryName=other)

    assert refused(client, "create_repository", repositoryName=repository) == "RepositoryNameExistsException"
    assert refused(client, "update_repository_name", oldName=other, newName=repository) == (
        "RepositoryNameExistsException"
    )


def test_tags_are_set_listed_and_removed(client: Any, repository: str) -> None:
    arn = client.get_repository(repositoryName=repository)["repositoryMetadata"]["Arn"]
    client.tag_resource(resourceArn=arn, tags={"a": "1", "b": "1"})
    client.tag_resource(resourceArn=arn, tags={"b": "2"})
    client.untag_resource(resourceArn=arn, tagKeys=["a", "never"])

    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}


def test_who_makes_a_repository_with_tags_needs_the_right_to_tag_it(codecommits: CodeCommits) -> None:
    client = codecommits.client(keys=codecommits.keys(allow("codecommit:CreateRepository")))

    client.create_repository(repositoryName=name("repository"))
    assert refused(client, "create_repository", repositoryName="a", tags={"a": "b"}) == "AccessDeniedException"
    assert refused(client, "list_repositories") == "AccessDeniedException"


def test_of_several_repositories_each_is_decided(codecommits: CodeCommits, repository: str) -> None:
    resource = f"arn:aws:codecommit:{REGION}:{ACCOUNT}:{repository}"
    keys = codecommits.keys(allow("codecommit:BatchGetRepositories", resource=resource))
    client = codecommits.client(keys=keys)

    assert client.batch_get_repositories(repositoryNames=[repository])["repositories"]
    names = [repository, "other"]
    assert refused(client, "batch_get_repositories", repositoryNames=names) == "AccessDeniedException"


def test_branches_are_made_chosen_and_deleted(client: Any, repository: str) -> None:
    commit = put(client, repository, "a")
    client.create_branch(repositoryName=repository, branchName="feature/a/b", commitId=commit)
    client.update_default_branch(repositoryName=repository, defaultBranchName="feature/a/b")
    chosen = client.get_repository(repositoryName=repository)["repositoryMetadata"]["defaultBranch"]

    gone = client.delete_branch(repositoryName=repository, branchName="main")["deletedBranch"]

    assert (chosen, gone) == ("feature/a/b", {"branchName": "main", "commitId": commit})
    assert "deletedBranch" not in client.delete_branch(repositoryName=repository, branchName="main")
    assert client.list_branches(repositoryName=repository)["branches"] == ["feature/a/b"]


@pytest.mark.parametrize(
    ("operation", "request_", "expected"),
    [
        ("create_branch", {"branchName": "main", "commitId": "TIP"}, "BranchNameExistsException"),
        ("create_branch", {"branchName": "b", "commitId": NEVER}, "CommitDoesNotExistException"),
        ("create_branch", {"branchName": "b", "commitId": "main"}, "InvalidCommitIdException"),
        ("create_branch", {"branchName": "b", "commitId": ""}, "InvalidCommitIdException"),
        ("create_branch", {"branchName": "b"}, "CommitIdRequiredException"),
        ("create_branch", {"branchName": "main/b", "commitId": "TIP"}, "InvalidBranchNameException"),
        ("create_branch", {"branchName": "a..b", "commitId": "TIP"}, "InvalidBranchNameException"),
        ("create_branch", {"branchName": "a\0b", "commitId": "TIP"}, "InvalidBranchNameException"),
        ("create_branch", {"branchName": "x" * 257, "commitId": "TIP"}, "InvalidBranchNameException"),
        ("get_branch", {"branchName": "never"}, "BranchDoesNotExistException"),
        ("get_branch", {}, "BranchNameRequiredException"),
        ("update_default_branch", {"defaultBranchName": "never"}, "BranchDoesNotExistException"),
        ("delete_branch", {"branchName": "main"}, "DefaultBranchCannotBeDeletedException"),
        ("get_commit", {"commitId": NEVER}, "CommitIdDoesNotExistException"),
        ("get_commit", {"commitId": "main"}, "InvalidCommitIdException"),
        ("get_file", {"filePath": "never"}, "FileDoesNotExistException"),
        ("get_file", {"filePath": "folder"}, "FileDoesNotExistException"),
        ("get_file", {"filePath": "/"}, "PathRequiredException"),
        ("get_file", {"filePath": "../a"}, "InvalidPathException"),
        ("get_file", {"filePath": "a", "commitSpecifier": "never"}, "CommitDoesNotExistException"),
        ("get_file", {"filePath": "a", "commitSpecifier": "main~1"}, "InvalidCommitException"),
        ("get_folder", {"folderPath": "a"}, "FolderDoesNotExistException"),
        ("get_differences", {"afterCommitSpecifier": "main", "afterPath": "never"}, "PathDoesNotExistException"),
        ("get_differences", {"afterCommitSpecifier": "main", "MaxResults": 0}, "InvalidMaxResultsException"),
        ("get_differences", {}, "CommitRequiredException"),
    ],
)
def test_what_is_not_in_a_repository_is_refused_by_its_code(
    client: Any, repository: str, operation: str, request_: dict[str, Any], expected: str
) -> None:
    tip = put(client, repository, "a", "folder/b")
    given = {member: tip if value == "TIP" else value for member, value in request_.items()}

    assert refused(client, operation, repositoryName=repository, **given) == expected


def test_a_commit_puts_and_deletes_files_with_their_modes(client: Any, repository: str) -> None:
    first = put(client, repository, "a", "folder/b", 'c d/ü "1".txt')
    tool = {"filePath": "bin/tool", "fileContent": b"#!/bin/sh\n", "fileMode": "EXECUTABLE"}
    link = {"filePath": "link", "fileContent": b"a", "fileMode": "SYMLINK"}

    made = client.create_commit(
        repositoryName=repository,
        branchName="main",
        parentCommitId=first,
        authorName="Ann <x>",
        email="ann@example.com",
        commitMessage="why\n\nbecause",
        putFiles=[tool, link, {"filePath": "/a", "fileContent": b"\x00\xff"}],
        deleteFiles=[{"filePath": "folder/b"}],
    )

    assert [[one["absolutePath"] for one in made[f"files{kind}"]] for kind in ("Added", "Updated", "Deleted")] == [
        ["bin/tool", "link"],
        ["a"],
        ["folder/b"],
    ]
    commit = client.get_commit(repositoryName=repository, commitId=made["commitId"])["commit"]
    assert (commit["treeId"], commit["parents"], commit["message"]) == (made["treeId"], [first], "why\n\nbecause")
    assert (commit["author"]["name"], commit["author"]["email"]) == ("Ann x", "ann@example.com")
    file = client.get_file(repositoryName=repository, filePath="a")
    assert (file["fileContent"], file["fileSize"], file["fileMode"]) == (b"\x00\xff", 2, "NORMAL")
    folder = client.get_folder(repositoryName=repository, folderPath="")
    assert [one["absolutePath"] for one in folder["subFolders"]] == ["bin", "c d"]
    assert [(one["absolutePath"], one["fileMode"]) for one in folder["symbolicLinks"]] == [("link", "SYMLINK")]
    below = client.get_folder(repositoryName=repository, folderPath="/c d/")["files"]
    assert [one["relativePath"] for one in below] == ['ü "1".txt']


def test_the_first_commit_of_an_empty_repository_makes_its_branch_without_a_parent(
    codecommits: CodeCommits, client: Any, repository: str
) -> None:
    made = client.put_file(repositoryName=repository, branchName="trunk", filePath="a", fileContent=b"a")

    clone = codecommits.outside()
    clone.git("clone", "--quiet", codecommits.url(repository), ".")

    assert clone.git("rev-parse", "HEAD") == made["commitId"]
    assert clone.git("branch", "--show-current") == "trunk"
    assert clone.git("log", "--format=%an|%s") == "root|Changed 1 file"


CONFLICTS: list[tuple[dict[str, Any], str]] = [
    ({}, "ParentCommitIdRequiredException"),
    ({"parentCommitId": "OLD"}, "ParentCommitIdOutdatedException"),
    ({"parentCommitId": NEVER}, "ParentCommitDoesNotExistException"),
    ({"parentCommitId": "main"}, "InvalidParentCommitIdException"),
    ({"parentCommitId": "TIP", "branchName": "never"}, "BranchDoesNotExistException"),
    ({"parentCommitId": "TIP", "branchName": "v1"}, "BranchNameIsTagNameException"),
    ({"parentCommitId": "TIP", "branchName": "a..b"}, "InvalidBranchNameException"),
    ({"parentCommitId": "TIP", "putFiles": []}, "FileEntryRequiredException"),
    ({"parentCommitId": "TIP", "putFiles": [("a", b"a")]}, "NoChangeException"),
    ({"parentCommitId": "TIP", "putFiles": [("n", b""), ("/n", b"")]}, "SamePathRequestException"),
    ({"parentCommitId": "TIP", "putFiles": [("n", b""), ("n/m", b"")]}, "PutFileEntryConflictException"),
    ({"parentCommitId": "TIP", "putFiles": [("folder", b"")]}, "FileNameConflictsWithDirectoryNameException"),
    ({"parentCommitId": "TIP", "putFiles": [("a/b", b"")]}, "DirectoryNameConflictsWithFileNameException"),
    ({"parentCommitId": "TIP", "putFiles": [(".git/config", b"")]}, "InvalidPathException"),
    (
        {"parentCommitId": "TIP", "putFiles": [(f"n/{at}", b"") for at in range(101)]},
        "MaximumFileEntriesExceededException",
    ),
    ({"parentCommitId": "TIP", "putFiles": [("n", b"x" * 6_291_457)]}, "FileContentSizeLimitExceededException"),
    (
        {"parentCommitId": "TIP", "putFiles": [(f"n/{at}", b"x" * 3_500_000) for at in range(2)]},
        "FolderContentSizeLimitExceededException",
    ),
    (
        {"parentCommitId": "TIP", "putFiles": [(f"{at}/n", b"x" * 3_500_001) for at in range(2)]},
        "FileContentSizeLimitExceededException",
    ),
    ({"parentCommitId": "TIP", "deleteFiles": [{"filePath": "never"}]}, "FileDoesNotExistException"),
    ({"parentCommitId": "TIP", "commitMessage": "x" * 262_145}, "CommitMessageLengthExceededException"),
]


@pytest.mark.parametrize(("request_", "expected"), CONFLICTS, ids=lambda one: one if isinstance(one, str) else "")
def test_a_commit_that_does_not_fit_is_refused_and_leaves_the_branch_as_it_was(
    codecommits: CodeCommits, client: Any, repository: str, request_: dict[str, Any], expected: str
) -> None:
    old = put(client, repository, "a", "folder/b")
    tip = put(client, repository, "c", parentCommitId=old)
    if request_.get("branchName") == "v1":
        codecommits.clone(repository).git("push", "--quiet", "origin", f"{tip}:refs/tags/v1")
    given = {**request_, "repositoryName": repository, "branchName": request_.get("branchName", "main")}
    files = request_.get("putFiles", [("new", b"new")])
    given["putFiles"] = [{"filePath": path, "fileContent": content} for path, content in files]
    if "parentCommitId" in given:
        given["parentCommitId"] = {"OLD": old, "TIP": tip}.get(given["parentCommitId"], given["parentCommitId"])

    assert refused(client, "create_commit", **given) == expected
    assert client.get_branch(repositoryName=repository, branchName="main")["branch"]["commitId"] == tip


def test_a_branch_whose_name_no_file_system_takes_is_refused(client: Any, repository: str) -> None:
    made = {"repositoryName": repository, "branchName": "x" * 256, "filePath": "a", "fileContent": b"a"}

    assert refused(client, "put_file", **made) == "InvalidBranchNameException"
    assert client.list_branches(repositoryName=repository)["branches"] == []


def test_a_file_that_is_put_as_it_is_is_refused(client: Any, repository: str) -> None:
    tip = put(client, repository, "a")
    same = {"repositoryName": repository, "branchName": "main", "filePath": "a", "fileContent": b"a"}

    assert refused(client, "put_file", **same) == "ParentCommitIdRequiredException"
    assert refused(client, "put_file", **same, parentCommitId=tip) == "SameFileContentException"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"putFiles": [{"filePath": "n", "sourceFile": {"filePath": "a"}}]}, "putFiles.sourceFile is not emulated"),
        ({"setFileModes": [{"filePath": "a", "fileMode": "EXECUTABLE"}]}, "setFileModes is not emulated here: put"),
        ({"keepEmptyFolders": True}, "keepEmptyFolders is not emulated here: put a .gitkeep."),
    ],
)
def test_what_is_not_emulated_is_refused_by_its_name(
    client: Any, repository: str, more: dict[str, Any], words: str
) -> None:
    with pytest.raises(ClientError, match=words):
        client.create_commit(repositoryName=repository, branchName="main", **more)


def test_what_is_no_base64_is_refused(client: Any, repository: str) -> None:
    def spoilt(request: Any, **_: Any) -> None:
        request.data = json.dumps({**json.loads(request.data), "fileContent": "!"}).encode()

    client.meta.events.register("before-sign.codecommit.PutFile", spoilt)
    put_ = {"repositoryName": repository, "branchName": "main", "filePath": "a", "fileContent": b"a"}

    assert refused(client, "put_file", **put_) == "SerializationException"


def test_differences_are_what_was_added_changed_and_deleted(client: Any, repository: str) -> None:
    first = put(client, repository, "a", "b", "folder/c")
    files = {"putFiles": [{"filePath": path, "fileContent": b"new"} for path in ("b", "folder/d")]}
    second = put(client, repository, parentCommitId=first, **files, deleteFiles=[{"filePath": "a"}])

    def found(**more: Any) -> list[tuple[str, str]]:
        pages = client.get_paginator("get_differences").paginate(
            repositoryName=repository, afterCommitSpecifier=second, PaginationConfig={"PageSize": 2}, **more
        )
        changes = [one for page in pages for one in page["differences"]]
        return [(one["changeType"], (one.get("afterBlob") or one["beforeBlob"])["path"]) for one in changes]

    assert found(beforeCommitSpecifier=first) == [("D", "a"), ("M", "b"), ("A", "folder/d")]
    assert found(beforeCommitSpecifier=first, beforePath="folder", afterPath="folder") == [("A", "folder/d")]
    assert found() == [("A", "b"), ("A", "folder/c"), ("A", "folder/d")]


def test_a_commit_is_named_by_branch_tag_reference_head_or_id(
    codecommits: CodeCommits, client: Any, repository: str
) -> None:
    commit = put(client, repository, "a")
    codecommits.clone(repository).git("push", "--quiet", "origin", f"{commit}:refs/tags/v1")

    for specifier in ("main", "v1", "refs/heads/main", "refs/tags/v1", "HEAD", commit):
        assert client.get_file(repositoryName=repository, filePath="a", commitSpecifier=specifier)["commitId"] == commit
    empty = codecommits.repository()
    assert refused(client, "get_file", repositoryName=empty, filePath="a") == "CommitDoesNotExistException"


def test_a_file_that_is_too_large_for_an_answer_is_refused(
    codecommits: CodeCommits, client: Any, repository: str
) -> None:
    clone = codecommits.clone(repository)
    (clone.folder / "large").write_bytes(b"x" * 6_291_457)
    clone.commit()
    clone.git("push", "--quiet", "origin", "main")

    assert refused(client, "get_file", repositoryName=repository, filePath="large") == "FileTooLargeException"


def test_of_two_commits_at_once_one_is_outdated(codecommits: CodeCommits, client: Any, repository: str) -> None:
    tip = put(client, repository, "a")

    def one(number: int) -> str:
        try:
            put(codecommits.client(), repository, f"n{number}", parentCommitId=tip)
        except ClientError as error:
            return code(error)
        return "done"

    with ThreadPoolExecutor(8) as threads:
        outcomes = sorted(threads.map(one, range(8)))

    assert outcomes == ["ParentCommitIdOutdatedException"] * 7 + ["done"]
