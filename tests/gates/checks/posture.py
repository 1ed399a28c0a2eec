"""House rules about what is deployed: nothing open, nothing unencrypted, nothing lost unseen, nothing kept for ever."""

import re
from collections.abc import Iterator
from typing import Any

from tests.gates.template import Problem, Template
from tests.gates.values import STACK

from signalbox.mail import MAILS_TAG

# The services that run as a role; every other role is a function's.
_TRUSTED = {
    "MlopsMachineRole": "states",
    "ReleaseMachineRole": "states",
    "JobRole": "sagemaker",
    "ModelRole": "sagemaker",
    "TestRole": "sagemaker",
    "PipelineRole": "sagemaker",
    "BuildRole": "codebuild",
    "BranchesRole": "codebuild",
}
_LONGEST_CALL = 900  # seconds (AWS Lambda quotas); this version of cfn-lint does not look
# Times the function's timeout (Lambda Developer Guide, "Using Lambda with Amazon SQS").
_HIDDEN_FOR = 6
# What an access log must not hold: the path and the query of a review's link are its key.
_SECRET_IN_LOGS = re.compile(
    r"\$context\.(path|protocolPath|requestOverride\S*|querystring\S*|customDomain\S*)\b", re.IGNORECASE
)
# By whom each is checked in place of IAM: a review by the key in its link, a webhook by its provider's signature.
_PUBLIC_ROUTES = frozenset(("/reviews/{review}", "/hooks/{project}"))
_THROTTLE = ("ThrottlingBurstLimit", "ThrottlingRateLimit")
# An account's concurrency of Lambda at first (Lambda quotas: new accounts have less than the 1,000 of others). What is
# public may not take all of it at once.
_NEW_ACCOUNT = 10


def check(template: Template) -> list[Problem]:
    """Return what is open, unencrypted, unwatched or without an end."""
    rules = (_buckets, _key, _tables, _queues, _roles, _functions, _machines, _mails, _log_groups, _api)
    return [problem for rule in rules for problem in rule(template)]


def statements(policy: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the statements of a policy document, a lone one as a list."""
    found = policy.get("Statement", [])
    return found if isinstance(found, list) else [found]


def listed(value: Any) -> list[Any]:
    """Return a value that may stand alone or in a list, as a list."""
    return value if isinstance(value, list) else [value]


def documents(template: Template) -> dict[str, list[dict[str, Any]]]:
    """Return the policy documents of each role: its own, and those of the template's managed policies."""
    shared = _shared(template)
    return {
        name: [policy["PolicyDocument"] for policy in role.get("Policies", [])]
        + [shared[arn] for arn in role.get("ManagedPolicyArns", []) if arn in shared]
        for name, role in template.resolved("AWS::IAM::Role").items()
    }


def _shared(template: Template) -> dict[str, dict[str, Any]]:
    policies = template.resolved("AWS::IAM::ManagedPolicy")
    return {template.values.arn(name): policy["PolicyDocument"] for name, policy in policies.items()}


def _buckets(template: Template) -> Iterator[Problem]:
    policies = {
        policy["Bucket"]: policy["PolicyDocument"] for policy in template.resolved("AWS::S3::BucketPolicy").values()
    }
    for name, bucket in template.resolved("AWS::S3::Bucket").items():
        rules = bucket.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [{}])
        encryption = rules[0].get("ServerSideEncryptionByDefault", {})
        if encryption.get("KMSMasterKeyID") != template.values.arn("Key"):
            yield Problem(name, "is not encrypted with the stack's key")
        if set(bucket.get("PublicAccessBlockConfiguration", {}).values()) != {True}:
            yield Problem(name, "does not block every public access")
        elif len(bucket["PublicAccessBlockConfiguration"]) != len(("acls", "ignored acls", "policy", "restricted")):
            yield Problem(name, "does not block all four kinds of public access")
        if bucket.get("VersioningConfiguration", {}).get("Status") != "Enabled":
            yield Problem(name, "keeps no versions")
        if not bucket.get("LifecycleConfiguration", {}).get("Rules"):
            yield Problem(name, "keeps half-done uploads and old versions for ever")
        yield from _bucket_policy(name, policies.get(template.values.name(name), {}))


