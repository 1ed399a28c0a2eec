"""The release machine: every branch, executed with mocks that answer what the functions and SageMaker answer."""

from typing import TYPE_CHECKING, Any

import pytest
from tests.support.machines import EXECUTION_ARN, TASK_TOKEN, Run, run_machine, unvisited
from tests.unit.release_scenarios import (
    APPROVED,
    CREATE,
    DONE,
    FOUND_CONFIG,
    FOUND_MODEL,
    GUARDED_UPDATE,
    LIMIT,
    MACHINE,
    REFUSED,
    REFUSED_FOR_GOOD,
    REJECTED,
    REVIEW,
    SCENARIOS,
    SUBSTITUTIONS,
    TORN,
    WELL,
    decided,
    described,
    planned,
    run,
    with_passing_errors,
)
from tests.unit.releases_world import arn

if TYPE_CHECKING:
    from tests.unit.release_scenarios import Mocks


def record(run_: Run, state: str) -> dict[str, str]:
    """Return the one item that `state` wrote, without DynamoDB's types."""
    (request,) = run_.calls_of(state)
    assert request["TableName"] == "releases"
    return {name: value["S"] for name, value in request["Item"].items()}


def mail(run_: Run, state: str = "Announce") -> dict[str, Any]:
    (request,) = run_.calls_of(state)
    payload: dict[str, Any] = request["Payload"]
    return payload


def test_every_state_transition_catcher_and_retrier_is_gone_through() -> None:
    stages: Mocks = {"PlanStage": [CREATE, REVIEW, GUARDED_UPDATE, DONE], "WatchEndpoint": [described()] * 2}
    torn: Mocks = {"PlanStage": [planned("delete"), *TORN, DONE]}
    passing = [
        (APPROVED, WELL | stages),
        (APPROVED, WELL | SCENARIOS["approved at the last moment"][1]),
        (REJECTED, WELL | torn),
        (APPROVED, WELL | SCENARIOS["superseded"][1]),
        (APPROVED, WELL | SCENARIOS["golden mismatch"][1]),
    ]
    runs = [run_machine(MACHINE, SUBSTITUTIONS, given, with_passing_errors(mocks)) for given, mocks in passing]
    looked: Mocks = {
        "CreateEndpoint": REFUSED,
        "LookAtEndpoint": [REFUSED, described("Creating", CREATE.result["names"]["config"])],
    }
    found: Mocks = {
        "CreateModel": REFUSED_FOR_GOOD,
        "FindModel": [REFUSED, FOUND_MODEL],
        "CreateConfig": REFUSED_FOR_GOOD,
        "FindConfig": [REFUSED, FOUND_CONFIG],
    }
    runs += [run_machine(MACHINE, SUBSTITUTIONS, APPROVED, WELL | more) for more in (looked, found)]

    assert unvisited(MACHINE, [*runs, *(run(name) for name in SCENARIOS)]) == []


def test_a_release_goes_through_its_stages_and_a_person_lets_the_second_one_start() -> None:
    went = run("two stages")

    assert went.status == "SUCCEEDED"
    assert went.output["verdict"] == "released"
    assert [(one["stage"], one["verdict"]) for one in went.output["stages"]] == [
        ("staging", "released"),
        ("prod", "released"),
    ]
    asked = went.calls_of("RequestStageReview")[0]["Payload"]
    assert asked == {
        "token": TASK_TOKEN,
        "execution_arn": EXECUTION_ARN,
        "kind": "stage",
        "stage": "prod",
        "model": "abalone",
        "package": arn(2),
        "report": "s3://artifacts/report.json",
        "expires_in": 3600,
    }
    questions = [call["Payload"] for call in went.calls_of("PlanStage")]
    assert [(one["stage_index"], one["reviewed"]) for one in questions] == [
        (0, []),
        (1, []),
        (1, ["prod"]),
        (1, ["prod"]),
    ]
    assert questions[0]["started"] == "2026-11-20T10:00:00.000Z"
    update = went.calls_of("UpdateEndpoint")[0]
    assert update["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"] == [
        {"AlarmName": "signalbox-abalone-prod-errors"}
    ]
    assert went.visited.index("PutAlarm") < went.visited.index("UpdateEndpoint")


