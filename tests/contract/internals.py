"""Reports how the ministack that is installed looks and behaves inside; run in a process of its own.

ministack reads its environment at import, and the tests of this process may have imported it otherwise.
"""

import importlib
import inspect
import json
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sagemaker_local.server import ACCOUNT, REGION, free_port, prepare
from tests.contract import internals_stacks

# Every internal that the files of `test_ministack._SOURCES` touch: what it is, and its
# parameters where it is called or replaced. A name of a module follows its path inside the package.
INTERNALS: dict[str, tuple[str, list[str]]] = {
    "app.app": ("async function", ["scope", "receive", "send"]),
    "app.SERVICE_HANDLERS": ("dict", []),
    "app._dispatch_service_request": (
        "async function",
        ["method", "path", "headers", "body", "query_params", "request_id"],
    ),
    "core.concurrency.run_reentrant": ("async function", ["fn", "args", "thread_name"]),
    "core.router.SERVICE_PATTERNS": ("dict", []),
    "core.router.extract_access_key_id": ("function", ["headers", "query_params"]),
    "core.router.detect_service": ("function", ["method", "path", "headers", "query_params"]),
    "core.iam_actions.SERVICE_TO_IAM_NAMESPACE": ("dict", []),
    "core.iam_actions._BOTOCORE_SERVICE_MAP": ("dict", []),
    "core.iam_actions.extract_resource_arn": (
        "function",
        ["service", "method", "path", "headers", "body", "query_params", "region", "account_id"],
    ),
    "core.iam_actions._ses_v2_resource_arn": ("function", ["method", "path", "body", "region", "account_id"]),
    "core.iam_actions.access_denied_response": (
        "function",
        [
            "service",
            "action",
            "principal_arn",
            "request_id",
            "error_code",
            "message",
            "headers",
            "resource_arn",
            "explicit_deny",
            "resource_policy_arn",
        ],
    ),
    "core.iam_actions.request_tag_context": ("function", ["service", "iam_action", "body", "params"]),
    "core.iam_actions.identity_denial_message": ("function", ["action", "principal_arn", "resource", "explicit_deny"]),
    "core.iam_evaluator.enforce": (
        "function",
        ["access_key_id", "iam_action", "service", "region", "resource_arn", "service_context"],
    ),
    "core.iam_evaluator.is_root_access_key": ("function", ["access_key_id"]),
    "core.iam_evaluator._is_root_key": ("function", ["access_key_id"]),
    "core.iam_evaluator._principal_org_id": ("function", ["account_id"]),
    "core.iam_evaluator.resolve_caller_identity": ("function", ["access_key_id"]),
    "core.iam_evaluator.resolve_credential": ("function", ["access_key_id", "account_id", "session_token"]),
    "core.iam_evaluator.resolve_principal": ("function", ["access_key_id", "account_id", "credential"]),
    "core.iam_evaluator.EvalContext": (
        "class",
        [
            "principal_arn",
            "principal_type",
            "principal_account",
            "action",
            "resource_arn",
            "region",
            "source_ip",
            "secure_transport",
            "request_tags",
            "tag_keys",
            "service_context",
            "principal_keys",
        ],
    ),
    "core.iam_evaluator.evaluate_resource_policy": (
        "function",
        ["doc", "ctx", "service", "named_only", "direct_only"],
    ),
    "core.iam_evaluator._first_match": ("function", ["ctx", "stmts", "effect"]),
    "core.iam_evaluator._resolve_condition_key": ("function", ["key", "ctx"]),
    "services.tagging._RESOURCE_TAG_COLLECTORS": ("dict", []),
    "core.responses._BOTOCORE_NAME": ("dict", []),
    "core.responses.error_response_json": (
        "function",
        ["code", "message", "status", "extra", "message_key", "content_type"],
    ),
    "core.responses.json_response": ("function", ["data", "status", "content_type"]),
    "core.responses.set_request_account_id": ("function", ["access_key_id"]),
    "core.responses.set_request_region": ("function", ["region"]),
    "core.responses.get_account_id": ("function", []),
    "core.responses.get_region": ("function", []),
    "services.apigateway._apis": ("AccountRegionScopedDict", []),
    "services.apigateway._routes": ("AccountRegionScopedDict", []),
    "services.apigateway._integrations": ("AccountRegionScopedDict", []),
    "services.apigateway._create_integration": ("function", ["api_id", "data"]),
    "services.apigateway_v1._rest_apis": ("AccountRegionScopedDict", []),
    "services.apigateway._invoke_lambda_proxy": (
        "async function",
        [
            "integration",
            "api_id",
            "stage",
            "path",
            "method",
            "headers",
            "body",
            "query_params",
            "route_key",
            "path_params",
            "authorizer_claims",
            "authorizer_scopes",
            "authorizer_lambda_context",
            "authorizer_iam",
            "owner_account_id",
            "owner_region",
            "raw_query_string",
        ],
    ),
    "services.apigateway._create_route": ("function", ["api_id", "data"]),
    "services.cloudformation.changesets.validate_template_support": ("function", ["template", "conditions", "params"]),
    "services.cloudformation.drift._DRIFT_READERS": ("dict", []),
    "services.cloudformation.changesets._create_stack_task_in_region": ("function", ["coro", "stack", "stack_id"]),
    "services.cloudformation.changesets._find_change_set": ("function", ["cs_name", "stack_name"]),
    "services.cloudformation.handlers._ACTION_HANDLERS": ("dict", []),
    "services.cloudformation.handlers._create_stack_task_in_region": ("function", ["coro", "stack", "stack_id"]),
    "services.cloudformation.handlers._error": ("function", ["code", "message", "status"]),
    "services.cloudformation.handlers.validate_template_support": ("function", ["template", "conditions", "params"]),
    "services.cloudformation.provisioners._physical_name": (
        "function",
        ["stack_name", "logical_id", "lowercase", "max_len", "seeded"],
    ),
    "services.cloudformation.provisioners._CONDITIONALLY_REPLACING_PROPERTIES": ("dict", []),
    "services.cloudformation.provisioners._CUSTOM_NAME_REPLACEMENT": ("dict", []),
    "services.cloudformation.provisioners._REPLACING_PROPERTIES": ("dict", []),
    "services.cloudformation.provisioners._RESOURCE_HANDLERS": ("dict", []),
    "services.cloudformation.provisioners._sfn_definition": ("function", ["props"]),
    "services.cloudformation.provisioners._sfn_service_error": ("function", ["resp"]),
    "services.cloudformation.provisioners._sfn_state_machine_create": (
        "function",
        ["logical_id", "props", "stack_name"],
    ),
    "services.cloudtrail._DEFAULT_EVENT_SELECTORS": ("list", []),
    "services.cloudtrail._DISPATCH": ("dict", []),
    "services.cloudtrail._err": ("function", ["code", "msg", "status"]),
    "services.cloudtrail._event_selectors": ("AccountRegionScopedDict", []),
    "services.cloudtrail._trails": ("AccountRegionScopedDict", []),
    "services.cloudformation.provisioners._STACK_TAG_PROPERTY": ("dict", []),
    "services.cloudformation.provisioners._provision_resource": (
        "function",
        ["resource_type", "logical_id", "props", "stack_name"],
    ),
    "services.cloudformation.stacks._runs_on_worker_thread": ("function", ["resource_type"]),
    "services.athena._data_format": ("function", ["table_data"]),
    "services.athena._datum_text": ("function", ["value"]),
    "services.athena._duckdb_type": ("function", ["column"]),
    "services.athena._empty_relation": ("function", ["table_data"]),
    "services.athena._executions": ("AccountRegionScopedDict", []),
    "services.athena._rewrite_data_paths": ("async function", ["query", "database", "catalog"]),
    "services.athena._save_query_results": ("async function", ["query_id"]),
    "services.athena._sql_tokens": ("function", ["sql"]),
    "services.athena._start_query_execution": ("function", ["data"]),
    "services.athena._table_references": ("function", ["query"]),
    "services.athena._table_relation": ("function", ["table_data", "files"]),
    "services.athena.get_athena_engine": ("function", []),
    "services.cloudwatch._alarms": ("AccountRegionScopedDict", []),
    "services.cloudwatch._calc_stats": ("function", ["points"]),
    "services.cloudwatch._describe_alarms": ("function", ["params", "cbor_data", "is_cbor", "is_json"]),
    "services.cloudwatch._evaluate_alarm": ("function", ["alarm"]),
    "services.cloudwatch._evaluate_all_alarms": ("function", []),
    "services.cloudwatch._metrics": ("AccountRegionScopedDict", []),
    "services.cloudwatch._p": ("function", ["params", "key", "default"]),
    "services.cloudwatch._set_alarm_state": ("function", ["params", "cbor_data", "is_cbor", "is_json"]),
    "services.cloudwatch._stat_value": ("function", ["stats", "stat_name", "points"]),
    "services.ecr._batch_get_image": ("function", ["data"]),
    "services.ecr._batch_check_layer_availability": ("function", ["data"]),
    "services.ecr._batch_delete_image": ("function", ["data"]),
    "services.ecr._complete_layer_upload": ("function", ["data"]),
    "services.ecr._delete_repository": ("function", ["data"]),
    "services.ecr._describe_images": ("function", ["data"]),
    "services.ecr._get_authorization_token": ("function", ["data"]),
    "services.ecr._get_download_url_for_layer": ("function", ["data"]),
    "services.ecr._initiate_layer_upload": ("function", ["data"]),
    "services.ecr._list_images": ("function", ["data"]),
    "services.ecr._put_image": ("function", ["data"]),
    "services.ecr._upload_layer_part": ("function", ["data"]),
    "services.ecr._image_digest": ("function", ["manifest"]),
    "services.ecr._images": ("AccountRegionScopedDict", []),
    "services.ecr._repositories": ("AccountRegionScopedDict", []),
    "services.ecr.handle_registry_request": (
        "async function",
        ["method", "path", "headers", "body", "query_params"],
    ),
    "services.eventbridge._invoke_target": ("function", ["target", "event", "rule", "view"]),
    "services.eventbridge._pattern_event_view": ("function", ["event"]),
    "services.eventbridge._put_events": ("function", ["data", "allow_aws_source"]),
    "services.cloudwatch_logs._filter_log_events": ("function", ["data"]),
    "services.cloudwatch_logs._create_log_stream": ("function", ["data"]),
    "services.cloudwatch_logs._fanout_to_subscription_filters": ("function", ["group_name", "stream_name", "events"]),
    "services.cloudwatch_logs._metric_filters": ("AccountRegionScopedDict", []),
    "services.cloudwatch_logs._put_log_events": ("function", ["data"]),
    "services.cloudwatch_logs._put_metric_filter": ("function", ["data"]),
    "services.cloudwatch_logs._resource_policies": ("AccountRegionScopedDict", []),
    "services.cloudwatch_logs._log_groups": ("AccountRegionScopedDict", []),
    "services.cloudwatch_logs._resolve_log_group_name": ("function", ["data"]),
    "services.glue._tables": ("AccountRegionScopedDict", []),
    "services.iam._boundary_usage_counts": ("function", []),
    "services.iam._policy_exists": ("function", ["arn"]),
    "services.iam._roles": ("AccountScopedDict", []),
    "services.iam._users": ("AccountScopedDict", []),
    "services.lambda_svc._execute_function_warm": ("function", ["func", "event", "request_id"]),
    "services.lambda_svc.lambda_execute_result_to_api_proxy_response": ("function", ["exec_result"]),
    "services.kms._create_alias": ("function", ["data"]),
    "services.kms._create_key": ("function", ["data"]),
    "services.kms._resolve_key": ("function", ["key_id_or_arn"]),
    "services.kms.key_policy_for_arn": ("function", ["resource_arn"]),
    "services.s3._put_object": ("function", ["bucket_name", "key", "body", "headers"]),
    "services.s3._bucket_encryption": ("AccountScopedDict", []),
    "services.s3._bucket_policies": ("AccountScopedDict", []),
    "services.s3._list_object_versions": ("function", ["bucket_name", "query_params"]),
    "services.s3._qp": ("function", ["params", "key", "default"]),
    "services.s3._resolve_sse_write_headers": ("function", ["headers", "bucket_name"]),
    "services.s3._xml_body": ("function", ["root"]),
    "services.s3._put_bucket_encryption": ("function", ["name", "body"]),
    "services.ses._sent_emails_list": ("function", []),
    "services.cloudwatch.record_metric": ("function", ["namespace", "metric_name", "value", "unit", "dimensions"]),
    "services.ses_v2._config_sets": ("AccountRegionScopedDict", []),
    "services.ses_v2._missing_config_set": ("function", ["name"]),
    "services.ses_v2.handle_request": ("async function", ["method", "path", "headers", "body", "query_params"]),
    "services.sns._list_subscriptions": ("function", ["params"]),
    "services.sns._list_subscriptions_by_topic": ("function", ["params"]),
    "services.sns._p": ("function", ["params", "key", "default"]),
    "services.sns._subscribe": ("function", ["params"]),
    "services.sns._topics": ("AccountRegionScopedDict", []),
    "services.sqs._HANDLERS": ("dict", []),
    "services.sqs._queues": ("AccountRegionScopedDict", []),
    "services.sqs._queue_by_arn": ("function", ["arn"]),
    "services.sqs._act_send_message": ("function", ["data", "qurl"]),
    "services.sqs._Err": ("class", ["code", "message", "status"]),
    "services.ssm._delete_parameter": ("function", ["data"]),
    "services.ssm._delete_parameters": ("function", ["data"]),
    "services.ssm._lookup_parameter": ("function", ["name_or_arn", "allow_arn_region", "flexible_name"]),
    "services.ssm._parameters": ("AccountRegionScopedDict", []),
    "services.ssm._put_parameter": ("function", ["data"]),
    "services.stepfunctions._ExecutionError": ("class", ["error", "cause"]),
    "services.stepfunctions._apply_jsonata_template": (
        "function",
        ["value", "raw_input", "ctx", "result", "error_output"],
    ),
    "services.stepfunctions._call_lambda": ("function", ["func_ref", "event"]),
    "services.stepfunctions._delete_state_machine": ("function", ["data"]),
    "services.stepfunctions._describe_state_machine": ("function", ["data"]),
    "services.stepfunctions._get_execution_history": ("function", ["data"]),
    "services.stepfunctions._list_executions": ("function", ["data"]),
    "services.stepfunctions._stop_execution": ("function", ["data"]),
    "services.stepfunctions._create_activity": ("function", ["data"]),
    "services.stepfunctions._create_state_machine": ("function", ["data"]),
    "services.stepfunctions._describe_execution": ("function", ["data"]),
    "services.stepfunctions._emit_execution_status_event": ("function", ["execution"]),
    "services.stepfunctions._execute_task": ("function", ["state_def", "raw_input", "execution", "ctx"]),
    "services.stepfunctions._executions": ("AccountRegionScopedDict", []),
    "services.stepfunctions._invoke_resource": ("function", ["resource", "input_data"]),
    "services.stepfunctions._invoke_with_callback": ("function", ["resource", "input_data", "token", "state_def"]),
    "services.stepfunctions._SERVICE_DISPATCH": ("dict", []),
    "services.stepfunctions._invoke_aws_sdk_integration": ("function", ["resource", "input_data"]),
    "services.stepfunctions._fail_state_error": ("function", ["state_def", "raw_input", "ctx"]),
    "services.stepfunctions._fail_execution": ("function", ["execution", "error", "cause"]),
    "services.stepfunctions._invoke_nested_start_execution": ("function", ["resource", "input_data"]),
    "services.stepfunctions._invoke_nested_start_execution_sync": ("function", ["resource", "input_data"]),
    "services.stepfunctions._run_execution": ("function", ["exec_arn"]),
    "services.stepfunctions._send_task_failure": ("function", ["data"]),
    "services.stepfunctions._send_task_heartbeat": ("function", ["data"]),
    "services.stepfunctions._send_task_success": ("function", ["data"]),
    "services.stepfunctions._start_execution": ("function", ["data"]),
    "services.stepfunctions._start_sync_execution": ("function", ["data"]),
    "services.stepfunctions._update_state_machine": ("function", ["data"]),
    "services.stepfunctions._validate_definition_jsonata": ("function", ["definition_str"]),
    "services.stepfunctions._validate_state_machine_definition": ("function", ["data"]),
    "services.stepfunctions._state_machines": ("AccountRegionScopedDict", []),
    "services.stepfunctions._task_tokens": ("AccountRegionScopedDict", []),
    "services.stepfunctions.error_response_json": (
        "function",
        ["code", "message", "status", "extra", "message_key", "content_type"],
    ),
    "services.stepfunctions.json_response": ("function", ["data", "status", "content_type"]),
    "services.sts._evict_expired_sessions": ("function", []),
    "services.sts._session_expired": ("function", ["session"]),
    "services.sts._sessions": ("dict", []),
    "services.sts.register_session": ("function", ["access_key", "session"]),
}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/probe"


