"""The calls of state machines: made as the machine's role, with Step Functions' names for what goes wrong."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.sagemaker_local.support.ministack_modules import integrations, ministack
from tests.support.botocore_strict import RecordingClient, client_error

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
ROLE = "arn:aws:iam::123456789012:role/machine"
JOB = {
    "TrainingJobName": "j",
    "RoleArn": ROLE,
    "OutputDataConfig": {"S3OutputPath": "s3://b/"},
    "Tags": [{"Key": "a", "Value": "b"}],
}


class Access:
    """Gives out the clients of a test and remembers as whom."""

    def __init__(self) -> None:
        self.clients: dict[str, Any] = {}
        self.acted: list[tuple[str, str, str]] = []

    def client(self, service: str, role_arn: str, session: str) -> Any:
        """Return the client of a service."""
        self.acted.append((service, role_arn, session))
        return self.clients[service]


class Client(RecordingClient):
    """A recording client with the part of `meta` that is read."""

    def __init__(self, service: str, answers: dict[str, Any], operations: dict[str, str]) -> None:
        super().__init__(service, answers)
        self.meta = type("Meta", (), {"method_to_api_mapping": operations})()


@pytest.fixture
def access() -> Access:
    """Access with no clients yet."""
    return Access()


@pytest.fixture
def calls(access: Access, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The integrations while a machine runs, everything allowed; what is asked of IAM is under `asked`."""
    monkeypatch.setattr(integrations, "_POLL_SECONDS", 0)
    monkeypatch.setattr(ministack.states, "_state_machines", {MACHINE: {"roleArn": ROLE, "name": "m"}})
    monkeypatch.setattr(ministack, "credentials", lambda role, session: {"AWS_ACCESS_KEY_ID": f"{role} {session}"})
    own: Any = access
    made: Any = integrations.Integrations(own, "123456789012", "us-east-1")
    made.asked, made.denied = [], None

    def refusal(key: str, action: str, resource: str, region: str) -> str | None:
        made.asked.append((key, action, resource))
        return f"not authorized to perform {action}" if action == made.denied else None

    monkeypatch.setattr(ministack, "refusal", refusal)
    token = ministack.running_machine.set(MACHINE)
    yield made
    ministack.running_machine.reset(token)


def failure(call: Any) -> tuple[str, str]:
    with pytest.raises(ministack.TaskError) as caught:
        call()
    return caught.value.error, caught.value.cause


def test_the_calls_that_are_made_here_are_known_by_their_resource(calls: Any) -> None:
    made = [calls.makes(f"arn:aws:states:::{name}") for name in ("aws-sdk:s3:putObject", "sagemaker:createModel")]
    assert made == [True, True]
    assert not calls.makes("arn:aws:states:::lambda:invoke")


def test_a_call_is_made_as_the_machines_role_and_answers_plain_values(calls: Any, access: Access) -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model/m"
    answer = {"ModelName": "m", "ModelArn": arn, "CreationTime": now, "ResponseMetadata": {}}
    access.clients["sagemaker"] = Client("sagemaker", {"describe_model": answer}, {"describe_model": "DescribeModel"})

    found = calls.make("arn:aws:states:::aws-sdk:sagemaker:describeModel", {"ModelName": "m"})

    assert found == {"ModelName": "m", "ModelArn": arn, "CreationTime": now.isoformat()}
    assert access.acted == [("sagemaker", ROLE, "m")]


@pytest.mark.parametrize(
    ("resource", "code", "name"),
    [
        ("aws-sdk:sagemaker:describeModel", "ResourceNotFound", "SageMaker.ResourceNotFoundException"),
        ("aws-sdk:sagemaker:describeModel", "ValidationException", "SageMaker.SageMakerException"),
        ("sagemaker:describeModel", "ValidationException", "SageMaker.AmazonSageMakerException"),
        ("sagemaker:describeModel", "ResourceInUse", "SageMaker.ResourceInUseException"),
    ],
)
def test_errors_have_the_names_of_step_functions(
    calls: Any, access: Access, resource: str, code: str, name: str
) -> None:
    refused = {"describe_model": client_error(code, "because")}
    access.clients["sagemaker"] = Client("sagemaker", refused, {"describe_model": "DescribeModel"})
    error, cause = failure(lambda: calls.make(f"arn:aws:states:::{resource}", {"ModelName": "m"}))
    assert (error, "because" in cause) == (name, True)


@pytest.mark.parametrize(
    ("resource", "code", "name"),
    [
        ("dynamodb:putItem", "ConditionalCheckFailedException", "DynamoDB.ConditionalCheckFailedException"),
        ("aws-sdk:dynamodb:putItem", "ConditionalCheckFailedException", "DynamoDb.ConditionalCheckFailedException"),
    ],
)
def test_dynamodb_is_spelled_by_the_kind_of_integration(
    calls: Any, access: Access, resource: str, code: str, name: str
) -> None:
    access.clients["dynamodb"] = Client("dynamodb", {"put_item": client_error(code)}, {"put_item": "PutItem"})
    request = {"TableName": "table", "Item": {"pk": {"S": "x"}}}
    assert failure(lambda: calls.make(f"arn:aws:states:::{resource}", request))[0] == name


def test_an_operation_that_does_not_exist_is_an_error_of_the_machine(calls: Any, access: Access) -> None:
    access.clients["sagemaker"] = Client("sagemaker", {}, {})
    error = failure(lambda: calls.make("arn:aws:states:::aws-sdk:sagemaker:createWorld", {}))
    assert error == ("States.Runtime", "sagemaker has no operation CreateWorld")


