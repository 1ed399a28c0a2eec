"""What a build comes to: its project, with StartBuild's overrides (API reference, StartBuild)."""

from collections.abc import Mapping
from typing import Any

_ENVIRONMENT = {
    "environmentTypeOverride": "type",
    "imageOverride": "image",
    "computeTypeOverride": "computeType",
    "privilegedModeOverride": "privilegedMode",
    "imagePullCredentialsTypeOverride": "imagePullCredentialsType",
    "hostKernelOverride": "hostKernel",
}
_SOURCE = {
    "sourceTypeOverride": "type",
    "sourceLocationOverride": "location",
    "buildspecOverride": "buildspec",
    "gitCloneDepthOverride": "gitCloneDepth",
}
_TOP = {
    "artifactsOverride": "artifacts",
    "secondaryArtifactsOverride": "secondaryArtifacts",
    "secondarySourcesOverride": "secondarySources",
    "secondarySourcesVersionOverride": "secondarySourceVersions",
    "cacheOverride": "cache",
    "serviceRoleOverride": "serviceRole",
    "timeoutInMinutesOverride": "timeoutInMinutes",
    "queuedTimeoutInMinutesOverride": "queuedTimeoutInMinutes",
    "encryptionKeyOverride": "encryptionKey",
    "logsConfigOverride": "logsConfig",
    "sourceVersion": "sourceVersion",
}


def overridden(given: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a build."""
    source = {**given["source"], **_chosen(_SOURCE, request)}
    if request.get("sourceTypeOverride") == "NO_SOURCE":
        source.pop("location", None)
    environment = {**given["environment"], **_chosen(_ENVIRONMENT, request)}
    own = {variable["name"]: variable for variable in environment.get("environmentVariables", [])}
    own |= {variable["name"]: variable for variable in request.get("environmentVariablesOverride", [])}
    environment["environmentVariables"] = [{"type": "PLAINTEXT", **variable} for variable in own.values()]
    return {**given, **_chosen(_TOP, request), "source": source, "environment": environment}


def _chosen(names: Mapping[str, str], request: Mapping[str, Any]) -> dict[str, Any]:
    return {member: request[override] for override, member in names.items() if override in request}
