"""How many uploads a second are taken: the document has the figures of the simulation, and that meets its goals."""

import re

import pytest
from tests.bench import scale, scale_calls
from tests.bench.scale import Case
from tests.bench.scale_limits import DOCUMENTS, EVENTS, KEY, LIMITS, SECONDS, TABLE
from tests.support.documents import read

from signalbox.project_documents import Window
from signalbox.uploads import rules

DOCUMENT = read("docs/scale.md")


def test_the_tables_of_the_document_are_those_of_the_simulation() -> None:
    tables = scale.texts()
    shown = re.findall(rf"^<!-- ({'|'.join(tables)}) -->\n\n(.*?)\n\n", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert len(shown) == len(tables)
    assert dict(shown) == tables, "python -m tests.bench.scale prints it"


def test_one_project_takes_five_thousand_uploads_a_second_with_the_quotas_that_an_account_has() -> None:
    found = scale.simulate(Case("", 5_000))
    assert (found.rate, found.limit) == (5_000, None)
    assert found.wait is not None
    assert found.wait < 60


def test_under_one_key_it_was_five_hundred() -> None:
    assert scale.simulate(Case("", 5_000, keys=1))[:2] == (500, KEY)


def test_a_stack_takes_fifty_thousand_a_second_with_raised_quotas_and_only_with_them() -> None:
    assert scale.simulate(Case("", 50_000, projects=10, raised=True))[:2] == (50_000, None)
    needed = scale.needed(50_000, 10)
    assert {name for name, limit in LIMITS.items() if needed[name] > limit.default} == {EVENTS, TABLE}
    assert all(needed[name] <= limit.raised for name, limit in LIMITS.items())
    assert scale.simulate(Case("", 50_000, projects=10))[:2] == (10_000, TABLE)


@pytest.mark.parametrize("name", LIMITS)
def test_each_limit_gives_way_at_the_rate_that_needs_all_of_it(name: str) -> None:
    rate, projects = 20_000, 10
    half = scale.needed(rate, projects)[name] / 2
    found = scale.simulate(Case("", rate, projects, raised=True, own={name: half}))
    assert (round(found.rate), found.limit, found.wait) == (rate / 2, name, None)


def test_a_process_asks_for_a_run_twice_in_a_delay_and_for_the_projects_once_a_minute() -> None:
    calls = scale_calls.of_process(10)
    assert calls.requests == pytest.approx(2 / scale_calls.poll_seconds())
    assert calls.documents == pytest.approx(2 / 60)  # the projects and what was granted to them
    assert (calls.looks, calls.recording, calls.waiting) == (1, 4, 2)


def test_with_many_projects_their_documents_give_way_first() -> None:
    found = scale.simulate(Case("", 50_000, projects=200, raised=True))
    assert found.limit == DOCUMENTS
    assert found.rate == pytest.approx(LIMITS[DOCUMENTS].raised / scale_calls.of_process(200).documents / SECONDS)


def test_a_backlog_goes_at_the_rate_of_its_runs() -> None:
    assert scale.drain(rules.MOST_UPLOADS, 60).runs == 1
    many = scale.drain(100 * rules.MOST_UPLOADS, 60)
    assert many.runs == 100
    assert many.hours * 3600 / many.runs == pytest.approx(600 + 15 + 15, rel=0.02)  # the run, the look, the taking


def test_a_full_batch_needs_no_quiet_moment() -> None:
    waits = Window(quiet_seconds=3_000, longest_seconds=86_400, batch=5_000)
    assert scale.drain(5_000, 60, window=waits).hours < 0.05
    assert scale.drain(5_000, 60, window=waits._replace(batch=None)).hours > 0.8


def test_an_upload_costs_about_a_thousandth_of_a_cent() -> None:
    assert sum(scale.costs().values()) < 0.000012
