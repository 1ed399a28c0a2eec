"""The rules of a release: what a stage needs, and how a failed one is put back."""

from typing import Any

import pytest
from tests.unit.releases_world import PREFIX, arn, question

from signalbox.releases import rules
from signalbox.releases.errors import ReleaseError
from signalbox.releases.ports import Endpoint, Served, Wish
from signalbox.stages import Stage

STAGING = Stage("staging", "ml.m5.large", 1)
PROD = Stage("prod", "ml.m5.large", 1, approval=True)
APPROVAL = rules.Request.read(question("approved", 2, "2026-11-20T10:00:00Z", "run"), PREFIX)
REJECTION = rules.Request.read(question("rejected", 2, "2026-11-20T10:00:00Z", "run"), PREFIX)
REVIEWED = rules.Request.read(question("approved", 2, "2026-11-20T10:00:00Z", "run", reviewed=["prod"]), PREFIX)
DELETED = rules.Request.read(question("rejected", 2, "2026-11-20T10:00:00Z", "run", deleted=["staging"]), PREFIX)


def endpoint(status: str = "InService", package: int | None = 1, config: str = "config-1") -> Endpoint:
    return Endpoint("e", status, config, arn(package) if package else None)


def snapshot(**more: Any) -> rules.Snapshot:
    facts: dict[str, Any] = {"status": "Approved", "wish": APPROVAL.wish, "endpoint": endpoint()}
    return rules.Snapshot(**facts | more)


@pytest.mark.parametrize(
    ("stage", "request_", "facts", "action"),
    [
        (STAGING, APPROVAL, {"endpoint": None}, "create"),
        (STAGING, APPROVAL, {}, "update"),
        (STAGING, APPROVAL, {"endpoint": endpoint("Failed")}, "delete"),
        (STAGING, APPROVAL, {"endpoint": endpoint(package=None)}, "update"),
        (PROD, APPROVAL, {}, "review"),
        (PROD, APPROVAL, {"endpoint": None}, "review"),
        (PROD, REVIEWED, {}, "update"),
        (PROD, REVIEWED, {"endpoint": None}, "create"),
        (STAGING, APPROVAL, {"endpoint": endpoint(package=2), "released": [Served(arn(2), "config-1")]}, "none"),
        (PROD, APPROVAL, {"endpoint": endpoint(package=2), "released": [Served(arn(2), "config-1")]}, "none"),
        (STAGING, APPROVAL, {"endpoint": endpoint(package=2), "released": [Served(arn(2), "config-0")]}, "verify"),
        (STAGING, APPROVAL, {"endpoint": endpoint(package=2)}, "verify"),
        (STAGING, APPROVAL, {"endpoint": endpoint("Failed", package=2)}, "delete"),
        *[(STAGING, APPROVAL, {"endpoint": endpoint(busy, package=2)}, "wait") for busy in sorted(rules.BUSY)],
    ],
)
def test_an_approved_package_goes_to_the_stage_unless_it_is_there(
    stage: Stage, request_: rules.Request, facts: dict[str, Any], action: str
) -> None:
    decision = rules.decide(request_, stage, snapshot(**facts))

    assert decision.action == action
    assert decision.package == (None if action == "wait" else arn(2))


@pytest.mark.parametrize("status", ["Rejected", "PendingManualApproval", None])
def test_a_package_that_is_not_approved_is_never_deployed(status: str | None) -> None:
    assert rules.decide(APPROVAL, STAGING, snapshot(status=status)) == rules.Decision("withdrawn")


@pytest.mark.parametrize(
    "wish",
    [
        None,
        Wish(APPROVAL.requested_at, "run", arn(3)),
        Wish(APPROVAL.requested_at, "a-later-run", arn(2)),
        Wish("2026-11-20T11:00:00.000000Z", "run", arn(2)),
    ],
)
def test_a_release_that_is_no_longer_the_wish_ends_as_superseded(wish: Wish | None) -> None:
    assert rules.decide(APPROVAL, STAGING, snapshot(wish=wish)) == rules.Decision("superseded")


