"""Ports of this machine for programs that share its network."""

import socket
import threading

LOOPBACK = "127.0.0.1"
_lock = threading.Lock()
_handed_out: list[int] = []


def free_port() -> int:
    """Return a free port that was not handed out lately: a server takes a moment to bind to its own."""
    with _lock:
        while True:
            with socket.socket() as probe:
                probe.bind((LOOPBACK, 0))
                port: int = probe.getsockname()[1]
            if port not in _handed_out:
                _handed_out.append(port)
                del _handed_out[:-100]
                return port
