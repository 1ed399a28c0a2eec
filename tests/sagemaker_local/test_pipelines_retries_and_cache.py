"""What is tried again, and what need not run again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.sagemaker_local.support.pipeline_steps import document, get, invoke, model, processing, training, transform
from tests.sagemaker_local.support.pipelines import World
from tests.support.botocore_strict import client_error

from sagemaker_local.pipelines.caching import duration
from sagemaker_local.pipelines.retries import Retries
from sagemaker_local.pipelines.settings import PipelineSettings

CACHED = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P30d"}}


@pytest.fixture
def world() -> World:
    return World()


def policy(*faults: str, attempts: int = 2) -> dict[str, Any]:
    return {"ExceptionType": list(faults), "IntervalSeconds": 1, "BackoffRate": 2.0, "MaxAttempts": attempts}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("SageMaker.JOB_INTERNAL_ERROR", "InternalServerError: We encountered an internal error."),
        ("SageMaker.CAPACITY_ERROR", "CapacityError: Unable to provision requested ML compute capacity."),
        ("SageMaker.RESOURCE_LIMIT", "ResourceLimitExceeded: too many instances"),
    ],
)
def test_a_job_that_fails_for_a_reason_of_its_policy_is_tried_again(world: World, fault: str, reason: str) -> None:
    world.sagemaker.fail("train", reason, reason)

    described, arn = world.run(document(training("train", RetryPolicies=[policy(fault)])))

    assert described["PipelineExecutionStatus"] == "Succeeded"
    step = world.steps(arn)["train"]
    assert step["AttemptCount"] == 3
    assert len({request["TrainingJobName"] for request in world.sagemaker.requests("CreateTrainingJob")}) == 3
    moves = [d["currentStepStatus"] for d in world.events.details("Step")]
    assert moves == ["Starting", "Executing", "Starting", "Executing", "Starting", "Executing", "Succeeded"]


def test_a_job_that_goes_on_failing_fails_the_step_after_the_last_attempt(world: World) -> None:
    world.sagemaker.fail("train", *["CapacityError: none"] * 4)

    described, arn = world.run(document(training("train", RetryPolicies=[policy("SageMaker.CAPACITY_ERROR")])))

    assert described["PipelineExecutionStatus"] == "Failed"
    assert world.steps(arn)["train"]["AttemptCount"] == 3


def test_a_failure_that_no_policy_names_is_not_tried_again(world: World) -> None:
    world.sagemaker.fail("train", "AlgorithmError: exit code 1", "never reached")

    _, arn = world.run(document(training("train", RetryPolicies=[policy("SageMaker.CAPACITY_ERROR")])))

    assert world.steps(arn)["train"]["AttemptCount"] == 1


@pytest.mark.parametrize("error", ["ThrottlingException", "InternalFailure", 503])
def test_throttling_and_faults_of_the_service_are_tried_again_without_a_policy(world: World, error: str | int) -> None:
    refusal = client_error("Whatever", status=error) if isinstance(error, int) else client_error(error)
    made = {"ModelArn": "arn:aws:sagemaker:us-east-1:123456789012:model/m"}
    world.sagemaker.answers["create_model"] = [refusal, refusal, made]

    described, arn = world.run(document(model("model")))

    assert described["PipelineExecutionStatus"] == "Succeeded"
    assert world.steps(arn)["model"]["AttemptCount"] == 3


def test_a_quota_that_is_used_up_is_waited_for_where_a_policy_says_so(world: World) -> None:
    made = {"ModelArn": "arn:aws:sagemaker:us-east-1:123456789012:model/m"}
    world.sagemaker.answers["create_model"] = [client_error("ResourceLimitExceeded"), made]

    described, _ = world.run(document(model("model", RetryPolicies=[policy("SageMaker.RESOURCE_LIMIT")])))

    assert described["PipelineExecutionStatus"] == "Succeeded"


def test_an_execution_that_is_stopped_between_two_attempts_makes_no_more() -> None:
    world = World(PipelineSettings(poll_seconds=0.002, retry_scale=1000))
    world.sagemaker.answers["create_model"] = client_error("ThrottlingException")
    world.create(document(model("model")))

    arn = world.start()
    world.wait_for_step(arn, "model", "Executing")
    world.stop(arn)

    assert world.ended(arn)["PipelineExecutionStatus"] == "Stopped"
    assert world.statuses(arn) == {"model": "Stopped"}
    assert len(world.sagemaker.calls) == 1


def test_waits_grow_by_the_rate_and_end_with_the_attempts() -> None:
    raw = {"ExceptionType": ["SageMaker.CAPACITY_ERROR"], "IntervalSeconds": 10, "BackoffRate": 3, "MaxAttempts": 3}
    retries = Retries([raw])

    waits = [retries.delay("SageMaker.CAPACITY_ERROR", 0) for _ in range(4)]

    assert waits == [10, 30, 90, None]


def test_a_policy_with_an_expiry_counts_minutes_instead_of_attempts() -> None:
    retries = Retries([{"ExceptionType": "Step.THROTTLING", "ExpireAfterMin": 2, "BackoffRate": 1}])

    waits = [retries.delay("Step.THROTTLING", seconds) for seconds in (*range(0, 110, 10), 119, 120)]

    assert waits == [1.0] * 12 + [None]


def test_a_failure_without_an_exception_type_has_no_other_attempt() -> None:
    assert Retries([]).delay(None, 0) is None


def test_a_step_with_the_same_input_is_found_in_the_cache(world: World) -> None:
    output = get("Steps.prepare.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri")
    world.create(document(processing("prepare", **CACHED), training("train", output, **CACHED)))
    first = world.start()
    world.ended(first)
    world.later(days=29)

    second = world.start()
    described = world.ended(second)

    assert described["PipelineExecutionStatus"] == "Succeeded"
    assert world.sagemaker.steps() == ["prepare", "train"]
    for name, step in world.steps(second).items():
        assert step["CacheHitResult"] == {"SourcePipelineExecutionArn": first}
        assert step["Metadata"] == world.steps(first)[name]["Metadata"]
    sent = world.events.details("Step")[-1]
    assert sent["cacheHitResult"] == {"sourcePipelineExecutionArn": first}


def test_a_hit_on_a_hit_names_the_execution_that_really_ran(world: World) -> None:
    world.create(document(processing("prepare", **CACHED)))
    first = world.start()
    world.ended(first)
    for _ in range(2):
        last = world.start()
        world.ended(last)

    assert world.steps(last)["prepare"]["CacheHitResult"] == {"SourcePipelineExecutionArn": first}


def test_a_success_that_has_expired_is_not_used_and_a_newer_one_takes_its_place(world: World) -> None:
    world.create(document(processing("prepare", **CACHED)))
    world.ended(world.start())
    world.later(days=30)

    second = world.start()
    world.ended(second)
    world.later(days=1)
    third = world.start()
    world.ended(third)

    assert world.sagemaker.steps() == ["prepare", "prepare"]
    assert world.steps(third)["prepare"]["CacheHitResult"] == {"SourcePipelineExecutionArn": second}


def test_a_success_without_an_expiry_is_used_for_ever(world: World) -> None:
    world.create(document(processing("prepare", CacheConfig={"Enabled": True})))
    world.ended(world.start())
    world.later(days=10_000)
    world.ended(world.start())

    assert world.sagemaker.steps() == ["prepare"]


def test_another_input_is_not_found_in_the_cache_but_another_instance_is(world: World) -> None:
    declared = [{"Name": "Uri", "Type": "String"}, {"Name": "Size", "Type": "Integer", "DefaultValue": 10}]
    step = training("train", get("Parameters.Uri"), **CACHED)
    step["Arguments"]["ResourceConfig"]["VolumeSizeInGB"] = get("Parameters.Size")
    world.create(document(step, parameters=declared))

    for parameters in ({"Uri": "s3://b/1"}, {"Uri": "s3://b/2"}, {"Uri": "s3://b/1", "Size": "20"}):
        world.ended(world.start(parameters=parameters))

    assert len(world.sagemaker.jobs) == 2


@pytest.mark.parametrize("config", [{}, {"CacheConfig": {"Enabled": False}}])
def test_a_step_that_asks_for_no_caching_runs_every_time(world: World, config: dict[str, Any]) -> None:
    world.create(document(processing("prepare", **config)))
    for _ in range(2):
        world.ended(world.start())

    assert world.sagemaker.steps() == ["prepare", "prepare"]


def test_a_failed_step_is_not_kept_in_the_cache(world: World) -> None:
    world.sagemaker.fail("prepare", "AlgorithmError")
    world.create(document(processing("prepare", **CACHED)))
    for _ in range(2):
        world.ended(world.start())

    assert world.sagemaker.steps() == ["prepare", "prepare"]


def test_a_pipeline_that_is_made_anew_finds_nothing_of_its_namesake_s(world: World) -> None:
    for _ in range(2):
        world.create(document(processing("prepare", **CACHED)))
        world.ended(world.start())
        world.call("DeletePipeline", PipelineName="Abalone", ClientRequestToken=world.token())
        world.later(seconds=1)

    assert world.sagemaker.steps() == ["prepare", "prepare"]


def test_functions_and_transforms_are_cached_too(world: World) -> None:
    world.create(document(invoke("count", {"a": 1}, **CACHED), transform("predict", "m", **CACHED)))
    for _ in range(2):
        world.ended(world.start())

    assert len(world.access.functions.calls) == 1
    assert world.sagemaker.steps() == ["predict"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("P30d", 30 * 86400), ("PT12H", 43200), ("P1DT1M1S", 86461), ("P1W", 604800), ("P1Y1M", 395 * 86400)],
)
def test_durations_are_read_in_any_case(text: str, seconds: int) -> None:
    assert duration(text.lower()).total_seconds() == duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "P", "PT", "30d", "P1H", "P-1D", "P1.5D"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an ISO-8601 duration"):
        duration(text)


@given(some.integers(0, 999), some.integers(0, 999), some.integers(0, 999))
def test_days_hours_and_seconds_add_up(days: int, hours: int, seconds: int) -> None:
    assert duration(f"P{days}DT{hours}H{seconds}S").total_seconds() == days * 86400 + hours * 3600 + seconds
