"""Two stacks in two accounts and regions, in memory: what ran in the first is promoted to the second."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.response import StreamingBody

from signalbox_operate.projects import deploying, reading
from signalbox_operate.promotions import carrying, planning
from signalbox_operate.promotions.model import Plan, Side, Wanted
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.project_cloud import Parameters, ProjectCloud, SageMaker
from tests.support.project_folders import SCRIPT, YAML, write

PIPELINE = "dev-wine--train"
COMMIT = "3e5983aa" * 5
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = "5f00baaa" * 5
WINE = Wanted("wine")
# Reads its code, encrypts with the key, runs an image of AWS, and has a parameter that differs between stacks.
ACCOUNT_OF = '{"us-east-1": "683313688378", "eu-west-1": "141502667606"}[said["SIGNALBOX_REGION"]]'
RICH = SCRIPT.replace(
    '"image"', f'{ACCOUNT_OF} + ".dkr.ecr." + said["SIGNALBOX_REGION"] + ".amazonaws.com/sagemaker-xgboost:1.7-1"'
).replace(
    '"RoleArn": said["SIGNALBOX_JOB_ROLE"],',
    '"RoleArn": said["SIGNALBOX_JOB_ROLE"],\n        "Environment": {"CODE": said["SIGNALBOX_CODE"], '
    '"KEY": said["SIGNALBOX_KEY"], "DATA": said["SIGNALBOX_DATA"] + "/x", "OUT": said["SIGNALBOX_OUTPUT"], '
    '"PIPELINE": said["SIGNALBOX_PIPELINE"], "EPOCHS": "3"},',
)


class Buckets(RecordingClient):
    """S3, whose objects are bytes by bucket and key."""

    def __init__(self) -> None:
        super().__init__("s3")
        self.objects: dict[tuple[str, str], bytes] = {}

    def _put_object(self, **request: Any) -> dict[str, Any]:
        self.objects[request["Bucket"], request["Key"]] = request["Body"]
        return {"VersionId": "v1"}

    def _get_object(self, **request: Any) -> dict[str, Any]:
        body = self.objects[request["Bucket"], request["Key"]]
        return {"Body": StreamingBody(io.BytesIO(body), len(body))}

    def _list_objects_v2(self, **request: Any) -> dict[str, Any]:
        home = request["Bucket"], request["Prefix"]
        keys = [key for bucket, key in self.objects if bucket == home[0] and key.startswith(home[1])]
        return {"Contents": [{"Key": key} for key in keys], "IsTruncated": False}


class Runs(SageMaker):
    """SageMaker, whose executions have the definition that their pipeline had when they were started."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[dict[str, Any]] = []

    def ran(self, pipeline: str, region: str, account: str, status: str = "Succeeded") -> str:
        """Let a pipeline run; return the execution's ARN."""
        number = len(self.runs) + 1
        arn = f"arn:aws:sagemaker:{region}:{account}:pipeline/{pipeline}/execution/{number:012d}"
        definition = self.pipelines[pipeline]["PipelineDefinition"]
        self.runs.insert(0, {"pipeline": pipeline, "arn": arn, "status": status, "definition": definition})
        return arn

    def _list_pipeline_executions(self, **request: Any) -> dict[str, Any]:
        if request["PipelineName"] not in self.pipelines:
            raise client_error("ResourceNotFound", "Pipeline does not exist")
        return {
            "PipelineExecutionSummaries": [
                {
                    "PipelineExecutionArn": one["arn"],
                    "PipelineExecutionDisplayName": f"run-{int(one['arn'][-12:])}",
                    "PipelineExecutionStatus": one["status"],
                }
                for one in self.runs
                if one["pipeline"] == request["PipelineName"]
            ]
        }

    def _describe_pipeline_definition_for_execution(self, **request: Any) -> dict[str, Any]:
        (found,) = [one for one in self.runs if one["arn"] == request["PipelineExecutionArn"]]
        return {"PipelineDefinition": found["definition"]}


class Writable(Parameters):
    """Parameter Store, which is written to."""

    def _put_parameter(self, **request: Any) -> dict[str, Any]:
        self.found[request["Name"]] = request["Value"]
        return {"Version": 1}


class PromotionCloud(ProjectCloud):
    """A stack, with what a promotion needs of it: who is signed in, objects, and runs."""

    def __init__(self, prefix: str, account: str, region: str) -> None:
        super().__init__(prefix, account, region)
        self.runs, self.buckets, parameters = Runs(), Buckets(), Writable()
        parameters.found = self.ssm.found
        self.sagemaker, self.s3, self.ssm = self.runs, self.buckets, parameters
        self.caller = f"arn:aws:sts::{account}:assumed-role/Promoter/ann"
        sts = RecordingClient("sts", {"get_caller_identity": {"Account": account, "Arn": self.caller}})
        self.clients |= {"sagemaker": self.runs, "s3": self.buckets, "ssm": parameters, "sts": sts}

    @property
    def side(self) -> Side:
        """Return the stack as a promotion has it."""
        return Side(self.place(), self.account, self.caller)

    def deploy(self, folder: Path, commit: str = COMMIT, yaml: str = YAML, **files: str) -> None:
        """Deploy a project as a build of a commit does."""
        deploying.deploy(reading.read(write(folder, yaml, **files)), self.place(), commit)

    def ran(self, status: str = "Succeeded") -> str:
        """Let the project's pipeline run as it is deployed."""
        return self.runs.ran(f"{self.prefix}-wine--train", self.region, self.account, status)

    def definition(self) -> dict[str, Any]:
        """Return the definition of the project's pipeline."""
        found: dict[str, Any] = json.loads(self.runs.pipelines[f"{self.prefix}-wine--train"]["PipelineDefinition"])
        return found

    def published(self) -> dict[str, Any]:
        """Return what the stack is told to run."""
        text = self.ssm.found.get(f"/{self.prefix}/published/wine", '{"pipelines": {}}')
        found: dict[str, Any] = json.loads(text)["pipelines"]
        return found

    def written(self) -> list[str]:
        """Return what was written, by operation."""
        calls = [name for client in self.clients.values() for name, _ in client.calls]
        return [name for name in calls if not name.startswith(("Describe", "Get", "List", "Query"))]


type Stacks = tuple[PromotionCloud, PromotionCloud]


def two() -> Stacks:
    """Return dev and prod."""
    return PromotionCloud("dev", "111111111111", "us-east-1"), PromotionCloud("prod", "222222222222", "eu-west-1")


def deployed(folder: Path) -> Stacks:
    """Return dev, where the project has run at a commit, and prod, where it is deployed and has not."""
    dev, prod = two()
    dev.deploy(folder, pipeline__py=RICH)
    prod.deploy(folder, commit="", pipeline__py=RICH)
    dev.ran()
    return dev, prod


def promote(stacks: Stacks, wanted: Wanted = WINE) -> Plan:
    """Promote from the first to the second."""
    dev, prod = stacks
    plan = planning.plan(wanted, dev.side, prod.side)
    if not plan.there:
        carrying.carry_out(plan, NOW)
    return plan
