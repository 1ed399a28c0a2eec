"""The functions of the release journey: the environment, the clients and the rule are wired together."""

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from functions.on_model_package import app as on_model_package
from functions.plan_release import app as plan_release
from functions.verify_release import app as verify_release
from tests.support.botocore_strict import RecordingClient
from tests.support.objects import RememberedObjects
from tests.support.parameters import RememberedParameters
from tests.support.samples import sample, with_detail
from tests.unit.releases_world import after, arn, content, failed, question, report, report_of

if TYPE_CHECKING:
    from signalbox.contracts.releases import VerificationQuestion

MODULES: tuple[Any, ...] = (plan_release, verify_release, on_model_package)
CONTEXT: Any = SimpleNamespace(
    function_name="f",
    memory_limit_in_mb=128,
    invoked_function_arn="arn:aws:lambda:us-east-1:1:function:f",
    aws_request_id="r",
)
CONTAINER = {"Image": content(2)["image"], "ModelDataUrl": content(2)["model_data"], "Environment": {"VERSION": "2"}}
PACKAGE = {
    "ModelPackageArn": arn(2),
    "ModelPackageStatus": "Completed",
    "ModelApprovalStatus": "Approved",
    "InferenceSpecification": {"Containers": [CONTAINER], "SupportedContentTypes": ["text/csv"]},
    "CustomerMetadataProperties": {"report": report_of(2)},
}
STAGES = '{"stages": [{"name": "prod", "instance_type": "ml.m5.large", "instance_count": 1}]}'
ENVIRONMENT = {
    "SENDER": "models@example.com",
    "MAIL_SETTINGS": "settings",
    "REPLY_TO": "models@example.com",
    "APPROVERS": "ann@example.com",
    "PREFIX": "signalbox",
    "STAGES_PARAMETER": "stages",
    "RELEASES_TABLE": "releases",
    "REVIEWS_TABLE": "reviews",
    "POLL_SECONDS": "30",
    "MODEL_ROLE_ARN": "arn:aws:iam::123456789012:role/model",
    "MLOPS_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:mlops",
    "RELEASE_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:release",
}


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, RecordingClient]]:
    """Give each service a client that answers as a registry with one approved package and one endpoint."""
    made: dict[str, RecordingClient] = {
        service: RecordingClient(service) for service in ("sagemaker", "dynamodb", "ssm", "s3", "stepfunctions")
    }
    made["sagemaker-runtime"] = RecordingClient("sagemaker-runtime")
    made["sagemaker"].answers = {
        "describe_model_package": PACKAGE,
        "describe_endpoint": {"EndpointName": "e", "EndpointConfigName": "c", "EndpointStatus": "InService"},
        "describe_endpoint_config": {"EndpointConfigName": "c", "ProductionVariants": [{"VariantName": "v"}]},
    }
    made["s3"] = RememberedObjects({report_of(2): json.dumps(report(2)), content(2)["model_data"]: "the model"})
    made["dynamodb"].answers = {"put_item": {}}
    made["ssm"] = RememberedParameters({ENVIRONMENT["STAGES_PARAMETER"]: STAGES})
    made["stepfunctions"].answers = {"start_execution": {"executionArn": "arn:aws:states:x", "startDate": 0}}
    monkeypatch.setattr("signalbox.aws.clients.client", lambda service, **_: made[service])
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for module in MODULES:
        module._ports.cache_clear()
    yield made
    for module in MODULES:
        module._ports.cache_clear()


def approval() -> dict[str, Any]:
    """Return the event that version 2 was approved."""
    return with_detail(
        sample("sagemaker/model-package-approved"),
        ModelPackageGroupName="signalbox-abalone",
        ModelPackageVersion=2,
        ModelPackageArn=arn(2),
    )


def test_plan_release_reads_the_stages_each_time_and_answers_with_a_plan(clients: dict[str, RecordingClient]) -> None:
    wanted = {"requested_at": "2026-11-20T10:00:00.000000Z", "execution": "run", "package": arn(2)}
    clients["dynamodb"].answers["query"] = {"Items": []}
    clients["dynamodb"].answers["get_item"] = {"Item": {name: {"S": value} for name, value in wanted.items()}}
    asked = question("approved", 2, "2026-11-20T10:00:00Z", "run")

    answers = [plan_release.handler(asked, CONTEXT) for _ in range(2)]

    assert [answer["action"] for answer in answers] == ["create-model", "create-model"]
    assert answers[0]["arguments"]["ExecutionRoleArn"] == ENVIRONMENT["MODEL_ROLE_ARN"]
    assert [one["Name"] for one in clients["ssm"].requests("GetParameter")] == [
        "/signalbox/models/abalone",
        "stages",
    ] * 2


def test_plan_release_rolls_a_failed_stage_back(clients: dict[str, RecordingClient]) -> None:
    wanted = {"requested_at": "2026-11-20T10:00:00.000000Z", "execution": "run", "package": arn(2)}
    clients["dynamodb"].answers["query"] = {"Items": []}
    clients["dynamodb"].answers["get_item"] = {"Item": {name: {"S": value} for name, value in wanted.items()}}
    asked = question("approved", 2, "2026-11-20T10:00:00Z", "run")
    plan = plan_release.handler(asked, CONTEXT)

    failing = after(asked, plan, failed("SageMaker.ResourceLimitExceededException"))
    answer = plan_release.handler(failing, CONTEXT)

    assert answer["action"] == "record"
    assert answer["outcome"]["rollback"] == {"result": "untouched", "reason": "the endpoint had not been moved"}


def test_verify_release_compares_the_config(clients: dict[str, RecordingClient]) -> None:
    asked: VerificationQuestion = {"endpoint": "e", "config": "c", "package": arn(2), "golden": None}

    assert verify_release.handler(asked, CONTEXT) == {"answers": 0}


def test_on_model_package_asks_the_reviews_and_starts_the_release(
    clients: dict[str, RecordingClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = []

    def answers(reviews_table: str) -> Callable[..., str]:
        def answer(*arguments: Any) -> str:
            asked.append((*arguments, reviews_table))
            return "none"

        return answer

    monkeypatch.setattr("signalbox.reviews.registry_answers", answers)
    assert on_model_package.handler(approval(), CONTEXT)["outcome"] == "release-started"
    assert (asked[0][0], asked[0][1], asked[0][4]) == (arn(2), True, "reviews")
    assert (
        clients["stepfunctions"].requests("StartExecution")[0]["stateMachineArn"] == ENVIRONMENT["RELEASE_MACHINE_ARN"]
    )


def test_on_model_package_lets_an_approval_without_a_review_wait_and_mails_so(
    clients: dict[str, RecordingClient],
) -> None:
    clients["dynamodb"].answers["query"] = {"Items": []}
    clients["sesv2"] = RecordingClient("sesv2")

    assert on_model_package.handler(approval(), CONTEXT)["outcome"] == "reopened"

    [mail] = clients["sesv2"].requests("SendEmail")
    assert mail["Content"]["Simple"]["Subject"]["Data"] == "abalone version 2 was approved without a review"
    [reopened] = clients["sagemaker"].requests("UpdateModelPackage")
    assert (reopened["ModelPackageArn"], reopened["ModelApprovalStatus"]) == (arn(2), "PendingManualApproval")
    assert clients["stepfunctions"].calls == []
