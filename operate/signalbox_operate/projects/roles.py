"""The roles of a project, with exactly its own places: plain IAM statements, of which a template is made.

`*` at the end of a resource stands for what a project's own jobs, packages and runs are called.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from signalbox_operate.projects.model import Project
from signalbox_operate.projects.target import Target

type Statement = dict[str, Any]

# The step types that a pipeline's role has rights for, each with the jobs that it makes; SageMaker names them
# `pipelines-<execution>-<step>-<id>`.
STEPS: Mapping[str, str | None] = {
    "Processing": "ProcessingJob",
    "Training": "TrainingJob",
    "Transform": "TransformJob",
    "Tuning": "HyperParameterTuningJob",
    "Model": None,
    "RegisterModel": None,
    "Lambda": None,
}
_ARN_KINDS = {
    "ProcessingJob": "processing-job",
    "TrainingJob": "training-job",
    "TransformJob": "transform-job",
    "HyperParameterTuningJob": "hyper-parameter-tuning-job",
}
# What SageMaker needs to put a job into a VPC (Developer Guide, "CreateTrainingJob API: Execution Role Permissions").
_NETWORK = (
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)


def read_places(project: Project, target: Target) -> list[str]:
    """Return the S3 URIs, each with a slash at its end, under which the project's jobs may read."""
    data = [*(uploads.prefix for uploads in project.uploads), *(f"models/{model}/" for model in project.models)]
    names = [target.pipeline(project.name, name) for name in project.pipelines]
    runs = [f"{kind}/{name}/" for name in names for kind in ("manifests", "inputs")]
    artifacts = [*runs, f"code/{project.name}/", f"pipelines/{project.name}/"]
    own = [*(f"s3://{target.data_bucket}/{key}" for key in data), *map(target.artifacts, artifacts)]
    return list(dict.fromkeys([*own, *project.read, *project.write]))


def write_places(project: Project, target: Target) -> list[str]:
    """Return the S3 URIs under which the project's jobs may write: neither code, nor models that were tested."""
    runs = [f"pipelines/{project.name}/{name}/runs/" for name in project.pipelines]
    training = [f"training/{entry.model}/" for entry in project.containers.values()]
    return [*map(target.artifacts, [*runs, *training]), *project.write]


def job(project: Project, target: Target, *, network: bool) -> list[Statement]:
    """Return what training and processing jobs may do; in a network of their own they need its interfaces."""
    reads, writes = read_places(project, target), write_places(project, target)
    statements = [*_lists("FindInputs", reads), _allow("ReadInputs", "s3:GetObject", _objects(reads))]
    if writes:
        statements += [_allow("WriteOutputs", "s3:PutObject", _objects(writes)), _encrypt("EncryptOutputs", target)]
    group = target.feature_group(project)
    if group:
        # A newer boto3 writes many at once; which of both the job's image has is the image's.
        actions = ["sagemaker:BatchWriteRecord", "sagemaker:PutRecord"]
        statements.append(_allow("WriteFeatures", actions, f"{_arn('sagemaker')}:feature-group/{group}"))
    # The interfaces of a VPC have no names before they are there.
    return [*statements, _allow("Network", _NETWORK, "*")] if network else statements


def features_place(project: Project, target: Target) -> str:
    """Return the S3 URI, with a slash at its end, under which a project's feature group keeps every record."""
    return target.artifacts(f"features/{project.name}/")


def features(project: Project, target: Target) -> list[Statement]:
    """Return what the Feature Store may do where it keeps every record of the project's group.

    AWS's own policy for it, AmazonSageMakerFeatureStoreAccess, has the same on buckets; and the key, of which the API
    reference says `kms:GenerateDataKey` (S3StorageConfig).
    """
    return [
        _allow("FindOwner", "s3:GetBucketAcl", _bucket(target.artifacts_bucket)),
        _allow("KeepRecords", ["s3:PutObject", "s3:PutObjectAcl"], _objects([features_place(project, target)])),
        _allow("EncryptRecords", "kms:GenerateDataKey", target.key_arn),
    ]


def test(project: Project, target: Target) -> list[Statement]:
    """Return what the models under test may do; a batch transform reads and writes as its model's role."""
    data = [f"s3://{target.data_bucket}/models/{model}/test/" for model in project.models]
    packages = [target.artifacts(f"packages/{model}/") for model in project.models]
    reads = [*data, target.artifacts(f"pipelines/{project.name}/"), *packages]
    answers = [target.artifacts(f"transforms/{model}/") for model in project.models]
    return [
        *_lists("FindTestData", reads),
        _allow("ReadTestDataAndModels", "s3:GetObject", _objects(reads)),
        _allow("WriteAnswers", "s3:PutObject", _objects(answers)),
        _encrypt("EncryptAnswers", target),
    ]


def model(project: Project, target: Target) -> list[Statement]:
    """Return what the containers that serve may do."""
    kept = [target.artifacts(f"packages/{name}/") for name in project.models]
    # Where a stack kept the models of executions that ran before it had projects.
    earlier = [
        target.artifacts(f"packages/{execution}-")
        for name in project.models
        for execution in (f"review-{target.group(name)}", f"train-{name}")
    ]
    alarms = [f"{_arn('cloudwatch')}:alarm:{target.group(name)}-*" for name in project.models]
    return [
        # Of a model that is no archive, but the files under a prefix.
        *_lists("FindModels", [*kept, *earlier]),
        _allow("ReadModels", "s3:GetObject", _objects([*kept, *earlier])),
        # SageMaker asks for a deployment's alarms as the models' own role.
        _allow("WatchDeployments", "cloudwatch:DescribeAlarms", alarms),
    ]


