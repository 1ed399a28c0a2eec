"""The adapter to ministack: its internals are touched here and in the `ministack_*` beside it, and nowhere else.

`tests/contract/test_ministack.py` names each of them again, so that an upgrade that moves one fails loudly.
The environment has to be set (`prepare`) before this module is imported, because ministack reads it at import.
"""

import hashlib
import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ministack import app as ministack_app
from ministack.core import concurrency, iam_actions, iam_evaluator, responses, router
from ministack.services import (
    apigateway,
    cloudtrail,
    cloudwatch,
    ecr,
    iam,
    lambda_svc,
    s3,
    ses,
    ses_v2,
    sns,
    sqs,
    ssm,
    stepfunctions,
    sts,
)

from sagemaker_local.call_record import CallRecord, RecordedCall
from sagemaker_local.core.cloud import HttpResponse
from sagemaker_local.forms import posted_form, signed_by
from sagemaker_local.later import Later, when_loaded

type ServiceHandler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[HttpResponse]]

REFUSED = 400
"""The least status of an answer that refuses."""
_CLOUDFORMATION = "ministack.services.cloudformation"
_EVENTS = "ministack.services.eventbridge"
_LOGS = "ministack.services.cloudwatch_logs"
_TAGGING = "ministack.services.tagging"

asgi = ministack_app.app
eventbridge: Any = Later(_EVENTS)
rest_apis: Any = Later("ministack.services.apigateway_v1")
logs: Any = Later(_LOGS)
tagging: Any = Later(_TAGGING)


# --- services -------------------------------------------------------------------------------------------------------
def add_service(
    name: str,
    handler: ServiceHandler,
    target_prefix: str,
    rest_models: list[str],
    resource_arn: Callable[[str, str, Mapping[str, str], bytes], str],
    condition_keys: Callable[[str, bytes], Mapping[str, str | list[str]]],
) -> None:
    """Let ministack route, authenticate and authorise one more service.

    Args:
        name: The signing name, which is also the IAM namespace.
        handler: Answers a request that is allowed.
        target_prefix: What `X-Amz-Target` starts with.
        rest_models: botocore models of the REST APIs that share the signing name.
        resource_arn: From method, path, headers and body to the ARN that IAM decides about.
        condition_keys: From action and body to the service's own condition keys of the request.
    """
    ministack_app.SERVICE_HANDLERS[name] = handler
    router.SERVICE_PATTERNS[name] = {"target_prefixes": [target_prefix]}
    iam_actions.SERVICE_TO_IAM_NAMESPACE[name] = name
    iam_actions._BOTOCORE_SERVICE_MAP[name] = rest_models
    # The handler says itself what its answers are: a model's JSON is no envelope of the service's.
    responses._BOTOCORE_NAME[name] = ""
    _name_resource_of_denials(name)
    original = iam_actions.extract_resource_arn

    def extract(service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any) -> str:
        if service == name:
            return resource_arn(method, path, headers, body)
        return str(original(service, method, path, headers, body, *rest))

    iam_actions.extract_resource_arn = extract
    add_condition_keys(name, condition_keys)


def add_resource_tags(name: str, collect: Callable[[], Iterable[tuple[str, list[dict[str, str]]]]]) -> None:
    """Let IAM know the tags of a service's resources as `aws:ResourceTag/...`; `collect` yields ARNs and tags.

    They are asked for where a policy has such a key, and by the tagging API.
    """

    def loaded() -> None:
        tagging._RESOURCE_TAG_COLLECTORS[name] = collect

    when_loaded(_TAGGING, loaded)


def around_service(name: str, wrap: Callable[[ServiceHandler], ServiceHandler]) -> None:
    """Put something around the handler of a service that there is."""
    ministack_app.SERVICE_HANDLERS[name] = wrap(ministack_app.SERVICE_HANDLERS[name])


