"""What AWS accepts and ministack refuses, and the other way round: topics, objects, HTTP APIs, tasks and failures.

`test_ministack_patches` holds each function to the test that sees its gap in plain ministack.
"""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from botocore import handlers
from botocore.exceptions import ClientError

from sagemaker_local.server import ACCOUNT, REGION
from tests.contract.test_faults import asked
from tests.contract.world import World, allow, code, name, until

CLOSED = "plain ministack has no such gap any more: remove its function from ministack_*.py, and this test"
FAILS = "def handler(event, context):\n    raise ValueError('own words')\n"


# --- topics ---------------------------------------------------------------------------------------------------------
def _topic(world: World) -> str:
    return str(world.client("sns").create_topic(Name=name("topic"))["TopicArn"])


def test_a_subscription_by_mail_waits_for_its_confirmation(plain: World, cloud: World) -> None:
    def subscribe(world: World, topic: str, **more: Any) -> str:
        made = world.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="me@example.com", **more)
        return str(made["SubscriptionArn"])

    assert subscribe(plain, _topic(plain)).startswith("arn:"), CLOSED
    sns, topic = cloud.client("sns"), _topic(cloud)

    assert [subscribe(cloud, topic) for _ in range(2)] == ["pending confirmation"] * 2
    arn = subscribe(cloud, topic, ReturnSubscriptionArn=True)
    assert sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["PendingConfirmation"] == "true"
    for listed in (sns.list_subscriptions_by_topic(TopicArn=topic), sns.list_subscriptions()):
        found = [one for one in listed["Subscriptions"] if one["TopicArn"] == topic]
        assert [one["SubscriptionArn"] for one in found] == ["PendingConfirmation"]
    queue = cloud.client("sqs").create_queue(QueueName=name("queue"))["QueueUrl"].rpartition("/")[2]
    to_queue = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}")
    assert to_queue["SubscriptionArn"].startswith(f"{topic}:")


def _subscriptions_of_a_stack(world: World) -> list[str]:
    """Make a stack of a topic with two subscriptions by e-mail, and return their ARNs as they are listed."""
    formation, stack, title = world.client("cloudformation"), name("stack"), name("topic")
    mail = {"Protocol": "email", "Endpoint": "me@example.com"}
    other = {"Protocol": "email", "Endpoint": "you@example.com", "TopicArn": {"Ref": "Topic"}}
    resources = {
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": title, "Subscription": [mail]}},
        "Other": {"Type": "AWS::SNS::Subscription", "Properties": other},
    }
    formation.create_stack(StackName=stack, TemplateBody=json.dumps({"Resources": resources}))
    until(lambda: formation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE")
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:{title}"
    found = world.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    return [one["SubscriptionArn"] for one in found]


def test_a_stacks_subscription_by_mail_waits_too(plain: World, cloud: World) -> None:
    assert all(arn.startswith("arn:") for arn in _subscriptions_of_a_stack(plain)), CLOSED

    assert _subscriptions_of_a_stack(cloud) == ["PendingConfirmation"] * 2


# --- objects --------------------------------------------------------------------------------------------------------
def test_a_write_with_kms_and_no_key_is_encrypted_by_the_key_of_s3(plain: World, cloud: World) -> None:
    with pytest.raises(ClientError, match="requires a key id"):  # CLOSED
        plain.client("s3").put_object(Bucket=plain.bucket(), Key="a", Body=b"x", ServerSideEncryption="aws:kms")
    s3, bucket = cloud.client("s3"), cloud.bucket()
    found = []
    for key in ("a", "b"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x", ServerSideEncryption="aws:kms")
        found.append(s3.get_object(Bucket=bucket, Key=key))
    upload = s3.create_multipart_upload(Bucket=bucket, Key="c", ServerSideEncryption="aws:kms")

    managed = cloud.client("kms").describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["Arn"]
    assert [one["ServerSideEncryption"] for one in found] == ["aws:kms"] * 2
    assert [one["SSEKMSKeyId"] for one in (*found, upload)] == [managed] * 3
    own = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    kept = s3.put_object(Bucket=bucket, Key="d", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=own)
    assert kept["SSEKMSKeyId"] == own


ODD = [f"a{character}b" for character in "\x01\x07\x0b\r\x1f\uffff"] + ["plus+blank ü\n&<"]


def test_keys_with_control_characters_are_in_every_list(plain: World, cloud: World) -> None:
    def versions(world: World, keys: list[str]) -> list[str]:
        bucket = world.bucket(dict.fromkeys(keys, b"x"))
        return sorted(one["Key"] for one in world.client("s3").list_object_versions(Bucket=bucket)["Versions"])

    with pytest.raises(ClientError, match="Internal Server Error"):  # CLOSED
        versions(plain, ["a\x07b"])
    assert versions(cloud, ODD) == sorted(ODD)

    s3, bucket = cloud.client("s3"), cloud.bucket(dict.fromkeys([*ODD, "a\x07b/c"], b"x"))
    for listed in (s3.list_objects(Bucket=bucket), s3.list_objects_v2(Bucket=bucket)):
        assert sorted(one["Key"] for one in listed["Contents"]) == sorted([*ODD, "a\x07b/c"])
    for page in s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 100}
    ):
        assert [one["Prefix"] for one in page["CommonPrefixes"]] == ["a\x07b/"]


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2", "list_object_versions"])
def test_a_list_that_is_not_encoded_has_the_characters_number(operation: str, cloud: World) -> None:
    s3, bucket = cloud.client("s3"), cloud.bucket({"a\x07b": b"x"})
    of_botocore = handlers.set_list_objects_encoding_type_url
    for name_ in ("ListObjects", "ListObjectsV2", "ListObjectVersions"):
        s3.meta.events.unregister(f"before-parameter-build.s3.{name_}", of_botocore)

    bodies: list[bytes] = []
    s3.meta.events.register("before-parse.s3.*", lambda response_dict, **_: bodies.append(response_dict["body"]))

    with pytest.raises(ClientError, match="500"):  # botocore's own word for what it cannot parse, as on AWS
        getattr(s3, operation)(Bucket=bucket)
    assert b"<Key>a&#x7;b</Key>" in bodies[0]


