"""`git http-backend`, a CGI program (RFC 3875), run for one request: what it reads and writes goes by in pieces."""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagemaker_local.codecommit.git import CHANGES_VARIABLE, REFUSAL_VARIABLE, environment
from sagemaker_local.codecommit.receive import MalformedError

_CHUNK = 65_536
_BAD_GATEWAY = 502


@dataclass(frozen=True)
class Backend:
    """One run on a bare repository; a push is refused with `refusal`, and what it changed is written to `changes`."""

    repository: Path
    refusal: str
    changes: Path

    async def run(
        self,
        scope: Any,
        asked: tuple[str, Mapping[str, str]],
        body: AsyncIterator[bytes],
        send: Any,
        then: Callable[[], None],
    ) -> None:
        """Answer a request: what is asked for, by its headers and its body. `then` is called before the answer ends."""
        process = await asyncio.create_subprocess_exec(
            "git", "http-backend", stdin=PIPE, stdout=PIPE, env=self._variables(scope, *asked)
        )
        feeding = asyncio.create_task(_feed(process, body))
        try:
            await self._pass_on(process, send)
            await process.wait()
            await asyncio.to_thread(then)
            await send({"type": "http.response.body", "body": b""})
            await feeding
        finally:
            feeding.cancel()
            with suppress(ProcessLookupError):
                process.kill()

    def _variables(self, scope: Any, what: str, headers: Mapping[str, str]) -> dict[str, str]:
        return {
            **environment(),
            "GIT_PROJECT_ROOT": str(self.repository.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{self.repository.name}/{what}",
            "REQUEST_METHOD": scope["method"],
            "QUERY_STRING": scope.get("query_string", b"").decode("latin-1"),
            "CONTENT_TYPE": headers.get("content-type", ""),
            "HTTP_GIT_PROTOCOL": headers.get("git-protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
            REFUSAL_VARIABLE: self.refusal,
            CHANGES_VARIABLE: str(self.changes),
        }

    @staticmethod
    async def _pass_on(process: Process, send: Any) -> None:
        output: Any = process.stdout
        status, headers = 200, []
        while line := (await output.readline()).rstrip(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"status":
                status = int(value.split()[0])
            else:
                headers.append((name.lower(), value.strip()))
        if not headers:
            status, headers = _BAD_GATEWAY, [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        while chunk := await output.read(_CHUNK):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _feed(process: Process, body: AsyncIterator[bytes]) -> None:
    """Give the program what comes; what it does not read any more is read all the same, so that the client goes on.

    Where the body breaks off, the program's input ends, and git says what is missing.
    """
    given: Any = process.stdin
    alive = True
    with suppress(MalformedError):
        async for chunk in body:
            if alive:
                try:
                    given.write(chunk)
                    await given.drain()
                except (BrokenPipeError, ConnectionResetError):
                    alive = False
    given.close()
