"""The pipelines engine among fakes: who may do what, the events, and the calls that a test makes."""

import json
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from tests.sagemaker_local.support.pipeline_clients import (
    ACCOUNT,
    NOW,
    PATIENCE,
    FakeLambda,
    FakeSageMaker,
    FakeStorage,
)

from sagemaker_local.core.cloud import Call, Cloud
from sagemaker_local.core.errors import denied, invalid
from sagemaker_local.core.members import check
from sagemaker_local.core.resources import Resources
from sagemaker_local.core.shapes import problems, service_model
from sagemaker_local.pipelines.service import Pipelines
from sagemaker_local.pipelines.settings import PipelineSettings

ROLE = f"arn:aws:iam::{ACCOUNT}:role/pipeline"


class FakeAccess:
    """Everybody may do everything but what is in `forbidden`; remembers what was asked, and who acted as whom."""

    def __init__(self) -> None:
        self.sagemaker, self.s3, self.functions = FakeSageMaker(), FakeStorage(), FakeLambda()
        self.forbidden: set[str] = set()
        self.untrusted: set[str] = set()
        self.asked: list[tuple[str, str, str, dict[str, str]]] = []
        self.acted: list[tuple[str, str]] = []

    def require(self, access_key: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> None:
        """Refuse what is forbidden."""
        self.asked.append((access_key, action, resource, dict(context or {})))
        if action in self.forbidden:
            raise denied(f"not authorized to perform {action}")

    def require_service_role(self, role_arn: str) -> None:
        """Refuse a role that does not trust the service."""
        if role_arn in self.untrusted:
            raise invalid(f"Could not assume role {role_arn}.")

    def environment(self, role_arn: str, session: str) -> dict[str, str]:
        """Return nothing: no program runs here."""
        return {}

    def temporary(self, role_arn: str, session: str, seconds: float) -> dict[str, str]:
        """Return nothing: no program runs here."""
        return {}

    def client(self, service: str, role_arn: str, session: str, output_key: str = "") -> Any:
        """Return the fake of a service."""
        self.acted.append((service, role_arn))
        return {"sagemaker": self.sagemaker, "s3": self.s3, "lambda": self.functions}[service]


class FakeEvents:
    """Remembers the events, and lets a test wait for one."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, list[str], dict[str, Any]]] = []
        self._arrived = threading.Condition()

    def send(self, detail_type: str, resources: list[str], detail: dict[str, Any]) -> None:
        """Remember an event."""
        with self._arrived:
            self.sent.append((detail_type, resources, detail))
            self._arrived.notify_all()

    def details(self, kind: str = "Execution Status") -> list[dict[str, Any]]:
        """Return the details of the events whose type contains `kind`."""
        return [detail for name, _, detail in self.sent if kind in name]

    def wait_until(self, happened: Callable[[], bool]) -> None:
        """Wait until `happened` is true, looking after each event."""
        with self._arrived:
            assert self._arrived.wait_for(happened, PATIENCE), "what was waited for did not happen"


class World:
    """The engine among its fakes. Calls are validated in both directions, as the API does it."""

    def __init__(self, settings: PipelineSettings | None = None) -> None:
        self.now = NOW
        self.access, self.events = FakeAccess(), FakeEvents()
        self.cloud = Cloud(
            account=ACCOUNT,
            region="us-east-1",
            endpoint_url="http://127.0.0.1:1",
            folder=Path(),
            containers=Path(),
            access=self.access,
            events=self.events,
            root_client=self._no_client,
            clock=lambda: self.now,
        )
        self.resources = Resources(self.cloud)
        self.settings = settings or PipelineSettings(poll_seconds=0.002, retry_scale=0)
        self.operations = Pipelines(self.cloud, self.resources, self.settings).operations()
        self._token = 0

    @staticmethod
    def _no_client(service: str) -> Any:
        raise AssertionError(f"the engine acts as the role, but asked for the root's client of {service}")

    @property
    def sagemaker(self) -> FakeSageMaker:
        """Return the client of SageMaker."""
        return self.access.sagemaker

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    def call(self, operation: str, **request: Any) -> Any:
        """Call an operation."""
        model = service_model("sagemaker").operation_model(operation)
        assert not problems(cast("Any", model.input_shape), request)
        check("sagemaker", operation, request, self.cloud.arn(""))
        answer = self.operations[operation](Call(operation, request, "key", "principal"))
        assert not problems(cast("Any", model.output_shape), answer)
        return answer

    def token(self) -> str:
        """Return a token that was not used yet."""
        self._token += 1
        return f"token-{self._token:032}"

    def create(self, document: Any, name: str = "Abalone", **members: Any) -> str:
        """Create a pipeline and return its ARN."""
        text = document if isinstance(document, str) else json.dumps(document)
        request = {
            "PipelineName": name,
            "PipelineDefinition": text,
            "RoleArn": ROLE,
            "ClientRequestToken": self.token(),
        }
        return str(self.call("CreatePipeline", **{**request, **members})["PipelineArn"])

    def start(self, name: str = "Abalone", parameters: Mapping[str, str] | None = None, **members: Any) -> str:
        """Start an execution and return its ARN."""
        listed = [{"Name": key, "Value": value} for key, value in (parameters or {}).items()]
        request = {"PipelineName": name, "ClientRequestToken": self.token(), "PipelineParameters": listed, **members}
        return str(self.call("StartPipelineExecution", **request)["PipelineExecutionArn"])

    def stop(self, arn: str) -> None:
        """Stop an execution."""
        self.call("StopPipelineExecution", PipelineExecutionArn=arn, ClientRequestToken=self.token())

    def ended(self, arn: str) -> dict[str, Any]:
        """Return the description of an execution, once the event of its end has come."""
        self.events.wait_until(lambda: self._last_told(arn) not in {"Executing", "Stopping"})
        return dict(self.call("DescribePipelineExecution", PipelineExecutionArn=arn))

    def _last_told(self, arn: str) -> str:
        sent = [detail for detail in self.events.details() if detail["pipelineExecutionArn"] == arn]
        return str(sent[-1]["currentPipelineExecutionStatus"])

    def status(self, arn: str) -> str:
        """Return the status of an execution."""
        return str(self.call("DescribePipelineExecution", PipelineExecutionArn=arn)["PipelineExecutionStatus"])

    def steps(self, arn: str) -> dict[str, dict[str, Any]]:
        """Return the steps of an execution by name, in the order of their start."""
        answer = self.call(
            "ListPipelineExecutionSteps", PipelineExecutionArn=arn, SortOrder="Ascending", MaxResults=100
        )
        return {step["StepName"]: step for step in answer["PipelineExecutionSteps"]}

    def statuses(self, arn: str) -> dict[str, str]:
        """Return the status of each step that has started."""
        return {name: step["StepStatus"] for name, step in self.steps(arn).items()}

    def wait_for_step(self, arn: str, name: str, status: str) -> None:
        """Wait until a step has a status."""
        self.events.wait_until(lambda: self.statuses(arn).get(name) == status)

    def run(self, document: Any, parameters: Mapping[str, str] | None = None) -> tuple[dict[str, Any], str]:
        """Create a pipeline, run it to its end, and return the description and the ARN of the execution."""
        self.create(document)
        arn = self.start(parameters=parameters)
        return self.ended(arn), arn