def _module(name: str) -> Any:
    return importlib.import_module(f"ministack.{name}")


def look(name: str) -> tuple[str, list[str]]:
    """Return what an internal is, and its parameters."""
    module, _, attribute = name.rpartition(".")
    found = getattr(_module(module), attribute)
    if isinstance(found, type):
        return "class", list(inspect.signature(found).parameters)
    if not callable(found):
        return type(found).__name__, []
    kind = "async function" if inspect.iscoroutinefunction(found) else "function"
    return kind, list(inspect.signature(found).parameters)


def scope_is_the_account_and_region_that_were_set() -> None:
    """`set_request_account_id` takes an account's number too, and stores are read through the scope."""
    assert _module("core.responses").get_account_id() == ACCOUNT
    _module("services.s3")._bucket_policies["b"] = "{}"
    assert _module("services.s3")._bucket_policies.get("b") == "{}"


def the_signing_key_is_found_in_the_header() -> None:
    """The access key is what stands first in the credential of the signature."""
    header = (
        f"AWS4-HMAC-SHA256 Credential=KEY/20260101/{REGION}/sagemaker/aws4_request, SignedHeaders=host, Signature=0"
    )
    assert _module("core.router").extract_access_key_id({"authorization": header}, {}) == "KEY"


def an_object_request_is_recognised_as_s3() -> None:
    """A path-style request that is signed for S3 belongs to S3."""
    header = f"AWS4-HMAC-SHA256 Credential=KEY/20260101/{REGION}/s3/aws4_request, SignedHeaders=host, Signature=0"
    headers = {"authorization": header, "host": "127.0.0.1"}
    assert _module("core.router").detect_service("PUT", "/bucket/key", headers, {}) == "s3"


