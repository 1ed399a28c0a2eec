"""The automation of a project: what it keeps, and by simulation what builds, and roles that they make, may do."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from tests.gates.automations import ARTIFACTS, DATA, KEY, WINE
from tests.gates.checks.posture import documents, listed, statements
from tests.gates.needs import APPROVAL_STATUS, Need
from tests.gates.node_checks import Question, ask
from tests.gates.reasons import granted
from tests.gates.template import Problem, Template
from tests.gates.values import ACCOUNT, REGION, STACK

from signalbox_operate.automations import creating

# Bytes of a template in a request, and characters without blanks of a managed policy (CloudFormation API reference,
# CreateStack; IAM User Guide, "IAM and AWS STS quotas").
_SHORTEST_SECRET = 32  # characters: the length of what SHA-256 makes
_LARGEST_TEMPLATE, _LARGEST_POLICY = 51_200, 6_144
_BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/{STACK}/automations/wine/{STACK}-Boundary"
_POLICY = {"iam:PolicyARN": f"arn:aws:iam::{ACCOUNT}:policy/{STACK}-ContainerPolicy"}
_BOUND = {"iam:PermissionsBoundary": _BOUNDARY}
_ADMINISTRATOR = {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}
_ROLE = f"arn:aws:iam::{ACCOUNT}:role/{STACK}/projects/wine/{STACK}-project-wine-PipelineRole-1"
_OWN_ROLE = f"arn:aws:iam::{ACCOUNT}:role/{STACK}/automations/wine/{STACK}-BuildRole"
_TO_SAGEMAKER = {"iam:PassedToService": "sagemaker.amazonaws.com"}
_ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
# The key's policy lets the account decide, as that of the stack's key does.
_BY_IAM = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}
_PUSHES = ("BatchCheckLayerAvailability", "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage")
# What one project may see of another: claims and runs, which nobody may have twice or take away while they go on.
_SEEN = (
    *("ssm:GetParametersByPath", "sagemaker:ListEndpoints", "states:ListExecutions"),
    *("states:DescribeExecution", "ecr:GetAuthorizationToken", "cloudwatch:DescribeAlarms"),
)


def check(template: Template, about: str = "") -> list[Problem]:
    """Return what is kept for ever or lost, too large, refused and needed, or allowed and not needed.

    With `about`, only the questions are asked that concern it.
    """
    return [*_kept(template), *_building(template), *_sizes(template), *_tags(template), *_rights(template, about)]


def _kept(template: Template) -> Iterator[Problem]:
    for name, kind in (("CodeRepository", "AWS::CodeCommit::Repository"), ("ImageRepository", "AWS::ECR::Repository")):
        resource = template.cfn["Resources"].get(name, {})
        if (resource.get("Type"), resource.get("DeletionPolicy")) != (kind, "RetainExceptOnCreate"):
            yield Problem(name, "goes with the stack, or stays where the stack could not be made")
        if resource.get("UpdateReplacePolicy") != "Retain":
            yield Problem(name, "goes when it is replaced")
    for name in ("DeployPolicy", "Boundary"):
        if "Grant" not in listed(template.cfn["Resources"][name].get("DependsOn", [])):
            yield Problem(name, "is there before the grant, or after it: what builds write meanwhile is believed")
    for name, images in template.resolved("AWS::ECR::Repository").items():
        if images.get("ImageTagMutability") != "IMMUTABLE" or not images["ImageScanningConfiguration"].get(
            "ScanOnPush"
        ):
            yield Problem(name, "has tags that move, or images that nobody scans")
        if images.get("EncryptionConfiguration", {}).get("KmsKey") != KEY:
            yield Problem(name, "is not encrypted with the stack's key")
        rules = json.loads(images["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
        if {rule["selection"]["tagStatus"] for rule in rules} != {"untagged", "any"}:
            yield Problem(name, "keeps images for ever")


def _building(template: Template) -> Iterator[Problem]:
    groups = {template.values.name(name) for name in template.resources("AWS::Logs::LogGroup")}
    for name, build in template.resolved("AWS::CodeBuild::Project").items():
        if build.get("LogsConfig", {}).get("CloudWatchLogs", {}).get("GroupName") not in groups:
            yield Problem(name, "writes into a log group that nobody made, which is kept for ever")
        if not {"TimeoutInMinutes", "QueuedTimeoutInMinutes", "ConcurrentBuildLimit"} <= set(build):
            yield Problem(name, "may build for hours, or any number at once")
        if build.get("EncryptionKey") != KEY or build.get("Artifacts") != {"Type": "NO_ARTIFACTS"}:
            yield Problem(name, "leaves something behind, or not under the stack's key")
    for name, secret in template.resolved("AWS::SecretsManager::Secret").items():
        if secret.get("KmsKeyId") != KEY:
            yield Problem(name, "is not encrypted with the stack's key")
        if secret.get("GenerateSecretString", {}).get("PasswordLength", 0) < _SHORTEST_SECRET:
            yield Problem(name, "is no secret that CloudFormation makes, or one that can be guessed")
    for number, line in enumerate(template.text.splitlines(), 1):
        if "PrivilegedMode: true" in line and "#" not in line:
            yield Problem(f"line {number}", "privileged without a reason beside it")


def _sizes(template: Template) -> Iterator[Problem]:
    size = len(creating.sent(template.text).encode())
    if size > _LARGEST_TEMPLATE:
        yield Problem("template", f"has {size:,} bytes: a request takes {_LARGEST_TEMPLATE:,}")
    for name, policy in template.resolved("AWS::IAM::ManagedPolicy").items():
        length = len("".join(json.dumps(policy["PolicyDocument"]).split()))
        if length > _LARGEST_POLICY:
            yield Problem(name, f"has {length:,} characters for a project with three models, more than IAM takes")


def _tags(template: Template) -> Iterator[Problem]:
    for name, resource in template.cfn["Resources"].items():
        tags = template.values.of(resource["Properties"].get("Tags", []))
        found = tags if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}
        if found.get("sagemaker:project-name") != "wine" and resource["Type"] != "AWS::IAM::ManagedPolicy":
            yield Problem(name, "does not say whose it is, in the tag sagemaker:project-name")


def _rights(template: Template, about: str) -> Iterator[Problem]:
    roles = {name: found for name, found in documents(template).items() if name in ("BuildRole", "BranchesRole")}
    boundary = template.resolved("AWS::IAM::ManagedPolicy")["Boundary"]["PolicyDocument"]
    made = {name: [policy["PolicyDocument"] for policy in role["Policies"]] for name, role in WINE.roles.items()}
    policies: dict[str, Sequence[Any]] = {**roles, **made, "Boundary": [boundary], "anything": [_ANYTHING]}
    asked = [entry for entry in (*_of_builds(), *_of_the_boundary()) if about in entry[2]]
    answers, _ = ask([question for question, _, _ in asked], policies, {KEY: _BY_IAM})
    for question, allowed, what in asked:
        answer = answers[question.id]
        said = f"{question.action} on {question.resource} {dict(question.context)} is {answer}"
        if answer.startswith("Refused"):
            yield Problem(what, f"IAM does not understand it: {said}")
        elif (answer == "Allowed") != allowed:
            yield Problem(what, f"{said}, which is wrong")
    yield from _more_than_needed(
        template,
        {
            **_WHAT_BUILDS_DO,
            "SourcesPolicy": _WHAT_BUILDS_DO["BuildRole"],
            "DeployPolicy": _deploys(),
            "BranchesPolicy": _experiments(),
        },
    )


def _of_builds() -> Iterator[tuple[Question, bool, str]]:
    """Ask about what a build does, the same of another project, and what somebody may push to try."""
    for role, needs, forbidden in (
        ("BuildRole", _deploys() + _WHAT_BUILDS_DO["BuildRole"], _beyond()),
        ("BranchesRole", _experiments() + _WHAT_BUILDS_DO["BranchesRole"], [*_beyond(), *_of_main()]),
    ):
        theirs = [_of_another(need) for need in needs if need.action not in _SEEN and "*" not in need.resource]
        theirs = [need for need in theirs if need not in needs]
        for number, (need, allowed) in enumerate(
            [*((need, True) for need in needs), *((need, False) for need in (*theirs, *forbidden))]
        ):
            yield _question(f"{role}/{number}", need, role), allowed, role


def _of_the_boundary() -> Iterator[tuple[Question, bool, str]]:
    """Ask whether all that roles are given counts, and nothing of another project's, whatever they are given."""
    for role in WINE.roles:
        for number, need in enumerate(_given(role)):
            name = f"Boundary/{role}/{number}"
            yield _question(name, need, role, "Boundary"), True, "Boundary"
            names = need.action == "s3:ListBucket" and ARTIFACTS in need.resource
            if need.action not in _SEEN and not names and _of_another(need) != need:
                yield _question(f"{name}/other", _of_another(need), "anything", "Boundary"), False, "Boundary"
    for number, need in enumerate([*_beyond(), *_beyond_the_boundary()]):
        if need.action not in ("iam:PassRole", "sagemaker:PutRecord"):  # which roles of the project may
            yield _question(f"Boundary/{number}", need, "anything", "Boundary"), False, "Boundary"


