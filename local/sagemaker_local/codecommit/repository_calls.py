"""The operations about repositories themselves, and their tags."""

from typing import Any

from sagemaker_local.codecommit.paging import page
from sagemaker_local.codecommit.repositories import Repositories, Repository
from sagemaker_local.core.cloud import Call, Handler
from sagemaker_local.core.errors import ApiError
from sagemaker_local.core.roles import MOST_TAGS

MOST_AT_ONCE = 25  # repositories of one BatchGetRepositories (API reference)
_KEY = "alias/aws/codecommit"  # what encrypts a repository that names no key (User Guide, "Encryption")


class RepositoryCalls:
    """Making, describing, changing and deleting repositories."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories
        self._here = repositories.here

    def operations(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        return {
            "CreateRepository": self.create,
            "GetRepository": self.get,
            "BatchGetRepositories": self.get_several,
            "ListRepositories": self.list,
            "UpdateRepositoryDescription": self.describe,
            "UpdateRepositoryName": self.rename,
            "UpdateRepositoryEncryptionKey": self.encrypt,
            "DeleteRepository": self.delete,
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTagsForResource": self.tags,
        }

    def create(self, call: Call) -> dict[str, Any]:
        """Make an empty repository; who gives it tags needs the right to tag it, too."""
        request, tags = call.request, call.request.get("tags") or {}
        if tags:
            _check_tags(tags, {})
            context = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
            arn = self._here.arn(request["repositoryName"])
            self._here.access.require(call.access_key, "codecommit:TagResource", arn, context)
        made = self._repositories.create(
            request["repositoryName"], request.get("repositoryDescription"), request.get("kmsKeyId"), dict(tags)
        )
        return {"repositoryMetadata": self.metadata(made)}

    def get(self, call: Call) -> dict[str, Any]:
        """Describe a repository."""
        return {"repositoryMetadata": self.metadata(self._repositories.get(call.request["repositoryName"]))}

    def get_several(self, call: Call) -> dict[str, Any]:
        """Describe some repositories, and name those that are not there; IAM has decided about the first."""
        names = list(dict.fromkeys(call.request["repositoryNames"]))
        if len(names) > MOST_AT_ONCE:
            raise ApiError("MaximumRepositoryNamesExceededException", f"At most {MOST_AT_ONCE} names may be given.")
        for name in names[1:]:
            self._here.access.require(call.access_key, "codecommit:BatchGetRepositories", self._here.arn(name))
        found = {name: one for name in names if (one := self._repositories.find(name))}
        lost = [name for name in names if name not in found]
        return {"repositories": [self.metadata(one) for one in found.values()], "repositoriesNotFound": lost}

    def list(self, call: Call) -> dict[str, Any]:
        """List all repositories, by their names unless it is said otherwise."""
        by_time = call.request.get("sortBy") == "lastModifiedDate"
        downwards = call.request.get("order") == "descending"
        found = sorted(self._repositories.all(), key=lambda one: one.name)
        if by_time:
            found.sort(key=lambda one: one.modified)
        items = [{"repositoryName": one.name, "repositoryId": one.id} for one in found]
        return dict(page(items[::-1] if downwards else items, "repositories", call.request.get("nextToken")))

    def describe(self, call: Call) -> dict[str, Any]:
        """Set or remove a description."""
        found = self._repositories.get(call.request["repositoryName"])
        found.description, found.modified = call.request.get("repositoryDescription"), self._here.clock()
        return {}

    def rename(self, call: Call) -> dict[str, Any]:
        """Give a repository another name; its id stays."""
        self._repositories.rename(call.request["oldName"], call.request["newName"])
        return {}

    def encrypt(self, call: Call) -> dict[str, Any]:
        """Keep another key, which encrypts nothing here."""
        found = self._repositories.get(call.request["repositoryName"])
        before, found.key = found.key, call.request["kmsKeyId"]
        return {"repositoryId": found.id, "kmsKeyId": found.key, "originalKmsKeyId": before or _KEY}

    def delete(self, call: Call) -> dict[str, Any]:
        """Delete a repository; one that is not there is no error (API reference)."""
        gone = self._repositories.delete(call.request["repositoryName"])
        return {"repositoryId": gone.id} if gone else {}

    def tag(self, call: Call) -> dict[str, Any]:
        """Set tags; a key that is there gets the new value."""
        found = self._named_by_arn(call)
        _check_tags(call.request["tags"], found.tags)
        found.tags = found.tags | call.request["tags"]
        return {}

    def untag(self, call: Call) -> dict[str, Any]:
        """Remove tags by their keys."""
        found, keys = self._named_by_arn(call), call.request["tagKeys"]
        found.tags = {key: value for key, value in found.tags.items() if key not in keys}
        return {}

    def tags(self, call: Call) -> dict[str, Any]:
        """Return the tags of a repository."""
        tags = self._named_by_arn(call).tags
        found = page(list(tags), "keys", call.request.get("nextToken"))
        return {"tags": {key: tags[key] for key in found.pop("keys")}, **found}

    def metadata(self, repository: Repository) -> dict[str, Any]:
        """Return what the API tells of a repository; its addresses are those on AWS."""
        host = f"git-codecommit.{self._here.region}.amazonaws.com"
        return {
            "accountId": self._here.account,
            "repositoryId": repository.id,
            "repositoryName": repository.name,
            "repositoryDescription": repository.description,
            "defaultBranch": repository.default_branch,
            "lastModifiedDate": repository.modified,
            "creationDate": repository.created,
            "cloneUrlHttp": f"https://{host}/v1/repos/{repository.name}",
            "cloneUrlSsh": f"ssh://{host}/v1/repos/{repository.name}",
            "Arn": self._here.arn(repository.name),
            "kmsKeyId": repository.key or _KEY,
        }

    def _named_by_arn(self, call: Call) -> Repository:
        arn = call.request["resourceArn"]
        name = arn.removeprefix(self._here.arn(""))
        if name == arn:
            raise ApiError("InvalidResourceArnException", f"{arn} is no repository of this region and account.")
        return self._repositories.get(name)


def _check_tags(new: dict[str, str], old: dict[str, str]) -> None:
    """Refuse keys of AWS's own, and too many tags.

    Raises:
        ApiError: InvalidSystemTagUsageException, TooManyTagsException.
    """
    if any(key.lower().startswith("aws:") for key in new):
        raise ApiError("InvalidSystemTagUsageException", "Tag keys that begin with aws: are reserved.")
    if len({*new, *old}) > MOST_TAGS:
        raise ApiError("TooManyTagsException", f"A repository has at most {MOST_TAGS} tags.")