def test_a_release_is_recorded_and_announced() -> None:
    went = run("live but not verified")

    kept = record(went, "RecordStage")
    assert kept.pop("at")
    assert kept == {
        "pk": "model#abalone",
        "sk": "release#2026-11-20T10:00:00.000Z#execution-1#staging",
        "because": "approved",
        "package": arn(2),
        "stage": "staging",
        "endpoint": "signalbox-abalone-staging",
        "config": planned("verify", live=2).result["names"]["config"],
        "verdict": "released",
        "execution": EXECUTION_ARN,
    }
    assert (mail(went)["kind"], mail(went)["package"], mail(went)["execution_arn"]) == (
        "released",
        arn(2),
        EXECUTION_ARN,
    )


@pytest.mark.parametrize(
    ("name", "verdict", "kind"),
    [
        ("all there", "released", "nothing-to-do"),
        ("torn down", "torn-down", "torn-down"),
        ("torn down with refusals", "torn-down", "torn-down"),
        ("superseded", "superseded", "superseded"),
        ("withdrawn", "withdrawn", "rejected"),
        ("declined", "declined", "rejected"),
        ("rejected at the last moment", "declined", "rejected"),
        ("expired", "expired", "expired"),
        ("approved at the last moment", "released", "released"),
        ("another was faster", "superseded", "superseded"),
        ("overtaken", "superseded", "superseded"),
        ("made before", "released", "released"),
        ("answer of create lost", "released", "released"),
        ("answer of update lost", "released", "released"),
    ],
)
def test_an_end_that_was_decided_succeeds_and_is_told(name: str, verdict: str, kind: str) -> None:
    went = run(name)

    assert (went.status, went.output["verdict"], mail(went)["kind"]) == ("SUCCEEDED", verdict, kind)


@pytest.mark.parametrize("name", ["child", "child superseded", "rejected elsewhere", "rejection withdrawn"])
def test_who_has_a_parent_or_changed_nothing_tells_nobody(name: str) -> None:
    assert run(name).status == "SUCCEEDED"
    assert "Announce" not in run(name).visited
    assert "AnnounceFailure" not in run("child fails").visited


def test_a_rollback_is_told_with_the_package_that_returned() -> None:
    went = run("rolled back")

    assert went.output["verdict"] == "rolled-back"
    assert (mail(went)["kind"], mail(went)["package"]) == ("released", arn(1))
    assert record(went, "RecordStage")["package"] == arn(1)


def test_a_declined_stage_keeps_who_declined_it_and_why() -> None:
    went = run("declined")

    assert went.output["decision"] == decided("rejected")
    assert record(went, "RecordEnd")["verdict"] == "declined"
    assert went.output["stage"] == mail(went)["stage"] == "prod"
    assert mail(went)["detail"]["decision"]["by"] == "alice"


@pytest.mark.parametrize(
    ("name", "error", "cause"),
    [
        ("no plan", "StagesDocumentError", "stages[0].name is missing"),
        ("no plan, no mail", "ReleaseError", "a cause"),
        ("child without a plan", "ReleaseError", "a cause"),
        ("empty input", "ReleaseError", "a cause"),
        ("deletion not allowed", "States.TaskFailed", "a cause"),
        ("review not asked", "ReviewError", "a cause"),
        ("review not closed", "ReviewError", "a cause"),
        ("never at rest", "EndpointBusyError", "endpoint signalbox-abalone-staging did not come to rest within 2400"),
        ("model refused", "SageMaker.SageMakerException", "refused"),
        ("model limit", LIMIT.error, "no instances left"),
        ("alarm refused", "CloudWatch.LimitExceededException", "a cause"),
        ("config refused", "SageMaker.SageMakerException", "refused"),
        ("config limit", LIMIT.error, "no instances left"),
        ("always refused", "SageMaker.SageMakerException", "refused"),
        ("endpoint limit", LIMIT.error, "no instances left"),
        ("update limit", LIMIT.error, "no instances left"),
        ("not to be seen", "States.Timeout", "no cause was given"),
        ("moves for ever", "EndpointNotInServiceError", "a cause"),
        ("never answers a ping", "EndpointNotInServiceError", "a cause"),
        ("half made and refused", "GoldenMismatchError", "golden request 1 of 5"),
        ("golden mismatch", "GoldenMismatchError", "golden request 1 of 5"),
        ("silent rollback", "RolledBackError", "rolled back"),
        ("put back refused", "GoldenMismatchError", "golden request 1 of 5"),
        ("put back and not verified", "GoldenMismatchError", "golden request 1 of 5"),
        ("put back not planned", "GoldenMismatchError", "golden request 1 of 5"),
        ("left alone", "GoldenMismatchError", "golden request 1 of 5"),
        ("overtaken again and again", "RolledBackError", "a cause"),
        ("failure not recorded", "GoldenMismatchError", "golden request 1 of 5"),
        ("release not recorded", "DynamoDB.ResourceNotFoundException", "a cause"),
        ("end not recorded", "DynamoDB.ResourceNotFoundException", "a cause"),
        ("nobody told", "MailError", "no sender"),
    ],
)
def test_a_failure_ends_with_its_first_error(name: str, error: str, cause: str) -> None:
    went = run(name)

    assert (went.status, went.error) == ("FAILED", error)
    assert str(went.cause).startswith(cause)