@pytest.mark.parametrize("status", ["OutOfService", "UpdateRollbackFailed"])
def test_an_endpoint_that_takes_no_update_is_left_to_a_person(status: str) -> None:
    with pytest.raises(ReleaseError, match=f"is {status}, which takes no update .SageMaker gave no reason.: repair"):
        rules.decide(APPROVAL, STAGING, snapshot(endpoint=endpoint(status)))


@pytest.mark.parametrize(
    ("stage", "request_", "facts", "expected"),
    [
        (STAGING, REJECTION, {"approved": [arn(3), arn(1)]}, rules.Decision("update", arn(3))),
        (STAGING, REJECTION, {"approved": [arn(2), arn(1)]}, rules.Decision("update", arn(1))),
        (STAGING, REJECTION, {"approved": []}, rules.Decision("delete")),
        (
            PROD,
            REJECTION,
            {"approved": [arn(3), arn(1)], "released": [Served(arn(1), "c")]},
            rules.Decision("update", arn(1)),
        ),
        (PROD, REJECTION, {"approved": [arn(3), arn(1)]}, rules.Decision("delete")),
        (
            STAGING,
            REJECTION,
            {"approved": [arn(1)], "endpoint": endpoint("Failed", 2)},
            rules.Decision("delete", arn(1)),
        ),
        (STAGING, REJECTION, {"approved": [arn(1)], "endpoint": endpoint("Updating", 2)}, rules.Decision("wait")),
        (STAGING, REJECTION, {"approved": [arn(1)], "endpoint": endpoint(package=1)}, rules.Decision("none")),
        (STAGING, REJECTION, {"approved": [arn(1)], "endpoint": None}, rules.Decision("none")),
        (STAGING, DELETED, {"approved": [arn(1)], "endpoint": None}, rules.Decision("create", arn(1))),
        (STAGING, DELETED, {"approved": [], "endpoint": None}, rules.Decision("torn-down")),
        (STAGING, REJECTION, {"status": "Approved", "approved": [arn(1)]}, rules.Decision("withdrawn")),
        (STAGING, REJECTION, {"status": None, "approved": [arn(1)]}, rules.Decision("update", arn(1))),
    ],
)
def test_a_rejected_package_leaves_the_stage_and_the_newest_that_may_serve_there_returns(
    stage: Stage, request_: rules.Request, facts: dict[str, Any], expected: rules.Decision
) -> None:
    rejected = {"status": "Rejected", "wish": None, "endpoint": endpoint(package=2)}

    assert rules.decide(request_, stage, snapshot(**rejected | facts)) == expected


OVERTAKEN = {
    "wish": Wish("2026-11-20T11:00:00.000000Z", "newer", arn(3)),
    "endpoint": endpoint(package=2, config="ours"),
    "released": [Served(arn(3), "config-3")],
    "approved": [arn(3), arn(2)],
}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, rules.Decision("update", arn(3))),
        ({"endpoint": endpoint("Updating", 2, "ours")}, rules.Decision("wait")),
        ({"endpoint": endpoint("Failed", 2, "ours")}, None),
        ({"endpoint": endpoint(package=2, config="anothers")}, None),
        ({"endpoint": endpoint(package=3, config="ours")}, None),
        ({"endpoint": None}, None),
        ({"wish": None}, None),
        ({"released": []}, None),
        ({"approved": [arn(2)]}, None),
    ],
)
def test_an_update_that_came_late_over_a_newer_release_is_made_good(
    facts: dict[str, Any], expected: rules.Decision | None
) -> None:
    assert rules.heal("ours", snapshot(**OVERTAKEN | facts)) == expected


