"""IAM, by simulation: what each role needs is allowed, what lies beside it is not, and nothing more is granted.

Asked too: may the services send where they have to and only from there, who may take a role, who may use the key.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.gates.checks.posture import documents, listed, statements
from tests.gates.needs import APPROVAL_STATUS, Need, of_functions, of_machines
from tests.gates.node_checks import Question, ask
from tests.gates.reasons import granted
from tests.gates.template import Problem, Template
from tests.gates.values import ACCOUNT, REGION, STACK

_OTHER_ACCOUNT = "999999999999"
# The name of these resources is granted exactly, not by its beginning.
_EXACT = frozenset(("dynamodb", "iam", "lambda", "secretsmanager", "sqs", "ssm", "states"))
# What the approval rests on, by its folder in the artifacts bucket, has one writer; published code has none of ours.
_WRITERS = {
    "transforms": "TestRole",
    "evaluations": "EvaluateModelRole",
    "packages": "PinModelRole",
    "answers": "VerifyReleaseRole",
    "code": "",
}
_KEYS = "dynamodb:LeadingKeys"
_ENCRYPTED = ("s3", "dynamodb", "sqs", "secretsmanager")
_ADMINISTRATOR = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}


@dataclass(frozen=True)
class Asked:
    """A question, the answer that is right, and whom it concerns."""

    question: Question
    allowed: bool
    about: str


def check(template: Template, about: str = "") -> list[Problem]:
    """Return what is refused and needed, allowed and not needed, or not understood by IAM.

    With `about`, only the questions are asked that concern it.
    """
    needs = of_functions(template) | of_machines(template)
    asked = [*_of_roles(template, needs), *_of_trust(template), *_of_senders(template), *_of_key(template, needs)]
    asked += [*_of_evidence(template, needs), *_of_served(template), *_of_branches(template)]
    asked = [entry for entry in asked if about in entry.about]
    identities = {**documents(template), "administrator": [_ADMINISTRATOR]}
    answers, _ = ask([entry.question for entry in asked], identities, _resource_policies(template))
    problems = [problem for entry in asked for problem in _judge(entry, answers[entry.question.id])]
    return problems + list(_more_than_needed(template, needs))


def _judge(entry: Asked, answer: str) -> Iterator[Problem]:
    question = entry.question
    what = f"{question.action} on {question.resource} {dict(question.context)} by {question.principal}"
    if answer.startswith("Refused"):
        yield Problem(entry.about, f"IAM does not understand it: {what}: {answer}")
    elif (answer == "Allowed") != entry.allowed:
        yield Problem(entry.about, f"{what} is {answer}, which is wrong")


def _resource_policies(template: Template) -> dict[str, Any]:
    arn_of = {template.values.name(name): template.values.arn(name) for name in template.resources("AWS::S3::Bucket")}
    policies: dict[str, Any] = {
        arn_of[policy["Bucket"]]: policy["PolicyDocument"]
        for policy in template.resolved("AWS::S3::BucketPolicy").values()
    }
    for kind, member in (("SQS::Queue", "Queues"), ("SNS::Topic", "Topics")):
        for policy in template.resources(f"AWS::{kind}Policy").values():
            for reference in policy[member]:
                policies[template.values.arn(reference["Ref"])] = template.values.of(policy["PolicyDocument"])
    for name, role in template.resolved("AWS::IAM::Role").items():
        policies[template.values.arn(name)] = role["AssumeRolePolicyDocument"]
    for name, key in template.resolved("AWS::KMS::Key").items():
        policies[template.values.arn(name)] = key["KeyPolicy"]
    return policies


def _of_roles(template: Template, needs: dict[str, list[Need]]) -> Iterator[Asked]:
    for role, wanted in needs.items():
        for number, need in enumerate(wanted):
            variants = [(need, True), *((neighbour, False) for neighbour in _neighbours(need))]
            for variant, (what, allowed) in enumerate(variants):
                yield Asked(
                    Question(
                        f"{role}/{number}/{variant}",
                        template.values.arn(role),
                        what.action,
                        what.resource,
                        _account_of(what.resource),
                        _context(what),
                        role,
                        _policy_of(what),
                    ),
                    allowed,
                    role,
                )


def _of_evidence(template: Template, needs: dict[str, list[Need]]) -> Iterator[Asked]:
    """Ask whether anybody but its one writer may write what people approve by."""
    artifacts = template.values.arn("ArtifactsBucket")
    for folder, writer in _WRITERS.items():
        for role in sorted(needs.keys() - {writer}):
            need = Need("s3:PutObject", f"{artifacts}/{folder}/execution-1/x")
            question = Question(
                f"evidence/{folder}/{role}",
                template.values.arn(role),
                need.action,
                need.resource,
                ACCOUNT,
                _context(need),
                role,
                artifacts,
            )
            yield Asked(question, allowed=False, about=role)


def _of_served(template: Template) -> Iterator[Asked]:
    """Ask whether a model that serves may read what models are trained and tested on."""
    data = template.values.arn("DataBucket")
    for place in ("incoming", "models/iris/train", "models/iris/test"):
        need = Need("s3:GetObject", f"{data}/{place}/a.csv")
        question = Question(
            f"served/{place}",
            template.values.arn("ModelRole"),
            need.action,
            need.resource,
            ACCOUNT,
            _context(need),
            "ModelRole",
            data,
        )
        yield Asked(question, allowed=False, about="ModelRole")


def _of_branches(template: Template) -> Iterator[Asked]:
    """Ask whether a branch that is deleted may take with it what is main's."""
    role, sagemaker = "OnCodePushRole", f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
    for action, resource in (
        ("DeletePipeline", f"pipeline/{STACK}-wine--train"),
        ("StopPipelineExecution", f"pipeline/{STACK}-wine--train/execution/x"),
        ("DeleteModelPackageGroup", f"model-package-group/{STACK}-wine"),
        ("DeleteModelPackage", f"model-package/{STACK}-wine/1"),
    ):
        need = Need(f"sagemaker:{action}", f"{sagemaker}:{resource}")
        question = Question(
            f"branches/{action}",
            template.values.arn(role),
            need.action,
            need.resource,
            ACCOUNT,
            _context(need),
            role,
            need.resource,
        )
        yield Asked(question, allowed=False, about=role)


