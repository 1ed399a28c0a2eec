"""Parameter Store: a parameter, and the parameters right below a path."""

from typing import TYPE_CHECKING

from signalbox.aws import clients
from signalbox.aws.errors import none_if_missing, translated

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


def find(name: str, ssm: "SSMClient | None" = None) -> str:
    """Return the text of a parameter; "" where there is none.

    Raises:
        ServiceBusyError, CallRefusedError: see `errors.translated`.
    """
    client: SSMClient = ssm or clients.client("ssm")
    with translated(f"ssm:GetParameter of {name}"), none_if_missing():
        return client.get_parameter(Name=name)["Parameter"]["Value"]
    return ""


def below(path: str, ssm: "SSMClient | None" = None) -> list[tuple[str, str]]:
    """Return the last part of the name and the text of each parameter right below a path, which ends with a slash.

    Raises:
        ServiceBusyError, CallRefusedError: see `errors.translated`.
    """
    client: SSMClient = ssm or clients.client("ssm")
    with translated(f"ssm:GetParametersByPath of {path}"):
        pages = client.get_paginator("get_parameters_by_path").paginate(Path=path.removesuffix("/"))
        return [(one["Name"].removeprefix(path), one["Value"]) for page in pages for one in page["Parameters"]]
