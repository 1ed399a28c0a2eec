"""Numbers in texts that others wrote: one reading for rows, reports, answers, properties and settings.

Python's own `int` and `float` also read `1_0` and digits of other scripts; who writes such a text to a model, or a
person who reads it, means no number by it.
"""

import math

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
    try:
        found = float(_digits(text))
    except ValueError:
        raise ValueError(f"{text!r} is not a number in the digits 0 to 9") from None
    if not math.isfinite(found):
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
    try:
        return int(_digits(text))
    except ValueError:
        raise ValueError(f"{text!r} is not a whole number in the digits 0 to 9") from None


def _digits(text: str) -> str:
    """Return the text without what may stand around it; "", which is no number, where Python would read too much."""
    plain = text.strip(_AROUND)
    return plain if plain.isascii() and "_" not in plain and plain == plain.strip() else ""
