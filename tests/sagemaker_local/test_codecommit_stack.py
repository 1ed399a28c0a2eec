"""Repositories of stacks: what the published schema says, and what a stack makes, changes and deletes."""

import io
import zipfile
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from tests.contract.stacks import Stack, get, outputs_of
from tests.contract.world import allow, name
from tests.sagemaker_local.support.codecommit import CodeCommits

from sagemaker_local.codecommit.stack import REPOSITORY, unpacked
from sagemaker_local.core.errors import ApiError
from sagemaker_local.server import ACCOUNT, REGION

OUTPUTS = {"Id": {"Ref": "Repository"}, **{one: get("Repository", one) for one in REPOSITORY.attributes if one != "Id"}}
RIGHTS = ("CreateRepository", "GetRepository", "DeleteRepository", "TagResource", "CreateCommit")


def resources(repository: str, **properties: Any) -> dict[str, dict[str, Any]]:
    more = {"RepositoryName": repository, **properties}
    return {"Repository": {"Type": REPOSITORY.type_name, "Properties": more}}


def archive(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        opened.mkdir("folder")
        for path, content in files.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = (0o100755 if path.endswith(".sh") else 0o100644) << 16
            opened.writestr(entry, content)
    return packed.getvalue()


def test_the_type_has_the_properties_and_attributes_of_the_published_schema() -> None:
    document = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", REPOSITORY.type_name)
    read_only = {pointer.rpartition("/")[2] for pointer in document.schema["readOnlyProperties"]}
    properties: dict[str, Any] = REPOSITORY.properties()

    assert set(properties) | REPOSITORY.not_emulated == set(document.schema["properties"]) - read_only
    assert set(REPOSITORY.attributes) == set(document.get_atts)
    assert set(REPOSITORY.create_shape.required_members) == set(document.schema["required"])
    assert "createOnlyProperties" not in document.schema
    for kind, shape in (("Code", properties["Code"]), ("S3", properties["Code"].members["S3"])):
        definition = document.schema["definitions"][kind]
        assert set(shape.members) == set(definition["properties"])
        assert set(shape.required_members) == set(definition["required"])


def test_a_stack_makes_changes_and_deletes_a_repository(codecommits: CodeCommits) -> None:
    world, repository, client = codecommits.world, name("repository"), codecommits.client()
    stack = Stack(world)
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}]
    made = outputs_of(
        stack.create(resources(repository, RepositoryDescription="d", KmsKeyId="alias/k", Tags=tags), OUTPUTS)
    )
    found = client.get_repository(repositoryName=repository)["repositoryMetadata"]

    assert made == {
        "Id": found["repositoryId"],
        "Arn": f"arn:aws:codecommit:{REGION}:{ACCOUNT}:{repository}",
        "CloneUrlHttp": found["cloneUrlHttp"],
        "CloneUrlSsh": found["cloneUrlSsh"],
        "Name": repository,
    }
    assert (found["repositoryDescription"], found["kmsKeyId"]) == ("d", "alias/k")

    changed = outputs_of(stack.update(resources(f"{repository}-2", KmsKeyId="alias/l", Tags=tags[1:]), OUTPUTS))
    found = client.get_repository(repositoryName=f"{repository}-2")["repositoryMetadata"]

    assert (changed["Id"], changed["Name"]) == (made["Id"], f"{repository}-2")
    assert (found.get("repositoryDescription"), found["kmsKeyId"]) == (None, "alias/l")
    assert client.list_tags_for_resource(resourceArn=found["Arn"])["tags"] == {"b": "1"}

    assert stack.delete() == "DELETE_COMPLETE"
    assert client.batch_get_repositories(repositoryNames=[f"{repository}-2"])["repositories"] == []


