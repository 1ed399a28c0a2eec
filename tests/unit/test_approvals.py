"""What a change in the model registry sets going, and that its repetitions set nothing going."""

from collections.abc import Mapping
from copy import replace
from functools import partial
from typing import Any

import pytest
from tests.support import reviews
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.review_browser import Browser
from tests.support.samples import sample, with_detail
from tests.unit.releases_world import arn

from signalbox import names
from signalbox.approvals import ApprovalPorts, PackageUnfinishedError, PackageUnknownError, on_model_package
from signalbox.aws.errors import ServiceBusyError
from signalbox.aws.model import ModelPackage
from signalbox.aws.registry import ModelRegistry
from signalbox.events import EventError
from signalbox.reviews.answering import answer_from_registry

MLOPS = "arn:aws:states:us-east-1:123456789012:stateMachine:mlops"
RELEASE = "arn:aws:states:us-east-1:123456789012:stateMachine:release"
OWN_RUN = "arn:aws:states:us-east-1:123456789012:execution:mlops:run-1"
AT = "2026-11-20T10:00:14Z"
WORDS = "looks good"


class World:
    """A registry with one package, machines that remember what was started, and reviews that answer as told."""

    def __init__(self, status: str, generated_by: str = "", reviews: str = "none") -> None:
        self.package: ModelPackage | None = ModelPackage(
            arn(2), status, generated_by=generated_by, changed_by="alice", description=WORDS
        )
        self.reviews = reviews
        self.asked: list[tuple[str, bool, str, str]] = []
        self.started: dict[str, tuple[str, Mapping[str, object]]] = {}
        self.told: list[tuple[str, str, str]] = []
        self.reopened: list[tuple[str, str]] = []
        self.ports = ApprovalPorts("signalbox", MLOPS, RELEASE, self, self, self.answer, self.tell)

    def find(self, arn: str) -> ModelPackage | None:
        """See `ApprovalRegistry`."""
        return self.package

    def reopen(self, arn: str, description: str) -> None:
        """See `ApprovalRegistry`."""
        assert self.package is not None
        self.package = replace(self.package, approval="PendingManualApproval")
        self.reopened.append((arn, description))

    def tell(self, model: str, package: str, by: str) -> None:
        """See `TellUnreviewed`."""
        self.told.append((model, package, by))

    def start(self, machine: str, name: str, machine_input: Mapping[str, object]) -> bool:
        """See `ExecutionStarter`."""
        if name in self.started:
            return False
        self.started[name] = (machine, machine_input)
        return True

    def answer(self, package: str, approved: bool, by: str, description: str) -> str:  # the port's signature
        """See `AnswerReviews`."""
        self.asked.append((package, approved, by, description))
        return self.reviews

    def happens(self, event: dict[str, Any]) -> str:
        """Return the outcome of the event."""
        return on_model_package(event, self.ports)["outcome"]


def event(status: str = "Approved", **changes: Any) -> dict[str, Any]:
    """Return the sample with a package of the group that the tests use."""
    group = {"ModelPackageGroupName": "signalbox-abalone", "ModelPackageVersion": 2, "ModelPackageArn": arn(2)}
    fields = {"UpdatedModelPackageFields": ["ModelApprovalStatus"], "LastModifiedTime": AT}
    return with_detail(
        sample("sagemaker/model-package-approved"), **group | fields | {"ModelApprovalStatus": status} | changes
    )


def test_an_approval_that_answers_no_review_starts_the_release_of_exactly_this_package() -> None:
    world = World("Approved")

    assert world.happens(event()) == "release-started"
    (machine, machine_input), *more = world.started.values()
    assert (machine, more) == (RELEASE, [])
    assert machine_input == {"model": "abalone", "package": arn(2), "trigger": "approved", "requested_at": AT}
    assert world.asked == [(arn(2), True, "alice", WORDS)]


@pytest.mark.parametrize(("reviews", "outcome"), [("answered", "review-answered"), ("already", "done-before")])
def test_an_approval_whose_machine_goes_on_by_itself_starts_nothing(reviews: str, outcome: str) -> None:
    world = World("Approved", reviews=reviews)

    assert world.happens(event()) == outcome
    assert world.started == {}


@pytest.mark.parametrize("where", ["page", "registry"])
def test_an_approval_whose_execution_was_stopped_starts_the_release(where: str) -> None:
    asked, world = reviews.World(), World("Approved")
    asked.request(package=arn(2))
    asked.tasks.closed.add("token-1")  # as the task of an execution that was stopped
    if where == "page":
        page = Browser(asked).decide(asked.link(), "approve")
        assert "The model registry took the approval all the same, and that started its release." in page.body
        assert asked.registry.packages[arn(2)][0]

    answers = partial(answer_from_registry, ports=asked.deciding_ports(registry=False))
    handled = on_model_package(event(), world.ports._replace(answer_reviews=answers))

    assert handled["outcome"] == "release-started"
    ((machine, machine_input),) = world.started.values()
    assert (machine, machine_input["trigger"]) == (RELEASE, "approved")