def _bucket_policy(name: str, policy: dict[str, Any]) -> Iterator[Problem]:
    refusals = [
        statement
        for statement in statements(policy)
        if statement["Effect"] == "Deny" and statement["Principal"] == "*" and statement["Action"] == "s3:*"
    ]
    tls = {"Bool": {"aws:SecureTransport": "false"}}
    if not any(refusal.get("Condition") == tls and len(refusal["Resource"]) > 1 for refusal in refusals):
        yield Problem(name, "may be used without TLS")
    for statement in statements(policy):
        if statement["Effect"] == "Allow" and statement["Principal"] in ("*", {"AWS": "*"}):
            yield Problem(name, "is open to everybody")


def _key(template: Template) -> Iterator[Problem]:
    for name, key in template.resolved("AWS::KMS::Key").items():
        if key.get("EnableKeyRotation") is not True:
            yield Problem(name, "is never rotated")
        for statement in statements(key["KeyPolicy"]):
            everybody = statement["Principal"] in ("*", {"AWS": "*"})
            if everybody and "kms:CallerAccount" not in statement.get("Condition", {}).get("StringEquals", {}):
                yield Problem(name, "is open to other accounts")


def _tables(template: Template) -> Iterator[Problem]:
    for name, table in template.resolved("AWS::DynamoDB::Table").items():
        if table.get("PointInTimeRecoverySpecification") != {"PointInTimeRecoveryEnabled": True}:
            yield Problem(name, "cannot be put back to an earlier minute")
        if table.get("SSESpecification", {}).get("KMSMasterKeyId") != template.values.name("Key"):
            yield Problem(name, "is not encrypted with the stack's key")


def _queues(template: Template) -> Iterator[Problem]:
    watched = {
        value["Value"]
        for alarm in template.resolved("AWS::CloudWatch::Alarm").values()
        for value in alarm.get("Dimensions", [])
        if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible" and alarm.get("AlarmActions")
    }
    queues = template.resolved("AWS::SQS::Queue")
    dead = {queue["RedrivePolicy"]["deadLetterTargetArn"] for queue in queues.values() if "RedrivePolicy" in queue}
    dead |= {target for target, _ in _rule_targets(template)}
    for name, queue in queues.items():
        if queue.get("KmsMasterKeyId") != template.values.name("Key"):
            yield Problem(name, "is not encrypted with the stack's key")
        if template.values.arn(name) in dead:
            if template.values.name(name) not in watched:
                yield Problem(name, "is a dead-letter queue without an alarm that tells somebody")
        elif "RedrivePolicy" not in queue:
            yield Problem(name, "has no dead-letter queue")
    for _, problem in _rule_targets(template):
        yield from problem


def _rule_targets(template: Template) -> Iterator[tuple[str, list[Problem]]]:
    for name, rule in template.resolved("AWS::Events::Rule").items():
        for target in rule.get("Targets", []):
            problems = []
            if not {"MaximumRetryAttempts", "MaximumEventAgeInSeconds"} <= set(target.get("RetryPolicy", {})):
                problems.append(Problem(name, f"target {target['Id']} has no retry policy"))
            if "DeadLetterConfig" not in target:
                problems.append(Problem(name, f"target {target['Id']} has no dead-letter queue"))
            yield target.get("DeadLetterConfig", {}).get("Arn", ""), problems


