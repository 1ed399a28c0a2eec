"""The commands of notebook instances: what they print, refuse and leave, over fakes that remember."""

import json
import re
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.notebook_fleet import ACCOUNT, AL2, NEW, REGION, STACK, Bucket, Waits, document
from tests.support.notebook_studio import DOMAIN, OWN, PROFILE, StudioInstances, filled
from typer.testing import CliRunner, Result

from signalbox_operate import account, cli
from signalbox_operate.commands import snapshotting
from signalbox_operate.notebooks import many, organisation, place, planning, platforms, worker_file
from signalbox_operate.notebooks.fleet import Fleet
from signalbox_operate.notebooks.many import BrokenOffError, Halt
from signalbox_operate.stack import OperateError

OUTPUTS = {
    "Bucket": STACK.bucket,
    "Owner": STACK.owner,
    "BackupConfig": STACK.backup,
    "RestoreConfig": STACK.restore,
    "RestoreOnStartConfig": STACK.restore_on_start,
    "WorkerDigest": STACK.digest,
    "RestoreToSpaceConfigArn": STACK.restore_to_space,
}
SNAPSHOT = "ana_2026-11-20-10-00-00"


class Stacks(RecordingClient):
    """CloudFormation with at most the stack of notebook instances."""

    def __init__(self, *, there: bool = True) -> None:
        super().__init__("cloudformation")
        self.there = there

    def _describe_stacks(self, **request: Any) -> dict[str, Any]:
        if not self.there or request["StackName"] != "signalbox-notebooks":
            raise client_error("ValidationError", f"Stack with id {request['StackName']} does not exist")
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in OUTPUTS.items()]
        given = [{"ParameterKey": "ExpireDays", "ParameterValue": "90"}]
        stack = {"StackName": "signalbox-notebooks", "StackStatus": "CREATE_COMPLETE", "CreationTime": 0}
        return {"Stacks": [{**stack, "Outputs": outputs, "Parameters": given}]}

    def _describe_stack_events(self, **_: Any) -> dict[str, Any]:
        return {"StackEvents": []}

    def _create_stack(self, **_: Any) -> dict[str, Any]:
        self.there = True
        return {}

    def _update_stack(self, **_: Any) -> dict[str, Any]:
        raise client_error("ValidationError", "No updates are to be performed.")


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The clients that a command gets."""
    for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, REGION)
    bucket = Bucket()
    found: dict[str, Any] = {
        "cloudformation": Stacks(),
        "s3": bucket,
        "sagemaker": StudioInstances(bucket, filled),
        "iam": RecordingClient("iam", {"list_role_tags": {"Tags": []}}),
        "sts": RecordingClient("sts", {"get_caller_identity": {"Arn": f"arn:aws:iam::{ACCOUNT}:user/ana"}}),
    }
    monkeypatch.setattr(account, "client", found.__getitem__)
    monkeypatch.setattr(snapshotting, "Fleet", lambda client, _: Fleet(client, Waits(bucket)))
    return found


def run(*words: str, given: str = "") -> Result:
    return CliRunner().invoke(cli.app, ["notebooks", *words], input=given)


def told(result: Result) -> str:
    return " ".join((result.output + result.stderr).split())


def test_the_worker_is_in_the_bucket_under_its_digest_after_a_deployment(clients: dict[str, Any]) -> None:
    clients["cloudformation"].there = False

    result = run("deploy", "--parameter", "ExamplePrefix=people/ana")

    assert result.exit_code == 0, told(result)
    (request,) = clients["cloudformation"].requests("CreateStack")
    given = {one["ParameterKey"]: one["ParameterValue"] for one in request["Parameters"]}
    digest = worker_file.digest(worker_file.worker_file())
    assert re.fullmatch("[0-9a-f]{10}", given.pop("SpaceConfigVersion"))
    assert given == {"ExamplePrefix": "people/ana", "WorkerDigest": digest}
    assert clients["s3"].objects[f"worker/{digest}.pyz"][0] == worker_file.worker_file()
    assert f"bucket {STACK.bucket}" in told(result)


def test_the_configuration_for_spaces_is_of_another_version_where_its_script_is_another(
    clients: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients["cloudformation"].there = False
    changed = tmp_path / "template.yaml"
    changed.write_text(place.TEMPLATE.read_text() + "# more\n")

    def version(*words: str) -> str:
        assert run("deploy", *words).exit_code == 0
        clients["cloudformation"].there = False
        (*_, request) = clients["cloudformation"].requests("CreateStack")
        given = {one["ParameterKey"]: str(one["ParameterValue"]) for one in request["Parameters"]}
        return given["SpaceConfigVersion"]

    own = ("--parameter", f"SnapshotsBucket={STACK.bucket}", "--parameter", f"BucketOwner={ACCOUNT}")
    first, again, elsewhere = version(), version(), version(*own)
    monkeypatch.setattr(place, "TEMPLATE", changed)

    assert first == again
    assert len({first, elsewhere, version()}) == 3


def test_a_deployment_is_safe_to_repeat_and_keeps_the_parameters(clients: dict[str, Any]) -> None:
    assert "signalbox-notebooks unchanged" in told(run("deploy"))
    assert run("deploy").exit_code == 0

    requests = clients["cloudformation"].requests("UpdateStack")
    given = [{one["ParameterKey"]: one["ParameterValue"] for one in request["Parameters"]} for request in requests]
    assert [one["ExpireDays"] for one in given] == ["90", "90"]
    assert len(clients["s3"].requests("PutObject")) == 1


def test_without_the_stack_a_command_says_how_to_make_it(clients: dict[str, Any]) -> None:
    clients["cloudformation"].there = False

    assert "there is no stack 'signalbox-notebooks'" in told(run("backup", "ana"))
    assert "`signalbox notebooks deploy` makes it" in told(run("backup", "ana"))


def test_the_template_that_is_deployed_is_the_projects() -> None:
    assert place.TEMPLATE.read_text().startswith('AWSTemplateFormatVersion: "2010-09-09"')
    assert len(place.TEMPLATE.read_bytes()) <= 51_200


def test_many_instances_are_saved_and_one_that_fails_keeps_no_other_from_its_end(clients: dict[str, Any]) -> None:
    for name in ("ana", "bob", "cy"):
        clients["sagemaker"].add(name)
    clients["sagemaker"].add("old", AL2)

    result = run("backup", "--all", "--json")

    assert result.exit_code == 1
    ended = {one["instance"]: (one["result"] or {}).get("state") for one in json.loads(result.stdout)}
    assert ended == {"ana": "complete", "bob": "complete", "cy": "complete", "old": None}
    assert "error: old: AWS starts no instance of notebook-al2-v3" in told(result)


@pytest.mark.parametrize("words", [(), ("ana", "--all")])
def test_instances_are_named_or_all_are_meant(clients: dict[str, Any], words: tuple[str, ...]) -> None:
    assert "name notebook instances, or give --all" in told(run("backup", *words))


def test_a_restore_takes_the_newest_snapshot_of_the_instance_and_no_other_ones(clients: dict[str, Any]) -> None:
    clients["sagemaker"].add("ana")
    totals = {"totals": {"files": 10, "bytes": 100, "left_out": 0}}
    for name in (SNAPSHOT, "ana_2026-11-19-10-00-00", "ana_b_2026-11-21-10-00-00", "anabel_2026-11-21-10-00-00"):
        clients["s3"].put(f"snapshots/{name}/complete.json", totals)
    clients["s3"].put("snapshots/ana_2026-11-22-10-00-00/manifest/1.jsonl.gz", {})

    result = run("restore", "ana", "--overwrite-newer")

    assert f"of snapshot {SNAPSHOT}" in told(result)
    tags = clients["sagemaker"].tags("ana")
    assert (tags["backup-snapshot"], tags["snapshot-overwrite"]) == (SNAPSHOT, "newer")


@pytest.mark.parametrize("name", ["ana_2026-11-20-10-00-0", "ana\n\"'", "../x"])
def test_a_snapshot_that_is_not_there_is_refused_before_the_instance_is_touched(
    clients: dict[str, Any], name: str
) -> None:
    clients["sagemaker"].add("ana")
    clients["s3"].put(f"snapshots/{SNAPSHOT}/complete.json", {"totals": {"files": 1, "bytes": 1, "left_out": 0}})

    result = run("restore", "ana", "--snapshot", name)

    assert result.exit_code == 1
    assert "there is no complete snapshot" in told(result)
    assert SNAPSHOT in told(result)
    assert not clients["sagemaker"].requests("AddTags")


def test_an_instance_without_a_snapshot_has_none_to_be_restored(clients: dict[str, Any]) -> None:
    clients["sagemaker"].add("ana")

    assert "it has no snapshot of its own: name one with --snapshot" in told(run("restore", "ana"))


def test_a_migration_is_told_with_what_the_new_platform_lacks_and_what_is_next(clients: dict[str, Any]) -> None:
    clients["sagemaker"].add("ana", "notebook-al2-v2")

    said = told(run("migrate", "ana", "--name", "ana-2"))

    assert "ana: ana-2 has 10 files, compared and equal" in said
    assert "without MXNet (conda_mxnet_*); instead PyTorch" in said
    assert "environments: 2; those that do not work any more are made anew by `bash SageMaker/recreate-env" in said
    assert "then `signalbox notebooks clean ana`" in said


TO_STUDIO = ("to-studio", "--domain", DOMAIN, "--user-profile", PROFILE)


def test_a_move_into_studio_is_told_with_what_is_next_and_then_seen_and_cleaned(clients: dict[str, Any]) -> None:
    clients["sagemaker"].add("ana")

    said = told(run(*TO_STUDIO, "ana"))

    assert "ana: space ana of d-abc has 10 files in ana/, compared and equal" in said
    assert "ana is stopped: open the space in Studio, then `signalbox notebooks clean ana`" in said
    (line,) = run("status", "ana").output.splitlines()
    assert line.split("\t")[2:4] == ["backup", "complete: 10 of 10 files; its files are in space ana of d-abc"]
    assert run("clean", "ana", "--yes").exit_code == 0
    assert not clients["sagemaker"].made


def test_a_move_says_how_many_environments_there_are_and_how_they_are_made_anew(clients: dict[str, Any]) -> None:
    clients["sagemaker"].add("ana")
    clients["sagemaker"].filler = partial(filled, environments=2)

    said = told(run(*TO_STUDIO, "ana"))

    assert "environments: 2; those that do not work any more are made anew by `bash ana/recreate-env" in said


def test_the_newest_work_of_an_instance_may_be_in_its_space_and_no_other_instances_work_is(
    clients: dict[str, Any],
) -> None:
    clients["sagemaker"].add("ana", snapshot_migrated_to="d-abc.lab")
    clients["s3"].put("status/ana/backup.json", document("backup", "r", SNAPSHOT))
    later: dict[str, Any] = {"updated": "2026-11-21T12:00:00Z", "state": "running", "files": {"total": 10, "done": 4}}
    clients["s3"].put("status/d-abc.lab/restore.json", document("restore", "r", "bob_2026-11-20-10-00-00", **later))
    assert run("status").output.split("\t")[2] == "backup"

    clients["s3"].put("status/d-abc.lab/restore.json", document("restore", "r", SNAPSHOT, **later))

    assert run("status").output.split("\t")[2:4] == ["restore", "running: 4 of 10 files"]


def test_several_instances_go_to_spaces_of_their_own_and_one_that_fails_keeps_no_other_from_its_end(
    clients: dict[str, Any],
) -> None:
    for name in ("ana", "bob"):
        clients["sagemaker"].add(name)
    clients["sagemaker"].add("runs", status="InService")

    result = run(*TO_STUDIO, "ana", "bob", "runs", "--json")

    assert result.exit_code == 1
    ended = {one["instance"]: (one["result"] or {}).get("space") for one in json.loads(result.stdout)}
    assert ended == {"ana": "ana", "bob": "bob", "runs": None}
    assert set(clients["sagemaker"].spaces) == {"ana", "bob"}
    assert clients["sagemaker"].lab["LifecycleConfigArns"] == [OWN]


def test_several_instances_are_not_given_one_space_at_once(clients: dict[str, Any]) -> None:
    assert "--space is for one instance" in told(run(*TO_STUDIO, "ana", "bob", "--space", "lab"))


def test_what_a_move_left_is_ended_by_detach(clients: dict[str, Any]) -> None:
    clients["sagemaker"].add("ana", snapshot_migrated_to="d-abc.lab")
    clients["sagemaker"].add_space("lab")
    clients["sagemaker"].space_tags("lab").update({"snapshot-request": "restore-1", "snapshot-from": "ana"})
    clients["sagemaker"].add_app("lab", STACK.restore_to_space)

    assert run("detach", "ana").output.splitlines() == ["ana: put back"]

    assert clients["sagemaker"].apps["lab"]["Status"] == "Deleted"
    assert run("detach", "ana").output.splitlines() == ["ana: nothing to do"]


def test_one_name_is_not_given_to_several_new_instances(clients: dict[str, Any]) -> None:
    assert "--name is for one instance" in told(run("migrate", "ana", "bob", "--name", "c"))


def test_the_plan_says_of_each_instance_what_aws_refuses_and_what_to_do(clients: dict[str, Any]) -> None:
    clients["sagemaker"].add("ana")
    clients["sagemaker"].add("old", "notebook-al1-v1")
    clients["sagemaker"].add("runs", AL2, "InService")

    lines = run("plan").output.splitlines()

    assert [line.split("\t")[:6] for line in lines[:3]] == [
        ["ana", ACCOUNT, "Stopped", NEW, "-", "nothing to do"],
        [
            "old",
            ACCOUNT,
            "Stopped",
            "notebook-al1-v1",
            "2024-01-01",
            "migrate --in-place: its volume stays, and it is saved on the new platform",
        ],
        [
            "runs",
            ACCOUNT,
            "InService",
            AL2,
            "2026-07-01",
            "migrate --in-place --stop; once it is stopped, AWS starts it on no older platform",
        ],
    ]
    assert [line.split("; instead")[0] for line in lines[3:]] == [
        f"{NEW} has no {kernel.name}" for kernel in platforms.KERNELS
    ]
    assert not [name for name, _ in clients["sagemaker"].calls if not name.startswith(("List", "Describe"))]


def test_before_its_end_a_platform_can_still_be_saved_as_it_is(clients: dict[str, Any]) -> None:
    clients["sagemaker"].add("ana", AL2)

    step = planning.step(Fleet(clients["sagemaker"]).read("ana"), NEW, date(2026, 6, 30))

    assert (step.refused_since, step.way) == (None, "migrate, to a new instance or --in-place")
    assert (step.volume, step.minutes, step.dollars) == (7, 3, 0.16)


def test_a_whole_organisation_wants_a_role(clients: dict[str, Any]) -> None:
    assert "--organisation and --role belong together" in told(run("plan", "--organisation"))
    assert "--organisation and --role belong together" in told(run("plan", "--role", "reader"))


class Organisation:
    """A session in an organisation of four accounts: its own, one more, one that refuses, one that is suspended."""

    def __init__(self) -> None:
        status = {ACCOUNT: "ACTIVE", "2" * 12: "ACTIVE", "3" * 12: "ACTIVE", "4" * 12: "SUSPENDED"}
        listed = {"Accounts": [{"Id": name, "Status": one} for name, one in status.items()]}
        self.sts = RecordingClient(
            "sts",
            {
                "get_caller_identity": {"Account": ACCOUNT, "Arn": f"arn:aws-cn:iam::{ACCOUNT}:user/ana"},
                "assume_role": self.assume,
            },
        )
        self.organizations = RecordingClient("organizations", {"list_accounts": listed})

    def assume(self, **request: Any) -> dict[str, Any]:
        """Let the role of all accounts but one be taken."""
        if "3" * 12 in request["RoleArn"]:
            raise client_error("AccessDenied", "not authorized to perform: sts:AssumeRole")
        keys = {"AccessKeyId": "A" * 16, "SecretAccessKey": "s", "SessionToken": "t", "Expiration": date(2026, 1, 1)}
        return {"Credentials": keys}

    def client(self, service: str) -> Any:
        """Return one of the two clients."""
        return getattr(self, service)


def test_every_active_account_is_asked_by_its_role_and_one_that_refuses_is_named() -> None:
    session = Organisation()

    found = list(organisation.accounts(session, "reader", REGION))

    assert [one.id for one in found] == [ACCOUNT, "2" * 12, "3" * 12]
    assert found[0].session is session
    assert found[1].session.region_name == REGION
    assert "sts:AssumeRole" in found[2].reason
    assert session.sts.requests("AssumeRole")[0]["RoleArn"] == f"arn:aws-cn:iam::{'2' * 12}:role/reader"


def test_the_plan_of_an_organisation_names_the_accounts_that_it_lacks(
    clients: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    clients["sagemaker"].add("ana")
    monkeypatch.setattr(account, "session", Organisation)
    monkeypatch.setattr(account, "client_of", lambda *_: clients["sagemaker"])
    monkeypatch.setattr("signalbox_operate.commands.migrating.region", lambda: REGION)

    result = run("plan", "--organisation", "--role", "reader")

    assert result.exit_code == 0, told(result)
    assert f"account {'3' * 12} is not among these" in told(result)
    assert len([line for line in result.stdout.splitlines() if line.startswith("ana\t")]) == 2


def test_the_status_is_what_the_worker_wrote_last_else_the_tag(clients: dict[str, Any]) -> None:
    for name in ("ana", "bob", "cy", "di"):
        clients["sagemaker"].add(name)
    clients["sagemaker"].tags("bob")["snapshot-status"] = "failed: no worker in bucket b"
    clients["sagemaker"].tags("di")["snapshot-status"] = "waiting: request backup-2"
    clients["s3"].put(
        "status/ana/backup.json", document("backup", "r", SNAPSHOT, files={"total": 10, "done": 9, "left_out": 1})
    )
    clients["s3"].put("status/ana/restore.json", document("restore", "r", "old", updated="2026-11-19T12:00:00Z"))
    clients["s3"].put("status/di/backup.json", document("backup", "backup-1", "before"))

    lines = [line.split("\t") for line in run("status").output.splitlines()]

    assert lines == [
        ["ana", "Stopped", "backup", "complete: 9 of 10 files, 1 left out", SNAPSHOT],
        ["bob", "Stopped", "-", "failed: no worker in bucket b", "-"],
        ["cy", "Stopped", "-", "-", "-"],
        ["di", "Stopped", "-", "waiting: request backup-2", "-"],
    ]
    (shown,) = json.loads(run("status", "ana", "--json").stdout)
    assert shown["work"]["left_out"] == 1


def test_a_status_document_of_another_version_is_named(clients: dict[str, Any]) -> None:
    clients["sagemaker"].add("ana")
    clients["s3"].put("status/ana/backup.json", {"format": 9})

    assert "a status document of another version is in the way" in told(run("status"))


def test_old_snapshots_are_deleted_after_a_word_and_the_newest_of_each_instance_stays(clients: dict[str, Any]) -> None:
    clients["sagemaker"].add("ana")
    for name in ("ana_2020-01-01-00-00-00", "ana_2020-01-02-00-00-00", "bob_2020-01-01-00-00-00", "odd"):
        clients["s3"].put(f"snapshots/{name}/complete.json", {})
        clients["s3"].put(f"snapshots/{name}/manifest/1.jsonl.gz", {})
    clients["s3"].put("packs/ff", {})

    refused = run("clean", "--older-than", "30", given="n\n")
    assert "nothing was deleted" in told(refused)
    assert len(clients["s3"].objects) == 9
    assert run("clean", "--older-than", "30", "--yes").exit_code == 0

    gone = {key.split("/")[1] for key in clients["s3"].objects}
    assert gone == {"ana_2020-01-02-00-00-00", "bob_2020-01-01-00-00-00", "odd", "ff"}
    assert "there is nothing to delete" in told(run("clean", "--older-than", "30"))
    assert "name old instances, or give --older-than DAYS" in told(run("clean"))


def test_configurations_are_taken_off_all_instances(clients: dict[str, Any]) -> None:
    clients["sagemaker"].add("ana", config=STACK.backup)
    clients["sagemaker"].add("bob", config="own")

    assert run("detach", "--all").output.splitlines() == ["ana: put back", "bob: nothing to do"]


def test_a_command_that_is_broken_off_ends_its_waits_and_says_that_it_can_be_repeated() -> None:
    halt = Halt()
    halt.asked.set()

    (outcome,) = many.each(["ana"], lambda _: halt.sleep(3600), 1, halt)

    assert isinstance(outcome.error, BrokenOffError)
    assert "repeat the command" in str(outcome.error)


def test_at_most_so_many_are_worked_on_at_once_and_each_result_stands_at_its_name() -> None:
    at_work: list[str] = []
    most: list[int] = []

    def work(name: str) -> str:
        at_work.append(name)
        most.append(len(at_work))
        Halt().sleep(0.001)
        at_work.remove(name)
        if name == "3":
            raise client_error("AccessDenied")
        return name.upper()

    names = [str(number) for number in range(12)]
    outcomes = many.each(names, work, 3, Halt())

    assert max(most) <= 3
    assert [one.name for one in outcomes] == names
    assert [one.result for one in outcomes if one.error is None] == [name for name in names if name != "3"]
    assert isinstance(outcomes[3].error, ClientError)


@pytest.mark.parametrize(("name", "known"), [(NEW, True), ("notebook-al3-v1", False)])
def test_a_platform_that_is_not_known_here_is_left_to_aws(name: str, known: bool) -> None:
    assert platforms.starts(name, date(2026, 11, 20))
    if not known:
        with pytest.raises(OperateError, match="there is no platform"):
            platforms.find(name)
    assert platforms.missing(name, NEW) == (() if not known else [])