def add_condition_keys(name: str, find: Callable[[str, bytes], Mapping[str, str | list[str]]]) -> None:
    """Let IAM know the condition keys that a service takes from its requests."""
    original = iam_actions.request_tag_context

    def keys(service: str, action: str, body: bytes, *rest: Any) -> dict[str, Any]:
        found: dict[str, Any] = original(service, action, body, *rest)
        return {**found, **find(action, body)} if service == name else found

    iam_actions.request_tag_context = keys


def answer_for_images(digest_of: Callable[[str], str | None]) -> None:
    """Let ECR's BatchGetImage know repositories by `digest_of(name)`, and IAM decide it on the named registry.

    What is in ECR itself is answered by ECR.
    """
    ask, extract = ecr._batch_get_image, iam_actions.extract_resource_arn

    def batch_get_image(request: dict[str, Any]) -> Any:
        name = request.get("repositoryName", "")
        digest = None if name in ecr._repositories else digest_of(name)
        if digest is None:
            return ask(request)
        found = [one for one in request.get("imageIds", []) if one.get("imageDigest", digest) == digest]
        images = [{"repositoryName": name, "imageId": {**one, "imageDigest": digest}} for one in found]
        lost = [one for one in request.get("imageIds", []) if one not in found]
        failures = [{"imageId": one, "failureCode": "ImageNotFound"} for one in lost]
        return responses.json_response({"images": images, "failures": failures})

    def resource_arn(service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any) -> str:
        arn = str(extract(service, method, path, headers, body, *rest))
        registry = json.loads(body or b"{}").get("registryId") if service == "ecr" else None
        return arn.replace(f":{responses.get_account_id()}:", f":{registry}:") if registry else arn

    ecr._batch_get_image, iam_actions.extract_resource_arn = batch_get_image, resource_arn


def _name_resource_of_denials(name: str) -> None:
    original = iam_actions.access_denied_response

    def answer(service: str, action: str, principal: str, request_id: str, **more: Any) -> HttpResponse:
        if service == name and not more.get("error_code") and not more.get("message"):
            resource, explicit = more.get("resource_arn", "*"), more.get("explicit_deny", False)
            more["message"] = iam_actions.identity_denial_message(action, principal, resource, explicit)
        refused: HttpResponse = original(service, action, principal, request_id, **more)
        return refused

    iam_actions.access_denied_response = answer


def name_resource(service: str, find: Callable[[Mapping[str, Any], bytes], str | None], *, known: bool = False) -> None:
    """Let `find(query, body)` name the resource of a request that ministack decides on `*`; the ARN's end is enough.

    With `known`, of a request too that ministack has a resource for.
    """
    original = iam_actions.extract_resource_arn

    def extract(asked: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any) -> str:
        arn = str(original(asked, method, path, headers, body, *rest))
        if asked != service or (arn != "*" and not known):
            return arn
        found = find(rest[0], body)
        namespace = iam_actions.SERVICE_TO_IAM_NAMESPACE[service]
        return f"arn:aws:{namespace}:{responses.get_region()}:{responses.get_account_id()}:{found}" if found else arn

    iam_actions.extract_resource_arn = extract


def name_ses_resource(find: Callable[[str, bytes], str | None]) -> None:
    """Let `find(path, body)` name the SES resource (`identity/…`) of a request that ministack has none for."""
    original = iam_actions._ses_v2_resource_arn

    def named(method: str, path: str, body: bytes, region: str, account_id: str) -> str:
        found = find(path, body)
        return (
            f"arn:aws:ses:{region}:{account_id}:{found}" if found else original(method, path, body, region, account_id)
        )

    iam_actions._ses_v2_resource_arn = named


def json_answer(members: Mapping[str, Any]) -> HttpResponse:
    """Return the answer of a service that speaks JSON."""
    answer: HttpResponse = responses.json_response(dict(members))
    return answer


