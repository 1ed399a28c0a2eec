"""Pipelines: create, update, describe, list and delete."""

import threading
from typing import Any

from sagemaker_local.core.cloud import Call, Cloud
from sagemaker_local.core.errors import conflict, invalid, limit_exceeded, not_found
from sagemaker_local.core.resources import PIPELINE, ResourceKind, Resources, answer_list
from sagemaker_local.core.roles import pass_role, tag_at_creation
from sagemaker_local.core.shapes import project, service_model
from sagemaker_local.core.store import Record
from sagemaker_local.pipelines.definition import parse
from sagemaker_local.pipelines.role import PipelineRole, StepFailedError
from sagemaker_local.pipelines.settings import PipelineSettings

# What Create and Update take over as it is.
_KEPT = ("PipelineDisplayName", "PipelineDescription", "ParallelismConfiguration", "RoleArn")


class Catalog:
    """The pipelines of the account. Their ARNs are in lower case, whatever their names are."""

    def __init__(self, cloud: Cloud, resources: Resources, settings: PipelineSettings, lock: threading.RLock) -> None:
        self._cloud = cloud
        self._resources = resources
        self._settings = settings
        self._lock = lock

    def create(self, call: Call) -> dict[str, Any]:
        """Answer CreatePipeline. The same token with the same request answers the same ARN; with another, conflict."""
        request = call.request
        with self._lock:
            twin = self._created_by(request)
            if twin:
                return twin
            if len(self._cloud.store.all(PIPELINE.name)) >= self._settings.pipelines:
                raise limit_exceeded(f"The account-level limit is {self._settings.pipelines} pipelines.")
            tag_at_creation(self._cloud, call, self._arn(request["PipelineName"]))
            pass_role(self._cloud, call, request["RoleArn"])
            text = self._definition(request, request["RoleArn"])
            if text is None:
                raise invalid("One of PipelineDefinition and PipelineDefinitionS3Location is required.")
            record = self._resources.create(
                PIPELINE,
                {"PipelineDisplayName": request["PipelineName"], **request},
                PipelineArn=self._arn(request["PipelineName"]),
                PipelineStatus="Active",
                Versions=[self._version(text)],
                Request=request,
            )
        return {"PipelineArn": record["PipelineArn"]}

    def update(self, call: Call) -> dict[str, Any]:
        """Answer UpdatePipeline: a new version for the executions to come; those that run keep theirs."""
        request = call.request
        with self._lock:
            record = self.find(request["PipelineName"])
            role = str(request.get("RoleArn", record["RoleArn"]))
            pass_role(self._cloud, call, role)
            text = self._definition(request, role)
            versions = [*record["Versions"], self._version(text or record["Versions"][-1]["Text"])]
            kept = {name: request[name] for name in _KEPT if name in request}
            self._resources.update(PIPELINE, record["PipelineName"], Versions=versions, **kept)
        return {"PipelineArn": record["PipelineArn"], "PipelineVersionId": len(versions)}

    def describe(self, call: Call) -> dict[str, Any]:
        """Answer DescribePipeline, of the newest version or of the one asked for."""
        record = self.find(call.request["PipelineName"])
        text, _ = self.version(record, call.request.get("PipelineVersionId"))
        shape = service_model("sagemaker").operation_model("DescribePipeline").output_shape
        return project(shape, {**record, "PipelineDefinition": text})

    def list_pipelines(self, call: Call) -> dict[str, Any]:
        """Answer ListPipelines."""
        prefix = call.request.get("PipelineNamePrefix", "")
        records = [item for item in self._cloud.store.all(PIPELINE.name) if item["PipelineName"].startswith(prefix)]
        return answer_list(PIPELINE, "ListPipelines", call.request, records)

    def delete(self, record: Record) -> None:
        """Forget a pipeline."""
        self._resources.delete(PIPELINE, record["PipelineName"])

    def find(self, name_or_arn: str) -> Record:
        """Return a pipeline by its name, or by its ARN in any case.

        Raises:
            ApiError: ResourceNotFound.
        """
        arn = name_or_arn.lower() if name_or_arn.startswith("arn:") else self._arn(name_or_arn)
        for record in self._cloud.store.all(PIPELINE.name):
            if record["PipelineArn"] == arn:
                return record
        raise not_found(f"Pipeline '{arn}' does not exist.")

    def version(self, record: Record, number: int | None) -> tuple[str, int]:
        """Return the definition of a version, the newest where none is asked for, and its number.

        Raises:
            ApiError: ResourceNotFound.
        """
        versions: list[dict[str, Any]] = record["Versions"]
        wanted = len(versions) if number is None else number
        if not 1 <= wanted <= len(versions):
            raise not_found(f"Pipeline '{record['PipelineArn']}' has no version {wanted}.")
        return str(versions[wanted - 1]["Text"]), wanted

    def list_versions(self, call: Call) -> dict[str, Any]:
        """Answer ListPipelineVersions."""
        record, kind = self.find(call.request["PipelineName"]), ResourceKind("PipelineVersion", "", "", "")
        versions = [
            {**one, "PipelineArn": record["PipelineArn"], "PipelineVersionId": number}
            for number, one in enumerate(record["Versions"], 1)
        ]
        return answer_list(kind, "ListPipelineVersions", call.request, versions)

    def ran(self, record: Record, version: int, execution: str) -> None:
        """Note that an execution of a version starts now."""
        now = self._cloud.clock()

        def change(record: Record) -> None:
            record |= {"LastRunTime": now, "LastExecutionTime": now}
            record["Versions"][version - 1]["LastExecutionPipelineExecutionArn"] = execution

        self._cloud.store.change(PIPELINE.name, record["PipelineName"], change)

    def _version(self, text: str) -> dict[str, Any]:
        now = self._cloud.clock()
        return {"Text": text, "CreationTime": now, "LastModifiedTime": now}

    def _arn(self, name: str) -> str:
        return self._resources.arn(PIPELINE, name).lower()

    def _created_by(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """Return the answer that this token had before; refuse the token for another request, and a taken name."""
        arn = self._arn(request["PipelineName"])
        for record in self._cloud.store.all(PIPELINE.name):
            if record["Request"]["ClientRequestToken"] == request["ClientRequestToken"]:
                if record["Request"] == request:
                    return {"PipelineArn": record["PipelineArn"]}
                raise conflict("The ClientRequestToken was used for another CreatePipeline request.")
            if record["PipelineArn"] == arn:
                raise invalid(PIPELINE.taken.format(name=request["PipelineName"], arn=arn))
        return None

    def _definition(self, request: dict[str, Any], role_arn: str) -> str | None:
        """Return the definition of a request, checked, or None where it has none."""
        text, place = request.get("PipelineDefinition"), request.get("PipelineDefinitionS3Location")
        if text is not None and place is not None:
            raise invalid("PipelineDefinition and PipelineDefinitionS3Location exclude each other.")
        if place is not None:
            text = self._read(place, role_arn)
        if text is not None:
            parse(text)
        return text

    def _read(self, place: dict[str, str], role_arn: str) -> str:
        version = {"VersionId": place["VersionId"]} if "VersionId" in place else {}
        try:
            answer = PipelineRole(self._cloud, role_arn).call(
                "s3", "GetObject", Bucket=place["Bucket"], Key=place["ObjectKey"], **version
            )
            return str(answer["Body"].read().decode())
        except (StepFailedError, UnicodeDecodeError) as error:
            raise invalid(f"The pipeline definition s3://{place['Bucket']}/{place['ObjectKey']}: {error}") from error
