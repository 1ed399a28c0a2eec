"""Git over HTTP, by git's own `git http-backend`: who asks is known by a signature, and IAM decides.

The addresses are those on AWS, `/v1/repos/<name>`, on whatever host this cloud has. A host of AWS names the region; on
this machine's own it is the one that the password was signed for.
"""

import base64
import binascii
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from sagemaker_local import ministack
from sagemaker_local.codecommit import backend, signature
from sagemaker_local.codecommit.receive import MalformedError, body, commands
from sagemaker_local.codecommit.repositories import Change, Repository
from sagemaker_local.codecommit.service import Service

_PATH = re.compile(
    r"(?P<path>/v1/repos/(?P<name>[A-Za-z0-9._-]+))/(?P<what>info/refs|git-upload-pack|git-receive-pack)"
)
_HOST = re.compile(r"git-codecommit\.(?P<region>[a-z0-9-]+)\.amazonaws\.com")
_ACTIONS = {"git-upload-pack": "codecommit:GitPull", "git-receive-pack": "codecommit:GitPush"}
_PUSH = "git-receive-pack"


class RefusedError(Exception):
    """A request that is answered with a status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Asked(NamedTuple):
    """What a request is about."""

    path: str
    name: str
    what: str
    service: str


@dataclass(frozen=True)
class SmartHttp:
    """The git server of all regions."""

    of: Callable[[str], Service]
    regions: Callable[[], Collection[str]]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a git client."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            asked = _asked(scope)
            key, service = self._caller(headers, asked.path)
            repository = self._allowed(service, key, asked)
            chunks, changes = body(receive, headers), list[Change]()
            if asked.what == _PUSH:
                changes, begin = await commands(chunks)
                chunks = _after(begin, chunks)
            refusal = _refusal(service, key, repository, changes)
            with tempfile.TemporaryDirectory(dir=service.repositories.folder) as folder:
                answer = backend.Backend(repository.git.path, refusal, Path(folder) / "changes")
                told = (service, repository, ministack.principal_of(key), answer.changes)
                await answer.run(scope, (asked.what, headers), chunks, send, lambda: _tell(*told))
        except RefusedError as error:
            await _answer(send, error.status, str(error))
        except MalformedError as error:
            await _answer(send, 400, str(error))

    def _caller(self, headers: dict[str, str], path: str) -> tuple[str, Service]:
        """Return the access key that signed a request, and the service of the region that it was signed for.

        Raises:
            RefusedError: nobody did, or not as it has to be.
        """
        user, password = _basic(headers.get("authorization", ""))
        host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        named = _HOST.fullmatch(host)
        regions = [named["region"]] if named else list(self.regions())
        key, _, token = user.partition("%")
        ministack.use_scope(self.of(regions[0]).here.account, regions[0])
        try:
            keys = ministack.keys_of(key)
        except LookupError as error:
            raise RefusedError(403, str(error)) from error
        if keys["AWS_SESSION_TOKEN"] != token:
            raise RefusedError(403, "The security token included in the request is invalid.")
        faults = {
            region: signature.fault(password, keys["AWS_SECRET_ACCESS_KEY"], region, host, path) for region in regions
        }
        for region, fault in faults.items():
            if fault is None:
                return key, self.of(region)
        # Where the signature is right for one of the regions, what is wrong with it there is the reason.
        reasons = [fault for fault in faults.values() if fault and fault != signature.MISMATCH]
        raise RefusedError(403, (reasons or [signature.MISMATCH])[0])

    @staticmethod
    def _allowed(service: Service, key: str, asked: Asked) -> Repository:
        """Return the repository that a request is about.

        Raises:
            RefusedError: IAM denies it, or there is none.
        """
        here = service.here
        ministack.use_scope(here.account, here.region)
        sentence = ministack.refusal(key, _ACTIONS[asked.service], here.arn(asked.name), here.region)
        if sentence is not None:
            raise RefusedError(403, sentence)
        found = service.repositories.find(asked.name)
        if found is None:
            raise RefusedError(404, f"{asked.name} does not exist in {here.region}")
        return found


def _asked(scope: Any) -> Asked:
    found = _PATH.fullmatch(scope["path"])
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    service = query.get("service", [""])[0] if found and found["what"] == "info/refs" else found and found["what"]
    if not found or service not in _ACTIONS:
        raise RefusedError(404, "there is a git server at /v1/repos/<name>, which speaks git's smart protocol")
    if scope["method"] != ("GET" if found["what"] == "info/refs" else "POST"):
        raise RefusedError(405, "that is no request of git's smart protocol")
    return Asked(found["path"], found["name"], found["what"], str(service))


def _basic(authorization: str) -> tuple[str, str]:
    kind, _, given = authorization.partition(" ")
    try:
        user, _, password = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user, password = "", ""
    if kind.lower() != "basic" or not user:
        raise RefusedError(
            401, "git has to give credentials: a user and a password, as the credential helper makes them"
        )
    return user, password


def _refusal(service: Service, key: str, repository: Repository, changes: Iterable[Change]) -> str:
    """Return why IAM denies a change of a reference of a push; empty where it denies none.

    What is asked before, without a reference, has no key `codecommit:References` (User Guide, "Limit pushes and merges
    to branches": a policy's `Null` condition is for that).
    """
    here, arn = service.here, service.here.arn(repository.name)
    for change in changes:
        context = {"codecommit:References": change.reference}
        sentence = ministack.refusal(key, _ACTIONS[_PUSH], arn, here.region, context)
        if sentence is not None:
            return f"{change.reference}: {sentence}"
    return ""


def _tell(service: Service, repository: Repository, principal: str, written: Path) -> None:
    """Tell of the references that git has changed: a line each, as its hook writes them."""
    if written.exists():
        lines = written.read_text(errors="surrogateescape").splitlines()
        service.repositories.tell(repository, [Change(*line.split(" ", 2)) for line in lines], principal)


async def _after(begin: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield begin
    async for chunk in rest:
        yield chunk


async def _answer(send: Any, status: int, sentence: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    if status == 401:  # noqa: PLR2004  # how git learns that it has to give credentials
        headers.append((b"www-authenticate", b'Basic realm="CodeCommit"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{sentence}\n".encode()})