def a_session_acts_as_its_role_and_is_refused_what_the_role_may_not() -> None:
    """A registered session resolves to its ARN; `enforce` answers None or a refusal that knows its decision."""
    evaluator, session = _module("core.iam_evaluator"), f"arn:aws:sts::{ACCOUNT}:assumed-role/probe/s"
    _module("services.iam")._roles["probe"] = {
        "RoleName": "probe",
        "Arn": ROLE,
        "AssumeRolePolicyDocument": '{"Statement": []}',
        "AttachedPolicies": [],
        "InlinePolicies": {"one": '{"Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}'},
    }
    keys = {"Arn": session, "UserId": "probe:s", "SecretAccessKey": "s", "SessionToken": "t"}
    _module("services.sts").register_session("ASIAPROBE", keys)
    assert evaluator.resolve_principal("ASIAPROBE", ACCOUNT).arn == session
    refused = evaluator.enforce("ASIAPROBE", "sagemaker:CreateModel", "sagemaker", REGION, resource_arn="*")
    assert refused is not None
    assert refused.decision != "Deny"


def a_role_is_found_by_account_and_name() -> None:
    """Roles are one map over the accounts, with the trust policy as a document or as its text."""
    _module("services.iam")._roles["other"] = {"AssumeRolePolicyDocument": "{}"}
    found = _module("services.iam")._roles.get_scoped(ACCOUNT, None, "other")
    assert found["AssumeRolePolicyDocument"] == "{}"


