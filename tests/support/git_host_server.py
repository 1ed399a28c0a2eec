"""A server for a host of `git_hosts`: it reads requests, lets in, breaks off where the host dies, and runs git."""

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.git_hosts import Answer, HostFake

_GIT = r"/(?P<name>.+)\.git/(?P<what>info/refs|git-upload-pack|git-receive-pack)"


@contextmanager
def served(host: HostFake) -> Iterator[HostFake]:
    """Serve a host on a free port of this machine, and let it know its address."""

    class Handler(BaseHTTPRequestHandler):
        """One request."""

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def handle_one_request(self) -> None:
            """Answer a request of whatever method, or none at all."""
            self.raw_requestline = self.rfile.readline(65537)
            if self.raw_requestline and self.parse_request():
                _answer(host, self)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    host.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()


def _answer(host: HostFake, handler: BaseHTTPRequestHandler) -> None:
    call = f"{handler.command} {handler.path}"
    body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    host.calls.append(call)
    number = len(host.calls)
    if host.dies_at is not None and number > host.dies_at:
        return
    host.before(call)
    found = re.fullmatch(_GIT, handler.path.partition("?")[0])
    refused = next((answer for beginning, answer in host.refusals.items() if call.startswith(beginning)), None)
    open_to_all = found and host.public and "receive-pack" not in call
    if not open_to_all and handler.headers.get("Authorization") != (host.git if found else host.known):
        refused = (401, {"message": "Bad credentials"})
    if refused:
        status, headers, content = _json(refused, host.headers)
    elif found:
        status, headers, content = _git(host, handler, found["name"], body)
    else:
        path = re.sub(r"\?(per_page|pagelen)=100$", "", handler.path)
        status, headers, content = _json(host.api(handler.command, path, json.loads(body or b"{}")), {})
    if host.dies_at == number:
        return
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(content)


def _json(answer: Answer, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    status, told = answer
    return status, headers, b"" if told is None else told if isinstance(told, bytes) else json.dumps(told).encode()


def _git(host: HostFake, handler: BaseHTTPRequestHandler, name: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
    """Run `git http-backend`, a CGI program, for one request."""
    path, _, query = handler.path.partition("?")
    variables = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(host.folder),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "REMOTE_USER": "somebody",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REQUEST_METHOD": handler.command,
        "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding", ""),
        "HTTP_GIT_PROTOCOL": handler.headers.get("Git-Protocol", ""),
    }
    if name not in host.repositories:
        return 404, {}, b""
    done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, check=True, env=variables)
    told, _, content = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in told.decode().split("\r\n"))
    return int(headers.pop("Status", "200").split()[0]), headers, content