def _given(role: str) -> Iterator[Need]:
    """Yield a call for each action and resource that a role of a project has."""
    for statement in (one for policy in WINE.roles[role]["Policies"] for one in statements(policy["PolicyDocument"])):
        context = {
            key: str(listed(value)[0]).replace("*", "x")
            for operator in statement.get("Condition", {}).values()
            for key, value in operator.items()
        }
        for action in listed(statement["Action"]):
            for resource in listed(statement["Resource"]):
                if action == "sagemaker:CreateModelPackage" and ":model-package-group/" in resource:
                    continue  # which the simulation does not know yet; the check `grants` is about it
                yield Need(action, _concrete(action, resource), context)


def _concrete(action: str, resource: str) -> str:
    if resource != "*":
        return resource.replace(":*:", f":{ACCOUNT}:").replace("*", "x")
    if action.startswith("ec2:") and "Describe" not in action:
        return f"arn:aws:ec2:{REGION}:{ACCOUNT}:network-interface/eni-0123456789abcdef0"
    return resource


def _of_another(need: Need) -> Need:
    context = {key: value.replace("wine", "abalone") for key, value in need.context.items()}
    own = {**context, **{key: need.context[key] for key in _BOUND if key in need.context}}
    return Need(need.action, need.resource.replace("wine", "abalone"), own)