@pytest.mark.parametrize(
    ("request_", "facts", "expected"),
    [
        (REJECTION, {"endpoint": endpoint(package=2)}, rules.Decision("update", arn(1))),
        (
            DELETED,
            {"status": "Approved", "approved": [arn(3), arn(2), arn(1)], "wish": None},
            rules.Decision("create", arn(3)),
        ),
        (DELETED, {"status": "Approved", "approved": [arn(2)], "wish": None}, rules.Decision("create", arn(2))),
    ],
)
def test_what_is_wished_for_returns_before_what_is_newest(
    request_: rules.Request, facts: dict[str, Any], expected: rules.Decision
) -> None:
    wish = Wish("2026-11-20T11:00:00.000000Z", "newer", arn(1))
    rejected = {"status": "Rejected", "wish": wish, "endpoint": None, "approved": [arn(3), arn(1)]}

    assert rules.decide(request_, STAGING, snapshot(**rejected | facts)) == expected


UPDATE = rules.Failed("update", "approved", "ours", "config-1")
CREATE = rules.Failed("create", "approved", "ours", None)


@pytest.mark.parametrize(
    ("failed", "found", "previous_status", "action"),
    [
        (UPDATE, endpoint(config="ours"), "Approved", "update"),
        (UPDATE, endpoint(config="ours"), None, "update"),
        (UPDATE, endpoint(config="ours"), "Rejected", "leave"),
        (rules.Failed("update", "rejected", "ours", "config-1"), endpoint(config="ours"), "Approved", "leave"),
        (UPDATE, endpoint("UpdateRollbackFailed", config="ours"), "Approved", "leave"),
        (UPDATE, endpoint(), "Approved", "kept"),
        (UPDATE, endpoint("Failed"), "Approved", "leave"),
        (UPDATE, endpoint(config="anothers"), "Approved", "again"),
        (UPDATE, endpoint("RollingBack"), "Approved", "wait"),
        (UPDATE, None, "Approved", "again"),
        (CREATE, None, None, "gone"),
        (CREATE, endpoint("Failed", config="ours"), None, "delete"),
        (CREATE, endpoint(config="ours"), None, "delete"),
        (CREATE, endpoint("Creating", config="ours"), None, "wait"),
        (CREATE, endpoint(config="anothers"), None, "again"),
        (rules.Failed("verify", "approved", "ours", "ours"), endpoint(config="ours"), "Approved", "leave"),
    ],
)
def test_only_what_this_execution_deployed_is_put_back_and_never_to_a_rejected_package(
    failed: rules.Failed, found: Endpoint | None, previous_status: str | None, action: str
) -> None:
    back = rules.put_back(failed, found, previous_status)

    assert back.action == action
    assert back.reason


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": None}, "has no 'model'"),
        ({"package": 7}, "has no 'package'"),
        ({"because": "tuesday"}, "because is 'tuesday': allowed are approved and rejected"),
        ({"package": "arn:x"}, "is not the ARN of a model package version"),
        ({"model": "iris"}, "belongs to group 'signalbox-abalone', not to the model's group 'signalbox-iris'"),
        ({"requested_at": "yesterday"}, "'yesterday' is not an ISO time"),
        ({"requested_at": "2026-11-20T10:00:00"}, "has no time zone"),
    ],
)
def test_a_bad_input_is_refused_with_a_sentence(change: dict[str, Any], said: str) -> None:
    payload = question("approved", 2, "2026-11-20T10:00:00Z", "run")
    payload["input"] |= change

    with pytest.raises(ReleaseError) as raised:
        rules.Request.read(payload, PREFIX)

    assert said in str(raised.value)


@pytest.mark.parametrize(
    "text", ["2026-11-20T10:00:00Z", "2026-11-20T11:00:00.000+01:00", "1795168800000", "1795168800000.0"]
)
def test_times_of_every_spelling_compare_as_text(text: str) -> None:
    assert rules.moment(text) == "2026-11-20T10:00:00.000000Z"


def test_without_a_time_of_its_own_a_request_is_as_old_as_its_execution() -> None:
    payload = question("approved", 2, "", "run")
    del payload["input"]["requested_at"]

    assert rules.Request.read(payload, PREFIX).wish == Wish("2026-11-20T10:00:00.000000Z", "run", arn(2))
