"""The local SageMaker among fakes: called as boto3 calls it, objects in memory, servers under the test's hand."""

# ruff: noqa: N803 (the API writes its parameters so)
import asyncio
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tests.sagemaker_local.support.fake_glue import FakeGlue
from tests.sagemaker_local.support.fake_s3 import FakeS3
from tests.sagemaker_local.support.jobs import OWN, container
from tests.sagemaker_local.support.pipelines import FakeEvents
from tests.support.botocore_strict import client_error

from sagemaker_local.core.cloud import Cloud, HttpResponse, Timing
from sagemaker_local.core.errors import ApiError, denied, invalid
from sagemaker_local.core.resources import Resources
from sagemaker_local.core.store import Record
from sagemaker_local.notebooks.instances import Notebooks
from sagemaker_local.sagemaker.api import Api, Caller
from sagemaker_local.sagemaker.endpoints import Endpoints
from sagemaker_local.sagemaker.features import FeatureStore
from sagemaker_local.sagemaker.jobs import Jobs
from sagemaker_local.sagemaker.logs import NOTEBOOKS, STUDIO
from sagemaker_local.sagemaker.models import Models
from sagemaker_local.sagemaker.parts import follow_script
from sagemaker_local.sagemaker.registry import ModelRegistry
from sagemaker_local.sagemaker.servers import Servers
from sagemaker_local.sagemaker.tags import Tags
from sagemaker_local.serving import Fleet, FleetClosedError, UnknownVariantError, VariantResponse
from sagemaker_local.studio.parts import Studio

if TYPE_CHECKING:
    from sagemaker_local.core.cloud import Part

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/model"
PREFIX = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:"
DATA = "s3://models/m.tar.gz"


class Objects(FakeS3):
    """An S3 that can be asked about one object."""

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        """Tell that an object exists."""
        if (Bucket, Key) not in self.objects:
            raise client_error("404", "Not Found", "HeadObject")
        return {}


class FakeCloudWatch:
    """Alarms by name and state, and who asked for which; what is measured is kept."""

    def __init__(self) -> None:
        self.alarms: dict[str, str] = {}
        self.measured: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str]] = []
        self.role, self.forbidden = "", False

    def describe_alarms(self, *, AlarmNames: list[str], AlarmTypes: list[str]) -> dict[str, Any]:
        """Describe the alarms that there are."""
        assert AlarmTypes == ["MetricAlarm", "CompositeAlarm"]
        if self.forbidden:
            raise client_error("AccessDenied", "not authorized", "DescribeAlarms")
        self.asked += [(self.role, name) for name in AlarmNames]
        found = [{"StateValue": self.alarms[name]} for name in AlarmNames if name in self.alarms]
        return {"MetricAlarms": found, "CompositeAlarms": []}

    def put_metric_data(self, *, Namespace: str, MetricData: list[dict[str, Any]]) -> None:
        """Keep metric data."""
        self.measured += [{"Namespace": Namespace, **one} for one in MetricData]


class FakeLogs:
    """CloudWatch Logs: the messages of each stream, by the names of group and stream."""

    def __init__(self) -> None:
        self.groups: set[str] = set()
        self.streams: dict[tuple[str, str], list[str]] = {}
        self.forbidden = False

    def create_log_group(self, *, logGroupName: str) -> None:
        """Make a group once."""
        if self.forbidden:
            raise client_error("AccessDeniedException", "not authorized", "CreateLogGroup")
        if logGroupName in self.groups:
            raise client_error("ResourceAlreadyExistsException", "it exists", "CreateLogGroup")
        self.groups.add(logGroupName)

    def create_log_stream(self, *, logGroupName: str, logStreamName: str) -> None:
        """Make a stream."""
        self.streams[logGroupName, logStreamName] = []

    def put_log_events(self, *, logGroupName: str, logStreamName: str, logEvents: list[dict[str, Any]]) -> None:
        """Keep messages."""
        self.streams[logGroupName, logStreamName] += [event["message"] for event in logEvents]


class FakeTopics:
    """SNS: the messages of each topic."""

    def __init__(self) -> None:
        self.sent: dict[str, list[dict[str, Any]]] = {}

    def publish(self, *, TopicArn: str, Message: str) -> None:
        """Keep a message, which is JSON here."""
        if "forbidden" in TopicArn:
            raise client_error("AuthorizationError", "not authorized", "Publish")
        self.sent.setdefault(TopicArn, []).append(json.loads(Message))