def _question(name: str, need: Need, policies: str, boundary: str = "") -> Question:
    principal = f"arn:aws:iam::{ACCOUNT}:role/{policies}"
    owner = [*need.resource.split(":"), *[""] * 5][4] or ACCOUNT
    context = {"aws:ResourceAccount": owner, **need.context}
    of_key = KEY if need.resource == KEY else ""
    return Question(name, principal, need.action, need.resource, owner, context, policies, of_key, boundary)


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def _needs(service: str, actions: Sequence[str], resource: str, context: dict[str, str] | None = None) -> list[Need]:
    return [Need(f"{service}:{action}", resource, context or {}) for action in actions]


def _parameter(name: str) -> str:
    return _arn("ssm", f"parameter/{STACK}/{name}")


def _deploys() -> list[Need]:
    """Return what `signalbox deploy` calls for the project wine, by itself and through CloudFormation."""
    stack = _arn("cloudformation", f"stack/{STACK}-project-wine/x")
    table = _arn("dynamodb", f"table/{STACK}-UploadsTable")
    repository = _arn("ecr", f"repository/{STACK}/wine")
    put = ("PutParameter", "GetParameters", "AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource")
    kept = ("GetRole", "GetRolePolicy", "TagRole", "UntagRole", "UpdateAssumeRolePolicy", "DeleteRole")
    pipelines = ("DescribePipeline", "CreatePipeline", "UpdatePipeline", "DeletePipeline", "ListPipelineExecutions")
    waits = ("waiting#signalbox-wine", "waiting#signalbox-wine--#0", "waiting#signalbox-wine--train--#0")
    keys = (*waits, "pipeline#signalbox-wine", "run#signalbox-wine--train-000001-x")
    return [
        *(Need("cloudformation:DescribeStacks", _arn("cloudformation", f"stack/{name}/x")) for name in (STACK, _STACK)),
        *_needs("cloudformation", ("CreateStack", "UpdateStack", "DeleteStack", "DescribeStackEvents"), stack),
        *_needs("iam", ("CreateRole", "PutRolePolicy", "DeleteRolePolicy"), _ROLE, _BOUND),
        *_needs("iam", ("AttachRolePolicy", "DetachRolePolicy"), _ROLE, {**_BOUND, **_POLICY}),
        *_needs("iam", kept, _ROLE),
        Need("iam:PassRole", _ROLE, _TO_SAGEMAKER),
        *(Need("ssm:GetParametersByPath", _parameter(name)) for name in ("projects", "models", "grants")),
        *_needs("ssm", (*put, "DeleteParameter"), _parameter("projects/wine")),
        *_needs("ssm", (*put, "DeleteParameter"), _parameter("models/wine-colour")),
        *_needs("ssm", ("PutParameter", "GetParameter"), _parameter("published/wine")),
        Need("ssm:GetParameter", _parameter("automations/wine")),
        Need("s3:PutObject", f"arn:aws:s3:::{ARTIFACTS}/code/wine/0123/sourcedir.tar.gz"),
        *_needs("sagemaker", ("CreateModelPackageGroup", "AddTags"), _arn("sagemaker", f"model-package-group/{_WINE}")),
        *_needs("sagemaker", (*pipelines, "AddTags"), _arn("sagemaker", f"pipeline/{_WINE}")),
        *_needs("sagemaker", pipelines, _arn("sagemaker", f"pipeline/{_WINE}--train")),
        *_needs(
            "sagemaker", ("CreateFeatureGroup", "DescribeFeatureGroup", "UpdateFeatureGroup", "AddTags"), _FEATURES
        ),
        *_needs("glue", ("CreateTable", "UpdateTable"), f"{_TABLES}/{STACK}_wine__abalone_1774224000"),
        Need("glue:CreateDatabase", _arn("glue", "database/sagemaker_featurestore")),
        *(Need("dynamodb:Query", table, {"dynamodb:LeadingKeys": key}) for key in keys),
        *(Need("states:ListExecutions", _arn("states", f"stateMachine:{STACK}-{name}")) for name in _MACHINES),
        *(Need("states:DescribeExecution", _arn("states", f"execution:{STACK}-{name}:run")) for name in _MACHINES),
        Need("sagemaker:ListEndpoints", "*"),
        *_needs("ecr", (*_PUSHES, "BatchGetImage", "DescribeImages"), repository),
        *_needs("ecr", ("DescribeRepositories", "GetDownloadUrlForLayer"), repository),
        Need("ecr:GetAuthorizationToken", "*"),
    ]


