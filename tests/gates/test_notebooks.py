"""The template of notebook instances: linted, its scripts held against the files, its rights and its rule asked."""

import base64
import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.gates.cfn_yaml import parse
from tests.gates.checks import lint, written
from tests.gates.node_checks import Question, ask
from tests.gates.patterns import matches, pattern_error
from tests.gates.template import ROOT, Template
from tests.gates.test_template import listed
from tests.gates.values import ACCOUNT, REGION, STACK, Values
from tests.support.samples import sample, with_detail

FOLDER = ROOT / "notebooks"
TEXT = (FOLDER / "template.yaml").read_text(encoding="utf-8")
BUCKET = f"{STACK}-Snapshots"
DIGEST = "ab" * 32
LIMIT = 16_384
"""Characters of a script in base64 (SageMaker API reference, NotebookInstanceLifecycleHook)."""
INSTANCE, SPACE = "/home/ec2-user/SageMaker", "/home/sagemaker-user"
SCRIPTS = {
    "backup": ("Backup", "OnStart", "backup", INSTANCE),
    "restore": ("Restore", "OnCreate", "restore", INSTANCE),
    "again": ("RestoreOnStart", "OnStart", "restore", INSTANCE),
    "space": ("RestoreToSpace", "StudioLifecycleConfigContent", "restore", SPACE),
}
VERSION = "0123456789"
ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:notebook-instance/ana-1"
SPACE_ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:space/d-abc/ana-1"


def load(**given: str) -> Template:
    """Return the template, filled in."""
    read = parse(TEXT)
    values = Values(read, read, "notes", {"WorkerDigest": DIGEST, "SpaceConfigVersion": VERSION, **given})
    return Template(ROOT, TEXT, read, read, {}, values)


def script(name: str, **given: str) -> str:
    """Return the text of a lifecycle script as SageMaker gets it."""
    logical, member, *_ = SCRIPTS[name]
    kind = "StudioLifecycleConfig" if name == "space" else "NotebookInstanceLifecycleConfig"
    found = load(**given).made(f"AWS::SageMaker::{kind}")[logical][member]
    content = found if isinstance(found, str) else found[0]["Content"]
    assert len(content) <= LIMIT
    return base64.b64decode(content).decode()


@pytest.mark.parametrize("check", [lint.check, written.check])
def test_the_template_passes_the_check(check: Any) -> None:
    problems = check(load())

    assert not problems, listed(problems)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_of_the_template_is_a_few_values_of_the_stack_and_the_file(name: str) -> None:
    file = (FOLDER / "scripts" / "start.sh").read_bytes()
    *_, operation, home = SCRIPTS[name]

    assert (
        script(name)
        == (
            f"#!/bin/bash\nexport operation={operation} home={home}\n"
            f"export bucket='{BUCKET}' owner='{ACCOUNT}' digest='{DIGEST}'\n"
            f"export AWS_REGION='{REGION}' AWS_DEFAULT_REGION='{REGION}'\n"
        )
        + file.decode()
    )
    assert b"\r" not in file
    subprocess.run(["bash", "-n"], input=script(name), text=True, check=True)


def test_the_configuration_for_spaces_has_another_name_with_each_version_and_room_in_it_for_the_stacks() -> None:
    (config,) = load().made("AWS::SageMaker::StudioLifecycleConfig").values()
    (again,) = [
        one["NotebookInstanceLifecycleConfigName"]
        for name, one in load().made("AWS::SageMaker::NotebookInstanceLifecycleConfig").items()
        if name == "RestoreOnStart"
    ]

    assert config["StudioLifecycleConfigName"] == f"notes-space-{VERSION}"
    assert config["StudioLifecycleConfigAppType"] == "JupyterLab"
    assert len(config["StudioLifecycleConfigName"]) <= len(again)


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_value_in_a_script_is_quoted_so_that_a_blank_or_a_star_in_it_stays_one_word(name: str) -> None:
    lines = [line.split("  #")[0] for line in script(name).splitlines() if not line.lstrip().startswith("#")]

    unquoted = [line for line in lines if re.search(r"\$\w+", re.sub(r'"[^"]*"', "", line.replace('\\"', "")))]
    assert [line for line in unquoted if "$?" not in line and "'" not in line] == []


