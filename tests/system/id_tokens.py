"""Tokens as CI services give them to their runs: what they say is theirs, and a signature they have only in form.

The local cloud reads what a token says and decides by the role's trust; it verifies no signature, and asks no issuer.
"""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

BEARER = "a bearer of this run"
_LIFETIME = 300  # seconds


def token(issuer: str, subject: str, audience: str) -> str:
    """Return a JSON web token of an issuer, which is named without its scheme, about a subject for an audience."""
    now = int(time.time())
    claims = {"iss": f"https://{issuer}", "sub": subject, "aud": audience, "iat": now, "exp": now + _LIFETIME}
    parts = (json.dumps({"alg": "RS256", "typ": "JWT"}), json.dumps(claims), "no signature")
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)


@contextmanager
def server(made: Callable[[str], str]) -> Iterator[str]:
    """Give tokens as GitHub does to whoever has a run's bearer; yield the address, which takes a further `&audience=`.

    `made` returns the token for an audience. (GitHub Docs, "OpenID Connect reference": "Methods for requesting the
    OIDC token".)
    """

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the library calls it so
            audience = parse_qs(urlsplit(self.path).query).get("audience", [])
            if self.headers.get("Authorization") != f"bearer {BEARER}" or len(audience) != 1:
                self.send_error(HTTPStatus.UNAUTHORIZED)
                return
            body = json.dumps({"count": 1, "value": made(audience[0])}).encode()
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}/token?api-version=2.0"
        finally:
            running.shutdown()
            thread.join()
