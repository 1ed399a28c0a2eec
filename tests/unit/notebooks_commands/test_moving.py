"""Moves into Studio: compared, nothing left that costs, one person at a time, repeated after a death anywhere."""

from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.botocore_strict import client_error
from tests.support.notebook_fleet import AL2, NEW, SPACE_CONFIG, Killed
from tests.support.notebook_studio import DOMAIN, OWN, PROFILE, STUDIO_ROLE, StudioInstances, filled, studio_desk

from signalbox_operate.notebooks import cleaning, planning
from signalbox_operate.notebooks.leases import Lease
from signalbox_operate.notebooks.model import NotebookError
from signalbox_operate.notebooks.moving import Goal, Move, Mover
from signalbox_operate.notebooks.place import Desk

TODAY = date(2026, 11, 20)
GOAL = Goal(DOMAIN, PROFILE, "lab", "ml.t3.medium")
ASKED = {"snapshot-request", "backup-snapshot", "snapshot-folder", "snapshot-from"}


def mover(made: Desk, by: str = "ana", *, may_stop: bool = False) -> Mover:
    return Mover(made, by, lambda *_: None, TODAY, may_stop=may_stop)


def run(made: Desk, name: str = "ana", by: str = "ana", goal: Goal = GOAL, *, may_stop: bool = False) -> Move:
    return mover(made, by, may_stop=may_stop).move(name, goal)


def nothing_is_left(instances: StudioInstances, space: str = "lab") -> None:
    """Hold what is there after a move against what was there before."""
    assert instances.apps.get(space, {}).get("Status") in (None, "Deleted", "Failed")
    assert instances.lab["LifecycleConfigArns"] == [OWN]
    assert instances.lab["CodeRepositories"] == [{"RepositoryUrl": "https://git.example.com/a"}]
    assert not ASKED & set(instances.space_tags(space))


def test_a_new_private_space_gets_the_files_into_a_folder_and_nothing_runs_afterwards() -> None:
    made, instances, bucket = studio_desk()
    instances.add("ana", config="own", team="wine", snapshot_prefix="people/ana")
    made.roles.answers["list_role_tags"] = {"Tags": [{"Key": "snapshot-prefix", "Value": "people/ana"}]}

    move = run(made)

    assert (move.space, move.folder, move.files, move.left_out) == ("lab", "ana", 10, 0)
    (request,) = instances.requests("CreateSpace")
    assert request["OwnershipSettings"] == {"OwnerUserProfileName": PROFILE}
    assert request["SpaceSharingSettings"] == {"SharingType": "Private"}
    storage = {"EbsStorageSettings": {"EbsVolumeSizeInGb": 7}}
    assert request["SpaceSettings"] == {"AppType": "JupyterLab", "SpaceStorageSettings": storage}
    tags = {one["Key"]: one["Value"] for one in request["Tags"]}
    assert {"team": "wine", "snapshot-folder": "ana", "snapshot-prefix": "people/ana"}.items() <= tags.items()
    assert tags["backup-snapshot"] == move.snapshot
    (app,) = instances.requests("CreateApp")
    assert app["ResourceSpec"] == {"InstanceType": "ml.t3.medium", "LifecycleConfigArn": SPACE_CONFIG}
    (attached, taken_off) = instances.requests("UpdateUserProfile")
    assert attached["UserSettings"]["JupyterLabAppSettings"]["LifecycleConfigArns"] == [OWN, SPACE_CONFIG]
    assert taken_off["UserSettings"]["JupyterLabAppSettings"]["LifecycleConfigArns"] == [OWN]
    nothing_is_left(instances)
    assert {"team": "wine", "snapshot-prefix": "people/ana"}.items() <= instances.space_tags("lab").items()
    old = instances.tags("ana")
    assert (old["snapshot-migrated-to"], old["snapshot-moved"]) == ("d-abc.lab", move.snapshot)
    assert instances.made["ana"]["NotebookInstanceStatus"] == "Stopped"
    assert not [key for key in bucket.objects if "migrations/" in key]


