"""Start a training by hand, and put files where an upload starts one."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from signalbox import names, projects
from signalbox.aws.errors import CallRefusedError
from signalbox.aws.s3 import ObjectStore
from signalbox.model_documents import ModelDocument, ModelTraining, ProjectDocumentError
from signalbox.training import held_out, rules
from signalbox.training.model import ImageRequest, InvalidRequestError
from signalbox_operate.stack import OperateError, Stack

_IMAGE = re.compile(r"(?:[^/]+/)*(?P<name>[a-z0-9]+(?:[._-]+[a-z0-9]+)*)(?:[:@][^/]+)?")


@dataclass(frozen=True)
class Training:
    """A training of an image at a commit.

    `problem` is regression, binary or multiclass. `max_payload_mb` is the largest request in MB that the image takes in
    the test; None leaves it to the stack. `attempt` tells apart a training that is wanted once more, with other data
    for example, from one asked for twice. `started_by` is the ARN of who asks for it, for those who decide.
    """

    image: str
    commit: str
    problem: str
    model: str | None = None
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    attempt: int = 1
    max_payload_mb: int | None = None
    started_by: str = ""

    @property
    def name(self) -> str:
        """Return the execution's name: the same image, commit, model and attempt, the same name."""
        match = _IMAGE.fullmatch(self.image)
        if match is None:
            raise OperateError(f"{self.image!r} is not an image: give <registry>/<repository>:<tag>")
        model = self.model or match["name"]
        key = names.token(self.image, self.commit, model, str(self.attempt))[:12]
        return names.execution("train", model, self.commit[:12], key)

    def input(self) -> dict[str, Any]:
        """Return the machine's input."""
        given: dict[str, Any] = {"image": self.image, "commit": self.commit, "problem": self.problem}
        if self.model:
            given["model"] = self.model
        if self.hyperparameters:
            given["hyperparameters"] = dict(self.hyperparameters)
        if self.max_payload_mb:
            given["max_payload_mb"] = self.max_payload_mb
        if self.started_by:
            given["started_by"] = self.started_by
        return given


@dataclass(frozen=True)
class Given:
    """What somebody asks for: as `Training`, but for what the model's project says already."""

    image: str | None
    commit: str
    problem: str | None
    model: str | None
    hyperparameters: Mapping[str, str]
    attempt: int
    max_payload_mb: int | None


def known(model: str | None, prefix: str, ssm: Any) -> ModelTraining | None:
    """Return what a model's project says of its training; None for a model of no project, or of a pipeline."""
    document = projects.load_model(prefix, model, ssm) if model else None
    return document.training if document else None


def wanted(given: Given, known: ModelTraining | None) -> Training:
    """Return a training: what is given, else what the model's project says; hyperparameters are taken from both.

    Raises:
        OperateError: neither says the image, or the problem.
    """
    image = given.image or (known.image if known else None)
    problem = given.problem or (known.problem if known else None)
    missing = [name for name, value in (("--image", image), ("--problem", problem)) if not value]
    if missing:
        raise OperateError(
            f"give {' and '.join(missing)}: "
            + (
                f"the project of the model {given.model} does not say it"
                if known
                else "only a model of a project that is deployed (--model) has them from its signalbox.yaml"
            )
        )
    return Training(
        str(image),
        given.commit,
        str(problem),
        given.model,
        {**(known.hyperparameters if known else {}), **given.hyperparameters},
        given.attempt,
        given.max_payload_mb or (known.max_payload_mb if known else None),
    )


def check(training: Training, stack: Stack, objects: ObjectStore, ssm: Any) -> None:
    """Refuse a training that the machine's first state would refuse, by the same rules and the model's document.

    Of which shape the data are, only the machine tells.

    Raises:
        OperateError: a value is wrong, the image lies where the stack's roles may not pull it, there are no data, or
            the model's document cannot be used.
        ServiceBusyError: S3 could not answer now.
    """
    try:
        prefix, given = stack.output("Prefix"), training.input()
        document = _document(prefix, rules.model_named(prefix, given) or "", ssm)
        request = rules.read(prefix, given, document.training if document else None)
        if "ImageAccounts" in stack.parameters:
            own = stack.output("MlopsMachineArn").split(":")[4]
            rules.check_registry(training.image, [own, *stack.parameters["ImageAccounts"].split(",")])
        if isinstance(request, ImageRequest):
            _check_data(request, document, stack.output("DataBucket"), objects)
    except (InvalidRequestError, ProjectDocumentError) as error:
        raise OperateError(f"nothing was started: {error}") from error


def _document(prefix: str, model: str, ssm: Any) -> ModelDocument | None:
    """Return a model's document; None also where who starts a training may not read it."""
    try:
        return projects.load_model(prefix, model, ssm)
    except CallRefusedError:
        return None


def _check_data(request: ImageRequest, document: ModelDocument | None, bucket: str, objects: ObjectStore) -> None:
    """Look for the data; who may start a training need not be allowed to, and then the machine tells."""
    known = document.training.channels if document and document.training else {}
    channels = held_out.channels(request, bucket, known)
    try:
        for field_name, uri in (
            ("train_data", next(iter(channels.values()))),
            ("test_data", held_out.place(request, bucket)),
        ):
            held_out.first_files(field_name, uri, objects)
    except CallRefusedError:
        return


def start_training(training: Training, machine_arn: str, stepfunctions: Any) -> tuple[str, str | None]:
    """Start the machine, once for each training; return the execution's ARN, and its status if it was there before.

    Safe to repeat: the name is the business key, and AWS refuses a second execution of it.
    """
    arn = f"{machine_arn.replace(':stateMachine:', ':execution:')}:{training.name}"
    before = _status(arn, stepfunctions)
    if before:
        return arn, before
    try:
        started = stepfunctions.start_execution(
            stateMachineArn=machine_arn, name=training.name, input=json.dumps(training.input(), sort_keys=True)
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
            raise
        return arn, _status(arn, stepfunctions) or "RUNNING"
    return str(started["executionArn"]), None


def _status(execution_arn: str, stepfunctions: Any) -> str | None:
    try:
        return str(stepfunctions.describe_execution(executionArn=execution_arn)["status"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
            raise
        return None


def upload_files(files: Sequence[Path], bucket: str, prefix: str, s3: Any) -> list[str]:
    """Upload each file as `<prefix><file name>`, and return the keys.

    Raises:
        OperateError: two files have one name, one is empty, or the prefix has no slash at its end.
    """
    if not prefix.endswith("/"):
        raise OperateError(f"prefix {prefix!r} has to end with a slash")
    keys = [f"{prefix}{file.name}" for file in files]
    for file, key in zip(files, keys, strict=True):
        if keys.count(key) > 1:
            raise OperateError(f"two files are called {file.name}: one would replace the other; upload them one by one")
        if not file.stat().st_size:
            raise OperateError(f"{file} is empty: an empty upload starts nothing")
    for file, key in zip(files, keys, strict=True):
        s3.upload_file(str(file), bucket, key)
    return keys
