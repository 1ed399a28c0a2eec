"""A review is closed when its task has ended without an approval: the same tests with both stores."""

from collections.abc import Iterator
from copy import replace
from typing import Any

import pytest
from tests.support.review_stores import world_stored_in
from tests.support.reviews import ANN, BOB, PACKAGE, WEEK, World, closing_payload

from signalbox.aws.errors import ServiceBusyError
from signalbox.contracts.reviews import ReviewKind
from signalbox.reviews import closing
from signalbox.reviews.model import DecisionNotPassedOnError, Review, ReviewError
from signalbox.reviews.rules import Vote

EVE = "arn:aws:iam::123456789012:user/eve"
APPROVE = Vote(approved=True, by=ANN, reason="good", origin="page")
REJECT = Vote(approved=False, by=BOB, reason="bad on small rows", origin="page")


@pytest.fixture(params=["memory", "dynamodb"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with world_stored_in(request.param) as stored:
        yield stored


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr("signalbox.reviews.closing.count", names.append)
    return names


def test_an_unanswered_review_expires_and_the_package_is_rejected(world: World) -> None:
    review = world.request()
    world.wait(WEEK)
    decision = world.close()
    assert decision["decision"] == "expired"
    assert world.read(review).status == "expired"
    approved, description = world.registry.packages[PACKAGE]
    assert not approved
    assert description.startswith("expired unanswered 2026-03-08 10:20 UTC")
    assert world.tasks.answers == []


def test_closing_twice_rejects_the_package_once(world: World) -> None:
    world.request()
    world.registry.broken = 1
    with pytest.raises(ServiceBusyError, match="UpdateModelPackage"):
        world.close()
    assert world.close()["decision"] == "expired"
    assert world.close()["decision"] == "expired"
    assert world.registry.calls == 2


def test_closing_a_stage_review_leaves_the_registry_alone(world: World) -> None:
    world.request(kind="stage", stage="prod")
    assert world.close("stage", "prod")["decision"] == "expired"
    assert world.registry.calls == 0


def test_a_decision_of_the_same_moment_is_returned_instead_of_the_expiry(world: World) -> None:
    review = world.request()
    world.tasks.closed.add("token-1")
    world.decide(review, APPROVE)
    decision = world.close()
    assert (decision["decision"], decision["by"]) == ("approved", ANN)
    assert world.read(review).answer == "sent", "the machine has it now"


def test_a_decision_between_reading_and_closing_counts(world: World) -> None:
    review = world.request()

    class Late:
        """Reads the review as it was a moment ago."""

        def __getattr__(self, name: str) -> Any:
            return getattr(world.store, name)

        def current(self, execution_arn: str, kind: ReviewKind, stage: str) -> Review | None:
            world.decide(review, REJECT)
            return review

    late: Any = Late()
    assert closing.close(closing_payload(), replace(world.closing_ports(), store=late))["decision"] == "rejected"


def test_closing_what_was_never_asked_says_so(world: World) -> None:
    with pytest.raises(ReviewError, match="has no package review to close"):
        world.close()


def test_closing_a_review_that_was_rejected_on_the_page_returns_who_and_why_and_changes_nothing(world: World) -> None:
    rejected = world.decide(world.request(), REJECT)
    world.wait(2)
    assert rejected is not None
    assert world.close() == {
        "review": rejected.id,
        "decision": "rejected",
        "by": BOB,
        "at": "2026-03-01T10:20:00.000000Z",
        "reason": "bad on small rows",
    }
    assert world.read(rejected) == rejected, "its marks are those of the page"
    assert world.registry.calls == 1
    assert len(world.tasks.answers) == 1


def test_closing_a_stage_review_that_was_rejected_on_the_page_returns_who_and_why(world: World) -> None:
    world.decide(world.request(kind="stage", stage="prod"), REJECT)
    decision = world.close("stage", "prod")
    assert (decision["decision"], decision["by"], decision["reason"]) == ("rejected", BOB, "bad on small rows")
    assert world.registry.calls == 0


def test_closing_a_review_that_was_rejected_in_the_registry_returns_who_did_it(world: World) -> None:
    world.request()
    world.registry_says(EVE, approved=False)
    decision = world.close()
    assert (decision["decision"], decision["by"]) == ("rejected", EVE)
    assert decision["reason"] == "decided in the model registry"
    assert world.registry.calls == 0, "the registry said it itself"


def test_a_rejection_that_the_registry_has_not_heard_of_is_passed_on_by_the_close(world: World) -> None:
    review = world.request()
    world.registry.broken = 1
    with pytest.raises(DecisionNotPassedOnError):
        world.decide(review, REJECT)
    assert world.close()["decision"] == "rejected"
    assert not world.registry.packages[PACKAGE][0]
    closed = world.read(review)
    assert closed.registered_at
    assert (closed.answer, closed.unfinished) == ("sent", False)
    assert world.close()["decision"] == "rejected"
    assert world.registry.calls == 2, "the call that failed, and the close's own"


def test_the_machine_may_close_before_the_page_has_marked_its_answer(world: World) -> None:
    review = world.request()
    world.decide(review, REJECT)
    world.store.change(review.id, {}, {"answered_at": "", "answer": ""})
    assert world.close()["decision"] == "rejected"
    assert world.finish(world.read(review)).answer == "sent"


def test_a_superseded_review_counts_as_expired(world: World) -> None:
    first = world.request()
    world.request(token="token-2")
    assert world.read(first).decision()["decision"] == "expired"


def test_each_review_that_is_closed_is_counted(world: World, counted: list[str]) -> None:
    world.decide(world.request(), REJECT)
    world.close()
    world.request(token="token-2", kind="stage", stage="prod")
    world.close("stage", "prod")
    assert counted == ["ReviewClosed", "ReviewClosed"]
