"""Asking for a review: what the machine may send, and what the mail says."""

from typing import Any

import pytest
from tests.support.review_browser import Browser
from tests.support.reviews import ANN, BOB, SECRET, OutboxFake, World, payload

from signalbox.mail import MailError
from signalbox.reviews import keys, requesting
from signalbox.reviews.model import Review, ReviewError


@pytest.fixture
def world() -> World:
    return World()


def mail_to(world: World, person: str = ANN) -> tuple[str, str, str]:
    mail = next(mail for mail in world.outbox.mails if mail.to == person)
    return mail.subject, mail.text, mail.html


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"token": ""}, "token"),
        ({"execution_arn": None}, "execution_arn"),
        ({"model": None}, "model"),
        ({"package": 3}, "package"),
        ({"kind": "other"}, 'kind is "other": allowed are package, stage'),
        ({"kind": "stage"}, "a stage review has a stage"),
        ({"stage": "prod"}, 'stage is "prod": the review of a package has no stage'),
        ({"expires_in": 0}, "expires_in"),
        ({"expires_in": "60"}, "expires_in"),
        ({"expires_in": True}, "expires_in"),
        ({"expires_in": 10**9}, "expires_in"),
    ],
)
def test_a_request_that_cannot_be_right_is_refused_by_name(world: World, changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ReviewError, match=named):
        requesting.request(payload(**changes), world.requesting_ports())
    assert world.outbox.mails == []


def test_seconds_may_come_as_the_machines_kind_of_number(world: World) -> None:
    assert world.request(expires_in=60.0).expires_at == "2026-03-01T10:21:00.000000Z"


def test_every_approver_gets_a_mail_with_links_of_their_own(world: World) -> None:
    review = world.request()
    assert [mail.to for mail in world.outbox.mails] == [ANN, BOB]
    for person in (ANN, BOB):
        key = keys.link_key(SECRET, review.id, person)
        assert keys.approver_of(SECRET, review.id, key) == person
        for choice in ("approve", "reject"):
            link = f"/reviews/{review.id}?key={key}&choice={choice}"
            assert world.link(choice, person).endswith(link)
            assert link.replace("&", "&amp;") in mail_to(world, person)[2]


def test_the_mail_says_what_is_needed_to_decide(world: World) -> None:
    world.request()
    subject, text, html = mail_to(world)
    assert subject == "Approve abalone version 3? MSE 4.892, better than the live model (5.301)."
    for words in ("MSE", "4.892", "5.301", "2.401", "−0.4089", "better", "worse", "15", "9.71204", "0.455", "0.365"):
        assert words in text
        assert words in html
    assert "<- M,0.455,0.365\n" in text
    for words in ("−0.6123 to −0.2055", "true difference", "(version 2) was asked for the same 1,418 rows."):
        assert words in text
        assert words in html
    for words in ("regression", "1,418", "abalone-train-0f8a3b21", "2 min 14 s", "signalbox-abalone/3", "4f1c2e9a"):
        assert words in text
        assert words in html
    for words in ("Sunday 8 March 2026, 10:20 UTC", "Nothing is decided before you"):
        assert words in text
        assert words in html
    for absent in ("<script", "<img", "src=", "@import", "url("):
        assert absent not in html


def test_the_mail_of_a_stage_review_names_the_stage(world: World) -> None:
    world.request(kind="stage", stage="prod", report="")
    subject, text, html = mail_to(world)
    assert subject.strip() == "Release abalone version 3 to prod?"
    for body in (text, html):
        assert "No evaluation report came with this package." in body
        assert "Stage" in body
    assert world.reports.reads == 0


def test_mail_and_page_of_a_later_stage_say_what_is_live_by_then(world: World) -> None:
    taken_down = {"stage": "prod", "endpoint": "signalbox-abalone-prod", "status": "", "package": None}
    world.request(kind="stage", stage="prod", serving=taken_down)
    subject, text, html = mail_to(world)
    assert subject == (
        "Release abalone version 3 to prod? MSE 4.892, better than version 2 (5.301), which is live no more."
    )
    for body in (text, html, Browser(world).open(world.link()).body):
        assert "When this was asked, prod served nothing, as it had no endpoint." in " ".join(body.split())
        assert "version 2" in body.lower()
        assert "live model" not in body.lower()


def test_one_refused_address_does_not_keep_the_others_from_their_mail(world: World) -> None:
    world.outbox = OutboxFake(ANN)
    review = world.request()
    assert review.mailed == (BOB,)
    world.outbox.refused.clear()
    assert world.request().mailed == (BOB, ANN)
    assert [mail.to for mail in world.outbox.mails] == [BOB, ANN]


def test_a_review_that_reaches_nobody_fails(world: World) -> None:
    world.outbox = OutboxFake(ANN, BOB)
    with pytest.raises(MailError, match=r"no mail for ann@example.com; no mail for bob"):
        world.request()


def test_a_package_of_another_kind_of_arn_is_still_named(world: World) -> None:
    world.request(package="arn:aws:sagemaker:eu-west-1:123456789012:model-package/unversioned")
    assert mail_to(world)[0].startswith("Approve abalone model-package/unversioned?")


def test_a_review_of_a_later_version_with_more_fields_can_be_read(world: World) -> None:
    review = world.request()
    assert Review.of({**review.texts(), "pk": "review#1", "field_to_come": "x"}) == review
