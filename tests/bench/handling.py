"""Handling in a warm process without calls to AWS, beside a handler that has the same decorators and does nothing."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from statistics import quantiles

from tests.bench.built import Stack
from tests.bench.figures import Ratio
from tests.gates.template import ROOT

_PROGRAM = "from tests.bench.inside import main\nmain({name!r})"


@dataclass(frozen=True)
class Handling:
    """Seconds of the first event (with what is loaded only then), of a usual one, and of the slowest 5 %."""

    function: str
    first: float
    usual: Ratio
    slow: float


def measure(stack: Stack, progress: Callable[[str], None]) -> list[Handling]:
    """Return the handling of each function, each in a fresh process."""
    found = []
    for function in stack.functions:
        progress(f"handling, {function.name}")
        read = json.loads(stack.run(function, _PROGRAM.format(name=function.name), ROOT))
        slow = quantiles([own for own, _ in read["pairs"]], n=20)[-1]
        found.append(Handling(function.name, read["first"], Ratio.of(read["pairs"]), slow))
    return found
