"""Numbers, times and names as people read them."""

import pytest
from tests.support.reviews import PACKAGE

from signalbox import words


@pytest.mark.parametrize(
    ("value", "text", "signed"),
    [
        (0, "0", "0"),
        (0.000012345, "1.234e−05", "+1.234e−05"),
        (-3.14159, "−3.142", "−3.142"),
        (1234567, "1,234,567", "+1,234,567"),
        (-12345678.9, "−12,345,679", "−12,345,679"),
        (1e20, "1e+20", "+1e+20"),
        (float("nan"), "not a number", "not a number"),
    ],
)
def test_numbers_are_written_for_people(value: float, text: str, signed: str) -> None:
    assert words.number(value) == text
    assert words.number(value, signed=True) == signed


@pytest.mark.parametrize(
    ("metric", "name"), [("r2", "R²"), ("rmse", "RMSE"), ("accuracy", "Accuracy"), ("f1_macro", "F1 macro")]
)
def test_metrics_have_names_for_people(metric: str, name: str) -> None:
    assert words.label(metric) == name


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (134, "2 min 14 s"),
        (3599, "59 min 59 s"),
        (7320, "2 h 2 min"),
    ],
)
def test_time_spans_are_written_for_people(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("dollars", "text"), [(83.95, "about $83.95"), (1460, "about $1,460.00"), (0.0039, "less than $0.01")]
)
def test_amounts_that_were_reckoned_are_written_for_people(dollars: float, text: str) -> None:
    assert words.money(dollars) == text


@pytest.mark.parametrize(
    ("day", "text"),
    [
        ("2026-08-11", "11 August 2026"),
        ("2026-08-01", "1 August 2026"),
        ("2023-12", "December 2023"),
        ("2026-02-30", "2026-02-30"),
        ("soon", "soon"),
        ("", ""),
    ],
)
def test_a_day_or_a_month_is_written_for_people_and_another_text_stays(day: str, text: str) -> None:
    assert words.day(day) == text


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2026-03-01T10:20:30.000000Z", "Sunday 1 March 2026, 10:20 UTC"),
        ("2026-03-01T00:20:30+02:00", "Saturday 28 February 2026, 22:20 UTC"),
        ("1772360430000", "Sunday 1 March 2026, 10:20 UTC"),
        ("soon", "soon"),
        ("", ""),
    ],
)
def test_a_moment_is_written_for_people_and_another_text_stays(moment: str, text: str) -> None:
    assert words.when(moment) == text


def test_a_package_is_named_by_its_version_and_by_its_group() -> None:
    assert words.package_label(PACKAGE) == "version 3"
    assert words.package_name(PACKAGE) == "signalbox-abalone/3"


def test_a_package_of_another_kind_of_arn_is_still_named() -> None:
    assert words.package_label("arn:aws:sagemaker:eu-west-1:123456789012:model-package/odd") == "model-package/odd"
    assert words.package_name("odd") == "odd"


@pytest.mark.parametrize(
    ("names", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["staging", "canary", "prod"], "staging, canary and prod")],
)
def test_names_are_listed_as_in_a_sentence(names: list[str], text: str) -> None:
    assert words.listed(names) == text


def test_a_commit_is_shown_by_its_first_seven_digits_and_what_is_none_as_it_is() -> None:
    assert words.commit("4f1c2e9ab7d0") == words.Shortened("4f1c2e9", "4f1c2e9ab7d0")
    assert words.short_commit("4F1C2E9AB7D0") == "4F1C2E9"
    for text in ("8c1d", "main/8c1d", "4f1c2e9 ", "4f1c2e9\n", "g" * 40, "1" * 65, ""):
        assert not words.is_commit(text)
        assert words.commit(text) == words.short_commit(text) == text
