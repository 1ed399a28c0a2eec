"""Asking for a review: what the machine may send, and what the mail says."""

import json
import re
from html import unescape
from typing import Any

import pytest
from tests.support.review_browser import Browser
from tests.support.reviews import ANN, BOB, REPORT, SECRET, OutboxFake, World, payload, report

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


def test_a_list_of_mails_shows_how_the_model_compares_and_nothing_else_of_the_mail(world: World) -> None:
    world.request()
    _, _, html = mail_to(world)
    hidden = re.search(r'<div class="preheader"[^>]*>(.*?)</div>', html, re.DOTALL)
    assert hidden is not None
    assert hidden[1] == "MSE 4.892, better than the live model (5.301)."


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


def registered(**changes: Any) -> World:
    """Return a world whose report is of a model that was not tested."""
    why = {
        "reasons": ["It takes application/json, and test rows are text/csv."],
        "metrics": "s3://artifacts/metrics.json",
        "missing": "",
        "golden": None,
        "requests": 0,
        **changes,
    }
    metrics = {"accuracy": {"value": 0.97, "standard_deviation": 0.01}} if why["metrics"] else {}
    world = World()
    world.reports.texts[REPORT] = json.dumps(
        report(
            rows=0, live=None, samples=[], problem="", untested=why, metrics=metrics, primary=next(iter(metrics), "")
        )
    )
    return world


def mail_and_page(world: World) -> list[str]:
    """Return the mail's text and page, and the review's page, each in one line."""
    _, text, html = mail_to(world)
    return [" ".join(one.split()) for one in (text, html, Browser(world).open(world.link()).body)]


def test_mail_and_page_of_a_model_that_was_not_tested_say_so_and_why_and_whose_metrics_they_show() -> None:
    world = registered()
    world.request()

    assert mail_to(world)[0].endswith("Not tested on held-out rows; registered with Accuracy 0.97.")
    for said in mail_and_page(world):
        assert "This model was not tested on held-out rows. It takes application/json, and test rows are text" in said
        assert "The metrics are those that it was registered with; nobody here has measured them." in said
        assert "No golden requests are there, so a release compares no answers" in said
        assert "s3://artifacts/metrics.json" in said
        assert "0.97" in said
        assert "0 test rows" not in said
        assert "Test rows" not in said


def test_a_model_without_metrics_says_that_there_are_none() -> None:
    world = registered(metrics=None, missing="It was registered without metrics.")
    world.request()

    assert mail_to(world)[0].endswith("Not tested on held-out rows; registered without metrics.")
    for said in mail_and_page(world):
        assert "It was registered without metrics." in said
        assert "METRICS" not in said
        assert "Metrics" not in said
        assert "Test rows" not in said


def test_golden_requests_of_the_project_are_named_with_what_their_answers_are_held_to() -> None:
    world = registered(golden="s3://data/models/wine/golden.jsonl", requests=3)
    world.request()

    for said in mail_and_page(world):
        assert "Its project has 3 golden requests, without right answers: what the first stage answers" in said
        assert "s3://data/models/wine/golden.jsonl" in said


def test_a_model_whose_project_names_approvers_is_reviewed_by_them_and_not_by_the_stacks(world: World) -> None:
    own = {"abalone": ("own@example.com",)}
    ports = world.requesting_ports()._replace(own=lambda model: own.get(model, ()))

    requesting.request(payload(), ports)
    requesting.request(payload(model="iris", token="token-2", execution_arn="another"), ports)

    assert [mail.to for mail in world.outbox.mails] == ["own@example.com", ANN, BOB]


def test_mail_and_page_name_the_files_that_the_model_has_learnt_nothing_of(world: World) -> None:
    sentences = ["incoming/b.csv, line 3: Height is 'tall'", "incoming/notes.txt (ignored): only .csv is taken"]
    world.reports.texts[REPORT] = json.dumps(report(lineage={"unused": sentences, "unused_count": 5}))
    world.request()
    _, text, html = mail_to(world)
    for body in (text, html, Browser(world).open(world.link()).body):
        shown = unescape(" ".join(body.split()))
        assert all(sentence in shown for sentence in sentences)
        assert "not used" in shown.lower()
        assert "and 3 more" in shown


def test_nothing_is_said_of_files_where_all_were_used(world: World) -> None:
    world.request()
    _, text, html = mail_to(world)
    assert all("not used" not in body.lower() for body in (text, html, Browser(world).open(world.link()).body))