class Instance:
    """A folder that stands for an instance: an `aws` and a Python that remember what they were asked."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked = folder, folder / "asked"
        self.worker = folder / "bucket-worker"
        (folder / "bin").mkdir()
        self.asked.touch()
        self.program("aws", f'case "$*" in *get-object*) cp "{self.worker}" "${{@: -1}}";; esac')
        self.worker.write_text("the worker")

    def program(self, name: str, text: str) -> None:
        """Put a program into the instance's path."""
        file = self.folder / "bin" / name
        file.write_text(f'#!/bin/bash\necho {name} "$@" >> "{self.asked}"\n{text}\n')
        file.chmod(0o755)

    def run(self, name: str) -> list[str]:
        """Run a script of the template, wait for what it has started, and return what was asked of the programs."""
        metadata = self.folder / "metadata.json"
        metadata.write_text(json.dumps(self.told))
        digest = subprocess.run(["sha256sum"], stdin=self.worker.open("rb"), capture_output=True, check=True).stdout
        digest = digest[:64] if digest else b""
        text = script(name, WorkerDigest=(self.digest or digest.decode()))
        text = text.replace("/opt/ml/metadata/resource-metadata.json", str(metadata))
        text = text.replace("/usr/bin/python3", "python-of-the-ami")
        # What was started ends when nobody has the pipe open any more.
        text = text.replace("2>&1 &", '2>&1 9>"$DONE" &')
        done = self.folder / "done"
        if not done.exists():
            os.mkfifo(done)
        environment = {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "DONE": str(done)}
        subprocess.run(["bash"], input=text, text=True, check=True, env=environment, timeout=30)
        done.read_bytes()
        return self.asked.read_text().splitlines()

    digest = ""
    told: Mapping[str, str] = {"ResourceArn": ARN, "ResourceName": "ana-1"}


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    made = Instance(tmp_path)
    made.program("python-of-the-ami", "")
    return made


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_fetches_the_worker_of_its_digest_from_the_owners_bucket_and_starts_it(
    instance: Instance, name: str
) -> None:
    asked = instance.run(name)

    fetched, started = asked[-2], asked[-1]
    assert re.fullmatch(
        rf"aws s3api get-object --bucket {BUCKET} --key worker/[0-9a-f]{{64}}.pyz --expected-bucket-owner {ACCOUNT} .*",
        fetched,
    )
    assert re.fullmatch(
        rf"python-of-the-ami /\S+/worker.pyz {SCRIPTS[name][2]} --metadata \S+ --home {SCRIPTS[name][3]}", started
    )


def space(instance: Instance, *, sudo: str) -> Instance:
    """Return a space of Studio: its app says who it is, its user is no root, and has such a sudo."""
    app = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:app/d-abc/ana-1/JupyterLab/default"
    given = {"AppType": "JupyterLab", "DomainId": "d-abc", "SpaceName": "ana-1", "ResourceName": "default"}
    instance.told = {**given, "ResourceArn": app}
    instance.program("id", "echo 1000")
    instance.program("sudo", sudo)
    return instance


@pytest.mark.parametrize(
    ("sudo", "by_sudo"),
    [('shift 2; "$@"', True), ("exit 1", False), ('shift 2; env -u digest "$@"', False)],
    ids=["as on AWS", "not allowed", "keeps no environment"],
)
def test_in_a_space_the_worker_is_root_where_sudo_keeps_its_environment(
    instance: Instance, sudo: str, by_sudo: bool
) -> None:
    asked = space(instance, sudo=sudo).run("space")

    workers = [line.split()[0] for line in asked if re.search(r"/worker.pyz restore .* --home /home/sagemaker", line)]
    assert workers == (["sudo"] if by_sudo else []) + ["python-of-the-ami"]


def test_what_goes_wrong_in_a_space_is_said_on_the_space(instance: Instance) -> None:
    instance.digest = "cd" * 32

    assert f"aws sagemaker add-tags --resource-arn {SPACE_ARN} --tags" in space(instance, sudo="").run("space")[-1]


def test_a_worker_that_is_not_the_deployed_one_is_not_started_and_the_instance_says_so(instance: Instance) -> None:
    instance.digest = "cd" * 32

    asked = instance.run("backup")

    assert not any("worker.pyz backup --metadata .*" in line for line in asked)
    assert asked[-1] == (
        f"aws sagemaker add-tags --resource-arn {ARN} --tags Key=snapshot-status,Value=failed: the worker in bucket "
        f"{BUCKET} is not the one that was deployed: run signalbox notebooks deploy"
    )


