"""What each role has to be allowed, taken from what the functions call and from the tasks of the machines."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.gates.checks.machines import operation_of
from tests.gates.template import Template
from tests.gates.values import ACCOUNT, REGION, STACK

from signalbox import names

# As the functions make them, so that a name which the roles do not allow is noticed here.
NAME = names.job(names.package_group(STACK, "abalone"), "execution-1", "training")
ENDPOINT = names.endpoint(STACK, "abalone", "prod")
PACKAGE = f"model-package/{STACK}-abalone/7"
GROUP = f"model-package-group/{STACK}-abalone"
IMAGES = "arn:aws:ecr:us-east-1:683313688378:repository/sagemaker-xgboost"  # SageMaker's own, in an account of AWS
EXECUTION = f"pipeline/{STACK}-abalone/execution/p4jn9xou8a8s"
PIPELINE_JOB = "pipelines-p4jn9xou8a8s-train-abc"  # as SageMaker names the jobs of pipelines
APPROVAL_STATUS = "sagemaker:ModelApprovalStatus"
_PASSED = {"iam:PassedToService": "sagemaker.amazonaws.com"}
# What the plans of each machine let SageMaker run as, by the operation that names the role.
_ROLES = {
    "MlopsMachine": {"CreateTrainingJob": "JobRole", "CreateModel": "TestRole"},
    "ReleaseMachine": {"CreateModel": "ModelRole"},
}
# The resources of a SageMaker operation, by the end of its name; the first that fits counts.
_KINDS = (
    ("PipelineExecution", [EXECUTION]),
    ("PipelineExecutionSteps", [EXECUTION]),
    ("ProcessingJob", [f"processing-job/{PIPELINE_JOB}"]),
    ("ModelPackageGroup", [GROUP]),
    ("ModelPackages", [PACKAGE]),
    ("ModelPackage", [PACKAGE]),
    ("TrainingJob", [f"training-job/{NAME}"]),
    ("TransformJob", [f"transform-job/{NAME}"]),
    ("EndpointConfig", [f"endpoint-config/{NAME}"]),
    ("CreateEndpoint", [f"endpoint/{ENDPOINT}", f"endpoint-config/{NAME}"]),
    ("UpdateEndpoint", [f"endpoint/{ENDPOINT}", f"endpoint-config/{NAME}"]),
    ("Endpoint", [f"endpoint/{ENDPOINT}"]),
    ("Model", [f"model/{NAME}"]),
)


@dataclass(frozen=True)
class Need:
    """One call: the action, the resource's ARN, and the context that AWS adds to the request."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def sagemaker(operation: str) -> list[Need]:
    """Return the needs of a SageMaker operation on things of this stack."""
    kinds = next(kinds for ending, kinds in _KINDS if operation.endswith(ending))
    return [Need(f"sagemaker:{operation}", f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}") for kind in kinds]


def _pushes() -> list[Need]:
    """Return what a push needs of its repository and builds, and what a branch that is deleted needs."""
    project, branch = f"{STACK}-wine", f"{STACK}-wine--train--feature-0123abcd"
    parameters = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{STACK}"
    sagemaker, build = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}", f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project"
    builds = ("StartBuild", "BatchGetBuilds", "ListBuildsForProject")
    stream = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/codebuild/{project}:log-stream:x"
    return [
        Need("ssm:GetParametersByPath", f"{parameters}/automations"),
        Need("ssm:GetParameter", f"{parameters}/published/wine"),
        Need("ssm:GetParameter", f"{parameters}/experiments/wine/feature-0123abcd"),
        Need("ssm:DeleteParameter", f"{parameters}/experiments/wine/feature-0123abcd"),
        *(
            Need(f"codecommit:{name}", f"arn:aws:codecommit:{REGION}:{ACCOUNT}:{project}")
            for name in ("GetBranch", "GetCommit")
        ),
        *(Need(f"codebuild:{name}", f"{build}/{one}") for name in builds for one in (project, f"{project}--branches")),
        Need("logs:GetLogEvents", stream),
        Need("sagemaker:DeletePipeline", f"{sagemaker}:pipeline/{branch}"),
        Need("sagemaker:ListPipelineExecutions", f"{sagemaker}:pipeline/{branch}"),
        Need("sagemaker:StopPipelineExecution", f"{sagemaker}:pipeline/{branch}/execution/x"),
        Need("sagemaker:ListModelPackages", "*"),
        Need("sagemaker:DeleteModelPackageGroup", f"{sagemaker}:model-package-group/{STACK}-wine--wine-feature-a1b2c3"),
        Need("sagemaker:DeleteModelPackage", f"{sagemaker}:model-package/{STACK}-wine--wine-feature-a1b2c3/1"),
    ]


