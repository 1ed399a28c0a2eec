"""A small world for releases: a registry, SageMaker's models, configs and endpoints, the releases table, people.

The fakes keep to what the services do: an endpoint that moves refuses a second update, a failed one can only be
deleted, a name exists once. `World.execution` does what the release machine does, one state at a time, so that several
executions can interleave; `World.disturb` lets calls fail, or succeed and lose their answers.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from copy import replace
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from signalbox.aws.model import Endpoint, ModelAnswer, ModelContainer, ModelPackage
from signalbox.aws.objects import StoredObject
from signalbox.aws.table import decoded
from signalbox.contracts.endings import Ending
from signalbox.contracts.releases import (
    LastAnswer,
    ReleaseOutcome,
    ReleasePlan,
    ReleaseQuestion,
    Trigger,
    VerificationQuestion,
)
from signalbox.contracts.reviews import ReviewDecision
from signalbox.contracts.training import ModelContent
from signalbox.releases.model import BUSY, Desired, Served
from signalbox.releases.planning import plan
from signalbox.releases.ports import ReleasePorts
from signalbox.releases.verifying import VerifyingPorts, verify
from signalbox.stages import Stage, StagesDocument

PREFIX = "signalbox"
MODEL = "abalone"
GROUP = "signalbox-abalone"
ROLE = "arn:aws:iam::123456789012:role/model"
TABLE = "releases"
STAGES = StagesDocument((Stage("staging", "ml.m5.large", 1), Stage("prod", "ml.m5.large", 2, approval=True)))
GOLDEN, OLD_GOLDEN = "s3://artifacts/golden.json", "s3://artifacts/old-golden.json"
NO_REQUESTS = '{"problem": "classification", "content_type": "text/csv", "requests": []}'
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
TESTED = StoredObject("v1", "etag", 1_000, datetime(2026, 11, 19, tzinfo=UTC))
STARTED = "2026-11-20T10:00:00.000Z"
NOW = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
# More steps than any execution of these worlds has.
PATIENCE = 400
REFUSED: LastAnswer = {"error": {"Error": "SageMaker.SageMakerException", "Cause": "refused"}}
DONE: LastAnswer = {"result": None}


def arn(version: int) -> str:
    """Return the ARN of a version of the group."""
    return f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{GROUP}/{version}"


def container(version: int) -> ModelContainer:
    """Return the container of a version."""
    data = f"s3://artifacts/packages/v{version}/model.tar.gz"
    return ModelContainer(f"{REGISTRY}/abalone@sha256:{version:064x}", data, {"VERSION": str(version)})


def content(version: int) -> ModelContent:
    """Return what was tested of a version."""
    one = container(version)
    return {
        "image": one.image,
        "source": f"s3://artifacts/training/v{version}/model.tar.gz",
        "source_etag": TESTED.etag,
        "model_data": str(one.model_data),
        "version": TESTED.version,
        "etag": TESTED.etag,
        "environment": dict(one.environment),
        "specification": None,
    }


def report(version: int) -> dict[str, Any]:
    """Return what a release reads of a version's report."""
    return {"package": arn(version), "execution": execution_arn("test"), "content": content(version)}


def report_of(version: int) -> str:
    """Return where a version's report lies."""
    return f"s3://artifacts/evaluations/v{version}/report.json"


def execution_arn(name: str) -> str:
    """Return the ARN of an execution of the release machine."""
    return f"arn:aws:states:us-east-1:123456789012:execution:signalbox-release:{name}"


def question(trigger: Trigger, version: int, at: str, name: str = "run", /, **more: Any) -> ReleaseQuestion:
    """Return the first question of an execution; `more` changes its input."""
    machine_input = {"model": MODEL, "package": arn(version), "trigger": trigger, "requested_at": at} | more
    return {
        "execution": name,
        "execution_arn": execution_arn(name),
        "started": at if at[:19] > STARTED[:19] else STARTED,  # not before what it is started for
        "input": machine_input,
        "progress": None,
        "last": None,
    }