def test_a_worker_that_cannot_be_fetched_is_said_on_the_instance(instance: Instance) -> None:
    instance.program("aws", '[ "$1" = sagemaker ]')

    asked = instance.run("restore")

    assert f"Value=failed: no worker in bucket {BUCKET} of account {ACCOUNT}" in asked[-1]


def test_a_python_that_is_too_old_is_not_taken(instance: Instance) -> None:
    instance.program("python-of-the-ami", '[ "$1" != -c ]')
    instance.program("python3", "")

    assert re.fullmatch(r"python3 /\S+/worker.pyz backup --metadata .*", instance.run("backup")[-1])


def test_without_any_python_the_instance_says_so_and_still_starts(instance: Instance) -> None:
    instance.program("python-of-the-ami", "exit 1")
    instance.program("python3", "exit 1")

    assert "Value=failed: there is no Python 3.6 or later" in instance.run("backup")[-1]


@pytest.mark.parametrize(("ended", "said"), [(0, False), (1, False), (2, True), (3, False), (137, True)])
def test_a_worker_that_dies_without_a_word_is_said_on_the_instance(instance: Instance, ended: int, said: bool) -> None:
    instance.program("python-of-the-ami", f'[ "$1" = -c ] || exit {ended}')

    assert (f"Value=failed: the worker ended with {ended}" in instance.run("backup")[-1]) == said


def test_what_the_scripts_say_fits_into_a_tag() -> None:
    said = re.findall(r"fail ['\"](.*)['\"](?: ;;)?$", script("backup"), re.MULTILINE)

    assert len(said) == 4
    filled = [one.replace("$bucket", "b" * 63).replace("$owner", ACCOUNT).replace("$ended", "137") for one in said]
    assert [one for one in filled if not re.fullmatch(r"[\w .:/=+@-]{1,200}", one)] == []


PREFIX = "people/ana"


def questions(asked: list[tuple[str, str, dict[str, Any]]], prefix: str | None = PREFIX) -> dict[str, str]:
    """Return IAM's answers to a role with that tag, by action, resource and the context that matters."""
    policy = load().made("AWS::IAM::ManagedPolicy")["SnapshotPolicy"]["PolicyDocument"]
    tags = {"aws:PrincipalTag/snapshot-prefix": prefix} if prefix is not None else {}
    role = f"arn:aws:iam::{ACCOUNT}:role/ana"
    put = [
        Question(f"{number}", role, action, place, policies="own", context={**tags, **context})
        for number, (action, place, context) in enumerate(asked)
    ]
    answers, _ = ask(put, {"own": [policy]})
    return {f"{one.action} {one.resource} {asked[int(one.id)][2]}": answers[one.id] for one in put}


