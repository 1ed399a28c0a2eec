"""How mail and page are read on a phone: numbers stay whole, columns have names, the decision is near."""

import json
import re

import pytest
from tests.support.review_browser import Browser
from tests.support.reviews import REPORT, World, report

SAMPLE = {"input": "M,0.455,0.365", "expected": "15", "predicted": "9.712041234567891"}
LINEAGE = {"columns": ["Sex", "Length", "Whole weight"]}


@pytest.fixture
def texts(world: World) -> tuple[str, str]:
    """Return mail and page."""
    world.reports.texts[REPORT] = json.dumps(report(samples=[SAMPLE], lineage=LINEAGE))
    world.request()
    return world.outbox.mails[0].html, Browser(world).open(world.link()).body


def test_no_number_is_broken_inside(texts: tuple[str, str]) -> None:
    for html in texts:
        cells = re.findall(r'<td class="cell number[^"]*" style="([^"]*)">', html)
        assert cells
        assert all(re.findall(r"overflow-wrap:(\w+)", style)[-1] == "normal" for style in cells)
        for number in ("15", "9.712041234567891", "0.455", "0.365"):
            assert f'<span class="whole" style="white-space:nowrap">{number}</span>' in html
        assert "break-all" not in html


def test_samples_have_the_names_of_their_columns(texts: tuple[str, str], world: World) -> None:
    for html in texts:
        assert re.findall(r'<span class="faint"[^>]*>([^<]*)</span>&nbsp;', html) == LINEAGE["columns"]
    assert "<- Sex M, Length 0.455, Whole weight 0.365" in world.outbox.mails[0].text


def test_the_form_follows_metrics_and_picture_and_stands_before_rows_and_origin(world: World) -> None:
    world.reports.texts[REPORT] = json.dumps(report(points=[[3, 4.5], [9, 8]], samples=[SAMPLE]))
    world.request()
    page = Browser(world).open(world.link()).body
    order = ("Metrics on", "<svg", 'id="decision"', "A few predictions", "About this model", "Back to the decision")
    places = [page.index(part) for part in order]
    assert places == sorted(places)


def test_a_columns_name_stays_with_its_value_where_a_line_ends(texts: tuple[str, str]) -> None:
    for html in texts:
        pairs = re.findall(r'<span class="pair" style="display:inline-block">(.*?)</span> ', html)
        assert [re.sub(r"<[^>]+>", "", pair) for pair in pairs] == [
            "Sex&nbsp;M,",
            "Length&nbsp;0.455,",
            "Whole weight&nbsp;0.365",
        ]


def test_a_link_before_all_evidence_leads_to_the_form(texts: tuple[str, str]) -> None:
    _, page = texts
    assert page.index('<a href="#decision"') < page.index("<table", page.index("<h1"))
    assert page.index('<a href="#decision"') < page.index('id="decision"')


def test_a_page_that_begins_with_the_form_has_no_link_to_it(world: World) -> None:
    world.request()
    link = world.link()
    page = Browser(world).decide(link, "approve", word="")
    assert page.status != 200
    assert '<a href="#decision"' not in page.body


def test_rows_are_called_test_rows_in_report_mail_and_page(texts: tuple[str, str], world: World) -> None:
    for text in (*texts, world.outbox.mails[0].text):
        assert re.search(r"metrics on 1,418 test rows", text, re.IGNORECASE)
        assert "held-out" not in text