def after(question: ReleaseQuestion, plan: ReleasePlan, last: LastAnswer) -> ReleaseQuestion:
    """Return the question that follows a plan and what came of it."""
    return {**question, "progress": plan["progress"], "last": last}


def failed(error: str, cause: str | None = "a cause") -> LastAnswer:
    """Return the answer of an action that failed; without a cause, as in a timeout, where that is None."""
    return {"error": {"Error": error, "Cause": cause} if cause is not None else {"Error": error}}


class RegistryFake:
    """A registry in a dictionary; versions are as old as their number says."""

    def __init__(self) -> None:
        self.packages: dict[str, ModelPackage] = {}

    def put(self, version: int, status: str, commit: str | None = None, **kept: str) -> str:
        """Register a version, or change its status; `kept` are its properties."""
        properties = {"report": report_of(version)} | kept
        self.packages[arn(version)] = ModelPackage(
            arn(version), status, containers=(container(version),), properties=properties, commit=commit
        )
        return arn(version)

    def find(self, arn: str) -> ModelPackage | None:
        """See `PackageReader`."""
        return self.packages.get(arn)

    def approved(self, group: str) -> Sequence[str]:
        """See `PackageReader`."""
        found = [one.arn for one in self.packages.values() if one.approved and f"/{group}/" in one.arn]
        return sorted(found, key=lambda one: -int(one.rsplit("/", 1)[1]))


class SageMakerFake:
    """Models, configs and endpoints in dictionaries. A move takes as many `tick`s as `slowness` says."""

    def __init__(self) -> None:
        self.models: dict[str, str | None] = {}
        self.configs: dict[str, str] = {}
        self.endpoints: dict[str, Endpoint] = {}
        self.alarms: set[str] = set()
        self.scaled: set[tuple[str, str]] = set()
        self.moves: list[tuple[str, str]] = []
        self._ticks: dict[str, int] = {}
        self.slowness = 1

    def find(self, name: str) -> Endpoint | None:
        """See `EndpointReader`."""
        return self.endpoints.get(name)

    def package_of(self, config: str) -> str | None:
        """See `EndpointReader`."""
        return self.models.get(self.configs.get(config, ""))

    def scaled_out(self, name: str, target: str) -> bool:
        """See `EndpointReader`."""
        return (name, target) in self.scaled

    def has_model(self, name: str) -> bool:
        """See `EndpointReader`."""
        return name in self.models

    def has_config(self, name: str) -> bool:
        """See `EndpointReader`."""
        return name in self.configs

    def serve(self, name: str, config: str, package: str | None, status: str = "InService", reason: str = "") -> None:
        """Put an endpoint there as it is, with its config and model."""
        self.models[f"model-of-{config}"], self.configs[config] = package, f"model-of-{config}"
        self.endpoints[name] = Endpoint(name, status, config, None, reason)

    def create_model(self, request: Any) -> LastAnswer:
        """Make a model once."""
        if request["ModelName"] in self.models:
            return REFUSED
        self.models[request["ModelName"]] = request["Containers"][0]["ModelPackageName"]
        return DONE

    def create_config(self, request: Any) -> LastAnswer:
        """Make an endpoint config once, of a model that exists."""
        (variant,) = request["ProductionVariants"]
        if request["EndpointConfigName"] in self.configs or variant["ModelName"] not in self.models:
            return REFUSED
        self.configs[request["EndpointConfigName"]] = variant["ModelName"]
        return DONE

    def create_endpoint(self, request: Any) -> LastAnswer:
        """Create an endpoint, unless there is one."""
        name, config = request["EndpointName"], request["EndpointConfigName"]
        if name in self.endpoints or config not in self.configs:
            return REFUSED
        return self._move(Endpoint(name, "Creating", config), config)

    def update_endpoint(self, request: Any) -> LastAnswer:
        """Move an endpoint that is at rest to a config that exists."""
        name, config = request["EndpointName"], request["EndpointConfigName"]
        found = self.endpoints.get(name)
        if found is None or found.status != "InService" or config not in self.configs:
            return REFUSED
        return self._move(replace(found, status="Updating", pending=config), config)

    def delete_endpoint(self, request: Any) -> LastAnswer:
        """Delete an endpoint that does not move, after a while."""
        found = self.endpoints.get(request["EndpointName"])
        if found is None or found.status in BUSY:
            return REFUSED
        self.endpoints[found.name] = replace(found, status="Deleting")
        self._ticks[found.name] = self.slowness
        return DONE

    def delete_config(self, request: Any) -> LastAnswer:
        """Delete a config, which must not be live."""
        name = request["EndpointConfigName"]
        assert name not in {one.config for one in self.endpoints.values()}, f"{name} is live"
        return DONE if self.configs.pop(name, None) else REFUSED

    def delete_model(self, request: Any) -> LastAnswer:
        """Delete a model, which must not be live."""
        live = {self.configs.get(one.config) for one in self.endpoints.values()}
        assert request["ModelName"] not in live, f"{request['ModelName']} is live"
        return DONE if self.models.pop(request["ModelName"], None) else REFUSED

    def put_alarm(self, request: Any) -> LastAnswer:
        """Make or renew an alarm."""
        self.alarms.add(request["AlarmName"])
        return DONE

    def delete_alarm(self, request: Any) -> LastAnswer:
        """Delete alarms."""
        self.alarms -= set(request["AlarmNames"])
        return DONE

    def tick(self) -> None:
        """Let some time go by."""
        for name, left in list(self._ticks.items()):
            self._ticks[name] = left - 1
            if left <= 1:
                del self._ticks[name]
                self._arrive(self.endpoints[name])

    def _move(self, endpoint: Endpoint, config: str) -> LastAnswer:
        self.endpoints[endpoint.name] = endpoint
        self.moves.append((endpoint.name, config))
        self._ticks[endpoint.name] = self.slowness
        return DONE

    def _arrive(self, endpoint: Endpoint) -> None:
        if endpoint.status == "Deleting":
            del self.endpoints[endpoint.name]
        else:
            self.endpoints[endpoint.name] = Endpoint(endpoint.name, "InService", endpoint.pending or endpoint.config)


