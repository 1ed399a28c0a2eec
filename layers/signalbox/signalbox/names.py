"""Every AWS name that Signalbox makes is made here, legal and unique by construction.

Sources of the limits: botocore's `sagemaker` service model (job, model, endpoint and endpoint config names:
`[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}`; pipeline execution display names: the same up to 82 characters) and the Step
Functions API reference (execution names up to 80 characters).
"""

import hashlib
import re

RESOURCE_LIMIT = 63
DISPLAY_LIMIT = 82
EXECUTION_LIMIT = 80
_DIGEST = 8
_SHORT = 6  # a digest in the digits below
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_BRANCH_HEAD = 20
_ILLEGAL = r"[^A-Za-z0-9]+"
_PACKAGE = r"arn:[^:]+:sagemaker:[^:]*:[0-9]{12}:model-package/([^/]+)/([0-9]+)"
_OBJECT = r"(?s)s3://([^/]+)/(.+)"


def slug(text: str, limit: int = RESOURCE_LIMIT) -> str:
    """Return `text` as a legal SageMaker name of at most `limit` characters.

    Two different texts never share a name: whenever characters had to be changed or cut, a digest of the original
    is put behind it.

    Raises:
        ValueError: `limit` leaves no room for the digest.
    """
    if limit <= _DIGEST + 1:
        raise ValueError(f"a name needs room for its digest: limit {limit} is too small")
    legal = re.sub(_ILLEGAL, "-", text).strip("-")
    if legal == text and 0 < len(legal) <= limit:
        return legal
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
    head = legal[: limit - _DIGEST - 1].strip("-")
    return f"{head}-{digest}" if head else digest


def package_group(prefix: str, model: str) -> str:
    """Return the model package group of a model: `<prefix>-<model>`."""
    return slug(f"{prefix}-{model}")


def pipeline(prefix: str, project: str, pipeline: str) -> str:
    """Return the SageMaker pipeline of a project's pipeline; the one that has its project's name needs no second one.

    The two hyphens keep it apart from the pipeline of every other project, since no name of ours has two in a row.
    """
    return f"{prefix}-{project}" if pipeline == project else f"{prefix}-{project}--{pipeline}"


def feature_group(prefix: str, project: str, group: str) -> str:
    """Return the feature group of a project; two hyphens keep it apart from those of every other project."""
    return f"{prefix}-{project}--{group}"


def project_parameter(prefix: str, project: str) -> str:
    """Return the SSM parameter that has a project's document: `/<prefix>/projects/<project>`."""
    return f"/{prefix}/projects/{project}"


def model_parameter(prefix: str, model: str) -> str:
    """Return the SSM parameter that has a model's document: `/<prefix>/models/<model>`."""
    return f"/{prefix}/models/{model}"


def automation_parameter(prefix: str, project: str) -> str:
    """Return the SSM parameter that says how a project is built: `/<prefix>/automations/<project>`."""
    return f"/{prefix}/automations/{project}"


def grant_parameter(prefix: str, project: str) -> str:
    """Return the SSM parameter that says what people let a project's builds claim: `/<prefix>/grants/<project>`."""
    return f"/{prefix}/grants/{project}"


def hook_secret(prefix: str, project: str) -> str:
    """Return the secret that webhooks about a project's repository are signed with: `<prefix>/hooks/<project>`."""
    return f"{prefix}/hooks/{project}"


def published_parameter(prefix: str, project: str) -> str:
    """Return the SSM parameter that says what a project's last push changed: `/<prefix>/published/<project>`."""
    return f"/{prefix}/published/{project}"


def experiment_parameter(prefix: str, project: str, branch: str) -> str:
    """Return the SSM parameter that says what a branch has made: `/<prefix>/experiments/<project>/<branch>`."""
    return f"/{prefix}/experiments/{project}/{branch_key(branch) if branch else ''}"


def automation_stack(prefix: str, project: str) -> str:
    """Return the CloudFormation stack of a project's build automation: `<prefix>-cicd-<project>`."""
    return f"{prefix}-cicd-{project}"


def repository(prefix: str, project: str) -> str:
    """Return a project's repository, which its builds of the main branch are called after, too."""
    return f"{prefix}-{project}"


def branches_build(prefix: str, project: str) -> str:
    """Return what the builds of a project's other branches are called: `<prefix>-<project>--branches`."""
    return f"{prefix}-{project}--branches"