def json_refusal(code: str, message: str) -> HttpResponse:
    """Return the answer of a service that speaks JSON to what it refuses."""
    refused: HttpResponse = responses.error_response_json(code, message)
    return refused


def json_object(body: bytes) -> dict[str, Any]:
    """Return the object that a body is as JSON; empty where it is none."""
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def access_key(headers: Mapping[str, str], query: Mapping[str, Any]) -> str:
    """Return the access key that signed a request."""
    return str(router.extract_access_key_id(headers, query) or "")


@dataclass(frozen=True)
class S3Request:
    """One request to S3, as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, Any]
    form: Mapping[str, str] = field(default_factory=dict)
    """The fields of a form that a browser posted, by their names in lower case; what it uploads is `file`'s name."""


def after_s3(record: Callable[[S3Request, int, str | None, str], None]) -> None:
    """Call `record(request, status, version id, principal)` after every signed S3 request."""
    original = ministack_app._dispatch_service_request

    async def dispatch(method: str, path: str, headers: dict[str, str], *rest: Any) -> HttpResponse:
        status, answered, content = await original(method, path, headers, *rest)
        body, query, *_ = rest
        if router.detect_service(method, path, headers, query) == "s3":
            version = next((value for name, value in answered.items() if name.lower() == "x-amz-version-id"), None)
            form = posted_form(headers, body) if method == "POST" else {}
            signer = signed_by(form) or access_key(headers, query)
            record(S3Request(method, path, headers, query, form), status, version, principal_of(signer))
        return status, answered, content

    ministack_app._dispatch_service_request = dispatch


def scope() -> tuple[str, str]:
    """Return the account and region of this request."""
    return str(responses.get_account_id()), str(responses.get_region())


def use_scope(account: str, region: str) -> None:
    """Make this thread work in an account and region: ministack keeps both in context variables."""
    responses.set_request_account_id(account)
    responses.set_request_region(region)


# --- who may do what ------------------------------------------------------------------------------------------------
call_record = CallRecord()
_enforce = iam_evaluator.enforce


def _enforce_and_record(
    access_key_id: str,
    iam_action: str,
    service: str,
    region: str,
    resource_arn: str = "*",
    service_context: dict[str, Any] | None = None,
) -> Any:
    context = _account_of(resource_arn) | (service_context or {})
    refusal = _enforce(access_key_id, iam_action, service, region, resource_arn, context)
    call_record.add(RecordedCall(principal_of(access_key_id), iam_action, resource_arn, refusal is None))
    return refusal


def _account_of(resource_arn: str) -> dict[str, Any]:
    """Return the condition key that says whose a resource is, where its ARN does (IAM User Guide, global keys)."""
    account = re.match(r"arn:[^:]*:[^:]*:[^:]*:(\d{12}):", resource_arn)
    return {"aws:ResourceAccount": account[1]} if account else {}


def record_calls() -> None:
    """Keep every decision of IAM in `call_record`, and let it know whose the resource is."""
    iam_evaluator.enforce = _enforce_and_record


def verify_the_owner() -> None:
    """Let the owner's keys count only with a signature of the owner's secret, as every other key does."""
    identity_of = iam_evaluator.resolve_caller_identity

    def identity(access_key_id: str) -> dict[str, Any] | None:
        if not (access_key_id and iam_evaluator.is_root_access_key(access_key_id)):
            known: dict[str, Any] | None = identity_of(access_key_id)
            return known
        account = responses.get_account_id()
        return {
            "accessKey": access_key_id,
            "accountId": account,
            "userArn": f"arn:aws:iam::{account}:root",
            "userId": account,
            "principalOrgId": iam_evaluator._principal_org_id(account),
            "session": None,
        }

    # It says which keys are believed unseen.
    iam_evaluator._is_root_key = lambda _access_key_id: False
    iam_evaluator.resolve_caller_identity = identity