class StoreFake:
    """The releases table in memory."""

    name = TABLE

    def __init__(self) -> None:
        self.desires: dict[str, Desired] = {}
        self.future = "2026-11-21"
        self.items: dict[tuple[str, str], dict[str, Any]] = {}

    def desire(self, model: str, desired: Desired) -> None:
        """See `ReleaseStore`."""
        held = self.desires.get(model)
        if held and held.requested_at > self.future:
            held = None
        if held is None or (held.requested_at, held.execution) <= (desired.requested_at, desired.execution):
            self.desires[model] = desired

    def desired(self, model: str) -> Desired | None:
        """See `ReleaseStore`."""
        return self.desires.get(model)

    def released(self, model: str, stage: str) -> Sequence[Served]:
        """See `ReleaseStore`."""
        found = [item for (pk, sk), item in sorted(self.items.items()) if pk == f"model#{model}" and "release#" in sk]
        found.sort(key=lambda item: item.get("at", ""))
        return [
            Served(item["package"], item["config"])
            for item in found
            if (item["stage"], item["verdict"]) == (stage, "released")
        ]

    def note(self, model: str, sk: str, facts: dict[str, str]) -> None:
        """See `ReleaseStore`."""
        self.items[f"model#{model}", sk] = dict(facts)

    def put(self, request: Any) -> LastAnswer:
        """Take the machine's own PutItem."""
        assert request["TableName"] == TABLE
        item = decoded(request["Item"])
        self.items[str(item["pk"]), str(item["sk"])] = item
        return DONE

    def record(self, stage: str, version: int, config: str) -> None:
        """Write down that a version was released to a stage before."""
        item = {"stage": stage, "verdict": "released", "package": arn(version), "config": config}
        self.items[f"model#{MODEL}", f"release#2026-01-01#before-{version}#{stage}"] = item


