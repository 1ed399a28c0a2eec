"""A webhook tells of a push: it is checked, written down once, and handed on to whoever builds.

What a request says is believed only once its signature holds, and read only then.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, NamedTuple

from signalbox import plain
from signalbox.aws.errors import ServiceBusyError
from signalbox.code_events import BranchTold
from signalbox.observability import count, logger
from signalbox.pushes import signatures
from signalbox.pushes.hook_model import HookRefusedError, HookRequest, HookResponse, RefMoved, answered
from signalbox.pushes.model import Automation
from signalbox.pushes.ports import Deliveries, PushQueue
from signalbox.pushes.providers import PROVIDERS, Provider
from signalbox.reading import Fields

_PROJECT = "[a-z0-9-]{1,30}"
_DELIVERY = r"[A-Za-z0-9{}._:-]{1,200}"
_BRANCH_LIMIT = 1_000  # bytes: a key of DynamoDB has 1,024 at most, and a ref of GitHub 255
_PERSON_LIMIT = 200  # characters of a name or an address
_JSON = "application/json"


class HookPorts(NamedTuple):
    """What receiving needs from outside.

    `automation` returns how a project is built, None where nobody builds it, and `secret` what its webhooks are signed
    with, "" where there is none.
    """

    automation: Callable[[str], Automation | None]
    secret: Callable[[str], str]
    deliveries: Deliveries
    queue: PushQueue
    clock: Callable[[], datetime]


def answer(event: Mapping[str, Any], ports: HookPorts) -> HookResponse:
    """Answer a request, with what was done or with what is wrong with it."""
    request = HookRequest.of(event)
    try:
        return _received(request, ports)
    except HookRefusedError as error:
        status, told = error.status, str(error)
    except ServiceBusyError as error:
        logger.warning("webhook postponed", extra={"reason": str(error)})
        status, told = HTTPStatus.SERVICE_UNAVAILABLE, "AWS is busy: send it again in a minute"
    count("HookRefused")
    logger.warning("webhook refused", extra={"status": status.value, "reason": told})
    return answered(status, told)


def _received(request: HookRequest, ports: HookPorts) -> HookResponse:
    body = request.body()
    automation = ports.automation(request.project) if re.fullmatch(_PROJECT, request.project) else None
    if automation is None or not automation.hooked:
        told = "no project of this name takes webhooks: `signalbox projects create` prints its address"
        raise HookRefusedError(HTTPStatus.NOT_FOUND, told)
    provider = PROVIDERS[automation.provider]
    secret = ports.secret(automation.project)
    if not secret or not provider.signed(secret, request.headers, body):
        told = "the request is not signed with the secret of this project: give the webhook the secret that it has"
        raise HookRefusedError(HTTPStatus.UNAUTHORIZED, told)
    if request.content_type != _JSON:
        told = f"the body is no JSON: choose {_JSON} as the content type of the webhook"
        raise HookRefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, told)
    event = request.headers.get(provider.event, "")
    if event == provider.push:
        return _pushed(request, body, automation, ports)
    logger.info("webhook starts nothing", extra={"project": automation.project, "event": event[:_BRANCH_LIMIT]})
    if event and event == provider.ping:
        return answered(HTTPStatus.OK, "ready")
    count("HookIgnored")
    return answered(HTTPStatus.ACCEPTED, "nothing to do: this is no push")


def _pushed(request: HookRequest, body: bytes, automation: Automation, ports: HookPorts) -> HookResponse:
    """Check what a push says, write it down, and hand its branches on."""
    provider, now = PROVIDERS[automation.provider], ports.clock()
    refs = _refs(body, automation, provider)
    if provider.dated(request.headers) and not signatures.signed_lately(request.headers, now):
        told = "the request was signed more than five minutes ago, or our clocks differ: send it again"
        raise HookRefusedError(HTTPStatus.FORBIDDEN, told)
    delivery = next((request.headers[name] for name in provider.deliveries if request.headers.get(name)), "")
    if not re.fullmatch(_DELIVERY, delivery):
        told = f"the request has no header {provider.deliveries[0]} that names its delivery"
        raise HookRefusedError(HTTPStatus.BAD_REQUEST, told)
    branches = [ref for ref in refs if ref.kind == "branch" and ref.before != ref.after]
    about = {"project": automation.project, "provider": automation.provider, "delivery": delivery}
    if not branches:
        # Tags and other refs do nothing.
        logger.info("ref starts nothing", extra={**about, "refs": [ref.name for ref in refs]})
        count("HookIgnored")
        return answered(HTTPStatus.ACCEPTED, "nothing to do: no branch was pushed")
    first = ports.deliveries.note(automation.project, delivery, now)
    if first is None:
        logger.info("webhook known", extra=about)
        count("HookRepeated")
        return answered(HTTPStatus.OK, "this delivery is known already")
    ports.queue.send([_told(ref, first, delivery, automation) for ref in branches])
    ports.deliveries.sent(automation.project, delivery, now)
    logger.info("webhook taken", extra={**about, "branches": [ref.name for ref in branches]})
    count("HookTaken")
    return answered(HTTPStatus.ACCEPTED, "taken: its branches are looked at")


def _refs(body: bytes, automation: Automation, provider: Provider) -> list[RefMoved]:
    """Return the refs that a push has moved.

    Raises:
        HookRefusedError: it cannot be read, or is of another repository.
    """

    def refuse(problem: str) -> HookRefusedError:
        return HookRefusedError(HTTPStatus.BAD_REQUEST, f"{problem}, in the body of a push")

    try:
        payload = Fields(json.loads(body), refuse)
    except (ValueError, RecursionError):
        raise refuse("this is no JSON") from None
    if automation.repository not in provider.repository(payload):
        told = f"the push is of another repository than {automation.repository}, which this project is built from"
        raise HookRefusedError(HTTPStatus.FORBIDDEN, told)
    refs = list(provider.refs(payload))
    for ref in refs:
        try:
            size = len(ref.name.encode())
        except UnicodeEncodeError:
            raise refuse("a ref has a name that is no Unicode") from None
        if not 0 < size <= _BRANCH_LIMIT:
            raise refuse(f"a ref has a name of {size:,} bytes, and may have 1 to {_BRANCH_LIMIT:,}")
    return refs


def _told(ref: RefMoved, first: str, delivery: str, automation: Automation) -> BranchTold:
    return BranchTold(
        project=automation.project,
        branch=ref.name,
        before=ref.before or None,
        commit=ref.after or None,
        # One that is written before we were there, or to come, orders nothing.
        at=min(ref.at, first) if ref.at else first,
        by=plain.line(ref.by)[:_PERSON_LIMIT],
        address=plain.line(ref.address)[:_PERSON_LIMIT],
        delivery=delivery,
        provider=automation.provider,
    )
