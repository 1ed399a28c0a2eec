"""What an approver does in a browser, over HTTP."""

from urllib.parse import parse_qs

import httpx
import pytest

from signalbox_local.browser import Browser, PageError, link, read_form, word

MAIL = {"Subject": "Review", "BodyText": "See http://h/reviews/1?key=k&choice=approve\nor http://h/r/1?choice=reject ."}
PAGE = """
<input name="outside" value="x"><form action="/reviews/1" method="post"><input type="hidden" name="nonce" value="n">
<input type="radio" name="choice" value="approve"><input type="radio" name="choice" value="reject" checked>
<textarea name="reason"></textarea><input name="" value="y"><button name="go" value="1">Go</button></form>
<form action="/other"><input name="second" value="z"></form>
"""


def test_the_first_form_is_read_with_what_is_filled_in_and_what_may_be_chosen() -> None:
    form = read_form(PAGE)
    assert (form.action, form.method) == ("/reviews/1", "POST")
    assert {"nonce": "n", "reason": "", "choice": "reject"}.items() <= form.fields.items()
    assert "outside" not in form.fields
    assert form.choices == {"choice": ["approve", "reject"], "go": ["1"]}


def test_a_page_without_a_form_is_run() -> None:
    with pytest.raises(PageError, match="has no form"):
        read_form("<p>decided</p>")


def test_a_link_is_found_by_its_choice() -> None:
    assert link(MAIL, "approve") == "http://h/reviews/1?key=k&choice=approve"
    assert link(MAIL, "reject") == "http://h/r/1?choice=reject"
    with pytest.raises(PageError, match="'Review' has no link to postpone"):
        link(MAIL, "postpone")


def test_the_word_is_read_from_the_mail() -> None:
    assert word({"BodyText": "To approve, type this word on the page: tobemira\n\nGood until"}) == "tobemira"
    with pytest.raises(PageError, match="'Review' has no word to approve with"):
        word(MAIL)


def test_an_approval_is_posted_with_the_mails_word() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, text=PAGE)

    mail = {**MAIL, "BodyText": f"{MAIL['BodyText']} type this word on the page: tobemira"}
    Browser(httpx.Client(transport=httpx.MockTransport(answer))).decide(mail, "approve")
    assert parse_qs(seen[1].content.decode())["word"] == ["tobemira"]


def test_a_decision_is_read_filled_in_and_posted() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, text=PAGE if request.method == "GET" else "thanks")

    browser = Browser(httpx.Client(transport=httpx.MockTransport(answer)))

    assert browser.decide(MAIL, "reject", "too slow").text == "thanks"
    assert (seen[1].method, str(seen[1].url)) == ("POST", "http://h/reviews/1")
    sent = parse_qs(seen[1].content.decode())
    assert {"nonce": ["n"], "choice": ["reject"], "reason": ["too slow"]}.items() <= sent.items()