@pytest.mark.parametrize(
    ("platform", "there"), [(AL2, False), (NEW, True)], ids=["to a new space", "to one that is there"]
)
def test_who_dies_before_any_call_goes_on_when_it_is_repeated(platform: str, there: bool) -> None:
    def begin() -> tuple[Desk, StudioInstances, Any]:
        made, instances, bucket = studio_desk()
        instances.add("ana", platform)
        if there:
            instances.add_space("lab")
        return made, instances, bucket

    made, instances, bucket = begin()
    run(made)
    calls = len(instances.calls)

    for death in range(calls):
        made, instances, bucket = begin()
        instances.deaths = death
        with pytest.raises(Killed):
            run(made)
        instances.deaths = None
        bucket.now += timedelta(minutes=4)

        move = run(made, by="bob")

        assert move.files == 10, death
        nothing_is_left(instances)
        assert instances.made["ana"]["PlatformIdentifier"] == NEW
        assert instances.made["ana"].get("NotebookInstanceLifecycleConfigName") is None
        assert instances.tags("ana")["snapshot-moved"] == move.snapshot
        assert list(instances.spaces) == ["lab"]


def test_what_a_death_leaves_running_is_ended_by_detach() -> None:
    made, instances, _ = studio_desk(lambda *_: None)
    instances.add("ana")
    instances.deaths = 10**6
    instances.filler = _dies
    with pytest.raises(Killed):
        run(made)
    assert SPACE_CONFIG in instances.lab["LifecycleConfigArns"]

    assert mover(made).give_up("ana")

    nothing_is_left(instances)
    assert not mover(made).give_up("ana")


def _dies(instances: StudioInstances, _: str) -> None:
    raise Killed


def test_a_second_instance_goes_into_the_same_space_after_the_first_each_into_its_folder() -> None:
    made, instances, _ = studio_desk()
    instances.add("ana")
    instances.add("ana-2")
    first = run(made)

    second = run(made, "ana-2")

    assert (first.folder, second.folder) == ("ana", "ana-2")
    for name in ("ana", "ana-2"):
        assert cleaning.check(name, made).name == name


def test_files_of_an_instance_that_aws_starts_no_more_are_saved_on_a_newer_platform() -> None:
    made, instances, _ = studio_desk()
    instances.add("ana", AL2)

    assert run(made).files == 10
    assert instances.made["ana"]["PlatformIdentifier"] == NEW


def test_an_instance_that_runs_is_stopped_only_where_that_is_asked_for() -> None:
    made, instances, _ = studio_desk()
    instances.add("ana", status="InService")

    with pytest.raises(NotebookError, match=r"^ana: it is running, .* repeat with --stop$"):
        run(made)

    assert not instances.spaces
    assert run(made, may_stop=True).files == 10
    assert instances.made["ana"]["NotebookInstanceStatus"] == "Stopped"


def test_an_app_that_runs_in_the_space_is_stopped_only_where_that_is_asked_for() -> None:
    made, instances, _ = studio_desk()
    instances.add("ana")
    instances.add_space("lab")
    instances.add_app("lab")

    with pytest.raises(NotebookError, match=r"^ana: an app runs in the space, .* repeat with --stop$"):
        run(made)

    assert instances.apps["lab"]["Status"] == "InService"
    assert not instances.requests("StartNotebookInstance")
    assert run(made, may_stop=True).files == 10


@pytest.mark.parametrize(
    "other", [{"owner": "bob"}, {"kind": "CodeEditor"}, {"sharing": "Shared"}], ids=["another's", "no lab", "shared"]
)
def test_a_space_that_is_not_the_profiles_own_for_jupyterlab_is_left_alone(other: dict[str, str]) -> None:
    made, instances, _ = studio_desk()
    instances.add("ana")
    instances.add_space("lab", **other)

    with pytest.raises(NotebookError, match="there is a space lab that is no private JupyterLab space of ana"):
        run(made)

    assert not instances.requests("AddTags")


