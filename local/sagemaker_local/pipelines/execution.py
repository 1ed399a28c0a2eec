"""One execution: its steps in the order of their dependencies, side by side where they do not depend on each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from queue import SimpleQueue
from threading import Event
from typing import Any

from sagemaker_local.core.cloud import Cloud
from sagemaker_local.core.resources import Resources
from sagemaker_local.pipelines.caching import StepCache
from sagemaker_local.pipelines.execution_store import ExecutionStore
from sagemaker_local.pipelines.expressions import ExpressionError, Scope
from sagemaker_local.pipelines.model import Definition, Step
from sagemaker_local.pipelines.retries import Retries
from sagemaker_local.pipelines.role import PipelineRole, StepFailedError
from sagemaker_local.pipelines.settings import PipelineSettings
from sagemaker_local.pipelines.steps import Attempt, StepResult, StepStoppedError, evaluated, made_name, run_step

# The service's own sentence, whatever the step; the step's own reason is in the list of steps.
STEP_FAILURE = "Step failure: One or multiple steps failed."
_MOST_PARALLEL = 50  # a pipeline has no more steps than this


@dataclass(frozen=True)
class StepOutcome:
    """How a step ended."""

    status: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


_DEFECT = StepOutcome("Failed", reason="InternalServerError")


class ExecutionRun:
    """The run of one execution. One thread decides what starts; each step has a thread of its own."""

    def __init__(
        self, cloud: Cloud, resources: Resources, settings: PipelineSettings, store: ExecutionStore, plan: Definition
    ) -> None:
        record = store.record()
        self._cloud = cloud
        self._resources = resources
        self._settings = settings
        self._store = store
        self._steps = plan.steps
        self._id = store.arn.rsplit("/", 1)[-1]
        self._role = PipelineRole(cloud, record["RoleArn"])
        self._cache = StepCache(cloud, record["CacheIdentity"])
        self._parallel = record.get("ParallelismConfiguration", {}).get("MaxParallelExecutionSteps", _MOST_PARALLEL)
        self._facts = {
            "StartDateTime": _iso(record["StartTime"]),
            "PipelineName": record["PipelineName"],
            "PipelineArn": record["PipelineArn"],
            "PipelineExecutionId": self._id,
            "PipelineExecutionArn": store.arn,
        }
        # The properties of the steps that have succeeded; an earlier try of this execution may have left some.
        self._done: dict[str, Mapping[str, Any]] = {
            name: step["Properties"] for name, step in record["Steps"].items() if step["StepStatus"] == "Succeeded"
        }
        self._scope = Scope(plan, record["Parameters"], self._facts, self._done, self._role.read)
        self._skipped: set[str] = set()
        self._running: set[str] = set()
        self._failure: str | None = None
        self._ended: SimpleQueue[tuple[Step, StepOutcome]] = SimpleQueue()
        self._stopping = Event()

    def stop(self) -> None:
        """Start no more steps, and stop the jobs that run."""
        self._stopping.set()

    def run(self) -> None:
        """Run to the end: until nothing runs and nothing may start."""
        for name in list(self._done):
            self._skip_after(self._steps[name])
        while True:
            self._start_ready()
            if not self._running:
                break
            self._settle(*self._ended.get())
        self._store.close(self._failure)

    def _start_ready(self) -> None:
        for step in self._steps.values():
            if self._failure or self._stopping.is_set() or len(self._running) >= self._parallel:
                return
            waits = step.dependencies - self._done.keys()
            if not waits and step.name not in {*self._done, *self._running, *self._skipped}:
                self._running.add(step.name)
                self._cloud.work(partial(self._perform, step), f"pipeline {self._id} {step.name}")

    def _settle(self, step: Step, ended: StepOutcome) -> None:
        self._running.remove(step.name)
        if ended is _DEFECT:
            self._store.advance(step.name, "Failed", FailureReason=ended.reason)
        if ended.status == "Succeeded":
            self._done[step.name] = ended.properties
            self._skip_after(step)
        elif ended.status == "Failed" and (step.type == "Fail" or not self._failure):
            self._failure = ended.reason if step.type == "Fail" else STEP_FAILURE

    def _skip_after(self, step: Step) -> None:
        """Leave out the branch that a Condition step did not take, and all that waits for a step of it."""
        if step.type != "Condition":
            return
        taken = self._done[step.name]["Outcome"] == "True"
        for other in self._steps.values():
            if other.branch and other.branch.condition == step.name and other.branch.outcome != taken:
                self._skipped.add(other.name)
        before = -1
        while before != len(self._skipped):
            before = len(self._skipped)
            self._skipped |= {other.name for other in self._steps.values() if other.dependencies & self._skipped}

    def _perform(self, step: Step) -> None:
        ended = _DEFECT  # of this engine: it must not leave the execution waiting
        try:
            self._store.begin(step)
            ended = self._tried(step)
        finally:
            self._ended.put((step, ended))

    def _tried(self, step: Step) -> StepOutcome:
        """Return how a step ended, after as many attempts as its policies allow."""
        retries = Retries(step.fields.get("RetryPolicies") or [])
        began = self._cloud.clock()
        attempts = 1
        while True:
            try:
                return self._succeeded(step, *self._attempt(step))
            except StepStoppedError:
                return self._stopped(step)
            except ExpressionError as error:
                return self._failed(step, StepFailedError(f"ClientError: {error}"))
            except StepFailedError as error:
                delay = retries.delay(error.fault, (self._cloud.clock() - began).total_seconds())
                if delay is None:
                    return self._failed(step, error)
            attempts += 1
            if self._stopping.wait(delay * self._settings.retry_scale):
                return self._stopped(step)
            self._store.advance(step.name, "Starting", AttemptCount=attempts)

    def _attempt(self, step: Step) -> tuple[StepResult, dict[str, Any]]:
        """Run a step once, or find it in the cache; return its answer and more members for the list of steps."""
        name = made_name(self._id, step)
        scope = self._scope_of(step, name)
        arguments = evaluated(step, scope)
        key = self._cache.key(step, arguments)
        hit = self._cache.find(key, step) if key else None
        if hit:
            answer = StepResult(hit["Metadata"], hit["Properties"])
            return answer, {"CacheHitResult": {"SourcePipelineExecutionArn": hit["Execution"]}}
        answer = run_step(self._new_attempt(step, name, scope), arguments)
        if key:
            self._cache.keep(key, self._store.arn, answer.metadata, answer.properties)
        return answer, {}

    def _new_attempt(self, step: Step, name: str, scope: Scope) -> Attempt:
        return Attempt(
            step=step,
            name=name,
            execution_arn=self._store.arn,
            scope=scope,
            role=self._role,
            resources=self._resources,
            poll_seconds=self._settings.poll_seconds,
            stopping=self._stopping,
            advance=lambda status, metadata: self._store.advance(step.name, status, Metadata=metadata),
        )

    def _scope_of(self, step: Step, name: str) -> Scope:
        facts = {**self._facts, "CurrentDateTime": _iso(self._cloud.clock())}
        if step.type in {"Training", "Processing"}:
            facts[f"{step.type}JobName"] = name
        base = self._scope
        return Scope(base.definition, base.parameters, facts, base.properties, base.read)

    def _succeeded(self, step: Step, answer: StepResult, members: dict[str, Any]) -> StepOutcome:
        self._store.advance(step.name, "Succeeded", Metadata=answer.metadata, Properties=answer.properties, **members)
        return StepOutcome("Succeeded", answer.properties)

    def _stopped(self, step: Step) -> StepOutcome:
        self._store.advance(step.name, "Stopped")
        return StepOutcome("Stopped")

    def _failed(self, step: Step, error: StepFailedError) -> StepOutcome:
        known = {"Metadata": error.metadata} if error.metadata else {}
        self._store.advance(step.name, "Failed", FailureReason=error.reason, **known)
        return StepOutcome("Failed", reason=error.reason)


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
