"""SageMaker with notebook instances, and S3 with their bucket, as fakes that remember; a start does a worker's work."""

import io
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from signalbox_operate.notebooks.fleet import Fleet
from signalbox_operate.notebooks.place import Desk, NotebookStack
from tests.support.botocore_strict import RecordingClient, client_error

ACCOUNT, REGION = "123456789012", "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/people/ana"
SPACE_CONFIG = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:studio-lifecycle-config/nb-space-0123456789"
STACK = NotebookStack("bucket", ACCOUNT, "nb-backup", "nb-restore", "nb-restore-on-start", "ab" * 32, SPACE_CONFIG)
AL2, NEW = "notebook-al2-v3", "notebook-al2023-v1"


class Killed(BaseException):
    """The command died before a call."""


class Bucket(RecordingClient):
    """S3 with one bucket: its objects by key, with conditional writes; `now` is S3's own clock."""

    def __init__(self) -> None:
        super().__init__("s3")
        self.objects: dict[str, tuple[bytes, datetime]] = {}
        self.now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

    def put(self, key: str, document: object) -> None:
        """Have an object of JSON."""
        self.objects[key] = (json.dumps(document).encode(), self.now)

    def read(self, key: str) -> Any:
        """Return what an object of JSON says."""
        return json.loads(self.objects[key][0])

    def _tag(self, key: str) -> str:
        body, at = self.objects[key]
        return f'"{hash((body, at))}"'

    def _get_object(self, **request: Any) -> dict[str, Any]:
        _owned(request)
        if request["Key"] not in self.objects:
            raise client_error("NoSuchKey", status=404)
        body, at = self.objects[request["Key"]]
        date = {"HTTPHeaders": {"date": format_datetime(self.now, usegmt=True)}}
        tag = self._tag(request["Key"])
        return {"Body": io.BytesIO(body), "ETag": tag, "LastModified": at, "ResponseMetadata": date}

    def _put_object(self, **request: Any) -> dict[str, Any]:
        _owned(request)
        key = request["Key"]
        if request.get("IfNoneMatch") == "*" and key in self.objects:
            raise client_error("PreconditionFailed", status=412)
        if "IfMatch" in request and key not in self.objects:
            raise client_error("NoSuchKey", status=404)
        if "IfMatch" in request and request["IfMatch"] != self._tag(key):
            raise client_error("PreconditionFailed", status=412)
        self.objects[key] = (request["Body"], self.now)
        return {"ETag": self._tag(key)}

    def _head_object(self, **request: Any) -> dict[str, Any]:
        _owned(request)
        if request["Key"] not in self.objects:
            raise client_error("404", status=404)
        return {}

    def _delete_object(self, **request: Any) -> dict[str, Any]:
        _owned(request)
        self.objects.pop(request["Key"], None)
        return {}

    def _delete_objects(self, **request: Any) -> dict[str, Any]:
        _owned(request)
        for one in request["Delete"]["Objects"]:
            self.objects.pop(one["Key"], None)
        return {}

    def _list_objects_v2(self, **request: Any) -> dict[str, Any]:
        _owned(request)
        return {"Contents": [{"Key": key} for key in sorted(self.objects) if key.startswith(request["Prefix"])]}


def _owned(request: Mapping[str, Any]) -> None:
    assert request["Bucket"] == STACK.bucket
    assert request["ExpectedBucketOwner"] == ACCOUNT, "the bucket's owner was not checked"