@pytest.mark.parametrize(
    ("name", "put_back"),
    [
        ("golden mismatch", "kept"),
        ("silent rollback", "kept"),
        ("never answers a ping", "gone"),
        ("put back and not verified", "unverified"),
        ("put back not planned", "unknown"),
        ("left alone", "leave"),
        ("moves for ever", "wait"),
    ],
)
def test_a_failure_is_recorded_and_told_with_its_cause_and_how_the_stage_was_put_back(name: str, put_back: str) -> None:
    went = run(name)

    kept, told = record(went, "RecordFailure"), mail(went, "AnnounceFailure")
    assert (kept["verdict"], kept["error"]) == ("failed", went.error)
    assert told["kind"] == "failed"
    assert told["stage"] == "staging"
    assert told["error"] == {"Error": went.error, "Cause": went.cause}
    assert told["detail"]["put_back"]["action"] == kept["put_back"] == put_back


def test_a_package_that_was_withdrawn_is_not_told_as_its_reviewers_decision() -> None:
    went = run("withdrawn after its review")

    assert (mail(went)["kind"], mail(went)["stage"], mail(went)["detail"]["decision"]) == ("rejected", "", None)


def test_a_mismatch_moves_the_endpoint_back_at_once_and_without_alarms_and_verifies_it() -> None:
    went = run("golden mismatch")

    (request,) = went.calls_of("PutBack")
    assert request["EndpointConfigName"] == "config-live"
    assert request["DeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]["Type"] == "ALL_AT_ONCE"
    assert "AutoRollbackConfiguration" not in request["DeploymentConfig"]
    (verified,) = went.calls_of("VerifyBack")
    assert verified["Payload"] == {
        "endpoint": request["EndpointName"],
        "config": "config-live",
        "package": None,
        "golden": None,
    }
    assert "PutBack" not in run("silent rollback").visited


def test_a_first_endpoint_that_never_serves_is_taken_down_with_its_config_and_model() -> None:
    went = run("never answers a ping")

    assert went.calls_of("RemoveHalfMade") == [{"EndpointName": "signalbox-abalone-staging"}]
    assert went.calls_of("DeleteConfig") == [{"EndpointConfigName": CREATE.result["names"]["config"]}]
    assert went.calls_of("DeleteModel") == [{"ModelName": CREATE.result["names"]["model"]}]


@pytest.mark.parametrize("name", ["left alone", "put back not planned", "moves for ever"])
def test_what_may_still_serve_is_not_cleaned_up(name: str) -> None:
    assert "DeleteConfig" not in run(name).visited


def test_a_refused_call_is_tried_three_times_with_a_new_plan_each() -> None:
    went = run("always refused")

    assert len(went.calls_of("PlanStage")) == 3
    assert len(went.calls_of("CreateEndpoint")) == 3


def test_what_this_execution_took_down_is_told_to_the_next_plan() -> None:
    questions = [call["Payload"]["deleted"] for call in run("torn down").calls_of("PlanStage")]

    assert questions == [[], ["staging"], ["staging"], ["staging"], ["staging"]]
