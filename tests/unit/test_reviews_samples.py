"""Test rows as a person reads them: cell by cell, with the names of their columns where they are known."""

import json

import pytest
from tests.support.reviews import report

from signalbox.reviews import evidence
from signalbox.reviews.samples import ShownSample

COLUMNS = ["Sex", "Whole weight"]


def shown(row: str, columns: list[str] | None = None) -> ShownSample:
    kept = [{"input": row, "expected": "15", "predicted": "a class"}]
    return evidence.shown(
        evidence.freeze(json.dumps(report(samples=kept, lineage={"columns": COLUMNS if columns is None else columns})))
    ).samples[0]


def test_a_row_has_the_names_of_its_columns() -> None:
    assert shown("M,0.514").input == "Sex M, Whole weight 0.514"


@pytest.mark.parametrize("columns", [[], ["Sex"], ["Sex", "Length", "Height"]])
def test_names_that_do_not_fit_the_row_are_left_out(columns: list[str]) -> None:
    assert shown("M,0.514", columns).input == "M,0.514"


def test_a_row_that_was_cut_has_the_names_of_what_is_left_of_it() -> None:
    assert shown("M,0.5…", ["Sex", "Length", "Height"]).input == "Sex M, Length 0.5…"


def test_a_cell_with_a_comma_is_one_cell() -> None:
    assert [cell.value for cell in shown('"M, or F",0.514').cells] == ["M, or F", "0.514"]


def test_a_row_that_was_cut_inside_its_quotes_is_shown() -> None:
    assert shown('M,"a long tex…', []).input == "M,a long tex…"


@pytest.mark.parametrize(
    ("value", "number"),
    [("0.514", True), ("-1e-05", True), ("M", False), ("1_000", False), ("", False), ("nan", False)],
)
def test_numbers_are_told_from_other_values(value: str, number: bool) -> None:
    assert shown(f"M,{value}").cells[1].number == number
