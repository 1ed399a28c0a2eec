"""Reviews: decided once, by a person, with the evidence in front of them.

What needs no page and no mail is here, so that a function that only closes or answers reviews loads nothing else:
`requests` asks for a review by mail, `pages` shows and decides it.
"""

from datetime import UTC, datetime
from functools import cache

from signalbox.reviews.adapters import DynamoStore, SageMakerRegistry, StepFunctionsTasks
from signalbox.reviews.rules import Desk, Verdict, close
from signalbox.reviews.rules import answer_from_registry as _answer_from_registry

__all__ = ["Desk", "Verdict", "answer_from_registry", "close", "desk", "now"]


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


@cache
def desk(reviews_table: str, *, registry: bool) -> Desk:
    """Return the ports on AWS, the registry's only where the function may write to it."""
    return Desk(
        store=DynamoStore(reviews_table),
        tasks=StepFunctionsTasks(),
        clock=now,
        registry=SageMakerRegistry() if registry else None,
    )


def answer_from_registry(
    package_arn: str,
    approved: bool,  # the port of the registry's rule passes it by position
    by: str,
    at: str,  # noqa: ARG001  # part of the port; the table keeps when we learnt of it
    *,
    reviews_table: str,
) -> Verdict:
    """Let a decision that was made in the registry answer the reviews of a package.

    Returns:
        "answered": an open package review is now decided and its machine has been told; "already": the package review
        was decided the same way before, and its machine carries on; "none": nobody carries on, so the caller has to.
    """
    return _answer_from_registry(desk(reviews_table, registry=False), package_arn, approved=approved, by=by)