def a_refusal_is_worded_as_by_aws() -> None:
    """The sentence names principal, action and resource."""
    said = _module("core.iam_actions").identity_denial_message("sagemaker:CreateModel", ROLE, "arn:x", False)
    assert said == (
        f"User: {ROLE} is not authorized to perform: sagemaker:CreateModel on resource: arn:x because no "
        "identity-based policy allows the sagemaker:CreateModel action"
    )


def a_key_answers_with_its_policy() -> None:
    """`key_policy_for_arn` finds a key by its ARN, and answers None for one that is not there."""
    kms = _module("services.kms")
    made = json.loads(kms._create_key({"Policy": "{}"})[2])["KeyMetadata"]["Arn"]
    assert kms.key_policy_for_arn(made)[0] == "{}"
    assert kms.key_policy_for_arn(f"{made[:-1]}x") is None


def a_resource_policy_lets_a_service_in_under_its_conditions() -> None:
    """`evaluate_resource_policy` reads `Service` principals, and conditions by the context in lower case."""
    evaluator = _module("core.iam_evaluator")
    statement = {"Effect": "Allow", "Principal": {"Service": "a.amazonaws.com"}, "Action": "s3:PutObject"}
    statement |= {"Resource": "*", "Condition": {"StringEquals": {"aws:SourceArn": "arn:x"}}}
    for source, decision in (("arn:x", "Allow"), ("arn:y", "ImplicitDeny")):
        context = {"aws:sourcearn": source}
        asked = evaluator.EvalContext(
            "a.amazonaws.com", "Service", ACCOUNT, "s3:PutObject", "arn:z", REGION, service_context=context
        )
        found = evaluator.evaluate_resource_policy(json.dumps({"Statement": [statement]}), asked, "a.amazonaws.com")
        assert found.decision == decision