def principal_of(access_key_id: str) -> str:
    """Return the ARN behind an access key; the root's for an unknown one."""
    found = iam_evaluator.resolve_principal(access_key_id, responses.get_account_id())
    return str(getattr(found, "arn", "") or f"arn:aws:iam::{responses.get_account_id()}:root")


def refusal(
    access_key_id: str, action: str, resource: str, region: str, context: Mapping[str, str] | None = None
) -> str | None:
    """Return IAM's sentence why the key's holder may not do `action` on `resource`; None when it may."""
    service = action.split(":", 1)[0]
    refused = iam_evaluator.enforce(
        access_key_id, action, service, region, resource_arn=resource, service_context=dict(context or {})
    )
    if refused is None:
        return None
    explicit = getattr(refused, "decision", "") == "Deny"
    return str(iam_actions.identity_denial_message(action, principal_of(access_key_id), resource, explicit))


# Nobody who knows a role's ARN can make its keys.
_SALT = secrets.token_hex()


def credentials(role_arn: str, session: str, seconds: float | None = None) -> dict[str, str]:
    """Return the credentials of a session of the role, the same for the same session name.

    With `seconds` they are new ones each time, and expire.
    """
    account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    own = "" if seconds is None else secrets.token_hex()
    digest = hashlib.sha256(f"{_SALT}:{role_arn}:{session}{own}".encode()).hexdigest()
    keys = {
        "AWS_ACCESS_KEY_ID": f"ASIA{digest[:16].upper()}",
        "AWS_SECRET_ACCESS_KEY": hashlib.sha256(f"secret:{digest}".encode()).hexdigest(),
        "AWS_SESSION_TOKEN": hashlib.sha256(f"token:{digest}".encode()).hexdigest(),
    }
    sts.register_session(
        keys["AWS_ACCESS_KEY_ID"],
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session[:64]}",
            "UserId": f"{name}:{session[:64]}",
            "SecretAccessKey": keys["AWS_SECRET_ACCESS_KEY"],
            "SessionToken": keys["AWS_SESSION_TOKEN"],
            **({} if seconds is None else {"Expiration": time.time() + seconds}),
        },
    )
    return keys


def keys_of(access_key_id: str) -> dict[str, str]:
    """Return the credentials of which an access key that this cloud gave is one.

    Raises:
        LookupError: there is none (any more).
    """
    found = iam_evaluator.resolve_credential(access_key_id)
    secret = getattr(found, "secret_access_key", "")
    if not secret:
        raise LookupError(getattr(found, "message", "The security token included in the request is invalid."))
    return {
        "AWS_ACCESS_KEY_ID": access_key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": found.session_token or "",
    }


def look_through_a_copy_of_sessions() -> None:
    """Let STS forget sessions that have ended from a copy of all: others begin at the same time."""

    def evict() -> None:
        for key, session in list(sts._sessions.items()):
            if sts._session_expired(session):
                sts._sessions.pop(key, None)

    sts._evict_expired_sessions = evict


def trust_policy(role_arn: str) -> dict[str, Any] | None:
    """Return a role's trust policy; None if there is no such role."""
    role = iam._roles.get_scoped(role_arn.split(":")[4], None, role_arn.rsplit("/", 1)[-1])
    if role is None:
        return None
    return dict(json.loads(_text(role.get("AssumeRolePolicyDocument") or "{}")))


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


