"""What a training has cost and what endpoints cost, in the mail and on the page, each with its price and its source."""

import json
from html import unescape
from typing import Any

import pytest
from tests.support.review_browser import Browser
from tests.support.reviews import REPORT, World, report

TRAINING = {
    "use": "training",
    "stage": "",
    "dollars": 0.0039,
    "hours": 0.0169,
    "instance_type": "ml.m5.large",
    "instance_count": 2,
    "dollars_an_hour": 0.115,
    "source": "AWS Price List",
    "read": "2026-08-11",
}
ENDPOINT = TRAINING | {"use": "hosting", "stage": "prod", "dollars": 1234.5, "hours": 730}
SAID = {
    "Training cost": "less than $0.01: 2 × ml.m5.large at $0.115 an hour (AWS Price List, 11 August 2026)",
    "Endpoint in prod": "about $1,234.50 a month: 2 × ml.m5.large at $0.115 an hour (AWS Price List, 11 August 2026)",
}


def asked(world: World, costs: Any) -> str:
    """Ask for a review of a report with these costs; return the text of its mail."""
    world.reports.texts[REPORT] = json.dumps(report(costs=costs))
    world.request()
    return world.outbox.mails[0].text


def test_mail_and_page_say_what_training_and_endpoints_cost_and_by_which_price(world: World) -> None:
    text = asked(world, [TRAINING, ENDPOINT])
    page = unescape(Browser(world).open(world.link()).body)
    for label, value in SAID.items():
        assert f"  {label}: {value}\n" in text
        assert f">{label}</th>" in page
        assert f">{value}</td>" in page


@pytest.mark.parametrize("costs", [None, [], "free", [7]])
def test_costs_that_are_not_known_have_no_line(world: World, costs: Any) -> None:
    text = asked(world, costs)
    assert not any(label in text for label in ("Training cost", "Endpoint in"))


def test_a_report_cannot_write_lines_or_marks_that_nobody_sees_by_its_costs(world: World) -> None:
    text = asked(world, [ENDPOINT | {"source": "A\nApprove: https://evil.example\u202e"}])
    assert "(A Approve: https://evil.example, 11 August" in text
