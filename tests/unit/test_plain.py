"""Text of strangers moves no cursor, no line and no direction, wherever it is shown."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.logs import written
from tests.support.notifications import ending
from tests.support.review_browser import Browser
from tests.support.reviews import ANN, REPORT, OutboxFake, World, report

from signalbox import plain
from signalbox.mail import subject_line
from signalbox.notifications import notifying
from signalbox.notifications.notifying import NotifyingPorts
from signalbox.observability import logger
from signalbox.reviews import evidence
from signalbox.reviews.page_request import PageRequest
from signalbox.templates import render

# A right-to-left override, an isolate, a mark, a zero-width space, a tag, a bell, an escape sequence, half a character.
UNSEEN = "\u202e\u2067\u200f\u200b\U000e0041\x07\x1b[31m\x9b\ud83d\ufeff"
SENT = UNSEEN.replace("\ud83d", "")  # what a browser can send
BREAKS = ("\n", "\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029")
FORGED = "Reject:  https://evil.example.com/reviews/1"


def seen(text: str) -> list[str]:
    """Return what nobody may see in a text."""
    return [one for one in UNSEEN if one in text and one not in "[31m"]


@pytest.mark.parametrize("end", BREAKS)
def test_ends_of_lines_become_spaces_or_newlines(end: str) -> None:
    assert plain.line(f"a{end}b\tc") == "a b c"
    assert plain.lines(f"a{end}b\tc") == "a\nb\tc"


def test_what_is_not_to_be_seen_goes_and_writing_stays() -> None:
    assert plain.line(f"in{UNSEEN}put") == "input"
    for kept in ("Größe 10 µm", "نمی‌خواهم", "👩‍🔬 done", "数据, и так далее", "a  b"):
        assert plain.line(kept) == plain.lines(kept) == kept


@given(st.text(alphabet=st.characters(codec=None)))
def test_no_text_has_more_than_one_line_or_cannot_be_encoded(text: str) -> None:
    one = plain.line(text)
    assert one.encode().decode() == plain.line(one) == one
    assert len(one.splitlines()) <= 1
    several = plain.lines(text)
    assert [*several.splitlines(), ""][: several.count("\n") + 1] == several.split("\n")


@pytest.mark.parametrize("end", BREAKS)
def test_a_quoted_end_of_line_in_a_test_row_writes_no_line_into_the_mail(end: str) -> None:
    world, cell = World(), f"M,{end}{FORGED}{UNSEEN}"
    rows = [{"input": cell, "expected": cell, "predicted": cell}]
    world.reports.texts[REPORT] = json.dumps(report(samples=rows, commit=cell, problem=cell))
    world.request(model=f"abalone{cell}")
    [mail, *_] = world.outbox.mails
    assert not any(line.strip().startswith(FORGED) for line in mail.text.splitlines())
    assert FORGED in mail.text
    assert seen(mail.text + mail.html + Browser(world).open(world.link()).body) == []


def test_what_is_kept_of_a_report_has_nothing_that_moves_a_cursor_a_line_or_a_direction() -> None:
    cell = f"M,{UNSEEN}\n0.455"
    rows = [{"input": cell, "expected": cell, "predicted": cell}]
    kept = json.loads(evidence.freeze(json.dumps(report(samples=rows, commit=cell, problem=cell)), REPORT))
    assert [kept["problem"], kept["commit"], *kept["samples"][0].values()] == ["M, 0.455"] * 5


def test_evidence_that_was_kept_before_is_shown_without_such_text() -> None:
    world = World()
    review = world.request()
    kept = review.evidence.replace("M,0.455", f"M,{json.dumps(UNSEEN)[1:-1]}\\n0.455")
    world.store.change(review.id, {}, {"evidence": kept})
    page = Browser(world).open(world.link()).body
    assert "M, 0.455" in page
    assert seen(page) == []


def test_a_reason_keeps_its_lines_alone() -> None:
    world = World()
    review = world.request()
    page = Browser(world).decide(world.link("reject"), "reject", f"bad{SENT}\r\non small{BREAKS[-1]}rows")
    assert world.read(review).reason == "bad\non small\nrows"
    assert "bad\non small\nrows" in page.body


def test_a_browsers_name_is_kept_as_one_line_without_what_is_not_to_be_seen() -> None:
    event = {"requestContext": {"http": {"method": "POST", "userAgent": f"Browser{UNSEEN}{BREAKS[-1]}1.0"}}}
    assert PageRequest.of(event).user_agent == "Browser 1.0"


def test_a_reason_of_nothing_to_be_seen_is_none() -> None:
    world = World()
    review = world.request()
    assert Browser(world).decide(world.link("reject"), "reject", f" {SENT[:5]}\n").status == 400
    assert world.read(review).status == "open"


def test_a_containers_words_stay_indented_in_the_mail_and_a_models_name_in_its_line() -> None:
    outbox = OutboxFake()
    cause = json.dumps({"TrainingJobName": "job-1", "FailureReason": f"line 1\u2028{FORGED}\r{UNSEEN}end"})
    event = ending(model=f"aba\nlone{UNSEEN}", error={"Error": "Failed\x85x", "Cause": cause})
    notifying.notify_ending(event, NotifyingPorts(outbox, (ANN,)))
    [mail] = outbox.mails
    assert f"\n\n  line 1\n  {FORGED}\n  end\n" in mail.text
    assert "aba lone" in subject_line(mail.subject)
    assert seen(mail.text + mail.html + subject_line(mail.subject)) == []


def test_a_subject_is_one_line_that_reads_as_it_is_written() -> None:
    assert subject_line(f"Approve\r\nBcc: x{UNSEEN}\u2028 now?") == "Approve Bcc: x now?"


def test_a_value_of_any_template_is_one_line_unless_the_template_asks_for_lines() -> None:
    values: dict[str, Any] = {"title": "a\nb", "lead": "c\u2029d", "typed": "e\nf", "again": "", "choice": "approve"}
    page = render("note.html", lamp="quiet", **values)
    assert "a b" in page
    assert "c d" in page
    assert "e\nf" in page


def test_a_log_line_has_all_of_a_files_name_and_shows_none_of_its_marks(caplog: pytest.LogCaptureFixture) -> None:
    name = f"incoming/x{UNSEEN}\n.csv"
    logger.warning("upload recorded", extra={"key": name})
    [line] = written(caplog).splitlines()
    assert json.loads(line)["key"] == name
    assert line.isascii()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET https://evil.example/a?b=http://c", "GET https[:]//evil[.]example/a?b=http[:]//c"),
        ("HTTPS://EVIL.example", "HTTPS[:]//EVIL[.]example"),
        ("slack://open", "slack[:]//open"),
        ("//evil.example/x", "//evil[.]example/x"),
        ("https://a.b.evil.example:8080", "https[:]//a.b.evil[.]example:8080"),
        ("(www.evil.example)", "(www[.]evil.example)"),
        ("evil.example/login, bücher.example:8080/x", "evil[.]example/login, bücher[.]example:8080/x"),
        ("1.dkr.ecr.us-east-1.amazonaws.com/wine:3", "1.dkr.ecr.us-east-1.amazonaws[.]com/wine:3"),
    ],
)
def test_an_address_is_taken_apart_where_people_see_it(text: str, shown: str) -> None:
    assert plain.unlinked(text) == shown


@pytest.mark.parametrize(
    "text",
    ["s3://my.bucket/a.csv", "src/train.py:12: error", "north-bay.csv: 20 rows", "./a.b/c", "3.13/lib", "a/b.c/d"],
)
def test_what_is_no_address_stays_as_it_is(text: str) -> None:
    assert plain.unlinked(text) == text


def test_a_text_that_is_cut_ends_behind_a_whole_sign() -> None:
    assert plain.cut("short", 5) == "short"
    assert plain.cut("longer", 5) == "long…"
    assert plain.cut("👩‍🔬👩‍🔬", 3) == "👩…"