OWN: list[tuple[str, str, dict[str, Any]]] = [
    ("s3:GetObject", f"arn:aws:s3:::{BUCKET}/worker/{DIGEST}.pyz", {}),
    ("s3:GetObject", f"arn:aws:s3:::{BUCKET}/people/ana/snapshots/a/complete.json", {}),
    ("s3:PutObject", f"arn:aws:s3:::{BUCKET}/people/ana/packs/ff", {}),
    ("s3:AbortMultipartUpload", f"arn:aws:s3:::{BUCKET}/people/ana/content/ff", {}),
    ("s3:ListMultipartUploadParts", f"arn:aws:s3:::{BUCKET}/people/ana/content/ff", {}),
    ("s3:ListBucket", f"arn:aws:s3:::{BUCKET}", {"s3:prefix": "people/ana/snapshots/"}),
    ("sagemaker:ListTags", ARN, {"aws:ResourceTag/snapshot-prefix": PREFIX}),
    (
        "sagemaker:AddTags",
        ARN,
        {"aws:ResourceTag/snapshot-prefix": PREFIX, "aws:TagKeys": ["snapshot-status", "snapshot-name"]},
    ),
    ("sagemaker:ListTags", SPACE_ARN, {"aws:ResourceTag/snapshot-prefix": PREFIX}),
    ("sagemaker:AddTags", SPACE_ARN, {"aws:ResourceTag/snapshot-prefix": PREFIX, "aws:TagKeys": ["snapshot-status"]}),
]
OTHERS: list[tuple[str, str, dict[str, Any]]] = [
    ("s3:PutObject", f"arn:aws:s3:::{BUCKET}/worker/{DIGEST}.pyz", {}),
    ("s3:GetObject", f"arn:aws:s3:::{BUCKET}/people/anabel/snapshots/a/complete.json", {}),
    ("s3:PutObject", f"arn:aws:s3:::{BUCKET}/people/bob/packs/ff", {}),
    ("s3:DeleteObject", f"arn:aws:s3:::{BUCKET}/people/ana/packs/ff", {}),
    ("s3:GetObject", "arn:aws:s3:::another-bucket/people/ana/packs/ff", {}),
    ("s3:ListBucket", f"arn:aws:s3:::{BUCKET}", {"s3:prefix": "people/"}),
    ("s3:ListBucket", f"arn:aws:s3:::{BUCKET}", {}),
    ("sagemaker:ListTags", ARN, {"aws:ResourceTag/snapshot-prefix": "people/bob"}),
    ("sagemaker:ListTags", ARN, {}),
    ("sagemaker:ListTags", SPACE_ARN, {"aws:ResourceTag/snapshot-prefix": "people/bob"}),
    ("sagemaker:AddTags", SPACE_ARN, {"aws:ResourceTag/snapshot-prefix": PREFIX, "aws:TagKeys": ["snapshot-prefix"]}),
    ("sagemaker:ListTags", f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:user-profile/d-abc/ana", {}),
    ("sagemaker:AddTags", ARN, {"aws:ResourceTag/snapshot-prefix": PREFIX, "aws:TagKeys": ["snapshot-prefix"]}),
    ("sagemaker:AddTags", ARN, {"aws:ResourceTag/snapshot-prefix": PREFIX}),
    ("sagemaker:AddTags", ARN, {"aws:ResourceTag/snapshot-prefix": "x", "aws:TagKeys": ["snapshot-status"]}),
]


def test_a_role_reaches_its_own_prefix_and_the_tags_of_its_own_instances_and_spaces_and_nothing_else() -> None:
    assert set(questions(OWN).values()) == {"Allowed"}
    assert {name for name, answer in questions(OTHERS).items() if answer != "ImplicitlyDenied"} == set()


def test_a_role_without_the_tag_reaches_the_worker_and_nothing_else() -> None:
    answers = questions(OWN, prefix=None)

    assert [name.split()[1] for name, answer in answers.items() if answer == "Allowed"] == [
        f"arn:aws:s3:::{BUCKET}/worker/{DIGEST}.pyz"
    ]


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("results/complete/ana-1/backup-ana-1_2026-11-20-10-00-00.json", True),
        ("people/ana/results/failed/ana-1/restore-x.json", True),
        ("people/ana/snapshots/ana-1_2026-11-20-10-00-00/complete.json", False),
        ("people/ana/status/ana-1/backup.json", False),
    ],
)
def test_the_ends_of_backups_and_restores_are_told_and_nothing_else(key: str, told: bool) -> None:
    (rule,) = load().made("AWS::Events::Rule").values()
    event = with_detail(sample("s3/object-created"), bucket__name=BUCKET, object__key=key)

    assert pattern_error(rule["EventPattern"]) is None
    assert matches(rule["EventPattern"], event) == told
    other = with_detail(sample("s3/object-created"), bucket__name="another", object__key=key)
    assert not matches(rule["EventPattern"], other)


def test_the_log_takes_the_rules_events_and_the_metrics_count_its_two_kinds() -> None:
    template = load()
    (policy,) = template.made("AWS::Logs::ResourcePolicy").values()
    (statement,) = json.loads(policy["PolicyDocument"])["Statement"]

    assert statement["Resource"] == template.values.arn("Results")
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": template.values.arn("ResultsRule")}}
    filters = template.made("AWS::Logs::MetricFilter").values()
    patterns = {one["MetricTransformations"][0]["MetricName"]: one["FilterPattern"] for one in filters}
    assert patterns == {
        "SnapshotComplete": '{ $.detail.object.key = "*results/complete/*" }',
        "SnapshotFailed": '{ $.detail.object.key = "*results/failed/*" }',
    }
    (alarm,) = template.made("AWS::CloudWatch::Alarm").values()
    assert alarm["MetricName"] in patterns


