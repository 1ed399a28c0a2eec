"""The review page as a browser, a mail scanner and a forger meet it."""

import json
from urllib.parse import urlencode

import pytest
from tests.support.reviews import ANN, BOB, EXECUTION, PACKAGE, SECRET, WEEK, Browser, MemoryStore, World, report

from signalbox.reviews import keys, rules
from signalbox.reviews.model import Review

LOCAL = "abc.execute-api.localhost"
EVE = "arn:aws:iam::123456789012:user/eve"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def world(store: MemoryStore) -> World:
    return World(store=store)


@pytest.fixture
def review(world: World) -> Review:
    return world.request()


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
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-content-type-options"] == "nosniff"
    policy = page.headers["content-security-policy"]
    for rule in ("default-src 'none'", "style-src 'unsafe-inline'", "form-action 'self'", "frame-ancestors 'none'"):
        assert rule in policy
    assert "<script" not in page.body
    assert "<img" not in page.body
    assert "http" not in page.body


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
    real, ann = rules.decide, Browser(world)

    def late(*arguments: object) -> object:
        monkeypatch.setattr("signalbox.reviews.visits.decide", real)
        ann.decide(world.link(), "approve")
        return real(*arguments)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr("signalbox.reviews.visits.decide", late)
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


@pytest.mark.parametrize(
    "broken",
    [
        lambda link: link.replace("key=", "key=x"),
        lambda link: link[: link.index("key=")] + "key=",
        lambda link: link[: link.index("?")],
        lambda link: link.replace("/reviews/", "/reviews/x"),
        lambda link: link[: link.index("key=")] + "key=%ff.%ff",
        lambda link: link[: link.index("key=")] + "key=a.\u00e4",
    ],
)
def test_an_unknown_review_and_a_wrong_key_look_the_same(world: World, review: Review, broken: object) -> None:
    link = broken(world.link())  # type: ignore[operator]  # one of the functions above
    pages = [Browser(world).open(link), Browser(world).send(link, "POST", "choice=approve")]
    assert [page.status for page in pages] == [404, 404]
    assert pages[0].body == pages[1].body == Browser(world).open("https://x/reviews/none?key=a.b").body
    assert pages[0].cookies == []


def test_a_key_for_another_review_or_person_opens_nothing(world: World, review: Review) -> None:
    other = keys.link_key(SECRET, "another", ANN)
    stranger = keys.link_key(SECRET, review.id, "stranger@example.com")
    forged = keys.link_key(b"another secret of thirty-two bytes!", review.id, ANN)
    swapped = keys.link_key(SECRET, review.id, ANN).split(".")[0] + "." + world.link(to=BOB).split(".")[-1]
    for key in (other, stranger, forged, swapped):
        assert Browser(world).open(f"https://x/reviews/{review.id}?key={key}").status == 404


def test_a_form_without_its_cookie_is_refused_and_nothing_typed_is_lost(world: World, review: Review) -> None:
    browser, link = Browser(world), world.link()
    form = browser.open(link)
    browser.cookies.clear()
    page = browser.submit(link, form, "reject", "typed with care")
    assert page.status == 403
    assert "typed with care" in page.body
    assert "Open the review again" in page.body
    assert world.read(review).status == "open"


def test_a_nonce_holds_for_its_own_browser_person_and_review_only(world: World, review: Review) -> None:
    ann, bob, link = Browser(world), Browser(world), world.link()
    form = ann.open(link)
    other = Browser(world)
    other.open(link)
    assert other.submit(link, form, "approve").status == 403, "another browser"
    bob.open(world.link(to=BOB))
    bob.cookies = dict(ann.cookies)
    assert bob.submit(world.link(to=BOB), form, "approve").status == 403, "another person"
    second = world.request(token="token-2", kind="stage", stage="prod")
    ann.cookies[f"__Host-signalbox-{second.id}"] = next(iter(ann.cookies.values()))
    assert ann.submit(world.link(), form, "approve").status == 403, "another review"
    assert ann.submit(link, form, "approve").status == 200


@pytest.mark.parametrize("nonce", ["", "x", "9999999999.", "9999999999.AAAA", ".", "nonsense.nonsense"])
def test_a_forged_nonce_is_refused(world: World, review: Review, nonce: str) -> None:
    browser, link = Browser(world), world.link()
    browser.open(link)
    assert browser.send(link, "POST", urlencode({"nonce": nonce, "choice": "approve"})).status == 403


def test_a_cookie_of_another_shape_is_replaced_and_refused(world: World, review: Review) -> None:
    browser, link = Browser(world), world.link()
    form = browser.open(link)
    name = next(iter(browser.cookies))
    browser.cookies[name] = "short"
    assert browser.submit(link, form, "approve").status == 403
    assert browser.open(link).cookies[0].startswith(name)


def test_a_form_holds_for_two_hours(world: World, review: Review) -> None:
    browser, link = Browser(world), world.link()
    form = browser.open(link)
    world.wait(7201)
    assert browser.submit(link, form, "approve").status == 403
    form = browser.open(link)
    world.wait(7199)
    assert browser.submit(link, form, "approve").status == 200


def test_cookies_in_a_header_are_read_too(world: World, review: Review) -> None:
    assert Browser(world, old_style=True).decide(world.link(), "approve").status == 200


