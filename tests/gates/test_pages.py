"""The mails and pages of the usual situations in a real browser: for everybody to read, on a phone as on a desktop.

axe-core (https://github.com/dequelabs/axe-core) knows most of what a program can find of the WCAG 2.2.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.gates.node_checks import FOLDER
from tests.pictures.screens import PHONE, SCREENS, Screen, open_in
from tests.pictures.situations import SITUATIONS, Situation
from tests.support.chromium import NOT_FOUND, Chromium, Tab, program
from tests.support.notifications import mailed_about_build
from tests.support.review_browser import Browser
from tests.support.reviews import ReportsFake, World, live

pytestmark = pytest.mark.skipif(program() is None, reason=NOT_FOUND)

AXE = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
# Nothing is loaded from elsewhere, so nothing has to be waited for.
_RUN = "axe.run({resultTypes: ['violations'], preload: false})"
_FOUND = f"{_RUN}.then(found => found.violations.map(one => [one.id, one.nodes[0].html]))"
# How far down the links and buttons are that decide.
_DECIDING = "[...document.querySelectorAll('a[href*=choice], button')].map(one => one.getBoundingClientRect().top)"
# The narrowest screen on which nothing may have to be scrolled sideways (WCAG 2.2, 1.4.10: 320 CSS pixels).
_NARROWEST = 320
# Two screens of a phone and a little: what stands before a decision is read, not scrolled past.
_REACH = 1800


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """Start one browser for all."""
    with Chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser.tab()


@pytest.fixture(params=SITUATIONS, ids=lambda situation: situation.name)
def situation(request: pytest.FixtureRequest) -> Situation:
    found: Situation = request.param
    return found


def violations(tab: Tab, html: str, *screens: Screen) -> dict[Screen, Any]:
    """Return what axe-core finds on each screen, without those on which it finds nothing."""
    open_in(tab, html)
    tab.run(f"{AXE.read_text(encoding='utf-8')}; 0")
    found = {}
    for screen in screens:
        tab.look_like(screen.width, screen.scheme, scale=1)
        found[screen] = tab.run(_FOUND)
    return {screen: what for screen, what in found.items() if what}


def test_axe_finds_nothing(situation: Situation, tab: Tab) -> None:
    assert violations(tab, situation.html(), *SCREENS) == {}


@pytest.mark.parametrize(
    ("mended", "broken", "rule"),
    [
        ("color:#5c626b", "color:#b9bcc2", "color-contrast"),
        ('<html lang="en">', "<html>", "html-has-lang"),
        ('<label for="word"', '<label for="other"', "label"),
        ('role="main"', 'role="none"', "region"),
    ],
)
def test_axe_finds_a_defect_that_is_planted(mended: str, broken: str, rule: str, tab: Tab) -> None:
    [page] = [one.html() for one in SITUATIONS if one.name == "approval-page"]
    assert mended in page
    found = violations(tab, page.replace(mended, broken), SCREENS[0])
    assert rule in {name for name, _ in found[SCREENS[0]]}


def test_a_phone_is_scrolled_downwards_only_and_the_decision_is_within_reach(situation: Situation, tab: Tab) -> None:
    open_in(tab, situation.html())
    for width in (PHONE, _NARROWEST):
        tab.look_like(width, "light", scale=1)
        assert tab.run("document.documentElement.scrollWidth") == width
        tops = tab.run(_DECIDING)
        assert len(tops) == (2 if situation.decides else 0)
        assert all(top <= _REACH for top in tops)


def test_squared_errors_of_prices_fit_on_a_phone(tab: Tab) -> None:
    metrics = {"mse": {"value": 1_234_567_890.1, "standard_deviation": 234_567_890.1}}
    difference = {"value": -123_456_789.1, "low": -223_456_789.1, "high": -23_456_789.1, "verdict": "better"}
    world = World(
        reports=ReportsFake(metrics=metrics, live=live(metrics=metrics, own=metrics, differences={"mse": difference}))
    )
    world.request()
    open_in(tab, Browser(world).open(world.link()).body)
    tab.look_like(PHONE, "light", scale=1)
    assert "1,234,567,890" in tab.text()
    assert tab.run("document.documentElement.scrollWidth") == PHONE


def test_a_long_branch_and_log_lines_without_a_blank_fit_on_a_phone(tab: Tab) -> None:
    branch = f"ann/🍷/{'very-long_' * 10}{'name' * 25}"
    open_in(tab, mailed_about_build(branch=branch, lines=["=" * 290, "E" * 290], reason="x" * 300).html)
    for width in (PHONE, _NARROWEST):
        tab.look_like(width, "light", scale=1)
        assert branch in tab.text()
        assert tab.run("document.documentElement.scrollWidth") == width
