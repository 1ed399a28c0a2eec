"""Endpoints: created, updated blue/green with canary, bake time and alarms, rolled back, deleted, invoked."""

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sagemaker_local.core.cloud import Call, Cloud, Handler
from sagemaker_local.core.errors import ApiError, invalid
from sagemaker_local.core.resources import ENDPOINT, ENDPOINT_CONFIG, Resources
from sagemaker_local.core.roles import tag_at_creation
from sagemaker_local.core.shapes import project, service_model
from sagemaker_local.core.store import NoRecordError, Record
from sagemaker_local.images import UnknownImageError
from sagemaker_local.sagemaker.asynchronous import AsyncInvocations
from sagemaker_local.sagemaker.deployment import Deployment, check_deployment
from sagemaker_local.sagemaker.invocations import answer_of, check_answer, no_answer
from sagemaker_local.sagemaker.jobs import milliseconds, tag_map
from sagemaker_local.sagemaker.metrics import alarm_states
from sagemaker_local.sagemaker.servers import Servers
from sagemaker_local.sagemaker.traffic import Traffic
from sagemaker_local.sagemaker.variants import hosted, retained, scaled, summary, told
from sagemaker_local.serving import (
    FleetClosedError,
    InvocationError,
    ServerStartError,
    TargetModelError,
    UnknownVariantError,
)
from sagemaker_local.serving.server import INVOCATION_TIMEOUT

