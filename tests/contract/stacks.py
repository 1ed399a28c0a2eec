"""Stacks for the contract tests: made, watched until they are at rest, and asked why something failed."""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

from sagemaker_local.server import REGION
from tests.contract.world import PATIENCE, World, allow, image, name, until
from tests.sagemaker_local.support.jobs import tar_gz

type Resources = dict[str, dict[str, Any]]


class Stack:
    """A stack of the tests."""

    def __init__(self, cloud: World, **options: Any) -> None:
        self.cloud, self.name, self.id = cloud, name("Stack"), ""
        self._owner = cloud.client("cloudformation", region=options.pop("region", REGION))
        self._formation, self._options = options.pop("formation", self._owner), options

    def create(self, resources: Resources, outputs: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Create it, and return its description when it is at rest."""
        made = self._formation.create_stack(StackName=self.name, TemplateBody=body(resources, outputs), **self._options)
        self.id = made["StackId"]
        return self.rest()

    def update(self, resources: Resources, outputs: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Update it, and return its description when it is at rest."""
        named = {name: value for name, value in self._options.items() if name == "Capabilities"}
        self._formation.update_stack(StackName=self.name, TemplateBody=body(resources, outputs), **named)
        return self.rest()

    def delete(self) -> str:
        """Delete it, and return its status when it is at rest."""
        self._formation.delete_stack(StackName=self.name)
        return str(self.rest()["StackStatus"])

    def rest(self) -> dict[str, Any]:
        """Wait until nothing goes on, and describe it."""

        def found() -> dict[str, Any] | None:
            answer = self._owner.describe_stacks(StackName=self.id)["Stacks"][0]
            status = answer["StackStatus"]
            return answer if not status.endswith("_IN_PROGRESS") else None

        return until(found)

    def reason(self, logical_id: str) -> str:
        """Return why the last failure of a resource was one."""
        events = self._owner.describe_stack_events(StackName=self.id)["StackEvents"]
        return str(
            next(
                event["ResourceStatusReason"]
                for event in events
                if event["LogicalResourceId"] == logical_id and event["ResourceStatus"].endswith("FAILED")
            )
        )

    def physical(self, logical_id: str) -> str:
        """Return what a resource is in the account."""
        found = self._owner.describe_stack_resource(StackName=self.id, LogicalResourceId=logical_id)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])


def body(resources: Resources, outputs: Mapping[str, Any] | None = None) -> str:
    values = {
        key: value if isinstance(value, dict) and "Value" in value else {"Value": value}
        for key, value in (outputs or {}).items()
    }
    return json.dumps({"Resources": resources, "Outputs": values})


def of(kind: str, more: Mapping[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::SageMaker::{kind}", "Properties": properties, **(more or {})}


def get(logical_id: str, attribute: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [logical_id, attribute]}


def outputs_of(described: Mapping[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def model(cloud: World, repository: str = "echo", **more: Any) -> dict[str, Any]:
    data = cloud.bucket({"model.tar.gz": tar_gz({"model": "1"})})
    container = {"Image": image(repository), "ModelDataUrl": f"s3://{data}/model.tar.gz"}
    return of("Model", PrimaryContainer=container, ExecutionRoleArn=cloud.role(allow("s3:*")), **more)


def serving(model: dict[str, Any], count: int | str = 1) -> Resources:
    """Return the resources that serve a model, by nothing but references to each other."""
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": get("Model", "ModelName"),
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": count,
    }
    return {
        "Endpoint": of("Endpoint", EndpointConfigName=get("Config", "EndpointConfigName")),
        "Config": of("EndpointConfig", ProductionVariants=[variant]),
        "Model": model,
    }


NAME = {"Name": get("Endpoint", "EndpointName"), "Config": get("Config", "EndpointConfigName")}


def predicted(cloud: World, endpoint: str) -> bytes:
    answer = cloud.client("sagemaker-runtime").invoke_endpoint(EndpointName=endpoint, Body=b"1,2")
    return bytes(answer["Body"].read())


def principals(cloud: World, action: str) -> list[str]:
    """Return who was let do an action, the first one first."""
    with urllib.request.urlopen(f"{cloud.url}/_local/calls", timeout=PATIENCE) as answer:  # noqa: S310  # loopback
        calls = json.load(answer)
    return [call["principal"] for call in calls if call["action"] == action and call["allowed"]]


def left(cloud: World, stack: Stack) -> list[str]:
    """Return what is left in the account of a stack's models, configurations and endpoints."""
    sagemaker, found = cloud.client("sagemaker"), {"NameContains": stack.name}
    models = [one["ModelName"] for one in sagemaker.list_models(**found)["Models"]]
    configs = [one["EndpointConfigName"] for one in sagemaker.list_endpoint_configs(**found)["EndpointConfigs"]]
    return models + configs + [one["EndpointName"] for one in sagemaker.list_endpoints(**found)["Endpoints"]]