# --- HTTP APIs ------------------------------------------------------------------------------------------------------
def _api(world: World, source: str) -> str:
    """Make an HTTP API in front of a function, and return its id."""
    api = world.client("apigatewayv2")
    made = api.create_api(Name=name("api"), ProtocolType="HTTP")["ApiId"]
    function = {"IntegrationType": "AWS_PROXY", "IntegrationUri": world.function(source), "PayloadFormatVersion": "2.0"}
    integration = api.create_integration(ApiId=made, **function)["IntegrationId"]
    api.create_route(ApiId=made, RouteKey="GET /x", Target=f"integrations/{integration}")
    api.create_stage(ApiId=made, StageName="$default", AutoDeploy=True)
    return str(made)


def _get(url: str, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  # the test's own cloud
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310  # the same
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_function_that_fails_behind_an_http_api_is_an_error_without_its_words(plain: World, cloud: World) -> None:
    def ask(world: World) -> tuple[int, bytes]:
        return _get(f"{world.url}/_aws/execute-api/{_api(world, FAILS)}/$default/x")

    status, body = ask(plain)
    assert (status, b"own words" in body) == (502, True), CLOSED
    assert ask(cloud) == (500, b'{"message": "Internal Server Error"}')


def test_an_api_is_asked_by_its_name_on_aws(cloud: World) -> None:
    api = _api(cloud, "def handler(event, context):\n    return {'statusCode': 200, 'body': event['rawPath']}\n")
    cloud.client("apigatewayv2").create_stage(ApiId=api, StageName="named", AutoDeploy=True)

    def ask(name_: str, path: str = "/x") -> tuple[int, bytes]:
        return _get(f"{cloud.url}{path}", host=f"{name_}.execute-api.{REGION}.amazonaws.com")

    assert ask(api) == (200, b"/x")
    assert ask(api, "/named/x")[0] == 200
    assert ask(api, "/_local/health")[0] == 404
    assert ask("nobodys")[0] == 403


# --- executions -----------------------------------------------------------------------------------------------------
def test_a_task_is_answered_by_whom_the_machines_arn_is_granted(plain: World, cloud: World, tmp_path: Path) -> None:
    def answer(world: World, folder: Path, resource: str) -> str:
        folder.mkdir()
        execution, token = asked(world, folder)
        machine = world.client("stepfunctions").describe_execution(executionArn=execution)["stateMachineArn"]
        role = world.role(allow("states:SendTask*", resource=resource.replace("MACHINE", machine)))
        states = world.as_role(role, "stepfunctions")
        try:
            states.send_task_heartbeat(taskToken=token)
            states.send_task_success(taskToken=token, output="{}")
        except ClientError as error:
            return code(error)
        return "answered"

    assert answer(plain, tmp_path / "plain", "MACHINE") == "AccessDeniedException", CLOSED
    assert answer(cloud, tmp_path / "machine", "MACHINE") == "answered"
    assert answer(cloud, tmp_path / "all", "*") == "answered"
    assert answer(cloud, tmp_path / "other", "MACHINE-other") == "AccessDeniedException"


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, {}),
        ({"Error": "Own"}, {"error": "Own"}),
        ({"Cause": "because"}, {"cause": "because"}),
        ({"ErrorPath": "$.e", "CausePath": "$.c"}, {"error": "E", "cause": "C"}),
    ],
    ids=["neither", "error", "cause", "paths"],
)
def test_a_fail_state_fails_as_it_says_and_has_no_output(
    fields: dict[str, str], found: dict[str, str], plain: World, cloud: World
) -> None:
    given = {"Type": "Pass", "Result": {"e": "E", "c": "C"}, "Next": "No"}
    definition = {"StartAt": "Given", "States": {"Given": given, "No": {"Type": "Fail", **fields}}}
    assert "output" in plain.run_machine(definition), CLOSED

    ended = cloud.run_machine(definition)

    assert {key: ended[key] for key in ("error", "cause", "output") if key in ended} == found
    history = cloud.client("stepfunctions").get_execution_history(executionArn=ended["executionArn"])["events"]
    assert history[-1]["executionFailedEventDetails"] == found


