"""Clients in memory, as which the pipelines engine acts: jobs under a test's control, objects, a function."""

import io
import json
import threading
from datetime import UTC, datetime
from typing import Any

from tests.support.botocore_strict import RecordingClient, client_error

ACCOUNT = "123456789012"
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