class FakeAccess:
    """Everybody may do everything but what is in `forbidden`; roles in `untrusted` do not trust SageMaker."""

    def __init__(self) -> None:
        self.s3, self.watch, self.logs = Objects({DATA: b"model"}), FakeCloudWatch(), FakeLogs()
        self.topics, self.keys = FakeTopics(), list[str]()
        self.forbidden: set[tuple[str, str]] = set()
        self.untrusted: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.made: list[tuple[str, float]] = []
        self.role = {"AWS_REGION": "us-east-1"}

    def require(self, access_key: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> None:
        """Refuse what is forbidden."""
        self.asked.append((action, resource))
        if (action, resource) in self.forbidden or (action, "*") in self.forbidden:
            raise denied(f"not authorized to perform {action} on {resource}")

    def require_service_role(self, role_arn: str) -> None:
        """Refuse a role that does not trust the service."""
        if role_arn in self.untrusted:
            raise invalid(f"Could not assume role {role_arn}.")

    def environment(self, role_arn: str, session: str) -> dict[str, str]:
        """Return `role`, which is a region only where the programs call nobody."""
        return self.role

    def temporary(self, role_arn: str, session: str, seconds: float) -> dict[str, str]:
        """Return keys that say whose they are, and how many there were before."""
        self.made.append((role_arn, seconds))
        number = len(self.made)
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        return dict.fromkeys(names, f"{session} {number}")

    def client(self, service: str, role_arn: str, session: str, output_key: str = "") -> Any:
        """Return the S3, or the alarms as the role sees them."""
        self.watch.role, self.watch.forbidden = role_arn, (role_arn, "cloudwatch:DescribeAlarms") in self.forbidden
        self.keys += [output_key] if output_key else []
        return {"s3": self.s3, "cloudwatch": self.watch, "logs": self.logs, "sns": self.topics}[service]


class FakeFleet:
    """Servers that answer with their configuration's name; a request for `slow` waits until the test lets it go."""

    def __init__(self, name: str, weights: Mapping[str, float]) -> None:
        self.name, self.weights, self.bodies = name, dict(weights), list[bytes]()
        self.closed, self.headers = threading.Event(), dict[str, str]()
        self.asked, self.go_on, self._in_flight = threading.Event(), threading.Event(), 0
        self._idle = threading.Condition()

    def invoke(
        self,
        body: bytes,
        content_type: str | None,
        accept: str | None,
        *,
        target_variant: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 60.0,
    ) -> VariantResponse:
        """VariantResponse a request."""
        with self._idle:
            if self.closed.is_set():
                raise FleetClosedError
            self._in_flight += 1
        try:
            if target_variant not in (None, *self.weights):
                raise UnknownVariantError(str(target_variant), list(self.weights))
            self.bodies.append(body)
            if body == b"slow":
                self.asked.set()
                assert self.go_on.wait(60)
            status = {b"bad": 400, b"broken": 500}.get(body, 200)
            answer = b"x" * 7_000_000 if body == b"large" else self.name.encode()
            return VariantResponse(
                target_variant or next(iter(self.weights)), status, self._answered(headers or {}), answer
            )
        finally:
            with self._idle:
                self._in_flight -= 1
                self._idle.notify_all()

    def _answered(self, headers: Mapping[str, str]) -> dict[str, str]:
        self.headers = dict(headers)
        session = {"x-amzn-sagemaker-new-session-id": "s; Expires=2026-11-20T12:00:00Z"}
        attributes = {name.lower(): value for name, value in headers.items() if "Custom" in name}
        return {"content-type": "text/csv", **attributes, **(session if "NEW_SESSION" in headers.values() else {})}

    def set_weights(self, weights: Mapping[str, float]) -> None:
        """Keep the weights."""
        self.weights |= weights

    @property
    def variants(self) -> dict[str, float]:
        """Return the weights."""
        return dict(self.weights)

    def close(self, drain_seconds: float = 60.0) -> None:
        """Take no more requests, and wait for those in flight."""
        with self._idle:
            self.closed.set()
            self._idle.wait_for(lambda: not self._in_flight, drain_seconds)


class FakeServers(Servers):
    """Servers that are fakes; configurations in `broken` raise what stands there, gates hold them up."""

    def __init__(self, cloud: Cloud, models: Models) -> None:
        super().__init__(cloud, models)
        self.fleets: dict[str, FakeFleet] = {}
        self.broken: dict[str, Exception] = {}
        self.gates: dict[str, threading.Event] = {}

    def fleet(self, name: str, config: Record, variants: Sequence[dict[str, Any]]) -> Fleet:
        """Start a fake; that of shadows goes by its configuration's name and `shadow`."""
        wanted = config["EndpointConfigName"]
        if variants is not config["ProductionVariants"]:
            wanted += " shadow"
        if wanted in self.gates:
            assert self.gates[wanted].wait(60)
        if wanted in self.broken:
            raise self.broken[wanted]
        weights = {one["VariantName"]: one.get("InitialVariantWeight", 1.0) for one in variants}
        self.fleets[wanted] = FakeFleet(wanted, weights)
        return cast("Fleet", self.fleets[wanted])


class SageMaker:
    """The service, asked as over the wire. `real` starts the servers of models for real."""

    def __init__(self, folder: Path, *, real: bool = False) -> None:
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)
        self.access, self.events, self.tick_seconds = FakeAccess(), FakeEvents(), 1
        self.watch, self.glue = self.access.watch, FakeGlue()
        self.containers = container(folder / "containers", serve="")
        self.cloud = Cloud(
            account=ACCOUNT,
            region="us-east-1",
            endpoint_url="http://127.0.0.1:1",
            folder=folder / "cloud",
            containers=self.containers,
            access=self.access,
            events=self.events,
            root_client=lambda service: self.glue if service == "glue" else self.watch,
            timing=Timing(startup_seconds=5, bake_scale=0.0005, script_seconds=2),
            clock=self._tick,
        )
        resources = Resources(self.cloud)
        models = Models(self.cloud, resources)
        self.servers = (Servers if real else FakeServers)(self.cloud, models)
        self.endpoints = Endpoints(self.cloud, resources, self.servers)
        self.jobs = Jobs(self.cloud, resources, models)
        self.notebooks = Notebooks(self.cloud, resources, partial(follow_script, self.cloud, NOTEBOOKS))
        self.studio = Studio(self.cloud, resources, partial(follow_script, self.cloud, STUDIO))
        registry, features = ModelRegistry(self.cloud, resources), FeatureStore(self.cloud, resources)
        parts: list[Part] = [models, self.endpoints, self.jobs, registry, features, self.notebooks, self.studio]
        parts.append(Tags(self.cloud))
        self.handlers = {name: handler for part in parts for name, handler in part.operations().items()}
        self.api = Api(self.handlers, self.cloud.arn(""))
        self.caller = Caller("KEY", f"arn:aws:iam::{ACCOUNT}:user/ann")

    def _tick(self) -> datetime:
        self.now += timedelta(seconds=self.tick_seconds)
        return self.now

    @property
    def fake(self) -> FakeServers:
        """Return the fake servers."""
        assert isinstance(self.servers, FakeServers)
        return self.servers

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """Call an operation over the JSON API.

        Raises:
            ApiError: the service refused.
        """
        return self.answered(self.api.answer_json(operation, json.dumps(request).encode(), self.caller))

    def rest(self, method: str, path: str, body: bytes = b"", **values: str) -> dict[str, Any]:
        """Call an operation of a run-time API; the answer's body is under `Body` where it is no JSON.

        Raises:
            ApiError: the service refused.
        """
        return self.answered(self.api.answer_rest((method, path), values, body, self.caller))

    @staticmethod
    def run(answer: Any) -> HttpResponse:
        """Return status, headers and content of an answer."""
        return cast("HttpResponse", asyncio.run(answer))

    @staticmethod
    def answered(answer: Any) -> dict[str, Any]:
        """Return an answer's members, or raise its error."""
        status, headers, content = SageMaker.run(answer)
        try:
            found = json.loads(content)
        except ValueError:
            return {"Body": content, **headers}
        if "__type" in found:
            code, message = found.pop("__type"), found.pop("message")
            raise ApiError(code, message, status, **found)
        return cast("dict[str, Any]", found)

    def refused(self, operation: str, **request: Any) -> str:
        """Return `code: message` of a refusal."""
        return refusal(lambda: self.call(operation, **request))

    def model(self, name: str = "m", **more: Any) -> str:
        """Make a model."""
        primary = {"Image": OWN, "ModelDataUrl": DATA}
        self.call("CreateModel", ModelName=name, PrimaryContainer=primary, ExecutionRoleArn=ROLE, **more)
        return name

    def config(self, name: str, *variants: str, count: int = 1) -> str:
        """Make a configuration, and the model `m` where there is none."""
        if not self.call("ListModels", NameContains="m")["Models"]:
            self.model()
        made = [variant(item, InitialInstanceCount=count) for item in variants or ("a",)]
        self.call("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=made)
        return name

    def endpoint(self, config: str = "one", **more: Any) -> str:
        """Make the endpoint `e` and wait until it is in service."""
        self.call("CreateEndpoint", EndpointName="e", EndpointConfigName=config, **more)
        return self.until("InService")

    def until(self, status: str) -> str:
        """Wait until the endpoint `e` is in a status, and its event, which comes a moment later, was sent."""
        self.events.wait_until(lambda: self.status() == status and self._told() == status.upper())
        return "e"

    def _told(self) -> str:
        return self.statuses("Endpoint")[-1].replace("_", "")

    def status(self) -> str:
        """Return the status of the endpoint `e`."""
        return str(self.describe()["EndpointStatus"])

    def describe(self) -> dict[str, Any]:
        """Describe the endpoint `e`."""
        return self.call("DescribeEndpoint", EndpointName="e")

    def invoke(self, body: bytes = b"", **values: str) -> str:
        """Return the name of the configuration that answers a request to the endpoint `e`."""
        answered: bytes = self.rest("POST", "/endpoints/e/invocations", body, **values)["Body"]
        return answered.decode()

    def statuses(self, kind: str) -> list[str]:
        """Return the statuses that the events of a kind had, in order."""
        member = f"{kind.replace(' ', '')}Status"
        return [detail[member] for detail in self.events.details(f"SageMaker {kind} State")]


def variant(name: str, **more: Any) -> dict[str, Any]:
    """Return a production variant of the model `m`."""
    return {
        "VariantName": name,
        "ModelName": "m",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        **more,
    }


def refusal(call: Callable[[], Any]) -> str:
    """Return `code: message` of the refusal that a call ends in."""
    try:
        answer = call()
    except ApiError as error:
        return str(error)
    raise AssertionError(f"the call was not refused: {answer}")
