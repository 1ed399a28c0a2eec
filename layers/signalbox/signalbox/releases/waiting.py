"""Waiting for an endpoint: as long as a deployment may take, a little longer from one wait to the next."""

from signalbox.contracts.common import AwsRequest
from signalbox.contracts.releases import ReleaseProgress
from signalbox.observability import measure
from signalbox.releases import actions, tracking
from signalbox.releases.model import BUSY
from signalbox.releases.ports import ReleasePorts


def settle(progress: ReleaseProgress, ports: ReleasePorts) -> AwsRequest | None:
    """Wait until the endpoint has come to rest, as long as a deployment may take; then it is looked at as it is."""
    deployment = tracking.deployment_of(progress)
    endpoint = ports.endpoints.find(deployment["endpoint"])
    busy = endpoint is not None and endpoint.status in BUSY
    if busy and progress["waited"] < deployment["patience_seconds"]:
        return wait(progress, ports)
    if busy and progress["problem"]:
        reason = f"the endpoint is still moving after {progress['waited']} seconds"
        tracking.finish_rollback(progress, "unfinished", reason)
    else:
        del progress["todo"][0]
    return None


def wait(progress: ReleaseProgress, ports: ReleasePorts) -> AwsRequest:
    """Return how long the machine waits next, and take note of it."""
    arguments = actions.wait(progress["waited"], ports.poll_seconds)
    progress["waited"] += arguments["seconds"]
    tracking.ask(progress, "wait")
    if tracking.waits_for_others(progress):
        measure("ReleaseWaiting", progress["waited"])
    return arguments