def test_the_bucket_is_private_versioned_encrypted_expiring_and_tells_its_events() -> None:
    bucket = load().made("AWS::S3::Bucket")["Snapshots"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["NotificationConfiguration"]["EventBridgeConfiguration"] == {"EventBridgeEnabled": True}
    rules = bucket["LifecycleConfiguration"]["Rules"]
    assert {rule["Prefix"] for rule in rules if "ExpirationInDays" in rule} == {
        f"{name}/"
        for name in ("people", "snapshots", "content", "packs", "status", "requests", "results", "reports", "logs")
    }
    (left,) = [rule for rule in rules if "ExpirationInDays" not in rule]
    assert left["Prefix"] == ""
    assert {"NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"} <= set(left)
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/own"
    (ours,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    (yours,) = load(KeyArn=key).made("AWS::S3::Bucket")["Snapshots"]["BucketEncryption"][
        "ServerSideEncryptionConfiguration"
    ]
    assert ours["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert yours["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}


OTHER = "210987654321"


@pytest.mark.parametrize(("others", "answer"), [("", "ImplicitlyDenied"), (OTHER, "Allowed")])
def test_roles_of_accounts_that_are_named_reach_their_own_prefix_of_the_bucket_and_no_others(
    others: str, answer: str
) -> None:
    policies = load(OtherAccounts=others).made("AWS::S3::BucketPolicy")
    own = load(SnapshotsBucket=BUCKET, BucketOwner=ACCOUNT).made("AWS::IAM::ManagedPolicy")["SnapshotPolicy"]
    tag = {"aws:PrincipalTag/snapshot-prefix": PREFIX, "aws:SecureTransport": "true"}

    def answers(asked: list[tuple[str, str, dict[str, Any]]]) -> set[str]:
        put = [
            Question(
                str(number),
                f"arn:aws:iam::{OTHER}:role/ana",
                action,
                place,
                context={**tag, **context},
                policies="own",
                resource_policy="bucket",
            )
            for number, (action, place, context) in enumerate(asked)
            if action.startswith("s3:")
        ]
        (bucket,) = policies.values()
        found, _ = ask(put, {"own": [own["PolicyDocument"]]}, {"bucket": bucket["PolicyDocument"]})
        return set(found.values())

    assert answers(OWN) == {answer}
    assert answers(OTHERS) == {"ImplicitlyDenied"}


def test_the_endpoints_of_a_vpc_let_this_bucket_and_tags_of_instances_and_spaces_through_and_nothing_else() -> None:
    endpoints = load(VpcId="vpc-1", SubnetIds="subnet-1,subnet-2").made("AWS::EC2::VPCEndpoint")
    (gateway,) = endpoints["S3Gateway"]["PolicyDocument"]["Statement"]
    (api,) = endpoints["SageMakerEndpoint"]["PolicyDocument"]["Statement"]

    assert gateway["Resource"] == [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    assert api["Action"] == ["sagemaker:ListTags", "sagemaker:AddTags"]
    assert [one.split(":")[-1] for one in api["Resource"]] == ["notebook-instance/*", "space/*"]
    own = {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}
    assert (gateway["Condition"], api["Condition"]) == (own, own)
    assert endpoints["SageMakerEndpoint"]["SubnetIds"] == ["subnet-1", "subnet-2"]


def test_a_bucket_of_ones_own_is_named_everywhere_in_place_of_the_one_that_is_made() -> None:
    given = {"SnapshotsBucket": "my-lake", "BucketOwner": "999999999999"}

    assert "export bucket='my-lake' owner='999999999999'" in script("backup", **given)
    policy = load(**given).made("AWS::IAM::ManagedPolicy")["SnapshotPolicy"]
    assert BUCKET not in json.dumps(policy)


def test_a_key_of_another_region_is_used_by_s3_of_that_region() -> None:
    key = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/own"
    policy = load(KeyArn=key).made("AWS::IAM::ManagedPolicy")["UseKeyPolicy"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Condition"]["StringEquals"]["kms:ViaService"] == "s3.eu-west-1.amazonaws.com"
