"""Endpoints: created, updated blue/green with canary, bake time and alarms, rolled back, deleted, invoked."""

import random
import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from signalbox_local.sagemaker.cloud import Call, Cloud, Handler
from signalbox_local.sagemaker.deployment import Deployment, check_deployment
from signalbox_local.sagemaker.errors import ApiError, invalid
from signalbox_local.sagemaker.jobs import milliseconds, tag_map
from signalbox_local.sagemaker.models import Models
from signalbox_local.sagemaker.resources import ENDPOINT, ENDPOINT_CONFIG, Resources
from signalbox_local.sagemaker.roles import tag_at_creation
from signalbox_local.sagemaker.store import Record
from signalbox_local.serving import Answer, Fleet, FleetClosedError, InvocationError, UnknownVariantError, Variant
from signalbox_local.serving import ServerStartError as StartError
from signalbox_local.serving.server import ServerContext

_LARGEST_BODY = 6_291_456  # bytes (API reference, InvokeEndpoint)
_SUCCESS = range(200, 300)
# How EndpointStatus is spelled in events (Developer Guide, automating-sagemaker-with-eventbridge).
_EVENT_STATUS = {
    "InService": "IN_SERVICE",
    "Creating": "CREATING",
    "Updating": "UPDATING",
    "Failed": "FAILED",
    "RollingBack": "ROLLING_BACK",
    "Deleting": "DELETING",
}


@dataclass
class Traffic:
    """Where an endpoint's requests go: the current servers and, during an update, a share to the new ones."""

    current: Fleet
    new: Fleet | None = None
    share: float = 0.0