def _experiments() -> list[Need]:
    """Return what `signalbox deploy` calls for a branch of the project wine."""
    pipeline = _arn("sagemaker", f"pipeline/{_WINE}--train--faster-0123abcd")
    group = _arn("sagemaker", f"model-package-group/{_WINE}--wine-faster-0123ab")
    repository = _arn("ecr", f"repository/{STACK}/wine")
    stacks = (STACK, _STACK, f"{STACK}-project-wine")
    puts = ("DescribePipeline", "CreatePipeline", "UpdatePipeline", "DeletePipeline", "AddTags")
    runs = ("StartPipelineExecution", "ListPipelineExecutions")
    execution = ("DescribePipelineExecution", "ListPipelineExecutionSteps", "StopPipelineExecution")
    groups = ("CreateModelPackageGroup", "DescribeModelPackageGroup", "DeleteModelPackageGroup", "AddTags")
    return [
        *(Need("cloudformation:DescribeStacks", _arn("cloudformation", f"stack/{name}/x")) for name in stacks),
        *(Need("ssm:GetParametersByPath", _parameter(name)) for name in ("projects", "models", "grants")),
        Need("ssm:GetParameter", _parameter("automations/wine")),
        Need("ssm:PutParameter", _parameter("experiments/wine/faster-0123abcd")),
        *_needs("sagemaker", ("ListPipelineExecutions",), _arn("sagemaker", f"pipeline/{_WINE}--train")),
        Need(
            "sagemaker:ListPipelineParametersForExecution",
            _arn("sagemaker", f"pipeline/{_WINE}--train/execution/0123456789ab"),
        ),
        Need("s3:PutObject", f"arn:aws:s3:::{ARTIFACTS}/code/wine/branches/0123/sourcedir.tar.gz"),
        *_needs("sagemaker", groups, group),
        *_needs("sagemaker", (*puts, *runs), pipeline),
        *_needs("sagemaker", execution, f"{pipeline}/execution/0123456789ab"),
        Need("iam:PassRole", _ROLE, _TO_SAGEMAKER),
        *_needs("ecr", (*_PUSHES, "BatchGetImage", "DescribeImages"), repository),
        *_needs("ecr", ("DescribeRepositories", "GetDownloadUrlForLayer"), repository),
        Need("ecr:GetAuthorizationToken", "*"),
    ]


