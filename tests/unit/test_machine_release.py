"""The release machine: its definition executed to the end, every edge of it, with the functions' own rules."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
from tests.support.machines import EXECUTION_ARN, TASK_TOKEN, Return, Run, Throw, unvisited
from tests.unit.release_scenarios import APPROVED, MACHINE, REJECTED, STATES, run, world_of
from tests.unit.releases_world import World, arn, decided

from signalbox.contracts.errors import BUSY, LAMBDA
from signalbox.contracts.releases import ReleaseAction
from signalbox.stages import Rollout, Stage, StagesDocument

if TYPE_CHECKING:
    from tests.support.machines import Mock

GUARDED = StagesDocument((Stage("prod", "ml.m5.large", 2, False, Rollout("canary", 50, 60), alarms=True),))
PLAIN = StagesDocument((Stage("staging", "ml.m5.large", 1),))
REFUSED = Throw("SageMaker.SageMakerException", "refused")
NO_MORE = Throw("SageMaker.ResourceLimitExceededException", "no more of them")
MISMATCH = Throw("GoldenMismatchError", "golden request 1 of 5 was answered 9")
RUNS: list[Run] = []


def execute(world: World, machine_input: Any = APPROVED, **failures: Any) -> Run:
    """Execute the machine and keep the run for the last test."""
    went = run(world, machine_input, **failures)
    RUNS.append(went)
    return went


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left_unvisited(request: pytest.FixtureRequest) -> Iterator[None]:
    """After the tests of this file: every state, transition, choice, catcher and retrier was gone through."""
    yield
    own = {item.name.partition("[")[0] for item in request.session.items if item.path == Path(__file__)}
    if own == {name for name in globals() if name.startswith("test_")}:  # and not some that somebody picked
        assert unvisited(MACHINE, RUNS) == []


def recorded(world: World, stage: str) -> dict[str, Any]:
    """Return how the execution left a stage."""
    (item,) = [item for (_, sk), item in world.store.items.items() if sk.endswith(f"#execution-1#{stage}")]
    return item


def test_a_release_goes_through_its_stages_and_a_person_lets_the_second_one_start() -> None:
    world = world_of(live=1)

    went = execute(world)

    assert went.status == "SUCCEEDED"
    assert [(one["stage"], one["verdict"]) for one in went.output["stages"]] == [
        ("staging", "released"),
        ("prod", "released"),
    ]
    assert [world.live(stage) for stage in ("staging", "prod")] == [arn(2)] * 2
    (asked,) = went.calls_of("Review")
    assert asked["Payload"] == {
        "token": TASK_TOKEN,
        "execution_arn": EXECUTION_ARN,
        "kind": "stage",
        "stage": "prod",
        "model": "abalone",
        "package": arn(2),
        "report": "s3://artifacts/report.json",
        "expires_in": 604_800,
        "serving": {
            "stage": "prod",
            "endpoint": "signalbox-abalone-prod",
            "status": "InService",
            "package": arn(1),
            "commit": "",
        },
    }


def test_the_first_question_has_the_execution_and_nothing_to_remember() -> None:
    went = execute(world_of(PLAIN))

    first, second = (call["Payload"] for call in went.calls_of("Plan")[:2])
    assert first == {
        "execution": "execution-1",
        "execution_arn": EXECUTION_ARN,
        "started": "2026-11-20T10:00:00.000Z",
        "input": APPROVED,
        "progress": None,
        "last": None,
    }
    assert (second["progress"]["asked"], second["last"]) == ("create-model", {"result": None})


def test_a_release_that_went_well_is_recorded_and_told_once() -> None:
    world = world_of(PLAIN)

    went = execute(world)

    kept = recorded(world, "staging")
    assert kept.pop("at")
    assert kept == {
        "pk": "model#abalone",
        "sk": "release#2026-11-20T10:00:00.000Z#execution-1#staging",
        "trigger": "approved",
        "package": arn(2),
        "stage": "staging",
        "endpoint": "signalbox-abalone-staging",
        "config": world.sagemaker.endpoints["signalbox-abalone-staging"].config,
        "verdict": "released",
        "execution": EXECUTION_ARN,
    }
    (told,) = went.calls_of("Announce")
    assert told["Payload"]["release"]["verdict"] == went.output["verdict"] == "released"
    assert told["Payload"]["execution_arn"] == EXECUTION_ARN


def test_an_update_of_a_stage_with_alarms_has_an_alarm_of_its_own_while_it_moves_and_none_afterwards() -> None:
    world = world_of(GUARDED, live=1)

    went = execute(world)

    assert went.visited.index("PutAlarm") < went.visited.index("UpdateEndpoint") < went.visited.index("DeleteAlarm")
    (update,), (alarm,) = went.calls_of("UpdateEndpoint"), went.calls_of("PutAlarm")
    assert update["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"] == [{"AlarmName": alarm["AlarmName"]}]
    assert {"Name": "EndpointConfigName", "Value": update["EndpointConfigName"]} in alarm["Dimensions"]
    assert (went.status, world.sagemaker.alarms) == ("SUCCEEDED", set())


def test_a_rejection_takes_the_endpoint_down_where_nothing_may_return_and_leaves_no_alarm() -> None:
    world = world_of(GUARDED, live=2)
    world.registry.put(2, "Rejected")

    went = execute(world, REJECTED)

    assert (went.status, went.output["verdict"]) == ("SUCCEEDED", "torn-down")
    assert world.sagemaker.endpoints == {}
    assert world.sagemaker.alarms == set()
    assert recorded(world, "prod")["verdict"] == "torn-down"


def test_a_rollback_is_told_with_what_was_rejected_and_the_package_that_returned() -> None:
    world = world_of(PLAIN, live=3)
    world.registry.put(3, "Rejected")

    went = execute(world, REJECTED | {"package": arn(3)})

    assert went.output["verdict"] == "rolled-back"
    told = went.calls_of("Announce")[0]["Payload"]
    assert (told["package"], told["release"]["change"]["status"]) == (arn(3), "Rejected")
    assert [(one["stage"], one["package"]) for one in told["release"]["serving"]] == [("staging", arn(2))]
    assert world.live("staging") == arn(2)


def test_a_rejection_that_touched_no_stage_is_no_news() -> None:
    world = world_of(PLAIN, live=1)
    world.registry.put(2, "Rejected")

    went = execute(world, REJECTED)

    assert (went.status, went.output["verdict"]) == ("SUCCEEDED", "nothing-to-do")
    assert "Announce" not in went.visited


@pytest.mark.parametrize(
    ("decision", "verdict"), [("rejected", "declined"), ("expired", "expired"), ("approved", "released")]
)
def test_a_stages_review_that_ends_without_an_approval_is_closed_and_its_decision_counts(
    decision: str, verdict: str
) -> None:
    world = world_of(live=1)
    world.decisions["prod"] = decided(decision)
    first: Mock = Throw("States.Timeout", None)

    went = execute(world, Review=[first])

    assert (went.status, went.output["verdict"]) == ("SUCCEEDED", verdict)
    assert went.calls_of("CloseReview")[0]["Payload"] == {
        "execution_arn": EXECUTION_ARN,
        "kind": "stage",
        "stage": "prod",
    }
    told = went.calls_of("Announce")[0]["Payload"]
    stopped = verdict != "released"
    assert told["decision"] == (decided(decision) if stopped else None)
    assert told["release"]["stage"] == ("prod" if stopped else None)
    assert recorded(world, "prod")["verdict"] == verdict


def test_a_failed_stage_is_rolled_back_verified_recorded_and_told_with_its_first_error() -> None:
    world = world_of(PLAIN, live=1)

    went = execute(world, Verify=[MISMATCH])

    assert (went.status, went.error, went.cause) == ("FAILED", MISMATCH.error, MISMATCH.cause)
    assert world.live("staging") == arn(1)
    kept = recorded(world, "staging")
    assert (kept["verdict"], kept["error"], kept["rollback"]) == ("failed", "GoldenMismatchError", "restored")
    (told,) = went.calls_of("Announce")
    assert told["Payload"]["error"] == {"Error": MISMATCH.error, "Cause": MISMATCH.cause}
    assert told["Payload"]["release"]["rollback"]["result"] == "restored"
    assert told["Payload"]["release"]["stage"] == "staging"
    assert len(went.calls_of("Verify")) == 2
    assert "DeleteConfig" in went.visited


def test_a_first_endpoint_that_never_serves_is_taken_down_with_its_config_and_model() -> None:
    world = world_of(PLAIN)

    went = execute(world, Verify=[Throw("EndpointNotInServiceError", "no answer to /ping")])

    assert (went.status, went.error) == ("FAILED", "EndpointNotInServiceError")
    assert not any((world.sagemaker.endpoints, world.sagemaker.configs, world.sagemaker.models))
    assert recorded(world, "staging")["rollback"] == "removed"


def test_a_first_endpoint_has_no_alarm_since_nothing_could_be_rolled_back() -> None:
    world = world_of(GUARDED)

    went = execute(world, Verify=[Throw("EndpointNotInServiceError", "no answer to /ping")])

    assert (went.status, world.sagemaker.alarms) == ("FAILED", set())
    assert not went.calls_of("PutAlarm")


@pytest.mark.parametrize(
    "failed", [{"Verify": [MISMATCH]}, {"Verify": [MISMATCH, MISMATCH]}, {"CreateConfig": [NO_MORE]}]
)
def test_a_stage_that_goes_back_or_cannot_be_verified_leaves_no_alarm_behind(failed: dict[str, Any]) -> None:
    world = world_of(GUARDED, live=1)

    went = execute(world, **failed)

    (alarm,) = went.calls_of("PutAlarm")
    assert went.calls_of("DeleteAlarm") == [{"AlarmNames": [alarm["AlarmName"]]}]
    assert (went.status, world.sagemaker.alarms) == ("FAILED", set())


def test_an_endpoint_that_is_still_moving_keeps_the_alarm_that_watches_it() -> None:
    world = world_of(GUARDED, live=1)
    world.sagemaker.slowness = 10_000

    went = execute(world)

    (alarm,) = went.calls_of("PutAlarm")
    assert recorded(world, "prod")["rollback"] == "unfinished"
    assert (went.status, world.sagemaker.alarms) == ("FAILED", {alarm["AlarmName"]})


@pytest.mark.parametrize(
    ("state", "error", "status"),
    [
        ("CreateModel", REFUSED, "SUCCEEDED"),
        ("CreateModel", Throw("SageMaker.ResourceLimitExceededException", "no models left"), "FAILED"),
        ("CreateConfig", REFUSED, "SUCCEEDED"),
        ("PutAlarm", Throw("CloudWatch.CloudWatchException"), "SUCCEEDED"),
        ("PutAlarm", Throw("CloudWatch.LimitExceededException"), "FAILED"),
        ("UpdateEndpoint", REFUSED, "SUCCEEDED"),
        ("UpdateEndpoint", Throw("SageMaker.ResourceLimitExceededException", "no instances left"), "FAILED"),
        ("Verify", Throw("Lambda.TooManyRequestsException"), "SUCCEEDED"),
        ("Record", Throw("DynamoDB.ThrottlingException"), "SUCCEEDED"),
        ("Record", Throw("DynamoDB.ResourceNotFoundException"), "FAILED"),
        ("Announce", Throw("Lambda.ServiceException"), "SUCCEEDED"),
        ("Announce", Throw("MailError", "no sender"), "FAILED"),
        ("Announce", Throw("States.Timeout", None), "FAILED"),
    ],
)
def test_an_error_that_passes_is_waited_for_and_any_other_ends_the_release(
    state: str, error: Throw, status: str
) -> None:
    went = execute(world_of(GUARDED, live=1), **{state: [error]})

    assert went.status == status
    assert status == "FAILED" or "Wait" in went.visited
    assert status == "SUCCEEDED" or went.error == error.error


def test_an_error_without_a_cause_ends_with_a_text_all_the_same() -> None:
    went = execute(world_of(PLAIN), Announce=[Throw("States.Timeout", None)])

    assert (went.error, went.cause) == ("States.Timeout", "no cause was given")


def test_a_stage_that_is_good_but_could_not_be_recorded_is_told_so() -> None:
    world = world_of(PLAIN)

    went = execute(world, Record=Throw("DynamoDB.ResourceNotFoundException"))

    (told,) = went.calls_of("Announce")
    assert told["Payload"]["release"]["rollback"]["result"] == "unrecorded"
    assert world.live("staging") == arn(2)


@pytest.mark.parametrize("state", ["CreateEndpoint", "DeleteEndpoint", "DeleteConfig", "DeleteModel"])
def test_a_rollback_goes_on_where_a_step_of_it_fails(state: str) -> None:
    world = world_of(PLAIN)

    went = execute(world, Verify=[MISMATCH], **{state: [REFUSED]})

    assert (went.status, went.error) == ("FAILED", "GoldenMismatchError")
    assert recorded(world, "staging")["verdict"] == "failed"


def test_a_deletion_that_is_refused_is_looked_at_again_and_an_alarm_that_stays_does_no_harm() -> None:
    world = world_of(GUARDED, live=2)
    world.registry.put(2, "Rejected")

    went = execute(world, REJECTED, DeleteEndpoint=[REFUSED])

    assert (went.status, went.output["verdict"]) == ("SUCCEEDED", "torn-down")
    update = execute(world_of(GUARDED, live=1), DeleteAlarm=Throw("CloudWatch.ResourceNotFound"))
    assert (update.status, update.output["verdict"]) == ("SUCCEEDED", "released")


def test_a_deletion_that_is_not_allowed_fails_the_release() -> None:
    world = world_of(PLAIN, live=2)
    world.registry.put(2, "Rejected")

    went = execute(world, REJECTED, DeleteEndpoint=Throw("States.TaskFailed", "not allowed"))

    assert (went.status, went.error) == ("FAILED", "States.TaskFailed")


@pytest.mark.parametrize("state", ["Review", "CloseReview"])
def test_a_review_that_cannot_be_asked_or_closed_fails_the_release_and_leaves_the_stage(state: str) -> None:
    world = world_of(live=1)
    failures: dict[str, Any] = {"Review": [Throw("States.Timeout", None)]} | {state: Throw("ReviewError", "why")}

    went = execute(world, **failures)

    assert (went.status, went.error) == ("FAILED", "ReviewError")
    assert world.live("prod") == arn(1)


def test_an_empty_input_is_told_and_fails_with_a_sentence() -> None:
    went = execute(world_of(), {})

    assert went.visited == ["Start", "Plan", "Do", "Announce", "Plan", "Do", "Failed"]
    assert (went.error, went.cause) == (
        "ReleaseError",
        "the release's input: model is missing: give a text that is not empty",
    )


@pytest.mark.parametrize("told", [None, Throw("MailError")])
def test_a_plan_that_cannot_be_made_is_told_and_fails(told: Throw | None) -> None:
    given = {"AnnounceFailure": told} if told else {}

    went = execute(world_of(), Plan=Throw("States.TaskFailed", "the function is broken"), **given)

    assert (went.status, went.error, went.cause) == ("FAILED", "States.TaskFailed", "the function is broken")
    (asked,) = went.calls_of("AnnounceFailure")
    assert asked["Payload"] == {
        "model": "abalone",
        "package": arn(2),
        "execution_arn": EXECUTION_ARN,
        "decision": None,
        "error": {"Error": "States.TaskFailed", "Cause": "the function is broken"},
        "release": None,
    }


def test_a_plan_that_cannot_be_made_any_more_is_told_with_what_was_known_of_the_stage() -> None:
    world = world_of(PLAIN)

    went = execute(world, Plan=plan_that_breaks_after(world, 2))

    told = went.calls_of("AnnounceFailure")[0]["Payload"]
    assert told["release"]["rollback"]["result"] == "unknown"
    assert told["release"]["stage"] == "staging"


def plan_that_breaks_after(world: World, number: int) -> Callable[[Any], Return | Throw]:
    """Return the mock of a plan that can be made `number` times."""
    made: list[Any] = []

    def planned(arguments: Any) -> Return | Throw:
        made.append(arguments)
        if len(made) > number:
            return Throw("States.TaskFailed", "the function is broken")
        return Return(json.loads(json.dumps(world.plan(arguments["Payload"]))))

    return planned


def test_errors_of_the_plan_that_pass_are_retried() -> None:
    retrier = json.loads(MACHINE.read_text(encoding="utf-8"))["States"]["Plan"]["Retry"][0]

    for error in retrier["ErrorEquals"]:
        assert execute(world_of(PLAIN), Plan=[Throw(error)]).status == "SUCCEEDED"


@pytest.mark.parametrize("error", sorted(LAMBDA | {BUSY}))
def test_people_are_told_of_a_broken_plan_though_telling_them_fails_at_first(error: str) -> None:
    told = Return({"mailed": 1})

    went = execute(world_of(), Plan=Throw("States.TaskFailed"), AnnounceFailure=[Throw(error), told])

    assert (went.error, len(went.calls_of("AnnounceFailure"))) == ("States.TaskFailed", 2)


def test_every_action_of_a_plan_has_its_state() -> None:
    choices = json.loads(MACHINE.read_text(encoding="utf-8"))["States"]["Do"]["Choices"]
    named = {rule["Condition"].split("'")[1] for rule in choices}

    assert named | {"failed"} == set(get_args(ReleaseAction.__value__))
    assert set(STATES.values()) | {"wait", "done", "failed"} == set(get_args(ReleaseAction.__value__))


def test_every_task_has_a_timeout_and_every_state_says_its_purpose() -> None:
    definition = json.loads(MACHINE.read_text(encoding="utf-8"))
    assert definition["TimeoutSeconds"]
    for name, state in definition["States"].items():
        assert state.get("Comment"), name
        assert state["Type"] != "Task" or (state["TimeoutSeconds"] and state["Catch"]), name


def test_the_machine_stays_small() -> None:
    text = MACHINE.read_text(encoding="utf-8")
    states = json.loads(text)["States"]

    assert len(states) <= 25
    assert len(text.splitlines()) <= 400
    assert sum(state["Type"] == "Choice" for state in states.values()) <= 2
