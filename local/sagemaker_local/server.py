"""The process of the local cloud: ministack, SageMaker and CloudTrail behind one port of 127.0.0.1."""

import argparse
import asyncio
import json
import logging
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagemaker_local import door
from sagemaker_local.runtime import guard, namespaces

if TYPE_CHECKING:
    from sagemaker_local.codebuild.service import CodeBuild
    from sagemaker_local.core.cloud import Timing
    from sagemaker_local.proxy import Proxy
    from sagemaker_local.sagemaker.service import Service

ACCOUNT = "123456789012"
REGION = "us-east-1"
# By this variable the process that starts a cloud tells it the secret of the account's owner.
KEY_VARIABLE = "SAGEMAKER_LOCAL_SECRET"
# All of the environment of the person's shell that reaches the cloud and what it starts: where programs are, how texts
# are written and what time it is. Keys, tokens and addresses stay outside.
_INHERITED = ("PATH", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "PYTHONPATH", "LOG_LEVEL", KEY_VARIABLE)
# The certificate, in the cloud's folder, of whom programs have to trust under AWS's names.
AUTHORITY = "aws-names.pem"
_SECRET_BYTES = 30
_PUBLIC = "/public"
_REPOSITORIES = "/v1/repos/"  # no bucket has so short a name


def credentials(secret: str) -> dict[str, str]:
    """Return the variables by which programs act as the account's owner: 12 digits are its root's key in ministack.

    The owner has no session: a token that the person's shell has belongs to another key.
    """
    return {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": ""}


def new_secret() -> str:
    """Return a secret of the account's owner that nobody knows."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what of a shell's environment the cloud and its functions may see."""
    return {name: environment[name] for name in _INHERITED if name in environment}


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def prepare(port: int, folder: Path) -> None:
    """Set what ministack reads at import: IAM on, everything that opens other ports off.

    Call it before anything of ministack is imported. Functions inherit this environment, so nothing else stays in it.
    """
    kept = inherited(os.environ)
    secret = kept.pop(KEY_VARIABLE, "") or new_secret()
    # No engine is looked for (DOCKER_HOST below says so too): its library need not be loaded.
    sys.modules["docker"] = None  # type: ignore[assignment]  # how an import is refused
    os.environ.clear()
    os.environ.update(
        kept,
        **credentials(secret),
        HOME=str(folder),
        AUTH="true",
        GATEWAY_PORT=str(port),
        MINISTACK_HOST="127.0.0.1",
        MINISTACK_ACCOUNT_ID=ACCOUNT,
        MINISTACK_REGION=REGION,
        AWS_REGION=REGION,
        AWS_DEFAULT_REGION=REGION,
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}",
        LAMBDA_EXECUTOR="local",
        LOG_LEVEL=kept.get("LOG_LEVEL", "WARNING"),
        SFTP_ENABLED="0",
        IOT_MTLS_ENABLED="0",
        DOCKER_HOST="unix:///nonexistent",  # no engine is looked for
        TMPDIR=str(folder),
    )


