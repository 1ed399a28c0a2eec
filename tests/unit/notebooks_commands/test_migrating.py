"""Migrations: in place and to a new instance, compared, one person at a time, repeated after a death anywhere."""

from datetime import date, timedelta
from typing import Any

import pytest
from tests.support.notebook_fleet import AL2, NEW, STACK, Instances, Killed, at_once, desk

from signalbox_operate.notebooks import cleaning, migrating
from signalbox_operate.notebooks.leases import Lease
from signalbox_operate.notebooks.migrating import Aim, Report
from signalbox_operate.notebooks.model import NotebookError
from signalbox_operate.notebooks.place import Desk
from signalbox_operate.stack import OperateError

TODAY = date(2026, 11, 20)
MOVE, STAY = Aim(NEW, "ana-2"), Aim(NEW, "")


def run(made: Desk, aim: Aim, by: str = "ana") -> Report:
    return migrating.migrate("ana", aim, by, made, lambda *_: None, TODAY, may_stop=True)


def test_a_new_instance_has_the_old_ones_settings_files_and_tags_and_the_old_one_is_stopped() -> None:
    made, instances, _ = desk()
    instances.add("ana", status="InService", config="own", team="wine", snapshot_prefix="people/ana")

    report = run(made, MOVE)

    assert (report.new, report.files, report.compared, report.left_out) == ("ana-2", 10, True, 0)
    (request,) = instances.requests("CreateNotebookInstance")
    kept = {"InstanceType": "ml.t3.medium", "VolumeSizeInGB": 7, "SubnetId": "subnet-1"}
    assert kept.items() <= request.items()
    assert request["SecurityGroupIds"] == ["sg-12345678"]
    assert request["InstanceMetadataServiceConfiguration"] == {"MinimumInstanceMetadataServiceVersion": "2"}
    new = instances.made["ana-2"]
    assert (new["PlatformIdentifier"], new["NotebookInstanceLifecycleConfigName"]) == (NEW, "own")
    assert {"team": "wine", "snapshot-from": "ana"}.items() <= instances.tags("ana-2").items()
    instances.describe_notebook_instance(NotebookInstanceName="ana")
    assert instances.made["ana"]["NotebookInstanceStatus"] == "Stopped"
    assert instances.tags("ana")["snapshot-migrated-to"] == "ana-2"
    assert not instances.requests("DeleteNotebookInstance")


@pytest.mark.parametrize(("aim", "platform"), [(MOVE, NEW), (MOVE, AL2), (STAY, AL2)])
def test_who_dies_before_any_call_goes_on_when_it_is_repeated(aim: Aim, platform: str) -> None:
    made, instances, bucket = desk()
    instances.add("ana", platform)
    run(made, aim)
    calls = len(instances.calls)

    for death in range(calls):
        made, instances, bucket = desk()
        instances.add("ana", platform)
        instances.deaths = death
        with pytest.raises(Killed):
            run(made, aim)
        instances.deaths = None
        bucket.now += timedelta(minutes=4)

        report = run(made, aim, "bob")

        assert report.files == 10
        there = instances.made[report.new]
        assert there["PlatformIdentifier"] == NEW, death
        assert "NotebookInstanceLifecycleConfigName" not in there, death
        assert "snapshot-before" not in instances.tags(report.new), death
        assert len(instances.made) == (2 if aim.new else 1)


def test_an_instance_that_aws_starts_no_more_is_updated_first_and_saved_then() -> None:
    made, instances, _ = desk()
    instances.add("ana", AL2)

    report = run(made, migrating.aim(made.fleet.read("ana"), NEW, "", TODAY, in_place=False))

    assert (report.new, report.compared) == ("ana", False)
    assert instances.made["ana"]["PlatformIdentifier"] == NEW
    assert [kernel.name for kernel in report.missing] == []
    names = [name for name, _ in instances.calls]
    assert names.index("UpdateNotebookInstance") < names.index("StartNotebookInstance")


def test_what_an_update_took_away_is_seen_where_there_was_a_snapshot_before() -> None:
    made, instances, _ = desk()
    instances.add("ana", AL2)
    day = date(2026, 6, 1)

    def losing(instances: Instances, name: str, config: str) -> None:
        at_once(instances, name, config)
        for key in [one for one in instances.bucket.objects if one.endswith("complete.json")][1:]:
            instances.bucket.put(key, {"totals": {"files": 9, "bytes": 100, "left_out": 0}})

    instances.worker = losing
    # Before the end of the platform, AWS starts it.
    instances.answers["start_notebook_instance"] = _starts(instances)

    with pytest.raises(NotebookError, match="it has 9 files of 100 bytes, and the snapshot 10 of 100"):
        migrating.migrate("ana", STAY, "ana", made, lambda *_: None, day, may_stop=True)


def _starts(instances: Instances) -> Any:
    def start(**request: Any) -> dict[str, Any]:
        name = request["NotebookInstanceName"]
        instances.made[name]["NotebookInstanceStatus"] = "Pending"
        instances.worker(instances, name, instances.made[name].get("NotebookInstanceLifecycleConfigName", ""))
        return {}

    return start