@dataclass
class Endpoints:
    """The endpoints and the servers behind them."""

    cloud: Cloud
    resources: Resources
    models: Models
    _traffic: dict[str, Traffic] = field(default_factory=dict)
    _chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311  # shares traffic, no secret
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def operations(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        return {
            "CreateEndpoint": self.create,
            "UpdateEndpoint": self.update,
            "DeleteEndpoint": self.delete,
            "DescribeEndpoint": self.describe,
            "ListEndpoints": lambda call: self.resources.list(ENDPOINT, "ListEndpoints", call.request),
            "InvokeEndpoint": self.invoke,
        }

    def create(self, call: Call) -> dict[str, Any]:
        """Start the servers of a configuration; the endpoint is Failed if they do not come up."""
        name, config = call.request["EndpointName"], self._config(call.request["EndpointConfigName"])
        tag_at_creation(self.cloud, call, self.resources.arn(ENDPOINT, name))
        check_deployment(call.request.get("DeploymentConfig"), config)
        made = self.resources.create(ENDPOINT, call.request, EndpointStatus="Creating")
        self._tell(name)
        self.cloud.work(lambda: self._bring_up(name, config), f"create-{name}")
        return {"EndpointArn": made["EndpointArn"]}

    def _bring_up(self, name: str, config: Record) -> None:
        try:
            fleet = self._start(name, config)
        except (StartError, ApiError) as error:
            self._settle(name, EndpointStatus="Failed", FailureReason=str(error)[:1024])
            return
        self._traffic[name] = Traffic(fleet)
        self._settle(name, EndpointStatus="InService")

    def update(self, call: Call) -> dict[str, Any]:
        """Move an endpoint that is in service to another configuration, blue/green.

        Raises:
            ApiError: it does not exist, is not in service, the configuration is the current one, or the deployment
                breaks a rule of the deployment guardrails.
        """
        name = call.request["EndpointName"]
        config = self._config(call.request["EndpointConfigName"])
        arn = self.resources.arn(ENDPOINT, name)
        endpoint = self.resources.get(ENDPOINT, name)
        wanted = call.request.get("DeploymentConfig")
        if wanted is None and call.request.get("RetainDeploymentConfig"):
            wanted = endpoint.get("LastDeploymentConfig")
        check_deployment(wanted, config, self._config(endpoint["EndpointConfigName"]))

        def begin(record: Record) -> None:
            if record["EndpointStatus"] != "InService":
                raise invalid(f'Cannot update in-progress endpoint "{arn}": it is {record["EndpointStatus"]}.')
            if record["EndpointConfigName"] == config["EndpointConfigName"]:
                raise invalid(f'Endpoint "{arn}" uses configuration {config["EndpointConfigName"]} already.')
            record |= {"EndpointStatus": "Updating", "LastModifiedTime": self.cloud.clock()}
            record.pop("FailureReason", None)

        self.cloud.store.change(ENDPOINT.name, name, begin)
        self._tell(name)
        self.cloud.work(lambda: self._move(name, config, Deployment.read(wanted)), f"update-{name}")
        return {"EndpointArn": arn}

    def _move(self, name: str, config: Record, deployment: Deployment) -> None:
        """Start the new servers, shift traffic, bake; on any doubt go back. The old ones serve until the very end."""
        traffic = self._traffic[name]
        try:
            new = self._start(name, config)
        except (StartError, ApiError) as error:
            self._roll_back(name, f"{error}")
            return
        for share, seconds in deployment.shifts:
            traffic.new, traffic.share = new, share
            if self._alarm(deployment, seconds):
                traffic.new, traffic.share = None, 0.0
                new.close()
                self._roll_back(name, "An alarm of the auto-rollback configuration is in state ALARM.")
                return
        old, traffic.current, traffic.new, traffic.share = traffic.current, new, None, 0.0
        changes: dict[str, Any] = {"EndpointConfigName": config["EndpointConfigName"], "EndpointStatus": "InService"}
        self._settle(name, **changes, LastDeploymentConfig=deployment.request)
        old.close()

    def _alarm(self, deployment: Deployment, seconds: float) -> bool:
        return deployment.bake(seconds * self.cloud.timing.bake_scale, self._states)

    def _states(self, names: tuple[str, ...]) -> list[str]:
        """Return the states of alarms, read as the endpoint's service does."""
        client: Any = self.cloud.root_client("cloudwatch")
        found = client.describe_alarms(AlarmNames=list(names))
        return [alarm["StateValue"] for alarm in found["MetricAlarms"] + found["CompositeAlarms"]]

    def _roll_back(self, name: str, reason: str) -> None:
        """Go back: the endpoint ends InService on the old configuration, which is easily taken for success."""
        self.resources.update(ENDPOINT, name, EndpointStatus="RollingBack")
        self._tell(name)
        self._settle(name, EndpointStatus="InService", FailureReason=reason[:1024])

    def delete(self, call: Call) -> dict[str, Any]:
        """Stop serving; refused while the endpoint is being created or updated."""
        name = call.request["EndpointName"]
        endpoint = self.resources.get(ENDPOINT, name)
        if endpoint["EndpointStatus"] not in ("InService", "Failed"):
            raise invalid(f'Cannot update in-progress endpoint "{endpoint["EndpointArn"]}".')
        self.resources.update(ENDPOINT, name, EndpointStatus="Deleting")
        self._tell(name)
        self.cloud.work(lambda: self._take_down(name), f"delete-{name}")
        return {}

    def _take_down(self, name: str) -> None:
        traffic = self._traffic.pop(name, None)
        if traffic:
            traffic.current.close()
        self.resources.delete(ENDPOINT, name)

    def describe(self, call: Call) -> dict[str, Any]:
        """Answer DescribeEndpoint, with the variants as they are deployed."""
        name = call.request["EndpointName"]
        answer = self.resources.describe(ENDPOINT, name)
        if answer["EndpointStatus"] not in ("Creating", "Failed"):
            config = self._config(answer["EndpointConfigName"])
            answer["ProductionVariants"] = [_summary(variant) for variant in config["ProductionVariants"]]
        return answer

    def invoke(self, call: Call) -> dict[str, Any]:
        """Send a request to a variant and pass its answer on.

        Raises:
            ApiError: ValidationError, ModelError, ModelNotReadyException or ServiceUnavailable, as the API has them.
        """
        name, body = call.request["EndpointName"], call.request.get("Body", b"")
        if len(body) > _LARGEST_BODY:
            raise invalid(f"The request body has {len(body)} bytes; at most {_LARGEST_BODY} are allowed.")
        try:
            answer = self._ask(name, call.request, body)
        except UnknownVariantError as error:
            raise invalid(str(error)) from error
        except InvocationError as error:
            raise _model_error(name, 500, str(error)) from error
        if answer.status not in _SUCCESS:
            raise _model_error(name, answer.status, answer.body.decode("utf-8", "replace"))
        content_type = answer.headers.get("content-type", "application/octet-stream")
        return {"Body": answer.body, "ContentType": content_type, "InvokedProductionVariant": answer.variant}

    def _ask(self, name: str, request: dict[str, Any], body: bytes) -> Answer:
        """Ask the current servers; those that are being closed hand over to their successors, so nothing is lost."""
        while True:
            traffic = self._traffic.get(name)
            if traffic is None:
                raise invalid(f"Endpoint {name} of account {self.cloud.account} not found.")
            with self._lock:
                goes_to_new = traffic.new is not None and self._chance.random() < traffic.share
            fleet = traffic.new if goes_to_new and traffic.new else traffic.current
            try:
                target = request.get("TargetVariant")
                return fleet.invoke(body, request.get("ContentType"), request.get("Accept"), target_variant=target)
            except FleetClosedError:
                continue

    def _config(self, name: str) -> Record:
        return self.resources.get(ENDPOINT_CONFIG, name)

    def _start(self, name: str, config: Record) -> Fleet:
        variants = [self._variant(name, variant) for variant in config["ProductionVariants"]]
        return Fleet.start(variants, random.Random(0))  # noqa: S311  # shares traffic, no secret

    def _variant(self, endpoint: str, variant: dict[str, Any]) -> Variant:
        container, role = self.models.container(variant["ModelName"])
        folder = self.cloud.folder / "endpoints" / endpoint / f"{variant['VariantName']}-{uuid.uuid4().hex[:8]}"
        folder.mkdir(parents=True)
        s3: Any = self.cloud.access.client("s3", role, endpoint)
        environment = self.cloud.access.environment(role, endpoint)
        limit = variant.get("ContainerStartupHealthCheckTimeoutInSeconds", self.cloud.timing.startup_seconds)
        context = ServerContext(folder, s3, environment, self.cloud.containers, role, float(limit))
        return Variant(variant["VariantName"], variant.get("InitialVariantWeight", 1.0), container, context)

    def _settle(self, name: str, **members: Any) -> None:
        self.resources.update(ENDPOINT, name, **members)
        self._tell(name)

    def _tell(self, name: str) -> None:
        endpoint = self.resources.get(ENDPOINT, name)
        config = self._config(endpoint["EndpointConfigName"])
        variants = [
            {
                "DesiredWeight": variant.get("InitialVariantWeight", 1.0),
                "DesiredInstanceCount": float(variant.get("InitialInstanceCount", 1)),
            }
            for variant in config["ProductionVariants"]
        ]
        detail = {
            **{key: endpoint[key] for key in ("EndpointName", "EndpointArn", "EndpointConfigName")},
            "ProductionVariants": variants,
            "EndpointStatus": _EVENT_STATUS[endpoint["EndpointStatus"]],
            "CreationTime": float(milliseconds(endpoint["CreationTime"])),
            "LastModifiedTime": float(milliseconds(endpoint["LastModifiedTime"])),
            "Tags": tag_map(endpoint),
        }
        self.cloud.events.send("SageMaker Endpoint State Change", [endpoint["EndpointArn"]], detail)

    def close(self) -> None:
        """End all servers at once."""
        for traffic in self._traffic.values():
            for fleet in (traffic.current, traffic.new):
                if fleet:
                    fleet.close(0)


def _model_error(endpoint: str, status: int, message: str) -> ApiError:
    sentence = f'Received client error ({status}) from primary with message "{message}".'
    where = f"/aws/sagemaker/Endpoints/{endpoint}"
    return ApiError("ModelError", sentence, 424, OriginalStatusCode=status, OriginalMessage=message, LogStreamArn=where)


def _summary(variant: dict[str, Any]) -> dict[str, Any]:
    weight, count = variant.get("InitialVariantWeight", 1.0), variant.get("InitialInstanceCount", 1)
    return {
        "VariantName": variant["VariantName"],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
        "CurrentInstanceCount": count,
        "DesiredInstanceCount": count,
    }