def build(
    port: int,
    folder: Path,
    containers: Path,
    repeat_events: float,
    timing: "Timing",
    proxy: "Proxy | None" = None,
) -> Any:
    """Put the cloud together and return its ASGI application."""
    # They read the environment that `prepare` sets.
    from sagemaker_local import images, ministack, ministack_images, ministack_patches, ministack_trails  # noqa: PLC0415
    from sagemaker_local.access import RoleAccess, root_client  # noqa: PLC0415
    from sagemaker_local.cloudtrail import Trails, read_call  # noqa: PLC0415
    from sagemaker_local.codecommit.attach import CodeCommit  # noqa: PLC0415
    from sagemaker_local.core.cloud import Cloud  # noqa: PLC0415
    from sagemaker_local.ecr import Layers  # noqa: PLC0415
    from sagemaker_local.events import BusEvents  # noqa: PLC0415
    from sagemaker_local.integrations import Integrations  # noqa: PLC0415
    from sagemaker_local.regions import Regions, attach, attach_codebuild  # noqa: PLC0415
    from sagemaker_local.stack_types import add_stack_types  # noqa: PLC0415

    endpoint = f"http://127.0.0.1:{port}"
    access = RoleAccess(endpoint, REGION)

    def service_of(region: str) -> "Service":
        from sagemaker_local.sagemaker.service import Service  # noqa: PLC0415  # a third of the start

        return Service(cloud_of(region))

    def codebuild_of(region: str) -> "CodeBuild":
        from sagemaker_local.codebuild.service import CodeBuild  # noqa: PLC0415  # most clouds build nothing

        return CodeBuild(cloud_of(region, "aws.codebuild"))

    def cloud_of(region: str, source: str = "aws.sagemaker") -> Cloud:
        # The first job does not wait for the answer.
        threading.Thread(target=_try_namespaces, daemon=True).start()
        mine, events = RoleAccess(endpoint, region), BusEvents(ACCOUNT, region, repeat_events, source=source)
        as_root = partial(root_client, endpoint, region)
        return Cloud(ACCOUNT, region, endpoint, folder, containers, mine, events, as_root, timing)

    services = (Regions(service_of), Regions(codebuild_of))
    ministack.record_calls()
    attach(services[0])
    attach_codebuild(services[1])
    layers = Layers(folder / "ecr")
    ministack_images.keep_images(layers, endpoint)
    images.ask_first(partial(ministack_images.registered, layers))
    ministack_patches.apply(Integrations(partial(RoleAccess, endpoint), ACCOUNT), containers, repeat_events)
    told = partial(BusEvents, ACCOUNT, repeat=repeat_events, source="aws.codecommit")
    codecommit = CodeCommit(ACCOUNT, REGION, folder, partial(RoleAccess, endpoint), told)
    codecommit.attach()
    add_stack_types(access, codecommit, REGION)
    trails = Trails(ACCOUNT, REGION)
    by_stack = ("AWS::CloudTrail::Trail", trails.create, trails.update, trails.delete)
    ministack.when_stacks_are_asked_for(partial(ministack.add_resource_type, *by_stack))
    ministack_trails.before_trails(trails.check)

    def record(request: ministack.S3Request, status: int, version: str | None, principal: str) -> None:
        call = read_call(request, status, version)
        if call:
            trails.record(call, principal)

    ministack.after_s3(record)
    return Gateway(*services, proxy=proxy, layer=layers.linked, git=codecommit.serve_git)


def _try_namespaces() -> None:
    """Find out whether programs get namespaces of their own here, and say in the log if they do not."""
    refusal = namespaces.refusal()
    if refusal is not None:
        logging.getLogger("sagemaker_local").warning(
            "programs run beside each other, with paths rewritten: %s", refusal
        )


