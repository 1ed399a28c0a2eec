"""Each gap of ministack that `ministack_patches` closes: it is there in plain ministack, and not in our cloud.

When an upgrade closes a gap, its test fails: remove the function from `ministack_patches`, and the test.
"""

import ast
import json
import time
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagemaker_local.server import ACCOUNT, REGION
from tests.contract import test_ministack_answers as answers
from tests.contract import test_ministack_definitions as definitions
from tests.contract import test_ministack_executions as executions
from tests.contract import test_ministack_logs as in_logs
from tests.contract import test_ministack_parameters as parameters
from tests.contract import test_ministack_queries as queries
from tests.contract import test_ministack_roles as roles
from tests.contract.world import World, allow, code, name, until
from tests.sagemaker_local.support.programs import PACKAGE

CLOSED = "plain ministack has no such gap any more: remove its function from ministack_patches.py, and this test"
RAISES = "class OwnError(Exception):\n    pass\n\n\ndef handler(event, context):\n    raise OwnError('own words')\n"
RAISES_LATE = "import time\n\n\ndef handler(event, context):\n    time.sleep(2)\n    raise ValueError('late')\n"


def _task(resource: str, arguments: dict[str, Any], **more: Any) -> dict[str, Any]:
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Arguments": arguments, "End": True, **more}
    return {"QueryLanguage": "JSONata", "StartAt": "Only", "States": {"Only": state}}


def test_the_owners_key_counts_with_the_owners_signature_only(plain: World, cloud: World) -> None:
    assert replace(plain, secret="junk").client("sqs").list_queues()["ResponseMetadata"], CLOSED

    for key in (ACCOUNT, "test"):
        with pytest.raises(ClientError) as refused:
            cloud.client("sqs", (key, "junk", None)).list_queues()
        assert code(refused.value) == "SignatureDoesNotMatch"


def test_a_machines_calls_are_checked_against_its_role(plain: World, cloud: World) -> None:
    call = _task("aws-sdk:sqs:createQueue", {"QueueName": name("queue")})
    assert plain.run_machine(call)["status"] == "SUCCEEDED", CLOSED

    refused = cloud.run_machine(call)

    assert refused["status"] == "FAILED"
    assert "is not authorized to perform: sqs:CreateQueue" in refused["cause"]
    assert cloud.run_machine(call, allow("sqs:CreateQueue"))["status"] == "SUCCEEDED"


def test_a_machine_needs_the_right_to_invoke_a_function(plain: World, cloud: World) -> None:
    source = "def handler(event, context):\n    return 'done'\n"
    call = _task("lambda:invoke", {"FunctionName": plain.function(source), "Payload": {}})
    assert plain.run_machine(call)["status"] == "SUCCEEDED", CLOSED

    refused = cloud.run_machine(_task("lambda:invoke", {"FunctionName": cloud.function(source), "Payload": {}}))

    assert "is not authorized to perform: lambda:InvokeFunction" in refused["cause"]


def test_a_machine_reaches_sagemaker_by_both_integrations(plain: World, cloud: World) -> None:
    sdk = _task("aws-sdk:sagemaker:listModels", {})
    assert plain.run_machine(sdk, allow("*"))["status"] == "FAILED", CLOSED
    assert cloud.run_machine(sdk, allow("sagemaker:ListModels"))["status"] == "SUCCEEDED"
    optimised = cloud.run_machine(_task("sagemaker:createModel", {"ModelName": "m"}), allow("sagemaker:*"))
    assert optimised["error"] == "SageMaker.AmazonSageMakerException"


def test_a_time_limit_of_a_task_may_be_an_expression(plain: World, cloud: World) -> None:
    def wait(world: World) -> dict[str, Any]:
        slow = world.function("import time\n\n\ndef handler(event, context):\n    time.sleep(5)\n")
        payload = {"FunctionName": slow, "Payload": {}}
        return world.run_machine(_task("lambda:invoke", payload, TimeoutSeconds="{% 1 %}"), allow("*"))

    assert wait(plain).get("error") != "States.Timeout", CLOSED
    assert wait(cloud)["error"] == "States.Timeout"


