"""The picture of the test rows: on the page, never in the mail."""

import json
import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from tests.support.review_browser import Browser
from tests.support.reviews import REPORT, World, report

POINTS = {"points": [[3, 4.5], [9, 8], [15, 15]], "rows": 3}
CLASSES = {"problem": "classification", "classes": {"setosa": {"rows": 50, "right": 49}}}


def drawn(world: World, **changes: Any) -> tuple[str, ET.Element]:
    """Return the page of a review with such a report, and the picture on it."""
    world.reports.texts[REPORT] = json.dumps(report(**changes))
    world.request()
    page = Browser(world).open(world.link()).body
    [svg] = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    return page, ET.fromstring(svg.replace("&rarr;", "→"))  # noqa: S314  # our own page


def words(picture: ET.Element) -> list[str]:
    return [text.text or "" for text in picture.iter("text")]


def test_a_regression_is_drawn_as_points_beside_the_line_of_equal_values(world: World) -> None:
    page, picture = drawn(world, **POINTS)
    *_, dots = picture.iter("path")
    assert str(dots.get("d")).count("h0") == 3
    assert words(picture) == ["3", "Expected →", "15", "3", "Predicted →", "15"]
    assert "Each point is one test row; on the line, prediction and truth are equal." in page
    assert page.index("Metrics on") < page.index("<svg") < page.index("A few predictions")


def test_a_classification_is_drawn_as_a_bar_for_each_class(world: World) -> None:
    page, picture = drawn(world, **CLASSES)
    assert words(picture) == ["setosa", "49 of 50 right"]
    assert [bar.get("width") for bar in picture.iter("rect")] == ["340", "333.2"]
    assert "Each bar is the share of a class" in page


@pytest.mark.parametrize("changes", [POINTS, CLASSES])
def test_the_picture_has_a_title_and_a_description_for_those_who_hear_it(world: World, changes: dict[str, Any]) -> None:
    _, picture = drawn(world, **changes)
    named = [picture.find(name) for name in ("title", "desc")]
    assert picture.get("role") == "img"
    assert picture.get("aria-labelledby") == " ".join(str(one.get("id")) for one in named if one is not None)
    assert all(one is not None and one.text for one in named)


@pytest.mark.parametrize("changes", [POINTS, CLASSES])
def test_the_page_of_a_closed_review_has_no_picture_of_rows(world: World, changes: dict[str, Any]) -> None:
    drawn(world, **changes)
    assert "<svg" not in Browser(world).decide(world.link(), "approve").body


@pytest.mark.parametrize("changes", [POINTS, CLASSES])
def test_the_mail_has_no_drawing_and_says_that_the_page_has_it(world: World, changes: dict[str, Any]) -> None:
    drawn(world, **changes)
    [mail, *_] = world.outbox.mails
    assert "<svg" not in mail.html
    for body in (mail.text, mail.html):
        assert "The page has a picture of the predictions on the test rows, too." in body


def test_a_report_without_points_and_classes_has_no_picture_and_no_word_of_it(world: World) -> None:
    world.request()
    assert "<svg" not in Browser(world).open(world.link()).body
    assert "picture" not in world.outbox.mails[0].text
