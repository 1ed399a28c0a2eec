"""How a build reaches a repository: by which address, and with which credentials.

CodeCommit's own addresses lead to this cloud, and git asks a helper for the password that a role's keys come to, as
AWS's `git config credential.helper '!aws codecommit credential-helper $@'` does (CodeCommit User Guide).
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sagemaker_local.codebuild.errors import client_error
from sagemaker_local.images.catalog import PACKAGE

_HELPER_MODULE = "sagemaker_local.codecommit.credentials"
_LOCAL = ("http://127.0.0.1", "http://localhost", "file://")


@dataclass(frozen=True)
class Remote:
    """An address that git takes, and the variables that it is run with."""

    url: str
    environment: Mapping[str, str] = field(default_factory=dict)


type RemoteOf = Callable[[str, Mapping[str, str]], Remote]
"""From a source's location and the variables of a role to the remote."""


def codecommit(location: str, role: Mapping[str, str], python: str = sys.executable) -> Remote:
    """Return the remote of a repository of CodeCommit; `python` is where git finds the helper's interpreter."""
    name = location.rstrip("/").rpartition("/")[2].rpartition(":")[2]
    return Remote(f"{role['AWS_ENDPOINT_URL']}/v1/repos/{name}", {**role, **credential_helper(role, python)})


def credential_helper(role: Mapping[str, str], python: str) -> dict[str, str]:
    """Return the variables by which git asks the helper, and finds CodeCommit's own addresses in this cloud."""
    endpoint, region = role["AWS_ENDPOINT_URL"], role["AWS_REGION"]
    program = f"import sys; sys.path.insert(0, '{PACKAGE.parent}'); import runpy; runpy.run_module('{_HELPER_MODULE}', run_name='__main__', alter_sys=True)"  # noqa: E501  # one command
    settings = {
        f"credential.{endpoint}.helper": f'!"{python}" -I -c "{program}"',
        f"credential.{endpoint}.useHttpPath": "true",
        f"url.{endpoint}/.insteadOf": f"https://git-codecommit.{region}.amazonaws.com/",
    }
    return configured(settings)


def configured(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which git has settings of its own (git-config, "GIT_CONFIG_COUNT")."""
    numbered = list(enumerate(settings.items()))
    keys = {f"GIT_CONFIG_KEY_{number}": key for number, (key, _) in numbered}
    values = {f"GIT_CONFIG_VALUE_{number}": value for number, (_, value) in numbered}
    return {"GIT_CONFIG_COUNT": str(len(settings)), **keys, **values}


def elsewhere(location: str, _role: Mapping[str, str]) -> Remote:
    """Return the remote of another provider's repository, which has to be on this machine.

    Raises:
        PhaseError: CLIENT_ERROR: it is not.
    """
    if not is_here(location):
        raise client_error(f"source {location} is not on this machine: clone it here, and name it by its file:// URL")
    return Remote(location)


def is_here(location: str) -> bool:
    """Tell whether a repository is on this machine."""
    return location.startswith(_LOCAL) and urlsplit(location).hostname in (None, "", "127.0.0.1", "localhost")
