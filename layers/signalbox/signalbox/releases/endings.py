"""How a release left the world when it ended: read anew, because other releases go on meanwhile."""

from signalbox import names
from signalbox.aws.errors import CallRefusedError
from signalbox.contracts.common import StageServing
from signalbox.contracts.releases import RegistryChange, ReleaseProgress, ReleaseStep
from signalbox.releases import rules
from signalbox.releases.model import Request
from signalbox.releases.ports import ReleasePorts
from signalbox.stages import StagesDocumentError

# What tells of an ending.
STEPS = frozenset[ReleaseStep](("announce", "done"))
# An endpoint of any other status answers with what its config says (API reference, EndpointStatus).
_SERVES_NOTHING = frozenset(("Creating", "Failed", "OutOfService", "Deleting"))


def look(request: Request, progress: ReleaseProgress, ports: ReleasePorts) -> None:
    """Take down what every stage serves, and what the registry says of the package for which the release ended.

    What cannot be read is left out: an ending is told all the same.
    """
    progress["serving"] = []
    if not request.model:
        return
    try:
        known = [stage.name for stage in ports.stages().stages]
        progress["removed"] = [name for name in _touched(progress) if name not in known]
        stages = (*known, *progress["removed"])
        progress["serving"] = [_serving(request.model, stage, ports) for stage in stages]
        progress["change"] = _change(request, progress, ports)
    except (StagesDocumentError, CallRefusedError):
        return


def live(request: Request, ports: ReleasePorts) -> StageServing:
    """Return what the last stage serves now, what models are compared with when they are tested, and its commit."""
    found = _serving(request.model, ports.stages().last.name, ports)
    return {**found, "commit": _commit(found["package"], ports)}


def _commit(package: str | None, ports: ReleasePorts) -> str:
    """Return the commit of a package, "" where it has none, or cannot be read: people are asked all the same."""
    try:
        known = ports.packages.find(package) if package else None
    except CallRefusedError:
        return ""
    return (known.commit if known else None) or ""


def _touched(progress: ReleaseProgress) -> list[str]:
    """Return the names of the stages that this release moved or stopped at, or that people were asked about."""
    names_of = (*(one["stage"] for one in progress["stages"]), *progress["reviewed"], progress["stage"])
    return list(dict.fromkeys(name for name in names_of if name))


def _serving(model: str, stage: str, ports: ReleasePorts) -> StageServing:
    name = names.endpoint(ports.prefix, model, stage)
    endpoint = ports.endpoints.find(name)
    if endpoint is None or endpoint.status in _SERVES_NOTHING:
        return {"stage": stage, "endpoint": name, "status": endpoint.status if endpoint else "", "package": None}
    package = ports.endpoints.package_of(endpoint.config)
    return {"stage": stage, "endpoint": name, "status": endpoint.status, "package": package}


def _change(request: Request, progress: ReleaseProgress, ports: ReleasePorts) -> RegistryChange | None:
    """Return the change for which the release ended: of the newer package, where there is one, else of its own."""
    newer = ports.store.desired(request.model) if progress["verdict"] == "superseded" else None
    package = ports.packages.find(newer.package if newer else request.package)
    return rules.change_of(package) if package else None
