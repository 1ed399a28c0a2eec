"""The worker goes through the proxy that its environment names, and past it where it is told to, or has to."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.support.connect_proxy import Gate, gate
from tests.support.notebook_cloud import State
from tests.support.notebooks import Instance, described

from signalbox_snapshot import connections
from signalbox_snapshot.credentials import Credentials
from signalbox_snapshot.errors import SnapshotError, UnreachableError
from signalbox_snapshot.signing import Scope
from signalbox_snapshot.transport import Call, Clock, Transport

type Make = Callable[[str], Instance]
NAME = "cloud.invalid"
USER = "ana:p@ss word"


@pytest.fixture(autouse=True)
def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from an environment that names no proxy."""
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@contextmanager
def behind(one: Instance, tmp_path: Path, named: str, **more: str | int) -> Iterator[Gate]:
    """Let an instance reach its cloud by a name that a proxy alone knows; `named` is how it is told of the proxy."""
    authority = tmp_path / "authority.pem"
    with gate(one.url, authority, NAME, str(more.get("password", "")), int(more.get("closed", 0))) as made:
        one.extra = {
            "AWS_ENDPOINT_URL": f"https://{NAME}",
            "SSL_CERT_FILE": str(authority),
            named: f"http://{more.get('user', '')}{made.url}",
        }
        yield made


@pytest.mark.parametrize("named", ["HTTPS_PROXY", "https_proxy"])
def test_what_is_said_to_aws_goes_through_the_proxy_by_connect_alone(
    named: str, instance: Make, tmp_path: Path
) -> None:
    saved = instance("saved")
    (saved.home / "file").write_text("content")
    with behind(saved, tmp_path, named, password=USER, user="ana:p%40ss%20word@") as proxy:
        done = saved.run("backup")

    assert done.returncode == 0, done.stderr
    assert set(proxy.asked) == {("CONNECT", f"{NAME}:443")}


def test_an_address_without_tls_goes_through_the_proxy_of_its_kind(
    state: State, instance: Make, tmp_path: Path
) -> None:
    saved, restored = instance("saved"), instance("restored")
    (saved.home / "file").write_text("content")
    with behind(saved, tmp_path, "http_proxy", password=USER, user="ana:p%40ss%20word@") as proxy:
        restored.extra = saved.extra = {**saved.extra, "AWS_ENDPOINT_URL": f"http://{NAME}"}
        done = saved.run("backup")
        state.tags["backup-snapshot"] = state.tags["snapshot-name"]
        back = restored.run("restore")

    assert (done.returncode, back.returncode) == (0, 0), done.stderr + back.stderr
    assert described(restored.home) == described(saved.home)
    assert all(target.startswith(f"http://{NAME}/") for _, target in proxy.asked)


@pytest.mark.parametrize(
    ("scheme", "more", "said"),
    [
        ("https", {"password": USER}, "407 Proxy Authentication Required"),
        ("http", {"password": USER}, "407 Proxy Authentication Required"),
        ("https", {"closed": 403}, "403 Forbidden"),
    ],
)
def test_a_proxy_that_refuses_is_named_at_once_without_the_password(
    scheme: str, more: dict[str, str | int], said: str, instance: Make, tmp_path: Path
) -> None:
    saved = instance("saved")
    with behind(saved, tmp_path, f"{scheme}_proxy", user="ana:wrong@", **more) as proxy:
        saved.extra = {**saved.extra, "AWS_ENDPOINT_URL": f"{scheme}://{NAME}"}
        done = saved.run("backup")

    assert done.returncode == 1
    assert (
        f"the proxy {proxy.url} does not let the worker through to {NAME}: {said}: look at HTTPS_PROXY" in done.stderr
    )
    assert "wrong" not in done.stderr
    assert len(proxy.asked) <= 3  # the tags are read, and the end is told


def test_a_proxy_that_does_not_answer_is_named_after_the_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"AWS_ACCESS_KEY_ID": "testing", "HTTPS_PROXY": "127.0.0.1:9"}.items():
        monkeypatch.setenv(name, value)
    call = Call("GET", f"https://{NAME}", "/", Scope("eu-west-1", "s3"))

    with pytest.raises(UnreachableError, match=r"through the proxy 127\.0\.0\.1:9 of the environment$") as told:
        Transport(Credentials(), Clock(), attempts=2, pause=0.001).send(call)

    assert str(told.value).startswith(f"{NAME} did not answer in 2 attempts: ConnectionRefusedError")


def test_what_no_proxy_names_is_reached_straight(instance: Make) -> None:
    saved = instance("saved")
    (saved.home / "file").write_text("content")
    saved.extra = {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "example.com,127.0.0.1"}

    assert saved.run("backup").returncode == 0


@pytest.mark.parametrize("host", ["169.254.169.254", "169.254.170.2:80"])
def test_the_metadata_service_and_a_containers_keys_are_never_behind_a_proxy(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    assert connections.proxy(f"http://{host}") is None
    assert connections.proxy(f"http://{NAME}") == connections.Proxy("127.0.0.1", 9, {})


class _Keys(BaseHTTPRequestHandler):
    """A container's endpoint of keys."""

    def do_GET(self) -> None:
        keys = {"AccessKeyId": "lent", "SecretAccessKey": "s", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(keys).encode())

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the name is the library's
        """Say nothing."""


def test_keys_are_fetched_straight_whatever_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Keys)
    threading.Thread(target=server.handle_request, daemon=True).start()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{server.server_address[1]}/keys")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    assert Credentials().keys().key == "lent"

    server.server_close()


@pytest.mark.parametrize("named", ["https://proxy:1", "http://ana:secret@proxy:port", "socks5://proxy:1", "http://"])
def test_what_is_no_proxy_is_said_without_the_password(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", named)

    with pytest.raises(SnapshotError, match=r"^HTTPS_PROXY names no proxy by http://$") as told:
        connections.way(f"https://{NAME}")

    assert "secret" not in told.value.advice
