"""What becomes of mails under a configuration set: ministack 1.5.33 sends them under any, and counts nothing.

What AWS does is from the SES API reference v2, SendEmail (an unknown set is a `NotFoundException`), and from the Amazon
SES Developer Guide: "Using the mailbox simulator manually" (its addresses bounce or complain), "Set up a CloudWatch
event destination" (the namespace AWS/SES; a dimension has the value of the mail's tag, else the default).
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sagemaker_local.ministack import count_metric, mails

_SIMULATOR = "simulator.amazonses.com"
# Event type and metric of each address of the simulator that is told as an event; `success` and `ooto` arrive.
_EVENTS = {
    "bounce": ("BOUNCE", "Bounce"),
    "suppressionlist": ("BOUNCE", "Bounce"),
    "complaint": ("COMPLAINT", "Complaint"),
}


def count_what_becomes_of_mails() -> None:
    """Gap: SES sends under a configuration set that does not exist, and tells no event destination of anything."""
    original = mails.handle_request

    async def handle(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        request = _sent(method, path, body)
        name = request.get("ConfigurationSetName")
        if name and name not in mails._config_sets:
            return mails._missing_config_set(name)
        answer = await original(method, path, headers, body, query)
        if name and answer[0] == 200:  # noqa: PLR2004  # HTTP's own number
            for metric, dimensions in _counted(name, request):
                count_metric("AWS/SES", metric, dimensions)
        return answer

    mails.handle_request = handle


def _sent(method: str, path: str, body: bytes) -> Mapping[str, Any]:
    """Return a request to SendEmail; an empty one for every other."""
    if (method, path.rstrip("/")) != ("POST", "/v2/email/outbound-emails"):
        return {}
    found = json.loads(body or b"{}")
    return found if isinstance(found, dict) else {}


def _counted(name: str, request: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield metric and dimensions of each event that a configuration set is told of."""
    tags = {tag["Name"]: tag["Value"] for tag in request.get("EmailTags", [])}
    destinations = (mails._config_sets[name].get("EventDestinations") or {}).values()
    receivers = request.get("Destination", {}).get("ToAddresses", [])
    for kind, metric in [_EVENTS[local] for local in map(_simulated, receivers) if local in _EVENTS]:
        for destination in destinations:
            if destination["Enabled"] and kind in destination["MatchingEventTypes"]:
                dimensions = destination.get("CloudWatchDestination", {}).get("DimensionConfigurations", [])
                yield (
                    metric,
                    {
                        one["DimensionName"]: tags.get(one["DimensionName"], one["DefaultDimensionValue"])
                        for one in dimensions
                    },
                )


def _simulated(address: str) -> str:
    local, _, domain = address.partition("@")
    return local.partition("+")[0] if domain == _SIMULATOR else ""
