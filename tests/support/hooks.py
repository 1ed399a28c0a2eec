"""Requests of webhooks as their providers send them, and a small world that receives them."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from signalbox import moments
from signalbox.aws.errors import ServiceBusyError
from signalbox.code_events import BranchTold
from signalbox.pushes.receiving import HookPorts, answer
from tests.support.pushes import HOOKED, PushClock
from tests.support.samples import http_event

if TYPE_CHECKING:
    from signalbox.pushes.hook_model import HookResponse
    from signalbox.pushes.model import Automation

SECRET = "an example of a secret, which opens nothing"  # the samples are signed with it
SIGNING_TOKEN = f"whsec_{base64.b64encode(bytes(range(32))).decode()}"
PROVIDERS = ("github", "gitlab", "bitbucket")


def digest(body: str, secret: str = SECRET) -> str:
    """Return the signature of GitHub and of Bitbucket."""
    return "sha256=" + hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()


def standard(identity: str, seconds: int, body: str, token: str = SIGNING_TOKEN) -> dict[str, str]:
    """Return the headers by which GitLab signs with a signing token."""
    key = base64.b64decode(token.removeprefix("whsec_"))
    signed = hmac.new(key, f"{identity}.{seconds}.{body}".encode(), hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(signed).decode()}"
    return {"webhook-id": identity, "webhook-timestamp": str(seconds), "webhook-signature": signature}


def request(provider: str, change: Callable[[dict[str, Any]], object] | None = None, **headers: str | None) -> Any:
    """Return a provider's request, with its payload changed and signed anew, and headers replaced or taken out."""
    event = http_event(f"hook-{provider}")
    payload = json.loads(event["body"])
    if change:
        change(payload)
        event["body"] = json.dumps(payload, ensure_ascii=False)
    for name in ("x-hub-signature-256", "x-hub-signature"):
        if name in event["headers"]:
            event["headers"][name] = digest(event["body"])
    for name, value in headers.items():
        event["headers"][name.replace("_", "-")] = value
    event["headers"] = {name: value for name, value in event["headers"].items() if value is not None}
    return event


class MemoryDeliveries:
    """The deliveries of webhooks."""

    def __init__(self) -> None:
        self.first: dict[tuple[str, str], str] = {}
        self.done: set[tuple[str, str]] = set()

    def note(self, project: str, delivery: str, now: Any) -> str | None:
        """Write a delivery down."""
        at = self.first.setdefault((project, delivery), moments.text_of(now))
        return None if (project, delivery) in self.done else at

    def sent(self, project: str, delivery: str, now: Any) -> None:
        """Write down that what a delivery tells is in the queue."""
        self.done.add((project, delivery))


class MemoryPushQueue:
    """The queue of pushes."""

    def __init__(self) -> None:
        self.told: list[BranchTold] = []
        self.busy = False

    def send(self, told: Sequence[BranchTold]) -> None:
        """Send a message about each branch."""
        if self.busy:
            raise ServiceBusyError("sqs:SendMessage", "throttled")
        self.told += told


class HookWorld:
    """A project whose repository is at a provider, and what receives its webhooks."""

    def __init__(self, provider: str = "github", **changes: Any) -> None:
        self.automations: dict[str, Automation] = {"wine": HOOKED._replace(provider=provider, **changes)}
        self.secrets = {"wine": SECRET}
        self.deliveries = MemoryDeliveries()
        self.queue = MemoryPushQueue()
        self.clock = PushClock()

    def receive(self, event: Mapping[str, Any]) -> tuple[int, str]:
        """Return the status and the sentence that a request is answered with."""
        response: HookResponse = answer(event, self.ports())
        return response["statusCode"], json.loads(response["body"])["message"]

    def ports(self) -> HookPorts:
        """Return what receiving works with."""
        return HookPorts(
            automation=self.automations.get,
            secret=lambda project: self.secrets.get(project, ""),
            deliveries=self.deliveries,
            queue=self.queue,
            clock=self.clock,
        )