_LOG = logging.getLogger("sagemaker_local")
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
class Endpoints:
    """The endpoints and the servers behind them."""

    cloud: Cloud
    resources: Resources
    servers: Servers
    _traffic: dict[str, Traffic] = field(default_factory=dict)  # by name in lower case, as the store finds them

    def __post_init__(self) -> None:
        """Let what is asynchronous ask as everybody does."""
        self.waiting = AsyncInvocations(self.cloud, self._ask, self.servers.role)

    def operations(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        return {
            "CreateEndpoint": self.create,
            "UpdateEndpoint": self.update,
            "UpdateEndpointWeightsAndCapacities": self.scale,
            "DeleteEndpoint": self.delete,
            "DescribeEndpoint": self.describe,
            "ListEndpoints": lambda call: self.resources.list(ENDPOINT, "ListEndpoints", call.request),
            "InvokeEndpoint": self.invoke,
            "InvokeEndpointAsync": self.invoke_async,
            "InvokeEndpointWithResponseStream": self.invoke_stream,
        }

    def create(self, call: Call) -> dict[str, Any]:
        """Start the servers of a configuration; the endpoint is Failed if they do not come up."""
        name, config = call.request["EndpointName"], self._config(call)
        tag_at_creation(self.cloud, call, self.resources.arn(ENDPOINT, name))
        deployment = call.request.get("DeploymentConfig")
        check_deployment(deployment, config["ProductionVariants"])
        self._states(name, config, Deployment.read(deployment, config["ProductionVariants"]))
        # What is served is kept with the endpoint: its configuration may be deleted while it serves.
        members = {"LastDeploymentConfig": deployment, **hosted(config)}
        made = self.resources.create(ENDPOINT, call.request, EndpointStatus="Creating", **members)
        self._send_event(made)
        self.cloud.work(lambda: self._bring_up(name, config), f"create-{name}")
        return {"EndpointArn": made["EndpointArn"]}

    def _bring_up(self, name: str, config: Record) -> None:
        try:
            deployed = hosted({**config, **self.servers.deployed(config)})
            hosting = self.servers.start(name, config)
        except Exception as error:  # noqa: BLE001  # whatever it is: the endpoint must not stay Creating for ever
            self._settle(name, EndpointStatus="Failed", FailureReason=_reason(error))
            return
        self._traffic[name.lower()] = Traffic(hosting, random.Random(0))  # noqa: S311  # shares traffic, no secret
        self._settle(name, EndpointStatus="InService", **deployed)

    def update(self, call: Call) -> dict[str, Any]:
        """Move an endpoint that is in service to another configuration, blue/green.

        Raises:
            ApiError: it does not exist, is not in service, the configuration is the current one, or the deployment
                breaks a rule of the deployment guardrails.
        """
        name, config = call.request["EndpointName"], self._config(call)
        arn = self.resources.arn(ENDPOINT, name)
        endpoint = self.resources.get(ENDPOINT, name)
        wanted = call.request.get("DeploymentConfig")
        if wanted is None and call.request.get("RetainDeploymentConfig"):
            wanted = endpoint.get("LastDeploymentConfig")
        if call.request.get("RetainAllVariantProperties"):
            without = {one["VariantPropertyType"] for one in call.request.get("ExcludeRetainedVariantProperties", [])}
            config["ProductionVariants"] = retained(config["ProductionVariants"], endpoint["Variants"], without)
        check_deployment(wanted, config["ProductionVariants"], endpoint["Variants"])
        deployment = Deployment.read(wanted, config["ProductionVariants"])
        self._states(name, config, deployment)

        def begin(record: Record) -> None:
            if record["EndpointStatus"] != "InService":
                raise invalid(f'Cannot update in-progress endpoint "{arn}": it is {record["EndpointStatus"]}.')
            if record["EndpointConfigName"] == config["EndpointConfigName"]:
                raise invalid(f'Endpoint "{arn}" uses configuration {config["EndpointConfigName"]} already.')
            record |= {"EndpointStatus": "Updating", "LastModifiedTime": self.cloud.clock()}
            record.pop("FailureReason", None)

        self._send_event(self._change(name, begin))
        self.cloud.work(lambda: self._move(name, config, deployment), f"update-{name}")
        return {"EndpointArn": arn}

    def _move(self, name: str, config: Record, deployment: Deployment) -> None:
        """Start the new servers, shift traffic, bake; on any doubt go back. The old ones serve until the very end."""
        traffic = self._traffic[name.lower()]
        try:
            deployed = hosted({**config, **self.servers.deployed(config)})
            new = self.servers.start(name, config)
            for share, seconds in deployment.shifts:
                traffic.shift(new, share)
                if deployment.bake(
                    seconds * self.cloud.timing.bake_scale, lambda: self._states(name, config, deployment)
                ):
                    self._go_back(name, "An alarm of the auto-rollback configuration is in state ALARM.")
                    return
        except Exception as error:  # noqa: BLE001  # whatever it is: the endpoint must not stay Updating for ever
            self._go_back(name, _reason(error))
            return
        old = traffic.promote()
        changes = {"EndpointConfigName": config["EndpointConfigName"], **deployed}
        self._settle(name, **changes, EndpointStatus="InService", LastDeploymentConfig=deployment.request)
        old.close()

    def _states(self, name: str, config: Record, deployment: Deployment) -> list[str]:
        """Return the states of a deployment's alarms, read as each model's role; nobody is asked where it has none."""
        if not deployment.alarms:
            return []
        roles = {self.servers.role(variant["ModelName"]) for variant in config["ProductionVariants"]}
        return [state for role in roles for state in alarm_states(self.cloud.access, role, name, deployment.alarms)]

    def _go_back(self, name: str, reason: str) -> None:
        """Go back: the endpoint ends InService on the old configuration, which is easily taken for success."""
        self._settle(name, EndpointStatus="RollingBack")
        self._traffic[name.lower()].give_up()
        self._settle(name, EndpointStatus="InService", FailureReason=reason)

    def scale(self, call: Call) -> dict[str, Any]:
        """Change counts and weights of an endpoint that is in service; its configuration stays as it is.

        Raises:
            ApiError: it does not exist, is not in service, or has no such variant.
        """
        name, wanted = call.request["EndpointName"], call.request["DesiredWeightsAndCapacities"]
        arn = self.resources.arn(ENDPOINT, name)

        def begin(record: Record) -> None:
            if record["EndpointStatus"] != "InService":
                raise invalid(f'Cannot update in-progress endpoint "{arn}": it is {record["EndpointStatus"]}.')
            record |= {"EndpointStatus": "Updating", **scaled(record, wanted)}

        self._send_event(self._change(name, begin))
        self._traffic[name.lower()].set_weights(
            {one["VariantName"]: one["DesiredWeight"] for one in wanted if "DesiredWeight" in one}
        )
        self._settle(name, EndpointStatus="InService")
        return {"EndpointArn": arn}

    def delete(self, call: Call) -> dict[str, Any]:
        """Stop serving; refused while the endpoint is being created or updated."""
        name = call.request["EndpointName"]

        def begin(record: Record) -> None:
            if record["EndpointStatus"] not in ("InService", "Failed"):
                raise invalid(f'Cannot update in-progress endpoint "{record["EndpointArn"]}".')
            record |= {"EndpointStatus": "Deleting", "LastModifiedTime": self.cloud.clock()}

        self._send_event(self._change(name, begin))
        self.cloud.work(lambda: self._take_down(name), f"delete-{name}")
        return {}

    def _take_down(self, name: str) -> None:
        traffic = self._traffic.pop(name.lower(), None)
        try:
            if traffic:
                traffic.close(INVOCATION_TIMEOUT)
        finally:
            self.resources.delete(ENDPOINT, name)

    def _change(self, name: str, begin: Callable[[Record], None]) -> Record:
        try:
            return self.cloud.store.change(ENDPOINT.name, name, begin)
        except NoRecordError:
            raise self.resources.missing(ENDPOINT, name) from None

    def describe(self, call: Call) -> dict[str, Any]:
        """Answer DescribeEndpoint, with the variants as they are deployed."""
        endpoint = self.resources.get(ENDPOINT, call.request["EndpointName"])
        answer = project(service_model("sagemaker").operation_model("DescribeEndpoint").output_shape, endpoint)
        if answer["EndpointStatus"] not in ("Creating", "Failed"):
            answer["ProductionVariants"] = [summary(variant) for variant in endpoint["Variants"]]
            if endpoint["Shadows"]:
                answer["ShadowProductionVariants"] = [summary(variant) for variant in endpoint["Shadows"]]
        return answer

    def invoke(self, call: Call) -> dict[str, Any]:
        """Send a request to a variant and pass its answer on.

        Raises:
            ApiError: ValidationError or ModelError, as the API has them.
        """
        name = call.request["EndpointName"]
        if name.lower() in self._traffic and self.resources.get(ENDPOINT, name).get("AsyncInferenceConfig"):
            raise invalid(f"Endpoint {name} answers asynchronously: use InvokeEndpointAsync.")
        return self._ask(name, call.request, INVOCATION_TIMEOUT)

    def invoke_stream(self, call: Call) -> dict[str, Any]:
        """Send a request to a variant and pass its answer on as a stream, which is of one part here."""
        answer = self.invoke(call)
        told = ("ContentType", "InvokedProductionVariant", "CustomAttributes")
        return {
            "Body": {"PayloadPart": {"Bytes": answer["Body"]}},
            **{name: answer[name] for name in told if name in answer},
        }

    def invoke_async(self, call: Call) -> dict[str, Any]:
        """Let a request wait for an asynchronous endpoint.

        Raises:
            ApiError: ValidationError: there is no such endpoint, or it is none of that kind.
        """
        name = call.request["EndpointName"]
        if name.lower() not in self._traffic:
            raise self._gone(name)
        return self.waiting.invoke(call, self.resources.get(ENDPOINT, name))

    def _ask(self, name: str, request: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        traffic = self._traffic.get(name.lower())
        if traffic is None:
            raise self._gone(name)
        try:
            answer = traffic.ask(request, timeout)
        except FleetClosedError:
            raise self._gone(name) from None
        except (UnknownVariantError, TargetModelError) as error:
            raise invalid(str(error)) from error
        except InvocationError as error:
            raise no_answer(self.cloud, name, error) from error
        check_answer(self.cloud, name, answer)
        return answer_of(answer)

    def _gone(self, name: str) -> ApiError:
        return invalid(f"Endpoint {name} of account {self.cloud.account} not found.")

    def _config(self, call: Call) -> Record:
        """Return the configuration that a request names; the caller needs the right to it too.

        Source: Service Authorization Reference, CreateEndpoint and UpdateEndpoint: endpoint and endpoint-config.
        """
        name = call.request["EndpointConfigName"]
        arn = self.resources.arn(ENDPOINT_CONFIG, name)
        self.cloud.access.require(call.access_key, f"sagemaker:{call.operation}", arn)
        return self.resources.get(ENDPOINT_CONFIG, name)

    def _settle(self, name: str, **members: Any) -> None:
        self._send_event(self.resources.update(ENDPOINT, name, **members))

    def _send_event(self, endpoint: Record) -> None:
        """Tell what an endpoint came to; by now the stored record may be a further step on."""
        detail = {
            **{key: endpoint[key] for key in ("EndpointName", "EndpointArn", "EndpointConfigName")},
            "ProductionVariants": [told(variant) for variant in endpoint["Variants"]],
            "EndpointStatus": _EVENT_STATUS[endpoint["EndpointStatus"]],
            "CreationTime": float(milliseconds(endpoint["CreationTime"])),
            "LastModifiedTime": float(milliseconds(endpoint["LastModifiedTime"])),
            "Tags": tag_map(endpoint),
        }
        self.cloud.events.send("SageMaker Endpoint State Change", [endpoint["EndpointArn"]], detail)

    def close(self) -> None:
        """End all servers at once."""
        self.waiting.close()
        for traffic in list(self._traffic.values()):
            traffic.close(0)


def _reason(error: Exception) -> str:
    """Return an error as a FailureReason; one that nobody foresaw goes to the log with its trace."""
    if isinstance(error, (ServerStartError, ApiError, UnknownImageError)):
        return str(error)[:1024]
    _LOG.error("an endpoint's servers failed unexpectedly", exc_info=error)
    return f"InternalServerError: {error!r}"[:1024]