def test_a_function_that_fails_fails_the_state_that_waits_for_its_token(plain: World, cloud: World) -> None:
    def wait(world: World) -> dict[str, Any]:
        payload = {"FunctionName": world.function(RAISES), "Payload": {"token": "{% $states.context.Task.Token %}"}}
        state = _task("lambda:invoke.waitForTaskToken", payload, TimeoutSeconds=3)
        return world.run_machine(state, allow("*"))

    assert wait(plain)["error"] == "States.Timeout", CLOSED
    assert wait(cloud)["error"] == "OwnError"


def test_a_repeated_start_of_a_running_execution_is_answered_as_the_first(plain: World, cloud: World) -> None:
    waiting = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}}

    def start_twice(world: World, first: str, second: str) -> set[str]:
        machine = world.client("stepfunctions").create_state_machine(
            name=name("machine"), definition=json.dumps(waiting), roleArn=world.role(service="states.amazonaws.com")
        )["stateMachineArn"]
        starts = [{"stateMachineArn": machine, "name": "one", "input": given} for given in (first, second)]
        return {world.client("stepfunctions").start_execution(**start)["executionArn"] for start in starts}

    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):  # CLOSED
        start_twice(plain, "{}", "{}")
    assert len(start_twice(cloud, "{}", "{}")) == 1
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        start_twice(cloud, "{}", '{"other": 1}')


