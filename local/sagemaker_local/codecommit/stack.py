"""CloudFormation's type AWS::CodeCommit::Repository: its schema, and how a stack makes, changes and deletes one.

`Ref` is the repository's id (CloudFormation Template Reference, "Return values"). `Code` counts at creation only.
"""

import io
import stat
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from botocore.model import Shape, ShapeResolver

from sagemaker_local.codecommit.commits import GIT_MODES, FileChange
from sagemaker_local.codecommit.paths import checked as checked_path
from sagemaker_local.core.errors import ApiError
from sagemaker_local.stacks import RefusedError, ResourceError, ResourceType
from sagemaker_local.stacks.handler import is_stacks_own
from sagemaker_local.stacks.properties import checked

if TYPE_CHECKING:
    from sagemaker_local.codecommit.service import Service
    from sagemaker_local.stacks import Ask
    from sagemaker_local.stacks.handler import Made
    from sagemaker_local.stacks.model import Properties

_TEXT = {"shape": "Text"}
_SHAPES: Any = {
    "Text": {"type": "string"},
    "Tags": {"type": "list", "member": {"shape": "Tag"}},
    "Tag": {"type": "structure", "required": ["Key", "Value"], "members": {"Key": _TEXT, "Value": _TEXT}},
    "S3": {
        "type": "structure",
        "required": ["Bucket", "Key"],
        "members": dict.fromkeys(("Bucket", "Key", "ObjectVersion"), _TEXT),
    },
    "Code": {"type": "structure", "required": ["S3"], "members": {"S3": {"shape": "S3"}, "BranchName": _TEXT}},
    "Repository": {
        "type": "structure",
        "required": ["RepositoryName"],
        "members": {
            **dict.fromkeys(("RepositoryName", "RepositoryDescription", "KmsKeyId"), _TEXT),
            "Code": {"shape": "Code"},
            "Tags": {"shape": "Tags"},
        },
    },
}
_ATTRIBUTES = {
    "Arn": "Arn",
    "CloneUrlHttp": "cloneUrlHttp",
    "CloneUrlSsh": "cloneUrlSsh",
    "Id": "repositoryId",
    "Name": "repositoryName",
}


class RepositoryType(ResourceType):
    """The row of the type; its properties are the published schema's own (cfn-lint 1.53)."""

    @property
    def type_name(self) -> str:
        """Return the type's name in templates."""
        return "AWS::CodeCommit::Repository"

    @property
    def create_shape(self) -> Shape:
        """Return the shape of the properties."""
        return ShapeResolver(_SHAPES).get_shape_by_name("Repository")


REPOSITORY = RepositoryType(
    kind="Repository",
    reference="repositoryId",
    attributes=_ATTRIBUTES,
    named=False,
    not_emulated=frozenset({"Triggers"}),
)


