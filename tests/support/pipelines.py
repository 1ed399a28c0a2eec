"""The surroundings of the pipelines engine in memory: clients that act as a role, events, and small definitions."""

import io
import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from signalbox_local.pipelines.service import Pipelines
from signalbox_local.pipelines.settings import Settings
from signalbox_local.sagemaker.cloud import Call, Cloud
from signalbox_local.sagemaker.errors import denied, invalid
from signalbox_local.sagemaker.resources import Resources
from signalbox_local.sagemaker.shapes import problems, service_model
from tests.support.botocore_strict import RecordingClient, client_error

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/pipeline"
JOB_ROLE = f"arn:aws:iam::{ACCOUNT}:role/jobs"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:count"
IMAGE = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/own:1"
NOW = datetime(2026, 11, 20, 16, 3, 13, tzinfo=UTC)
PATIENCE = 10  # seconds until a test that waits for something gives up


class FakeSageMaker(RecordingClient):
    """Jobs that complete at the first look, or, while their step is in `held`, when the test ends them."""

    def __init__(self) -> None:
        super().__init__("sagemaker")
        self.jobs: dict[str, dict[str, Any]] = {}
        self.held: set[str] = set()
        self.reasons: dict[str, list[str]] = {}
        self._changed = threading.Condition()

    def hold(self, *steps: str) -> None:
        """Let the jobs of these steps run until `end`."""
        self.held |= set(steps)

    def fail(self, step: str, *reasons: str) -> None:
        """Let the next jobs of a step fail, one for each reason."""
        self.reasons[step] = list(reasons)

    def end(self, step: str, status: str = "Completed", reason: str | None = None) -> None:
        """End the running job of a step, once there is one."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._running(step), PATIENCE), f"no job of {step} runs"
            self._running(step)[-1].update(Status=status, FailureReason=reason)

    def wait_for_job(self, step: str) -> dict[str, Any]:
        """Return the running job of a step, once there is one."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._running(step), PATIENCE), f"no job of {step} runs"
            return self._running(step)[-1]

    def steps(self) -> list[str]:
        """Return the steps that made jobs, in the order of their jobs."""
        return [job["Step"] for job in self.jobs.values()]

    def _running(self, step: str) -> list[dict[str, Any]]:
        return [job for job in self.jobs.values() if job["Step"] == step and job["Status"] == "InProgress"]

    def _create(self, kind: str, request: dict[str, Any]) -> dict[str, Any]:
        name = request[f"{kind}JobName"]
        step = name.split("-", 2)[2].rsplit("-", 1)[0]
        arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:{kind.lower()}-job/{name}"
        reasons = self.reasons.get(step)
        status = "InProgress" if step in self.held else "Failed" if reasons else "Completed"
        reason = reasons.pop(0) if reasons else None
        with self._changed:
            self.jobs[name] = {"Step": step, "Status": status, "FailureReason": reason, "Request": request, "Arn": arn}
            self._changed.notify_all()
        return {f"{kind}JobArn": arn}

    def _describe(self, kind: str, request: dict[str, Any]) -> dict[str, Any]:
        job = self.jobs[request[f"{kind}JobName"]]
        answer = {**job["Request"], f"{kind}JobArn": job["Arn"], f"{kind}JobStatus": job["Status"]}
        answer.pop("Tags", None)
        if job["FailureReason"]:
            answer["FailureReason"] = job["FailureReason"]
        if kind == "Training":
            artifacts = f"{job['Request']['OutputDataConfig']['S3OutputPath']}/{job['Step']}/model.tar.gz"
            answer |= {"ModelArtifacts": {"S3ModelArtifacts": artifacts}, "CreationTime": NOW}
        return answer

    def _stop(self, kind: str, request: dict[str, Any]) -> dict[str, Any]:
        self.jobs[request[f"{kind}JobName"]]["Status"] = "Stopped"
        return {}

    def _create_processing_job(self, **request: Any) -> dict[str, Any]:
        return self._create("Processing", request)

    def _create_training_job(self, **request: Any) -> dict[str, Any]:
        return self._create("Training", request)

    def _create_transform_job(self, **request: Any) -> dict[str, Any]:
        return self._create("Transform", request)

    def _describe_processing_job(self, **request: Any) -> dict[str, Any]:
        return self._describe("Processing", request)

    def _describe_training_job(self, **request: Any) -> dict[str, Any]:
        return self._describe("Training", request)

    def _describe_transform_job(self, **request: Any) -> dict[str, Any]:
        return self._describe("Transform", request)

    def _stop_processing_job(self, **request: Any) -> dict[str, Any]:
        return self._stop("Processing", request)

    def _stop_training_job(self, **request: Any) -> dict[str, Any]:
        return self._stop("Training", request)

    def _stop_transform_job(self, **request: Any) -> dict[str, Any]:
        return self._stop("Transform", request)

    def _create_model(self, **request: Any) -> dict[str, Any]:
        return {"ModelArn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model/{request['ModelName'].lower()}"}

    def _create_model_package(self, **request: Any) -> dict[str, Any]:
        group = request["ModelPackageGroupName"]
        return {"ModelPackageArn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model-package/{group}/1"}

    def _create_model_package_group(self, **request: Any) -> dict[str, Any]:
        group = request["ModelPackageGroupName"]
        return {"ModelPackageGroupArn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model-package-group/{group}"}