def an_event_of_an_aws_service_is_taken_on_demand() -> None:
    """`allow_aws_source` lets an entry of source aws.* through."""
    entry = {"Source": "aws.sagemaker", "DetailType": "d", "Detail": "{}", "Resources": []}
    status, _, body = _module("services.eventbridge")._put_events({"Entries": [entry]}, allow_aws_source=True)
    assert status == 200
    assert json.loads(body)["FailedEntryCount"] == 0


def an_api_takes_integrations_and_routes() -> None:
    """Both answer as the API does, and an integration's answer has its id."""
    gateway = _module("services.apigateway")
    gateway._apis["api"] = {"apiId": "api", "protocolType": "HTTP"}
    gateway._routes["api"], gateway._integrations["api"] = {}, {}
    uri = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
    made = gateway._create_integration(
        "api", {"integrationType": "AWS_PROXY", "integrationUri": uri, "payloadFormatVersion": "2.0"}
    )
    route = {"routeKey": "GET /x", "target": f"integrations/{json.loads(made[2])['integrationId']}"}
    assert gateway._create_route("api", {**route, "authorizationType": "NONE"})[0] == 201


def resource_handlers_are_called_by_position() -> None:
    """Create takes logical id, properties, stack; update takes physical id, old, new, stack and more by position."""
    handlers = _module("services.cloudformation.provisioners")._RESOURCE_HANDLERS
    for name in ("AWS::ApiGatewayV2::Api", "AWS::SecretsManager::Secret"):
        create, update = handlers[name]["create"], handlers[name]["update"]
        assert list(inspect.signature(create).parameters)[:3] == ["logical_id", "props", "stack_name"]
        assert list(inspect.signature(update).parameters)[:4] == ["physical_id", "old_props", "new_props", "stack_name"]


