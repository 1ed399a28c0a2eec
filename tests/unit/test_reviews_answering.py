"""A decision made in the model registry answers the reviews of the package, and the two never disagree."""

import pytest
from tests.support.reviews import ANN, EXECUTION, PACKAGE, MemoryStore, ProcessDiedError, World

from signalbox.reviews import answering
from signalbox.reviews.deciding import DecidingPorts
from signalbox.reviews.model import DecisionNotPassedOnError, Review
from signalbox.reviews.rules import Vote

EVE = "arn:aws:iam::123456789012:user/eve"
PAGE = Vote(approved=True, by=ANN, reason="good", origin="page")


@pytest.fixture
def world() -> World:
    return World(store=MemoryStore())


def registry_says(world: World, *, approved: bool) -> str:
    return world.registry_says(EVE, approved=approved)


def test_an_approval_in_the_registry_answers_the_open_review(world: World) -> None:
    review = world.request()
    assert registry_says(world, approved=True) == "answered"
    decided = world.read(review)
    assert (decided.status, decided.by, decided.origin) == ("approved", EVE, "registry")
    assert world.tasks.answers[0][1] == "succeeded"
    assert world.registry.calls == 0


def test_a_rejection_in_the_registry_answers_the_open_review(world: World) -> None:
    world.request()
    assert registry_says(world, approved=False) == "answered"
    assert world.tasks.answers[0][1] == "ReviewRejected"


def test_a_second_delivery_of_the_event_changes_nothing(world: World) -> None:
    world.request()
    registry_says(world, approved=True)
    assert registry_says(world, approved=True) == "already"
    assert len(world.tasks.answers) == 1


def test_a_package_that_nobody_was_ever_asked_about_is_told_apart(world: World) -> None:
    assert registry_says(world, approved=True) == "unreviewed"


def test_the_event_of_the_pages_own_decision_changes_nothing(world: World) -> None:
    world.decide(world.request(), PAGE)
    assert registry_says(world, approved=True) == "already"
    assert len(world.tasks.answers) == 1


def asked_again(world: World) -> Review:
    """Ask about the same package by another execution, which has tested it once more."""
    world.wait(60)
    return world.request(token="another task", execution_arn=f"{EXECUTION}-again")


def test_the_late_event_of_an_approval_does_not_answer_a_review_of_newer_evidence(world: World) -> None:
    older = world.request()
    world.decide(older, PAGE)
    newer = asked_again(world)
    _, words = world.registry.packages[PACKAGE]

    assert world.registry_says(EVE, approved=True, words=words) == "already"

    assert [world.read(one).status for one in (older, newer)] == ["approved", "open"]
    assert world.registry_says(EVE, approved=True) == "answered"
    assert world.read(newer).status == "approved"


def test_an_approval_of_the_newest_evidence_lets_the_executions_before_go_on_too(world: World) -> None:
    older, newer = world.request(), asked_again(world)
    world.decide(newer, PAGE)
    _, words = world.registry.packages[PACKAGE]

    assert world.registry_says(EVE, approved=True, words=words) == "answered"

    assert [world.read(one).status for one in (older, newer)] == ["approved", "approved"]


def test_an_event_repeats_an_answer_that_the_page_lost(world: World) -> None:
    review = world.request()
    world.tasks.lost = 1
    with pytest.raises(ProcessDiedError):
        world.decide(review, PAGE)
    assert registry_says(world, approved=True) == "already"
    assert world.tasks.answers[0][1] == "succeeded"
    assert world.read(review).answer == "sent"


def test_an_event_that_overtakes_the_pages_own_mark_changes_nothing(world: World) -> None:
    review = world.request()
    world.decide(review, PAGE)
    world.store.change(review.id, {}, {"answered_at": "", "answer": ""})
    assert registry_says(world, approved=True) == "already"
    world.wait(60)
    assert registry_says(world, approved=True) == "already", "nobody marked it, and its machine goes on"
    world.tasks.over = True
    assert registry_says(world, approved=True) == "none", "nobody carries on"


def test_an_event_that_overtakes_the_pages_mark_of_a_machine_that_was_stopped_is_left_to_the_caller(
    world: World,
) -> None:
    review = world.request()
    world.tasks.closed.add("token-1")
    world.decide(review, PAGE)
    world.store.change(review.id, {}, {"answered_at": "", "answer": ""})
    assert registry_says(world, approved=True) == "none", "the page only marks it: nobody else starts its release"


