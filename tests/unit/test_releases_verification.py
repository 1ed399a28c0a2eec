"""The verification of a release: config, approval, golden requests."""

import io
import json
from copy import replace
from typing import Any

import pytest
from tests.support.botocore_strict import RecordingClient
from tests.unit.releases_world import FilesFake, ModelsFake, RegistryFake, SageMakerFake, arn

from signalbox.aws.model import ModelAnswer
from signalbox.aws.s3 import ObjectStore
from signalbox.contracts.releases import VerificationQuestion
from signalbox.releases.model import (
    EndpointNotInServiceError,
    GoldenMismatchError,
    PackageWithdrawnError,
    ReleaseError,
    RolledBackError,
)
from signalbox.releases.verifying import VerifyingPorts, verify

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
ASKED: VerificationQuestion = {"endpoint": "e", "config": "c", "package": arn(2), "golden": "golden"}


def checks(golden: Any = None, **answers: ModelAnswer) -> VerifyingPorts:
    """Return the ports: endpoint `e` serves config `c` with package 2."""
    registry, sagemaker, models = RegistryFake(), SageMakerFake(), ModelsFake()
    registry.put(2, "Approved")
    sagemaker.serve("e", "c", arn(2))
    models.answers |= {body: ModelAnswer(text) for body, text in ANSWERS.items()} | answers
    text = golden if isinstance(golden, str) else json.dumps(golden)
    return VerifyingPorts(registry, sagemaker, models, FilesFake(golden=text))


def test_without_golden_requests_only_the_config_is_compared_and_no_answer_is_counted() -> None:
    verified = verify({**ASKED, "golden": None}, checks())

    assert verified == {"answers": 0}


def test_numbers_may_differ_by_the_tolerance_and_the_worst_difference_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level("INFO", logger="signalbox"):
        verified = verify(ASKED, checks(REGRESSION))

    assert verified == {"answers": 3}
    (record,) = [record for record in caplog.records if record.message == "release verified"]
    assert vars(record)["worst_difference"] == pytest.approx(0.0005)


def test_classes_are_compared_exactly_but_for_the_white_space_around_them() -> None:
    ports = checks(CLASSES)

    assert verify(ASKED, ports) == {"answers": 1}
    assert isinstance(ports.models, ModelsFake)
    assert ports.models.asked == [("e", "5.1,3.5", "text/csv")]


@pytest.mark.parametrize(
    ("golden", "body", "answer", "said"),
    [
        (
            REGRESSION,
            "F,0.5",
            ModelAnswer("-10.02"),
            "golden request 2 of 3 was answered -10.02, expected -10 within 0.001",
        ),
        (REGRESSION, "M,0.4", ModelAnswer("nan"), "was answered 'nan', which is not a number"),
        (REGRESSION, "M,0.4", ModelAnswer("8.7_0"), "was answered '8.7_0', which is not a number"),
        (REGRESSION, "M,0.4", ModelAnswer("\uff18.7"), "which is not a number"),
        (REGRESSION, "M,0.4", ModelAnswer("ok"), "was answered 'ok', which is not a number"),
        (REGRESSION, "I,0", ModelAnswer("0.01"), "golden request 3 of 3"),
        (REGRESSION, "M,0.4", ModelAnswer(failure="500"), "golden request 1 of 3 was refused (500)"),
        (CLASSES, "5.1,3.5", ModelAnswer("virginica"), "was answered 'virginica', expected 'setosa'"),
    ],
)
def test_the_first_mismatch_is_told(golden: dict[str, Any], body: str, answer: ModelAnswer, said: str) -> None:
    with pytest.raises(GoldenMismatchError) as raised:
        verify(ASKED, checks(golden, **{body: answer}))

    assert said in str(raised.value)


def answering(problem: str, expected: str, answer: str) -> VerifyingPorts:
    requests = [{"body": "row", "expected": expected}]
    golden = REGRESSION | {"problem": problem, "tolerance": 0.001, "requests": requests}
    return checks(golden, row=ModelAnswer(answer))


@pytest.mark.parametrize(
    ("problem", "expected", "answer"),
    [
        ("multiclass", "Smith, John", '"Smith, John"\r\n'),
        ("multiclass", 'a "b"', '"a ""b"""\n'),
        ("classification", "Smith, John", '"Smith, John"'),
        ("multiclass", "1", "1.0\n"),
        ("multiclass", "1.000000000000000000e+00", "1.000000000000000000e+00"),
        ("binary", "0.83", "0.83001"),
        ("binary", "yes", " yes \n\n"),
        ("regression", "8.7", '"8.7001"'),
    ],
)
def test_answers_are_compared_as_values_of_csv(problem: str, expected: str, answer: str) -> None:
    assert verify(ASKED, answering(problem, expected, answer)) == {"answers": 1}


