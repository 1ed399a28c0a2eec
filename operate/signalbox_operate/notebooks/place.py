"""The stack of notebooks/template.yaml: deployed with the worker's file, and what a command works with."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from signalbox_operate.notebooks import worker_file
from signalbox_operate.notebooks.fleet import Fleet
from signalbox_operate.notebooks.model import PREFIX, Instance
from signalbox_operate.notebooks.snapshots import Shelf
from signalbox_operate.projects.cloudformation import ProjectStack
from signalbox_operate.stack import OperateError

TEMPLATE = Path(__file__).with_name("template.yaml")
_OUTPUTS = (
    "Bucket",
    "Owner",
    "BackupConfig",
    "RestoreConfig",
    "RestoreOnStartConfig",
    "WorkerDigest",
    "RestoreToSpaceConfigArn",
)


@dataclass(frozen=True)
class NotebookStack:
    """What the deployed stack says of itself: its bucket with its owner, and its lifecycle configurations.

    That for spaces of Studio is known by its ARN, the others by their names.
    """

    bucket: str
    owner: str
    backup: str
    restore: str
    restore_on_start: str
    digest: str
    restore_to_space: str


@dataclass(frozen=True)
class Desk:
    """What the work on instances of one account and region needs; `roles` reads tags of roles (IAM)."""

    stack: NotebookStack
    fleet: Fleet
    s3: Any
    roles: Any

    def shelf(self, instance: Instance) -> Shelf:
        """Return where the snapshots of an instance are: below its own prefix, else that of its role."""
        return Shelf(self.s3, self.stack.bucket, self.stack.owner, self.prefix(instance))

    def prefix(self, instance: Instance) -> str:
        """Return the prefix of an instance: its tag, else its role's; none where neither says one."""
        given = instance.tags.get(PREFIX)
        if given is not None:
            return given.strip("/")
        return self.role_prefix(instance.settings["RoleArn"]) or ""

    def role_prefix(self, arn: str) -> str | None:
        """Return the prefix that a role's tag gives it, "" where it has none; None where nobody may see that."""
        try:
            pages = self.roles.get_paginator("list_role_tags").paginate(RoleName=arn.rpartition("/")[2])
            tags = {one["Key"]: one["Value"] for page in pages for one in page["Tags"]}
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"AccessDenied", "NoSuchEntity"}:
                raise
            return None
        return str(tags.get(PREFIX, "")).strip("/")

    def shelves(self) -> Iterator[Shelf]:
        """Yield the shelf of each prefix that an instance has, each once."""
        seen = set()
        for instance in self.fleet.all():
            shelf = self.shelf(instance)
            if shelf.prefix not in seen:
                seen.add(shelf.prefix)
                yield shelf


def read(name: str, cloudformation: Any) -> NotebookStack:
    """Return the deployed stack of that name.

    Raises:
        OperateError: there is none, or it is an older one.
    """
    outputs = ProjectStack(name, cloudformation, lambda _: None).outputs()
    missing = [one for one in _OUTPUTS if not outputs.get(one)]
    if missing:
        raise OperateError(
            f"there is no stack {name!r} of notebooks/template.yaml here, or it is not up to date: "
            "`signalbox notebooks deploy` makes it"
        )
    return NotebookStack(*(outputs[one] for one in _OUTPUTS))


def deploy(name: str, given: Mapping[str, str], cloudformation: Any, s3: Any, say: Callable[[str], None]) -> str:
    """Create the stack or bring it up to date, put the worker into its bucket; return what became of the stack.

    Parameters that are not given stay as they are. The worker is there before a configuration asks for it, but for a
    bucket that the stack is about to make.

    Raises:
        OperateError: the stack could not be made, for the reason that is told.
    """
    stack = ProjectStack(name, cloudformation, say)
    content = worker_file.worker_file()
    digest = worker_file.digest(content)
    before, parameters = stack.outputs(), {**stack.parameters(), **given}
    bucket = parameters.get("SnapshotsBucket") or before.get("Bucket", "")
    if bucket:
        _put_worker(s3, bucket, parameters.get("BucketOwner") or before.get("Owner", ""), digest, content)
    template = TEMPLATE.read_text(encoding="utf-8")
    parameters |= {"WorkerDigest": digest, "SpaceConfigVersion": _space_version(template, digest, parameters)}
    outcome = stack.put(template, {}, parameters)
    made = read(name, cloudformation)
    _put_worker(s3, made.bucket, made.owner, digest, content)
    return outcome


def _space_version(template: str, worker: str, parameters: Mapping[str, str]) -> str:
    """Return ten digits that are others whenever the script for spaces is: AWS changes no configuration of Studio."""
    bucket = (parameters.get("SnapshotsBucket", ""), parameters.get("BucketOwner", ""))
    return hashlib.sha256("\n".join((template, worker, *bucket)).encode()).hexdigest()[:10]


def _put_worker(s3: Any, bucket: str, owner: str, digest: str, content: bytes) -> None:
    """Put the worker where its digest is the name, unless it is there; the bucket has to be the owner's."""
    checked = {"ExpectedBucketOwner": owner} if owner else {}
    key = f"worker/{digest}.pyz"
    try:
        s3.head_object(Bucket=bucket, Key=key, **checked)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"404", "NoSuchKey"}:
            raise
        s3.put_object(Bucket=bucket, Key=key, Body=content, **checked)