@pytest.mark.parametrize("goal", [Goal("d-none", PROFILE, "lab", "ml.t3.medium"), Goal(DOMAIN, "bob", "lab", "x")])
def test_a_profile_that_is_not_there_is_named_before_anything_is_done(goal: Goal) -> None:
    made, instances, _ = studio_desk()
    instances.add("ana")

    with pytest.raises(NotebookError, match=f"^{goal.profile}: there is no such user profile in domain {goal.domain}"):
        run(made, goal=goal)

    assert not instances.requests("AddTags")


@pytest.mark.parametrize(
    ("tags", "said"),
    [({}, "has no tag snapshot-prefix"), ({"snapshot-prefix": "people/bob"}, "has the tag snapshot-prefix people/bob")],
)
def test_a_role_that_would_reach_nothing_is_named_before_anything_is_done(tags: dict[str, str], said: str) -> None:
    made, instances, _ = studio_desk(role_tags=tags)
    instances.add("ana", snapshot_prefix="people/ana")

    with pytest.raises(NotebookError, match=f"the role {STUDIO_ROLE} of profile ana {said}: give it the tag snapshot-"):
        run(made)

    assert not instances.requests("AddTags")


def test_a_role_whose_tags_nobody_may_see_is_tried() -> None:
    made, instances, _ = studio_desk()
    instances.add("ana", snapshot_prefix="people/ana")
    made.roles.answers["list_role_tags"] = client_error("AccessDenied")

    assert run(made).files == 10


def test_a_restore_of_which_nothing_is_heard_says_what_may_be_wrong_and_leaves_nothing_running() -> None:
    made, instances, _ = studio_desk(lambda *_: None)
    instances.add("ana")

    with pytest.raises(NotebookError, match="nothing was heard of its restore for 15 minutes: may the role of profile"):
        run(made)

    nothing_is_left(instances)
    assert "snapshot-moved" not in instances.tags("ana")
    instances.filler = filled
    assert run(made).files == 10


def test_a_restore_that_failed_says_why_leaves_nothing_running_and_can_be_repeated() -> None:
    told: dict[str, Any] = {
        "state": "failed",
        "reason": "the volume is full",
        "advice": "give the space a larger volume",
    }
    made, instances, _ = studio_desk(partial(filled, **told))
    instances.add("ana")

    with pytest.raises(
        NotebookError, match=r"^ana: the restore into space lab failed: the volume is full: give the space a larger"
    ):
        run(made)

    nothing_is_left(instances)
    with pytest.raises(NotebookError, match="its move to space lab of d-abc has not ended: it stays"):
        cleaning.check("ana", made)
    instances.filler = filled
    assert run(made).files == 10


def test_a_restore_that_lacks_a_file_is_no_move() -> None:
    made, instances, _ = studio_desk(partial(filled, files={"total": 10, "done": 9, "left_out": 1}))
    instances.add("ana")

    with pytest.raises(NotebookError, match=r"^d-abc.lab: it has 9 files .* the old instance has all$"):
        run(made)

    nothing_is_left(instances)
    assert "snapshot-moved" not in instances.tags("ana")


def test_an_app_that_does_not_start_is_told_with_its_reason() -> None:
    made, instances, _ = studio_desk()
    instances.add("ana")
    instances.refused = "no capacity"

    with pytest.raises(NotebookError, match=r"^ana: the app of space lab did not start: no capacity: repeat"):
        run(made)

    nothing_is_left(instances)
    instances.refused = ""
    assert run(made).files == 10


def test_an_app_that_somebody_deletes_in_the_middle_is_told() -> None:
    def deleted(instances: StudioInstances, space: str) -> None:
        instances.apps[space]["Status"] = "Deleting"

    made, instances, _ = studio_desk(deleted)
    instances.add("ana")

    with pytest.raises(NotebookError, match="the app of space lab was deleted in the middle of the restore: repeat"):
        run(made)

    nothing_is_left(instances)


