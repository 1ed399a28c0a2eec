"""Create, Describe, List and Delete of every kind, from one table; what behaves lives elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sagemaker_local.core.cloud import Cloud, short_name
from sagemaker_local.core.errors import ApiError, in_use, invalid, not_found
from sagemaker_local.core.shapes import moment, project, service_model
from sagemaker_local.core.store import NameTakenError, NoRecordError, Record

_PAGE = 10  # ListX returns 10 where MaxResults is not given (API reference, e.g. ListModels)
# The operations whose order is ascending where SortOrder is not given (botocore's model).
_ASCENDING = {
    "ListApps",
    "ListModelPackageGroups",
    "ListModelPackages",
    "ListProcessingJobs",
    "ListSpaces",
    "ListTrainingJobs",
    "ListUserProfiles",
}


@dataclass(frozen=True)
class ResourceKind:
    """One kind of resource: how it is named, listed, and how AWS words its refusals (`{name}`, `{arn}`).

    `key` has the members that make the name in its ARN, parted by slashes; where it is empty, the name alone does.
    """

    name: str
    path: str
    taken: str
    missing: str
    taken_error: Callable[[str], ApiError] = invalid
    missing_error: Callable[[str], ApiError] = invalid
    status: str | None = None
    key: tuple[str, ...] = ()

    def key_of(self, members: Mapping[str, Any]) -> str:
        """Return the name in the ARN of a resource that has these members."""
        return "/".join(str(members[member]) for member in self.key or (self.name_field,))

    @property
    def name_field(self) -> str:
        """Return the member that carries the name."""
        return f"{self.name}Name"

    @property
    def arn_field(self) -> str:
        """Return the member that carries the ARN."""
        return f"{self.name}Arn"


_JOB_TAKEN = "Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})"
_JOB_MISSING = "Could not find requested job with name: {name}"

TRAINING = ResourceKind(
    "TrainingJob", "training-job", _JOB_TAKEN, "Requested resource not found.", in_use, invalid, "TrainingJobStatus"
)
PROCESSING = ResourceKind(
    "ProcessingJob", "processing-job", _JOB_TAKEN, _JOB_MISSING, in_use, not_found, "ProcessingJobStatus"
)
TRANSFORM = ResourceKind(
    "TransformJob", "transform-job", _JOB_TAKEN, _JOB_MISSING, in_use, not_found, "TransformJobStatus"
)
MODEL = ResourceKind("Model", "model", 'Cannot create already existing model "{arn}".', 'Could not find model "{arn}".')
ENDPOINT_CONFIG = ResourceKind(
    "EndpointConfig",
    "endpoint-config",
    'Cannot create already existing endpoint configuration "{arn}".',
    'Could not find endpoint configuration "{arn}".',
)
ENDPOINT = ResourceKind(
    "Endpoint",
    "endpoint",
    'Cannot create already existing endpoint "{arn}".',
    'Could not find endpoint "{arn}".',
    status="EndpointStatus",
)
PIPELINE = ResourceKind(
    "Pipeline",
    "pipeline",
    "Pipeline names must be unique within an AWS account and region. Pipeline with name ({name}) already exists.",
    "Pipeline '{arn}' does not exist.",
    invalid,
    not_found,
)
PACKAGE_GROUP = ResourceKind(
    "ModelPackageGroup",
    "model-package-group",
    "Model Package Group already exists: {arn}",
    "ModelPackageGroup {arn} does not exist.",
)
FEATURE_GROUP = ResourceKind(
    "FeatureGroup",
    "feature-group",
    "Resource Already Exists: FeatureGroup with name {name} already exists.",
    "Resource Not Found: Amazon SageMaker can't find a FeatureGroup with name {name}.",
    in_use,
    not_found,
    "FeatureGroupStatus",
)


class Resources:
    """The generic operations over the store."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def arn(self, kind: ResourceKind, name: str) -> str:
        """Return the ARN of a resource."""
        return self._cloud.arn(f"{kind.path}/{name}")

    def create(self, kind: ResourceKind, request: dict[str, Any], **members: Any) -> Record:
        """Keep a new resource made of the request and `members`, with ARN and times; return it.

        Raises:
            ApiError: the name is taken.
        """
        name = kind.key_of(request)
        now = self._cloud.clock()
        arn = self.arn(kind, name)
        record = {**request, kind.arn_field: arn, "CreationTime": now, "LastModifiedTime": now, **members}
        try:
            self._cloud.store.create(kind.name, name, record)
        except NameTakenError:
            raise kind.taken_error(kind.taken.format(name=name, arn=arn)) from None
        return record

    def get(self, kind: ResourceKind, name_or_arn: str) -> Record:
        """Return a resource.

        Raises:
            ApiError: there is none.
        """
        try:
            return self._cloud.store.get(kind.name, short_name(name_or_arn))
        except NoRecordError:
            raise self.missing(kind, name_or_arn) from None

    def missing(self, kind: ResourceKind, name_or_arn: str) -> ApiError:
        """Return the refusal of a name that does not exist."""
        name = short_name(name_or_arn)
        return kind.missing_error(kind.missing.format(name=name, arn=self.arn(kind, name)))

    def exists(self, kind: ResourceKind, name: str) -> bool:
        """Tell whether a resource exists."""
        try:
            self._cloud.store.get(kind.name, name)
        except NoRecordError:
            return False
        return True

    def update(self, kind: ResourceKind, name: str, **members: Any) -> Record:
        """Set members of a resource, and its LastModifiedTime; return it."""
        try:
            return self._cloud.store.update(kind.name, name, LastModifiedTime=self._cloud.clock(), **members)
        except NoRecordError:
            raise self.missing(kind, name) from None

    def delete(self, kind: ResourceKind, name_or_arn: str) -> Record:
        """Forget a resource and return it.

        Raises:
            ApiError: there is none.
        """
        try:
            return self._cloud.store.delete(kind.name, short_name(name_or_arn))
        except NoRecordError:
            raise self.missing(kind, name_or_arn) from None

    def describe(self, kind: ResourceKind, name_or_arn: str) -> dict[str, Any]:
        """Return the Describe answer of a resource."""
        shape = service_model("sagemaker").operation_model(f"Describe{kind.name}").output_shape
        return project(shape, self.get(kind, name_or_arn))

    def list(self, kind: ResourceKind, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Return the List answer: filtered, sorted, paged."""
        return answer_list(kind, operation, request, self._cloud.store.all(kind.name))


def answer_list(kind: ResourceKind, operation: str, request: dict[str, Any], records: list[Record]) -> dict[str, Any]:
    """Return the answer of `operation` over `records`, by the filters that SageMaker's List operations share."""
    output: Any = service_model("sagemaker").operation_model(operation).output_shape
    member = next(name for name, shape in output.members.items() if shape.type_name == "list")
    chosen = [record for record in records if _matches(kind, request, record)]
    key = request.get("SortBy", "CreationTime")
    order = request.get("SortOrder", "Ascending" if operation in _ASCENDING else "Descending")
    chosen.sort(key=lambda record: _value(kind, record, key), reverse=order == "Descending")
    return page(request, member, [project(output.members[member].member, record) for record in chosen])


def page(request: Mapping[str, Any], member: str, items: Sequence[Any], size: int = _PAGE) -> dict[str, Any]:
    """Return the answer of a List operation: `items` from the request's token on, and the token of the next page.

    A page has `size` items where the request says nothing.

    Raises:
        ApiError: ValidationException: the token was not returned by this operation.
    """
    token = request.get("NextToken", "0")
    if not token.isdecimal():
        raise invalid(f"Invalid NextToken: {token!r} was not returned by this operation.")
    start = int(token)
    end = start + request.get("MaxResults", size)
    return {member: list(items[start:end]), **({"NextToken": str(end)} if end < len(items) else {})}


def _value(kind: ResourceKind, record: Record, key: str) -> Any:
    """Return what a record has under a list's key: `Name`, `Status`, a member, or the Status in a member."""
    member = {"Name": kind.name_field, "Status": kind.status}.get(key, key) or key
    found = record.get(member, "")
    return found.get("Status", "") if isinstance(found, dict) else found


def _matches(kind: ResourceKind, request: dict[str, Any], record: Record) -> bool:
    if request.get("NameContains", "").lower() not in record.get(kind.name_field, "").lower():
        return False
    wanted = {member.removesuffix("Equals"): request[member] for member in request if member.endswith("Equals")}
    if any(_value(kind, record, key) != value for key, value in wanted.items()):
        return False
    if request.get("CrossAccountFilterOption") == "CrossAccount":  # nobody shares with this account
        return False
    return all(_in_time(request, record, member) for member in ("CreationTime", "LastModifiedTime"))


def _in_time(request: dict[str, Any], record: Record, member: str) -> bool:
    spelled = (member, "Created") if member == "CreationTime" else (member,)
    after = [request[f"{name}After"] for name in spelled if f"{name}After" in request]
    before = [request[f"{name}Before"] for name in spelled if f"{name}Before" in request]
    when = record[member]
    return all(when > moment(given) for given in after) and all(when < moment(given) for given in before)
