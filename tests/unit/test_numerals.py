"""Numbers in texts: what is one, and what only Python reads as one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalbox.numerals import NotFiniteError, number, whole_number

ONLY_PYTHONS = [
    "0.4_5",
    "1_0",
    "\u0663",
    "\uff11",
    "1\u0660",
    "\u00bd",
    "\u00b2",
    "0x1p3",
    "1e_3",
    "\u00a01",
    "1\x0b",
    "1\u2003",
]


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.45", 0.45), (" 7\t", 7.0), ("-.5", -0.5), ("+1.", 1.0), ("1e3", 1000.0), ("2.5E-3", 0.0025), ("007", 7.0)],
)
def test_a_number_is_read_as_people_and_programs_write_it(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", [*ONLY_PYTHONS, "", " ", ".", "e3", "1,2", "1 2", "--1", "1e", "five", "True", "0x10"])
def test_what_only_python_reads_as_a_number_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number in the digits 0 to 9") as raised:
        number(text)
    assert not isinstance(raised.value, NotFiniteError)


@pytest.mark.parametrize("text", ["nan", "-NaN", "inf", "+Infinity", "INF", "1e999"])
def test_a_number_that_cannot_be_measured_with_is_told_apart(text: str) -> None:
    with pytest.raises(NotFiniteError, match="is not a finite number"):
        number(text)


@pytest.mark.parametrize(("text", "value"), [("12", 12), (" -3 ", -3), ("+0", 0)])
def test_a_whole_number_is_read(text: str, value: int) -> None:
    assert whole_number(text) == value


@pytest.mark.parametrize("text", [*ONLY_PYTHONS, "", "1.0", "1e3", "0b1", "nan"])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a whole number"):
        whole_number(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_python_writes_is_read_again(value: float) -> None:
    assert number(repr(value)) == value


@given(st.text(st.sampled_from("0123456789.eE+-_ \u0663naif"), max_size=8))
def test_nothing_is_a_number_that_python_reads_otherwise(text: str) -> None:
    try:
        found = number(text)
    except ValueError:
        return
    assert math.isfinite(found)
    assert found == float(text)
