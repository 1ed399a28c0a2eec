"""A backup or restore ends as it should, the instance is put back, and a death between any two calls is made good."""

from datetime import date
from typing import Any

import pytest
from tests.support.notebook_fleet import AL2, STACK, Bucket, Instances, Killed, Waits, at_once, desk, document

from signalbox_operate.notebooks import model, requests
from signalbox_operate.notebooks.model import BACKUP, RESTORE, NotebookError, Standing
from signalbox_operate.notebooks.place import Desk
from signalbox_operate.notebooks.requests import Request

TODAY = date(2026, 11, 20)
SAVE = Request(BACKUP, STACK.backup)


def silent(*_: object) -> None:
    """Hear nothing."""


def run(made: Desk, name: str = "ana", request: Request = SAVE, *, may_stop: bool = True) -> Standing:
    return requests.carry_out(name, request, made, silent, TODAY, may_stop=may_stop)


def state(instances: Instances, name: str = "ana") -> tuple[str, str]:
    one = instances.made[name]
    return one["NotebookInstanceStatus"], one.get("NotebookInstanceLifecycleConfigName", "")


@pytest.mark.parametrize(("status", "config"), [("Stopped", ""), ("Stopped", "own"), ("InService", "own")])
def test_an_instance_is_saved_and_is_as_it_was(status: str, config: str) -> None:
    made, instances, bucket = desk()
    instances.add("ana", status=status, config=config, snapshot_prefix="people/ana", team="wine")

    ended = run(made)

    assert ended.state == "complete"
    instances.describe_notebook_instance(NotebookInstanceName="ana")
    assert state(instances) == (status, config)
    assert bucket.read(f"people/ana/snapshots/{ended.snapshot}/complete.json")["totals"]["files"] == 10
    tags = instances.tags("ana")
    assert not {"snapshot-before", "snapshot-request"} & set(tags)
    assert (tags["team"], tags["ebs-backup-bucket"], tags["snapshot-owner"]) == ("wine", STACK.bucket, STACK.owner)


@pytest.mark.parametrize("status", ["Stopped", "InService"])
def test_who_dies_before_any_call_goes_on_when_it_is_repeated(status: str) -> None:
    made, instances, bucket = desk()
    instances.add("ana", status=status, config="own")
    run(made)
    calls = len(instances.calls)
    assert calls > 10

    for death in range(calls):
        made, instances, bucket = desk()
        instances.add("ana", status=status, config="own")
        instances.deaths = death
        with pytest.raises(Killed):
            run(made)
        instances.deaths = None

        assert run(made).state == "complete"

        instances.describe_notebook_instance(NotebookInstanceName="ana")
        assert state(instances) == (status, "own"), death
        assert "snapshot-before" not in instances.tags("ana"), death
        assert len([key for key in bucket.objects if key.endswith("complete.json")]) <= 2


def test_an_instance_that_runs_is_stopped_only_where_that_is_asked_for() -> None:
    made, instances, _ = desk()
    instances.add("ana", status="InService")

    with pytest.raises(NotebookError, match=r"^ana: it is running, .* repeat with --stop$"):
        run(made, may_stop=False)

    assert {name for name, _ in instances.calls} == {"DescribeNotebookInstance", "ListTags"}


def test_an_instance_that_aws_would_not_start_again_is_not_touched() -> None:
    made, instances, _ = desk()
    instances.add("ana", AL2, "InService")

    with pytest.raises(NotebookError, match=r"AWS starts no instance of notebook-al2-v3 since 2026-07-01.*--in-place"):
        run(made)

    assert state(instances) == ("InService", "")


def test_an_instance_that_is_not_there_is_named() -> None:
    made, _, _ = desk()

    with pytest.raises(NotebookError, match=r"^bob: there is no such notebook instance"):
        run(made, "bob")


def test_a_failure_is_told_with_its_reason_and_advice_and_the_instance_is_put_back() -> None:
    def failing(instances: Instances, name: str, config: str) -> None:
        if config == STACK.backup:
            request = instances.tags(name)["snapshot-request"]
            told = {"reason": "2 files could not be read", "advice": "mend them"}
            instances.bucket.put(f"status/{name}/backup.json", document("backup", request, "s", "failed", **told))

    made, instances, _ = desk(failing)
    instances.add("ana", config="own")

    with pytest.raises(NotebookError, match=r"^ana: backup failed: 2 files could not be read: mend them$"):
        run(made)

    assert state(instances)[1] == "own"
    assert "snapshot-before" not in instances.tags("ana")


def test_a_failure_names_the_first_files_that_were_left_out() -> None:
    left = [{"path": f"file-{number}", "reason": "its content is missing"} for number in range(5)]
    more = {"reason": "5 files were not restored", "files": {"total": 10, "done": 5, "left_out": 700}}
    found = model.standing(document("restore", "r", "s", "failed", left_out=left, **more))
    few = model.standing(document("restore", "r", "s", "failed", left_out=left[:1], reason="1 file was not"))

    assert found.why == (
        "failed: 5 files were not restored (file-0: its content is missing; file-1: its content is missing; "
        "file-2: its content is missing; and 697 more)"
    )
    assert few.why == "failed: 1 file was not (file-0: its content is missing)"
    assert model.standing(document("restore", "r", "s", "failed", reason="no bucket")).why == "failed: no bucket"