def test_a_repository_is_filled_from_an_archive_when_it_is_made_and_not_later(codecommits: CodeCommits) -> None:
    world, repository, client = codecommits.world, name("repository"), codecommits.client()
    listener = codecommits.listener(repository)
    first = archive({"run.sh": b"#!/bin/sh\n", "folder/a b.txt": b"a", **{f"n/{at}": b"" for at in range(150)}})
    bucket = world.bucket({"seed.zip": first, "other.zip": archive({"other": b""})})
    code = {"S3": {"Bucket": bucket, "Key": "seed.zip"}, "BranchName": "trunk"}
    keys = codecommits.keys(allow("cloudformation:*", "s3:GetObject", *(f"codecommit:{one}" for one in RIGHTS)))
    stack = Stack(world, formation=world.client("cloudformation", keys))
    made = stack.create(resources(repository, Code=code))

    assert made["StackStatus"] == "CREATE_COMPLETE"
    clone = codecommits.outside()
    clone.git("clone", "--quiet", codecommits.url(repository), ".")
    assert clone.git("branch", "--show-current") == "trunk"
    assert len(clone.git("ls-files").splitlines()) == 152
    assert (clone.folder / "run.sh").stat().st_mode & 0o100
    assert clone.git("log", "--format=%an|%s") == "ann|Initial commit"
    assert listener.told() == [("referenceCreated", "branch", "trunk")]

    later = {"S3": {"Bucket": bucket, "Key": "other.zip"}}
    assert stack.update(resources(repository, Code=later))["StackStatus"] == "UPDATE_COMPLETE"
    assert client.get_folder(repositoryName=repository, folderPath="folder")["files"]
    assert listener.told() == []


@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        ("CreateRepository", "not authorized to perform: codecommit:CreateRepository"),
        ("CreateCommit", "not authorized to perform: codecommit:CreateCommit"),
    ],
)
def test_a_stack_that_may_not_makes_nothing(codecommits: CodeCommits, lacking: str, words: str) -> None:
    world, repository = codecommits.world, name("repository")
    bucket = world.bucket({"seed.zip": archive({"a": b"a"})})
    rights = [f"codecommit:{one}" for one in RIGHTS if one != lacking]
    keys = codecommits.keys(allow("cloudformation:*", "s3:GetObject", *rights))
    stack = Stack(world, formation=world.client("cloudformation", keys))
    stack.create(resources(repository, Code={"S3": {"Bucket": bucket, "Key": "seed.zip"}}))

    assert words in stack.reason("Repository")
    assert codecommits.client().batch_get_repositories(repositoryNames=[repository])["repositories"] == []


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"Triggers": [{"Name": "t"}]}, "Triggers of AWS::CodeCommit::Repository is not emulated here."),
        ({"Other": 1}, "extraneous key [Other] is not permitted"),
        ({"Code": {}}, "required key [S3] not found"),
        ({"Code": {"S3": {"Bucket": "BUCKET", "Key": "text"}}}, "is no archive of files"),
        ({"Code": {"S3": {"Bucket": "BUCKET", "Key": "never"}}}, "does not exist"),
        ({"RepositoryName": "a b"}, "CodeCommit, InvalidRepositoryNameException"),
    ],
)
def test_a_template_that_cannot_be_is_refused(codecommits: CodeCommits, properties: dict[str, Any], words: str) -> None:
    bucket = codecommits.world.bucket({"text": b"no archive"})
    if "S3" in properties.get("Code", {}):
        properties = {"Code": {"S3": {**properties["Code"]["S3"], "Bucket": bucket}}}
    stack = Stack(codecommits.world)
    stack.create(resources(**{"repository": name("repository"), **properties}))

    assert words in stack.reason("Repository")


def test_drift_is_what_was_changed_by_hand(codecommits: CodeCommits) -> None:
    world, repository, client = codecommits.world, name("repository"), codecommits.client()
    stack, formation = Stack(world), world.client("cloudformation")
    stack.create(resources(repository, RepositoryDescription="d"))
    client.update_repository_description(repositoryName=repository, repositoryDescription="other")

    found = formation.detect_stack_resource_drift(StackName=stack.name, LogicalResourceId="Repository")

    assert found["StackResourceDrift"]["StackResourceDriftStatus"] == "MODIFIED"
    client.delete_repository(repositoryName=repository)
    gone = formation.detect_stack_resource_drift(StackName=stack.name, LogicalResourceId="Repository")
    assert gone["StackResourceDrift"]["StackResourceDriftStatus"] == "DELETED"


def test_an_archive_with_a_path_that_leads_out_is_refused() -> None:
    with pytest.raises(ApiError, match="InvalidPathException"):
        unpacked(archive({"../a": b""}))