class StackRepositories:
    """The repositories of stacks, made by the API as whoever works on the stack; `service` is that of its region."""

    def __init__(
        self, ask: "Ask", s3: Callable[[], Any], caller: Callable[[], str], service: Callable[[], "Service"]
    ) -> None:
        self._ask, self._s3, self._caller, self._service = ask, s3, caller, service

    def create(self, logical_id: str, properties: "Properties", _stack: str) -> "Made":
        """Make a repository, with the files of an archive; one that cannot be filled is deleted again.

        Raises:
            PropertiesError: the properties are not as the schema has them.
            ResourceError: CodeCommit refuses it, or the archive is none.
        """
        wanted = _checked(logical_id, properties)
        name = wanted["RepositoryName"]
        files = self._files(wanted["Code"]["S3"]) if "Code" in wanted else []
        members = {"repositoryDescription": "RepositoryDescription", "kmsKeyId": "KmsKeyId"}
        request = {member: wanted[one] for member, one in members.items() if one in wanted}
        self._asked("CreateRepository", repositoryName=name, **request, **_tagged(wanted))
        if files:
            try:
                branch = wanted["Code"].get("BranchName", "main")
                self._service().commit_first(name, branch, files, self._caller())
            except ApiError as error:
                self._asked("DeleteRepository", repositoryName=name)
                raise _refused(error.code, error.message) from error
        return self._made(name)

    def update(self, _id: str, old: "Properties", new: "Properties", _stack: str, logical_id: str) -> "Made":
        """Change a repository: nothing of it needs another one, and its code stays as it is.

        Raises:
            PropertiesError: the properties are not as the schema has them.
            ResourceError: CodeCommit refuses the change.
        """
        before, wanted = _checked(logical_id, old), _checked(logical_id, new)
        name = wanted["RepositoryName"]
        if name != before["RepositoryName"]:
            self._asked("UpdateRepositoryName", oldName=before["RepositoryName"], newName=name)
        if (text := wanted.get("RepositoryDescription")) != before.get("RepositoryDescription"):
            more = {"repositoryDescription": text} if text is not None else {}
            self._asked("UpdateRepositoryDescription", repositoryName=name, **more)
        if wanted.get("KmsKeyId") not in (None, before.get("KmsKeyId")):
            self._asked("UpdateRepositoryEncryptionKey", repositoryName=name, kmsKeyId=wanted["KmsKeyId"])
        made, tags, gone = self._made(name), _tagged(wanted), _tags(before).keys() - _tags(wanted).keys()
        if gone:
            self._asked("UntagResource", resourceArn=made[1]["Arn"], tagKeys=sorted(gone))
        if tags and _tags(before) != _tags(wanted):
            self._asked("TagResource", resourceArn=made[1]["Arn"], **tags)
        return made

    def delete(self, _id: str, properties: "Properties") -> None:
        """Delete a repository; one that is gone already is no failure.

        Raises:
            ResourceError: CodeCommit refuses it.
        """
        self._asked("DeleteRepository", repositoryName=str(properties["RepositoryName"]))

    def read(self, _id: str, properties: "Properties") -> dict[str, Any] | None:
        """Return those of a repository's properties that can differ from a template, as they are now.

        Raises:
            ResourceError: CodeCommit refuses to describe it.
        """
        name = str(properties["RepositoryName"])
        try:
            found = self._ask("GetRepository", {"repositoryName": name})["repositoryMetadata"]
        except RefusedError as error:
            if error.code == "RepositoryDoesNotExistException":
                return None
            raise _refused(error.code, error.message) from error
        tags = self._asked("ListTagsForResource", resourceArn=found["Arn"])["tags"]
        shown = {"RepositoryName": name, "RepositoryDescription": found.get("repositoryDescription")}
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        return {**{key: value for key, value in shown.items() if value is not None}, "Tags": listed}

    def _made(self, name: str) -> "Made":
        found = self._asked("GetRepository", repositoryName=name)["repositoryMetadata"]
        return found["repositoryId"], {attribute: found[member] for attribute, member in _ATTRIBUTES.items()}

    def _asked(self, operation: str, **request: Any) -> dict[str, Any]:
        try:
            return self._ask(operation, request)
        except RefusedError as error:
            raise _refused(error.code, error.message) from error

    def _files(self, place: "Properties") -> list[FileChange]:
        version = {"VersionId": place["ObjectVersion"]} if "ObjectVersion" in place else {}
        try:
            found = self._s3().get_object(Bucket=place["Bucket"], Key=place["Key"], **version)
            return unpacked(found["Body"].read())
        except ClientError as error:
            raise _refused(error.response["Error"]["Code"], error.response["Error"]["Message"]) from error
        except (zipfile.BadZipFile, ApiError) as error:
            message = f"The code at s3://{place['Bucket']}/{place['Key']} is no archive of files: {error}"
            raise ResourceError(message, "InvalidRequest") from error


def unpacked(archive: bytes) -> list[FileChange]:
    """Return the files of a ZIP archive, with those that can be executed, and links, as they are.

    Raises:
        BadZipFile: it is none.
        ApiError: a file's path is none of a repository.
    """
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return [
            FileChange(checked_path(one.filename), opened.read(one), _mode(one.external_attr >> 16))
            for one in opened.infolist()
            if not one.is_dir()
        ]


def _mode(bits: int) -> str:
    return GIT_MODES["SYMLINK" if stat.S_ISLNK(bits) else "EXECUTABLE" if bits & stat.S_IXUSR else "NORMAL"]


def _checked(logical_id: str, properties: "Properties") -> "Properties":
    if unknown := sorted(REPOSITORY.not_emulated & set(properties)):
        raise ResourceError(f"{', '.join(unknown)} of {REPOSITORY.type_name} is not emulated here.", "InvalidRequest")
    tags = [tag for tag in properties.get("Tags", []) if not is_stacks_own(tag)]
    given = {name: item for name, item in properties.items() if name != "Tags"}
    return checked(REPOSITORY, logical_id, {**given, "Tags": tags} if tags else given)


def _tags(properties: "Properties") -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}


def _tagged(properties: "Properties") -> dict[str, Any]:
    return {"tags": _tags(properties)} if properties.get("Tags") else {}


def _refused(code: str, message: str) -> ResourceError:
    known = {
        "AccessDenied": "AccessDenied",
        "AccessDeniedException": "AccessDenied",
        "RepositoryNameExistsException": "AlreadyExists",
        "RepositoryDoesNotExistException": "NotFound",
    }
    return ResourceError(f"{message} (Service: CodeCommit, {code})", known.get(code, "GeneralServiceException"))
