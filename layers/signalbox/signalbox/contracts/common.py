"""What more than one journey passes on."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

# A request to AWS, made in Python in one place and passed on by a machine as it is.
type AwsRequest = Mapping[str, object]


class Failure(TypedDict):
    """An error as Step Functions catches it; a timeout has no cause."""

    Error: str
    Cause: NotRequired[str]


class StageServing(TypedDict):
    """What a stage was seen to serve: when a release ended, or when people were asked.

    `status` is the endpoint's, "" where there is none; `package` is None where it serves none of the registry's.
    `commit` is the package's, read where people are asked; "" where it has none.
    """

    stage: str
    endpoint: str
    status: str
    package: str | None
    commit: NotRequired[str]
