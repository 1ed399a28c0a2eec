"""What the review page shows when nothing is left to decide, and what it never shows."""

import json

import pytest
from tests.support.logs import written
from tests.support.review_browser import Browser
from tests.support.reviews import BOB, REPORT, SECRET, WEEK, World, report

from signalbox.aws.errors import ServiceBusyError
from signalbox.reviews.model import Review

EVE = "arn:aws:iam::123456789012:user/eve"


def test_an_expired_review_has_its_own_page(world: World, review: Review) -> None:
    browser, link = Browser(world), world.link()
    form = browser.open(link)
    world.wait(WEEK)
    assert "has expired" in Browser(world).open(link).body, "before the machine has closed it"
    world.close()
    page = Browser(world).open(link)
    assert (page.status, page.cookies) == (200, [])
    assert "Nobody had decided by Sunday 8 March 2026, 10:20 UTC" in page.body
    assert "approve it in the model registry" in page.body
    world.wait(-60)
    assert browser.submit(link, form, "approve").status == 403, "the form's own time is over too"


def test_a_form_sent_after_the_end_decides_nothing(world: World, review: Review) -> None:
    world.wait(WEEK - 60)
    browser, link = Browser(world), world.link()
    form = browser.open(link)
    world.wait(120)
    page = browser.submit(link, form, "approve")
    assert page.status == 409
    assert "has expired" in page.body
    assert world.read(review).status == "open"


def test_a_superseded_review_points_to_the_newer_mail(world: World, review: Review) -> None:
    browser, link = Browser(world), world.link()
    form = browser.open(link)
    world.request(token="token-2")
    page = browser.submit(link, form, "approve")
    assert page.status == 409
    assert "A newer mail has replaced this review" in page.body
    assert browser.open(link).status == 200
    assert world.tasks.answers == []


@pytest.mark.parametrize(("first", "then"), [("approve", "rejected"), ("reject", "approved")])
def test_an_overturned_decision_shows_both_persons(world: World, review: Review, first: str, then: str) -> None:
    Browser(world).decide(world.link(), first, "because")
    world.registry_says(EVE, approved=then == "approved")
    page = Browser(world).open(world.link())
    assert "was overturned" in page.body
    assert f"{EVE} {then} it in the model registry" in page.body


def test_a_decision_of_the_registry_is_shown_as_such(world: World, review: Review) -> None:
    world.registry_says(EVE, approved=False)
    page = Browser(world).open(world.link())
    assert f"{EVE} rejected it on Sunday 1 March 2026, 10:20 UTC, in the model registry." in page.body
    assert "That kept it from every stage." in page.body


def test_a_decision_for_a_machine_that_has_ended_says_so(world: World, review: Review) -> None:
    world.tasks.closed.add("token-1")
    page = Browser(world).decide(world.link(), "approve")
    assert page.status == 200
    assert "no longer waiting" in page.body
    assert "The model registry took the approval all the same, and that started its release." in page.body


@pytest.mark.parametrize(
    ("choice", "stage", "said"),
    [
        ("reject", None, "The model registry took the rejection all the same."),
        ("reject", "prod", "That left prod as it was."),
        ("approve", "prod", "it does not go to prod: start the release machine with it to be asked again."),
    ],
)
def test_a_decision_for_a_machine_that_has_ended_says_what_it_still_does(
    world: World, choice: str, stage: str | None, said: str
) -> None:
    world.request(kind="stage" if stage else "package", stage=stage)
    world.tasks.closed.add("token-1")
    page = Browser(world).decide(world.link(choice), choice, "seen")
    assert "no longer waiting" in page.body
    assert said in page.body
    assert "goes on" not in page.body


def test_a_table_that_does_not_answer_is_said_and_what_was_typed_is_kept(
    world: World, review: Review, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> None:
        raise ServiceBusyError("dynamodb:UpdateItem of reviews", "the connection was closed")

    browser, link = Browser(world), world.link()
    form = browser.open(link)
    with monkeypatch.context() as broken:
        broken.setattr(world.store, "change", lost)
        page = browser.submit(link, form, "reject", "too slow for the morning")
    assert page.status == 503
    assert "cannot be reached right now" in page.body
    assert "too slow for the morning" in page.body
    with monkeypatch.context() as broken:
        broken.setattr(world.store, "get", lost)
        assert (browser.open(link).status, browser.open(link, "HEAD").body) == (503, "")
    assert browser.open(link).status == 200
    assert world.read(review).status == "open"


def test_a_stage_review_speaks_of_its_stage(world: World) -> None:
    world.request(kind="stage", stage="prod", report=None)
    link = world.link()
    page = Browser(world).open(link)
    assert "Release abalone version 3 to prod?" in page.body
    assert "No evaluation report came with this package." in page.body
    assert "rejecting leaves prod as it is" in page.body
    rejected = Browser(world).decide(world.link("reject", BOB), "reject", "not now")
    assert "abalone version 3 for prod is rejected" in rejected.body
    assert "That left prod as it was." in rejected.body


def test_an_expired_stage_review_says_how_to_be_asked_again(world: World) -> None:
    world.request(kind="stage", stage="prod")
    world.wait(WEEK)
    assert "start the release machine" in Browser(world).open(world.link()).body


@pytest.mark.parametrize("ending", ["approve", "reject", "registry", "expired", "superseded"])
def test_the_link_of_a_review_that_is_over_shows_no_rows_of_data(world: World, ending: str) -> None:
    rows = [{"input": "Zoe Zander,41", "expected": "ill", "predicted": "well"}]
    world.reports.texts[REPORT] = json.dumps(report(samples=rows))
    world.request()
    ann, bob = world.link(), world.link(to=BOB)
    assert all("Zoe Zander" in Browser(world).open(link).body for link in (ann, bob))
    if ending == "registry":
        world.registry_says(EVE, approved=True)
    elif ending == "expired":
        world.wait(WEEK)
    elif ending == "superseded":
        world.request(token="token-2")
    else:
        assert "Zoe Zander" not in Browser(world).decide(ann, ending, "seen").body
    for link in (ann, bob):
        page = Browser(world).open(link)
        assert page.status == 200
        assert "Zoe Zander" not in page.body


def test_hostile_words_stay_words(world: World) -> None:
    evil = "<script>alert(1)</script>\"'&{{7*7}}"
    world.reports.texts["s3://evil"] = json.dumps(
        report(
            commit=evil,
            problem=evil,
            samples=[{"input": evil, "expected": evil, "predicted": evil}],
            classes={evil: {"rows": 2, "right": 1}},
        )
    )
    world.request(model=evil, report="s3://evil")
    for mail in world.outbox.mails:
        assert "<script" not in mail.html
    browser, link = Browser(world), world.link("reject")
    page = browser.decide(link, "reject", evil * 40)
    assert page.status == 400
    assert "<script" not in page.body
    assert "<svg" in page.body
    assert page.fields["reason"] == evil * 40
    assert "<script" not in browser.submit(link, page, "reject", evil).body
    assert "49" not in page.fields["reason"]


def test_the_token_and_the_secret_are_on_no_page_and_in_no_log(
    world: World, review: Review, caplog: pytest.LogCaptureFixture
) -> None:
    page = Browser(world).open(world.link())
    done = Browser(world).decide(world.link(), "approve", "private reason")
    mails = "".join(mail.html + mail.text for mail in world.outbox.mails)
    log = written(caplog)
    assert "review decided" in log
    for secret in ("token-1", SECRET.decode()):
        assert secret not in page.body + done.body + mails + log
    assert "private reason" not in log
    assert world.link().partition("key=")[2][:20] not in log