def test_the_machines_own_time_limit_is_kept(plain: World, cloud: World) -> None:
    waiting = {"TimeoutSeconds": 1, "StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 2, "End": True}}}
    assert plain.run_machine(waiting)["status"] == "SUCCEEDED", CLOSED

    assert cloud.run_machine(waiting)["status"] == "TIMED_OUT"


def test_what_fails_after_the_time_limit_changes_the_end_no_more(cloud: World) -> None:
    call = _task("lambda:invoke", {"FunctionName": cloud.function(RAISES_LATE)})
    ended = cloud.run_machine(call | {"TimeoutSeconds": 1}, allow("*"))
    assert ended["status"] == "TIMED_OUT"

    def history() -> list[str]:
        events = cloud.client("stepfunctions").get_execution_history(executionArn=ended["executionArn"])["events"]
        return [event["type"] for event in events if event["type"] == "TaskFailed"]

    until(history)
    described = cloud.client("stepfunctions").describe_execution(executionArn=ended["executionArn"])
    assert described["status"] == "TIMED_OUT"


def test_an_exception_of_a_function_has_its_class_name(plain: World, cloud: World) -> None:
    def raised(world: World) -> str:
        answer = world.client("lambda").invoke(FunctionName=world.function(RAISES), Payload=b"{}")
        return str(json.loads(answer["Payload"].read())["errorType"])

    assert raised(plain) == "Runtime.HandlerError", CLOSED
    assert raised(cloud) == "OwnError"


def _stack(world: World, resources: dict[str, Any], outputs: dict[str, Any]) -> dict[str, str]:
    formation, stack = world.client("cloudformation"), name("stack")
    template = {"Resources": resources, "Outputs": {key: {"Value": value} for key, value in outputs.items()}}
    formation.create_stack(StackName=stack, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = formation.describe_stacks(StackName=stack)["Stacks"][0]
        return found if not found["StackStatus"].endswith("IN_PROGRESS") else None

    found = until(ended)
    assert found["StackStatus"] == "CREATE_COMPLETE"
    return {item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", [])}


def test_a_reference_to_a_secret_is_its_arn(plain: World, cloud: World) -> None:
    def reference(world: World) -> str:
        secret = {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": name("secret"), "SecretString": "s"}}
        return _stack(world, {"Secret": secret}, {"Ref": {"Ref": "Secret"}})["Ref"]

    assert not reference(plain).startswith("arn:"), CLOSED
    assert reference(cloud).startswith(f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:")


def test_a_secret_that_is_referred_to_by_its_arn_is_updated_and_deleted_with_its_stack(cloud: World) -> None:
    formation, secrets, stack = cloud.client("cloudformation"), cloud.client("secretsmanager"), name("stack")
    secret = {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": name("two-words"), "SecretString": "one"}}
    outputs = {"Ref": {"Value": {"Ref": "Secret"}}}

    def status() -> str:
        return str(formation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])

    formation.create_stack(
        StackName=stack, TemplateBody=json.dumps({"Resources": {"Secret": secret}, "Outputs": outputs})
    )
    until(lambda: status() == "CREATE_COMPLETE")
    arn = formation.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"][0]["OutputValue"]
    changed = {**secret, "Properties": {**secret["Properties"], "SecretString": "two"}}  # type: ignore[dict-item]
    formation.update_stack(
        StackName=stack, TemplateBody=json.dumps({"Resources": {"Secret": changed}, "Outputs": outputs})
    )
    until(lambda: status() == "UPDATE_COMPLETE")
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == "two"
    formation.delete_stack(StackName=stack)

    def gone() -> bool:
        try:
            secrets.get_secret_value(SecretId=arn)
        except ClientError:
            return True
        return False

    assert until(gone)


def test_a_mail_is_decided_on_its_senders_identity(plain: World, cloud: World) -> None:
    def send(world: World) -> None:
        world.client("sesv2").create_email_identity(EmailIdentity="me@example.com")
        identity = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/me@example.com"
        ses = world.as_role(world.role(allow("ses:SendEmail", resource=identity)), "sesv2")
        body = {"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}}
        ses.send_email(FromEmailAddress="me@example.com", Destination={"ToAddresses": ["a@b.c"]}, Content=body)

    with pytest.raises(ClientError) as refused:
        send(plain)
    assert code(refused.value) == "AccessDeniedException", CLOSED
    send(cloud)


def test_mails_under_a_set_that_is_not_there_are_refused_and_bounces_are_counted(plain: World, cloud: World) -> None:
    def send(world: World, configuration: str, to: str) -> None:
        ses = world.client("sesv2")
        ses.create_email_identity(EmailIdentity=f"{name('me')}@example.com")
        sender = ses.list_email_identities()["EmailIdentities"][0]["IdentityName"]
        body = {"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}}
        tags = [{"Name": "mails", "Value": configuration}]
        receiver = {"ToAddresses": [f"{to}@simulator.amazonses.com"]}
        ses.send_email(
            FromEmailAddress=sender,
            Destination=receiver,
            Content=body,
            ConfigurationSetName=configuration,
            EmailTags=tags,
        )

    def counted(world: World, configuration: str) -> dict[str, float]:
        found = world.client("cloudwatch").list_metrics(Namespace="AWS/SES")["Metrics"]
        own = [{"Name": "mails", "Value": configuration}]
        return {one["MetricName"]: 1 for one in found if one["Dimensions"] == own}

    send(plain, "nowhere", "success")  # CLOSED where this is refused
    with pytest.raises(ClientError) as unknown:
        send(cloud, "nowhere", "success")
    assert code(unknown.value) == "NotFoundException"
    for world in (plain, cloud):
        ses = world.client("sesv2")
        ses.create_configuration_set(ConfigurationSetName="mine")
        dimension = {"DimensionName": "mails", "DimensionValueSource": "MESSAGE_TAG", "DefaultDimensionValue": "none"}
        ses.create_configuration_set_event_destination(
            ConfigurationSetName="mine",
            EventDestinationName="counted",
            EventDestination={
                "Enabled": True,
                "MatchingEventTypes": ["BOUNCE", "COMPLAINT", "REJECT"],
                "CloudWatchDestination": {"DimensionConfigurations": [dimension]},
            },
        )
        world.client("cloudwatch").put_metric_alarm(
            AlarmName="bounced",
            Namespace="AWS/SES",
            MetricName="Bounce",
            Dimensions=[{"Name": "mails", "Value": "mine"}],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
        )
        for to in ("success", "bounce+label", "complaint"):
            send(world, "mine", to)
    assert counted(plain, "mine") == {}, CLOSED
    assert counted(cloud, "mine") == {"Bounce": 1, "Complaint": 1}
    (alarm,) = cloud.client("cloudwatch").describe_alarms(AlarmNames=["bounced"])["MetricAlarms"]
    assert alarm["StateValue"] == "ALARM"


def test_alarms_are_decided_on_their_names(plain: World, cloud: World) -> None:
    def describe(world: World) -> None:
        alarm = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:mine"
        watch = world.as_role(world.role(allow("cloudwatch:DeleteAlarms", resource=alarm)), "cloudwatch")
        watch.delete_alarms(AlarmNames=["mine"])

    with pytest.raises(ClientError) as refused:
        describe(plain)
    assert code(refused.value).startswith("AccessDenied"), CLOSED
    describe(cloud)


def test_metrics_are_decided_by_their_namespace(plain: World, cloud: World) -> None:
    def put(world: World, namespace: str) -> None:
        only = {"Condition": {"StringLike": {"cloudwatch:namespace": ["/aws/sagemaker/*"]}}}
        watch = world.as_role(world.role({**allow("cloudwatch:PutMetricData"), **only}), "cloudwatch")
        watch.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": "loss", "Value": 1.0}])

    for world, namespace in ((plain, "/aws/sagemaker/TrainingJobs"), (cloud, "mine")):
        with pytest.raises(ClientError) as refused:
            put(world, namespace)
        assert code(refused.value).startswith("AccessDenied"), CLOSED
    put(cloud, "/aws/sagemaker/TrainingJobs")


def test_log_events_are_decided_on_their_stream(plain: World, cloud: World) -> None:
    def read(world: World, stream: str) -> list[str]:
        owner, group = world.client("logs"), name("group")
        owner.create_log_group(logGroupName=group)
        owner.create_log_stream(logGroupName=group, logStreamName=stream)
        events = [{"timestamp": int(time.time() * 1000), "message": "a word"}]
        owner.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
        mine = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:mine-*"
        reader = world.as_role(world.role(allow("logs:GetLogEvents", resource=mine)), "logs")
        return [event["message"] for event in reader.get_log_events(logGroupName=group, logStreamName=stream)["events"]]

    with pytest.raises(ClientError) as refused:
        read(plain, "mine-1")
    assert code(refused.value).startswith("AccessDenied"), CLOSED
    assert read(cloud, "mine-1") == ["a word"]
    with pytest.raises(ClientError, match="log-stream:yours-1"):
        read(cloud, "yours-1")


def test_log_events_are_those_of_the_streams_that_are_asked_for(plain: World, cloud: World) -> None:
    def read(world: World, **streams: Any) -> list[str]:
        logs, group = world.client("logs"), name("group")
        logs.create_log_group(logGroupName=group)
        for stream in ("first/algo-1", "second/algo-1"):
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
            events = [{"timestamp": int(time.time() * 1000), "message": stream}]
            logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
        return [event["message"] for event in logs.filter_log_events(logGroupName=group, **streams)["events"]]

    assert read(plain, logStreamNamePrefix="first/") == ["first/algo-1", "second/algo-1"], CLOSED
    assert read(cloud, logStreamNamePrefix="first/") == ["first/algo-1"]
    assert read(cloud, logStreamNamePrefix="third/") == []
    with pytest.raises(ClientError) as refused:
        read(cloud, logStreamNamePrefix="first/", logStreamNames=["second/algo-1"])
    assert code(refused.value) == "InvalidParameterException"


def test_an_alarm_watches_its_own_dimensions_and_knows_missing_data(plain: World, cloud: World) -> None:
    def states(world: World) -> tuple[str, str]:
        watch, space = world.client("cloudwatch"), name("space")
        rule = {"Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0}
        compared = {"ComparisonOperator": "GreaterThanOrEqualToThreshold", "TreatMissingData": "notBreaching"}
        for fleet in ("old", "new"):
            own = [{"Name": "Fleet", "Value": fleet}]
            metric = {"Namespace": space, "MetricName": "Errors", "Dimensions": own}
            watch.put_metric_alarm(AlarmName=f"{space}-{fleet}", **metric, **rule, **compared)
        failed = {"MetricName": "Errors", "Dimensions": [{"Name": "Fleet", "Value": "old"}], "Value": 1.0}
        watch.put_metric_data(Namespace=space, MetricData=[failed])
        found = watch.describe_alarms(AlarmNames=[f"{space}-old", f"{space}-new"])["MetricAlarms"]
        return tuple(alarm["StateValue"] for alarm in sorted(found, key=lambda one: one["AlarmName"], reverse=True))

    assert states(plain) == ("ALARM", "ALARM"), CLOSED
    assert states(cloud) == ("ALARM", "OK")


def test_a_parameters_value_is_held_to_its_pattern(plain: World, cloud: World) -> None:
    def put(world: World, value: str) -> None:
        world.client("ssm").put_parameter(Name=name("parameter"), Type="String", Value=value, AllowedPattern="^[a-z]+$")

    put(plain, "Capital")  # where this fails: plain ministack has no such gap any more
    with pytest.raises(ClientError) as refused:
        put(cloud, "Capital")
    assert code(refused.value) == "ParameterPatternMismatchException"
    put(cloud, "small")


def test_a_templates_bucket_is_encrypted_as_it_says(plain: World, cloud: World) -> None:
    def encryption(world: World) -> dict[str, Any]:
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/mine"}
        rules = [{"BucketKeyEnabled": True, "ServerSideEncryptionByDefault": default}]
        encrypted = {"BucketEncryption": {"ServerSideEncryptionConfiguration": rules}}
        bucket = {"Type": "AWS::S3::Bucket", "Properties": encrypted}
        made = _stack(world, {"Bucket": bucket}, {"Bucket": {"Ref": "Bucket"}})["Bucket"]
        answer = world.client("s3").get_bucket_encryption(Bucket=made)
        found: dict[str, Any] = answer["ServerSideEncryptionConfiguration"]["Rules"][0]
        return found

    assert encryption(plain)["BucketKeyEnabled"] is False, CLOSED
    assert encryption(cloud) == {
        "BucketKeyEnabled": True,
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/mine"},
    }


def test_the_document_of_an_http_api_makes_its_routes(plain: World, cloud: World) -> None:
    def routes(world: World) -> list[tuple[str, str]]:
        uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{ACCOUNT}/invocations"
        way = {"x-amazon-apigateway-integration": {"uri": uri}, "security": [{"AWS_IAM": []}]}
        body = {"openapi": "3.0.1", "paths": {"/things/{thing}": {"post": way}}}
        api = {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Body": body}}
        made = _stack(world, {"Api": api}, {"Api": {"Ref": "Api"}})["Api"]
        found = world.client("apigatewayv2").get_routes(ApiId=made)["Items"]
        return [(route["RouteKey"], route["AuthorizationType"]) for route in found]

    assert routes(plain) == [], CLOSED
    assert routes(cloud) == [("POST /things/{thing}", "AWS_IAM")]


def _queues(world: World, *, fifo: bool) -> tuple[str, str]:
    """Make a queue and its dead-letter queue; return their URLs."""
    sqs, end = world.client("sqs"), ".fifo" if fifo else ""
    kind = {"FifoQueue": "true"} if fifo else {}
    dead = sqs.create_queue(QueueName=f"{name('dead')}{end}", Attributes=kind)["QueueUrl"]
    redrive = json.dumps({"deadLetterTargetArn": _arn(world, dead), "maxReceiveCount": 1})
    alive = sqs.create_queue(QueueName=f"{name('alive')}{end}", Attributes={**kind, "RedrivePolicy": redrive})
    return alive["QueueUrl"], dead


def _arn(world: World, url: str) -> str:
    found = world.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(found["Attributes"]["QueueArn"])


def _received(world: World, url: str) -> list[dict[str, Any]]:
    found = world.client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"], VisibilityTimeout=0
    )
    messages: list[dict[str, Any]] = found.get("Messages", [])
    return messages


def test_dead_letters_are_moved_back(plain: World, cloud: World) -> None:
    alive, dead = _queues(plain, fifo=False)
    with pytest.raises(ClientError) as unknown:
        plain.client("sqs").start_message_move_task(SourceArn=_arn(plain, dead), DestinationArn=_arn(plain, alive))
    assert code(unknown.value) == "InvalidAction", CLOSED

    alive, dead = _queues(cloud, fifo=False)
    sqs, reason = cloud.client("sqs"), {"Reason": {"DataType": "String", "StringValue": "unreadable"}}
    before = sqs.send_message(QueueUrl=dead, MessageBody="letter", MessageAttributes=reason)["MessageId"]
    sqs.start_message_move_task(SourceArn=_arn(cloud, dead), DestinationArn=_arn(cloud, alive))

    assert _received(cloud, dead) == []
    (moved,) = _received(cloud, alive)
    assert (moved["Body"], moved["MessageAttributes"]) == ("letter", reason)
    assert moved["MessageId"] != before
    (task,) = sqs.list_message_move_tasks(SourceArn=_arn(cloud, dead))["Results"]
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 1)


def test_letters_of_a_fifo_queue_keep_their_group_and_one_that_was_swept_goes_back_where_it_came_from(
    cloud: World,
) -> None:
    alive, dead = _queues(cloud, fifo=True)
    sqs = cloud.client("sqs")
    sqs.send_message(QueueUrl=alive, MessageBody="swept", MessageGroupId="g", MessageDeduplicationId="d")
    assert len(_received(cloud, alive)) == 1
    assert _received(cloud, alive) == []  # its one receive is used up

    sqs.start_message_move_task(SourceArn=_arn(cloud, dead))

    (moved,) = _received(cloud, alive)
    assert (moved["Body"], moved["Attributes"]["MessageGroupId"]) == ("swept", "g")


def test_a_letter_whose_queue_nobody_knows_stays_and_the_task_says_so(cloud: World) -> None:
    _, dead = _queues(cloud, fifo=False)
    sqs = cloud.client("sqs")
    sqs.send_message(QueueUrl=dead, MessageBody="sent here")

    handle = sqs.start_message_move_task(SourceArn=_arn(cloud, dead))["TaskHandle"]

    (task,) = sqs.list_message_move_tasks(SourceArn=_arn(cloud, dead))["Results"]
    assert (task["Status"], task["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    assert len(_received(cloud, dead)) == 1
    with pytest.raises(ClientError, match="no running task"):
        sqs.cancel_message_move_task(TaskHandle=handle)


def test_letters_are_moved_from_dead_letter_queues_to_queues_of_their_type_only(cloud: World) -> None:
    alive, dead = _queues(cloud, fifo=False)
    ordered, _ = _queues(cloud, fifo=True)
    for source, destination in ((alive, dead), (dead, ordered)):
        with pytest.raises(ClientError) as refused:
            cloud.client("sqs").start_message_move_task(
                SourceArn=_arn(cloud, source), DestinationArn=_arn(cloud, destination)
            )
        assert code(refused.value) == "AWS.SimpleQueueService.UnsupportedOperation"
    with pytest.raises(ClientError) as missing:
        cloud.client("sqs").start_message_move_task(SourceArn=f"{_arn(cloud, dead)}-x")
    assert code(missing.value) == "ResourceNotFoundException"


def test_ecr_has_the_images_that_programs_stand_for(plain: World, cloud: World) -> None:
    asked = {"repositoryName": "echo", "imageIds": [{"imageTag": "latest"}]}
    try:
        known = plain.client("ecr").batch_get_image(**asked)["images"]
    except ClientError:
        known = []
    assert known == [], CLOSED

    [found] = cloud.client("ecr").batch_get_image(**asked)["images"]
    assert found["imageId"]["imageDigest"].startswith("sha256:")
    lost = {**asked, "imageIds": [{"imageDigest": f"sha256:{'0' * 64}"}]}
    assert cloud.client("ecr").batch_get_image(**lost)["failures"][0]["failureCode"] == "ImageNotFound"
    with pytest.raises(ClientError, match="does not exist"):
        cloud.client("ecr").batch_get_image(**{**asked, "repositoryName": "nobodys"})


_SEEN = {
    "believe_no_key_unseen": test_the_owners_key_counts_with_the_owners_signature_only,
    "know_the_running_machine": test_a_time_limit_of_a_task_may_be_an_expression,
    "check_and_make_calls_as_the_machine": test_a_machines_calls_are_checked_against_its_role,
    "fail_callbacks_of_failing_functions": test_a_function_that_fails_fails_the_state_that_waits_for_its_token,
    "keep_the_machine_timeout": test_the_machines_own_time_limit_is_kept,
    "answer_a_repeated_start_as_the_first": test_a_repeated_start_of_a_running_execution_is_answered_as_the_first,
    "import_http_api_documents": test_the_document_of_an_http_api_makes_its_routes,
    "name_the_error_of_a_function": test_an_exception_of_a_function_has_its_class_name,
    "refer_to_secrets_by_arn": test_a_reference_to_a_secret_is_its_arn,
    "decide_mails_by_their_sender": test_a_mail_is_decided_on_its_senders_identity,
    "decide_alarms_by_their_names": test_alarms_are_decided_on_their_names,
    "decide_metrics_by_their_namespace": test_metrics_are_decided_by_their_namespace,
    "decide_log_events_by_their_stream": test_log_events_are_decided_on_their_stream,
    "filter_log_events_of_the_streams_asked_for": test_log_events_are_those_of_the_streams_that_are_asked_for,
    "deliver_events_to_log_groups": in_logs.test_a_rule_writes_into_a_log_group_whose_policy_lets_it,
    "make_metrics_by_filters": in_logs.test_a_metric_filter_counts_what_matches_and_an_alarm_is_raised_by_it,
    "watch_alarms_own_metrics": test_an_alarm_watches_its_own_dimensions_and_knows_missing_data,
    "count_what_becomes_of_mails": test_mails_under_a_set_that_is_not_there_are_refused_and_bounces_are_counted,
    "answer_message_moves": test_dead_letters_are_moved_back,
    "know_images_by_their_content": test_ecr_has_the_images_that_programs_stand_for,
    "tell_of_parameters": parameters.test_whoever_listens_is_told_of_parameters,
    "decide_parameters_by_their_path": parameters.test_parameters_of_a_path_are_decided_on_the_path,
    "decide_roles_by_their_path": roles.test_a_call_about_a_role_is_decided_on_its_path,
    "know_boundaries_and_attached_policies": (roles.test_whoever_may_make_roles_within_a_boundary_makes_no_others),
    "resolve_policy_variables": roles.test_a_variable_of_a_policy_is_what_the_role_has,
    "bound_roles_of_stacks": (roles.test_a_role_of_a_stack_has_its_boundary_when_it_is_made_and_when_it_is_changed),
    "name_resources_by_their_region": roles.test_stacks_of_one_name_in_two_regions_have_roles_of_their_own,
    "ask_before_stacks_make_roles_and_parameters": (
        roles.test_a_stack_makes_roles_and_parameters_as_whoever_works_on_it
    ),
    "hold_parameters_to_their_patterns": test_a_parameters_value_is_held_to_its_pattern,
    "encrypt_buckets_of_stacks": test_a_templates_bucket_is_encrypted_as_it_says,
    "close_tasks_that_wait_no_more": executions.test_a_task_of_an_execution_that_was_stopped_takes_no_answer,
    "run_nested_executions_as_any_other": executions.test_a_failed_nested_execution_is_a_failed_task,
    "say_why_executions_were_stopped": executions.test_the_event_of_a_stop_says_the_error_and_the_cause,
    "look_through_sessions_while_others_begin": executions.test_a_session_may_begin_while_ended_ones_are_looked_for,
    "check_machines": definitions.test_a_definition_that_leads_nowhere_makes_no_machine,
    "check_machines_of_stacks": definitions.test_a_stack_makes_no_machine_that_step_functions_refuses,
    "check_executions": definitions.test_an_execution_begins_with_json_and_a_name_only,
    "check_arns": definitions.test_what_is_no_arn_is_said_to_be_none,
    "decide_answers_by_their_machine": answers.test_a_task_is_answered_by_whom_the_machines_arn_is_granted,
    "fail_as_the_state_says": answers.test_a_fail_state_fails_as_it_says_and_has_no_output,
    "leave_mail_subscriptions_pending": answers.test_a_subscription_by_mail_waits_for_its_confirmation,
    "leave_mail_subscriptions_of_stacks_pending": answers.test_a_stacks_subscription_by_mail_waits_too,
    "encrypt_by_the_managed_key": answers.test_a_write_with_kms_and_no_key_is_encrypted_by_the_key_of_s3,
    "tell_every_key": answers.test_keys_with_control_characters_are_in_every_list,
    "keep_a_functions_error_to_itself": (
        answers.test_a_function_that_fails_behind_an_http_api_is_an_error_without_its_words
    ),
    "hold_queries_to_the_callers_rights": (
        queries.test_a_query_has_the_rights_of_its_caller_and_reads_no_file_of_this_machine
    ),
    "read_columns_as_glue_has_them": queries.test_a_table_has_the_columns_of_glue_whatever_its_files_have,
    "keep_results_as_athena_does": queries.test_a_result_is_where_the_query_says_and_tells_null_from_an_empty_text,
}


def test_every_gap_that_is_closed_is_seen_in_plain_ministack() -> None:
    text = (PACKAGE / "ministack_patches.py").read_text()
    closing = [
        node
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and node.name in ("apply", "change_stacks")
    ]
    called = {
        node.func.id
        for function in closing
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert called == set(_SEEN), "a gap is closed without a test that sees it in plain ministack, or the other way"
