"""What CodeBuild here does with each member of a request: refused by name, kept without effect, or honoured."""

from collections.abc import Mapping
from typing import Any

from sagemaker_local.codebuild.errors import refused
from sagemaker_local.core.members import refusals

_ONE_MACHINE = "use LINUX_CONTAINER"
_NO_PROVIDER = "leave it out: nobody is told of a build but EventBridge"
_NO_CONNECTION = "leave it out: a source is cloned from this machine alone"
_NO_BATCH = "leave it out: start each build by itself"

REFUSED: Mapping[str, str] = {
    # Sources.
    "*.auth": _NO_CONNECTION,
    "StartBuild.sourceAuthOverride": _NO_CONNECTION,
    "*.insecureSsl*": _NO_CONNECTION,
    "*.gitSubmodulesConfig*": "fetch them in the buildspec",
    "*.reportBuildStatus*": _NO_PROVIDER,
    "*.buildStatusConfig*": _NO_PROVIDER,
    # Where a build runs.
    "*Project.environment.type=WINDOWS*": _ONE_MACHINE,
    "*Project.environment.type=MAC_ARM": _ONE_MACHINE,
    "*Project.environment.type=*_LAMBDA_CONTAINER": _ONE_MACHINE,
    "*Project.environment.type=*_EC2": _ONE_MACHINE,
    "StartBuild.environmentTypeOverride=WINDOWS*": _ONE_MACHINE,
    "StartBuild.environmentTypeOverride=MAC_ARM": _ONE_MACHINE,
    "StartBuild.environmentTypeOverride=*_LAMBDA_CONTAINER": _ONE_MACHINE,
    "StartBuild.environmentTypeOverride=*_EC2": _ONE_MACHINE,
    "*Project.environment.computeConfiguration": "name a computeType",
    "*Project.environment.dockerServer": "set privilegedMode",
    "*Project.environment.fleet": "leave it out: builds run on this machine",
    "StartBuild.fleetOverride": "leave it out: builds run on this machine",
    "*Project.environment.certificate": _NO_CONNECTION,
    "StartBuild.certificateOverride": _NO_CONNECTION,
    "*.registryCredential*": "name an image of CodeBuild, aws/codebuild/…",
    "*Project.fileSystemLocations": "keep files in S3",
    "StartBuild.debugSessionEnabled": "read the build's log in CloudWatch Logs",
    # What is around a build.
    "*Project.badgeEnabled": "ask for the build's status",
    "*Project.buildBatchConfig": _NO_BATCH,
    "*Project.autoRetryLimit": "call RetryBuild",
    "StartBuild.autoRetryLimitOverride": "call RetryBuild",
    "*.s3Logs.status=ENABLED": "read the build's log in CloudWatch Logs",
}

KEPT: tuple[str, ...] = (
    "*Project.description",
    "*Project.tags",
    "*Project.environment.computeType",
    "StartBuild.computeTypeOverride",
    "*Project.environment.type",
    "StartBuild.environmentTypeOverride",
    "*Project.environment.hostKernel",
    "StartBuild.hostKernelOverride",
    "*.imagePullCredentialsType*",
    "*Project.vpcConfig",
    "*Project.cache",
    "StartBuild.cacheOverride",
    "*.queuedTimeoutInMinutes*",
    "*.encryptionKey*",
    "*.encryptionDisabled",
    "*.bucketOwnerAccess",
    "*.s3Logs",
)


def check(service: str, operation: str, request: Mapping[str, Any], _own: str) -> None:
    """Refuse a request that asks for what is not here.

    Raises:
        ApiError: InvalidInputException, naming each member.
    """
    sentences = refusals(service, operation, request, REFUSED)
    if sentences:
        raise refused(" ".join(sentences))
