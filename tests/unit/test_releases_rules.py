"""The rules of a release: what a stage needs, and how a failed one is rolled back."""

from typing import Any

import pytest
from tests.unit.releases_world import PREFIX, arn, question

from signalbox.aws.model import Endpoint, ModelPackage
from signalbox.contracts.releases import Deployment, StageOutcome
from signalbox.releases import rules
from signalbox.releases.model import BUSY, Desired, Facts, Need, ReleaseError, Served, read_request
from signalbox.stages import Stage

STAGING = Stage("staging", "ml.m5.large", 1)
PROD = Stage("prod", "ml.m5.large", 1, approval=True)
APPROVAL = read_request(question("approved", 2, "2026-11-20T10:00:00Z", "run"), PREFIX)
REJECTION = read_request(question("rejected", 2, "2026-11-20T10:00:00Z", "run"), PREFIX)


def serving(package: int | None = 1, status: str = "InService", config: str = "config-1") -> dict[str, Any]:
    """Return the facts of an endpoint that serves a version, or something that is no package."""
    return {"endpoint": Endpoint("e", status, config), "live": arn(package) if package else None}


NOTHING: dict[str, Any] = {"endpoint": None, "live": None}


def facts(**more: Any) -> Facts:
    known: dict[str, Any] = {"status": "Approved", "desired": APPROVAL.desired} | serving()
    return Facts(**known | more)


@pytest.mark.parametrize(
    ("stage", "given", "word"),
    [
        (STAGING, NOTHING, "create"),
        (STAGING, {}, "update"),
        (STAGING, serving(1, "Failed"), "delete"),
        (STAGING, serving(None), "update"),
        (PROD, {}, "review"),
        (PROD, NOTHING, "review"),
        (PROD, {"reviewed": True}, "update"),
        (PROD, NOTHING | {"reviewed": True}, "create"),
        (STAGING, serving(2) | {"released": [Served(arn(2), "config-1")]}, "keep"),
        (PROD, serving(2) | {"released": [Served(arn(2), "config-1")]}, "keep"),
        (STAGING, serving(2) | {"released": [Served(arn(2), "config-0")]}, "verify"),
        (STAGING, serving(2), "verify"),
        (STAGING, serving(2, "Failed"), "delete"),
        *[(STAGING, serving(2, busy), "wait") for busy in sorted(BUSY)],
    ],
)
def test_an_approved_package_goes_to_the_stage_unless_it_is_there(
    stage: Stage, given: dict[str, Any], word: str
) -> None:
    need = rules.need(APPROVAL, stage, facts(**given))

    assert need.word == word
    assert need.package == (None if word == "wait" else arn(2))


@pytest.mark.parametrize("status", ["Rejected", "PendingManualApproval", None])
def test_a_package_that_is_not_approved_is_never_deployed(status: str | None) -> None:
    assert rules.need(APPROVAL, STAGING, facts(status=status)) == Need("withdrawn")


@pytest.mark.parametrize(
    "desired",
    [
        None,
        Desired(APPROVAL.requested_at, "run", arn(3)),
        Desired(APPROVAL.requested_at, "a-later-run", arn(2)),
        Desired("2026-11-20T11:00:00.000000Z", "run", arn(2)),
    ],
)
def test_a_release_whose_package_is_no_longer_desired_ends_as_superseded(desired: Desired | None) -> None:
    assert rules.need(APPROVAL, STAGING, facts(desired=desired)) == Need("superseded")


@pytest.mark.parametrize("status", ["OutOfService", "UpdateRollbackFailed"])
def test_an_endpoint_that_takes_no_update_is_left_to_a_person(status: str) -> None:
    with pytest.raises(ReleaseError, match=f"is {status}, which takes no update .SageMaker gave no reason.: repair"):
        rules.need(APPROVAL, STAGING, facts(**serving(1, status)))


