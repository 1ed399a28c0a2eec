"""The ports of the review journey on AWS: DynamoDB, Step Functions, the model registry, S3, Secrets Manager.

Items of the reviews table (keys `pk`, `sk`; every attribute is a text):

    review#<id>        review                        all fields of the review; empty ones are left out
    execution#<arn>    review#<kind>#<stage>         review: the id of the newest review of this execution
    package#<arn>      review#<created at>#<id>      review: the id
"""

import json
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from signalbox import names
from signalbox.aws import clients
from signalbox.reviews.model import Review, ReviewError, Texts, texts
from signalbox.reviews.ports import TaskClosedError

REPORT_LIMIT = 1_000_000  # bytes; a report has about four thousand
_TASK_CLOSED = ("TaskTimedOut", "TaskDoesNotExist")
_LOST_RACE = ("ConditionalCheckFailed", "TransactionConflict", "None")


class ReviewsTableError(Exception):
    """The reviews table refused a call; the message has its words."""

    def __init__(self, error: ClientError) -> None:
        super().__init__(f"the reviews table could not be used: {error}")


class RegistryError(Exception):
    """The model registry did not take a decision."""

    def __init__(self, package: str, error: ClientError) -> None:
        super().__init__(f"the registry did not take the decision on {package}; send it again: {error}")


class TaskError(Exception):
    """Step Functions did not take an answer."""

    def __init__(self, error: ClientError) -> None:
        super().__init__(f"the waiting task could not be answered; send the decision again: {error}")


class SecretError(Exception):
    """The secret that signs the links cannot be used."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"the review secret cannot be used: {problem}")


class DynamoStore:
    """Reviews in a DynamoDB table. All reads are consistent: a decision must be seen at once."""

    def __init__(self, table: str, client: Any = None) -> None:
        self._table = table
        self._client = client or clients.client("dynamodb")

    def get(self, review_id: str) -> Review | None:
        """Return the review as it is now."""
        item = self._item(f"review#{review_id}", "review")
        return Review.of(item) if item else None

    def current(self, execution_arn: str, kind: str, stage: str) -> Review | None:
        """Return the newest review that this execution asked for."""
        pointer = self._item(f"execution#{execution_arn}", f"review#{kind}#{stage}")
        return self.get(pointer["review"]) if pointer else None

    def of_package(self, package: str) -> list[Review]:
        """Return all reviews of a model package, oldest first: one page of the query holds thousands of pointers."""
        try:
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
                ExpressionAttributeValues={":pk": {"S": f"package#{package}"}, ":sk": {"S": "review#"}},
                ConsistentRead=True,
            )
        except ClientError as error:
            raise ReviewsTableError(error) from error
        found = [self.get(item["review"]["S"]) for item in answer["Items"]]
        return [review for review in found if review is not None]

    def create(self, review: Review, instead_of: Review | None) -> bool:
        """Keep a new review as the execution's newest; an open one that it replaces is superseded."""
        pointer = {"pk": f"execution#{review.execution_arn}", "sk": f"review#{review.kind}#{review.stage}"}
        writes = [
            self._put({"pk": f"review#{review.id}", "sk": "review", **review.texts()}, {"pk": ""}),
            self._put({**pointer, "review": review.id}, {"review": instead_of.id if instead_of else ""}),
            self._put(
                {"pk": f"package#{review.package}", "sk": f"review#{review.created_at}#{review.id}"}
                | {"review": review.id},
                {"pk": ""},
            ),
        ]
        if instead_of is not None and instead_of.status == "open":
            superseded: Texts = {"status": "superseded", "superseded_by": review.id}
            writes.append({"Update": self._update(instead_of.id, {"status": "open"}, superseded)})
        try:
            self._client.transact_write_items(TransactItems=writes)
        except ClientError as error:
            if _lost_race(error):
                return False
            raise ReviewsTableError(error) from error
        return True

    def change(self, review_id: str, expected: Texts, changes: Texts) -> Review | None:
        """Change fields if all of `expected` still hold; None if they do not."""
        try:
            answer = self._client.update_item(**self._update(review_id, expected, changes), ReturnValues="ALL_NEW")
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return None
            raise ReviewsTableError(error) from error
        return Review.of({name: value["S"] for name, value in answer["Attributes"].items()})

    def _item(self, pk: str, sk: str) -> dict[str, str]:
        try:
            answer = self._client.get_item(
                TableName=self._table, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True
            )
        except ClientError as error:
            raise ReviewsTableError(error) from error
        return {name: value["S"] for name, value in answer.get("Item", {}).items()}

    def _put(self, item: dict[str, str], expected: Texts) -> dict[str, Any]:
        put = {"TableName": self._table, "Item": {name: {"S": value} for name, value in item.items()}}
        return {"Put": put | _condition(expected)}

    def _update(self, review_id: str, expected: Texts, changes: Texts) -> dict[str, Any]:
        new = texts(changes)
        kept, removed = [name for name in new if new[name]], [name for name in new if not new[name]]
        condition = _condition({"pk": f"review#{review_id}", **expected})
        condition["ExpressionAttributeNames"] |= {f"#{name}": name for name in new}
        condition["ExpressionAttributeValues"] |= {f":new_{name}": {"S": new[name]} for name in kept}
        parts = []
        if kept:
            parts.append("SET " + ", ".join(f"#{name} = :new_{name}" for name in kept))
        if removed:
            parts.append("REMOVE " + ", ".join(f"#{name}" for name in removed))
        key = {"pk": {"S": f"review#{review_id}"}, "sk": {"S": "review"}}
        return {"TableName": self._table, "Key": key, "UpdateExpression": " ".join(parts), **condition}


