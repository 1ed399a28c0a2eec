"""A small world for the release rules: a registry, endpoints that take time to move, and the releases table.

The fakes keep to what the services do: an endpoint that moves refuses a second update, a failed one can only be
deleted. `World.execution` does what the release machine does, one step at a time, so that several can interleave.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

from signalbox.releases import errors, verify
from signalbox.releases.planning import plan, plan_put_back
from signalbox.releases.ports import Answer, Endpoint, Outside, Package, Served, Setup, Wish
from signalbox.releases.verification import Checks
from signalbox.stages import Stage, StagesDocument

PREFIX = "signalbox"
MODEL = "abalone"
GROUP = "signalbox-abalone"
ROLE = "arn:aws:iam::123456789012:role/model"
SETUP = Setup(PREFIX, ROLE)
STAGES = StagesDocument((Stage("staging", "ml.m5.large", 1), Stage("prod", "ml.m5.large", 2, approval=True)))
PATIENCE = 60


def arn(version: int) -> str:
    """Return the ARN of a version of the group."""
    return f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{GROUP}/{version}"


class RegistryFake:
    """A registry in a dictionary; versions are as old as their number says."""

    def __init__(self) -> None:
        self.packages: dict[str, Package] = {}

    def put(self, version: int, status: str, **kept: str) -> str:
        """Register a version, or change its status."""
        self.packages[arn(version)] = Package(arn(version), status, **kept)
        return arn(version)

    def package(self, arn: str) -> Package | None:
        """See `Registry`."""
        return self.packages.get(arn)

    def approved(self, group: str) -> Sequence[str]:
        """See `Registry`."""
        found = [one.arn for one in self.packages.values() if one.status == "Approved" and f"/{group}/" in one.arn]
        return sorted(found, key=lambda one: -int(one.rsplit("/", 1)[1]))


class EndpointsFake:
    """Endpoints in a dictionary. A move takes as many `tick`s as `slowness` says."""

    def __init__(self) -> None:
        self.found: dict[str, Endpoint] = {}
        self.configs: dict[str, str | None] = {}
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, str, str]] = []
        self._pending: dict[str, tuple[int, str]] = {}
        self.slowness = 1

    def endpoint(self, name: str) -> Endpoint | None:
        """See `Endpoints`."""
        found = self.status(name)
        return replace(found, package=self.package_of_config(found.config)) if found else None

    def status(self, name: str) -> Endpoint | None:
        """See `Endpoints`."""
        return self.found.get(name)

    def package_of_config(self, config: str) -> str | None:
        """See `Endpoints`."""
        return self.configs.get(config)

    def ask(self, name: str, body: str, content_type: str) -> Answer:
        """See `Endpoints`."""
        self.asked.append((name, body, content_type))
        return self.answers.get(body, Answer(body))

    def serve(self, name: str, config: str, package: str | None, status: str = "InService", reason: str = "") -> None:
        """Put an endpoint there as it is."""
        self.configs[config] = package
        self.found[name] = Endpoint(name, status, config, None, reason)

    def deploy(self, name: str, config: str) -> bool:
        """Create or update the endpoint; False if SageMaker refuses it because the endpoint moves."""
        found = self.found.get(name)
        if found is not None and found.status != "InService":
            return False
        status = "Updating" if found else "Creating"
        self.found[name] = Endpoint(name, status, found.config if found else config)
        self._pending[name] = (self.slowness, config)
        return True

    def delete(self, name: str) -> None:
        """Delete the endpoint at once."""
        self.found.pop(name, None)
        self._pending.pop(name, None)

    def tick(self) -> None:
        """Let some time go by."""
        for name, (left, config) in list(self._pending.items()):
            if left > 1:
                self._pending[name] = (left - 1, config)
            else:
                del self._pending[name]
                self.found[name] = Endpoint(name, "InService", config)


class LedgerFake:
    """The releases table in memory."""

    def __init__(self) -> None:
        self.wishes: dict[str, Wish] = {}
        self.records: list[tuple[str, str, Served]] = []

    def want(self, model: str, wish: Wish) -> None:
        """See `Ledger`."""
        held = self.wishes.get(model)
        if held is None or (held.requested_at, held.execution) <= (wish.requested_at, wish.execution):
            self.wishes[model] = wish

    def wanted(self, model: str) -> Wish | None:
        """See `Ledger`."""
        return self.wishes.get(model)

    def released(self, model: str, stage: str) -> Sequence[Served]:
        """See `Ledger`."""
        return [served for of_model, of_stage, served in self.records if (of_model, of_stage) == (model, stage)]

    def record(self, model: str, stage: str, served: Served) -> None:
        """Write what the machine writes after a verified release."""
        self.records.append((model, stage, served))


class FilesFake:
    """Golden files in a dictionary."""

    def __init__(self, **files: str) -> None:
        self.files = files

    def read(self, uri: str) -> str:
        """See `GoldenFiles`."""
        return self.files[uri]


class World:
    """Everything together, and the machine's way through it."""

    def __init__(self, stages: StagesDocument = STAGES) -> None:
        self.stages = stages
        self.registry = RegistryFake()
        self.endpoints = EndpointsFake()
        self.ledger = LedgerFake()
        self.outside = Outside(self.registry, self.endpoints, self.ledger)
        self.failed: set[str] = set()
        # Whether time goes by between a plan and what is done about it: SageMaker's calls know no condition.
        self.stalls = False
        self.checks = Checks(self.registry, self.endpoints, FilesFake())

    def plan(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Return the plan of a stage; it never deploys what is not approved."""
        answer = plan(payload, self.stages, self.outside, SETUP)
        if answer["action"] in ("create", "update", "review", "verify"):
            assert self.registry.packages[answer["package"]].status == "Approved"
        return answer

    def live(self, stage: str) -> str | None:
        """Return the package that a stage serves."""
        found = self.endpoints.endpoint(f"{PREFIX}-{MODEL}-{stage}")
        return found.package if found else None

    def execution(self, because: str, version: int, at: str, name: str) -> Iterator[str]:
        """Do what the release machine does, and yield after every step; the last one is the end."""
        payload: dict[str, Any] = question(because, version, at, name)
        for _ in range(PATIENCE):
            answer = self.plan(payload)
            if self.stalls:
                yield answer["action"]
            if answer["action"] in ("done", "superseded", "withdrawn"):
                return
            if answer["action"] == "review":
                payload["reviewed"].append(answer["stage"])
            elif answer["action"] == "delete":
                self.endpoints.delete(answer["endpoint"])
                payload["deleted"].append(answer["stage"])
            elif answer["action"] in ("none", "torn-down"):
                payload["stage_index"] += 1
            elif answer["action"] in ("create", "update", "verify"):
                outcome = yield from self._deploy(answer, payload)
                if outcome == "failed":
                    self.failed.add(name)
                    return
                if outcome == "released":
                    payload["stage_index"] = answer["stage_index"] + 1
            yield "acted"
        raise AssertionError(f"{name} does not come to an end")

    def _deploy(self, answer: dict[str, Any], payload: dict[str, Any]) -> Generator[str, None, str]:
        """Deploy and verify."""
        name, config = answer["endpoint"], answer["names"]["config"]
        if answer["action"] != "verify":
            self.endpoints.configs[config] = answer["package"]
            if not self.endpoints.deploy(name, config):
                return "refused"
            while self._moving(name):
                yield "moving"
        wanted = {"endpoint": name, "config": config, "package": answer["package"], "golden": None}
        try:
            verify(wanted, self.checks)
        except (errors.PackageWithdrawnError, errors.RolledBackError, errors.EndpointNotInServiceError):
            return (yield from self._put_back(answer, payload))
        self.ledger.record(MODEL, answer["stage"], Served(answer["package"], config))
        return "released"

    def _put_back(self, answer: dict[str, Any], payload: dict[str, Any]) -> Generator[str, None, str]:
        for _ in range(PATIENCE):
            back = plan_put_back(payload | {"failed": answer}, self.outside)
            if self.stalls:
                yield f"back: {back['action']}"
            if back["action"] == "update":
                self.endpoints.deploy(back["endpoint"], back["config"])
            elif back["action"] == "delete":
                self.endpoints.delete(back["endpoint"])
            elif back["action"] != "wait":
                return "again" if back["action"] == "again" else "failed"
            yield "put back"
        raise AssertionError(f"{answer['endpoint']} is never put back")

    def _moving(self, name: str) -> bool:
        found = self.endpoints.status(name)
        return found is not None and found.status in ("Creating", "Updating")


def question(because: str, version: int, at: str, name: str, **more: Any) -> dict[str, Any]:
    """Return the payload of the machine's first question."""
    machine_input = {"model": MODEL, "package": arn(version), "because": because, "requested_at": at}
    return {
        "execution": name,
        "started": "2026-11-20T10:00:00.000Z",
        "input": machine_input,
        "stage_index": 0,
        "reviewed": [],
        "deleted": [],
    } | more
