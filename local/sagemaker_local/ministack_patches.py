"""What ministack 1.5.33 does otherwise than AWS, closed in one place. Each function names its gap.

Each gap is seen in plain ministack by `tests/contract/test_ministack_patches.py`: an upgrade that closes one makes
its test fail, and the function goes.
"""

import json
import re
import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar, copy_context
from datetime import UTC, datetime
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from sagemaker_local import images, ministack, ministack_alarms, ministack_policies
from sagemaker_local.integrations import Integrations
from sagemaker_local.ministack import states
from sagemaker_local.ministack_apis import keep_a_functions_error_to_itself
from sagemaker_local.ministack_definitions import (
    check_arns,
    check_executions,
    check_machines,
    check_machines_of_stacks,
)
from sagemaker_local.ministack_executions import (
    close_tasks_that_wait_no_more,
    decide_answers_by_their_machine,
    fail_as_the_state_says,
    run_nested_executions_as_any_other,
    say_why_executions_were_stopped,
)
from sagemaker_local.ministack_logs import deliver_events_to_log_groups, make_metrics_by_filters
from sagemaker_local.ministack_mails import count_what_becomes_of_mails
from sagemaker_local.ministack_moves import answer_message_moves
from sagemaker_local.ministack_objects import encrypt_by_the_managed_key, tell_every_key
from sagemaker_local.ministack_parameters import decide_parameters_by_their_path, tell_of_parameters
from sagemaker_local.ministack_queries import (
    hold_queries_to_the_callers_rights,
    keep_results_as_athena_does,
    read_columns_as_glue_has_them,
)
from sagemaker_local.ministack_roles import (
    ask_before_stacks_make_roles_and_parameters,
    bound_roles_of_stacks,
    decide_roles_by_their_path,
    know_boundaries_and_attached_policies,
)
from sagemaker_local.ministack_stacks import name_resources_by_their_region
from sagemaker_local.ministack_topics import (
    leave_mail_subscriptions_of_stacks_pending,
    leave_mail_subscriptions_pending,
)
from sagemaker_local.ministack_variables import resolve_policy_variables

_callback_token: ContextVar[str] = ContextVar("callback_token")


def apply(integrations: Integrations, containers: Path, repeat_events: float = 0.0) -> None:
    """Apply every patch."""
    believe_no_key_unseen()
    know_the_running_machine()
    check_and_make_calls_as_the_machine(integrations)
    fail_callbacks_of_failing_functions(integrations)
    keep_the_machine_timeout()
    answer_a_repeated_start_as_the_first()
    run_nested_executions_as_any_other(integrations)
    name_the_error_of_a_function()
    decide_mails_by_their_sender()
    decide_alarms_by_their_names()
    decide_metrics_by_their_namespace()
    decide_log_events_by_their_stream()
    filter_log_events_of_the_streams_asked_for()
    deliver_events_to_log_groups()
    make_metrics_by_filters()
    watch_alarms_own_metrics()
    hold_parameters_to_their_patterns()
    tell_of_parameters(repeat_events)
    decide_parameters_by_their_path()
    decide_roles_by_their_path()
    know_boundaries_and_attached_policies()
    resolve_policy_variables()
    know_images_by_their_content(containers)
    answer_message_moves()
    count_what_becomes_of_mails()
    close_tasks_that_wait_no_more()
    say_why_executions_were_stopped()
    look_through_sessions_while_others_begin()
    check_machines()
    check_executions()
    check_arns()
    decide_answers_by_their_machine()
    fail_as_the_state_says()
    leave_mail_subscriptions_pending()
    encrypt_by_the_managed_key()
    tell_every_key()
    keep_a_functions_error_to_itself()
    hold_queries_to_the_callers_rights()
    read_columns_as_glue_has_them()
    keep_results_as_athena_does()
    ministack.when_stacks_are_asked_for(change_stacks)