def _context(need: Need) -> dict[str, str]:
    """Return the keys that AWS adds to the request, besides those that the need names."""
    known = {"aws:SecureTransport": "true"} if need.action.startswith("s3:") else {}
    owner = [*need.resource.split(":"), *[""] * 5][4] or _account_of(need.resource)
    return {"aws:ResourceAccount": owner, **known, **need.context}


def _is_any(resource: str) -> bool:
    """Say whether a resource stands for any of its kind: an execution, or what projects of this stack have made."""
    kept = (f"/{STACK}/{what}/" for what in ("models", "projects", "published", "experiments", "automations"))
    return any(part in resource for part in (":execution:", f":secret:{STACK}/hooks/", *kept))


def _neighbours(need: Need) -> Iterator[Need]:
    """Yield what lies beside a need: another stack, another account, another place, another service, without TLS."""
    if need.resource == "*":
        return
    service = need.action.split(":")[0]
    for theirs in (
        need.resource.replace(STACK, "elsewhere").replace("/pipelines-", "/elsewhere-"),
        need.resource.replace(ACCOUNT, _OTHER_ACCOUNT) if service != "s3" else need.resource,
        f"{need.resource}-beside" if service in _EXACT and not _is_any(need.resource) else need.resource,
    ):
        if theirs != need.resource and service not in {"events", "ses"}:
            yield Need(need.action, theirs, need.context)
    if service == "s3":
        yield Need(need.action, need.resource, {"aws:SecureTransport": "false"})
        bucket, slash, _ = need.resource.partition("/")
        if slash:
            yield Need(need.action, f"{bucket}/elsewhere/x", need.context)
    if need.action == "iam:PassRole":
        yield Need(need.action, need.resource, {"iam:PassedToService": "lambda.amazonaws.com"})
    if need.action in ("sagemaker:CreateModelPackage", "sagemaker:UpdateModelPackage"):
        # Whoever registers may not approve, whoever approves does not reopen.
        approves = need.context.get(APPROVAL_STATUS, "PendingManualApproval") != "PendingManualApproval"
        yield Need(need.action, need.resource, {APPROVAL_STATUS: "PendingManualApproval" if approves else "Approved"})
    if service == "ecr":
        yield Need(need.action, need.resource, {"aws:ResourceAccount": _OTHER_ACCOUNT})
    if service == "ses":
        yield Need(need.action, need.resource, {"ses:FromAddress": "somebody@example.org"})
    yield from _elsewhere(need)


