"""Executions: what runs, in which order, and how it ends."""

import threading

import pytest
from tests.sagemaker_local.support.pipeline_steps import (
    compare,
    condition,
    document,
    fail,
    get,
    invoke,
    processing,
    training,
)
from tests.sagemaker_local.support.pipelines import World
from tests.support.botocore_strict import client_error


@pytest.fixture
def world() -> World:
    return World()


def depends(name: str, *others: str) -> dict[str, object]:
    return processing(name, DependsOn=list(others))


def test_steps_that_do_not_depend_on_each_other_run_at_the_same_time(world: World) -> None:
    world.sagemaker.hold("a", "b")
    world.create(document(processing("a"), processing("b"), depends("c", "a", "b")))

    arn = world.start()
    world.sagemaker.wait_for_job("a")
    world.sagemaker.wait_for_job("b")
    world.sagemaker.end("b")
    world.wait_for_step(arn, "b", "Succeeded")
    before_a_ends = world.statuses(arn)
    world.sagemaker.end("a")

    assert "c" not in before_a_ends
    assert world.ended(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert world.sagemaker.steps()[-1] == "c"


def test_no_more_steps_run_at_the_same_time_than_the_start_allows(world: World) -> None:
    world.sagemaker.hold("a", "b", "c")
    world.create(document(processing("a"), processing("b"), processing("c")))

    arn = world.start(ParallelismConfiguration={"MaxParallelExecutionSteps": 1})
    seen = []
    for step in ("a", "b", "c"):
        world.wait_for_step(arn, step, "Executing")
        seen.append(list(world.statuses(arn).values()))
        world.sagemaker.end(step)
    described = world.ended(arn)

    assert [statuses.count("Executing") for statuses in seen] == [1, 1, 1]
    assert described["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 1}


def test_a_pipeline_lends_its_parallelism_to_executions_that_bring_none(world: World) -> None:
    world.create(document(processing("a")), ParallelismConfiguration={"MaxParallelExecutionSteps": 3})

    described = world.ended(world.start())

    assert described["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 3}


def test_a_failed_step_fails_the_execution_after_the_running_ones_have_ended(world: World) -> None:
    world.sagemaker.hold("slow", "bad")
    world.create(document(processing("slow"), processing("bad"), depends("never", "slow")))

    arn = world.start()
    world.sagemaker.wait_for_job("slow")
    world.sagemaker.end("bad", "Failed", "AlgorithmError: exit code 1")
    world.wait_for_step(arn, "bad", "Failed")
    meanwhile = world.status(arn)
    world.sagemaker.end("slow")
    described = world.ended(arn)

    assert meanwhile == "Executing"
    assert described["PipelineExecutionStatus"] == "Failed"
    assert described["FailureReason"] == "Step failure: One or multiple steps failed."
    assert world.statuses(arn) == {"slow": "Succeeded", "bad": "Failed"}
    assert world.steps(arn)["bad"]["FailureReason"] == "ClientError: AlgorithmError: exit code 1"


def test_a_fail_step_gives_the_execution_its_message_on_one_line(world: World) -> None:
    message = {"Std:Join": {"On": " ", "Values": ["MSE is over\n", get("Parameters.Limit")]}}
    declared = [{"Name": "Limit", "Type": "Float", "DefaultValue": 6}]

    described, arn = world.run(document(fail("TooBad", message), parameters=declared))

    assert described["PipelineExecutionStatus"] == "Failed"
    assert described["FailureReason"] == "MSE is over 6.0"
    assert world.steps(arn)["TooBad"]["Metadata"] == {"Fail": {"ErrorMessage": "MSE is over\n 6.0"}}


def test_the_message_of_a_fail_step_counts_before_the_failure_of_another_step(world: World) -> None:
    world.sagemaker.hold("slow")
    world.create(document(processing("slow"), fail("why")))

    arn = world.start()
    world.wait_for_step(arn, "why", "Failed")
    world.sagemaker.end("slow", "Failed", "late")

    assert world.ended(arn)["FailureReason"] == "stop here"


@pytest.mark.parametrize(("value", "taken", "left"), [("1", "yes", "no"), ("9", "no", "yes")])
def test_only_the_steps_of_the_branch_that_is_taken_run(world: World, value: str, taken: str, left: str) -> None:
    declared = [{"Name": "Mse", "Type": "Float"}]
    check = condition(
        "check", [compare("LessThanOrEqualTo", get("Parameters.Mse"), 6)], [processing("yes")], [processing("no")]
    )
    after = [depends("after-yes", "yes"), depends("after-no", "no"), depends("after-after-no", "after-no")]

    # The steps behind the branches are written first: what is left out is found in any order.
    described, arn = world.run(document(*reversed(after), check, parameters=declared), {"Mse": value})

    assert described["PipelineExecutionStatus"] == "Succeeded"
    ran = world.statuses(arn)
    assert taken in ran
    assert f"after-{taken}" in ran
    assert not {left, f"after-{left}"} & set(ran)
    assert world.steps(arn)["check"]["Metadata"] == {"Condition": {"Outcome": str(taken == "yes")}}


def test_a_condition_that_compares_text_with_a_number_fails(world: World) -> None:
    described, arn = world.run(document(condition("check", [compare("Equals", "6", 6)])))

    assert described["PipelineExecutionStatus"] == "Failed"
    assert "cannot compare '6' with 6" in world.steps(arn)["check"]["FailureReason"]


def test_stopping_stops_the_running_jobs_and_starts_no_more(world: World) -> None:
    world.sagemaker.hold("a")
    world.create(document(processing("a"), depends("b", "a")))

    arn = world.start()
    world.wait_for_step(arn, "a", "Executing")
    world.stop(arn)
    described = world.ended(arn)

    assert described["PipelineExecutionStatus"] == "Stopped"
    assert "FailureReason" not in described
    assert world.statuses(arn) == {"a": "Stopped"}
    assert len(world.sagemaker.requests("StopProcessingJob")) == 1
    of_step = [(d["previousStepStatus"], d["currentStepStatus"]) for d in world.events.details("Step")[1:]]
    assert of_step == [("Starting", "Executing"), ("Executing", "Stopping"), ("Stopping", "Stopped")]
    sent = [d["currentPipelineExecutionStatus"] for d in world.events.details("Execution Status")]
    assert sent == ["Executing", "Stopping", "Stopped"]


def test_a_job_that_may_not_be_stopped_goes_on_to_its_end(world: World) -> None:
    world.sagemaker.hold("a")
    world.create(document(processing("a"), depends("b", "a")))
    world.sagemaker.answers["stop_processing_job"] = client_error("AccessDeniedException")

    arn = world.start()
    world.wait_for_step(arn, "a", "Executing")
    world.stop(arn)
    world.wait_for_step(arn, "a", "Stopping")
    world.sagemaker.end("a")

    assert world.ended(arn)["PipelineExecutionStatus"] == "Stopped"
    assert world.statuses(arn) == {"a": "Succeeded"}


def test_a_job_that_somebody_else_stops_fails_its_step(world: World) -> None:
    world.sagemaker.hold("a")
    world.create(document(processing("a")))

    arn = world.start()
    world.sagemaker.end("a", "Stopped")

    assert world.ended(arn)["PipelineExecutionStatus"] == "Failed"
    assert world.steps(arn)["a"]["FailureReason"] == "ClientError: the job ended Stopped"


def test_an_execution_that_has_ended_cannot_be_stopped(world: World) -> None:
    _, arn = world.run(document(invoke("a")))

    with pytest.raises(Exception, match=r"ConflictException.*Only pipelines with Executing status can be stopped"):
        world.stop(arn)


def test_a_retry_runs_only_what_did_not_succeed(world: World) -> None:
    check = condition("check", [compare("Equals", 1, 1)], [training("train")], [processing("else")])
    world.create(document(processing("prepare"), {**check, "DependsOn": ["prepare"]}))
    world.sagemaker.fail("train", "AlgorithmError: unlucky")
    arn = world.start()
    world.ended(arn)
    token = world.token()

    for _ in range(2):  # the same token again starts nothing
        answer = world.call("RetryPipelineExecution", PipelineExecutionArn=arn, ClientRequestToken=token)
        described = world.ended(arn)

    assert answer == {"PipelineExecutionArn": arn}
    assert described["PipelineExecutionStatus"] == "Succeeded"
    assert "FailureReason" not in described
    assert world.sagemaker.steps() == ["prepare", "train", "train"]
    sent = world.events.details("Execution Status")
    assert [d.get("previousPipelineExecutionStatus") for d in sent] == [None, "Executing", "Failed", "Executing"]


def test_an_execution_that_succeeded_cannot_be_retried(world: World) -> None:
    _, arn = world.run(document(invoke("a")))

    with pytest.raises(Exception, match=r"ConflictException.*Only failed or stopped"):
        world.call("RetryPipelineExecution", PipelineExecutionArn=arn, ClientRequestToken=world.token())


def test_a_retry_may_bring_another_parallelism(world: World) -> None:
    described, arn = world.run(document(fail("no")))
    assert "ParallelismConfiguration" not in described

    parallelism = {"MaxParallelExecutionSteps": 2}
    world.call(
        "RetryPipelineExecution",
        PipelineExecutionArn=arn,
        ClientRequestToken=world.token(),
        ParallelismConfiguration=parallelism,
    )

    assert world.ended(arn)["ParallelismConfiguration"] == parallelism


def test_a_defect_in_a_step_fails_the_execution_instead_of_leaving_it_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda _: sent.set())
    world.sagemaker.answers["create_processing_job"] = RuntimeError("a defect")

    described, arn = world.run(document(processing("a")))

    assert sent.wait(60)
    assert described["PipelineExecutionStatus"] == "Failed"
    assert world.steps(arn)["a"]["FailureReason"] == "InternalServerError"