def change_stacks() -> None:
    """Apply every patch of CloudFormation, which is loaded at the first request to it."""
    import_http_api_documents()
    refer_to_secrets_by_arn()
    encrypt_buckets_of_stacks()
    bound_roles_of_stacks()
    name_resources_by_their_region()
    ask_before_stacks_make_roles_and_parameters()
    check_machines_of_stacks()
    leave_mail_subscriptions_of_stacks_pending()


def believe_no_key_unseen() -> None:
    """Gap: whoever names the root's key is the root, whatever the signature."""
    ministack.verify_the_owner()


def know_the_running_machine() -> None:
    """Gap: calls of a machine know neither it nor their execution; a JSONata `TimeoutSeconds` is taken for a number."""
    original = states._execute_task

    def execute(state: Mapping[str, Any], raw_input: Any, execution: Mapping[str, Any], ctx: dict[str, Any]) -> Any:
        before = ministack.running_machine.set(execution["stateMachineArn"])
        outer = ministack.running_execution.set(execution["executionArn"])
        limit = state.get("TimeoutSeconds")
        if isinstance(limit, str):
            state = {**state, "TimeoutSeconds": states._apply_jsonata_template(limit, raw_input, ctx)}
        try:
            return original(state, raw_input, execution, ctx)
        finally:
            ministack.running_execution.reset(outer)
            ministack.running_machine.reset(before)

    states._execute_task = execute


def check_and_make_calls_as_the_machine(integrations: Integrations) -> None:
    """Gap: calls that Step Functions makes are not checked against the machine's role, and know no SageMaker.

    What a task asks before it waits for its token is such a call, too.
    """
    original = states._invoke_resource
    states._invoke_aws_sdk_integration = integrations.make
    for call in ("sqs:sendMessage", "sns:publish", "events:putEvents"):
        states._SERVICE_DISPATCH[f"arn:aws:states:::{call}"] = integrations.make

    def invoke(resource: str, arguments: dict[str, Any]) -> Any:
        if integrations.makes(resource):
            return integrations.make(resource, arguments)
        integrations.require(resource, arguments)
        return original(resource, arguments)

    states._invoke_resource = invoke


def fail_callbacks_of_failing_functions(integrations: Integrations) -> None:
    """Gap: a function that fails leaves its `.waitForTaskToken` state waiting until the time is up."""
    call_lambda, with_callback = states._call_lambda, states._invoke_with_callback

    def call(function: str, event: Any) -> Any:
        try:
            return call_lambda(function, event)
        except ministack.TaskError as error:
            waiting = states._task_tokens.get(_callback_token.get(""))
            if waiting is not None:
                waiting["error"] = {"Error": error.error, "Cause": error.cause}
                waiting["event"].set()
            raise

    def callback(resource: str, arguments: dict[str, Any], token: str, state: Mapping[str, Any]) -> Any:
        before = _callback_token.set(token)
        try:
            integrations.require(resource.removesuffix(".waitForTaskToken"), arguments)
            return with_callback(resource, arguments, token, state)
        finally:
            _callback_token.reset(before)

    states._call_lambda, states._invoke_with_callback = call, callback


