"""The ports of a release over boto3; AWS's errors become ours here."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from signalbox import names
from signalbox.aws.errors import is_missing
from signalbox.releases.errors import ReleaseError, ServiceBusyError
from signalbox.releases.ports import Answer, Endpoint, Package, Served, Wish

# Codes of SageMaker, DynamoDB and S3 for "later" (each service's API reference, common errors).
_BUSY = frozenset(
    (
        "InternalFailure",
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
    )
)


@contextmanager
def _translated(operation: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        if code in _BUSY:
            raise ServiceBusyError(operation, f"{code} {message}") from error
        raise ReleaseError(f"{operation} was refused: {code} {message}") from error


def _or_none(call: Callable[..., Any], **request: Any) -> Any:
    """Return the answer of a Describe call, or None if there is no such thing."""
    with _translated(call.__name__):
        try:
            return call(**request)
        except ClientError as error:
            if is_missing(error):
                return None
            raise


class SageMakerRegistry:
    """The model registry."""

    def __init__(self, sagemaker: Any) -> None:
        self._sagemaker = sagemaker

    def package(self, arn: str) -> Package | None:
        """Return the package, or None if it is not (or no longer) registered."""
        found = _or_none(self._sagemaker.describe_model_package, ModelPackageName=arn)
        if found is None:
            return None
        kept = found.get("CustomerMetadataProperties", {})
        return Package(
            found["ModelPackageArn"], found.get("ModelApprovalStatus", ""), kept.get("report"), kept.get("golden")
        )

    def approved(self, group: str) -> Sequence[str]:
        """Return the ARNs of all approved versions of a group, newest first."""
        request = {
            "ModelPackageGroupName": group,
            "ModelApprovalStatus": "Approved",
            "SortBy": "CreationTime",
            "SortOrder": "Descending",
        }
        with _translated("ListModelPackages"):
            pages = self._sagemaker.get_paginator("list_model_packages").paginate(**request)
            return [one["ModelPackageArn"] for page in pages for one in page["ModelPackageSummaryList"]]


class SageMakerEndpoints:
    """The endpoints. `runtime` is the client that asks them; planning needs none."""

    def __init__(self, sagemaker: Any, runtime: Any = None) -> None:
        self._sagemaker = sagemaker
        self._runtime = runtime

    def status(self, name: str) -> Endpoint | None:
        """Return the endpoint without looking for its package, or None if there is none."""
        found = _or_none(self._sagemaker.describe_endpoint, EndpointName=name)
        if found is None:
            return None
        return Endpoint(
            name, found["EndpointStatus"], found["EndpointConfigName"], None, found.get("FailureReason", "")
        )

    def endpoint(self, name: str) -> Endpoint | None:
        """Return the endpoint with the package it serves, or None if there is none."""
        found = self.status(name)
        if found is None:
            return None
        return Endpoint(name, found.status, found.config, self.package_of_config(found.config), found.reason)

    def package_of_config(self, config: str) -> str | None:
        """Return the package that an endpoint config serves, or None."""
        found = _or_none(self._sagemaker.describe_endpoint_config, EndpointConfigName=config)
        model_name = found["ProductionVariants"][0].get("ModelName") if found else None
        model = _or_none(self._sagemaker.describe_model, ModelName=model_name) if model_name else None
        if model is None:
            return None
        container = (model.get("Containers") or [model.get("PrimaryContainer", {})])[0]
        package: str | None = container.get("ModelPackageName")
        return package

    def ask(self, name: str, body: str, content_type: str) -> Answer:
        """Send one request and return the answer, or why the model refused it."""
        with _translated("InvokeEndpoint"):
            try:
                answer = self._runtime.invoke_endpoint(
                    EndpointName=name, Body=body.encode(), ContentType=content_type, Accept=content_type
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != "ModelError":
                    raise
                return Answer(failure=error.response["Error"].get("Message", "ModelError"))
            return Answer(answer["Body"].read().decode(errors="replace"))


class DynamoLedger:
    """The releases table. One partition per model, `model#<model>`:

    - `wanted`: the wish that holds: `package`, `requested_at`, `execution`;
    - `release#<started>#<execution>#<stage>`: what one execution did to one stage, written by the release machine:
      `because`, `package`, `stage`, `endpoint`, `config`, `verdict`, `at`, `execution`.
    """  # noqa: D415  # the list ends it

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def want(self, model: str, wish: Wish) -> None:
        """Record `wish` unless a later one is recorded.

        A second delivery writes the same item again; a late request of an earlier time fails the condition.
        """
        item = {"requested_at": wish.requested_at, "execution": wish.execution, "package": wish.package}
        with _translated("PutItem"):
            try:
                self._dynamodb.put_item(
                    TableName=self._table,
                    Item=_key(model) | {name: {"S": value} for name, value in item.items()},
                    ConditionExpression="attribute_not_exists(pk) OR requested_at < :at "
                    "OR (requested_at = :at AND execution <= :execution)",
                    ExpressionAttributeValues={
                        ":at": {"S": wish.requested_at},
                        ":execution": {"S": wish.execution},
                    },
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise

    def wanted(self, model: str) -> Wish | None:
        """Return the wish that holds."""
        with _translated("GetItem"):
            item = self._dynamodb.get_item(TableName=self._table, Key=_key(model), ConsistentRead=True).get("Item")
        return Wish(item["requested_at"]["S"], item["execution"]["S"], item["package"]["S"]) if item else None

    def released(self, model: str, stage: str) -> Sequence[Served]:
        """Return what was released to a stage, oldest first."""
        with _translated("Query"):
            pages = self._dynamodb.get_paginator("query").paginate(
                TableName=self._table,
                ConsistentRead=True,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :release)",
                FilterExpression="stage = :stage AND verdict = :released",
                ExpressionAttributeValues={
                    ":pk": _key(model)["pk"],
                    ":release": {"S": "release#"},
                    ":stage": {"S": stage},
                    ":released": {"S": "released"},
                },
            )
            return [Served(item["package"]["S"], item["config"]["S"]) for page in pages for item in page["Items"]]


class S3GoldenFiles:
    """The golden requests that an evaluation kept."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def read(self, uri: str) -> str:
        """Return the text of the file.

        Raises:
            ReleaseError: there is none.
        """
        try:
            bucket, key = names.bucket_and_key(uri)
        except ValueError as error:
            raise ReleaseError(f"{error}: correct the package's property 'golden'") from None
        with _translated(f"GetObject {uri}"):
            text: str = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        return text


def _key(model: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": f"model#{model}"}, "sk": {"S": "wanted"}}
