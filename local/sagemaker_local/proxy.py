"""AWS's host names, for programs that ask by them whatever endpoint they are told: an HTTPS proxy on 127.0.0.1.

A program that has `HTTPS_PROXY` and `AWS_CA_BUNDLE` asks it to CONNECT to a name, and speaks TLS with what it takes for
AWS; what it says goes to the cloud as it is, so that its signature holds. Other hosts are not reached.
"""

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

from sagemaker_local import certificates

_SUFFIX = ".amazonaws.com"
_CHUNK = 65_536
# Names of two labels below the region, besides buckets.
_BELOW = ("execute-api", "s3", "sagemaker", "sagemaker-featurestore-runtime", "api.sagemaker", "runtime.sagemaker")


def names(region: str) -> list[str]:
    """Return the names, with wildcards, under which services of a region are asked."""
    return [
        "*.amazonaws.com",
        "*.s3.amazonaws.com",
        f"*.{region}.amazonaws.com",
        *(f"*.{name}.{region}.amazonaws.com" for name in _BELOW),
        *(f"{name}.{region}.amazonaws.com" for name in _BELOW),
    ]


class Proxy:
    """The proxy of a cloud; `carries` tells the cloud which of its connections come through it."""

    def __init__(self, cloud_port: int, authority_file: Path, region: str) -> None:
        self._cloud_port = cloud_port
        self._context = certificates.context(authority_file, names(region))
        self._ports: set[int] = set()

    def carries(self, client: Any) -> bool:
        """Tell whether the address that a connection came from is one of the proxy's own."""
        return bool(client) and client[0] == "127.0.0.1" and client[1] in self._ports

    async def listen(self, port: int) -> asyncio.Server:
        """Answer on a port of 127.0.0.1."""
        return await asyncio.start_server(self._accept, "127.0.0.1", port)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            if await _connects(reader, writer):
                await writer.start_tls(self._context)
                await self._carry(reader, writer)
        writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._cloud_port)
        own = back.get_extra_info("sockname")[1]
        self._ports.add(own)
        try:
            await asyncio.gather(_pump(reader, back), _pump(there, writer))
        finally:
            self._ports.discard(own)
            back.close()


async def _connects(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Read a CONNECT and answer it; False for what is none, or names another host than one of AWS."""
    head = await reader.readuntil(b"\r\n\r\n")
    method, _, rest = head.decode("latin-1").partition(" ")
    host, _, port = rest.partition(" ")[0].rpartition(":")
    taken = method == "CONNECT" and host.endswith(_SUFFIX) and port == "443"
    sentence = "this proxy reaches names of AWS only, by CONNECT to port 443\n"
    refusal = f"HTTP/1.1 403 Forbidden\r\ncontent-length: {len(sentence)}\r\nconnection: close\r\n\r\n{sentence}"
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n" if taken else refusal.encode())
    await writer.drain()
    return taken


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Write what is read until one side ends; then the other side is told."""
    with suppress(OSError, ssl.SSLError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()