def _call(resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Arguments": arguments, "End": True}
    return {"QueryLanguage": "JSONata", "StartAt": "Only", "States": {"Only": state}}


def _received(world: World, queue: str) -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        messages = world.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", [])
        return json.loads(messages[0]["Body"]) if messages else None

    return until(found)


def _queue(world: World) -> tuple[str, str]:
    """Make a queue that everybody may send to, and return its URL and its ARN."""
    title = name("queue")
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{title}"
    anyone = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [anyone]})
    url = world.client("sqs").create_queue(QueueName=title)["QueueUrl"]
    world.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, arn


def test_a_machine_sends_a_message_if_its_role_may(cloud: World) -> None:
    queue = cloud.client("sqs").create_queue(QueueName=name("queue"))["QueueUrl"]
    send = _call("sqs:sendMessage", {"QueueUrl": queue, "MessageBody": {"own": 1}})

    denied = cloud.run_machine(send)
    assert (denied["status"], "sqs:sendmessage" in denied["cause"].lower()) == ("FAILED", True)
    sent = cloud.run_machine(send, allow("sqs:SendMessage"))
    assert "MessageId" in json.loads(sent["output"])
    assert _received(cloud, queue) == {"own": 1}


def test_a_machine_publishes_if_its_role_may(cloud: World) -> None:
    topic, (queue, arn) = _topic(cloud), _queue(cloud)
    attributes = {"RawMessageDelivery": "true"}
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
    publish = _call("sns:publish", {"TopicArn": topic, "Message": {"own": 2}})

    assert "SNS:Publish".lower() in cloud.run_machine(publish)["cause"].lower()
    assert cloud.run_machine(publish, allow("sns:Publish", resource=topic))["status"] == "SUCCEEDED"
    assert _received(cloud, queue) == {"own": 2}
    lost = cloud.run_machine(_call("sns:publish", {"TopicArn": f"{topic}-gone", "Message": "m"}), allow("sns:*"))
    assert lost["error"] == "SNS.NotFoundException"


def test_a_machine_puts_events_if_its_role_may(cloud: World) -> None:
    events, (queue, arn), source = cloud.client("events"), _queue(cloud), name("own")
    events.put_rule(Name=source, EventPattern=json.dumps({"source": [source]}))
    events.put_targets(Rule=source, Targets=[{"Id": "queue", "Arn": arn}])
    put = _call("events:putEvents", {"Entries": [{"Source": source, "DetailType": "d", "Detail": {"own": 3}}]})

    assert "events:PutEvents" in cloud.run_machine(put)["cause"]
    done = cloud.run_machine(put, allow("events:PutEvents"))
    event = _received(cloud, queue)
    assert (event["detail"], event["resources"]) == ({"own": 3}, [done["executionArn"], done["stateMachineArn"]])


def test_a_machine_of_another_region_calls_the_services_of_its_own(cloud: World) -> None:
    queue, other = name("queue"), "eu-central-1"
    call = json.dumps(_call("aws-sdk:sqs:createQueue", {"QueueName": queue}))
    role = cloud.role(allow("sqs:*", resource=f"arn:aws:sqs:{other}:*:*"), service="states.amazonaws.com")
    states = cloud.client("stepfunctions", region=other)
    machine = states.create_state_machine(name=name("machine"), definition=call, roleArn=role)["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]

    until(lambda: states.describe_execution(executionArn=execution)["status"] == "SUCCEEDED")
    listed = [cloud.client("sqs", region=region).list_queues(QueueNamePrefix=queue) for region in (other, REGION)]
    assert [len(found.get("QueueUrls", [])) for found in listed] == [1, 0]


def test_a_machine_that_asks_by_message_waits_for_the_answer(cloud: World) -> None:
    queue = cloud.client("sqs").create_queue(QueueName=name("queue"))["QueueUrl"]
    body = {"token": "{% $states.context.Task.Token %}"}
    ask = _call("sqs:sendMessage.waitForTaskToken", {"QueueUrl": queue, "MessageBody": body})
    states, role = cloud.client("stepfunctions"), cloud.role(allow("sqs:SendMessage"), service="states.amazonaws.com")
    machine = states.create_state_machine(name=name("machine"), definition=json.dumps(ask), roleArn=role)
    execution = states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]

    states.send_task_success(taskToken=_received(cloud, queue)["token"], output='"yes"')

    until(lambda: states.describe_execution(executionArn=execution)["status"] == "SUCCEEDED")
    assert "is not authorized" in cloud.run_machine(ask)["cause"]


def test_a_tuning_job_is_refused_by_name(cloud: World) -> None:
    tune = _call("sagemaker:createHyperParameterTuningJob.sync", {"HyperParameterTuningJobName": "t"})
    assert cloud.run_machine(tune, allow("*"))["cause"] == (
        "sagemaker:createHyperParameterTuningJob.sync is not emulated here"
    )