def _roles(template: Template) -> Iterator[Problem]:
    for name, role in template.resolved("AWS::IAM::Role").items():
        service = _TRUSTED.get(name, "lambda")
        for statement in statements(role["AssumeRolePolicyDocument"]):
            if statement.get("Principal") != {"Service": f"{service}.amazonaws.com"}:
                yield Problem(name, f"may be assumed by {statement.get('Principal')}, not by {service} alone")
            if service != "lambda" and "aws:SourceAccount" not in str(statement.get("Condition")):
                yield Problem(name, "may be assumed on behalf of another account")
        for arn in set(role.get("ManagedPolicyArns", [])) - set(_shared(template)):
            yield Problem(name, f"has the policy {arn}, which stands elsewhere and may be changed there")
    for name, policies in documents(template).items():
        for policy in policies:
            yield from _passing(name, policy)


def _passing(name: str, policy: dict[str, Any]) -> Iterator[Problem]:
    for statement in statements(policy):
        if not any(action in {"iam:PassRole", "iam:*", "*"} for action in listed(statement["Action"])):
            continue
        if any("*" in resource for resource in listed(statement["Resource"]) if not _of_projects(resource)):
            yield Problem(name, "may pass any role")
        if "iam:PassedToService" not in statement.get("Condition", {}).get("StringEquals", {}):
            yield Problem(name, "may pass a role to any service")


def _of_projects(resource: str) -> bool:
    """Say whether an ARN stands for roles of this stack's projects, which have a path of their own."""
    return f":role/{STACK}/projects/" in resource


def _functions(template: Template) -> Iterator[Problem]:
    configs = template.resolved("AWS::Lambda::EventInvokeConfig").values()
    caught = {config["FunctionName"] for config in configs if config.get("DestinationConfig", {}).get("OnFailure")}
    called = {permission["FunctionName"] for permission in _event_permissions(template)}
    for name, function in template.resolved("AWS::Lambda::Function").items():
        if function.get("TracingConfig", {}).get("Mode") != "Active":
            yield Problem(name, "is not traced")
        if function["Timeout"] > _LONGEST_CALL:
            yield Problem(name, f"may run for {function['Timeout']} seconds: Lambda takes at most {_LONGEST_CALL}")
        if "LogGroup" not in function.get("LoggingConfig", {}):
            yield Problem(name, "writes into a log group that nobody made, which is kept for ever")
        if template.values.name(name) in called - caught:
            yield Problem(name, "is called asynchronously and has no destination for what fails")
    yield from _mappings(template)


def _mappings(template: Template) -> Iterator[Problem]:
    hidden = {
        template.values.arn(name): queue.get("VisibilityTimeout", 30)
        for name, queue in template.resolved("AWS::SQS::Queue").items()
    }
    functions = template.resolved("AWS::Lambda::Function")
    timeouts = {template.values.name(name): function["Timeout"] for name, function in functions.items()}
    for name, mapping in template.resolved("AWS::Lambda::EventSourceMapping").items():
        if mapping.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            yield Problem(name, "does not report partial batch failures")
        least = _HIDDEN_FOR * timeouts[mapping["FunctionName"]]
        if hidden[mapping["EventSourceArn"]] < least:
            yield Problem(name, f"shows a message again before {least} seconds, so a throttled poller uses it up")


def _event_permissions(template: Template) -> list[dict[str, Any]]:
    permissions = template.resolved("AWS::Lambda::Permission").values()
    return [permission for permission in permissions if permission["Principal"] == "events.amazonaws.com"]


def _machines(template: Template) -> Iterator[Problem]:
    alarmed = {
        (alarm["MetricName"], value["Value"])
        for alarm in template.resolved("AWS::CloudWatch::Alarm").values()
        for value in alarm.get("Dimensions", [])
    }
    for name, machine in template.resolved("AWS::StepFunctions::StateMachine").items():
        logging = machine.get("LoggingConfiguration", {})
        if logging.get("Level") != "ALL" or logging.get("IncludeExecutionData") is not False:
            yield Problem(name, "does not log every event without its data")
        if machine.get("TracingConfiguration") != {"Enabled": True}:
            yield Problem(name, "is not traced")
        for metric in ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"):
            if (metric, template.values.arn(name)) not in alarmed:
                yield Problem(name, f"has no alarm on {metric}")


