"""Numbers in texts that others wrote: one reading for rows, reports, answers, properties and settings.

Python's own `int` and `float` also read `1_0` and digits of other scripts; who writes such a text to a model, or a
person who reads it, means no number by it.
"""

import math
import re

_WHOLE = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf(inity)?)", re.IGNORECASE)
_AROUND = " \t\r\n"


class NotFiniteError(ValueError):
    """A text is a number for a program, but none that can be measured with: not a number, or infinite."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is not a finite number")


def number(text: str) -> float:
    """Return the finite number that a text is: ASCII digits, a point, an exponent; blanks around it do not count.

    Raises:
        NotFiniteError: it is `nan`, `inf`, or larger than any number.
        ValueError: it is no number.
    """
    plain = text.strip(_AROUND)
    if _NOT_FINITE.fullmatch(plain):
        raise NotFiniteError(text)
    if not _DECIMAL.fullmatch(plain):
        raise ValueError(f"{text!r} is not a number in the digits 0 to 9")
    found = float(plain)
    if math.isinf(found):
        raise NotFiniteError(text)
    return found


def number_or_none(text: str) -> float | None:
    """Return the finite number that a text is, None where it is none: `1e-3`, but not `1,234.5`, `nan` or `1_000`."""
    try:
        return number(text)
    except ValueError:
        return None


def whole_number(text: str) -> int:
    """Return the whole number that a text is: ASCII digits; blanks around it do not count.

    Raises:
        ValueError: it is none.
    """
    plain = text.strip(_AROUND)
    if not _WHOLE.fullmatch(plain):
        raise ValueError(f"{text!r} is not a whole number in the digits 0 to 9")
    return int(plain)
