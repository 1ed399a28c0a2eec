"""The word that approves: it stands in the mail alone, and is tried a few times only."""

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from tests.support.logs import written
from tests.support.notifications import read
from tests.support.review_browser import Browser, Page
from tests.support.review_stores import world_stored_in
from tests.support.reviews import ANN, BOB, EXECUTION, PACKAGE, SECRET, OutboxFake, World

from signalbox.reviews import deciding, keys
from signalbox.reviews.model import WORD_TRIES, Review
from signalbox.reviews.rules import Vote

WRONG = "not that word"


@pytest.fixture(params=["memory", "dynamodb"])
def stored(request: pytest.FixtureRequest) -> Iterator[World]:
    with world_stored_in(request.param) as world:
        yield world


def use_up(world: World, link: str) -> Page:
    """Type wrong words until the last try is gone, and return the last page."""
    browser = Browser(world)
    return [browser.decide(link, "approve", word=f"{WRONG} {letter}") for letter in "abcdef"[:WORD_TRIES]][-1]


def test_an_approval_without_the_word_decides_nothing_and_costs_no_try(world: World, review: Review) -> None:
    browser, link = Browser(world), world.link()
    for nothing in ("", "   ", "123-4"):
        page = browser.decide(link, "approve", "read with care", word=nothing)
        assert page.status == 400
        assert "Please type the word that stands in your mail" in page.body
        assert page.fields["reason"] == "read with care"
    assert world.read(review) == review
    assert world.tasks.answers == []
    assert browser.decide(link, "approve").status == 200


def test_a_wrong_word_decides_nothing_and_is_counted(stored: World) -> None:
    review, link = stored.request(), stored.link()
    first = Browser(stored).decide(link, "approve", "fine", word=WRONG)
    assert first.status == 403
    assert "That is not the word in your mail. You can try 4 times more." in first.body
    assert first.fields["reason"] == "fine"
    assert WRONG not in first.body
    kept = stored.read(review)
    assert (kept.status, kept.tries_left(ANN), kept.tries_left(BOB)) == ("open", 4, 5)
    assert Browser(stored).decide(link, "approve").status == 200


def test_words_are_tried_five_times_and_the_right_one_comes_too_late_then(stored: World) -> None:
    review, link = stored.request(), stored.link()
    last = use_up(stored, link)
    assert "it was the last try" in last.body
    assert 'name="word"' not in last.body
    late = Browser(stored).decide(link, "approve")
    assert late.status == 403
    assert stored.read(review).status == "open"
    assert stored.tasks.answers == []
    assert len(stored.read(review).guesses) == WORD_TRIES


def test_a_link_whose_tries_are_used_up_still_rejects_and_other_links_still_approve(world: World) -> None:
    world.request()
    reject = world.link("reject")
    use_up(world, world.link())
    assert Browser(world).decide(reject, "reject", "not good").status == 200
    world.request(token="token-2", kind="stage", stage="prod")
    use_up(world, world.link())
    assert Browser(world).decide(world.link(to=BOB), "approve").status == 200


def test_everybody_is_told_once_how_to_approve_where_a_link_does_not_any_more(world: World) -> None:
    world.request()
    asked, link = len(world.outbox.mails), world.link()
    use_up(world, link)
    Browser(world).decide(link, "approve")
    told = world.outbox.mails[asked:]
    assert [mail.to for mail in told] == [ANN, BOB]
    for mail in told:
        assert mail.subject == "abalone version 3: a link approves no more"
        for text in (mail.text, mail.html):
            assert f"A wrong word was typed 5 times by the link of {ANN}" in text
            assert "signalbox decide signalbox-abalone/3 approve" in text
            assert "in the model registry" in text
    page = Browser(world).open(link).body
    assert "You can still reject." in page
    assert "signalbox decide signalbox-abalone/3 approve" in page


def test_an_older_mail_approves_nothing_once_another_test_asks_and_rejects_all_the_same(stored: World) -> None:
    older, link = stored.request(), stored.link()
    stored.wait(60)
    newer = stored.request(execution_arn=f"{EXECUTION}-again", token="another task")

    page = Browser(stored).decide(link, "approve", "as I read it")

    assert (page.status, "A newer mail asks about this" in page.body) == (409, True)
    assert [stored.read(one).status for one in (older, newer)] == ["open", "open"]
    assert Browser(stored).decide(stored.link(), "approve").status == 200
    assert Browser(stored).decide(link, "reject", "neither").status == 200


def test_a_stage_is_approved_by_the_command_alone(world: World) -> None:
    world.request(kind="stage", stage="prod")
    page = use_up(world, world.link()).body
    assert "signalbox decide signalbox-abalone/3 approve --stage prod" in read(page)
    assert "model registry" not in page


