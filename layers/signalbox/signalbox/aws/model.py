"""Facts of SageMaker, as plain values: importing them loads nothing of AWS's library."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

# Tested models are kept under this prefix; a package of somebody else gets an inference specification of such a name.
KEPT, TESTED = "packages/", "signalbox-"
type ApprovalStatus = Literal["Approved", "Rejected", "PendingManualApproval"]
# Of a ModelDataSource (botocore's `sagemaker` model: S3ModelDataType, ModelCompressionType).
type DataType = Literal["S3Object", "S3Prefix"]
type Compression = Literal["None", "Gzip"]


class ModelContainer(NamedTuple):
    """One container of a model package: its image, the S3 URI of its model data if it has any, its environment.

    `digest` is the image's, as SageMaker found it when the package was registered; "" where it does not say.
    `data_type` and `compression` are those of a ModelDataSource; None for a ModelDataUrl, one archive. `foreign` names
    what else of the container SageMaker would fetch.
    """

    image: str
    model_data: str | None = None
    environment: Mapping[str, str] = {}
    digest: str = ""
    data_type: DataType | None = None
    compression: Compression | None = None
    foreign: tuple[str, ...] = ()


class ModelPackage(NamedTuple):
    """A version of a model package group as the registry has it now.

    `approval` is the approval status, `state` how far its creation has come ("Completed", …), `transform_types` and
    `realtime_types` the instance types that it supports (none: all), `properties` the customer metadata, `generated_by`
    and `commit` its metadata properties, `changed_by` who changed it last, `description` the words that were left with
    its approval status, `created_by` who registered it, `additional` the containers of its additional inference
    specifications by name. `statistics` is the S3 URI of the metrics of its quality that it was registered with, ""
    where there are none, `response_types` are what it may answer in.
    """

    arn: str
    approval: str
    state: str = "Completed"
    containers: tuple[ModelContainer, ...] = ()
    content_types: tuple[str, ...] = ()
    transform_types: tuple[str, ...] = ()
    realtime_types: tuple[str, ...] = ()
    properties: Mapping[str, str] = {}
    commit: str | None = None
    generated_by: str = ""
    changed_by: str = ""
    description: str = ""
    created_by: str = ""
    additional: Mapping[str, tuple[ModelContainer, ...]] = {}
    statistics: str = ""
    response_types: tuple[str, ...] = ()

    @property
    def approved(self) -> bool:
        """Say whether the package is approved now."""
        return self.approval == "Approved"

    @property
    def report(self) -> str | None:
        """Return the S3 URI of the package's evaluation report."""
        return self.properties.get("report")

    @property
    def settled(self) -> bool:
        """Say whether the package is approved by evidence that names its content: then it is not tested again.

        Its model lies where tested models are kept, or it has the inference specification that a test gives it.
        """
        kept = any(f"/{KEPT}" in (one.model_data or "") for one in self.containers)
        tested = any(name.startswith(TESTED) for name in self.additional)
        return self.approved and self.report is not None and (kept or tested)

    @property
    def golden(self) -> str | None:
        """Return the S3 URI of the package's golden requests."""
        return self.properties.get("golden")


class Endpoint(NamedTuple):
    """An endpoint as SageMaker has it now: `config` is live, `pending` is the config that it is moving to.

    `images` are the paths, by digest, of the images that run.
    """

    name: str
    status: str
    config: str
    pending: str | None = None
    reason: str = ""
    images: tuple[str, ...] = ()


class ModelAnswer(NamedTuple):
    """What an endpoint answered to one request; `failure` is the refusal, if it was one."""

    text: str = ""
    failure: str = ""