class FakeStorage(RecordingClient):
    """S3 objects by URI."""

    def __init__(self) -> None:
        super().__init__("s3")
        self.objects: dict[str, bytes] = {}

    def _get_object(self, **request: Any) -> dict[str, Any]:
        uri = f"s3://{request['Bucket']}/{request['Key']}"
        if uri not in self.objects:
            raise client_error("NoSuchKey", "The specified key does not exist.", status=404)
        return {"Body": io.BytesIO(self.objects[uri])}


class FakeLambda(RecordingClient):
    """A function that answers `answer`; with `error` it fails."""

    def __init__(self) -> None:
        super().__init__("lambda")
        self.answer: Any = {}
        self.error: str | None = None

    def _invoke(self, **request: Any) -> dict[str, Any]:
        failed = {"FunctionError": self.error} if self.error else {}
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(self.answer).encode()), **failed}


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

    def client(self, service: str, role_arn: str, session: str) -> Any:
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
        """Wait until what `happened` tells is true, looking after each event."""
        with self._arrived:
            assert self._arrived.wait_for(happened, PATIENCE), "what was waited for did not happen"


class World:
    """The engine among its fakes. Calls are validated in both directions, as the API does it."""

    def __init__(self, settings: Settings | None = None) -> None:
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
        self.settings = settings or Settings(poll_seconds=0.002, retry_scale=0)
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
        told = [detail for detail in self.events.details() if detail["pipelineExecutionArn"] == arn]
        return str(told[-1]["currentPipelineExecutionStatus"])

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


def get(path: str) -> dict[str, str]:
    """Return a reference."""
    return {"Get": path}


def document(*steps: dict[str, Any], parameters: Any = (), **members: Any) -> dict[str, Any]:
    """Return a definition."""
    return {"Version": "2020-12-01", "Parameters": list(parameters), "Steps": list(steps), **members}


def processing(name: str, inputs: Any = (), outputs: Any = ("out",), **fields: Any) -> dict[str, Any]:
    """Return a Processing step that reads `inputs` (URIs) and writes `outputs` (names)."""
    arguments = {
        "AppSpecification": {"ImageUri": IMAGE},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
        },
        "RoleArn": JOB_ROLE,
        "ProcessingInputs": [
            {
                "InputName": f"in-{number}",
                "S3Input": {"S3Uri": uri, "LocalPath": "/opt/ml/processing/in", "S3DataType": "S3Prefix"},
            }
            for number, uri in enumerate(inputs)
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": output,
                    "S3Output": {
                        "S3Uri": f"s3://bucket/{name}/{output}",
                        "LocalPath": f"/opt/ml/processing/{output}",
                        "S3UploadMode": "EndOfJob",
                    },
                }
                for output in outputs
            ]
        },
    }
    return {"Name": name, "Type": "Processing", "Arguments": arguments, **fields}


def training(name: str, data: Any = "s3://bucket/train", rate: Any = "0.2", **fields: Any) -> dict[str, Any]:
    """Return a Training step."""
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": data}}
    arguments = {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "HyperParameters": {"eta": rate},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": source}],
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "RoleArn": JOB_ROLE,
    }
    return {"Name": name, "Type": "Training", "Arguments": arguments, **fields}


def condition(name: str, conditions: Any, then: Any = (), otherwise: Any = (), **fields: Any) -> dict[str, Any]:
    """Return a Condition step."""
    arguments = {"Conditions": conditions, "IfSteps": list(then), "ElseSteps": list(otherwise)}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **fields}


def compare(kind: str, left: Any, right: Any) -> dict[str, Any]:
    """Return a comparison."""
    return {"Type": kind, "LeftValue": left, "RightValue": right}


def fail(name: str, message: Any = "stop here", **fields: Any) -> dict[str, Any]:
    """Return a Fail step."""
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **fields}


def invoke(name: str, arguments: Any = (), outputs: Any = (), **fields: Any) -> dict[str, Any]:
    """Return a Lambda step with `outputs` as (name, type)."""
    return {
        "Name": name,
        "Type": "Lambda",
        "FunctionArn": FUNCTION,
        "Arguments": dict(arguments),
        "OutputParameters": [{"OutputName": output, "OutputType": kind} for output, kind in outputs],
        **fields,
    }


def register(
    name: str, group: str = "abalone", data: Any = "s3://bucket/model.tar.gz", **fields: Any
) -> dict[str, Any]:
    """Return a RegisterModel step."""
    arguments = {
        "ModelPackageGroupName": group,
        "InferenceSpecification": {
            "Containers": [{"Image": IMAGE, "ModelDataUrl": data}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        "ModelApprovalStatus": "PendingManualApproval",
    }
    return {"Name": name, "Type": "RegisterModel", "Arguments": arguments, **fields}


def model(name: str, data: Any = "s3://bucket/model.tar.gz", **fields: Any) -> dict[str, Any]:
    """Return a Model step."""
    arguments = {"ExecutionRoleArn": JOB_ROLE, "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": data}}
    return {"Name": name, "Type": "Model", "Arguments": arguments, **fields}


def transform(name: str, model_name: Any, **fields: Any) -> dict[str, Any]:
    """Return a Transform step."""
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/test"}}
    arguments = {
        "ModelName": model_name,
        "TransformInput": {"DataSource": source},
        "TransformOutput": {"S3OutputPath": "s3://bucket/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    return {"Name": name, "Type": "Transform", "Arguments": arguments, **fields}
