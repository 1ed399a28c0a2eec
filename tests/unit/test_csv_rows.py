"""CSV as batch transforms and endpoints have it."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalbox import csv_rows

VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1).map(str.strip).filter(bool)


@given(st.lists(VALUES, min_size=1, max_size=12))
def test_values_are_read_back_as_they_were_written_with_their_commas_and_quotes(values: list[str]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([value] for value in values)
    assert csv_rows.answers(text.getvalue(), len(values)) == values


@given(st.lists(VALUES, min_size=2, max_size=12))
def test_values_in_one_line_are_told_apart_by_the_number_of_rows(values: list[str]) -> None:
    assert csv_rows.answers(csv_rows.text_of(values), len(values)) == values


@pytest.mark.parametrize(
    ("text", "rows", "message"),
    [
        ("0.1,0.9\n0.2,0.8\n0.3,0.7\n", 3, r"answered 2 columns a row \(0.1,0.9\) in place of one value"),
        ("0.1,0.9\n", 1, r"answered 2 columns a row \(0.1,0.9\)"),
        ("prediction\n8.7\n", 1, "answered 2 lines to 1 rows, beginning with 'prediction"),
        ('{"predictions": [1, 2]}', 3, 'answered 1 lines to 3 rows, beginning with \'{"predictions"'),
        ("", 1, "answered 0 lines to 1 rows"),
        ("x" * 140_000, 1, "which is not CSV"),
    ],
)
def test_an_answer_that_is_not_one_value_a_row_is_shown(text: str, rows: int, message: str) -> None:
    with pytest.raises(csv_rows.AnswerError, match=message):
        csv_rows.answers(text, rows)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0")), min_size=2, max_size=6))
def test_a_line_has_the_cells_that_were_written(cells: list[str]) -> None:
    assert csv_rows.cells(csv_rows.text_of(cells)) == cells


@pytest.mark.parametrize(
    ("first", "second", "header"),
    [
        (["sex", "length"], ["M", "0.4"], True),
        (["x1", "x2"], ["0.1", "0.2"], True),
        (["M", "N/A"], ["M", "0.4"], False),
        (["M", ""], ["M", "0.4"], False),
        (["M", "0.3"], ["M", "0.4"], False),
        (["length", "0.3"], ["0.1", "0.4"], False),
        (["red", "SW1A"], ["blue", "90210"], False),
        (["red", "small"], ["blue", "large"], False),
        (["ri", "Na", "mg"], ["1.5", "13.6", "4.5"], True),
        (["", "length", "width"], ["0", "0.4", "0.3"], True),
        (["unknown", "unknown"], ["0.1", "0.2"], False),
        (["unknown", ""], ["0.1", "0.2"], False),
        ([], [], False),
    ],
)
def test_a_header_has_words_where_the_row_below_has_numbers(first: list[str], second: list[str], header: bool) -> None:
    assert csv_rows.is_header(first, second) is header
