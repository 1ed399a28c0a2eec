"""What to say where AWS, its library or the network refuses a command: what is wrong, and the way out."""

import os
from collections.abc import Iterator

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProxyConnectionError,
    SSLError,
    SSOError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from signalbox.aws.errors import code_of, is_lost
from signalbox_operate.stack import PlacedError

NO_REGION = "no AWS region is set: give --region, set AWS_REGION, or name a profile that has one"
NO_CREDENTIALS = "there are no AWS credentials: give --profile, set AWS_PROFILE, or sign in"
_LOCAL = (
    'is the local cloud running? `make up` starts it, and `eval "$(make -s env)"` points this shell to it; `unset '
    "AWS_ENDPOINT_URL` points it to AWS again"
)
_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)
# What keeps the library from making a call at all.
_UNMADE: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (NoRegionError, NO_REGION),
    (InvalidRegionError, "{error} Give one such as eu-west-1 with --region, or in AWS_REGION"),
    (_CREDENTIALS, f"{NO_CREDENTIALS} ({{error}})"),
    (
        (SSOError, UnauthorizedSSOTokenError, TokenRetrievalError),
        "you are not signed in to AWS any more: run `aws sso login`, with the same --profile ({error})",
    ),
)
# Common errors of AWS's APIs, in the spellings of their protocols (IAM User Guide, "Troubleshoot"; S3's error codes).
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_UNKNOWN = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_DENIED = frozenset({"403", "AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})


def sentence(error: BaseException) -> str:
    """Return what to say about an error that ended a command: the way out where one is known, else its own words."""
    return next((told for one in _chain(error) if (told := _told(one, str(error)))), str(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it was made of: errors of ours keep the library's as their cause."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _told(error: BaseException, whole: str) -> str:
    if isinstance(error, PlacedError):
        return str(error)
    if isinstance(error, ClientError):
        return _refused(error, whole)
    if isinstance(error, BotoCoreError) and is_lost(error):
        return _unreached(error)
    return next((text.format(error=error) for kind, text in _UNMADE if isinstance(error, kind)), "")


def _refused(error: ClientError, whole: str) -> str:
    code = code_of(error)
    if code in _EXPIRED:
        return f"your AWS credentials have expired: sign in again ({error})"
    if code in _UNKNOWN:
        local = f" For the local cloud: {_LOCAL}." if os.environ.get("AWS_ENDPOINT_URL") else ""
        return (
            "these AWS credentials are not known, or the clock of this machine is wrong: give another --profile, or "
            f"sign in again.{local} ({error})"
        )
    if code in _DENIED:
        return f"{whole}. Ask whoever runs the account to allow it, or give another --profile"
    return ""


def _unreached(error: BotoCoreError) -> str:
    address = str(error.kwargs.get("endpoint_url") or error.kwargs.get("proxy_url") or "")
    if isinstance(error, ProxyConnectionError):
        return f"the proxy {address} does not answer: correct or unset HTTPS_PROXY and HTTP_PROXY ({error})"
    if isinstance(error, SSLError):
        return (
            f"the connection to {address} cannot be trusted: set AWS_CA_BUNDLE to your network's certificates ({error})"
        )
    given = os.environ.get("AWS_ENDPOINT_URL", "")
    if given:
        return f"nothing answers under {given}, where AWS_ENDPOINT_URL points: {_LOCAL}"
    return f"AWS cannot be reached: is there a network, and is the region's name right? ({error})"