def _elsewhere(need: Need) -> Iterator[Need]:
    if need.action.startswith("events:"):
        yield Need(need.action, f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{STACK}-UploadsTrailRule")
    if _KEYS in need.context:  # one table, and what is written in it is not everybody's
        yield Need(need.action, need.resource, {_KEYS: "heads#wine"})


def _account_of(resource: str) -> str:
    return _OTHER_ACCOUNT if _OTHER_ACCOUNT in resource else ACCOUNT


def _policy_of(need: Need) -> str:
    return need.resource.partition("/")[0] if need.action.startswith("s3:") else ""


def _of_trust(template: Template) -> Iterator[Asked]:
    for name, role in template.resolved("AWS::IAM::Role").items():
        arn = template.values.arn(name)
        trusted = [
            service
            for statement in statements(role["AssumeRolePolicyDocument"])
            if isinstance(statement.get("Principal"), dict)
            for service in listed(statement["Principal"].get("Service", []))
        ]
        conditional = "Condition" in str(role["AssumeRolePolicyDocument"])
        questions = [(service, ACCOUNT, True) for service in trusted]
        questions += [(service, _OTHER_ACCOUNT, False) for service in trusted if conditional]
        questions += [("ec2.amazonaws.com", ACCOUNT, False), (f"arn:aws:iam::{_OTHER_ACCOUNT}:role/x", ACCOUNT, False)]
        for number, (principal, source, allowed) in enumerate(questions):
            context = {"aws:SourceAccount": source}
            question = Question(
                f"trust/{name}/{number}", principal, "sts:AssumeRole", arn, context=context, resource_policy=arn
            )
            yield Asked(question, allowed, name)


def _of_senders(template: Template) -> Iterator[Asked]:
    """Ask whether rules, alarms and the trail may send where they send, and others not."""
    arn = template.values.arn
    for number, (service, action, resource, policy, source) in enumerate(_sendings(template)):
        context = {"aws:SourceArn": source, "aws:SourceAccount": ACCOUNT}
        if service == "cloudtrail.amazonaws.com":
            context |= {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SecureTransport": "true"}
        else:
            yield _send(f"{number}/key", service, "kms:GenerateDataKey", arn("Key"), arn("Key"), context, allowed=True)
        foreign = context | {
            "aws:SourceArn": source.replace(ACCOUNT, _OTHER_ACCOUNT),
            "aws:SourceAccount": _OTHER_ACCOUNT,
        }
        yield _send(f"{number}/own", service, action, resource, policy, context, allowed=True)
        yield _send(f"{number}/foreign", service, action, resource, policy, foreign, allowed=False)


def _sendings(template: Template) -> Iterator[tuple[str, str, str, str, str]]:
    arn = template.values.arn
    for name, rule in template.resolved("AWS::Events::Rule").items():
        for target in rule["Targets"]:
            queues = [target["Arn"], target.get("DeadLetterConfig", {}).get("Arn", "")]
            for queue in queues:
                if ":sqs:" in queue:
                    yield "events.amazonaws.com", "sqs:SendMessage", queue, queue, arn(name)
    for name, alarm in template.resolved("AWS::CloudWatch::Alarm").items():
        for topic in alarm.get("AlarmActions", []):
            yield "cloudwatch.amazonaws.com", "sns:Publish", topic, topic, arn(name)
    for name, trail in template.resolved("AWS::CloudTrail::Trail").items():
        bucket = f"arn:aws:s3:::{trail['S3BucketName']}"
        source = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{template.values.name(name)}"
        yield "cloudtrail.amazonaws.com", "s3:PutObject", f"{bucket}/AWSLogs/{ACCOUNT}/x", bucket, source
        yield "cloudtrail.amazonaws.com", "s3:GetBucketAcl", bucket, bucket, source
        for action in ("kms:GenerateDataKey", "kms:DescribeKey", *_with_bucket_key(template, trail["S3BucketName"])):
            yield "cloudtrail.amazonaws.com", action, arn("Key"), arn("Key"), source


def _with_bucket_key(template: Template, bucket: str) -> Iterator[str]:
    """Yield what CloudTrail's User Guide asks besides of a bucket with an S3 Bucket Key ("Configure AWS KMS key …")."""
    for name, properties in template.resolved("AWS::S3::Bucket").items():
        rules = properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
        if template.values.name(name) == bucket and any(rule.get("BucketKeyEnabled") for rule in rules):
            yield "kms:Decrypt"


def _send(
    name: str, service: str, action: str, resource: str, policy: str, context: dict[str, str], *, allowed: bool
) -> Asked:
    question = Question(f"send/{name}", service, action, resource, ACCOUNT, context, resource_policy=policy)
    return Asked(question, allowed, f"sending by {service} to {resource}")


def _of_key(template: Template, needs: dict[str, list[Need]]) -> Iterator[Asked]:
    """Ask whether whoever uses an encrypted thing may use its key through that service, and not by itself."""
    key = template.values.arn("Key")
    administrator = f"arn:aws:iam::{ACCOUNT}:role/administrator"
    administers = Question(
        "key/0", administrator, "kms:PutKeyPolicy", key, policies="administrator", resource_policy=key
    )
    yield Asked(administers, allowed=True, about="Key")
    for role, wanted in needs.items():
        for service in sorted({need.action.split(":")[0] for need in wanted} & set(_ENCRYPTED)):
            through = {"kms:ViaService": f"{service}.{REGION}.amazonaws.com", "kms:CallerAccount": ACCOUNT}
            foreign = through | {"kms:CallerAccount": _OTHER_ACCOUNT}
            direct = {"kms:CallerAccount": ACCOUNT}
            for number, (context, allowed) in enumerate(((through, True), (foreign, False), (direct, False))):
                name = f"key/{role}/{service}/{number}"
                principal = template.values.arn(role)
                question = Question(
                    name, principal, "kms:Decrypt", key, context=context, policies=role, resource_policy=key
                )
                yield Asked(question, allowed, f"Key for {role}")


def _more_than_needed(template: Template, needs: dict[str, list[Need]]) -> Iterator[Problem]:
    reasons = granted(template.text)
    for role in template.resources("AWS::IAM::Role"):
        if role not in needs:
            yield Problem(role, "is in no list of needs")
    for (resource, _, action), reason in reasons.items():
        if resource in needs and not reason and action not in {need.action for need in needs[resource]}:
            yield Problem(resource, f"is granted {action}, which nothing is known to call, and no reason is beside it")
    for name, policies in documents(template).items():
        for document in policies:
            for statement in statements(document):
                yield from (
                    Problem(name, f"is granted {action}, a wildcard")
                    for action in listed(statement["Action"])
                    if "*" in action
                )