def _mails(template: Template) -> Iterator[Problem]:
    """Bounces, complaints and refusals are counted under the tag that our mails have, and each count has an alarm."""
    alarmed = {
        (alarm["MetricName"].lower(), value["Name"], value["Value"])
        for alarm in template.resolved("AWS::CloudWatch::Alarm").values()
        for value in alarm["Dimensions"]
        if alarm["Namespace"] == "AWS/SES" and alarm.get("AlarmActions")
    }
    counted = set()
    for entry in template.resolved("AWS::SES::ConfigurationSetEventDestination").values():
        destination, name = entry["EventDestination"], entry["ConfigurationSetName"]
        for dimension in destination["CloudWatchDestination"]["DimensionConfigurations"]:
            kinds = destination["MatchingEventTypes"] if destination["Enabled"] else []
            counted |= {(kind, dimension["DimensionName"], name) for kind in kinds}
    for name in template.resolved("AWS::SES::ConfigurationSet"):
        for kind in ("bounce", "complaint", "reject"):
            if (kind, MAILS_TAG, template.values.name(name)) not in counted & alarmed:
                yield Problem(name, f"has no alarm on a {kind}")


def _log_groups(template: Template) -> Iterator[Problem]:
    for name, group in template.resolved("AWS::Logs::LogGroup").items():
        if not group.get("RetentionInDays"):
            yield Problem(name, "is kept for ever")


def _api(template: Template) -> Iterator[Problem]:
    for name, stage in template.resolved("AWS::ApiGatewayV2::Stage").items():
        log = stage.get("AccessLogSettings", {})
        if not log.get("DestinationArn"):
            yield Problem(name, "has no access log")
        if _SECRET_IN_LOGS.search(log.get("Format", "")):
            yield Problem(name, "writes the links of reviews into its access log")
        if not set(_THROTTLE) <= set(stage.get("DefaultRouteSettings", {})):
            yield Problem(name, "is not throttled")
        yield from _public_throttles(template, name, stage)
    for name, api in template.resolved("AWS::ApiGatewayV2::Api").items():
        for path, methods in api["Body"]["paths"].items():
            for method, route in methods.items():
                secured = any(entry.get("AWS_IAM") is not None for entry in route.get("security", []))
                if not secured and path not in _PUBLIC_ROUTES:
                    yield Problem(name, f"{method.upper()} {path} is open to everybody")


def _public_throttles(template: Template, name: str, stage: dict[str, Any]) -> Iterator[Problem]:
    settings, default = stage.get("RouteSettings", {}), stage.get("DefaultRouteSettings", {})
    for route in _public(template):
        own = settings.get(route, {})
        if not set(_THROTTLE) <= set(own):
            yield Problem(name, f"{route} is open to everybody and shares the throttle of the others")
        elif own["ThrottlingBurstLimit"] > _NEW_ACCOUNT:
            yield Problem(name, f"{route} is open to everybody and may use up a new account's concurrency")
        elif any(own[member] >= default.get(member, 0) for member in _THROTTLE):
            yield Problem(name, f"{route} is open to everybody and takes as many requests as all others")
    for event, function in template.sam["Resources"].items():
        routes = function.get("Properties", {}).get("Events", {}).values()
        public = [route for route in routes if route.get("Properties", {}).get("Path") in _PUBLIC_ROUTES]
        if public and "ReservedConcurrentExecutions" not in function["Properties"]:
            yield Problem(event, "answers everybody, and no share of the concurrency can be kept for it")


def _public(template: Template) -> Iterator[str]:
    for api in template.resolved("AWS::ApiGatewayV2::Api").values():
        for path, methods in api["Body"]["paths"].items():
            if path in _PUBLIC_ROUTES:
                yield from (f"{method.upper()} {path}" for method in methods)
