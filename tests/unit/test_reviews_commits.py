"""The commit that a model comes from, beside the live model's, in the mail and on the page of its review."""

import json
import re
from html import unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.review_browser import Browser
from tests.support.reviews import PACKAGE, REPORT, World, live, report

from signalbox.reviews import commits, evidence
from signalbox.words import Shortened

OWN, LIVE = "4f1c2e9ab7d05e6c83f2190d4be7a6581c3f0d92", "b60d3817f2c94ae5d1087c3b96ef42a7051d8e3c"
OTHER = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"


def shown(own: str | None, of_live: str | None, **changes: Any) -> dict[str, Any]:
    """Return the facts about the commits of a model and of the one that was live when it was tested."""
    given = report(commit=own, live=live(commit=of_live), **changes)
    return dict(evidence.shown(evidence.freeze(json.dumps(given), REPORT)).commits)


def test_another_commit_is_shown_beside_the_live_models_with_the_command_that_compares_them() -> None:
    assert shown(OWN, LIVE) == {
        "Commit": Shortened("4f1c2e9", OWN),
        "Commit of the live model": Shortened("b60d381", LIVE),
        "What has changed": Shortened("git diff b60d381..4f1c2e9", f"git diff {LIVE}..{OWN}"),
    }


@pytest.mark.parametrize("of_live", [OWN, OWN[:7], OWN.upper()])
def test_the_same_commit_is_said_to_be_the_same_however_long_it_is_written(of_live: str) -> None:
    same = "the same as the live model's"
    assert shown(OWN, of_live) == {"Commit": Shortened(f"4f1c2e9, {same}", f"{OWN}, {same}")}
    assert shown("v1.2", "v1.2") == {"Commit": f"v1.2, {same}"}


@pytest.mark.parametrize(
    ("own", "of_live", "known"),
    [
        (OWN, None, {"Commit": Shortened("4f1c2e9", OWN)}),
        (None, LIVE, {"Commit of the live model": Shortened("b60d381", LIVE)}),
        (None, None, {}),
        ("", "", {}),
    ],
)
def test_where_one_is_known_that_one_is_shown(own: str | None, of_live: str | None, known: dict[str, Any]) -> None:
    assert shown(own, of_live) == known


@pytest.mark.parametrize(
    "text",
    ["main", "8c1d", "4f1c2e9;reboot", "$(reboot)", "--output=x", "4f1c2e9 x", "4f1c2e9\nx", "a" * 65, "४५६७८९०"],
)
def test_what_is_no_commits_id_is_shown_as_it_is_and_gets_no_command(text: str) -> None:
    for found in (shown(text, LIVE), shown(OWN, text)):
        assert "What has changed" not in found
        assert text.replace("\n", " ") in found.values()


@given(st.text(), st.text())
def test_a_command_has_nothing_that_a_shell_reads(own: str, of_live: str) -> None:
    for label, value in commits.facts(own, of_live):
        if label == "What has changed":
            assert isinstance(value, Shortened)
            assert re.fullmatch(r"git diff [0-9a-fA-F]{7,64}\.\.[0-9a-fA-F]{7,64}", value.full)
            assert re.fullmatch(r"git diff [0-9a-fA-F]{7}\.\.[0-9a-fA-F]{7}", value.text)


def serving(package: str | None, **more: Any) -> Any:
    """Return what the last stage serves when people are asked."""
    return {"stage": "prod", "endpoint": "signalbox-abalone-prod", "status": "InService", "package": package} | more


@pytest.mark.parametrize(
    ("now", "commit"),
    [
        (None, LIVE),  # the review of a package: it was tested a moment before
        (serving(PACKAGE[:-1] + "2", commit=LIVE), LIVE),
        (serving(PACKAGE[:-1] + "2"), LIVE),  # asked by a release that an earlier version had planned
        (serving(PACKAGE[:-1] + "2", commit=""), ""),
        (serving(PACKAGE[:-1] + "5", commit=OTHER), OTHER),
        (serving(PACKAGE[:-1] + "5"), ""),
        (serving(None, commit=""), ""),
    ],
)
def test_the_live_model_is_the_one_that_is_live_when_people_are_asked(now: Any, commit: str) -> None:
    frozen = evidence.freeze(json.dumps(report(commit=OWN, live=live(commit=LIVE))), REPORT, now)
    found = dict(evidence.shown(frozen).commits)

    assert found.get("Commit of the live model", "") == (Shortened(commit[:7], commit) if commit else "")


def test_a_model_that_was_not_tested_is_shown_beside_the_live_models_commit_too() -> None:
    given = report(commit=OWN, live=None, live_commit=LIVE, untested={"reasons": ["It takes JSON."]})
    found = evidence.shown(evidence.freeze(json.dumps(given), REPORT))

    assert dict(found.commits)["What has changed"] == Shortened("git diff b60d381..4f1c2e9", f"git diff {LIVE}..{OWN}")


def test_evidence_that_an_earlier_version_kept_shows_its_own_commit() -> None:
    kept = json.loads(evidence.freeze(json.dumps(report(commit=OWN)), REPORT))
    del kept["live_commit"]

    assert list(evidence.shown(json.dumps(kept)).commits) == [("Commit", Shortened("4f1c2e9", OWN))]


def test_mail_and_page_show_the_commits_short_and_the_text_has_them_whole() -> None:
    world = World()
    world.reports.texts[REPORT] = json.dumps(report(commit=OWN, live=live(commit=LIVE)))
    world.request()
    mail = world.outbox.mails[0]

    assert f"  Commit: {OWN}\n" in mail.text
    assert f"  Commit of the live model: {LIVE}\n  What has changed: git diff {LIVE}..{OWN}\n" in mail.text
    for html in (mail.html, Browser(world).open(world.link()).body):
        marks = dict(re.findall(r'<span title="([^"]*)"[^>]*>([^<]*)</span>', html))
        assert marks == {
            OWN: "4f1c2e9",
            LIVE: "b60d381",
            f"git diff {LIVE}..{OWN}": "git diff b60d381..4f1c2e9",
        }


def test_a_commit_with_markup_stays_a_text() -> None:
    world = World()
    world.reports.texts[REPORT] = json.dumps(report(commit='"><b>x', live=live(commit="<i>y")))
    world.request()

    html = world.outbox.mails[0].html
    assert not re.search("<[bi]>", html)
    assert {'"><b>x', "<i>y"} <= {unescape(cell) for cell in re.findall(r"<td[^>]*>([^<]*)</td>", html)}