class FilesFake:
    """Text files in a dictionary, and the models' data, which are as they were tested unless they were replaced."""

    def __init__(self, **files: str) -> None:
        self.files = files
        self.golden_of = {GOLDEN: 2, OLD_GOLDEN: 1}
        self.stored: dict[str, StoredObject | None] = {}
        self.meanwhile: dict[str, str] = {}

    def create(self, uri: str, text: str, content_type: str) -> bool:
        """See `AnswerKeeper`; what is in `meanwhile` is written by somebody else just before."""
        assert content_type == "application/json"
        self.files |= {key: value for key, value in self.meanwhile.items() if key == uri}
        if uri in self.files:
            return False
        self.files[uri] = text
        return True

    def text(self, uri: str, limit: int | None = None) -> str | None:
        """See `EvidenceReader`. Golden requests name the content that answered them, as the evaluation writes it."""
        text = self.files.get(uri)
        if text is None or uri not in self.golden_of or '"requests"' not in text:
            return text
        return json.dumps(json.loads(text) | {"content": content(self.golden_of[uri])})

    def look(self, bucket: str, key: str) -> StoredObject | None:
        """See `EvidenceReader`."""
        return self.stored.get(f"s3://{bucket}/{key}", TESTED)

    def look_under(self, uri: str) -> StoredObject | None:
        """See `EvidenceReader`."""
        return self.stored.get(uri, TESTED)

    def replace(self, version: int) -> None:
        """Put other data of a model in the place of those that were tested."""
        self.stored[content(version)["model_data"]] = replace(TESTED, version="v2", etag="other")


class ModelsFake:
    """Models that answer with what they are asked, unless told otherwise."""

    def __init__(self) -> None:
        self.answers: dict[Any, ModelAnswer] = {}  # by what is asked: a text, or bytes
        self.asked: list[tuple[str, str | bytes, str]] = []
        self.accepted: list[str | None] = []

    def ask(self, endpoint: str, body: str | bytes, content_type: str, accept: str | None = None) -> ModelAnswer:
        """See `ModelCaller`."""
        self.asked.append((endpoint, body, content_type))
        self.accepted.append(accept)
        return self.answers.get(body, ModelAnswer(str(body)))


@dataclass
class Finished:
    """How an execution ended: its last action and its arguments, and what people were told, if anything."""

    action: str
    arguments: Any
    told: Ending | None = None

    @property
    def outcome(self) -> ReleaseOutcome:
        """Return how the release was told."""
        assert self.told is not None
        assert self.told["release"] is not None
        return self.told["release"]


# What a disturbance makes of a call: None lets it happen; an answer stands for it, and the flag says whether the call
# has an effect all the same.
type Disturbance = Callable[[str], tuple[LastAnswer, bool] | None]