def _beyond() -> list[Need]:
    """Return what a malicious build may try, and no build of any project may do."""
    artifacts, data = f"arn:aws:s3:::{ARTIFACTS}", f"arn:aws:s3:::{DATA}"
    written = ("packages/wine/x", "evaluations/wine/x", "answers/wine/x", "command-line/x.zip", "first-commits/wine/x")
    widens = {"iam:PermissionsBoundary": _BOUNDARY.replace("wine", "abalone")}
    policy = ("CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicy")
    queues = ("PushesQueue.fifo", "RunsQueue.fifo", "EventsDeadLetters", "UploadsQueue")
    return [
        *_needs("iam", ("CreateRole", "PutRolePolicy", "DeleteRolePolicy"), _ROLE),
        *_needs("iam", ("CreateRole", "PutRolePolicy", "PutRolePermissionsBoundary"), _ROLE, widens),
        *_needs("iam", ("DeleteRolePermissionsBoundary", "UpdateRoleDescription"), _ROLE, _BOUND),
        *_needs("iam", ("AttachRolePolicy", "DetachRolePolicy"), _ROLE, {**_BOUND, **_ADMINISTRATOR}),
        Need("iam:AttachRolePolicy", _ROLE, _POLICY),
        *_needs("iam", ("PutRolePolicy", "DeleteRole", "UpdateAssumeRolePolicy"), _OWN_ROLE, _BOUND),
        *_needs("iam", policy, _BOUNDARY),
        *_needs("iam", ("CreateUser", "CreateAccessKey"), f"arn:aws:iam::{ACCOUNT}:user/mine"),
        Need("iam:PassRole", _ROLE, {"iam:PassedToService": "lambda.amazonaws.com"}),
        *(Need("iam:PassRole", role, _TO_SAGEMAKER) for role in (_OWN_ROLE, _stack_role("PipelineRole"))),
        Need("sts:AssumeRole", _stack_role("JobRole")),
        *(Need("ssm:PutParameter", _parameter(name)) for name in ("automations/wine", "grants/wine", "stages")),
        *_needs("ssm", ("PutParameter", "DeleteParameter"), _parameter("models/other")),
        Need("ssm:DeleteParameter", _parameter("grants/wine")),
        *(Need("s3:PutObject", f"{artifacts}/{key}") for key in written),
        *(Need("s3:PutObject", f"{data}/{key}") for key in ("incoming/wine/x", "models/wine/test/x")),
        *(Need("sqs:SendMessage", _arn("sqs", f"{STACK}-{name}")) for name in queues),
        *_needs("codecommit", ("GitPush", "DeleteRepository"), _arn("codecommit", _WINE)),
        *_needs("codebuild", ("UpdateProject", "StartBuild"), _arn("codebuild", f"project/{_WINE}")),
        *(Need("cloudformation:UpdateStack", _arn("cloudformation", f"stack/{name}/x")) for name in (STACK, _STACK)),
        Need(
            "sagemaker:UpdateModelPackage", _arn("sagemaker", f"model-package/{_WINE}/1"), {APPROVAL_STATUS: "Approved"}
        ),
        Need("sagemaker:DeleteModelPackage", _arn("sagemaker", f"model-package/{_WINE}/1")),
        *_needs("sagemaker", ("CreateEndpoint", "DeleteEndpoint"), _arn("sagemaker", f"endpoint/{_WINE}-prod")),
        Need("states:StartExecution", _arn("states", f"stateMachine:{STACK}-MlopsMachine")),
        Need("dynamodb:PutItem", _arn("dynamodb", f"table/{STACK}-UploadsTable")),
        *_needs("ecr", ("BatchDeleteImage", "DeleteRepository"), _arn("ecr", f"repository/{STACK}/wine")),
        Need("events:PutRule", _arn("events", f"rule/{STACK}-cicd-wine-git")),
        Need("lambda:UpdateFunctionCode", _arn("lambda", f"function:{STACK}-OnCodePush")),
        Need("kms:Decrypt", KEY),
        *_needs("sagemaker", ("DeleteFeatureGroup", "PutRecord"), _FEATURES),
        Need("glue:UpdateTable", f"{_TABLES}/{STACK}_other__abalone_1774224000"),
        Need("glue:DeleteTable", f"{_TABLES}/{STACK}_wine__abalone_1774224000"),
        Need("secretsmanager:GetSecretValue", _arn("secretsmanager", f"secret:{STACK}-ReviewSecret-AbCdEf")),
    ]


