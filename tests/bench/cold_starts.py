"""Cold starts: a function's import, dependencies and first client, beside a program that only makes that client."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.built import Function, Stack
from tests.bench.figures import Ratio
from tests.bench.usual import SERVICES

# The clock starts after the interpreter has; both programs have the same one.
_MEASURED = """
import time
wall, cpu = time.perf_counter(), time.process_time()
{begin}
first = time.perf_counter() - wall, time.process_time() - cpu
{rest}
sys.stderr.write("\\n" + " ".join(map(str, (*first, time.perf_counter() - wall, time.process_time() - cpu))))
"""
_OWN = """
import app
app._ports()
from signalbox.aws import clients
clients.client({service!r}).meta
"""
_BARE = """
import boto3
boto3.client({service!r})
"""


@dataclass(frozen=True)
class Start:
    """A function's cold start in seconds, beside the bare client's.

    `wall` and `cpu` go as far as the first client; `complete` is CPU time as far as all clients of a usual event,
    beside a bare program that makes the same.
    """

    function: str
    service: str
    services: int
    wall: Ratio
    cpu: Ratio
    complete: Ratio


def measure(stack: Stack, rounds: int, progress: Callable[[str], None]) -> list[Start]:
    """Return the cold start of each function: own and bare by turns, in fresh processes, `rounds` pairs of each."""
    for function in stack.functions:  # the files come from the disk once, before anything counts
        _own(stack, function)
        _bare(stack, SERVICES[function.name])
    found: dict[str, list[tuple[list[float], list[float]]]] = {function.name: [] for function in stack.functions}
    for number in range(rounds):
        progress(f"cold starts, round {number + 1} of {rounds}")
        for function in stack.functions:
            found[function.name].append(_pair(stack, function, own_first=number % 2 == 0))
    return [_start(name, pairs) for name, pairs in found.items()]


def _pair(stack: Stack, function: Function, *, own_first: bool) -> tuple[list[float], list[float]]:
    if own_first:
        own = _own(stack, function)
        return own, _bare(stack, SERVICES[function.name])
    bare = _bare(stack, SERVICES[function.name])
    return _own(stack, function), bare


def _own(stack: Stack, function: Function) -> list[float]:
    first, *others = SERVICES[function.name]
    rest = "\n".join(f"clients.client({service!r}).meta" for service in others)
    return _figures(stack.run(function, _MEASURED.format(begin=_OWN.format(service=first), rest=rest)))


def _bare(stack: Stack, services: tuple[str, ...]) -> list[float]:
    first, *others = services
    rest = "\n".join(f"boto3.client({service!r})" for service in others)
    return _figures(stack.run(None, _MEASURED.format(begin=_BARE.format(service=first), rest=rest)))


def _figures(said: str) -> list[float]:
    return [float(word) for word in said.split()]


def _start(name: str, pairs: list[tuple[list[float], list[float]]]) -> Start:
    wall, cpu, _, complete = (Ratio.of([(own[index], bare[index]) for own, bare in pairs]) for index in range(4))
    return Start(name, SERVICES[name][0], len(SERVICES[name]), wall, cpu, complete)
