"""One request to a model's server, which may answer without end or a byte at a time."""

from __future__ import annotations

import http.client
import socket
import time
from typing import TYPE_CHECKING

from sagemaker_local.runtime.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sagemaker_local.runtime.process import Program

MOST_BYTES = 100 * 1024 * 1024
"""Bytes of an answer that are taken: the most that any payload may have (API reference, CreateTransformJob)."""
_CHUNK = 256 * 1024


def ask(
    program: Program,
    port: int,
    method: str,
    path: str,
    body: bytes | None,
    headers: Mapping[str, str],
    timeout: float,
) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers by lower-case name and body of the answer to one request.

    Raises:
        TimeoutError: the whole answer was not there within `timeout` seconds.
        OSError: nobody answers.
        http.client.HTTPException: the answer is none, or has more than 100 MB.
    """
    deadline = time.monotonic() + timeout
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=timeout)
    try:
        connection.sock = reached = program.connect(port, timeout)
        reached.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.request(method, path, body=body, headers=dict(headers))
        response = connection.getresponse()
        answer = _whole(response, reached, deadline)
        return response.status, {name.lower(): value for name, value in response.getheaders()}, answer
    finally:
        connection.close()


def _whole(response: http.client.HTTPResponse, reached: socket.socket, deadline: float) -> bytes:
    """Return the body of an answer; a time-out of the socket alone would begin anew with each byte."""
    parts: list[bytes] = []
    size = 0
    while part := response.read1(_CHUNK):
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise http.client.HTTPException(f"its answer has more than {MOST_BYTES:,} bytes")
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if reached.fileno() >= 0:  # it is closed once the last byte was read
            reached.settimeout(left)
    return b"".join(parts)