def _of_main() -> list[Need]:
    """Return what the builds of the main branch may do, and those of others may not."""
    return [
        *_needs(
            "cloudformation", ("CreateStack", "UpdateStack"), _arn("cloudformation", f"stack/{STACK}-project-wine/x")
        ),
        *_needs("iam", ("CreateRole", "PutRolePolicy"), _ROLE, _BOUND),
        *(Need("ssm:PutParameter", _parameter(f"{kind}/wine")) for kind in ("projects", "models", "published")),
        *_needs(
            "sagemaker", ("UpdatePipeline", "StartPipelineExecution"), _arn("sagemaker", f"pipeline/{_WINE}--train")
        ),
        *_needs("sagemaker", ("CreateModelPackageGroup", "AddTags"), _arn("sagemaker", f"model-package-group/{_WINE}")),
        Need("iam:PassRole", _ROLE.replace("PipelineRole", "TestRole"), _TO_SAGEMAKER),
        Need("s3:GetObject", f"arn:aws:s3:::{DATA}/incoming/wine/a.csv"),
        Need("s3:PutObject", f"arn:aws:s3:::{ARTIFACTS}/code/wine/0123/sourcedir.tar.gz"),
    ]


def _beyond_the_boundary() -> list[Need]:
    """Return what roles of a project may not do, whatever their own policies say."""
    artifacts, data = f"arn:aws:s3:::{ARTIFACTS}", f"arn:aws:s3:::{DATA}"
    return [
        *(
            Need("s3:GetObject", f"{artifacts}/{key}")
            for key in ("evaluations/wine/x", "answers/wine/x", "code/wines/x")
        ),
        *(Need("s3:PutObject", f"{artifacts}/{key}") for key in ("code/wine/x", "manifests/signalbox-wine/x")),
        *(Need("s3:GetObject", f"{data}/{key}") for key in ("incoming/winery/x", "models/winery/x")),
        Need("s3:ListBucket", data, {"s3:prefix": "incoming/abalone/"}),
        Need("s3:ListBucket", "arn:aws:s3:::lake", {"s3:prefix": "abalone/"}),
        Need(
            "sagemaker:CreateModelPackage", _arn("sagemaker", f"model-package/{_WINE}/1"), {APPROVAL_STATUS: "Approved"}
        ),
        Need("sagemaker:CreateModelPackage", _arn("sagemaker", f"model-package/{STACK}-winery/1")),
        Need("sagemaker:CreateTrainingJob", _arn("sagemaker", f"training-job/{STACK}-abalone-training")),
        Need("iam:PassRole", _stack_role("JobRole"), _TO_SAGEMAKER),
        Need("ecr:PutImage", _arn("ecr", f"repository/{STACK}/wine")),
        Need("ssm:GetParameter", _parameter("models/wine")),
    ]


def _stack_role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{STACK}-{name}"


_TABLES = _arn("glue", "table/sagemaker_featurestore")
_FEATURES = _arn("sagemaker", f"feature-group/{STACK}-wine--abalone")
_WINE, _STACK, _MACHINES = f"{STACK}-wine", f"{STACK}-cicd-wine", ("MlopsMachine", "ReleaseMachine")
# What CodeBuild does as each role, before and while it builds.
_WHAT_BUILDS_DO = {
    role: [
        *_needs(
            "logs", ("CreateLogStream", "PutLogEvents"), _arn("logs", f"log-group:/aws/codebuild/{log}:log-stream:x")
        ),
        Need("codecommit:GitPull", _arn("codecommit", _WINE)),
        *_needs("s3", ("GetObject", "GetObjectVersion"), f"arn:aws:s3:::{ARTIFACTS}/command-line/x.zip"),
        *_needs("s3", ("GetBucketAcl", "GetBucketLocation"), f"arn:aws:s3:::{ARTIFACTS}"),
    ]
    for role, log in (("BuildRole", _WINE), ("BranchesRole", f"{_WINE}--branches"))
}


def _more_than_needed(template: Template, needs: dict[str, list[Need]]) -> Iterator[Problem]:
    for (resource, _, action), reason in granted(template.text).items():
        if resource in needs and not reason and action not in {need.action for need in needs[resource]}:
            yield Problem(resource, f"is granted {action}, which nothing is known to call, and no reason is beside it")