class World:
    """Everything together, and the machine's way through it."""

    def __init__(self, stages: StagesDocument = STAGES) -> None:
        self.stages = stages
        self.registry = RegistryFake()
        self.sagemaker = SageMakerFake()
        self.store = StoreFake()
        self.models = ModelsFake()
        reports = {"s3://artifacts/report.json": json.dumps(report(2))}
        reports |= {report_of(version): json.dumps(report(version)) for version in range(1, 100)}
        self.files = FilesFake(**reports, **{GOLDEN: NO_REQUESTS, OLD_GOLDEN: NO_REQUESTS})
        self.decisions: dict[str, ReviewDecision] = {}
        self.finished: dict[str, Finished] = {}
        self.actions: dict[str, list[str]] = {}
        self.told: dict[str, Ending] = {}
        self.disturb: Disturbance = lambda _action: None
        # Whether time goes by between a plan and what is done about it: SageMaker's calls know no condition.
        self.stalls = False
        self.ticks = 0
        self.ports = ReleasePorts(
            self.registry,
            self.sagemaker,
            self.files,
            self.store,
            lambda: self.stages,
            self._now,
            PREFIX,
            ROLE,
            poll_seconds=30,
        )
        self.checks = VerifyingPorts(self.registry, self.sagemaker, self.models, self.files)

    def _now(self) -> datetime:
        """Return the next moment: no two readings of the clock are the same."""
        self.ticks += 1
        return NOW + timedelta(milliseconds=self.ticks - 1)

    def plan(self, question: ReleaseQuestion) -> ReleasePlan:
        """Return the plan; it never deploys what is not approved, unless it goes back to what was there."""
        answer = plan(question, self.ports)
        deployment = answer["progress"]["deployment"]
        if answer["action"] in ("create-model", "create-config", "create-endpoint", "update-endpoint"):
            assert deployment is not None
            back = answer["progress"]["problem"] is not None
            assert back or self.registry.packages[deployment["package"]].approved
        return answer

    def live(self, stage: str) -> str | None:
        """Return the package that a stage serves."""
        found = self.sagemaker.find(f"{PREFIX}-{MODEL}-{stage}")
        return self.sagemaker.package_of(found.config) if found else None

    def run(self, trigger: Trigger, version: int, at: str, name: str = "run", /, **more: Any) -> Finished:
        """Let one execution come to its end, time going by after each step."""
        for _ in self.execution(trigger, version, at, name, **more):
            self.sagemaker.tick()
        return self.finished[name]

    def execution(self, trigger: Trigger, version: int, at: str, name: str, /, **more: Any) -> Iterator[str]:
        """Do what the release machine does, and yield after every state."""
        asked = question(trigger, version, at, name, **more)
        self.actions[name] = []
        for _ in range(PATIENCE):
            answer = self.plan(asked)
            self.actions[name].append(answer["action"])
            if self.stalls:
                yield answer["action"]
            if answer["action"] in ("done", "failed"):
                self.finished[name] = Finished(answer["action"], answer["arguments"], self.told.get(name))
                return
            asked = after(asked, answer, self._disturbed(answer, name))
            yield answer["action"]
        raise AssertionError(f"{name} does not come to an end: {self.actions[name][-10:]}")

    def _disturbed(self, answer: ReleasePlan, name: str) -> LastAnswer:
        disturbance = self.disturb(answer["action"])
        if disturbance is None:
            return self._do(answer, name)
        lost, happens = disturbance
        if happens:
            self._do(answer, name)
        return lost

    def _do(self, answer: ReleasePlan, name: str) -> LastAnswer:
        """Do one action as the services would."""
        request: Any = answer["arguments"]
        calls: dict[str, Callable[[], LastAnswer]] = {
            "wait": lambda: DONE,
            "create-model": lambda: self.sagemaker.create_model(request),
            "put-alarm": lambda: self.sagemaker.put_alarm(request),
            "create-config": lambda: self.sagemaker.create_config(request),
            "create-endpoint": lambda: self.sagemaker.create_endpoint(request),
            "update-endpoint": lambda: self.sagemaker.update_endpoint(request),
            "delete-endpoint": lambda: self.sagemaker.delete_endpoint(request),
            "delete-alarm": lambda: self.sagemaker.delete_alarm(request),
            "delete-config": lambda: self.sagemaker.delete_config(request),
            "delete-model": lambda: self.sagemaker.delete_model(request),
            "review": lambda: self._review(request),
            "close-review": lambda: {"result": self.decisions.get(request["stage"], decided("expired"))},
            "verify": lambda: self._verify(request),
            "record": lambda: self.store.put(request),
            "announce": lambda: self._announce(request, name),
        }
        return calls[answer["action"]]()

    def _review(self, request: Any) -> LastAnswer:
        decision = self.decisions.get(request["stage"], decided("approved"))
        if decision["decision"] == "approved":
            return {"result": decision}
        return failed("ReviewRejected" if decision["decision"] == "rejected" else "States.Timeout", None)

    def _verify(self, request: VerificationQuestion) -> LastAnswer:
        try:
            return {"result": verify(request, self.checks)}
        except Exception as error:  # noqa: BLE001  # as Lambda does: its class is the error's name
            return failed(type(error).__name__, str(error))

    def _announce(self, request: Any, name: str) -> LastAnswer:
        self.told[name] = request
        return {"result": {"mailed": 1}}


def decided(decision: Any) -> ReviewDecision:
    """Return a decision of Alice's."""
    return {"review": "r1", "decision": decision, "by": "alice", "at": "2026-11-20T10:00:00.000000Z", "reason": "why"}
