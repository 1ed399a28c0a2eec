"""Every function has a usual event that it handles to the end, with the answers that the bench gives it."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.bench.inside import Canned
from tests.bench.usual import CONTENT, ENVIRONMENT, SERVICES, USUAL
from tests.support.samples import lambda_context

from signalbox import settings
from signalbox.reviews import adapters

FUNCTIONS = sorted(path.parent.name for path in Path("functions").glob("*/app.py"))
# What shows that an event went the way that is meant, and not a shorter one.
PROOFS: dict[str, tuple[str, Any]] = {
    "announce": ("mailed", 1),
    "close_review": ("decision", "expired"),
    "evaluate_model": ("report", "s3://artifacts/evaluations/run-7/report.json"),
    "invoke_endpoint": ("statusCode", 200),
    "on_code_push": ("batchItemFailures", []),
    "on_model_package": ("outcome", "release-started"),
    "pin_model": ("content", CONTENT),
    "plan_release": ("action", "create-model"),
    "plan_training": ("entry", "image"),
    "receive_hook": ("statusCode", 202),
    "record_uploads": ("batchItemFailures", []),
    "report_execution": ("outcome", "notified"),
    "report_run": ("outcome", "notified"),
    "request_review": ("mailed", 1),
    "review_page": ("statusCode", 200),
    "start_run": ("batchItemFailures", []),
    "verify_release": ("answers", 10),
}


def _forget(app: ModuleType) -> None:
    for cache in (app._ports, adapters.secret):
        cache.cache_clear()


def test_every_function_is_measured() -> None:
    assert sorted(USUAL) == sorted(SERVICES) == FUNCTIONS


@pytest.mark.parametrize("name", sorted(USUAL))
def test_a_usual_event_goes_all_its_way(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    usual, used = USUAL[name](), set()
    for base in settings.Settings.__subclasses__():
        for field in base.__annotations__:
            monkeypatch.setenv(field.upper(), ENVIRONMENT.get(field.upper(), "1"))

    class Noting(Canned):
        def __init__(self, service: str, **_: int) -> None:
            super().__init__(usual.answers, service)
            self.service = service

        def __getattr__(self, operation: str) -> Any:
            answer = super().__getattr__(operation)
            used.add((self.service, operation))
            return answer

    monkeypatch.setattr("signalbox.aws.clients.client", Noting)
    app = importlib.import_module(f"functions.{name}.app")
    _forget(app)
    first, again = (app.handler(usual.event, lambda_context(name)) for _ in range(2))
    _forget(app)

    key, value = PROOFS[name]
    assert (first[key], again[key]) == (value, value)
    assert used == {(service, operation) for service, answers in usual.answers.items() for operation in answers}
    assert set(SERVICES[name]) == {service for service, _ in used}


def test_an_operation_without_an_answer_is_noticed() -> None:
    with pytest.raises(AttributeError):
        _ = Canned({"s3": {}}, "s3").get_object