@pytest.mark.parametrize(
    ("stage", "given", "expected"),
    [
        (STAGING, {"approved": [arn(3), arn(1)]}, Need("update", arn(3))),
        (STAGING, {"approved": [arn(2), arn(1)]}, Need("update", arn(1))),
        (STAGING, {"approved": []}, Need("delete")),
        (PROD, {"approved": [arn(3), arn(1)], "released": [Served(arn(1), "c")]}, Need("update", arn(1))),
        (PROD, {"approved": [arn(3), arn(1)]}, Need("delete")),
        (STAGING, {"approved": [arn(1)]} | serving(2, "Failed"), Need("delete", arn(1))),
        (STAGING, {"approved": [arn(1)]} | serving(2, "Updating"), Need("wait")),
        (STAGING, {"approved": [arn(1)]} | serving(1), Need("keep", arn(1))),
        (STAGING, {"approved": [arn(1)]} | NOTHING, Need("keep")),
        (STAGING, {"approved": [arn(1)], "deleted": True} | NOTHING, Need("create", arn(1))),
        (STAGING, {"approved": [], "deleted": True} | NOTHING, Need("torn-down")),
        (STAGING, {"status": "Approved", "approved": [arn(1)]}, Need("withdrawn")),
        (STAGING, {"status": None, "approved": [arn(1)]}, Need("update", arn(1))),
    ],
)
def test_a_rejected_package_leaves_the_stage_and_the_newest_that_may_serve_there_returns(
    stage: Stage, given: dict[str, Any], expected: Need
) -> None:
    rejected = {"status": "Rejected", "desired": None} | serving(2)

    assert rules.need(REJECTION, stage, facts(**rejected | given)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (serving(2), Need("update", arn(1))),
        (
            {"status": "Approved", "deleted": True, "approved": [arn(3), arn(2), arn(1)], "desired": None},
            Need("create", arn(3)),
        ),
        ({"status": "Approved", "deleted": True, "approved": [arn(2)], "desired": None}, Need("create", arn(2))),
    ],
)
def test_what_is_desired_returns_before_what_is_newest(given: dict[str, Any], expected: Need) -> None:
    desired = Desired("2026-11-20T11:00:00.000000Z", "newer", arn(1))
    rejected = {"status": "Rejected", "desired": desired, "approved": [arn(3), arn(1)]} | NOTHING

    assert rules.need(REJECTION, STAGING, facts(**rejected | given)) == expected


@pytest.mark.parametrize("stage", [STAGING, PROD])
@pytest.mark.parametrize(
    ("released", "approved", "expected"),
    [
        ([1, 3, 2], [4, 3, 1], 3),
        ([1, 3, 2], [4, 1], 1),
        ([1, 3, 2, 3, 2], [3, 1], 3),
        ([3, 1, 2], [4, 3, 1], 1),
    ],
)
def test_what_a_stage_served_last_returns_to_it_before_what_is_desired_or_newest(
    stage: Stage, released: list[int], approved: list[int], expected: int
) -> None:
    given: dict[str, Any] = {"status": "Rejected", "desired": Desired("2026-11-20T11:00:00.000000Z", "newer", arn(4))}
    given |= {"released": [Served(arn(one), f"c{one}") for one in released], "approved": [arn(one) for one in approved]}

    assert rules.need(REJECTION, stage, facts(**given | serving(2))) == Need("update", arn(expected))


@pytest.mark.parametrize(
    ("status", "description", "by", "words"),
    [
        (
            "Rejected",
            "rejected by ann on the review page: too slow",
            "",
            "rejected by ann on the review page: too slow",
        ),
        ("Rejected", "expired unanswered 2026-03-01 10:20 UTC", "", "expired unanswered 2026-03-01 10:20 UTC"),
        ("Approved", "approved by ann on the review page", "", "approved by ann on the review page"),
        # The registry keeps the words of the decision before, where a later one has none of its own.
        ("Rejected", "approved by ann on the review page", "role", ""),
        ("PendingManualApproval", "rejected by ann on the review page", "role", ""),
        ("Rejected", "wrong data", "role", "wrong data"),
        ("Rejected", "", "role", ""),
    ],
)
def test_a_change_in_the_registry_has_the_words_that_were_left_with_it_and_no_others(
    status: str, description: str, by: str, words: str
) -> None:
    package = ModelPackage(arn(2), status, changed_by="role", description=description)

    assert rules.change_of(package) == {"package": arn(2), "status": status, "by": by, "words": words}