def pipeline(
    project: Project, target: Target, kinds: Iterable[str], functions: Sequence[str], accounts: Sequence[str]
) -> list[Statement]:
    """Return what Pipelines may do for the steps of these types; `functions` are the ARNs that Lambda steps call.

    `accounts` are those, besides the stack's, whose images may be registered.
    """
    used = set(kinds)
    jobs = [name for kind, name in STEPS.items() if kind in used and name is not None]
    statements = [_jobs(name) for name in jobs]
    if "Model" in used:
        names = ("sagemaker:CreateModel", "sagemaker:DescribeModel", "sagemaker:AddTags")
        statements.append(_allow("Models", names, f"{_arn('sagemaker')}:model/pipelines-*"))
    if "RegisterModel" in used:
        statements += _registering(project, target, accounts)
    if functions:
        statements.append(_allow("Functions", "lambda:InvokeFunction", list(functions)))
    evaluations = [target.artifacts(f"pipelines/{project.name}/")]
    passed = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    return [
        *statements,
        _allow("ReadEvaluations", "s3:GetObject", _objects(evaluations)),
        _allow("JobsRunAs", "iam:PassRole", {"Fn::GetAtt": ["JobRole", "Arn"]}, passed),
    ]


def _jobs(name: str) -> Statement:
    # Pipelines makes a job, waits for it, stops it with its execution, and tags it.
    actions = [f"sagemaker:{verb}{name}" for verb in ("Create", "Describe", "Stop")]
    return _allow(f"{name}s", [*actions, "sagemaker:AddTags"], f"{_arn('sagemaker')}:{_ARN_KINDS[name]}/pipelines-*")


def _registering(project: Project, target: Target, accounts: Sequence[str]) -> list[Statement]:
    groups = [target.group(name) for entry in project.pipelines.values() for name in entry.models]
    packages = [f"{_arn('sagemaker')}:model-package/{group}/*" for group in groups]
    in_groups = [f"{_arn('sagemaker')}:model-package-group/{group}" for group in groups]
    branches = f"{target.prefix}-{project.name}--*"  # no group of a model is called so
    packages.append(f"{_arn('sagemaker')}:model-package/{branches}")
    in_groups.append(f"{_arn('sagemaker')}:model-package-group/{branches}")
    # Pending, whatever its caller asks for: people approve.
    pending = {"StringEqualsIfExists": {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}}
    own = {"StringEquals": {"aws:ResourceAccount": [{"Ref": "AWS::AccountId"}, *accounts]}}
    repositories = {"Fn::Sub": "arn:${AWS::Partition}:ecr:${AWS::Region}:*:repository/*"}
    read = ["sagemaker:DescribeModelPackage", "sagemaker:AddTags"]
    found = ["sagemaker:CreateModelPackageGroup", "sagemaker:DescribeModelPackageGroup", "sagemaker:AddTags"]
    return [
        _allow("Registering", "sagemaker:CreateModelPackage", [*packages, *in_groups], pending),
        _allow("Registered", read, packages),
        _allow("Groups", found, in_groups),
        _allow("LookUpImages", ["ecr:BatchGetImage", "ecr:DescribeImages"], repositories, own),
        # SageMaker looks for the data of a model that is registered, and says not what it lists.
        _allow("FindModelData", "s3:ListBucket", _bucket(target.artifacts_bucket)),
    ]


def _arn(service: str) -> str:
    """Return the beginning of an ARN of the stack's account, for `Fn::Sub`."""
    return f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}"


def _bucket(name: str) -> str:
    return f"arn:${{AWS::Partition}}:s3:::{name}"


def _objects(places: Sequence[str]) -> list[str]:
    return [f"{_bucket(place.removeprefix('s3://'))}*" for place in places]


def _lists(sid: str, places: Sequence[str]) -> list[Statement]:
    """Return a statement for each bucket, to list what is under its places alone."""
    found: dict[str, list[str]] = {}
    for place in places:
        bucket, _, key = place.removeprefix("s3://").partition("/")
        found.setdefault(bucket, []).append(f"{key}*")
    return [
        _allow(f"{sid}{number}", "s3:ListBucket", _bucket(bucket), {"StringLike": {"s3:prefix": prefixes}})
        for number, (bucket, prefixes) in enumerate(found.items(), 1)
    ]


def _encrypt(sid: str, target: Target) -> Statement:
    # SageMaker asks these of a role whose outputs have a key.
    return _allow(sid, ["kms:Encrypt", "kms:GenerateDataKey", "kms:DescribeKey"], target.key_arn)


def _allow(
    sid: str, actions: str | Sequence[str], resources: Any, condition: Mapping[str, Any] | None = None
) -> Statement:
    made = {"Sid": sid, "Effect": "Allow", "Action": _substituted(actions), "Resource": _substituted(resources)}
    return {**made, "Condition": condition} if condition else made


def _substituted(value: Any) -> Any:
    """Return a value whose texts have their `${AWS::…}` filled in by CloudFormation."""
    if isinstance(value, str):
        return {"Fn::Sub": value} if "${" in value else value
    return [_substituted(item) for item in value] if isinstance(value, list | tuple) else value
