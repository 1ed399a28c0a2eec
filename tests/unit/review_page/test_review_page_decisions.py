"""The review page as a browser and a mail scanner meet it."""

from urllib.parse import urlencode

import pytest
from tests.support.review_browser import Browser
from tests.support.reviews import ANN, BOB, PACKAGE, MemoryStore, World

from signalbox.reviews import deciding
from signalbox.reviews.model import Review


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_nothing_but_a_post_changes_anything(world: World, store: MemoryStore, review: Review, method: str) -> None:
    writes = store.writes
    for _ in range(10):
        for choice in ("approve", "reject"):
            Browser(world).open(world.link(choice), method)
    assert store.writes == writes
    assert world.read(review).status == "open"
    assert world.tasks.answers == []
    assert world.registry.calls == 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_the_filled_in_form_decides_nothing_where_it_is_not_posted(world: World, review: Review, method: str) -> None:
    browser, link = Browser(world), world.link()
    fields = {**browser.open(link).fields, "choice": "approve", "word": world.word(link)}
    browser.send(f"{link}&{urlencode(fields)}", method, urlencode(fields))
    assert world.read(review) == review
    assert world.tasks.answers == []
    assert browser.send(link, "POST", urlencode(fields)).status == 200


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("OPTIONS", 204), ("PUT", 405), ("DELETE", 405)])
def test_other_methods_have_their_own_answers(world: World, review: Review, method: str, status: int) -> None:
    page = Browser(world).open(world.link(), method)
    assert page.status == status
    assert (page.body == "") == (method in ("HEAD", "OPTIONS"))
    assert page.headers.get("allow", "GET, HEAD, POST, OPTIONS") == "GET, HEAD, POST, OPTIONS"


def test_a_scanner_that_posts_to_the_links_decides_nothing(world: World, store: MemoryStore, review: Review) -> None:
    writes = store.writes
    for choice in ("approve", "reject"):
        for body in ("", "choice=approve", "choice=reject&reason=scan"):
            scanner = Browser(world)
            scanner.open(world.link(choice))
            scanner.cookies.clear()
            assert scanner.send(world.link(choice), "POST", body).status == 403
    assert store.writes == writes


def test_the_page_shows_the_evidence_and_preselects_what_the_link_says(world: World, review: Review) -> None:
    approve, reject = Browser(world).open(world.link("approve")), Browser(world).open(world.link("reject"))
    for text in ("Approve abalone version 3?", "4.892", "5.301", "−0.4089", "better", "worse", "9.71204", "1,418"):
        assert text in approve.body
    for text in ("abalone-train-0f8a3b21", "2 min 14 s", "Sunday 8 March 2026, 10:20 UTC", "signalbox-abalone/2"):
        assert text in approve.body
    assert approve.body.index('value="approve"') < approve.body.index('value="reject"')
    assert reject.body.index('value="reject"') < reject.body.index('value="approve"')
    assert f"You decide as {ANN}" in approve.body


def test_the_page_needs_and_allows_nothing_from_elsewhere(world: World, review: Review) -> None:
    page = Browser(world).open(world.link())
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "same-origin"
    assert page.headers["strict-transport-security"] == "max-age=31536000"
    assert page.headers["cross-origin-opener-policy"] == page.headers["cross-origin-resource-policy"] == "same-origin"
    assert page.headers["x-content-type-options"] == "nosniff"
    policy = page.headers["content-security-policy"]
    for rule in ("default-src 'none'", "style-src 'unsafe-inline'", "form-action 'self'", "frame-ancestors 'none'"):
        assert rule in policy
    assert "<script" not in page.body
    assert "<img" not in page.body
    links = page.body.count('<a href="https://eu-west-1.console.aws.amazon.com/')
    assert page.body.count("http") == links == page.body.count('rel="noreferrer"')


def test_an_approval_needs_no_reason_and_shows_its_result(world: World, review: Review) -> None:
    page = Browser(world).decide(world.link(), "approve")
    assert page.status == 200
    assert "abalone version 3 is approved" in page.body
    assert "You approved it" in page.body
    kept = world.read(review)
    assert (kept.status, kept.by, kept.origin, kept.source_ip) == ("approved", ANN, "page", "203.0.113.7")
    assert kept.user_agent.startswith("Browser/1.0")
    assert len(kept.user_agent) == 200
    assert world.tasks.answers[0][1] == "succeeded"
    assert world.registry.packages[PACKAGE][0]


