"""Reviews are decided once: the same tests with reviews in a dictionary and in DynamoDB."""

from collections.abc import Iterator
from copy import replace

import pytest
from tests.support.review_stores import world_stored_in
from tests.support.reviews import ANN, BOB, EXECUTION, PACKAGE, MemoryStore, ProcessDiedError, World

from signalbox.reviews import requesting
from signalbox.reviews.model import DecisionNotPassedOnError, Review, ReviewError
from signalbox.reviews.rules import Vote

APPROVE = Vote(approved=True, by=ANN, reason="good", origin="page", source_ip="203.0.113.7")
REJECT = Vote(approved=False, by=BOB, reason="bad on small rows", origin="page")


@pytest.fixture(params=["memory", "dynamodb"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with world_stored_in(request.param) as stored:
        yield stored


def test_a_review_is_kept_with_all_that_was_asked(world: World) -> None:
    review = world.request()
    assert (review.status, review.model, review.approvers, review.mailed) == (
        "open",
        "abalone",
        (ANN, BOB),
        (ANN, BOB),
    )
    assert review.created_at == "2026-03-01T10:20:00.000000Z"
    assert review.expires_at == "2026-03-08T10:20:00.000000Z"
    assert world.store.of_package(PACKAGE) == [review]
    assert world.store.get("unknown") is None
    assert world.store.current(EXECUTION, "stage", "prod") is None


def test_an_approval_writes_the_registry_and_then_answers_the_task(world: World) -> None:
    decided = world.decide(world.request(), APPROVE)
    assert decided is not None
    assert (decided.status, decided.by, decided.source_ip, decided.answer) == ("approved", ANN, "203.0.113.7", "sent")
    approved, description = world.registry.packages[PACKAGE]
    assert approved
    assert description == f"approved by {ANN} on the review page 2026-03-01 10:20 UTC: good"
    [(token, how, output)] = world.tasks.answers
    assert (token, how) == ("token-1", "succeeded")
    assert output == {
        "review": decided.id,
        "decision": "approved",
        "by": ANN,
        "at": decided.at,
        "reason": "good",
    }


def test_a_rejection_fails_the_task_with_its_own_error(world: World) -> None:
    world.decide(world.request(), REJECT)
    assert not world.registry.packages[PACKAGE][0]
    [(_, error, cause)] = world.tasks.answers
    assert error == "ReviewRejected"
    assert (cause["decision"], cause["by"], cause["reason"]) == ("rejected", BOB, "bad on small rows")


def test_a_stage_review_does_not_touch_the_registry(world: World) -> None:
    world.decide(world.request(kind="stage", stage="prod"), APPROVE)
    assert world.registry.calls == 0
    assert len(world.tasks.answers) == 1


def test_the_second_of_two_decisions_changes_nothing(world: World) -> None:
    review = world.request()
    world.decide(review, APPROVE)
    assert world.decide(review, REJECT) is None
    assert world.read(review).status == "approved"
    assert len(world.tasks.answers) == 1


def test_a_decision_whose_registry_call_failed_is_finished_later(world: World) -> None:
    review = world.request()
    world.registry.broken = 1
    with pytest.raises(DecisionNotPassedOnError, match=r"signalbox-abalone/3 is kept, .* send it again: .*Throttling"):
        world.decide(review, APPROVE)
    assert world.read(review).unfinished
    assert world.tasks.answers == []
    world.finish(world.read(review))
    assert world.registry.packages[PACKAGE][0]
    assert world.read(review).answer == "sent"


def test_a_process_that_dies_before_the_answer_leaves_it_to_the_next(world: World) -> None:
    review = world.request()
    world.tasks.lost = 1
    with pytest.raises(ProcessDiedError):
        world.decide(review, APPROVE)
    finished = world.finish(world.read(review))
    assert finished.answer == "sent"
    assert world.registry.calls == 1, "the registry was told before, and marked"
    assert world.finish(finished) == finished
    assert len(world.tasks.answers) == 1


def test_a_task_that_waits_no_more_is_recorded_as_closed(world: World) -> None:
    review = world.request()
    world.tasks.closed.add("token-1")
    decided = world.decide(review, APPROVE)
    assert decided is not None
    assert decided.answer == "closed"


def test_the_same_token_gets_the_same_review_and_no_second_mail(world: World) -> None:
    first = world.request()
    assert world.request() == first
    assert len(world.outbox.mails) == 2


def test_a_retry_of_the_state_supersedes_the_review_before(world: World) -> None:
    first = world.request()
    world.wait(5)
    second = world.request(token="token-2")
    old = world.read(first)
    assert (old.status, old.superseded_by) == ("superseded", second.id)
    assert world.store.current(EXECUTION, "package", "") == second
    assert world.decide(first, APPROVE) is None
    assert world.request() == old, "a late delivery of the first request changes nothing"
    assert [review.id for review in world.store.of_package(PACKAGE)] == [first.id, second.id]


def test_reviews_of_two_stages_stand_beside_each_other(world: World) -> None:
    staging = world.request(token="a", kind="stage", stage="staging")
    prod = world.request(token="b", kind="stage", stage="prod")
    assert world.read(staging).status == world.read(prod).status == "open"


def test_a_decision_answers_the_new_token_of_a_retried_state(world: World) -> None:
    review = world.request()
    world.decide(review, APPROVE)
    again = world.request(token="token-2")
    assert again.id == review.id
    assert [answer[:2] for answer in world.tasks.answers] == [("token-1", "succeeded"), ("token-2", "succeeded")]
    assert len(world.outbox.mails) == 2


def test_a_machine_goes_on_only_after_the_registry_was_told(world: World) -> None:
    review = world.request()
    world.registry.broken = 1
    with pytest.raises(DecisionNotPassedOnError):
        world.decide(review, APPROVE)
    again = world.request(token="token-2")
    assert again.token == "token-2"
    assert world.tasks.answers == []
    world.finish(again)
    assert world.tasks.answers[0][:2] == ("token-2", "succeeded")


def test_an_expired_review_is_asked_anew(world: World) -> None:
    first = world.request()
    world.close()
    second = world.request(token="token-2")
    assert world.read(first).status == "expired"
    assert second.status == "open"


def test_a_review_that_others_keep_changing_is_given_up_with_a_message(world: World) -> None:
    class Contested(MemoryStore):
        def create(self, review: Review, instead_of: Review | None) -> bool:
            return False

    ports = replace(world.deciding_ports(), store=Contested())
    with pytest.raises(ReviewError, match="being changed by others"):
        requesting.place(world.request(), ports)


def test_only_one_of_two_creations_of_the_same_review_writes(world: World) -> None:
    first = world.request()
    assert not world.store.create(first, None)
    other = replace(first, id="another", token="token-9")
    assert not world.store.create(other, None), "the execution has a newer review than it was read with"
    world.decide(first, APPROVE)
    assert not world.store.create(other, first), "it was decided after it was read"
    assert world.store.get("another") is None


def test_a_change_of_an_unknown_review_makes_none(world: World) -> None:
    assert world.store.change("unknown", {"status": ""}, {"status": "open"}) is None
    assert world.store.get("unknown") is None


def test_fields_are_emptied_by_empty_texts(world: World) -> None:
    review = world.request()
    changed = world.store.change(review.id, {"mailed": (ANN, BOB)}, {"mailed": ()})
    assert changed is not None
    assert changed.mailed == ()
    assert world.store.change(review.id, {"mailed": (), "at": ""}, {"at": "now"}) is not None
    assert world.store.change(review.id, {"at": ""}, {"at": "then"}) is None