def job(*statuses: str) -> dict[str, Any]:
    answers = [{"TrainingJobName": "j", "TrainingJobStatus": status} for status in statuses]
    operations = {"create_training_job": "CreateTrainingJob", "describe_training_job": "DescribeTrainingJob"}
    return {"answers": {"describe_training_job": list(answers)}, "operations": operations}


def test_a_job_is_waited_for_and_marked_as_started_by_step_functions(calls: Any, access: Access) -> None:
    client = access.clients["sagemaker"] = Client("sagemaker", **job("InProgress", "Completed"))

    done = calls.make("arn:aws:states:::sagemaker:createTrainingJob.sync", JOB)

    assert done["TrainingJobStatus"] == "Completed"
    (request,) = client.requests("CreateTrainingJob")
    assert request["Tags"][-1] == {"Key": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"}
    rule = "arn:aws:events:us-east-1:123456789012:rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule"
    asked = [(f"events:{verb}", rule) for verb in ("PutTargets", "PutRule", "DescribeRule")]
    asked.append(("sagemaker:ListTags", "arn:aws:sagemaker:us-east-1:123456789012:training-job/j"))
    assert calls.asked == [(f"{ROLE} m", *needed) for needed in asked]


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_job_that_does_not_complete_fails_its_task_with_its_description(
    calls: Any, access: Access, status: str
) -> None:
    access.clients["sagemaker"] = Client("sagemaker", **job(status))
    error, cause = failure(lambda: calls.make("arn:aws:states:::sagemaker:createTrainingJob.sync", JOB))
    assert (error, json.loads(cause)["TrainingJobStatus"]) == ("States.TaskFailed", status)


def test_calls_that_ministack_makes_are_checked_before(calls: Any) -> None:
    calls.require("arn:aws:states:::lambda:invoke", {"FunctionName": "f"})
    calls.require("arn:aws:states:::states:startExecution.sync:2", {"StateMachineArn": "child"})
    calls.require("arn:aws:states:::http:invoke", {})
    assert [(action, resource) for _, action, resource in calls.asked][:2] == [
        ("lambda:InvokeFunction", "f"),
        ("states:StartExecution", "child"),
    ]
    assert len(calls.asked) == 5
    calls.denied = "lambda:InvokeFunction"
    refused = failure(lambda: calls.require("arn:aws:states:::lambda:invoke", {"FunctionName": "f"}))
    assert refused == ("States.TaskFailed", "not authorized to perform lambda:InvokeFunction")


@pytest.mark.parametrize(
    ("resource", "operation", "given", "sent"),
    [
        ("sqs:sendMessage", "SendMessage", {"QueueUrl": "q", "MessageBody": {"a": 1}}, {"MessageBody": '{"a": 1}'}),
        ("sqs:sendMessage", "SendMessage", {"QueueUrl": "q", "MessageBody": "text"}, {"MessageBody": "text"}),
        ("sns:publish", "Publish", {"TopicArn": "t", "Message": [1]}, {"Message": "[1]"}),
    ],
)
def test_a_message_that_is_no_text_is_sent_as_its_json(
    calls: Any, access: Access, resource: str, operation: str, given: dict[str, Any], sent: dict[str, Any]
) -> None:
    service = resource.partition(":")[0]
    method = {"SendMessage": "send_message", "Publish": "publish"}[operation]
    client = access.clients[service] = Client(service, {method: {"MessageId": "m"}}, {method: operation})

    assert calls.make(f"arn:aws:states:::{resource}", given) == {"MessageId": "m"}

    (request,) = client.requests(operation)
    assert request == {**given, **sent}


@pytest.mark.parametrize(
    ("resource", "code", "name"),
    [
        ("sns:publish", "NotFound", "SNS.NotFoundException"),
        ("sns:publish", "InvalidParameter", "SNS.InvalidParameterException"),
        ("sns:publish", "AccessDenied", "SNS.AmazonSNSException"),
        ("aws-sdk:sns:publish", "NotFound", "Sns.NotFoundException"),
    ],
)
def test_errors_of_topics_have_the_names_of_step_functions(
    calls: Any, access: Access, resource: str, code: str, name: str
) -> None:
    access.clients["sns"] = Client("sns", {"publish": client_error(code)}, {"publish": "Publish"})
    request = {"TopicArn": "t", "Message": "m"}
    assert failure(lambda: calls.make(f"arn:aws:states:::{resource}", request))[0] == name


def test_events_tell_the_execution_and_the_machine_and_fail_if_one_is_not_taken(calls: Any, access: Access) -> None:
    token = ministack.running_execution.set("execution")
    entry = {"Source": "own", "DetailType": "d", "Detail": {"a": 1}, "Resources": ["r"]}
    answers: list[dict[str, Any]] = [{"FailedEntryCount": count, "Entries": [{}]} for count in (0, 1)]
    client = access.clients["events"] = Client("events", {"put_events": answers}, {"put_events": "PutEvents"})

    assert calls.make("arn:aws:states:::events:putEvents", {"Entries": [entry]})["FailedEntryCount"] == 0
    failed = failure(lambda: calls.make("arn:aws:states:::events:putEvents", {"Entries": [entry]}))
    ministack.running_execution.reset(token)

    assert failed == ("EventBridge.FailedEntry", '{"FailedEntryCount": 1, "Entries": [{}]}')
    first, _ = client.requests("PutEvents")
    assert first["Entries"] == [{**entry, "Detail": '{"a": 1}', "Resources": ["r", "execution", MACHINE]}]


@pytest.mark.parametrize("action", ["createHyperParameterTuningJob", "createLabelingJob"])
def test_a_job_that_is_not_emulated_is_refused_by_name(calls: Any, action: str) -> None:
    error = failure(lambda: calls.make(f"arn:aws:states:::sagemaker:{action}.sync", {}))
    assert error == ("States.Runtime", f"sagemaker:{action}.sync is not emulated here")