OVERTAKEN: dict[str, Any] = {
    "desired": Desired("2026-11-20T11:00:00.000000Z", "newer", arn(3)),
    "released": [Served(arn(3), "config-3")],
    "approved": [arn(3), arn(2)],
} | serving(2, config="ours")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Need("update", arn(3))),
        (serving(2, "Updating", "ours"), Need("wait")),
        (serving(2, "Failed", "ours"), None),
        (serving(2, config="anothers"), None),
        (serving(3, config="ours"), None),
        (NOTHING, None),
        ({"desired": None}, None),
        ({"released": []}, None),
        ({"approved": [arn(2)]}, None),
    ],
)
def test_an_update_that_came_late_over_a_newer_release_is_made_good(
    given: dict[str, Any], expected: Need | None
) -> None:
    assert rules.give_back("ours", facts(**OVERTAKEN | given)) == expected


UPDATE: Deployment = {
    "kind": "update",
    "hosting": "realtime",
    "stage": "staging",
    "endpoint": "e",
    "package": arn(2),
    "model": "m",
    "config": "ours",
    "previous": "config-1",
    "patience_seconds": 600,
    "made": ["model", "config"],
    "moved": True,
    "answers": 0,
}
CREATE: Deployment = {**UPDATE, "kind": "create", "previous": None}
UNMOVED: Deployment = {**UPDATE, "moved": False}
FOUND: Deployment = {**UPDATE, "kind": "verify", "config": "config-1", "made": [], "moved": False}


def endpoint(config: str = "config-1", status: str = "InService") -> Endpoint:
    return Endpoint("e", status, config)


@pytest.mark.parametrize(
    ("deployment", "found", "previous_status", "word", "said"),
    [
        (UPDATE, endpoint("ours"), "Approved", "update", "the failed config serves"),
        (UPDATE, endpoint("ours"), None, "update", "the failed config serves"),
        (UPDATE, endpoint("ours"), "Rejected", "left", "is rejected and must not return: a person has to decide"),
        (UPDATE, endpoint("ours", "UpdateRollbackFailed"), "Approved", "left", "is UpdateRollbackFailed and takes no"),
        (UPDATE, endpoint(), "Approved", "verify", "the previous config serves"),
        (UPDATE, endpoint(status="Failed"), "Approved", "left", "the endpoint is Failed on config-1: delete it"),
        (UPDATE, endpoint("anothers"), "Approved", "plan-anew", "on anothers, which another release put there"),
        (UPDATE, endpoint(status="RollingBack"), "Approved", "wait", "the endpoint is RollingBack"),
        (UPDATE, None, "Approved", "plan-anew", "somebody else has deleted the endpoint"),
        (UNMOVED, endpoint("ours"), "Approved", "untouched", "had not been moved"),
        (CREATE, None, None, "removed", "did not come to serve"),
        (CREATE, endpoint("ours", "Failed"), None, "delete", "did not come to serve"),
        (CREATE, endpoint("ours"), None, "delete", "did not come to serve"),
        (CREATE, endpoint("ours", "Creating"), None, "wait", "the endpoint is Creating"),
        (CREATE, endpoint("anothers"), None, "plan-anew", "another release put there"),
        (FOUND, endpoint(), "Approved", "left", "this release deployed nothing"),
    ],
)
def test_only_what_this_execution_deployed_is_rolled_back_and_never_to_a_rejected_package(
    deployment: Deployment, found: Endpoint | None, previous_status: str | None, word: str, said: str
) -> None:
    step, reason = rules.roll_back(rules.FailedStage(deployment, "approved", found, previous_status))

    assert step == word
    assert said in reason


def test_a_rejection_that_fails_is_not_rolled_back_to_what_it_replaced() -> None:
    step, reason = rules.roll_back(rules.FailedStage(UPDATE, "rejected", endpoint("ours"), "Approved"))

    assert (step, reason.endswith("a person has to decide")) == ("left", True)