@pytest.mark.parametrize(
    ("problem", "expected", "answer", "said"),
    [
        ("multiclass", "100000", "100001", "was answered 100001, expected 100000 within 0"),
        ("binary", "0.83", "0.84", "was answered 0.84, expected 0.83 within 0.001"),
        ("binary", "yes", "0.9", "was answered '0.9', expected 'yes'"),
        ("regression", "45", "4_5", "was answered '4_5', which is not a number"),
        (
            "multiclass",
            "a",
            "0.1,0.9",
            "was no value: the model answered 2 columns a row (0.1,0.9) in place of one value",
        ),
        ("multiclass", "a", "label\na\n", "was no value: the model answered 2 lines to 1 rows, beginning with 'label"),
        ("multiclass", "a", "", "was no value: the model answered 0 lines to 1 rows"),
        ("multiclass", "a", '{"label": "a"}', "was answered"),
    ],
)
def test_an_answer_of_another_value_or_shape_is_shown(problem: str, expected: str, answer: str, said: str) -> None:
    with pytest.raises(GoldenMismatchError) as raised:
        verify(ASKED, answering(problem, expected, answer))

    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("golden", "said"),
    [
        ("{", "has no usable golden requests (the text is not JSON"),
        ([], "has no usable golden requests (the text is []: give an object)"),
        (
            {},
            "usable golden requests (problem is missing: allowed are regression, binary, multiclass, classification)",
        ),
        (REGRESSION | {"tolerance": None}, "(tolerance is missing: give a finite number)"),
        (REGRESSION | {"problem": "guess"}, '(problem is "guess": allowed are'),
        (
            REGRESSION | {"requests": [{"body": "M", "expected": "inf"}]},
            '(requests[0].expected is "inf": give a finite number)',
        ),
        (REGRESSION | {"requests": [{"body": 7, "expected": "1"}]}, "(requests[0].body is 7: give a text)"),
        (
            CLASSES | {"requests": [{"body": "M", "expected": {}}]},
            "expected is {}: give a text or a number)",
        ),
        (REGRESSION | {"requests": [{"body": "M", "expected": "many"}]}, '(requests[0].expected is "many": give a'),
        (REGRESSION | {"requests": 7}, "(requests is 7: give a list of 0 to 10000 objects)"),
        (REGRESSION | {"content_type": ""}, '(content_type is "": give a text that is not empty)'),
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
    assert isinstance(ports.endpoints, SageMakerFake)
    ports.endpoints.serve("e", "c", arn(2), status, reason)

    with pytest.raises(EndpointNotInServiceError) as raised:
        verify(ASKED, ports)

    assert said in str(raised.value)


def test_an_endpoint_that_is_gone_does_not_serve() -> None:
    with pytest.raises(EndpointNotInServiceError, match="other is gone"):
        verify({**ASKED, "endpoint": "other"}, checks())


def test_in_service_on_another_config_is_a_rollback() -> None:
    with pytest.raises(RolledBackError, match="InService, but on c, not on new: SageMaker rolled the update back"):
        verify({**ASKED, "config": "new"}, checks())


@pytest.mark.parametrize(("version", "said"), [(3, "is Rejected, no longer Approved"), (4, "is not registered")])
def test_a_package_that_was_rejected_while_it_was_deployed_does_not_stay(version: int, said: str) -> None:
    ports = checks()
    assert isinstance(ports.packages, RegistryFake)
    ports.packages.put(3, "Rejected")

    with pytest.raises(PackageWithdrawnError, match=said):
        verify({**ASKED, "package": arn(version)}, ports)


def test_what_was_there_before_is_not_asked_for_its_approval() -> None:
    ports = checks()
    assert isinstance(ports.packages, RegistryFake)
    ports.packages.put(2, "Rejected")

    assert verify({**ASKED, "package": None, "golden": None}, ports) == {"answers": 0}


def test_golden_requests_that_are_not_there_are_told_with_their_uri() -> None:
    with pytest.raises(ReleaseError, match=r"s3://artifacts/none\.json does not exist: evaluate the package again"):
        verify({**ASKED, "golden": "s3://artifacts/none.json"}, checks())


def test_golden_requests_are_read_from_s3_and_nothing_else_is_an_address() -> None:
    s3: Any = RecordingClient("s3", {"get_object": {"Body": io.BytesIO(b"{}"), "ContentLength": 2}})
    ports = replace(checks(), files=ObjectStore(s3))

    with pytest.raises(ReleaseError, match=r"evaluations/run/golden\.json has no usable golden requests"):
        verify({**ASKED, "golden": "s3://artifacts/evaluations/run/golden.json"}, ports)
    with pytest.raises(ReleaseError, match=r"'golden\.json' is not the S3 URI.*correct the package's property"):
        verify({**ASKED, "golden": "golden.json"}, ports)
    assert s3.requests("GetObject") == [{"Bucket": "artifacts", "Key": "evaluations/run/golden.json"}]