def test_a_second_tab_shares_the_first_ones_cookie(world: World, review: Review) -> None:
    browser = Browser(world)
    first = browser.open(world.link("approve"))
    second = browser.open(world.link("reject"))
    assert first.cookies == second.cookies
    assert browser.submit(world.link("approve"), first, "approve").status == 200


def test_the_cookie_is_secure_except_on_this_machine(world: World, review: Review) -> None:
    link = world.link()
    [cookie] = Browser(world).open(link).cookies
    assert cookie.startswith(f"__Host-signalbox-{review.id}=")
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Strict; Secure")
    for host in (LOCAL, "127.0.0.1:8080", "localhost", "abc.execute-api.127.0.0.1"):
        browser = Browser(world, host)
        [cookie] = browser.open(link).cookies
        assert cookie.startswith(f"signalbox-{review.id}=")
        assert cookie.endswith("; Path=/; HttpOnly; SameSite=Strict")
    assert browser.decide(link, "approve").status == 200


@pytest.mark.parametrize(
    ("body", "kind", "encoded"),
    [
        ('{"choice": "approve"}', "application/json", False),
        ("choice=approve", "text/plain", False),
        ("choice=approve", "", False),
        ("reason=" + "x" * 20_000, "application/x-www-form-urlencoded", False),
        ("&".join(f"f{number}=1" for number in range(20)), "application/x-www-form-urlencoded", False),
        ("%%%", "application/x-www-form-urlencoded", True),
        ("gICA", "application/x-www-form-urlencoded", True),
    ],
)
def test_what_is_no_form_of_ours_is_refused(
    world: World,
    review: Review,
    body: str,
    kind: str,
    encoded: bool,
) -> None:
    page = Browser(world).send(world.link(), "POST", body, content_type=kind, encoded=encoded)
    assert page.status == 400
    assert "This is not the form" in page.body


def test_an_expired_review_has_its_own_page(world: World, review: Review) -> None:
    browser, link = Browser(world), world.link()
    form = browser.open(link)
    world.wait(WEEK)
    assert "has expired" in Browser(world).open(link).body, "before the machine has closed it"
    rules.close(world.desk(), EXECUTION, "package", "")
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
    desk = world.desk(registry=False)
    rules.answer_from_registry(desk, PACKAGE, approved=then == "approved", by=EVE)
    page = Browser(world).open(world.link())
    assert "was overturned" in page.body
    assert f"{EVE} {then} it in the model registry" in page.body


def test_a_decision_of_the_registry_is_shown_as_such(world: World, review: Review) -> None:
    rules.answer_from_registry(world.desk(registry=False), PACKAGE, approved=False, by=EVE)
    page = Browser(world).open(world.link())
    assert f"{EVE} rejected it on Sunday 1 March 2026, 10:20 UTC, in the model registry." in page.body
    assert "It will not be released." in page.body


def test_a_decision_for_a_machine_that_has_ended_says_so(world: World, review: Review) -> None:
    world.tasks.closed.add("token-1")
    page = Browser(world).decide(world.link(), "approve")
    assert page.status == 200
    assert "no longer waiting" in page.body


def test_a_stage_review_speaks_of_its_stage(world: World) -> None:
    world.request(kind="stage", stage="prod", report=None)
    link = world.link()
    page = Browser(world).open(link)
    assert "Release abalone version 3 to prod?" in page.body
    assert "No evaluation report came with this package." in page.body
    assert "rejecting leaves prod as it is" in page.body
    rejected = Browser(world).decide(world.link("reject", BOB), "reject", "not now")
    assert "abalone version 3 for prod is rejected" in rejected.body
    assert "prod stays as it is." in rejected.body


def test_an_expired_stage_review_says_how_to_be_asked_again(world: World) -> None:
    world.request(kind="stage", stage="prod")
    world.wait(WEEK)
    assert "start the release machine" in Browser(world).open(world.link()).body


def test_hostile_words_stay_words(world: World) -> None:
    evil = "<script>alert(1)</script>\"'&{{7*7}}"
    world.reports.texts["s3://evil"] = json.dumps(
        report(commit=evil, problem=evil, samples=[{"input": evil, "expected": evil, "predicted": evil}])
    )
    world.request(model=evil, report="s3://evil")
    for mail in world.outbox.mails:
        assert "<script" not in mail.html
    browser, link = Browser(world), world.link("reject")
    page = browser.decide(link, "reject", evil * 40)
    assert page.status == 400
    assert "<script" not in page.body
    assert page.fields["reason"] == evil * 40
    assert "<script" not in browser.submit(link, page, "reject", evil).body
    assert "49" not in page.fields["reason"]


def test_the_token_and_the_secret_are_on_no_page_and_in_no_log(
    world: World, review: Review, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Browser(world).open(world.link())
    done = Browser(world).decide(world.link(), "approve", "private reason")
    mails = "".join(mail.html + mail.text for mail in world.outbox.mails)
    logs = capsys.readouterr()
    for secret in ("token-1", SECRET.decode()):
        assert secret not in page.body + done.body + mails + logs.out + logs.err
    assert "private reason" not in logs.out + logs.err
    assert world.link().partition("key=")[2][:20] not in logs.out + logs.err