def _condition(expected: Texts) -> dict[str, Any]:
    """Return the condition that every field has its expected value ("": is absent)."""
    wanted = texts(expected)
    tests = [f"#{name} = :{name}" if value else f"attribute_not_exists(#{name})" for name, value in wanted.items()]
    condition: dict[str, Any] = {
        "ConditionExpression": " AND ".join(tests),
        "ExpressionAttributeNames": {f"#{name}": name for name in wanted},
    }
    values = {f":{name}": {"S": value} for name, value in wanted.items() if value}
    return condition | ({"ExpressionAttributeValues": values} if values else {})


def _lost_race(error: ClientError) -> bool:
    if error.response["Error"]["Code"] != "TransactionCanceledException":
        return False
    reasons: list[dict[str, str]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]  # any[]
    return bool(reasons) and all(reason.get("Code", "None") in _LOST_RACE for reason in reasons)


class StepFunctionsTasks:
    """Tasks that wait with a token."""

    def __init__(self, client: Any = None) -> None:
        self._client = client or clients.client("stepfunctions")

    def succeed(self, token: str, output: dict[str, str]) -> None:
        """Answer the task."""
        self._call("send_task_success", taskToken=token, output=json.dumps(output))

    def fail(self, token: str, error: str, cause: dict[str, str]) -> None:
        """Fail the task with a named error."""
        self._call("send_task_failure", taskToken=token, error=error, cause=json.dumps(cause))

    def _call(self, operation: str, **request: str) -> None:
        try:
            getattr(self._client, operation)(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] in _TASK_CLOSED:
                raise TaskClosedError from error
            raise TaskError(error) from error


class SageMakerRegistry:
    """The model registry of SageMaker."""

    def __init__(self, client: Any = None) -> None:
        self._client = client or clients.client("sagemaker")

    def decide(self, package: str, *, approved: bool, description: str) -> None:
        """Write the decision on a model package."""
        status = "Approved" if approved else "Rejected"
        try:
            self._client.update_model_package(
                ModelPackageArn=package, ModelApprovalStatus=status, ApprovalDescription=description
            )
        except ClientError as error:
            raise RegistryError(package, error) from error


class S3Reports:
    """Evaluation reports in S3."""

    def __init__(self, client: Any = None) -> None:
        self._client = client or clients.client("s3")

    def read(self, uri: str) -> str:
        """Return the report's text."""
        try:
            bucket, key = names.bucket_and_key(uri)
            answer = self._client.get_object(Bucket=bucket, Key=key)
        except (ClientError, ValueError) as error:
            message = f"the evaluation report {uri} cannot be read: {error}"
            raise ReviewError(message) from error
        if answer["ContentLength"] > REPORT_LIMIT:
            raise ReviewError(
                f"the evaluation report {uri} is larger than {REPORT_LIMIT} bytes: look at its evaluation"
            )
        body: bytes = answer["Body"].read()
        return body.decode(errors="replace")


@cache
def secret(arn: str) -> bytes:
    """Return the secret that signs links and forms, read once per process.

    Raises:
        SecretError: it cannot be read, or is shorter than 32 bytes.
    """
    return read_secret(arn, clients.client("secretsmanager"))


def read_secret(arn: str, client: Any) -> bytes:
    """Return the text of a secret as bytes. Raises SecretError."""
    try:
        value: bytes = client.get_secret_value(SecretId=arn)["SecretString"].encode()
    except ClientError as error:
        raise SecretError(str(error)) from error
    if len(value) < 32:  # noqa: PLR2004  # the length of SHA-256's output
        raise SecretError("it is shorter than 32 characters: let the template generate it")
    return value