def _approving(operation: str, *statuses: str) -> list[Need]:
    """Return the needs of an operation that writes an approval status."""
    return [
        Need(need.action, need.resource, {APPROVAL_STATUS: status})
        for need in sagemaker(operation)
        for status in statuses
    ]


def of_functions(template: Template) -> dict[str, list[Need]]:
    """Return the needs of each function's role, and of the roles that SageMaker takes."""
    any_function = _of_lambda()
    calls = {role: [*any_function, *called] for role, called in _of_calls(template).items()}
    return {**calls, **_of_jobs(template)}


def _of_calls(template: Template) -> dict[str, list[Need]]:
    arn = template.values.arn
    uploads, reviews, releases = (_table(arn(name)) for name in ("UploadsTable", "ReviewsTable", "ReleasesTable"))
    secret = [Need("secretsmanager:GetSecretValue", arn("ReviewSecret"))]
    stages = [Need("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{STACK}/stages")]
    grants = Need("ssm:GetParametersByPath", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{STACK}/grants")
    documents = [Need("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{STACK}/models/abalone"), grants]
    first = [Need(f"s3:{verb}Object", f"{arn('ArtifactsBucket')}/answers/x.json") for verb in ("Get", "Put")]
    tasks = [Need("states:SendTaskSuccess", "*"), Need("states:SendTaskFailure", "*")]
    mail = _mail(template.values.name("MailSettings"))
    data, artifacts = arn("DataBucket"), arn("ArtifactsBucket")
    live = [need for kind in ("Endpoint", "EndpointConfig", "Model") for need in sagemaker(f"Describe{kind}")]
    package = sagemaker("DescribeModelPackage")
    ask = [Need("sqs:SendMessage", arn("RunsQueue"))]
    report = Need("s3:GetObject", f"{artifacts}/evaluations/x/report.json")
    decided = _approving("UpdateModelPackage", "Approved", "Rejected")
    content = [
        report,
        Need("s3:GetObject", f"{artifacts}/packages/x/model.tar.gz"),
        Need("s3:ListBucket", artifacts),
    ]
    hook, delivery = names.hook_secret(STACK, "wine"), {"dynamodb:LeadingKeys": "deliveries#wine"}
    pipeline = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/{STACK}-abalone"
    projects = [Need("ssm:GetParametersByPath", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{STACK}/projects"), grants]
    jobs_of_pipelines = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{PIPELINE_JOB}"
    pipeline_training = Need("sagemaker:DescribeTrainingJob", jobs_of_pipelines)
    return {
        "RecordUploadsRole": [
            *uploads("PutItem", "GetItem", "UpdateItem"),
            *ask,
            Need("sqs:SendMessage", arn("UploadsDeadLetters")),
            *_polled(arn("UploadsQueue")),
            Need("s3:GetObject", f"{data}/incoming/abalone.csv"),
            *projects,
        ],
        "StartRunRole": [
            *uploads("Query", "PutItem", "UpdateItem", "DeleteItem"),
            *ask,
            Need("sqs:SendMessage", arn("RunsDeadLetters")),
            *_polled(arn("RunsQueue")),
            Need("s3:PutObject", f"{artifacts}/manifests/{STACK}-abalone/run.json"),
            Need("s3:GetObject", f"{data}/incoming/photos/one.jpg"),
            Need("s3:GetObjectVersion", f"{data}/incoming/photos/manifest.json"),
            Need("s3:ListBucket", data),
            Need("s3:PutObject", f"{artifacts}/inputs/{STACK}-photos/run/one.jpg"),
            *projects,
            Need("sagemaker:StartPipelineExecution", pipeline),
            Need("sagemaker:StartPipelineExecution", f"{pipeline}--nightly"),
            *sagemaker("DescribePipelineExecution"),
            *mail,
        ],
        "ReportRunRole": [
            *uploads("Query", "PutItem"),
            Need("s3:ListBucket", artifacts),
            Need("s3:GetObject", f"{artifacts}/pipelines/wine/train/runs/p4jn9xou8a8s/quarantine/quarantine.json"),
            *ask,
            *projects,
            *sagemaker("DescribePipelineExecution"),
            *sagemaker("ListPipelineExecutionSteps"),
            *sagemaker("DescribeProcessingJob"),
            pipeline_training,
            *mail,
            *_job_log("ProcessingJobs", "pipelines-x"),
            *_job_log("TrainingJobs", "pipelines-x"),
            Need("sqs:SendMessage", arn("EventsDeadLetters")),
        ],
        "OnCodePushRole": [
            *(Need(f"dynamodb:{name}Item", arn("PushesTable")) for name in ("Get", "Put", "Update", "Delete")),
            *_polled(arn("PushesQueue")),
            Need("sqs:SendMessage", arn("PushesDeadLetters")),
            Need("sqs:SendMessage", arn("RunsQueue")),
            Need("states:StartExecution", arn("MlopsMachine")),
            *projects,
            *documents,
            *_pushes(),
            *mail,
        ],
        "ReceiveHookRole": [
            *(Need(f"dynamodb:{name}Item", arn("PushesTable"), delivery) for name in ("Get", "Put", "Update")),
            Need("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{STACK}/automations/wine"),
            Need("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{hook}-AbCdEf"),
            Need("sqs:SendMessage", arn("PushesQueue")),
        ],
        "PlanTrainingRole": [
            *package,
            pipeline_training,
            *stages,
            *documents,
            *(Need("s3:ListBucket", bucket) for bucket in (data, artifacts)),
            Need("s3:GetObject", f"{data}/models/iris/test/a.csv"),
            Need("s3:GetObject", f"{data}/incoming/a.csv"),
            Need("s3:GetObject", f"{artifacts}/pipelines/iris/runs/x/test/a.csv"),
            Need("s3:GetObject", f"{artifacts}/manifests/run.json"),
        ],
        "PinModelRole": [
            Need("s3:ListBucket", artifacts),
            *(
                Need("s3:GetObject", f"{artifacts}/{place}/model.tar.gz")
                for place in ("packages/x", "pipelines/abalone/runs/x", "training/x/y/output")
            ),
            Need("s3:PutObject", f"{artifacts}/packages/x/model.tar.gz"),
            Need("ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/iris-decision-tree"),
        ],
        "EvaluateModelRole": [*package, *live, *stages, *documents, *sagemaker("InvokeEndpoint")]
        + [Need("s3:ListBucket", bucket) for bucket in (data, artifacts)]
        + [
            Need("s3:GetObject", f"{artifacts}/{folder}/x/y.out")
            for folder in ("transforms", "evaluations", "code", "pipelines")
        ]
        + [Need("s3:GetObject", f"{data}/models/wine/golden.jsonl")]
        + [Need("s3:PutObject", f"{artifacts}/evaluations/x/report.json")],
        "RequestReviewRole": [*reviews("GetItem", "PutItem", "UpdateItem"), *secret, *mail, *tasks, *documents, report],
        "ReviewPageRole": [*reviews("GetItem", "Query", "UpdateItem"), *secret, *tasks, *mail, *decided],
        "CloseReviewRole": [*reviews("GetItem", "UpdateItem"), *decided],
        "AnnounceRole": [*mail, *documents, *_job_log("TrainingJobs", NAME), *_job_log("TransformJobs", NAME)],
        "ReportExecutionRole": [
            *releases("Query", "PutItem"),
            *mail,
            *documents,
            Need("sqs:SendMessage", arn("EventsDeadLetters")),
        ],
        "OnModelPackageRole": [
            *package,
            *mail,
            *documents,
            *_approving("UpdateModelPackage", "PendingManualApproval"),
            *reviews("GetItem", "UpdateItem", "Query"),
            *tasks,
        ]
        + [Need("states:StartExecution", arn(name)) for name in ("MlopsMachine", "ReleaseMachine")]
        + [Need("states:DescribeExecution", arn("MlopsMachine").replace(":stateMachine:", ":execution:") + ":run")]
        + [Need("sqs:SendMessage", arn("EventsDeadLetters"))],
        "PlanReleaseRole": [
            *package,
            *live,
            *stages,
            *documents,
            *sagemaker("ListModelPackages"),
            *content,
            Need("s3:GetObject", f"{artifacts}/training/x/y/output/model.tar.gz"),
            Need("s3:GetObject", f"{artifacts}/pipelines/abalone/runs/x/model/y/output/model.tar.gz"),
            *releases("GetItem", "PutItem", "Query"),
        ],
        "VerifyReleaseRole": [*package, *sagemaker("DescribeEndpoint"), *sagemaker("InvokeEndpoint"), *content, *first],
        "InvokeEndpointRole": [
            *stages,
            *sagemaker("InvokeEndpoint"),
            Need("ssm:GetParametersByPath", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{STACK}/models"),
        ],
    }


def of_machines(template: Template) -> dict[str, list[Need]]:
    """Return the needs of each machine's role: those of its tasks."""
    return {
        f"{name}Role": [
            need
            for _, state in machine.states()
            if state["Type"] == "Task"
            for need in _of_task(state, template, _ROLES[name])
        ]
        for name, machine in template.machines.items()
    }


def _of_jobs(template: Template) -> dict[str, list[Need]]:
    arn = template.values.arn
    data, artifacts = arn("DataBucket"), arn("ArtifactsBucket")
    inputs = [f"{data}/incoming/a.csv", f"{data}/models/iris/train/a.csv"] + [
        f"{artifacts}/{folder}/x" for folder in ("manifests", "code", "pipelines")
    ]
    tested = [f"{data}/models/iris/test/a.csv", f"{artifacts}/pipelines/x/test/a.csv", f"{artifacts}/packages/x/y"]
    jobs = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{{kind}}/{PIPELINE_JOB}"
    return {
        "JobRole": [Need("s3:GetObject", place) for place in inputs]
        + [Need("s3:ListBucket", bucket) for bucket in (data, artifacts)]
        + [Need("s3:PutObject", f"{artifacts}/{folder}/x") for folder in ("pipelines/abalone/runs", "training")],
        "TestRole": [Need("s3:GetObject", place) for place in tested]
        + [Need("s3:ListBucket", bucket) for bucket in (data, artifacts)]
        + [Need("s3:PutObject", f"{artifacts}/transforms/x/a.csv.out")],
        "ModelRole": [
            Need("s3:GetObject", f"{artifacts}/{folder}/x/model.tar.gz")
            for folder in ("packages", "pipelines", "training")
        ]
        + [Need("s3:ListBucket", artifacts, {"s3:prefix": "packages/x/1/"})]
        + [Need("cloudwatch:DescribeAlarms", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{NAME}-errors")],
        "PipelineRole": [
            Need("sagemaker:CreateProcessingJob", jobs.format(kind="processing-job")),
            Need("sagemaker:CreateTrainingJob", jobs.format(kind="training-job")),
            *_approving("CreateModelPackage", "PendingManualApproval"),
            *sagemaker("CreateModelPackageGroup"),
            *_read_at_registration(f"{artifacts}/pipelines/abalone/runs/model.tar.gz"),
            Need("s3:GetObject", f"{artifacts}/pipelines/abalone/runs/evaluation.json"),
            Need("iam:PassRole", arn("JobRole"), _PASSED),
        ],
    }


def _of_task(state: dict[str, Any], template: Template, roles: Mapping[str, str]) -> Iterator[Need]:
    called = operation_of(state["Resource"])
    if called is None:
        return
    service, operation, suffix = called
    arguments = state.get("Arguments")
    given: dict[str, Any] = arguments if isinstance(arguments, dict) else {}
    if service == "lambda":
        yield Need("lambda:InvokeFunction", given["FunctionName"])
    elif service == "states":
        yield from _of_execution(given["StateMachineArn"], suffix)
    elif service == "dynamodb":
        # The whole request comes from the plan, which knows one table.
        yield Need(f"dynamodb:{operation}", template.values.arn("ReleasesTable"))
    elif service == "cloudwatch":
        yield Need(f"cloudwatch:{operation}", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{NAME}-errors")
    else:
        yield from _of_sagemaker(operation, suffix, given)
        if operation in roles:
            yield Need("iam:PassRole", template.values.arn(roles[operation]), _PASSED)
            yield Need("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/{STACK}/projects/wine/JobRole", _PASSED)
        if operation == "CreateModelPackage":
            yield from _read_at_registration(f"{template.values.arn('ArtifactsBucket')}/packages/x/model.tar.gz")


def _of_sagemaker(operation: str, suffix: str, given: dict[str, Any]) -> Iterator[Need]:
    yield from sagemaker(operation)
    noun = operation.removeprefix("Create")
    if suffix == ".sync":
        yield from sagemaker(f"Describe{noun}")
        yield from sagemaker(f"Stop{noun}")
        yield Need("sagemaker:ListTags", sagemaker(operation)[0].resource)
        yield from _told_by_rule(f"SageMaker{noun}s")
    # Plans give everything that they make its tags, but for a version, which has those of its group
    # (SageMaker API reference, CreateModelPackage).
    if "Tags" in given or (operation.startswith("Create") and not given and operation != "CreateModelPackage"):
        yield Need("sagemaker:AddTags", sagemaker(operation)[0].resource)


def _read_at_registration(data: str) -> Iterator[Need]:
    """Yield what AWS's policy AmazonSageMakerModelRegistryFullAccess grants besides: reads of what is registered."""
    yield from (Need(f"ecr:{verb}", IMAGES) for verb in ("BatchGetImage", "DescribeImages"))
    yield Need("s3:ListBucket", data.partition("/")[0])
    yield Need("s3:GetObject", data)


def _of_execution(machine: str, suffix: str) -> Iterator[Need]:
    yield Need("states:StartExecution", machine)
    if suffix.startswith(".sync"):
        execution = machine.replace(":stateMachine:", ":execution:") + ":execution-1"
        yield Need("states:DescribeExecution", execution)
        yield Need("states:StopExecution", execution)
        yield from _told_by_rule("StepFunctionsExecution")


def _told_by_rule(kind: str) -> Iterator[Need]:
    rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/StepFunctionsGetEventsFor{kind}Rule"
    return (Need(f"events:{verb}", rule) for verb in ("PutTargets", "PutRule", "DescribeRule"))


def _of_lambda() -> list[Need]:
    """Return what Lambda does as any function: its log and its traces."""
    stream = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{STACK}/announce:log-stream:2026/11/20/a"
    logs = [Need(f"logs:{operation}", stream) for operation in ("CreateLogStream", "PutLogEvents")]
    return [*logs, *(Need(f"xray:{operation}", "*") for operation in ("PutTraceSegments", "PutTelemetryRecords"))]


def _table(arn: str) -> Any:
    return lambda *operations: [Need(f"dynamodb:{operation}", arn) for operation in operations]


def _polled(queue: str) -> list[Need]:
    return [Need(f"sqs:{verb}", queue) for verb in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")]


def _job_log(group: str, job: str) -> list[Need]:
    log = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/sagemaker/{group}"
    stream = f"{log}:log-stream:{job}/algo-1-1795650000"
    return [Need("logs:DescribeLogStreams", log), Need("logs:GetLogEvents", stream)]


def _mail(settings: str) -> list[Need]:
    sender = {"ses:FromAddress": "models@example.com"}
    places = ("identity/models@example.com", f"configuration-set/{settings}")
    return [Need("ses:SendEmail", f"arn:aws:ses:{REGION}:{ACCOUNT}:{place}", sender) for place in places]