def test_a_mail_that_is_not_taken_keeps_nobody_from_the_page(world: World, review: Review) -> None:
    link = world.link()
    world.outbox = replace_refusing(world)
    assert "You can still reject." in use_up(world, link).body


def replace_refusing(world: World) -> OutboxFake:
    """Return an outbox with the same mails that takes no more."""
    outbox = OutboxFake(ANN, BOB)
    outbox.mails = world.outbox.mails
    return outbox


@pytest.mark.parametrize(
    "written", [str.upper, str.capitalize, lambda word: f"  {word} \n", lambda word: f"{word[:4]} {word[4:]}."]
)
def test_a_word_is_read_as_people_and_phones_write_it(world: World, review: Review, written: object) -> None:
    typed = written(world.word(world.link()))  # type: ignore[operator]  # one of the functions above
    assert Browser(world).decide(world.link(), "approve", word=typed).status == 200


def test_a_phone_neither_completes_nor_corrects_the_word(world: World, review: Review) -> None:
    [field] = re.findall(r'<input id="word"[^>]*>', Browser(world).open(world.link()).body)
    for attribute in ('autocomplete="off"', 'autocapitalize="none"', 'autocorrect="off"', 'spellcheck="false"'):
        assert attribute in field


def test_a_word_is_good_for_its_own_person_and_review_only(world: World) -> None:
    world.request()
    ann, bob = world.word(world.link()), world.word(world.link(to=BOB))
    world.request(token="token-2", kind="stage", stage="prod")
    prod = world.word(world.link())
    assert len({ann, bob, prod}) == 3
    for other in (ann, bob):
        assert Browser(world).decide(world.link(), "approve", word=other).status == 403
    assert Browser(world).decide(world.link(), "approve", word=prod).status == 200


def test_a_word_is_short_and_can_be_said(world: World, review: Review) -> None:
    words = {keys.approval_word(SECRET, f"review-{number}", ANN) for number in range(2000)}
    assert len(words) > 1990
    assert all(re.fullmatch("([bdfgjklmnprstvwz][aeio]){4}", word) for word in words)


def test_the_word_stands_once_in_the_text_and_once_in_the_html_of_its_own_mail(world: World, review: Review) -> None:
    words = {to: keys.approval_word(SECRET, review.id, to) for to in (ANN, BOB)}
    assert [mail.to for mail in world.outbox.mails] == [ANN, BOB]
    for mail in world.outbox.mails:
        for part in (mail.text, mail.html):
            assert {to: part.count(word) for to, word in words.items()} == {to: int(to == mail.to) for to in words}


def test_the_word_is_on_no_page_in_no_link_and_in_no_log(
    world: World, review: Review, caplog: pytest.LogCaptureFixture
) -> None:
    link, browser = world.link(), Browser(world)
    word = world.word(link)
    pages = [browser.open(link, method) for method in ("GET", "HEAD", "OPTIONS", "PUT")]
    pages += [browser.decide(link, "approve", "x" * 1001), browser.decide(link, "approve", word=WRONG)]
    browser.cookies.clear()
    pages += [browser.send(link, "POST", urlencode({"word": word, "choice": "approve"}))]
    pages += [browser.decide(link, "approve"), browser.open(link)]
    log = written(caplog)
    assert "review decided" in log
    for page in pages:
        assert word not in page.body + str(page.headers) + str(page.cookies)
    assert word not in link + log
    assert word not in str(world.read(review))


def test_many_words_at_once_are_tried_one_by_one(world: World, review: Review, monkeypatch: pytest.MonkeyPatch) -> None:
    link, real = world.link(), deciding.count_guess

    def crowded(read: Review, approver: str, ports: deciding.DecidingPorts) -> Review | None:
        """Let another wrong word be counted between the reading and the writing."""
        now = ports.store.get(read.id)
        if now is not None and len(now.guesses) < WORD_TRIES:
            real(now, approver, ports)
        return real(read, approver, ports)

    monkeypatch.setattr(deciding, "count_guess", crowded)
    page = Browser(world).decide(link, "approve", word=WRONG)
    assert page.status == 403
    assert len(world.read(review).guesses) == WORD_TRIES


def test_the_right_word_decides_nothing_for_a_review_with_more_tries_than_it_was_read_with(
    world: World, review: Review
) -> None:
    link = world.link()
    as_read = world.read(review)
    use_up(world, link)
    vote = Vote(approved=True, by=ANN, reason="", origin="page")
    assert deciding.decide(as_read, vote, world.deciding_ports()) is None
    assert PACKAGE not in world.registry.packages
