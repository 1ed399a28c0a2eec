"""A moment has one spelling in every table, and every earlier spelling is still read."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from signalbox import moments

MOMENT = datetime(2026, 11, 20, 12, 0, 5, 120_000, tzinfo=UTC)


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))])
def test_a_moment_is_written_in_utc_whatever_its_zone(zone: timezone) -> None:
    assert moments.text_of(MOMENT.astimezone(zone)) == "2026-11-20T12:00:05.120000Z"


def test_texts_sort_as_their_moments_do() -> None:
    steps = [timedelta(0), timedelta(microseconds=1), timedelta(seconds=1), timedelta(days=400)]
    texts = [moments.text_of(MOMENT + step) for step in steps]
    assert texts == sorted(texts)


def test_the_spelling_of_earlier_versions_sorts_among_the_texts_by_its_time() -> None:
    earlier = MOMENT.isoformat(timespec="microseconds")
    moment = timedelta(microseconds=1)
    assert moments.text_of(MOMENT - moment) < earlier < moments.text_of(MOMENT + moment)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T12:00:05.120000Z",
        "2026-11-20T12:00:05.120000+00:00",
        "2026-11-20T12:00:05.12Z",
        "2026-11-20T17:30:05.120+05:30",
        "1795176005120",
        "1795176005120.0",
    ],
)
def test_every_spelling_of_a_moment_is_read(text: str) -> None:
    found = moments.moment_of(text)
    assert found == MOMENT
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("yesterday", "'yesterday' is not an ISO time: give one such as 2026-11-20T10:00:14Z"),
        ("", "'' is not an ISO time"),
        ("2026-11-20T12:00:05", "'2026-11-20T12:00:05' has no time zone: give one such as"),
        ("-5", "'-5' is not an ISO time"),
    ],
)
def test_a_text_that_is_no_moment_is_refused_with_an_example(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        moments.moment_of(text)


def test_now_is_a_moment_in_utc() -> None:
    before = datetime.now(UTC)
    assert before <= moments.now() <= datetime.now(UTC)
    assert moments.now().tzinfo is UTC