def test_an_answer_that_arrived_unheard_starts_no_second_release(world: World) -> None:
    review = world.request()
    world.tasks.unheard = 1
    assert registry_says(world, approved=True) == "answered"
    assert world.read(review).answer == "closed"
    assert registry_says(world, approved=True) == "already"


def test_a_page_decision_whose_answer_arrived_unheard_starts_no_second_release(world: World) -> None:
    review = world.request()
    world.tasks.unheard = 1
    world.decide(review, PAGE)
    assert registry_says(world, approved=True) == "already"


def test_an_approval_whose_machine_has_ended_is_left_to_the_caller(world: World) -> None:
    world.request()
    world.tasks.closed.add("token-1")
    assert registry_says(world, approved=True) == "none"
    assert registry_says(world, approved=True) == "none"


def test_a_page_decision_whose_machine_has_ended_is_left_to_the_caller(world: World) -> None:
    review = world.request()
    world.tasks.closed.add("token-1")
    world.decide(review, PAGE)
    assert registry_says(world, approved=True) == "none"


def test_a_rejection_of_an_approved_package_overturns_its_review(world: World) -> None:
    review = world.request()
    world.decide(review, PAGE)
    assert registry_says(world, approved=False) == "none"
    overturned = world.read(review)
    assert (overturned.status, overturned.overturned_from, overturned.overturned_by) == ("overturned", "approved", EVE)
    assert overturned.by == ANN, "who decided first is kept"
    assert registry_says(world, approved=False) == "none"
    assert registry_says(world, approved=True) == "none", "the approval of before does not stand any more"


def test_an_overturned_decision_that_was_never_passed_on_fails_its_task(world: World) -> None:
    review = world.request()
    world.tasks.lost = 1
    with pytest.raises(ProcessDiedError):
        world.decide(review, PAGE)
    assert registry_says(world, approved=False) == "none"
    [(_, error, cause)] = world.tasks.answers
    assert (error, cause["decision"], cause["by"]) == ("ReviewRejected", "rejected", EVE)
    assert world.read(review).answered_at


def test_a_machine_that_closes_an_overturned_review_hears_the_registrys_word(world: World) -> None:
    review = world.request()
    world.decide(review, PAGE)
    registry_says(world, approved=False)
    decision = world.close()
    assert (decision["decision"], decision["by"]) == ("rejected", EVE)


def test_an_approval_of_a_rejected_package_overturns_its_review(world: World) -> None:
    review = world.request()
    world.decide(review, Vote(approved=False, by=ANN, reason="bad", origin="page"))
    assert registry_says(world, approved=True) == "none"
    assert world.read(review).overturned_from == "rejected"


def test_the_pages_decision_stands_while_it_is_on_its_way_to_the_registry(world: World) -> None:
    review = world.request()
    world.registry.broken = 1
    with pytest.raises(DecisionNotPassedOnError):
        world.decide(review, PAGE)
    assert registry_says(world, approved=False) == "already"
    assert world.read(review).status == "approved"
    world.wait(60)
    assert registry_says(world, approved=False) == "none", "it never arrived, so the registry's word counts"
    assert world.read(review).status == "overturned"


def test_a_rejection_in_the_registry_rejects_the_open_stage_reviews(world: World) -> None:
    world.decide(world.request(), PAGE)
    stage = world.request(token="token-2", kind="stage", stage="prod")
    assert registry_says(world, approved=True) == "already"
    assert world.read(stage).status == "open", "an approval of the package lets nobody into a stage"
    assert registry_says(world, approved=False) == "none"
    assert world.read(stage).status == "rejected"
    assert world.tasks.answers[-1][:2] == ("token-2", "ReviewRejected")


def test_an_expired_review_does_not_stand_for_a_later_approval(world: World) -> None:
    world.request()
    world.close()
    assert registry_says(world, approved=False) == "none"
    assert registry_says(world, approved=True) == "none"


def test_the_page_that_is_quicker_than_the_event_decides(world: World) -> None:
    review = world.request()

    class Slow(MemoryStore):
        """The page decides between this store's reading and its writing."""

        def change(self, review_id: str, expected: object, changes: object) -> None:
            if world.read(review).status == "open":
                world.decide(review, PAGE)

    slow = Slow()
    slow.reviews = dict(world.store.reviews) if isinstance(world.store, MemoryStore) else {}
    slow.get = world.store.get  # type: ignore[method-assign]  # it reads what the page wrote
    ports = DecidingPorts(slow, world.tasks, lambda: world.now)
    assert answering.answer_from_registry(PACKAGE, True, EVE, "looks good", ports=ports) == "already"
    assert world.read(review).by == ANN
    assert len(world.tasks.answers) == 1
