"""What more than one journey passes on."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

# A request to AWS, made in Python in one place and passed on by a machine as it is.
type AwsRequest = Mapping[str, object]


class Failure(TypedDict):
    """An error as Step Functions catches it; a timeout has no cause."""

    Error: str
    Cause: NotRequired[str]