def test_a_refusal_of_aws_leaves_nothing_half_made() -> None:
    made, instances, _ = studio_desk()
    instances.add("ana")
    instances.answers["create_app"] = client_error("ResourceLimitExceeded", "the limit of ml.t3.medium apps is 0")

    with pytest.raises(ClientError, match="the limit of"):
        run(made)

    nothing_is_left(instances)


def test_the_configuration_stays_on_the_profile_while_another_of_its_spaces_needs_it() -> None:
    made, instances, _ = studio_desk()
    instances.add("ana")
    instances.add_space("other")
    instances.space_tags("other").update({"snapshot-request": "restore-1", "snapshot-status": "running 1 of 2 files"})

    run(made)

    assert instances.lab["LifecycleConfigArns"] == [OWN, SPACE_CONFIG]
    instances.space_tags("other")["snapshot-status"] = "complete 2 files"
    run(made)
    nothing_is_left(instances)


def test_a_configuration_of_an_earlier_deployment_makes_room_for_the_newer_one() -> None:
    made, instances, _ = studio_desk()
    instances.add("ana")
    instances.lab["LifecycleConfigArns"].append(SPACE_CONFIG.replace("0123456789", "aaaaaaaaaa"))

    run(made)

    nothing_is_left(instances)


def test_the_second_of_two_moves_says_who_is_at_it_and_changes_nothing() -> None:
    made, instances, bucket = studio_desk()
    instances.add("ana")
    instances.add("bob")
    Lease(made.shelf(made.fleet.read("bob")), GOAL.key, "arn:bob", "the move of bob into it").take()
    bucket.now += timedelta(seconds=100)

    with pytest.raises(NotebookError, match=r"^d-abc.lab: arn:bob is at it \(the move of bob into it\), and"):
        run(made)

    assert not instances.requests("AddTags")
    assert [key for key in bucket.objects if "migrations/" in key] == ["migrations/d-abc.lab.json"]


def test_a_move_into_the_space_that_was_broken_off_comes_first() -> None:
    made, instances, _ = studio_desk()
    instances.add("ana")
    instances.add_space("lab")
    instances.space_tags("lab").update({"snapshot-request": "restore-1", "snapshot-from": "bob"})

    with pytest.raises(NotebookError, match="the move of bob into space lab was broken off: repeat that first, or"):
        run(made)


def test_what_somebody_else_has_taken_over_is_left_running() -> None:
    made, instances, bucket = studio_desk()

    def taken(instances: StudioInstances, space: str) -> None:
        bucket.put(f"migrations/{GOAL.key}.json", {"by": "bob", "aim": "the move of ana into it"})

    instances.filler = taken
    instances.add("ana")

    with pytest.raises(NotebookError, match="somebody else has taken the migration over"):
        run(made)

    assert instances.apps["lab"]["Status"] == "InService"
    assert "snapshot-request" in instances.space_tags("lab")


def test_an_instance_is_deleted_after_its_move_only_while_the_space_is_there_and_has_its_files() -> None:
    made, instances, bucket = studio_desk()
    instances.add("ana")
    move = run(made)
    key = f"results/complete/d-abc.lab/restore-{move.snapshot}.json"
    told = bucket.objects.pop(key)
    with pytest.raises(NotebookError, match="the bucket has no word that space lab of d-abc got all its files"):
        cleaning.check("ana", made)
    bucket.objects[key] = told
    space = instances.spaces.pop("lab")
    with pytest.raises(NotebookError, match="the space lab of d-abc that its files went to is gone: it stays"):
        cleaning.check("ana", made)
    instances.spaces["lab"] = space

    assert cleaning.check("ana", made).name == "ana"
    assert planning.step(made.fleet.read("ana"), NEW, TODAY).way == (
        "its files are in a space of Studio: open that, then clean"
    )