def test_a_body_in_base64_is_read(world: World, review: Review) -> None:
    browser, link = Browser(world), world.link("reject")
    page = browser.submit(link, browser.open(link), "reject", "Zu ungenau für große Zahlen", encoded=True)
    assert page.status == 200
    assert world.read(review).reason == "Zu ungenau für große Zahlen"


@pytest.mark.parametrize("reason", ["", "  \r\n\t "])
def test_a_rejection_without_a_reason_is_asked_again(world: World, review: Review, reason: str) -> None:
    page = Browser(world).decide(world.link("approve"), "reject", reason)
    assert page.status == 400
    assert "Please say why you reject it" in page.body
    assert page.body.index('value="reject"') < page.body.index('value="approve"')
    assert world.read(review).status == "open"


def test_a_reason_that_is_too_long_is_given_back_to_be_shortened(world: World, review: Review) -> None:
    browser, link, long = Browser(world), world.link("reject"), "ä\n" * 501
    page = browser.decide(link, "reject", long.replace("\n", "\r\n"))
    assert page.status == 400
    assert "The reason has 1,001 characters" in page.body
    assert page.fields["reason"] == long.strip()
    assert browser.submit(link, page, "reject", "x" * 1000).status == 200


def test_a_choice_that_is_none_is_asked_again(world: World, review: Review) -> None:
    browser, link = Browser(world), world.link()
    page = browser.submit(link, browser.open(link), "maybe", "well")
    assert page.status == 400
    assert "Please choose" in page.body
    assert page.fields["reason"] == "well"


def test_a_form_that_is_sent_twice_decides_once(world: World, review: Review) -> None:
    browser, link = Browser(world), world.link()
    form = browser.open(link)
    assert browser.submit(link, form, "approve").status == 200
    again = browser.submit(link, form, "approve")
    assert again.status == 409
    assert "You approved it" in again.body
    assert len(world.tasks.answers) == 1


def test_the_second_of_two_approvers_sees_who_decided(world: World, review: Review) -> None:
    ann, bob = Browser(world), Browser(world)
    form = bob.open(world.link("reject", BOB))
    ann.decide(world.link(), "approve", "fine by me")
    page = bob.submit(world.link("reject", BOB), form, "reject", "no")
    assert page.status == 409
    for text in (f"{ANN} approved it on Sunday 1 March 2026, 10:20 UTC", "fine by me", f"looking at this as {BOB}"):
        assert text in page.body
    assert bob.open(world.link("reject", BOB)).status == 200
    assert world.read(review).by == ANN


def test_two_approvers_at_the_same_moment_decide_once(
    world: World, review: Review, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob, link = Browser(world), world.link("reject", BOB)
    form = bob.open(link)
    real, ann = deciding.decide, Browser(world)

    def late(*arguments: object) -> object:
        monkeypatch.setattr("signalbox.reviews.deciding.decide", real)
        ann.decide(world.link(), "approve")
        return real(*arguments)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr("signalbox.reviews.deciding.decide", late)
    assert bob.submit(link, form, "reject", "no").status == 409
    assert world.read(review).by == ANN
    assert len(world.tasks.answers) == 1


def test_a_decision_that_was_not_passed_on_can_be_sent_again(world: World, review: Review) -> None:
    browser, link = Browser(world), world.link("reject")
    world.registry.broken = 2
    page = browser.decide(link, "reject", "no good")
    assert page.status == 502
    assert "has not been passed on yet" in page.body
    assert world.tasks.answers == []
    again = browser.open(link)
    assert "has not been passed on yet" in again.body
    assert browser.submit(link, again, "reject", "no good").status == 502
    done = browser.submit(link, browser.open(link), "approve", "")
    assert done.status == 409, "it was decided before, whatever the button says"
    assert "not been passed on" not in done.body
    assert world.read(review).status == "rejected"
    assert world.tasks.answers[0][1] == "ReviewRejected"
