"""Which account and region a command works in: its options `--profile` and `--region`, else the environment.

boto3 reads `AWS_PROFILE` and `AWS_DEFAULT_REGION`. `AWS_REGION`, which AWS's own command line and its other libraries
read before that, it does not know (`botocore.configprovider`): it is read here.
"""

import inspect
import os
from collections.abc import Callable
from contextvars import ContextVar
from typing import Annotated, Any

import typer
from boto3.session import Session
from botocore.exceptions import ProfileNotFound

from signalbox_operate.stack import OperateError

_REGION = typer.Option("--region", help="Region of the stack; else AWS_REGION, AWS_DEFAULT_REGION, or the profile's")
_PROFILE = typer.Option("--profile", help="Profile of your AWS configuration; else AWS_PROFILE")
_SESSION: ContextVar[Session] = ContextVar("session")
_GIVEN: ContextVar[tuple[str | None, str | None]] = ContextVar("given", default=(None, None))


def session() -> Session:
    """Return the session of the command that runs."""
    return _SESSION.get()


def client(service: str) -> Any:
    """Return a client for the command's account and region.

    Raises:
        OperateError: the address that stands for AWS is none.
    """
    return client_of(session(), service)


def beside(profile: str | None, region: str | None) -> Session:
    """Return a session like the command's, with another profile or region where one is given.

    Raises:
        BadParameter: there is no such profile.
    """
    own_profile, own_region = _GIVEN.get()
    return _made(profile or own_profile, region or own_region)


def client_of(session: Session, service: str) -> Any:
    """Return a client for the account and region of a session.

    Raises:
        OperateError: the address that stands for AWS is none.
    """
    try:
        return session.client(service)  # type: ignore[call-overload]  # the name is a variable here
    except ValueError as error:
        raise OperateError(f"{error}: correct AWS_ENDPOINT_URL, such as http://127.0.0.1:4566, or unset it") from error


def _made(profile: str | None, region: str | None) -> Session:
    try:
        return Session(profile_name=profile, region_name=region or os.environ.get("AWS_REGION") or None)
    except ProfileNotFound as error:
        raise typer.BadParameter(f"{error}: `aws configure list-profiles` shows which there are") from error


def chosen(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options `--region` and `--profile`, and its session while it runs."""

    def run(*arguments: Any, region: str | None = None, profile: str | None = None, **options: Any) -> None:
        token, given = _SESSION.set(_made(profile, region)), _GIVEN.set((profile, region))
        try:
            command(*arguments, **options)
        finally:
            _SESSION.reset(token)
            _GIVEN.reset(given)

    own = inspect.signature(command)
    added = {"region": Annotated[str | None, _REGION], "profile": Annotated[str | None, _PROFILE]}
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in added.items()
    ]
    run.__doc__, run.__annotations__ = command.__doc__, command.__annotations__ | added
    run.__dict__["__signature__"] = own.replace(parameters=[*own.parameters.values(), *parameters])
    return run