def test_a_failure_before_anything_reaches_the_bucket_is_told_by_the_tag() -> None:
    def unable(instances: Instances, name: str, config: str) -> None:
        if config:
            instances.tags(name)["snapshot-status"] = "failed: no worker in bucket b"

    made, instances, _ = desk(unable)
    instances.add("ana", snapshot_status="failed: of last year")

    with pytest.raises(NotebookError, match=r"^ana: backup failed: no worker in bucket b$"):
        run(made)


def test_what_an_earlier_request_left_is_not_taken_for_the_end_of_this_one() -> None:
    made, instances, bucket = desk(lambda *_: None)
    bucket.put("status/ana/backup.json", document("backup", "backup-old", "old"))
    instances.add("ana", snapshot_status="complete 10 files")

    with pytest.raises(NotebookError, match="nothing was heard of its backup for 15 minutes"):
        run(made)


def test_a_worker_that_still_says_how_far_it_is_is_waited_for() -> None:
    steps = iter(range(3000))

    class Slow(Bucket):
        def _get_object(self, **request: Any) -> dict[str, Any]:
            tags = instances.tags("ana")
            step = next(steps)
            ended = "complete" if step > 200 else "running"
            found = document("backup", tags.get("snapshot-request", ""), "s", ended, updated=f"{step // 50}")
            self.put(request["Key"], found)
            return super()._get_object(**request)

    made, instances, _ = desk(lambda *_: None)
    bucket = Slow()
    made = Desk(STACK, made.fleet, bucket, made.roles)
    instances.add("ana")

    assert run(made).state == "complete"
    assert isinstance(made.fleet.sleep, Waits)
    assert made.fleet.sleep.seconds > 900


def test_an_instance_that_is_stopped_in_the_middle_is_told_and_goes_on_when_it_is_repeated() -> None:
    def stopped(instances: Instances, name: str, config: str) -> None:
        if config:
            instances.made[name]["NotebookInstanceStatus"] = "Stopping"

    made, instances, _ = desk(stopped)
    instances.add("ana", config="own")
    with pytest.raises(NotebookError, match="in the middle of its backup: repeat, to go on"):
        run(made)
    first = instances.tags("ana")["snapshot-request"]
    instances.worker = at_once

    assert run(made).request == first
    assert state(instances)[1] == "own"


def test_another_piece_of_work_that_was_broken_off_comes_first_or_is_given_up() -> None:
    made, instances, _ = desk()
    instances.add("ana", config="own", snapshot_request="restore-1", snapshot_before="Stopped own")
    with pytest.raises(NotebookError, match="a restore was broken off: repeat it, or `signalbox notebooks detach ana`"):
        run(made)

    assert requests.detach("ana", made, may_stop=False)

    assert run(made).state == "complete"


def test_a_snapshot_is_restored_at_one_start() -> None:
    made, instances, _ = desk()
    instances.add("ana")
    asked = Request(RESTORE, STACK.restore_on_start, {"backup-snapshot": "ana_2026-01-01-00-00-00"})

    assert run(made, request=asked).snapshot == "ana_2026-01-01-00-00-00"
    assert state(instances)[1] == ""


def test_the_prefix_of_the_role_is_written_on_an_instance_that_has_none() -> None:
    made, instances, bucket = desk()
    instances.add("ana")
    made.roles.answers["list_role_tags"] = {"Tags": [{"Key": "snapshot-prefix", "Value": "people/ana"}]}

    ended = run(made)

    assert instances.tags("ana")["snapshot-prefix"] == "people/ana"
    assert f"people/ana/snapshots/{ended.snapshot}/complete.json" in bucket.objects


@pytest.mark.parametrize(("status", "may_stop", "done"), [("Stopped", False, True), ("InService", True, True)])
def test_a_configuration_that_was_attached_by_hand_is_taken_off(status: str, may_stop: bool, done: bool) -> None:
    made, instances, _ = desk()
    instances.add("ana", status=status, config=STACK.backup)

    assert requests.detach("ana", made, may_stop=may_stop) is done
    instances.describe_notebook_instance(NotebookInstanceName="ana")
    assert state(instances) == (status, "")
    assert not requests.detach("ana", made, may_stop=may_stop)


def test_a_configuration_of_ones_own_stays_and_a_running_instance_is_not_stopped_without_a_word() -> None:
    made, instances, _ = desk()
    instances.add("own", config="own")
    instances.add("runs", status="InService", config=STACK.backup)

    assert not requests.detach("own", made, may_stop=True)
    with pytest.raises(NotebookError, match="repeat with --stop"):
        requests.detach("runs", made, may_stop=False)


def test_an_instance_that_runs_with_the_configuration_by_tags_alone_is_started_anew_for_the_request() -> None:
    made, instances, _ = desk()
    instances.add("ana", status="InService", config=STACK.backup, ebs_backup_bucket="bucket")

    ended = run(made)

    assert ended.request is not None
    assert [name for name, _ in instances.calls if name.startswith(("Stop", "Start"))] == [
        "StopNotebookInstance",
        "StartNotebookInstance",
    ]
    assert state(instances)[1] == STACK.backup
