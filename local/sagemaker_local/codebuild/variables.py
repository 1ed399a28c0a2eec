"""The environment variables of a build: what they are worth, and which of them nobody is to read in a log.

Precedence: StartBuild's overrides, then the project, then the buildspec (API reference, EnvironmentVariable; User
Guide, "env/variables"). What is looked up is looked up with the rights of the build's role.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sagemaker_local.codebuild.buildspec import Buildspec
from sagemaker_local.codebuild.errors import PhaseError

type ClientOf = Callable[[str], Any]
"""From a service's name to a client that acts as the build's role."""

MASK = "***"
_SECRET = re.compile(
    r"(?P<id>arn:[^:]+:secretsmanager:[^:]*:[^:]*:secret:[^:]+|[^:]+)"
    r"(?::(?P<key>[^:]*))?(?::(?P<stage>[^:]*))?(?::(?P<version>[^:]*))?"
)
_SHORTEST = 1


@dataclass(frozen=True)
class Variables:
    """What a build finds in its environment, and the values of it that are hidden in logs."""

    values: Mapping[str, str]
    hidden: frozenset[str]


def declared(buildspec: Buildspec, variables: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Return all variables of a build as the API has them; those of the project come over those of the buildspec."""
    kinds = (
        ("PLAINTEXT", buildspec.variables),
        ("PARAMETER_STORE", buildspec.parameters),
        ("SECRETS_MANAGER", buildspec.secrets),
    )
    found = {
        name: {"name": name, "value": value, "type": kind} for kind, given in kinds for name, value in given.items()
    }
    found |= {variable["name"]: {"type": "PLAINTEXT", **variable} for variable in variables}
    return list(found.values())


def resolved(variables: Iterable[Mapping[str, str]], client: ClientOf) -> Variables:
    """Look up what variables are worth.

    Raises:
        PhaseError: a parameter or secret is not there, or may not be read.
    """
    values: dict[str, str] = {}
    hidden = set()
    for variable in variables:
        name, value, kind = variable["name"], variable["value"], variable["type"]
        if kind == "PARAMETER_STORE":
            value = _parameter(client("ssm"), value)
        elif kind == "SECRETS_MANAGER":
            value = _secret(client("secretsmanager"), value)
        values[name] = value
        if kind != "PLAINTEXT" and len(value) >= _SHORTEST:
            hidden.add(value)
    return Variables(values, frozenset(hidden))


def mask(hidden: Iterable[str]) -> Callable[[str], str]:
    """Return what hides values in a line of a log.

    User Guide, "View build details": hidden are AWS access key ids, and strings of the Parameter Store and of Secrets
    Manager that a build was given. A value of several lines is hidden line by line.
    """
    lines = {line for value in hidden for line in value.splitlines() if line.strip()}
    if not lines:
        return str
    expression = re.compile("|".join(re.escape(line) for line in sorted(lines, key=len, reverse=True)))
    return lambda line: expression.sub(MASK, line)


def _parameter(ssm: Any, name: str) -> str:
    try:
        found = ssm.get_parameters(Names=[name], WithDecryption=True)["Parameters"]
    except ClientError as error:
        raise PhaseError("Decrypted Variables Error", _told(error)) from error
    if not found:
        raise PhaseError("Decrypted Variables Error", f"parameter does not exist: {name}")
    return str(found[0]["Value"])


def _secret(manager: Any, reference: str) -> str:
    match = _SECRET.fullmatch(reference)
    if match is None:
        raise PhaseError("Secrets Manager Error", f"{reference} is no reference to a secret")
    wanted = {"SecretId": match["id"], "VersionStage": match["stage"], "VersionId": match["version"]}
    try:
        text = manager.get_secret_value(**{name: value for name, value in wanted.items() if value})["SecretString"]
    except ClientError as error:
        raise PhaseError("Secrets Manager Error", _told(error)) from error
    if not match["key"]:
        return str(text)
    try:
        value = json.loads(text)[match["key"]]
    except (ValueError, KeyError, TypeError) as error:
        raise PhaseError("Secrets Manager Error", f"secret {match['id']} has no key {match['key']}") from error
    return value if isinstance(value, str) else json.dumps(value)


def _told(error: ClientError) -> str:
    return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