def test_an_approval_that_nobody_was_asked_for_releases_nothing_and_the_package_waits_for_its_review() -> None:
    world = World("Approved", reviews="unreviewed")

    assert world.happens(event()) == "reopened"

    assert world.started == {}
    assert world.told == [("abalone", arn(2), "alice")]
    assert world.reopened == [(arn(2), "approved by alice without a review: waits for its review")]
    # The registry tells of its own change, and the first event may come again.
    assert [world.happens(event("PendingManualApproval")), world.happens(event())] == ["review-started", "done-before"]
    assert len(world.told) == 1


def test_a_package_that_is_registered_as_approved_waits_for_its_review() -> None:
    world = World("Approved", reviews="unreviewed")

    assert world.happens(sample("sagemaker/model-package-created-approved")) == "reopened"


@pytest.mark.parametrize("reviews", ["none", "answered", "already", "unreviewed"])
def test_a_rejection_answers_what_is_open_and_looks_at_the_stages_in_every_case(reviews: str) -> None:
    world = World("Rejected", reviews=reviews)

    assert world.happens(event("Rejected")) == "rollback-started"
    ((machine, machine_input),) = world.started.values()
    assert (machine, machine_input["trigger"]) == (RELEASE, "rejected")
    assert world.asked == [(arn(2), False, "alice", WORDS)]


def test_a_package_that_waits_for_its_approval_goes_into_the_machine() -> None:
    world = World("PendingManualApproval", "arn:aws:sagemaker:us-east-1:123456789012:pipeline/abalone/execution/x")

    assert world.happens(event("PendingManualApproval", UpdatedModelPackageFields=None)) == "review-started"
    assert list(world.started.values()) == [(MLOPS, {"package": arn(2)})]
    assert world.asked == []


@pytest.mark.parametrize("name", ["", "-no-fields", "-null-fields"])
def test_a_new_package_is_reviewed_however_its_event_says_that_no_field_was_changed(name: str) -> None:
    world = World("PendingManualApproval")

    assert world.happens(sample(f"sagemaker/model-package-pending{name}")) == "review-started"


def test_a_change_of_the_life_cycle_stage_starts_nothing() -> None:
    world = World("Approved")

    assert world.happens(sample("sagemaker/near-misses/model-package-life-cycle-only")) == "ignored"
    assert (world.started, world.asked) == ({}, [])


@pytest.mark.parametrize("state", ["Pending", "InProgress", "Failed", "Deleting"])
@pytest.mark.parametrize("status", ["PendingManualApproval", "Approved", "Rejected"])
def test_a_package_that_is_not_completed_starts_nothing_until_it_is(status: str, state: str) -> None:
    world = World(status)
    world.package = ModelPackage(arn(2), status, state)

    assert world.happens(event(status, ModelPackageStatus=state)) == "ignored"
    assert (world.started, world.asked) == ({}, [])

    world.package = ModelPackage(arn(2), status)
    assert world.happens(event(status)) in ("review-started", "release-started", "rollback-started")


def test_a_completed_package_that_the_registry_still_makes_comes_back() -> None:
    world = World("PendingManualApproval")
    world.package = ModelPackage(arn(2), "PendingManualApproval", "InProgress")

    with pytest.raises(PackageUnfinishedError, match=r"is InProgress in the registry.*replay the event"):
        world.happens(event("PendingManualApproval"))
    assert world.started == {}


def test_a_package_that_the_machine_itself_registered_is_not_taken_in_again() -> None:
    world = World("PendingManualApproval", OWN_RUN)

    assert world.happens(event("PendingManualApproval", UpdatedModelPackageFields=None)) == "ignored"
    assert world.started == {}


@pytest.mark.parametrize("status", ["Approved", "Rejected", "PendingManualApproval"])
def test_a_second_delivery_starts_nothing(status: str) -> None:
    world = World(status)
    world.happens(event(status))

    assert world.happens(event(status) | {"id": "another", "time": "2026-11-20T10:05:00Z"}) == "done-before"
    assert len(world.started) == 1


def test_a_package_that_is_approved_again_later_is_released_again() -> None:
    world = World("Approved")
    world.happens(event())

    assert world.happens(event(LastModifiedTime="2026-11-20T12:00:00Z")) == "release-started"
    assert len(world.started) == 2


