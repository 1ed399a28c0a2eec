"""Executions: start, describe, list, stop and retry."""

import threading
from functools import partial
from typing import Any

from sagemaker_local.core.cloud import Call, Cloud, lower_id
from sagemaker_local.core.errors import conflict, invalid, limit_exceeded, not_found
from sagemaker_local.core.resources import Resources, page
from sagemaker_local.core.shapes import moment, problems, project, service_model
from sagemaker_local.core.store import NoRecordError, Record
from sagemaker_local.pipelines.catalog import Catalog
from sagemaker_local.pipelines.definition import parse
from sagemaker_local.pipelines.execution import ExecutionRun
from sagemaker_local.pipelines.execution_store import EXECUTION, ExecutionStore
from sagemaker_local.pipelines.expressions import Scope, evaluate
from sagemaker_local.pipelines.model import Definition
from sagemaker_local.pipelines.parameters import bind, spelled
from sagemaker_local.pipelines.settings import PipelineSettings

_ACTIVE = {"Executing", "Stopping"}


class Executions:
    """The executions of the account. One lock makes a start whole: token, quota and record together."""

    def __init__(
        self, cloud: Cloud, resources: Resources, settings: PipelineSettings, lock: threading.RLock, catalog: Catalog
    ) -> None:
        self._cloud = cloud
        self._resources = resources
        self._settings = settings
        self._lock = lock
        self._catalog = catalog
        self._runs: dict[str, ExecutionRun] = {}

    def start(self, call: Call) -> dict[str, Any]:
        """Answer StartPipelineExecution. The same token with the same request answers the same execution."""
        request = call.request
        with self._lock:
            pipeline = self._catalog.find(request["PipelineName"])
            asked = {**request, "PipelineName": pipeline["PipelineArn"]}
            asked["PipelineParameters"] = sorted(request.get("PipelineParameters", []), key=lambda item: item["Name"])
            twin = self._started_by(request["ClientRequestToken"], asked)
            if twin:
                return twin
            text, version = self._catalog.version(pipeline, request.get("PipelineVersionId"))
            plan = parse(text)
            values = bind(plan.parameters, asked["PipelineParameters"])
            self._check_quota()
            record = self._record(pipeline, request, text, version)
            record.update(Parameters=values, Request=asked, **_experiment(plan, record, values))
            self._catalog.ran(pipeline, version, record["PipelineExecutionArn"])
            store = ExecutionStore(self._cloud, record["PipelineExecutionArn"])
            store.open(record)
            run = self._new_run(store, plan)
        self._launch(store, run, None)
        return {"PipelineExecutionArn": store.arn}

    def retry(self, call: Call) -> dict[str, Any]:
        """Answer RetryPipelineExecution: the steps that did not succeed run again, in the same execution."""
        request = call.request
        with self._lock:
            record = self._find(request["PipelineExecutionArn"])
            if record.get("RetryToken") == request["ClientRequestToken"]:
                return {"PipelineExecutionArn": record["PipelineExecutionArn"]}
            self._check_quota()
            store = ExecutionStore(self._cloud, record["PipelineExecutionArn"])
            kept = {key: request[key] for key in ("ParallelismConfiguration",) if key in request}
            previous = store.reopen(RetryToken=request["ClientRequestToken"], **kept)
            run = self._new_run(store, parse(record["PipelineDefinition"]))
        self._launch(store, run, previous)
        return {"PipelineExecutionArn": store.arn}

    def stop(self, call: Call) -> dict[str, Any]:
        """Answer StopPipelineExecution; the same token again answers the same."""
        arn = self._find(call.request["PipelineExecutionArn"])["PipelineExecutionArn"]
        ExecutionStore(self._cloud, arn).stop(call.request["ClientRequestToken"])
        with self._lock:  # held by a start from its record to its run
            run = self._runs.get(arn)
        if run:
            run.stop()
        return {"PipelineExecutionArn": arn}

    def describe(self, call: Call) -> dict[str, Any]:
        """Answer DescribePipelineExecution."""
        return self._projected("DescribePipelineExecution", call)

    def definition(self, call: Call) -> dict[str, Any]:
        """Answer DescribePipelineDefinitionForExecution: the definition that was current at the start."""
        return self._projected("DescribePipelineDefinitionForExecution", call)

    def parameters(self, call: Call) -> dict[str, Any]:
        """Answer ListPipelineParametersForExecution: every parameter, given or by default."""
        record = self._find(call.request["PipelineExecutionArn"])
        listed = [{"Name": name, "Value": spelled(value)} for name, value in record["Parameters"].items()]
        return page(call.request, "PipelineParameters", listed)

    def steps(self, call: Call) -> dict[str, Any]:
        """Answer ListPipelineExecutionSteps: the steps that have started, the latest first."""
        if "PipelineExecutionArn" not in call.request:
            raise invalid("PipelineExecutionArn is required.")
        shape = service_model("sagemaker").shape_for("PipelineExecutionStep")
        entries = list(self._find(call.request["PipelineExecutionArn"])["Steps"].values())
        if call.request.get("SortOrder", "Descending") == "Descending":
            entries.reverse()
        return page(call.request, "PipelineExecutionSteps", [project(shape, entry) for entry in entries])

    def list_executions(self, call: Call) -> dict[str, Any]:
        """Answer ListPipelineExecutions."""
        request = call.request
        pipeline = self._catalog.find(request["PipelineName"])
        records = [item for item in self._of(pipeline) if _created_within(request, item)]
        # Records come oldest first, which orders those of one instant too.
        if request.get("SortBy") == "PipelineExecutionArn":
            records.sort(key=lambda item: str(item["PipelineExecutionArn"]))
        if request.get("SortOrder", "Descending") == "Descending":
            records.reverse()
        shape = service_model("sagemaker").shape_for("PipelineExecutionSummary")
        summaries = [
            project(shape, {**item, "PipelineExecutionFailureReason": item.get("FailureReason")}) for item in records
        ]
        return page(request, "PipelineExecutionSummaries", summaries)

    def forget(self, pipeline: Record) -> None:
        """Delete the executions of a pipeline.

        Raises:
            ApiError: ConflictException: one of them runs.
        """
        records = self._of(pipeline)
        if any(record["PipelineExecutionStatus"] in _ACTIVE for record in records):
            raise conflict(f"Pipeline '{pipeline['PipelineArn']}' has running executions: stop them first.")
        for record in records:
            self._cloud.store.delete(EXECUTION, record["PipelineExecutionArn"])

    def _new_run(self, store: ExecutionStore, plan: Definition) -> ExecutionRun:
        run = self._runs[store.arn] = ExecutionRun(self._cloud, self._resources, self._settings, store, plan)
        return run

    def _launch(self, store: ExecutionStore, run: ExecutionRun, previous: str | None) -> None:
        """Send the event of the start, and run. Not under the lock: its receiver may call this service at once."""
        store.announce(previous)
        self._cloud.work(partial(self._work, store.arn, run), f"pipeline {store.arn.rsplit('/', 1)[-1]}")

    def _work(self, arn: str, run: ExecutionRun) -> None:
        run.run()
        with self._lock:  # a retry may have put another run in its place
            if self._runs.get(arn) is run:
                del self._runs[arn]

    def _record(self, pipeline: Record, request: dict[str, Any], text: str, version: int) -> Record:
        now = self._cloud.clock()
        parallel = request.get("ParallelismConfiguration", pipeline.get("ParallelismConfiguration"))
        return {
            "PipelineExecutionArn": f"{pipeline['PipelineArn']}/execution/{lower_id()}",
            "PipelineArn": pipeline["PipelineArn"],
            "PipelineName": pipeline["PipelineName"],
            "PipelineDefinition": text,
            "PipelineVersionId": version,
            "PipelineExecutionDisplayName": f"execution-{now.timestamp() * 1000:.0f}",
            "PipelineExecutionStatus": "Executing",
            "RoleArn": pipeline["RoleArn"],
            # A pipeline that is deleted and made anew finds nothing of its namesake's in the cache.
            "CacheIdentity": f"{pipeline['PipelineArn']} {pipeline['CreationTime'].isoformat()}",
            "Steps": {},
            "CreationTime": now,
            "StartTime": now,
            "LastModifiedTime": now,
            **({"ParallelismConfiguration": parallel} if parallel else {}),
            **{key: value for key, value in request.items() if key.startswith("PipelineExecution")},
        }

    def _started_by(self, token: str, asked: dict[str, Any]) -> dict[str, Any] | None:
        """Return the answer that this token had before; refuse the token for another request."""
        for record in self._cloud.store.all(EXECUTION):
            if record["Request"]["ClientRequestToken"] == token:
                if record["Request"] == asked:
                    return {"PipelineExecutionArn": record["PipelineExecutionArn"]}
                raise conflict("The ClientRequestToken was used for another StartPipelineExecution request.")
        return None

    def _check_quota(self) -> None:
        records = self._cloud.store.all(EXECUTION)
        active = sum(record["PipelineExecutionStatus"] in _ACTIVE for record in records)
        if active >= self._settings.concurrent_executions:
            raise limit_exceeded(
                f"The account-level limit is {self._settings.concurrent_executions} concurrent pipeline executions."
            )

    def _projected(self, operation: str, call: Call) -> dict[str, Any]:
        shape = service_model("sagemaker").operation_model(operation).output_shape
        return project(shape, self._find(call.request["PipelineExecutionArn"]))

    def _find(self, arn: str) -> Record:
        try:
            return self._cloud.store.get(EXECUTION, arn.lower())
        except NoRecordError:
            raise not_found(f"Pipeline execution with ARN {arn} does not exist.") from None

    def _of(self, pipeline: Record) -> list[Record]:
        return [item for item in self._cloud.store.all(EXECUTION) if item["PipelineArn"] == pipeline["PipelineArn"]]


def _experiment(plan: Definition, record: Record, values: dict[str, Any]) -> dict[str, Any]:
    """Return the PipelineExperimentConfig of an execution, where the definition has one."""
    if plan.experiment is None:
        return {}
    arn = record["PipelineExecutionArn"]
    facts = {
        "PipelineName": record["PipelineName"],
        "PipelineArn": record["PipelineArn"],
        "PipelineExecutionId": arn.rsplit("/", 1)[-1],
        "PipelineExecutionArn": arn,
        "StartDateTime": record["StartTime"].isoformat(),
        "CurrentDateTime": record["StartTime"].isoformat(),
    }
    config = evaluate(plan.experiment, Scope(plan, values, facts, {}, lambda uri: uri.encode()))
    wrong = problems(service_model("sagemaker").shape_for("PipelineExperimentConfig"), config)
    if wrong:
        raise invalid(f"PipelineExperimentConfig: {wrong[0]}")
    return {"PipelineExperimentConfig": config}


def _created_within(request: dict[str, Any], record: Record) -> bool:
    after, before = request.get("CreatedAfter"), request.get("CreatedBefore")
    created = record["CreationTime"]
    return (after is None or created > moment(after)) and (before is None or created < moment(before))
