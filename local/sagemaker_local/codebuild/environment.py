"""The variables that CodeBuild sets in a build (User Guide, "Environment variables in build environments")."""

from collections.abc import Mapping
from typing import Any

from sagemaker_local.codebuild.place import Place


def codebuild_variables(build: Mapping[str, Any], place: Place) -> dict[str, str]:
    """Return what a build finds about itself."""
    number = int(build["startTime"].timestamp() * 1000)
    found = {
        "CI": "true",
        "CODEBUILD_BUILD_ARN": build["arn"],
        "CODEBUILD_BUILD_ID": build["id"],
        "CODEBUILD_BUILD_IMAGE": build["environment"]["image"],
        "CODEBUILD_BUILD_NUMBER": str(build["buildNumber"]),
        "CODEBUILD_BUILD_SUCCEEDING": "1",
        "CODEBUILD_CI": "true",
        "CODEBUILD_INITIATOR": build["initiator"],
        "CODEBUILD_KMS_KEY_ID": build.get("encryptionKey", ""),
        "CODEBUILD_LOG_PATH": build["logs"].get("streamName", ""),
        "CODEBUILD_PROJECT_ARN": f"{build['arn'].rpartition(':build/')[0]}:project/{build['projectName']}",
        "CODEBUILD_RESOLVED_SOURCE_VERSION": build.get("resolvedSourceVersion", ""),
        "CODEBUILD_SOURCE_REPO_URL": build["source"].get("location", ""),
        "CODEBUILD_SOURCE_VERSION": build.get("sourceVersion", ""),
        "CODEBUILD_SRC_DIR": place.seen(place.source()),
        "CODEBUILD_START_TIME": str(number),
    }
    names = [one["sourceIdentifier"] for one in build["secondarySources"]]
    secondary = {f"CODEBUILD_SRC_DIR_{name}": place.seen(place.source(name)) for name in names}
    return {name: value for name, value in {**found, **secondary}.items() if value}


def expanded(text: str, environment: Mapping[str, str]) -> str:
    """Return a text with variables in it, as an output's name may have them."""
    for name in sorted(environment, key=len, reverse=True):
        text = text.replace(f"${{{name}}}", environment[name]).replace(f"${name}", environment[name])
    return text
