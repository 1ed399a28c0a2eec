"""The verification of a release: config, approval, golden requests."""

import json
from typing import Any

import pytest
from tests.unit.releases_world import EndpointsFake, FilesFake, RegistryFake, arn

from signalbox.releases import Checks, verify
from signalbox.releases.errors import (
    EndpointNotInServiceError,
    GoldenMismatchError,
    PackageWithdrawnError,
    ReleaseError,
    RolledBackError,
)
from signalbox.releases.ports import Answer

REGRESSION: dict[str, Any] = {
    "content_type": "text/csv",
    "problem": "regression",
    "tolerance": 0.001,
    "requests": [
        {"body": "M,0.4", "expected": "8.7"},
        {"body": "F,0.5", "expected": "-10"},
        {"body": "I,0", "expected": "0"},
    ],
}
CLASSES = REGRESSION | {"problem": "classification", "requests": [{"body": "5.1,3.5", "expected": "setosa"}]}
ANSWERS = {"M,0.4": "8.7001\n", "F,0.5": "-10.005", "I,0": "0.0", "5.1,3.5": " setosa\n"}
ASKED: dict[str, Any] = {"endpoint": "e", "config": "c", "package": arn(2), "golden": "golden"}


def checks(golden: Any = None, **answers: Answer) -> Checks:
    """Return the ports: endpoint `e` serves config `c` with package 2."""
    registry, endpoints = RegistryFake(), EndpointsFake()
    registry.put(2, "Approved")
    endpoints.serve("e", "c", arn(2))
    endpoints.answers = {body: Answer(text) for body, text in ANSWERS.items()} | answers
    return Checks(registry, endpoints, FilesFake(golden=golden if isinstance(golden, str) else json.dumps(golden)))


def test_without_golden_requests_the_result_says_that_only_the_config_was_compared() -> None:
    verdict = verify(ASKED | {"golden": None}, checks())

    assert verdict == {"verdict": "released", "checked": ["config"], "answers": 0, "worst_difference": None}


def test_numbers_may_differ_by_the_tolerance_and_the_worst_difference_is_told() -> None:
    ports = checks(REGRESSION)

    verdict = verify(ASKED, ports)

    assert verdict["checked"] == ["config", "golden requests"]
    assert verdict["answers"] == 3
    assert verdict["worst_difference"] == pytest.approx(0.0005)


def test_classes_are_compared_exactly_but_for_the_white_space_around_them() -> None:
    ports = checks(CLASSES)

    assert verify(ASKED, ports)["worst_difference"] == 0.0
    assert isinstance(ports.endpoints, EndpointsFake)
    assert ports.endpoints.asked == [("e", "5.1,3.5", "text/csv")]


@pytest.mark.parametrize(
    ("golden", "body", "answer", "said"),
    [
        (REGRESSION, "F,0.5", Answer("-10.02"), "golden request 2 of 3 was answered -10.02, expected -10 within 0.001"),
        (REGRESSION, "M,0.4", Answer("nan"), "was answered nan, expected 8.7"),
        (REGRESSION, "M,0.4", Answer("ok"), "was answered 'ok', which is not a number"),
        (REGRESSION, "I,0", Answer("0.01"), "golden request 3 of 3"),
        (REGRESSION, "M,0.4", Answer(failure="500"), "golden request 1 of 3 was refused (500)"),
        (CLASSES, "5.1,3.5", Answer("virginica"), "was answered 'virginica', expected 'setosa'"),
    ],
)
def test_the_first_mismatch_is_told(golden: dict[str, Any], body: str, answer: Answer, said: str) -> None:
    with pytest.raises(GoldenMismatchError) as raised:
        verify(ASKED, checks(golden, **{body: answer}))

    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("golden", "said"),
    [
        ("{", "has no golden requests"),
        ({}, "has no golden requests (KeyError('problem'))"),
        (REGRESSION | {"tolerance": None}, "has no golden requests"),
        (REGRESSION | {"problem": "guess"}, "has no usable golden requests"),
        (REGRESSION | {"requests": [{"body": "M", "expected": "inf"}]}, "has no usable golden requests"),
        (REGRESSION | {"requests": [{"body": 7, "expected": "1"}]}, "has no usable golden requests"),
        (REGRESSION | {"requests": [{"body": "M", "expected": "many"}]}, "has no golden requests"),
        (REGRESSION | {"content_type": ""}, "has no usable golden requests"),
    ],
)
def test_golden_requests_that_cannot_be_used_are_no_proof(golden: Any, said: str) -> None:
    with pytest.raises(ReleaseError) as raised:
        verify(ASKED, checks(golden))

    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("status", "reason", "said"),
    [
        ("Failed", "no answer to /ping", "endpoint e is Failed, not InService: no answer to /ping"),
        ("Creating", "", "endpoint e is Creating, not InService: SageMaker gave no reason"),
    ],
)
def test_an_endpoint_that_does_not_serve_is_told_with_sagemakers_reason(status: str, reason: str, said: str) -> None:
    ports = checks()
    assert isinstance(ports.endpoints, EndpointsFake)
    ports.endpoints.serve("e", "c", arn(2), status, reason)

    with pytest.raises(EndpointNotInServiceError) as raised:
        verify(ASKED, ports)

    assert said in str(raised.value)


def test_an_endpoint_that_is_gone_does_not_serve() -> None:
    with pytest.raises(EndpointNotInServiceError, match="other is gone"):
        verify(ASKED | {"endpoint": "other"}, checks())


def test_in_service_on_another_config_is_a_rollback() -> None:
    with pytest.raises(RolledBackError, match="InService, but on c, not on new: SageMaker rolled the update back"):
        verify(ASKED | {"config": "new"}, checks())


@pytest.mark.parametrize(("version", "said"), [(3, "is Rejected, no longer Approved"), (4, "is not registered")])
def test_a_package_that_was_rejected_while_it_was_deployed_does_not_stay(version: int, said: str) -> None:
    ports = checks()
    assert isinstance(ports.registry, RegistryFake)
    ports.registry.put(3, "Rejected")

    with pytest.raises(PackageWithdrawnError, match=said):
        verify(ASKED | {"package": arn(version)}, ports)


def test_what_was_there_before_is_not_asked_for_its_approval() -> None:
    assert verify(ASKED | {"package": None, "golden": None}, checks())["verdict"] == "released"
