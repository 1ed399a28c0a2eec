"""The person who is played over HTTP, the mails they read, and the table of the demo."""

import urllib.request
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs

import httpx
import pytest

from signalbox_local import inbox
from signalbox_local.demo import data
from signalbox_local.person import PageError, Person, link, read_form

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


def test_a_page_without_a_form_is_told() -> None:
    with pytest.raises(PageError, match="has no form"):
        read_form("<p>decided</p>")


def test_a_link_is_found_by_its_choice() -> None:
    assert link(MAIL, "approve") == "http://h/reviews/1?key=k&choice=approve"
    assert link(MAIL, "reject") == "http://h/r/1?choice=reject"
    with pytest.raises(PageError, match="'Review' has no link to postpone"):
        link(MAIL, "postpone")


def test_a_decision_is_read_filled_in_and_posted() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, text=PAGE if request.method == "GET" else "thanks")

    person = Person(httpx.Client(transport=httpx.MockTransport(answer)))

    assert person.decide(MAIL, "reject", "too slow").text == "thanks"
    assert (seen[1].method, str(seen[1].url)) == ("POST", "http://h/reviews/1")
    sent = parse_qs(seen[1].content.decode())
    assert {"nonce": ["n"], "choice": ["reject"], "reason": ["too slow"]}.items() <= sent.items()


@pytest.mark.parametrize(
    ("mail", "subject", "html", "text"),
    [
        ({"Subject": "s", "BodyText": "<t>"}, "s", "<pre>&lt;t&gt;</pre>", "<t>"),
        ({"RenderedSubject": "r", "Subject": "s", "BodyHtml": "<b>"}, "r", "<b>", ""),
        ({"RenderedBodyHtml": "<r>", "RenderedBodyText": "rt", "BodyText": "t"}, "", "<r>", "rt"),
        ({}, "", "<pre></pre>", ""),
    ],
)
def test_a_mail_is_read_whichever_way_it_was_sent(mail: dict[str, Any], subject: str, html: str, text: str) -> None:
    assert (inbox.subject(mail), inbox.html(mail), inbox.text(mail)) == (subject, html, text)


def test_an_empty_inbox_says_so() -> None:
    assert "No mail yet" in inbox.page([])
    assert "to a@b.c, d@e.f" in inbox.page([{"To": ["a@b.c", "d@e.f"], "Subject": "s"}])


def test_a_table_that_is_given_comes_first_and_then_the_one_downloaded_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, cached = tmp_path / "own.csv", tmp_path / "cached.data"
    cached.write_text("M,1\n")
    monkeypatch.setattr(data, "CACHE", cached)
    assert data.find(own, tmp_path).path == own
    assert "downloaded before" in data.find(None, tmp_path).origin


def test_a_download_is_kept_and_where_there_is_none_a_table_is_made_and_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Answer:
        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def read(self) -> bytes:
            return b"M,2\n"

    cache = tmp_path / "cache" / "abalone.data"
    monkeypatch.setattr(data, "CACHE", cache)

    def offline(*_: object, **__: object) -> Answer:
        raise OSError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", offline)
    made = data.find(None, tmp_path)
    assert "not the real data" in made.origin
    assert len(made.path.read_text().splitlines()) == 2000
    assert not cache.exists()
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: Answer())
    assert "downloaded now" in data.find(None, tmp_path).origin
    assert cache.read_bytes() == b"M,2\n"


def test_the_made_table_has_abalones_columns_and_ranges_and_is_the_same_each_time() -> None:
    table = data.seeded(rows=300, seed=7)
    rows = [line.split(",") for line in table.splitlines()]
    assert table == data.seeded(rows=300, seed=7) != data.seeded(rows=300, seed=8)
    assert {len(row) for row in rows} == {9}
    assert {row[0] for row in rows} == {"M", "F", "I"}
    assert all(0.075 <= float(row[1]) <= 0.815 and 1 <= int(row[8]) <= 29 for row in rows)
    assert all(float(value) > 0 for row in rows for value in row[1:8])
