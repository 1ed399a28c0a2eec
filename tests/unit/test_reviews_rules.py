"""What a vote, the registry's word and a close mean for a review, without a table or a machine."""

from copy import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.reviews import ANN, START, WEEK, World

from signalbox import moments
from signalbox.reviews import rules
from signalbox.reviews.model import Review, Status
from signalbox.reviews.rules import IN_FLIGHT, Reaction, RegistryWord

EVE = "arn:aws:iam::123456789012:user/eve"
JUST_NOW = moments.text_of(START)
LONG_AGO = moments.text_of(START - IN_FLIGHT)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def review(world: World) -> Review:
    return world.request()


def word(*, approved: bool) -> RegistryWord:
    return RegistryWord(approved, EVE, "looks good", START)


@pytest.mark.parametrize(
    ("status", "changes", "approved", "reaction"),
    [
        ("open", {}, True, "decide"),
        ("open", {}, False, "decide"),
        ("expired", {}, True, "leave"),
        ("superseded", {}, True, "leave"),
        ("overturned", {}, False, "leave"),
        ("approved", {"at": JUST_NOW}, True, "repeat"),
        ("approved", {"at": JUST_NOW, "answered_at": JUST_NOW}, True, "leave"),
        ("approved", {"at": JUST_NOW, "origin": "page"}, False, "leave"),
        ("approved", {"at": JUST_NOW, "origin": "page", "registered_at": JUST_NOW}, False, "overturn"),
        ("approved", {"at": LONG_AGO, "origin": "page"}, False, "overturn"),
        ("rejected", {"at": JUST_NOW, "origin": "registry"}, True, "overturn"),
    ],
)
def test_the_registrys_word_decides_repeats_overturns_or_leaves(
    review: Review, status: Status, changes: dict[str, Any], *, approved: bool, reaction: Reaction
) -> None:
    before = replace(review, status=status, **changes)
    assert rules.reaction(before, word(approved=approved)) == reaction
    assert bool(rules.reacted(before, word(approved=approved))) == (reaction in ("decide", "overturn"))


def test_an_approval_concerns_the_open_package_reviews_and_a_rejection_the_open_stages_too(review: Review) -> None:
    stage = replace(review, id="stage", kind="stage", stage="prod")
    decided = replace(review, id="decided", status="approved")
    superseded = replace(review, id="superseded", status="superseded")
    reviews = [superseded, decided, review, stage, replace(stage, id="released", status="approved")]
    assert rules.concerned(reviews, word(approved=True)) == [review]
    assert rules.concerned(reviews, word(approved=False)) == [review, stage]
    assert rules.concerned([superseded, decided], word(approved=True)) == [decided]
    assert rules.concerned([superseded], word(approved=True)) == []


def test_an_answer_that_was_sent_is_marked_whatever_was_marked_before(review: Review) -> None:
    marks = {"answered_at": JUST_NOW}
    assert rules.answered(review, "sent", START) == ({"token": "token-1"}, {**marks, "answer": "sent"})
    assert rules.answered(review, "closed", START) == (
        {"token": "token-1", "answered_at": ""},
        {**marks, "answer": "closed"},
    )


def test_a_decision_answers_a_new_task_for_the_same_package_only(review: Review) -> None:
    decided = replace(review, status="rejected")
    assert rules.answers_again(decided, review)
    assert not rules.answers_again(replace(decided, package="another"), review)
    assert not rules.answers_again(replace(decided, status="expired"), review)


def test_a_decision_is_in_flight_for_half_a_minute(review: Review) -> None:
    decided = replace(review, status="approved", origin="page", at=JUST_NOW)
    later = RegistryWord(approved=True, by=EVE, description="looks good", now=START + timedelta(seconds=30))
    assert rules.answered_elsewhere("repeat", decided, "closed", word(approved=True))
    assert not rules.answered_elsewhere("repeat", decided, "closed", later)
    assert not rules.answered_elsewhere("repeat", decided, "sent", word(approved=True))
    assert not rules.answered_elsewhere("decide", decided, "closed", word(approved=True))


def test_an_open_review_past_its_end_counts_as_expired(world: World) -> None:
    review = world.request()
    world.wait(WEEK - 1)
    assert review.status_at(world.now) == "open"
    world.wait(1)
    assert review.status_at(world.now) == "expired"


def test_the_registry_keeps_one_line_of_at_most_1024_characters(world: World) -> None:
    review = replace(world.request(), status="rejected", by=ANN, at=world.read(world.request()).created_at)
    line = rules.description(replace(review, reason="a\nb\n" + "c" * 2000))
    assert len(line) == 1024
    assert "\n" not in line
    assert line.endswith("…")
    assert rules.description(review) == f"rejected by {ANN} on the review page 2026-03-01 10:20 UTC"