class Gateway:
    """The outermost application: the inbox, the record of calls, the public address; everything else is the cloud's."""

    def __init__(
        self,
        *services: Any,
        proxy: "Proxy | None" = None,
        layer: Callable[[str], bytes | None] = lambda _: None,
        git: Any = None,
    ) -> None:
        """Stand before a cloud; `layer` knows the layers of images by the secrets in their addresses."""
        self._services = services
        self._layer = layer
        self._proxy = proxy
        self._git = git

    def close(self) -> None:
        """End what runs: model servers and builds."""
        for service in self._services:
            service.close()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer, or pass on."""
        from sagemaker_local import ministack  # noqa: PLC0415

        if scope["type"] == "lifespan":
            await ministack.asgi(scope, receive, send)
            return
        path = scope["path"]
        api = door.api_of(scope["headers"], REGION, ministack.api_ids())
        carried = self._is_carried(scope)
        public = api is not None or (path.startswith(f"{_PUBLIC}/") and not carried)
        refused = door.refusal(scope["headers"], public=public, named=carried or api is not None)
        if refused:
            await _refuse(scope["type"], send, refused)
            return
        send = door.without_leave(send)
        if self._git and api is None and scope["type"] == "http" and path.startswith(_REPOSITORIES):
            await self._serve_git(scope, receive, send)
            return
        # The raw path stays in both, because it is what the caller signed.
        if api is not None:
            scope = {**scope, "path": f"/_aws/execute-api/{api}{path}"}
        elif path.startswith("/_local/") and not carried:
            await _answer(send, *self._own(path))
            return
        elif public and ministack.http_api_ids():
            # As a custom domain would: the rest of the path goes to the API's default stage.
            scope = {**scope, "path": f"/_aws/execute-api/{ministack.http_api_ids()[0]}/$default{path[len(_PUBLIC) :]}"}
        else:
            # The buckets' policies demand TLS. Here TLS would end before this process, as behind any load balancer.
            scope = {**scope, "headers": [*scope["headers"], (b"x-forwarded-proto", b"https")]}
        await ministack.asgi(scope, receive, send)

    async def _serve_git(self, scope: Any, receive: Any, send: Any) -> None:
        """Let git in, and no browser: that would ask a person for a password."""
        if door.is_of_a_browser(scope["headers"]):
            await _refuse("http", send, "the address of a repository is for git")
            return
        await self._git(scope, receive, send)

    def _is_carried(self, scope: Any) -> bool:
        """Tell whether a request came through the proxy, under a name of AWS."""
        return self._proxy is not None and self._proxy.carries(scope.get("client")) and door.names_aws(scope["headers"])

    def _own(self, path: str) -> tuple[int, str, bytes]:
        from sagemaker_local import inbox, ministack  # noqa: PLC0415

        ministack.use_scope(ACCOUNT, REGION)
        mails = ministack.sent_mails()
        if path == "/_local/health":
            return 200, "text/plain", f"ready {os.getpid()}".encode()
        if path == "/_local/calls":
            return 200, "application/json", json.dumps([asdict(call) for call in ministack.call_record.all()]).encode()
        if path == "/_local/mails":
            return 200, "application/json", json.dumps(mails, default=str).encode()
        if path == "/_local/inbox":
            return 200, "text/html; charset=utf-8", inbox.page(mails).encode()
        number = path.removeprefix("/_local/inbox/")
        if number.isdigit() and int(number) < len(mails):
            return 200, "text/html; charset=utf-8", inbox.html(mails[int(number)]).encode()
        return self._of_a_layer(path.removeprefix("/_local/layers/"))

    def _of_a_layer(self, secret: str) -> tuple[int, str, bytes]:
        layer = self._layer(secret)
        if layer is None:
            return 404, "text/plain", b"there is no such page; try /_local/inbox"
        return 200, "application/octet-stream", layer


async def _refuse(kind: str, send: Any, sentence: str) -> None:
    if kind == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await _answer(send, 403, "text/plain; charset=utf-8", f"{sentence}\n".encode())


async def _answer(send: Any, status: int, content_type: str, body: bytes) -> None:
    headers = [(b"content-type", content_type.encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    """Serve until SIGTERM or SIGINT; leave no process behind."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=0, help="0 takes a free one")
    options.add_argument("--folder", type=Path, required=True, help="where jobs, servers and logs are kept")
    options.add_argument("--containers", type=Path, help="the folder of one's own images; default: <folder>/containers")
    options.add_argument("--repeat-events", type=float, default=0.0, help="share of events that are sent twice")
    options.add_argument("--startup-seconds", type=float, default=60.0, help="what a model server has to answer /ping")
    options.add_argument("--build-minute", type=float, default=60.0, help="seconds of a minute of a build's limit")
    options.add_argument("--script-seconds", type=float, default=300.0, help="what a lifecycle script may take")
    options.add_argument(
        "--credential-seconds", type=float, default=21_600.0, help="of a notebook instance's or app's role"
    )
    options.add_argument("--proxy-port", type=int, help="answer AWS's host names by an HTTPS proxy on this port")
    options.add_argument("--follow", action="store_true", help="end when standard input is closed")
    chosen = options.parse_args()
    port = chosen.port or free_port()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    prepare(port, chosen.folder.resolve())
    logging.basicConfig(level=logging.WARNING)
    if os.getpgrp() == os.getpid():  # the functions' processes are of this group: none outlives the cloud
        guard.watch(os.getpid())
    folder = chosen.folder.resolve()
    containers = (chosen.containers or folder / "containers").resolve()
    proxy = _proxy(port, folder) if chosen.proxy_port else None
    application = build(port, folder, containers, chosen.repeat_events, _timing(chosen), proxy)
    listen = partial(proxy.listen, chosen.proxy_port) if proxy else None
    asyncio.run(_serve(application, port, listen, follow=chosen.follow))


def _timing(chosen: argparse.Namespace) -> "Timing":
    from sagemaker_local.core.cloud import Timing  # noqa: PLC0415  # not before the environment is prepared

    return Timing(
        startup_seconds=chosen.startup_seconds,
        build_minute=chosen.build_minute,
        script_seconds=chosen.script_seconds,
        credential_seconds=chosen.credential_seconds,
    )


def _proxy(port: int, folder: Path) -> "Proxy":
    from sagemaker_local.proxy import Proxy  # noqa: PLC0415  # it takes a library that is needed for nothing else

    return Proxy(port, folder / AUTHORITY, REGION)


def _end_with_starter(end: Callable[[], object]) -> None:
    """Call `end` when standard input is closed: whoever started the cloud is gone, however it ended."""
    sys.stdin.buffer.read()
    end()


async def _serve(application: Any, port: int, listen: Callable[[], Awaitable[object]] | None, *, follow: bool) -> None:
    from hypercorn.asyncio import serve  # noqa: PLC0415
    from hypercorn.config import Config  # noqa: PLC0415

    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.graceful_timeout = 1.0
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if follow:
        threading.Thread(
            target=_end_with_starter, args=(lambda: loop.call_soon_threadsafe(stop.set),), daemon=True
        ).start()
    if listen:
        await listen()
    await serve(application, config, shutdown_trigger=stop.wait)
    application.close()
    os._exit(0)  # ministack's own threads would keep the process


if __name__ == "__main__":
    main()