class Instances(RecordingClient):
    """SageMaker with notebook instances whose moves end at the next look.

    A start with one of the stack's configurations does `worker`'s work. `deaths` is the number of the call before which
    the command is killed.
    """

    def __init__(self, bucket: Bucket, worker: Callable[[Any, str, str], None]) -> None:
        super().__init__("sagemaker")
        self.bucket, self.worker = bucket, worker
        self.made: dict[str, dict[str, Any]] = {}
        self.tagged: dict[str, dict[str, str]] = {}
        self.deaths: int | None = None

    def add(self, name: str, platform: str = NEW, status: str = "Stopped", config: str = "", **tags: str) -> None:
        """Have an instance."""
        arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:notebook-instance/{name.lower()}"
        self.made[name] = {
            "NotebookInstanceArn": arn,
            "NotebookInstanceStatus": status,
            "PlatformIdentifier": platform,
            "InstanceType": "ml.t3.medium",
            "VolumeSizeInGB": 7,
            "RoleArn": ROLE,
            "SecurityGroups": ["sg-12345678"],
            "SubnetId": "subnet-1",
            **({"NotebookInstanceLifecycleConfigName": config} if config else {}),
        }
        self.tagged[arn] = {key.replace("_", "-"): value for key, value in tags.items()}

    def tags(self, name: str) -> dict[str, str]:
        """Return the tags of an instance."""
        return self.tagged[self.made[name]["NotebookInstanceArn"]]

    def _answer(self, method: str, operation: str, request: dict[str, Any]) -> Any:
        if self.deaths is not None and len(self.calls) > self.deaths:
            raise Killed
        return super()._answer(method, operation, request)

    def _describe_notebook_instance(self, **request: Any) -> dict[str, Any]:
        name = request["NotebookInstanceName"]
        if name not in self.made:
            raise client_error("ValidationException", "RecordNotFound")
        found = dict(self.made[name])
        ended = {"Stopping": "Stopped", "Updating": "Stopped", "Pending": "InService"}
        status = self.made[name]["NotebookInstanceStatus"]
        self.made[name]["NotebookInstanceStatus"] = ended.get(status, status)
        return found

    def _list_notebook_instances(self, **_: Any) -> dict[str, Any]:
        return {
            "NotebookInstances": [
                {"NotebookInstanceName": name, "NotebookInstanceArn": one["NotebookInstanceArn"]}
                for name, one in sorted(self.made.items())
            ]
        }

    def _list_tags(self, **request: Any) -> dict[str, Any]:
        tags = list(self.tagged[request["ResourceArn"]].items())
        start = int(request.get("NextToken", 0))
        page = [{"Key": key, "Value": value} for key, value in tags[start : start + 2]]
        return {"Tags": page, **({"NextToken": str(start + 2)} if start + 2 < len(tags) else {})}

    def _add_tags(self, **request: Any) -> dict[str, Any]:
        self.tagged[request["ResourceArn"]] |= {one["Key"]: one["Value"] for one in request["Tags"]}
        return {}

    def _delete_tags(self, **request: Any) -> dict[str, Any]:
        for key in request["TagKeys"]:
            self.tagged[request["ResourceArn"]].pop(key, None)
        return {}

    def _create_notebook_instance(self, **request: Any) -> dict[str, Any]:
        given = {one["Key"].replace("-", "_"): one["Value"] for one in request["Tags"]}
        name, config = request["NotebookInstanceName"], request["LifecycleConfigName"]
        self.add(name, request["PlatformIdentifier"], "Pending", config, **given)
        self.worker(self, name, config)
        return {"NotebookInstanceArn": self.made[name]["NotebookInstanceArn"]}

    def _update_notebook_instance(self, **request: Any) -> dict[str, Any]:
        one = self.made[request["NotebookInstanceName"]]
        if one["NotebookInstanceStatus"] not in ("Stopped", "Failed"):
            raise client_error("ValidationException", "Status (InService) not in ([Stopped, Failed])")
        if request.get("DisassociateLifecycleConfig"):
            one.pop("NotebookInstanceLifecycleConfigName", None)
        if "LifecycleConfigName" in request:
            one["NotebookInstanceLifecycleConfigName"] = request["LifecycleConfigName"]
        one["PlatformIdentifier"] = request.get("PlatformIdentifier", one["PlatformIdentifier"])
        one["NotebookInstanceStatus"] = "Updating"
        return {}

    def _start_notebook_instance(self, **request: Any) -> dict[str, Any]:
        name = request["NotebookInstanceName"]
        one = self.made[name]
        if one["NotebookInstanceStatus"] not in ("Stopped", "Failed"):
            raise client_error("ValidationException", "Status (InService) not in ([Stopped, Failed])")
        if one["PlatformIdentifier"] != NEW:
            raise client_error("ValidationException", "AWS starts none of these")
        one["NotebookInstanceStatus"] = "Pending"
        self.worker(self, name, one.get("NotebookInstanceLifecycleConfigName", ""))
        return {}

    def _stop_notebook_instance(self, **request: Any) -> dict[str, Any]:
        one = self.made[request["NotebookInstanceName"]]
        if one["NotebookInstanceStatus"] != "InService":
            raise client_error("ValidationException", "Status not in ([InService])")
        one["NotebookInstanceStatus"] = "Stopping"
        return {}

    def _delete_notebook_instance(self, **request: Any) -> dict[str, Any]:
        if self.made[request["NotebookInstanceName"]]["NotebookInstanceStatus"] not in ("Stopped", "Failed"):
            raise client_error("ValidationException", "Status not in ([Stopped, Failed])")
        del self.made[request["NotebookInstanceName"]]
        return {}


def document(operation: str, request: str, snapshot: str, state: str = "complete", **more: Any) -> dict[str, Any]:
    """Return a status document as the worker writes it."""
    return {
        "operation": operation,
        "request": request,
        "snapshot": snapshot,
        "state": state,
        "updated": "2026-11-20T12:00:00Z",
        "files": {"total": 10, "done": 10, "left_out": 0},
        "bytes": {"total": 100, "done": 100, "moved": 100},
        "left_out": [],
        "secrets": 0,
        "environments": 2,
        "reason": None,
        "advice": None,
        **more,
    }


def at_once(instances: Instances, name: str, config: str) -> None:
    """Save or restore at once, as the tags ask for it, once for each request."""
    operation = {STACK.backup: "backup", STACK.restore: "restore", STACK.restore_on_start: "restore"}.get(config)
    if operation is None:
        return
    tags, bucket = instances.tags(name), instances.bucket
    prefix = f"{tags['snapshot-prefix']}/" if tags.get("snapshot-prefix") else ""
    request = tags["snapshot-request"]
    snapshot = tags["backup-snapshot"] if operation == "restore" else f"{name}_2026-11-20-12-00-0{len(bucket.objects)}"
    key = f"{prefix}status/{name}/{operation}.json"
    if key in bucket.objects and bucket.read(key)["request"] == request:
        return
    bucket.put(key, document(operation, request, snapshot))
    tags |= {"snapshot-status": "complete 10 files", "snapshot-name": snapshot}
    if operation == "backup":
        totals = {"files": 10, "bytes": 100, "left_out": 0}
        bucket.put(f"{prefix}snapshots/{snapshot}/complete.json", {"totals": totals})


class Waits:
    """Waits that take no time: S3's clock goes on, and every wait is remembered."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket, self.seconds = bucket, 0.0

    def __call__(self, seconds: float) -> None:
        """Wait."""
        self.seconds += seconds
        self.bucket.now += timedelta(seconds=seconds)


def desk(worker: Callable[[Any, str, str], None] = at_once) -> tuple[Desk, Instances, Bucket]:
    """Return a desk of fakes, its instances, and its bucket."""
    bucket = Bucket()
    instances = Instances(bucket, worker)
    roles = RecordingClient("iam", {"list_role_tags": {"Tags": []}})
    return Desk(STACK, Fleet(instances, Waits(bucket)), bucket, roles), instances, bucket
