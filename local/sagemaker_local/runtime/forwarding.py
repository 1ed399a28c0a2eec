"""The way from a program's own network to the cloud: its connections are taken here and led to a port of this machine.

A listening socket belongs to the network in which it was made, whoever accepts on it. So nothing has to run beside the
program; one thread of the cloud serves the listeners of all programs.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine
from functools import cache
from typing import Any

from sagemaker_local.runtime.ports import LOOPBACK

_CHUNK = 64 * 1024


class Forwarding:
    """Leads every connection of a listener to a port of 127.0.0.1, until it is closed."""

    def __init__(self, listener: socket.socket, port: int) -> None:
        self._port = port
        self._server = self._run(asyncio.start_server(self._join, sock=listener))

    def close(self) -> None:
        """Take no more connections, and let go of the program's network. May be called again."""

        async def close() -> None:
            self._server.close()

        self._run(close())

    @staticmethod
    def _run[T](work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, _loop()).result()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            try:
                there_reader, there_writer = await asyncio.open_connection(LOOPBACK, self._port)
            except OSError:
                return
            with contextlib.closing(there_writer):
                await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the end, which is passed on, as a broken connection is too."""
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):  # the other side may be closed already
        writer.write_eof()


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="forwarding", daemon=True).start()
    return loop
