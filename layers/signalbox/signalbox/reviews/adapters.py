"""The review journey on AWS: its table and its secret.

Items of the reviews table (keys `pk`, `sk`; every attribute is a text):

    review#<id>        review                        all fields of the review; empty ones are left out
    execution#<arn>    review#<kind>#<stage>         review: the id of the newest review of this execution
    package#<arn>      review#<created at>#<id>      review: the id
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from signalbox.aws import clients, table
from signalbox.aws.errors import CallRefusedError, ServiceBusyError, translated
from signalbox.aws.table import Item, Table
from signalbox.reviews.model import Review, Texts, texts

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from signalbox.contracts.reviews import ReviewKind


class SecretError(Exception):
    """The secret that signs the links cannot be used."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"the review secret cannot be used: {problem}")


class DynamoReviews:
    """Reviews in a DynamoDB table. All reads are consistent: a decision must be seen at once."""

    def __init__(self, reviews: Table) -> None:
        self._table = reviews

    def get(self, review_id: str) -> Review | None:
        """Return the review as it is now."""
        item = self._table.get(f"review#{review_id}", "review")
        return Review.of(item) if item else None

    def current(self, execution_arn: str, kind: "ReviewKind", stage: str) -> Review | None:
        """Return the newest review that this execution asked for."""
        pointer = self._table.get(f"execution#{execution_arn}", f"review#{kind}#{stage}")
        return self.get(str(pointer["review"])) if pointer else None

    def of_package(self, package: str) -> list[Review]:
        """Return all reviews of a model package, oldest first."""
        pointers = self._table.query(f"package#{package}", "review#")
        return _reviews([self._table.get(f"review#{pointer['review']}", "review") for pointer in pointers])

    def of_execution(self, execution_arn: str) -> list[Review]:
        """Return the newest review of each question that an execution asked: of its package, and of its stages."""
        pointers = self._table.query(f"execution#{execution_arn}", "review#")
        return _reviews([self._table.get(f"review#{pointer['review']}", "review") for pointer in pointers])

    def create(self, review: Review, instead_of: Review | None) -> bool:
        """Keep a new review as the execution's newest; an open one that it replaces is superseded."""
        newest: Item = {"pk": f"execution#{review.execution_arn}", "sk": f"review#{review.kind}#{review.stage}"}
        listed: Item = {"pk": f"package#{review.package}", "sk": f"review#{review.created_at}#{review.id}"}
        known = table.unchanged({"review": instead_of.id if instead_of else None})
        writes: list[Any] = [
            {"Put": table.put_request(self._table.name, {**_key(review.id), **review.texts()}, table.NEW)},
            {"Put": table.put_request(self._table.name, {**newest, "review": review.id}, known)},
            {"Put": table.put_request(self._table.name, {**listed, "review": review.id}, table.NEW)},
        ]
        if instead_of is not None and instead_of.status == "open":
            changes = {"status": "superseded", "superseded_by": review.id}
            still_open = table.unchanged({"status": "open"})
            update = table.update_request(self._table.name, _key(instead_of.id), changes, still_open)
            writes.append({"Update": update})
        try:
            return self._table.transact(*writes)
        except ServiceBusyError as error:
            if error.conflict:  # somebody else writes the same review, so it is not as it was read
                return False
            raise

    def change(self, review_id: str, expected: Texts, changes: Texts) -> Review | None:
        """Change fields if all of `expected` still hold; None if they do not."""
        key = _key(review_id)
        item = self._table.update(key, texts(changes), table.unchanged({"pk": key["pk"], **texts(expected)}))
        return Review.of(item) if item else None


def _key(review_id: str) -> Item:
    return table.key(f"review#{review_id}", "review")


def _reviews(items: list[Item | None]) -> list[Review]:
    return [Review.of(item) for item in items if item]


@cache
def secret(arn: str) -> bytes:
    """Return the secret that signs links and forms, read once per process.

    Raises:
        SecretError: it cannot be read, or is shorter than 32 bytes.
        ServiceBusyError: Secrets Manager could not answer now.
    """
    return read_secret(arn, clients.client("secretsmanager"))


def read_secret(arn: str, secrets: "SecretsManagerClient") -> bytes:
    """Return the text of a secret as bytes. Raises as `secret` does."""
    try:
        with translated(f"secretsmanager:GetSecretValue of {arn}"):
            value = secrets.get_secret_value(SecretId=arn)["SecretString"].encode()
    except CallRefusedError as error:
        raise SecretError(str(error)) from error
    if len(value) < 32:  # noqa: PLR2004  # the length of SHA-256's output
        raise SecretError("it is shorter than 32 characters: let the template generate it")
    return value