def keep_the_machine_timeout() -> None:
    """Gap: the machine's own `TimeoutSeconds` is not kept; what a state does after the end changes the end no more."""
    original, fail = states._run_execution, states._fail_execution

    def fail_running(execution: dict[str, Any], error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":
            fail(execution, error, cause)

    def run(arn: str) -> None:
        execution = states._executions[arn]
        limit = json.loads(states._state_machines[execution["stateMachineArn"]]["definition"]).get("TimeoutSeconds")
        if limit is None:
            original(arn)
            return
        timer = threading.Timer(float(limit), copy_context().run, [_time_out, execution])
        timer.daemon = True
        timer.start()
        original(arn)
        timer.cancel()

    states._run_execution, states._fail_execution = run, fail_running


def answer_a_repeated_start_as_the_first() -> None:
    """Gap: a start with the name and the input of a running execution is refused.

    AWS answers it as the first one (Step Functions API reference, StartExecution).
    """
    original = states._start_execution

    def start(data: Mapping[str, Any]) -> Any:
        machine = str(data.get("stateMachineArn")).replace(":stateMachine:", ":execution:")
        running = states._executions.get(f"{machine}:{data.get('name')}", {})
        if running.get("status") == "RUNNING" and running.get("input") == data.get("input", "{}"):
            return states.json_response({key: running[key] for key in ("executionArn", "startDate")})
        return original(data)

    states._start_execution = start


def _time_out(execution: dict[str, Any]) -> None:
    if execution["status"] == "RUNNING":
        execution.update(status="TIMED_OUT", stopDate=datetime.now(UTC).isoformat(), error="States.Timeout")
        states._emit_execution_status_event(execution)


def name_the_error_of_a_function() -> None:
    """Gap: every exception of a function is a `Runtime.HandlerError`; on AWS the error's type is its class's name."""

    def named(result: dict[str, Any]) -> dict[str, Any]:
        body = result.get("body")
        if result.get("error") and isinstance(body, dict) and body.get("errorType") == "Runtime.HandlerError":
            body["errorType"] = raised_class(str(result.get("log", ""))) or body["errorType"]
        return result

    ministack.after_function(named)


def raised_class(log: str) -> str | None:
    """Return the class that the last traceback of a log ends with."""
    _, found, trace = log.rpartition("Traceback (most recent call last):\n")
    last = next((line for line in trace.splitlines() if line and not line[0].isspace()), "")
    return last.split(":")[0].rsplit(".", 1)[-1] if found and last else None


def refer_to_secrets_by_arn() -> None:
    """Gap: `Ref` of a secret is its name; on AWS it is its ARN."""
    handlers = ministack.resource_handlers("AWS::SecretsManager::Secret")
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    def created(*arguments: Any) -> Any:
        _, attributes = create(*arguments)
        return attributes["Arn"], attributes

    def updated(arn: str, *rest: Any) -> Any:
        _, attributes = update(_secret_name(arn), *rest)
        return attributes.get("Arn", arn), attributes

    handlers.update(create=created, update=updated, delete=lambda arn, *rest: delete(_secret_name(arn), *rest))


def _secret_name(arn: str) -> str:
    return arn.rsplit(":", maxsplit=1)[-1].rpartition("-")[0]


def decide_mails_by_their_sender() -> None:
    """Gap: SES v2's SendEmail is decided on `*`; on AWS on the identity that the mail is sent from."""

    def sender(path: str, body: bytes) -> str | None:
        if path.rstrip("/") != "/v2/email/outbound-emails":
            return None
        _, address = parseaddr(ministack.json_object(body).get("FromEmailAddress", ""))
        return f"identity/{address}" if address else None

    ministack.name_ses_resource(sender)


def decide_alarms_by_their_names() -> None:
    """Gap: CloudWatch's calls that take a list of alarms are decided on `*`; on AWS on each alarm (here: the first)."""

    def first(query: Mapping[str, Any], body: bytes) -> str | None:
        # By the Query API, or as JSON, which boto3 speaks to CloudWatch now.
        names = query.get("AlarmNames.member.1") or ministack.json_object(body).get("AlarmNames")
        return f"alarm:{names[0] if isinstance(names, list) else names}" if names else None

    ministack.name_resource("monitoring", first)


def decide_metrics_by_their_namespace() -> None:
    """Gap: IAM does not know the condition key `cloudwatch:namespace`, so what it allows is denied."""

    def namespace(action: str, body: bytes) -> dict[str, str]:
        name = ministack.json_object(body).get("Namespace") if action == "cloudwatch:PutMetricData" else None
        return {"cloudwatch:namespace": str(name)} if name else {}

    ministack.add_condition_keys("monitoring", namespace)


def decide_log_events_by_their_stream() -> None:
    """Gap: reading and writing log events is decided on the log group; on AWS on the stream."""

    def stream(_query: Mapping[str, Any], body: bytes) -> str | None:
        given = ministack.json_object(body)
        group, name = given.get("logGroupName"), given.get("logStreamName")
        return f"log-group:{group}:log-stream:{name}" if group and name else None

    ministack.name_resource("logs", stream, known=True)


def filter_log_events_of_the_streams_asked_for() -> None:
    """Gap: FilterLogEvents answers with the events of every stream, whatever `logStreamNamePrefix` is.

    API reference, FilterLogEvents: streams are named by a list or by a prefix, and by both is an error.
    """

    def refuse(request: Mapping[str, Any]) -> tuple[str, str] | None:
        if request.get("logStreamNamePrefix") and request.get("logStreamNames"):
            return "InvalidParameterException", "logStreamNamePrefix and logStreamNames exclude each other."
        return None

    ministack.choose_log_streams(refuse)


def watch_alarms_own_metrics() -> None:
    """Gap: alarms pool all dimensions of a metric, know no missing data, and are looked at only when a metric comes."""
    ministack_alarms.apply(by_hand_seconds=10)


def hold_parameters_to_their_patterns() -> None:
    """Gap: PutParameter takes a value that the request's own `AllowedPattern` refuses."""

    def refuse(request: Mapping[str, Any]) -> tuple[str, str] | None:
        pattern, value = request.get("AllowedPattern"), str(request.get("Value", ""))
        if not pattern or re.fullmatch(pattern, value):
            return None
        return "ParameterPatternMismatchException", f"Parameter value {value} does not match the pattern {pattern}"

    ministack.before_parameter(refuse)


def look_through_sessions_while_others_begin() -> None:
    """Gap: a session that begins while STS looks for those that have ended makes the look fail, and its call."""
    ministack.look_through_a_copy_of_sessions()


def know_images_by_their_content(containers: Path) -> None:
    """Gap: ECR has none of the images that programs stand for here, and decides on the caller's own registry."""

    def digest_of(repository: str) -> str | None:
        try:
            return images.find(repository, containers).digest
        except images.UnknownImageError:
            return None

    ministack.answer_for_images(digest_of)


def encrypt_buckets_of_stacks() -> None:
    """Gap: the `BucketEncryption` of a template's bucket has no effect."""
    handlers = ministack.resource_handlers("AWS::S3::Bucket")
    for verb, position in (("create", 1), ("update", 2)):  # where the new properties stand
        handlers[verb] = _followed_by(_encrypt, handlers[verb], position)


def _encrypt(bucket: str, properties: Mapping[str, Any]) -> None:
    for rule in properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", []):
        default = rule.get("ServerSideEncryptionByDefault", {})
        with_key = str(rule.get("BucketKeyEnabled", False)).lower() == "true"
        ministack_policies.encrypt_bucket(
            bucket, default.get("SSEAlgorithm", "AES256"), default.get("KMSMasterKeyID", ""), bucket_key=with_key
        )


def import_http_api_documents() -> None:
    """Gap: the OpenAPI document of an HTTP API makes no routes."""
    handlers = ministack.resource_handlers("AWS::ApiGatewayV2::Api")
    for verb, position in (("create", 1), ("update", 2)):  # where the new properties stand
        handlers[verb] = _followed_by(import_document, handlers[verb], position)


def _followed_by(then: Callable[[str, Mapping[str, Any]], None], handler: Any, position: int) -> Any:
    def call(*arguments: Any, **more: Any) -> Any:
        answer = handler(*arguments, **more)
        then(answer[0], arguments[position])
        return answer

    return call


def import_document(api_id: str, properties: Mapping[str, Any]) -> None:
    """Give an HTTP API the routes of its document: one per path and method that has an integration."""
    document = properties.get("Body")
    if not isinstance(document, dict):
        return
    ministack.clear_http_routes(api_id)
    for path, methods in document.get("paths", {}).items():
        for method, operation in methods.items():
            integration = operation.get("x-amazon-apigateway-integration")
            if integration:
                ministack.add_http_route(api_id, method, path, _function(integration["uri"]), _authorization(operation))


def _function(uri: str) -> str:
    return uri.split("/functions/", 1)[-1].removesuffix("/invocations")


def _authorization(operation: Mapping[str, Any]) -> str:
    named = [name for requirement in operation.get("security", []) for name in requirement]
    return "AWS_IAM" if "AWS_IAM" in named else "NONE"
