"""A text that has to be JSON, as strictly as Step Functions reads it."""

import json
from typing import Any


def read_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: It is no JSON; NaN and Infinity, which Python would take, are none.
        RecursionError: It is nested too deeply.
    """
    return json.loads(text, parse_constant=_refuse)


def _refuse(name: str) -> None:
    raise ValueError(f"Unrecognized token '{name}'")
