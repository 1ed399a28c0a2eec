"""What a release needs from outside, where the tests' world in memory stands for it as well."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from signalbox.aws.model import Endpoint, ModelAnswer, ModelPackage
from signalbox.aws.objects import StoredObject
from signalbox.releases.model import Desired, Served
from signalbox.stages import StagesDocument

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import VpcConfigTypeDef

    from signalbox.model_documents import ModelDocument


class PackageReader(Protocol):
    """The model registry, read: see `aws.registry.ModelRegistry`."""

    def find(self, arn: str) -> ModelPackage | None:
        """Return the package, or None if it is not (or no longer) registered."""

    def approved(self, group: str) -> Sequence[str]:
        """Return the ARNs of all approved versions of a group, newest first."""


class EndpointReader(Protocol):
    """The endpoints, read: see `aws.endpoints.Endpoints`."""

    def find(self, name: str) -> Endpoint | None:
        """Return the endpoint, or None if there is none."""

    def package_of(self, config: str) -> str | None:
        """Return the package that an endpoint config serves, or None."""

    def scaled_out(self, name: str, target: str) -> bool:
        """Say whether an endpoint wants more instances than its own config and the config `target` begin with."""

    def has_model(self, name: str) -> bool:
        """Say whether there is a model of this name."""

    def has_config(self, name: str) -> bool:
        """Say whether there is an endpoint config of this name."""


class ReleaseStore(Protocol):
    """The releases table: which package is desired, what was released, what was done: see `adapters.ReleasesTable`."""

    @property
    def name(self) -> str:
        """Return the table's name."""

    def desire(self, model: str, desired: Desired) -> None:
        """Record what is desired, unless a later request is recorded that is not of the future."""

    def desired(self, model: str) -> Desired | None:
        """Return what is desired."""

    def released(self, model: str, stage: str) -> Sequence[Served]:
        """Return what was released to a stage, oldest first."""

    def note(self, model: str, sk: str, facts: dict[str, str]) -> None:
        """Write down one action of a release, the same item however often."""


class ModelCaller(Protocol):
    """The models behind the endpoints: see `aws.predictions.EndpointCaller`."""

    def ask(self, endpoint: str, body: str | bytes, content_type: str, accept: str | None = None) -> ModelAnswer:
        """Send one request and return the answer, or why the model refused it."""


class EvidenceReader(Protocol):
    """Evidence and models in S3: see `aws.s3.ObjectStore`."""

    def text(self, uri: str, limit: int | None = None) -> str | None:
        """Return the file's text, or None where there is none."""

    def look(self, bucket: str, key: str) -> StoredObject | None:
        """Return what is under a key now, or None where there is nothing."""

    def look_under(self, uri: str) -> StoredObject | None:
        """Return what is under a prefix now as if it were one object, or None where there is nothing."""


class AnswerKeeper(EvidenceReader, Protocol):
    """Evidence, and the first answers that a model gave: see `aws.s3.ObjectStore`."""

    def create(self, uri: str, text: str, content_type: str) -> bool:
        """Write a text where nothing is; False where something was, which stays."""


def of_no_project(_model: str) -> None:
    """Return no document: a model of no project."""


class ReleasePorts(NamedTuple):
    """What planning needs from outside; `poll_seconds` is the shortest wait, `role` the one that models run under.

    `document` returns a model's document, None where the stack's role and stages count.
    The stages document is read anew for each plan: a stage that was added or resized counts from the next action on.
    """

    packages: PackageReader
    endpoints: EndpointReader
    files: EvidenceReader
    store: ReleaseStore
    stages: Callable[[], StagesDocument]
    clock: Callable[[], datetime]
    prefix: str
    role: str
    poll_seconds: int
    document: Callable[[str], "ModelDocument | None"] = of_no_project
    tags: Mapping[str, str] = {}
    vpc: "VpcConfigTypeDef | None" = None

    def of(self, model: str) -> Self:
        """Return the ports as a model's project has them: its role, its stages, the tags of what is made, its network.

        Raises:
            ProjectDocumentError, ServiceBusyError, CallRefusedError: see `projects.load_model`.
        """
        document = self.document(model)
        if document is None:
            return self
        own = StagesDocument(document.stages)
        return self._replace(
            role=document.roles.model,
            stages=(lambda: own) if own.stages else self.stages,
            tags=document.resource_tags,
            vpc=document.vpc,
        )