def a_task_error_keeps_its_name_and_cause() -> None:
    """`_ExecutionError(error, cause)` is what a state's Retry and Catch are matched against."""
    error = _module("services.stepfunctions")._ExecutionError("States.TaskFailed", "because")
    assert (error.error, error.cause) == ("States.TaskFailed", "because")


def jsonata_is_evaluated_in_a_template() -> None:
    """A value in `{% %}` is evaluated on the state's input."""
    states = _module("services.stepfunctions")
    context = {"Execution": {"Input": {"n": 2}}}
    assert states._apply_jsonata_template("{% $states.input.n + 1 %}", {"n": 2}, context) == 3


BEHAVIOURS: tuple[Callable[[], None], ...] = (
    scope_is_the_account_and_region_that_were_set,
    the_signing_key_is_found_in_the_header,
    an_object_request_is_recognised_as_s3,
    a_session_acts_as_its_role_and_is_refused_what_the_role_may_not,
    a_role_is_found_by_account_and_name,
    a_refusal_is_worded_as_by_aws,
    a_key_answers_with_its_policy,
    a_resource_policy_lets_a_service_in_under_its_conditions,
    an_event_of_an_aws_service_is_taken_on_demand,
    an_api_takes_integrations_and_routes,
    resource_handlers_are_called_by_position,
    a_task_error_keeps_its_name_and_cause,
    jsonata_is_evaluated_in_a_template,
    *internals_stacks.BEHAVIOURS,
)


def _outcome(check: Callable[[], Any]) -> Any:
    try:
        return check()
    except Exception:  # noqa: BLE001  # the report carries it to the test that asks
        return traceback.format_exc()


def main() -> None:
    """Print the report as JSON: looks and behaviours by name; a text stands for what went wrong."""
    prepare(free_port(), Path(tempfile.mkdtemp()))
    responses = _module("core.responses")
    responses.set_request_account_id(ACCOUNT)
    responses.set_request_region(REGION)
    looks = {name: _outcome(lambda name=name: look(name)) for name in INTERNALS}  # type: ignore[misc]
    behaviours = {check.__name__: _outcome(check) for check in BEHAVIOURS}
    sys.stdout.write(json.dumps({"looks": looks, "behaviours": behaviours}))


if __name__ == "__main__":
    main()