def test_the_registry_decides_and_not_the_event() -> None:
    world = World("Rejected")

    assert world.happens(event("Approved")) == "rollback-started"


def test_without_a_time_of_the_change_the_events_own_time_counts() -> None:
    world = World("Approved")
    world.happens(event(LastModifiedTime=None) | {"time": "2026-11-20T10:00:20Z"})

    ((_, machine_input),) = world.started.values()
    assert machine_input["requested_at"] == "2026-11-20T10:00:20Z"


@pytest.mark.parametrize(
    "changes",
    [{"UpdatedModelPackageFields": ["CustomerMetadataProperties"]}, {"ModelPackageGroupName": "somebody-elses"}],
)
def test_other_changes_and_other_groups_are_ignored(changes: dict[str, Any]) -> None:
    world = World("Approved")

    assert world.happens(event(**changes)) == "ignored"
    assert (world.started, world.asked) == ({}, [])


def test_an_event_that_does_not_parse_is_an_error() -> None:
    with pytest.raises(EventError):
        on_model_package({"detail-type": "Object Created"}, World("Approved").ports)


def test_the_name_of_an_execution_is_made_of_the_change() -> None:
    approved, rejected, pending = World("Approved"), World("Rejected"), World("PendingManualApproval")
    for world in (approved, rejected, pending):
        world.happens(event())

    names = [name for world in (approved, rejected, pending) for name in world.started]
    assert [name.rpartition("-")[0] for name in names[:2]] == [
        "release-signalbox-abalone-2-approved-2026-11-20T10-00-14Z",
        "release-signalbox-abalone-2-rejected-2026-11-20T10-00-14Z",
    ]
    assert names[2] == "review-signalbox-abalone-2"


@pytest.mark.parametrize(
    ("changed", "by"),
    [
        ({"LastModifiedBy": {"UserProfileName": "alice"}, "CreatedBy": {"UserProfileName": "bob"}}, "alice"),
        (
            {"LastModifiedBy": {"IamIdentity": {"Arn": "arn:aws:iam::123456789012:user/carol"}}},
            "arn:aws:iam::123456789012:user/carol",
        ),
        ({"CreatedBy": {"UserProfileName": "bob"}}, "bob"),
        ({}, "the model registry"),
    ],
)
def test_the_reviews_are_told_who_changed_a_package(changed: dict[str, Any], by: str) -> None:
    described = {
        "ModelPackageArn": arn(2),
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": "Approved",
        "ApprovalDescription": WORDS,
        "MetadataProperties": {"GeneratedBy": OWN_RUN},
    }
    sagemaker: Any = RecordingClient("sagemaker", {"describe_model_package": described | changed})
    world = World("")

    on_model_package(event(), replace(world.ports, registry=ModelRegistry(sagemaker)))

    assert world.asked == [(arn(2), True, by, WORDS)]


def test_a_package_that_the_machine_itself_registered_is_known_by_the_registry() -> None:
    described = {
        "ModelPackageArn": arn(2),
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": "PendingManualApproval",
        "MetadataProperties": {"GeneratedBy": OWN_RUN},
    }
    sagemaker: Any = RecordingClient("sagemaker", {"describe_model_package": described})

    handled = on_model_package(event(), replace(World("").ports, registry=ModelRegistry(sagemaker)))

    assert handled == {"outcome": "ignored", "package": arn(2), "status": "PendingManualApproval"}


def test_a_package_that_cannot_be_read_fails_the_event_so_that_it_comes_again() -> None:
    sagemaker: Any = RecordingClient(
        "sagemaker", {"describe_model_package": client_error("ThrottlingException", "slow")}
    )

    with pytest.raises(ServiceBusyError, match="slow"):
        on_model_package(event(), replace(World("").ports, registry=ModelRegistry(sagemaker)))


def test_a_package_that_is_not_in_the_registry_fails_the_event_so_that_it_comes_again() -> None:
    world = World("Approved")
    world.package = None

    with pytest.raises(PackageUnknownError, match="model-package/signalbox-abalone/2 is not in the registry: replay"):
        world.happens(event())
    assert (world.started, world.asked) == ({}, [])


@pytest.mark.parametrize("status", ["PendingManualApproval", "Approved", "Rejected"])
def test_a_package_of_a_branch_is_neither_reviewed_nor_released_whatever_its_status(status: str) -> None:
    group = names.branch_group("signalbox", "abalone", "abalone", "feature/more-trees")
    world = World(status)

    assert world.happens({**event(), "detail": {**event()["detail"], "ModelPackageGroupName": group}}) == "ignored"

    assert world.started == {}
