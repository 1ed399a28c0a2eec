"""Asking for a review: what the machine may send, what is kept of the report, and what the mail says."""

import json
from typing import Any

import pytest
from tests.support.reviews import ANN, BOB, PACKAGE, SECRET, OutboxFake, World, payload, report

from signalbox.mail import MailError
from signalbox.reviews import evidence, keys, requests
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
        ({"kind": "other"}, "kind 'other'"),
        ({"kind": "stage"}, "a stage review has a stage"),
        ({"stage": "prod"}, "kind 'package' with stage 'prod'"),
        ({"expires_in": 0}, "expires_in"),
        ({"expires_in": "60"}, "expires_in"),
        ({"expires_in": True}, "expires_in"),
        ({"expires_in": 10**9}, "expires_in"),
    ],
)
def test_a_request_that_cannot_be_right_is_refused_by_name(world: World, changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ReviewError, match=named):
        requests.request(world.sender(), payload(**changes))
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
    for words in ("MSE", "4.892", "5.301", "−0.4089", "better", "worse", "15", "9.71204", "M,0.455,0.365"):
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


def shown(**changes: Any) -> dict[str, Any]:
    return evidence.shown(evidence.freeze(json.dumps(report(**changes))))


def test_without_a_live_model_nothing_is_compared() -> None:
    found = shown(live=None)
    assert found["headline"] == "MSE 4.892. No live model to compare with."
    assert [row.verdict for row in found["comparisons"]] == ["", ""]


def test_a_worse_model_is_called_worse() -> None:
    found = shown(metrics={"mse": {"value": 6.1}})
    assert found["headline"] == "MSE 6.1, worse than the live model (5.301)."
    assert found["comparisons"][0].difference == "+0.7988"


def test_an_equal_model_is_called_the_same() -> None:
    assert shown(metrics={"mse": {"value": 5.3012}})["headline"] == "MSE 5.301, the same as the live model."


def test_the_metric_that_decides_comes_first_and_each_is_judged_in_its_own_direction() -> None:
    metrics = {"mae": {"value": 1}, "own_score": {"value": 2}, "Accuracy": {"value": 0.9}, "new": {"value": 1}}
    live = {"package": PACKAGE, "metrics": {"mae": {"value": 2}, "own_score": {"value": 1}, "Accuracy": {"value": 0.8}}}
    found = shown(metrics=metrics, live=live, primary="Accuracy", lower_is_better=False)
    assert [(row.name, row.verdict) for row in found["comparisons"]] == [
        ("Accuracy", "better"),
        ("MAE", "better"),
        ("Own score", ""),
        ("NEW", ""),
    ]


def test_a_metric_that_is_known_but_does_not_decide_is_judged_by_its_name() -> None:
    found = shown(metrics={"mse": {"value": 1}, "f1": {"value": 0.4}})
    assert found["comparisons"][1].verdict == ""
    live = {"package": PACKAGE, "metrics": {"f1": {"value": 0.5}}}
    assert shown(metrics={"mse": {"value": 1}, "f1": {"value": 0.4}}, live=live)["comparisons"][1].verdict == "worse"


def test_a_report_without_its_own_primary_metric_has_no_headline() -> None:
    assert shown(primary="auc")["headline"] == ""


@pytest.mark.parametrize(
    ("value", "text", "signed"),
    [
        (0, "0", "0"),
        (0.000012345, "1.234e−05", "+1.234e−05"),
        (-3.14159, "−3.142", "−3.142"),
        (1234567, "1,234,567", "+1,234,567"),
        (-12345678.9, "−12,345,679", "−12,345,679"),
        (1e20, "1e+20", "+1e+20"),
        (float("nan"), "not a number", "not a number"),
    ],
)
def test_numbers_are_written_for_people(value: float, text: str, signed: str) -> None:
    assert evidence.number(value) == text
    assert evidence.number(value, signed=True) == signed


def test_a_metric_that_is_no_number_is_not_judged() -> None:
    assert shown(metrics={"mse": {"value": float("nan")}})["comparisons"][0].verdict == ""


@pytest.mark.parametrize(
    ("metric", "name"), [("r2", "R²"), ("rmse", "RMSE"), ("accuracy", "Accuracy"), ("f1_macro", "F1 macro")]
)
def test_metrics_have_names_for_people(metric: str, name: str) -> None:
    assert evidence.label(metric) == name


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (134, "2 min 14 s"), (7320, "2 h 2 min")])
def test_times_are_written_for_people(seconds: float, text: str) -> None:
    assert shown(training={"job": "job", "seconds": seconds})["took"] == text


def test_a_package_that_was_trained_elsewhere_has_no_training_job() -> None:
    found = shown(training=None)
    assert (found["job"], found["took"]) == ("", "")


def test_what_is_kept_of_a_report_is_small() -> None:
    wide = {"input": "9," * 5000, "expected": "1", "predicted": "2"}
    metrics = {f"metric{number}": {"value": number} for number in range(500)}
    frozen = evidence.freeze(json.dumps(report(samples=[wide] * 900, metrics=metrics, commit="c" * 5000)))
    assert len(frozen) < 4000
    found = evidence.shown(frozen)
    assert len(found["samples"]) == 8
    assert found["samples"][0]["input"].endswith("…")


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        "{}",
        json.dumps(report(metrics={"mse": {"value": "much"}})),
        json.dumps(report(metrics=[1])),
        json.dumps(report(samples=[{}])),
    ],
)
def test_a_report_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ReviewError, match="report cannot be read"):
        evidence.freeze(text)


def test_a_review_of_a_later_version_with_more_fields_can_be_read(world: World) -> None:
    review = world.request()
    assert Review.of({**review.texts(), "pk": "review#1", "field_to_come": "x"}) == review