def branch_key(branch: str) -> str:
    """Return what a branch is called in names: what is legal of it, and always a digest, so that no two share it."""
    head = re.sub(_ILLEGAL, "-", branch).strip("-")[:_BRANCH_HEAD].strip("-")
    digest = hashlib.sha256(branch.encode()).hexdigest()[:_DIGEST]
    return f"{head}-{digest}" if head else digest


def branch_pipeline(prefix: str, project: str, pipeline: str, branch: str) -> str:
    """Return the SageMaker pipeline of a branch: `<prefix>-<project>--<pipeline>--<branch>`."""
    return f"{prefix}-{project}--{pipeline}--{branch_key(branch)}"


def branch_group(prefix: str, project: str, model: str, branch: str) -> str:
    """Return the package group of a model on a branch: `<prefix>-<project>--…`, which no group of a model is called.

    A prefix of 24 and a project of 30 characters leave room for a digest of 6 alone: its digits are 36, so that it
    tells two billion pairs of model and branch apart.
    """
    place = f"{prefix}-{project}--"
    number = int.from_bytes(hashlib.sha256(f"{model}\n{branch}".encode()).digest()) % len(_DIGITS) ** _SHORT
    digest = "".join(_DIGITS[number // len(_DIGITS) ** power % len(_DIGITS)] for power in range(_SHORT))
    room = RESOURCE_LIMIT - len(place) - _SHORT - 1
    head = re.sub(_ILLEGAL, "-", f"{model}-{branch}").strip("-")[: max(room, 0)].strip("-")
    return f"{place}{head}-{digest}" if head else f"{place}{digest}"


def of_branch(name: str) -> bool:
    """Say whether a package group is that of a branch: a model's has no two hyphens in a row."""
    return "--" in name


def model_of_group(prefix: str, group: str) -> str:
    """Return the model that a package group belongs to.

    Raises:
        ValueError: the group is not one of ours.
    """
    if not group.startswith(f"{prefix}-"):
        raise ValueError(f"model package group {group!r} does not start with {prefix + '-'!r}")
    return group.removeprefix(f"{prefix}-")


def group_of_package(package_arn: str) -> str:
    """Return the group in `arn:…:model-package/<group>/<version>`.

    Raises:
        ValueError: the ARN does not name a version of a model package group.
    """
    match = re.fullmatch(_PACKAGE, package_arn)
    if match is None:
        raise ValueError(f"{package_arn!r} is not the ARN of a model package version")
    return match[1]


def version_of_package(package_arn: str) -> int:
    """Return the version in `arn:…:model-package/<group>/<version>`.

    Raises:
        ValueError: the ARN does not name a version of a model package group.
    """
    group_of_package(package_arn)
    return int(package_arn.rsplit("/", 1)[1])


def endpoint(prefix: str, model: str, stage: str) -> str:
    """Return the one stable endpoint name of a model in a stage."""
    return slug(f"{prefix}-{model}-{stage}")


def job(group: str, execution: str, step: str) -> str:
    """Return the name of a job, model or endpoint config that one execution makes for `step`.

    It starts with the package group, and so with the stack's prefix, which IAM policies are written for. The
    execution's name makes it unique; the digest keeps it so when it is cut.
    """
    digest = hashlib.sha256(f"{group}/{execution}/{step}".encode()).hexdigest()[:_DIGEST]
    head = re.sub(_ILLEGAL, "-", f"{group}-{step}").strip("-")[: RESOURCE_LIMIT - _DIGEST - 1].strip("-")
    return f"{head}-{digest}"


def bucket_and_key(uri: str) -> tuple[str, str]:
    """Return the two parts of `s3://bucket/key`; unlike in other addresses, a ? or # belongs to the key.

    Raises:
        ValueError: it is not the URI of something in a bucket.
    """
    match = re.fullmatch(_OBJECT, uri)
    if match is None:
        raise ValueError(f"{uri!r} is not the S3 URI of a file or folder, s3://bucket/key")
    return match[1], match[2]


def display(text: str) -> str:
    """Return `text` as a legal display name of a pipeline execution."""
    return slug(text, DISPLAY_LIMIT)


def execution(*parts: str) -> str:
    """Return a state machine execution's name from its business key: the same parts, the same name."""
    return slug("-".join(parts), EXECUTION_LIMIT)


def token(*parts: str) -> str:
    """Return a client request token (64 characters, within SageMaker's 32 to 128) for a business key."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