# --- events and mail ------------------------------------------------------------------------------------------------
def put_event(source: str, detail_type: str, resources: list[str], detail: Mapping[str, Any]) -> None:
    """Put an event of an AWS service on the default bus."""
    entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail), "Resources": resources}
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def before_events_of_aws(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Let `change` see the entry of each event of an AWS service before the bus does."""

    def changed(put: Callable[..., Any], request: dict[str, Any], allow_aws_source: bool = False) -> Any:
        if allow_aws_source:
            request = {**request, "Entries": [change(entry) for entry in request["Entries"]]}
        return put(request, allow_aws_source=allow_aws_source)

    def loaded() -> None:
        eventbridge._put_events = partial(changed, eventbridge._put_events)

    when_loaded(_EVENTS, loaded)


def choose_log_streams(refuse: Callable[[Mapping[str, Any]], tuple[str, str] | None]) -> None:
    """Hold FilterLogEvents to the streams whose names begin with the prefix in a request; `refuse` may refuse it."""

    def chosen(find: Callable[[dict[str, Any]], Any], request: dict[str, Any]) -> Any:
        refusal, prefix = refuse(request), request.get("logStreamNamePrefix")
        if refusal:
            return responses.error_response_json(*refusal, 400)
        group = logs._log_groups.get(logs._resolve_log_group_name(request)) if prefix else None
        if group is not None:
            names = [name for name in group["streams"] if name.startswith(prefix)]
            request = {**request, "logStreamNames": names or [f"none of {prefix}"]}
        return find(request)

    def loaded() -> None:
        logs._filter_log_events = partial(chosen, logs._filter_log_events)

    when_loaded(_LOGS, loaded)


def around_event_targets(wrap: Callable[[Callable[..., None]], Callable[..., None]]) -> None:
    """Put something around what brings an event to one target of a rule."""

    def loaded() -> None:
        eventbridge._invoke_target = wrap(eventbridge._invoke_target)

    when_loaded(_EVENTS, loaded)


def around_log_events(
    wrap: Callable[[Callable[..., None]], Callable[..., None]],
    refuse: Callable[[Mapping[str, Any]], tuple[str, str] | None],
) -> None:
    """Put something around what is told of new log events; `refuse` may answer a metric filter with an error."""

    def checked(put: Callable[[dict[str, Any]], Any], request: dict[str, Any]) -> Any:
        refusal = refuse(request)
        return responses.error_response_json(*refusal, 400) if refusal else put(request)

    def loaded() -> None:
        logs._fanout_to_subscription_filters = wrap(logs._fanout_to_subscription_filters)
        logs._put_metric_filter = partial(checked, logs._put_metric_filter)

    when_loaded(_LOGS, loaded)


def sent_mails() -> list[dict[str, Any]]:
    """Return the mails that SES took, oldest first."""
    return list(ses._sent_emails_list())


# --- CloudFormation -------------------------------------------------------------------------------------------------
type CreatedResource = tuple[str, dict[str, Any]]


def when_stacks_are_asked_for(change: Callable[[], object]) -> None:
    """Call `change`, which changes CloudFormation, when that is loaded: at the first request to it."""
    when_loaded(_CLOUDFORMATION, change)


def add_resource_type(
    name: str,
    create: Callable[[str, dict[str, Any], str], CreatedResource],
    update: Callable[[str, dict[str, Any], dict[str, Any], str], CreatedResource],
    delete: Callable[[str, dict[str, Any]], None],
) -> None:
    """Let CloudFormation make one more type of resource."""
    stack_types._RESOURCE_HANDLERS[name] = {"create": create, "update": update, "delete": delete}


def resource_handlers(name: str) -> dict[str, Any]:
    """Return the handlers of a type of resource by verb: create, update, delete; what is put in takes effect."""
    handlers: dict[str, Any] = stack_types._RESOURCE_HANDLERS[name]
    return handlers


def after_function(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Let `change` see the result of every function before anybody else does."""
    execute = lambda_svc._execute_function_warm
    lambda_svc._execute_function_warm = lambda *arguments: change(execute(*arguments))


def before_parameter(refuse: Callable[[Mapping[str, Any]], tuple[str, str] | None]) -> None:
    """Let `refuse(request)` answer SSM's PutParameter with an error's code and message; None lets it through."""
    put = ssm._put_parameter

    def checked(request: dict[str, Any]) -> Any:
        refused = refuse(request)
        return responses.error_response_json(*refused) if refused else put(request)

    ssm._put_parameter = checked


def after_parameter(tell: Callable[[str, str, Mapping[str, Any]], None]) -> None:
    """Call `tell(operation, name, parameter)` when SSM has made, changed or deleted a parameter, for whomever."""
    put, delete, delete_all = ssm._put_parameter, ssm._delete_parameter, ssm._delete_parameters

    def told_of_put(request: dict[str, Any]) -> Any:
        answer = put(request)
        if answer[0] < REFUSED:
            found = ssm._parameters[request["Name"]]
            tell("Create" if found["Version"] == 1 else "Update", request["Name"], found)
        return answer

    def told_of_deletion(request: dict[str, Any]) -> Any:
        key, found = ssm._lookup_parameter(request.get("Name"))
        answer = delete(request)
        if found and answer[0] < REFUSED:
            tell("Delete", key, found)
        return answer

    def told_of_deletions(request: dict[str, Any]) -> Any:
        found = {name: ssm._lookup_parameter(name)[1] for name in request.get("Names", [])}
        answer = delete_all(request)
        for name in json.loads(answer[2]).get("DeletedParameters", []):
            tell("Delete", name, found[name])
        return answer

    ssm._put_parameter, ssm._delete_parameter, ssm._delete_parameters = (
        told_of_put,
        told_of_deletion,
        told_of_deletions,
    )


# --- HTTP APIs ------------------------------------------------------------------------------------------------------
def http_api_ids() -> list[str]:
    """Return the ids of the HTTP APIs."""
    return list(apigateway._apis)


def api_ids() -> list[str]:
    """Return the ids of all APIs: HTTP, WebSocket and REST."""
    return [*apigateway._apis, *rest_apis._rest_apis]


def add_http_route(api_id: str, method: str, path: str, function_uri: str, authorization: str) -> None:
    """Give an HTTP API a route to a function, as importing its OpenAPI document would."""
    _, _, body = apigateway._create_integration(
        api_id, {"integrationType": "AWS_PROXY", "integrationUri": function_uri, "payloadFormatVersion": "2.0"}
    )
    route = {
        "routeKey": f"{method.upper()} {path}",
        "target": f"integrations/{json.loads(body)['integrationId']}",
        "authorizationType": authorization,
    }
    apigateway._create_route(api_id, route)


def clear_http_routes(api_id: str) -> None:
    """Forget an HTTP API's routes, before its document is imported anew."""
    apigateway._routes[api_id] = {}
    apigateway._integrations[api_id] = {}


# --- what the modules beside this need of the services --------------------------------------------------------------
running_machine: ContextVar[str] = ContextVar("running_machine")
running_execution: ContextVar[str] = ContextVar("running_execution")
TaskError = stepfunctions._ExecutionError
states, queues, alarms, mails = stepfunctions, sqs, cloudwatch, ses_v2
buckets, evaluator = s3, iam_evaluator
keys: Any = Later("ministack.services.kms")
queries: Any = Later("ministack.services.athena")
tables: Any = Later("ministack.services.glue")
stack_types: Any = Later(f"{_CLOUDFORMATION}.provisioners")
stack_engine: Any = Later(f"{_CLOUDFORMATION}.stacks")
stack_calls: Any = Later(f"{_CLOUDFORMATION}.handlers")
change_sets: Any = Later(f"{_CLOUDFORMATION}.changesets")
drifts: Any = Later(f"{_CLOUDFORMATION}.drift")
threads = concurrency
topics, apis, functions, trails, registry = sns, apigateway, lambda_svc, cloudtrail, ecr
actions, entities = iam_actions, iam


def count_metric(namespace: str, metric: str, dimensions: dict[str, str]) -> None:
    """Count one in a metric of a service's own, and look at the alarms."""
    cloudwatch.record_metric(namespace, metric, 1, "Count", dimensions)
    cloudwatch._evaluate_all_alarms()
