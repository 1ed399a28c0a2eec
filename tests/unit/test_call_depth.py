"""From a handler to a call of AWS are few steps, so that a reader finds soon what a function does."""

import importlib
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import FrameType
from typing import Any

import pytest
from tests.bench.inside import Canned
from tests.bench.usual import ENVIRONMENT, USUAL
from tests.support.documents import ROOT
from tests.support.samples import lambda_context

from signalbox import settings

MOST = 6
OURS = tuple(f"{ROOT / folder}/" for folder in ("functions", "layers"))


def chain(frame: FrameType | None) -> list[str]:
    """Return the names of our own functions that are on the stack, the handler first."""
    names = []
    while frame is not None:
        if frame.f_code.co_filename.startswith(OURS):
            names.append(frame.f_code.co_qualname)
        frame = frame.f_back
    return names[::-1]


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> threading.local:
    """Return where a thread of a pool finds, as `chain`, the functions that have given it its work."""
    told, submit = threading.local(), ThreadPoolExecutor.submit

    def submit_with_chain(pool: ThreadPoolExecutor, work: Callable[..., Any], *given: Any) -> Future[Any]:
        before = chain(sys._getframe())

        def working() -> Any:
            told.chain = before
            return work(*given)

        return submit(pool, working)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", submit_with_chain)
    return told


def forget() -> None:
    """Empty every cache of the layer and the functions, as in a new execution environment."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("signalbox.", "functions.")):
            for value in vars(module).values():
                getattr(value, "cache_clear", lambda: None)()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for base in settings.Settings.__subclasses__():
        for field in base.__annotations__:
            monkeypatch.setenv(field.upper(), ENVIRONMENT.get(field.upper(), "1"))
    forget()
    yield
    forget()


@pytest.mark.parametrize("name", sorted(USUAL))
def test_from_the_handler_to_a_call_of_aws_are_few_steps(
    name: str, submitted: threading.local, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, chains = USUAL[name](), []

    class Counting(Canned):
        def __init__(self, service: str, **_: int) -> None:
            super().__init__(usual.answers, service)

        def __getattr__(self, operation: str) -> Callable[..., Any]:
            answer = super().__getattr__(operation)

            def call(**request: Any) -> Any:
                chains.append([*getattr(submitted, "chain", []), *chain(sys._getframe()), operation])
                return answer(**request)

            return call

    monkeypatch.setattr("signalbox.aws.clients.client", Counting)
    importlib.import_module(f"functions.{name}.app").handler(usual.event, lambda_context(name))

    deepest = max(chains, key=len)
    assert all(one[0] == "handler" for one in chains)
    assert len(deepest) - 1 <= MOST, " → ".join(deepest)
