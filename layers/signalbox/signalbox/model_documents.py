"""A model's document: whose model it is, as which roles it runs, and what it is trained, tested and released with.

    {"model": "wine", "project": "wine", "id": "wine-0123456789ab",
     "roles": {"job": "arn:…", "test": "arn:…", "model": "arn:…"},
     "approvers": [], "stages": [], "tags": {"team": "x"}, "training": null,
     "test": {"content_type": "text/csv", "golden": null}}

It is the SSM parameter that `names.model_parameter` names. No approvers and no stages stand for the stack's; a model
that is trained by a pipeline has no `training`. Limits are SageMaker's (botocore's `sagemaker` model), stated where
they are checked.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, cast

from signalbox.contracts.problems import PROBLEMS
from signalbox.reading import Fields
from signalbox.stages import Stage
from signalbox.stages import read as read_stages

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import VpcConfigTypeDef

    from signalbox.contracts.problems import Problem

NAME = r"[a-z0-9](-?[a-z0-9])*"
NAME_LIMIT = 30  # so that every name that is made of prefix, model and stage is legal uncut
_ROLES = ("job", "test", "model")
_TRAINING = (
    "image",
    "problem",
    "hyperparameters",
    "channels",
    "instance_type",
    "instance_count",
    "volume_gb",
    "max_seconds",
    "spot",
    "environment",
    "subnets",
    "security_groups",
    "network_isolation",
    "max_payload_mb",
)
_MODEL = ("model", "project", "id", "roles", "approvers", "stages", "tags", "training", "test")
_ROLE = r"arn:[^:]+:iam::[0-9]{12}:role/.+"
_MAIL = r"[^@\s,<>\"]+@[^@\s,<>\"]+\.[^@\s,<>\"]+"
_S3 = r"s3://[^/]+/.+"
_INSTANCE = r"ml\.[a-z0-9-]+\.[a-z0-9]+"
_LONGEST = 2_419_200  # 28 days (Amazon SageMaker AI service quotas, "Longest run time for a training job")


class ProjectDocumentError(Exception):
    """A project's or a model's document cannot be used: the message names the field and what is allowed."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"project document: {problem}")


class ModelRoles(NamedTuple):
    """The ARNs of the roles as which a model's training jobs run, its tests, and its endpoints."""

    job: str
    test: str
    model: str


class ModelTraining(NamedTuple):
    """What a container is trained with: `channels` are S3 prefixes; an `image` of None is given at each start."""

    problem: "Problem"
    image: str | None = None
    hyperparameters: Mapping[str, str] = {}
    channels: Mapping[str, str] = {}
    instance_type: str | None = None
    instance_count: int = 1
    volume_gb: int = 30
    max_seconds: int = 14_400
    spot: bool = False
    environment: Mapping[str, str] = {}
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    network_isolation: bool = True
    max_payload_mb: int | None = None


class ModelTest(NamedTuple):
    """What a model's requests look like, and where the project keeps golden requests of its own (an S3 URI)."""

    content_type: str = "text/csv"
    golden: str | None = None


class ModelDocument(NamedTuple):
    """One model of a project; without approvers or stages, those of the stack count."""

    model: str
    project: str
    id: str
    roles: ModelRoles
    approvers: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()
    tags: Mapping[str, str] = {}
    training: ModelTraining | None = None
    test: ModelTest = ModelTest()

    @property
    def vpc(self) -> "VpcConfigTypeDef | None":
        """Return the network of the model's containers, None where it is SageMaker's own."""
        if self.training is None or not self.training.subnets:
            return None
        return {"Subnets": self.training.subnets, "SecurityGroupIds": self.training.security_groups}

    @property
    def resource_tags(self) -> Mapping[str, str]:
        """Return the tags of everything that is made for the model: its own, and its project's name and id."""
        return {**self.tags, "sagemaker:project-name": self.project, "sagemaker:project-id": self.id}


def document_fields(text: str, known: tuple[str, ...]) -> Fields:
    """Return the fields of a document. Raises ProjectDocumentError: it is not JSON, or has a field that is unknown."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ProjectDocumentError(f"the text is not JSON ({error})") from None
    return Fields(document, ProjectDocumentError, known=known)


def parse_model(text: str) -> ModelDocument:
    """Return the document in `text`.

    Raises:
        ProjectDocumentError: it is not JSON, or a field is missing, unknown or out of bounds.
    """
    fields = document_fields(text, _MODEL)
    roles = fields.object("roles", _ROLES)
    test = fields.object("test", ("content_type", "golden"))
    return ModelDocument(
        model=name_in(fields, "model"),
        project=name_in(fields, "project"),
        id=fields.text("id"),
        roles=ModelRoles(*(roles.text(role, _ROLE, "the ARN of a role") for role in _ROLES)),
        approvers=approvers_in(fields),
        stages=read_stages(fields, (0, 10)) if "stages" in fields else (),
        tags=fields.pairs("tags"),
        training=_training(fields.object("training", _TRAINING)) if "training" in fields else None,
        test=ModelTest(test.optional("content_type") or "text/csv", _optional(test, "golden", _S3, "an S3 URI")),
    )


def name_in(fields: Fields, field: str, limit: int = NAME_LIMIT) -> str:
    """Return the name of a project, pipeline or model."""
    allowed = f"1 to {limit} lower-case letters and digits with single hyphens between them"
    return fields.text(field, rf"(?=.{{1,{limit}}}$){NAME}", allowed)


def approvers_in(fields: Fields) -> tuple[str, ...]:
    """Return the addresses in the list `approvers`, which may be empty."""
    return fields.texts("approvers", _MAIL, "an e-mail address, such as ann@example.com")


def _training(fields: Fields) -> ModelTraining:
    return ModelTraining(
        problem=cast("Problem", fields.choice("problem", PROBLEMS)),
        image=fields.optional("image"),
        hyperparameters=fields.pairs("hyperparameters"),
        channels=fields.pairs("channels"),
        instance_type=_optional(fields, "instance_type", _INSTANCE, "a type such as ml.m5.large"),
        instance_count=fields.whole("instance_count", (1, 1_000), 1),
        volume_gb=fields.whole("volume_gb", (1, 16_384), 30),
        max_seconds=fields.whole("max_seconds", (1, _LONGEST), 14_400),
        spot=fields.flag("spot"),
        environment=fields.pairs("environment"),
        subnets=fields.texts("subnets"),
        security_groups=fields.texts("security_groups"),
        network_isolation=fields.flag("network_isolation", default=True),
        max_payload_mb=fields.whole("max_payload_mb", (1, 100)) if "max_payload_mb" in fields else None,
    )


def _optional(fields: Fields, name: str, pattern: str, allowed: str) -> str | None:
    return fields.text(name, pattern, allowed) if name in fields else None