def test_every_row_of_the_rollback_is_reached() -> None:
    stages = [
        rules.FailedStage(deployment, "approved", found, status)
        for deployment in (UPDATE, CREATE, UNMOVED, FOUND)
        for found in (None, *(endpoint(config, state) for config in ("ours", "config-1", "x") for state in STATES))
        for status in ("Approved", "Rejected")
    ]

    reached = {next(row for row in rules.ROLLBACK if row.holds(stage)) for stage in stages}
    assert reached == set(rules.ROLLBACK)


STATES = ("InService", "Failed", "Updating")


def outcome(verdict: Any) -> StageOutcome:
    return {"stage": "staging", "verdict": verdict, "package": arn(2), "endpoint": "e", "config": "c", "answers": 0}


@pytest.mark.parametrize(
    ("trigger", "verdicts", "expected", "news"),
    [
        ("approved", ["released", "kept"], "released", True),
        ("approved", ["kept", "kept"], "nothing-to-do", True),
        ("rejected", ["released", "kept"], "rolled-back", True),
        ("rejected", ["kept", "torn-down"], "torn-down", True),
        ("rejected", ["kept", "kept"], "nothing-to-do", False),
    ],
)
def test_a_release_that_came_through_is_told_by_what_became_of_its_stages(
    trigger: Any, verdicts: list[str], expected: Any, news: bool
) -> None:
    assert rules.verdict_of(trigger, [outcome(verdict) for verdict in verdicts]) == expected
    assert rules.is_news(trigger, expected) is news


def test_a_rejection_that_was_taken_back_is_no_news() -> None:
    assert not rules.is_news("rejected", "withdrawn")
    assert rules.is_news("approved", "withdrawn")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": None}, "model is missing: give a text"),
        ({"package": 7}, "package is 7: give a text"),
        ({"trigger": "tuesday"}, 'trigger is "tuesday": allowed are approved, rejected'),
        ({"trigger": None}, "trigger is missing: allowed are approved, rejected"),
        ({"package": "arn:x"}, "is not the ARN of a model package version"),
        ({"model": "iris"}, "belongs to group 'signalbox-abalone', not to the model's group 'signalbox-iris'"),
        ({"requested_at": "yesterday"}, "'yesterday' is not an ISO time"),
        ({"requested_at": "2026-11-20T10:00:00"}, "has no time zone"),
        ({"requested_at": 7}, "requested_at is 7: give a text"),
        ({"requested_at": "9" * 400}, "is not an ISO time"),
        ({"requested_at": "9" * 16}, "is not an ISO time"),
        ({"requested_at": "0001-01-01T00:00:00+14:00"}, "is in no year from 1 to 9999"),
    ],
)
def test_a_bad_input_is_refused_with_a_sentence(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ReleaseError) as raised:
        read_request(question("approved", 2, "2026-11-20T10:00:00Z", **change), PREFIX)

    assert said in str(raised.value)
    assert str(raised.value).startswith("the release's input: ")


@pytest.mark.parametrize("given", [None, 7, [], "text"])
def test_an_input_that_is_no_object_is_refused(given: object) -> None:
    with pytest.raises(ReleaseError, match="give an object"):
        read_request({**question("approved", 2, ""), "input": given}, PREFIX)


@pytest.mark.parametrize(
    "text", ["2026-11-20T10:00:00Z", "2026-11-20T11:00:00.000+01:00", "1795168800000", "1795168800000.0"]
)
def test_times_of_every_spelling_order_requests(text: str) -> None:
    assert read_request(question("approved", 2, text), PREFIX).requested_at == "2026-11-20T10:00:00.000000Z"


@pytest.mark.parametrize("text", ["2099-01-01T00:00:00Z", "2026-11-20T10:00:01Z", "4070908800000"])
def test_a_request_of_the_future_is_as_old_as_its_execution(text: str) -> None:
    asked = question("approved", 2, "", requested_at=text)

    assert read_request(asked, PREFIX).requested_at == "2026-11-20T10:00:00.000000Z"


def test_without_a_time_of_its_own_a_request_is_as_old_as_its_execution() -> None:
    request = read_request(question("approved", 2, ""), PREFIX)

    assert request.desired == Desired("2026-11-20T10:00:00.000000Z", "run", arn(2))
