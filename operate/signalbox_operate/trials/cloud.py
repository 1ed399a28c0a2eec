"""The local cloud that a trial runs on: the one that is up, or one that lives as long as the trial does."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from boto3.session import Session

from signalbox_operate.stack import OperateError

_HERE = {"127.0.0.1", "localhost", "::1"}


@contextmanager
def borrowed() -> Iterator[Session]:
    """Give a session with a local cloud: the shell's own, else the one that is up, else a new one.

    Raises:
        OperateError: there is none, and none can be started here.
    """
    named = os.environ.get("AWS_ENDPOINT_URL", "")
    if named:
        if urlsplit(named).hostname not in _HERE:
            raise OperateError(f"a trial runs on the local cloud, and AWS_ENDPOINT_URL is {named}: unset it")
        yield Session(region_name=os.environ.get("AWS_REGION") or None)
        return
    try:
        # The local cloud is in a clone of Signalbox, and not with a command line that was installed by itself.
        from signalbox_local import lending  # noqa: PLC0415
    except ImportError as error:
        raise OperateError(
            "the local cloud is not installed here: run this in a clone of Signalbox, or in a shell that works with "
            'the cloud of one (make up, then eval "$(make -s env)"); or try the jobs alone: python -m pytest tests'
        ) from error
    with lending.lent() as variables:
        os.environ["AWS_ENDPOINT_URL"] = variables["AWS_ENDPOINT_URL"]
        try:
            yield _session(variables)
        finally:
            del os.environ["AWS_ENDPOINT_URL"]


def _session(variables: dict[str, str]) -> Session:
    return Session(
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_REGION"],
    )