def test_a_restore_that_lacks_a_file_is_no_migration() -> None:
    def losing(instances: Instances, name: str, config: str) -> None:
        at_once(instances, name, config)
        if config == STACK.restore:
            found = instances.bucket.read(f"status/{name}/restore.json")
            instances.bucket.put(f"status/{name}/restore.json", {**found, "files": {"total": 10, "done": 9}})

    made, instances, _ = desk(losing)
    instances.add("ana")

    with pytest.raises(NotebookError, match=r"^ana-2: it has 9 files .* the old instance has all$"):
        run(made, MOVE)
    assert "snapshot-migrated-to" not in instances.tags("ana")


def test_the_second_of_two_migrations_says_who_is_at_it_and_changes_nothing() -> None:
    made, instances, bucket = desk()
    instances.add("ana")
    Lease(made.shelf(made.fleet.read("ana")), "ana", "arn:bob", STAY.told).take()
    calls = len(instances.calls)
    bucket.now += timedelta(seconds=100)

    with pytest.raises(NotebookError, match=r"arn:bob is at it \(the migration to notebook-al2023-v1 in place\), and"):
        run(made, MOVE)

    changes = {name for name, _ in instances.calls[calls:]} - {"DescribeNotebookInstance", "ListTags"}
    assert changes == set()


def test_another_migration_that_was_broken_off_is_ended_first() -> None:
    made, instances, bucket = desk()
    instances.add("ana")
    Lease(made.shelf(made.fleet.read("ana")), "ana", "arn:bob", STAY.told).take()
    bucket.now += timedelta(minutes=4)

    with pytest.raises(NotebookError, match=r"arn:bob began the migration to .* in place and did not end it: repeat"):
        run(made, MOVE)


def test_a_migration_that_somebody_took_over_stops() -> None:
    made, instances, bucket = desk()
    instances.add("ana")
    lease = Lease(made.shelf(made.fleet.read("ana")), "ana", "ana", MOVE.told)
    lease.take()
    lease.give_back()
    Lease(lease.shelf, "ana", "bob", MOVE.told).take()

    with pytest.raises(NotebookError, match="somebody else has taken the migration over"):
        lease.renew()
    lease.give_back()

    assert bucket.read("migrations/ana.json")["by"] == "bob"


def test_an_instance_of_the_new_name_that_is_somebody_elses_is_left_alone() -> None:
    made, instances, _ = desk()
    instances.add("ana")
    instances.add("ana-2")

    with pytest.raises(NotebookError, match="there is an instance ana-2 that is not of this migration: give --name"):
        run(made, MOVE)


@pytest.mark.parametrize(
    ("platform", "name", "in_place", "aim"),
    [
        (NEW, "", False, Aim(NEW, "ana-al2023")),
        (NEW, "b", False, Aim(NEW, "b")),
        (NEW, "", True, Aim(NEW, "")),
        (AL2, "", False, Aim(NEW, "")),
        (AL2, "b", False, Aim(NEW, "b")),
    ],
)
def test_the_way_is_what_is_asked_for_or_in_place_where_aws_starts_the_old_one_no_more(
    platform: str, name: str, in_place: bool, aim: Aim
) -> None:
    made, instances, _ = desk()
    instances.add("ana", platform)

    assert migrating.aim(made.fleet.read("ana"), NEW, name, TODAY, in_place=in_place) == aim


@pytest.mark.parametrize(
    ("target", "name", "in_place", "said"),
    [
        (AL2, "", False, "AWS makes no instance of notebook-al2-v3 since 2026-07-01: choose notebook-al2023-v1"),
        ("notebook-al3", "", False, "there is no platform 'notebook-al3'"),
        (NEW, "b", True, "leave out --in-place or --name"),
    ],
)
def test_what_aws_does_not_offer_is_refused_before_anything_is_done(
    target: str, name: str, in_place: bool, said: str
) -> None:
    made, instances, _ = desk()
    instances.add("ana", NEW)

    with pytest.raises(OperateError, match=said):
        migrating.aim(made.fleet.read("ana"), target, name, TODAY, in_place=in_place)


def test_a_long_name_leaves_room_for_the_platforms_ending() -> None:
    made, instances, _ = desk()
    instances.add("a" * 63)

    wanted = migrating.aim(made.fleet.read("a" * 63), NEW, "", TODAY, in_place=False)

    assert wanted.new == "a" * 56 + "-al2023"


def test_an_old_instance_is_deleted_only_after_its_migration_and_when_nobody_uses_it() -> None:
    made, instances, bucket = desk()
    instances.add("ana")
    with pytest.raises(NotebookError, match="no migration of it has ended, so it is the only one with its files"):
        cleaning.check("ana", made)
    run(made, MOVE)
    status = bucket.objects.pop("status/ana-2/restore.json")
    with pytest.raises(NotebookError, match="the bucket has no word that ana-2 got all its files"):
        cleaning.check("ana", made)
    bucket.objects["status/ana-2/restore.json"] = status
    instances.made["ana"]["NotebookInstanceStatus"] = "InService"
    with pytest.raises(NotebookError, match="it is InService, so somebody may be using it"):
        cleaning.check("ana", made)
    instances.made["ana"]["NotebookInstanceStatus"] = "Stopped"

    cleaning.delete(cleaning.check("ana", made), made.fleet)

    assert set(instances.made) == {"ana-2"}


def test_an_old_instance_stays_where_the_new_one_is_gone() -> None:
    made, instances, _ = desk()
    instances.add("ana", snapshot_migrated_to="ana-2")

    with pytest.raises(NotebookError, match="the instance ana-2 that it was migrated to is gone: it stays"):
        cleaning.check("ana", made)
