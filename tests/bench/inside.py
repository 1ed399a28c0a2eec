"""Runs in a process that has only what a Lambda function has: handles the usual event of one function again and again.

Started by `handling.py`. What the function logs goes to standard output and is thrown away; the figures go to standard
error.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from tests.bench.usual import USUAL, Answers
from tests.support.samples import lambda_context

_BEFORE, _COUNTED = 20, 200


class Canned:
    """A client that answers as it was told, without checking, copying or remembering anything."""

    def __init__(self, answers: Answers, service: str) -> None:
        self._answers = answers.get(service, {})

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        """Return an operation.

        Raises:
            AttributeError: it has no answer.
        """
        if operation.startswith("_") or operation not in self._answers:
            raise AttributeError(operation)
        answer = self._answers[operation]

        def call(**request: Any) -> Any:
            return answer(**request) if callable(answer) else answer

        call.__name__ = operation
        return call

    def get_paginator(self, operation: str) -> "_Pages":
        """Return what gives the operation's answer as the only page."""
        return _Pages(getattr(self, operation))


class _Pages:
    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def paginate(self, **request: Any) -> Iterator[Any]:
        yield self._call(**request)


def main(function: str) -> None:
    """Print what the first event took, then each further one, and beside each an empty handler: seconds, as JSON."""
    from signalbox.aws import clients  # noqa: PLC0415  # the layer's
    from signalbox.observability import logger, metrics  # noqa: PLC0415  # the same

    usual, context = USUAL[function](), lambda_context(function)
    clients.client = lambda service, **_: Canned(usual.answers, service)  # type: ignore[assignment]  # what it stands for
    handler = import_module("app").handler

    @logger.inject_lambda_context(clear_state=True)
    @metrics.log_metrics
    def empty(event: dict[str, Any], context: Any) -> dict[str, Any]:  # a handler's signature
        """Do nothing between the decorators that every handler has."""
        logger.info("nothing done")
        metrics.add_metric(name="NothingDone", unit="Count", value=1)
        return {}

    first = _seconds(handler, usual.event, context)
    for _ in range(_BEFORE):
        _seconds(handler, usual.event, context)
        _seconds(empty, usual.event, context)
    pairs = [(_seconds(handler, usual.event, context), _seconds(empty, usual.event, context)) for _ in range(_COUNTED)]
    sys.stderr.write("\n" + json.dumps({"first": first, "pairs": pairs}))


def _seconds(handler: Callable[..., Any], event: dict[str, Any], context: Any) -> float:
    begun = time.perf_counter()
    handler(event, context)
    return time.perf_counter() - begun
