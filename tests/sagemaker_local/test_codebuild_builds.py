"""Builds really run: their phases, their ends, and what they are told."""

import json
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from tests.contract.world import World, allow, name, until
from tests.sagemaker_local.support.builds import (
    Builder,
    builder,
    command_lines,
    context,
    environment,
    spec,
    statuses,
    zipped,
)

from sagemaker_local.process import LocalCloud, Options

__all__ = ["builder"]
ALL = (
    "SUBMITTED",
    "QUEUED",
    "PROVISIONING",
    "DOWNLOAD_SOURCE",
    "INSTALL",
    "PRE_BUILD",
    "BUILD",
    "POST_BUILD",
    "UPLOAD_ARTIFACTS",
    "FINALIZING",
    "COMPLETED",
)


def test_a_build_goes_through_all_phases_and_exports_what_its_commands_set(builder: Builder) -> None:
    build = builder.built(
        spec("export A=$B-2", "cd /tmp", "echo from $(pwd)", env={"variables": {"B": 1}, "exported-variables": ["A"]})
    )

    assert build["buildStatus"] == "SUCCEEDED"
    assert tuple(statuses(build)) == ALL
    assert set(statuses(build).values()) == {"SUCCEEDED", ""}
    assert build["exportedEnvironmentVariables"] == [{"name": "A", "value": "1-2"}]
    assert "\nfrom /tmp\n" in builder.log(build)
    assert build["buildNumber"] == 1
    assert build["initiator"] == "root"


def test_a_command_that_fails_ends_its_phase_and_what_is_to_run_afterwards_runs(builder: Builder) -> None:
    phases = {
        "build": {"commands": ["export KEPT=yes", "cd /tmp", "exit 3", "echo never"], "finally": ["echo at last"]},
        "post_build": {"commands": ["echo succeeding $CODEBUILD_BUILD_SUCCEEDING, kept $KEPT in $(pwd)"]},
    }
    build = builder.built(spec(phases=phases))

    assert build["buildStatus"] == "FAILED"
    assert statuses(build)["BUILD"] == "FAILED"
    assert statuses(build)["POST_BUILD"] == "SUCCEEDED"
    assert context(build) == (
        "COMMAND_EXECUTION_ERROR",
        "Error while executing command: exit 3. Reason: exit status 3",
    )
    log = builder.log(build)
    assert "Command did not exit successfully exit 3 exit status 3" in log
    assert "\nat last\n" in log
    assert "\nsucceeding 0, kept yes in /tmp\n" in log
    assert "never\n" not in log.replace("Running command echo never", "")


@pytest.mark.parametrize(
    ("phase", "on_failure", "reached"),
    [("install", "", False), ("pre_build", "CONTINUE", True), ("build", "ABORT", False), ("build", "", True)],
)
def test_where_a_build_goes_on_after_a_failure_is_as_the_phase_says(
    builder: Builder, phase: str, on_failure: str, reached: bool
) -> None:
    failing = {"commands": ["false"], **({"on-failure": on_failure} if on_failure else {})}
    build = builder.built(spec(phases={phase: failing, "post_build": {"commands": ["true"]}}))

    assert build["buildStatus"] == "FAILED"
    assert ("POST_BUILD" in statuses(build)) is reached


def test_a_build_that_hangs_is_ended_when_its_time_is_up_and_leaves_no_process(builder: Builder) -> None:
    mark = name("hang")
    project = builder.project(spec(f"python -c 'import time; time.sleep(900)' {mark} & sleep 900"))

    build = builder.ended(builder.start(project, timeoutInMinutesOverride=5))

    assert build["buildStatus"] == "TIMED_OUT"
    assert statuses(build)["BUILD"] == "TIMED_OUT"
    assert statuses(build)["FINALIZING"] == "SUCCEEDED"
    assert context(build)[0] == "BUILD_TIMED_OUT"
    assert not [line for line in command_lines() if mark in line]


def test_a_build_that_is_stopped_ends_at_once_and_leaves_no_process(builder: Builder) -> None:
    mark = name("stop")
    started = builder.start(builder.project(spec(f"setsid python -c 'import time; time.sleep(900)' {mark}")))
    until(lambda: [line for line in command_lines() if mark in line])

    builder.api.stop_build(id=started)
    build = builder.ended(started)

    assert build["buildStatus"] == "STOPPED"
    assert statuses(build)["BUILD"] == "STOPPED"
    assert not [line for line in command_lines() if mark in line]
    assert builder.api.stop_build(id=started)["build"]["buildStatus"] == "STOPPED"


def test_a_cloud_that_ends_ends_its_builds(tmp_path: Path) -> None:
    mark = name("end")
    with LocalCloud(Options(folder=tmp_path)) as running:
        own = Builder(running, World(running.url, running.environment["AWS_SECRET_ACCESS_KEY"]))
        own.start(own.project(spec(f"setsid python -c 'import time; time.sleep(900)' {mark}")))
        until(lambda: [line for line in command_lines() if mark in line])

    assert not [line for line in command_lines() if mark in line]


def test_a_retried_build_is_another_one_with_the_same_overrides(builder: Builder) -> None:
    project = builder.project(spec("echo value $V"))
    override = [{"name": "V", "value": "first"}]
    first = builder.ended(builder.start(project, environmentVariablesOverride=override))

    second = builder.ended(builder.api.retry_build(id=first["id"])["build"]["id"])

    assert second["id"] != first["id"]
    assert second["buildNumber"] == 2
    assert "\nvalue first\n" in builder.log(second)


def test_the_same_token_starts_one_build_and_another_request_with_it_is_refused(builder: Builder) -> None:
    project = builder.project(spec("true"))

    first = builder.start(project, idempotencyToken=project)
    assert builder.start(project, idempotencyToken=project) == first
    with pytest.raises(ClientError, match=r"InvalidInputException.*mismatch"):
        builder.start(project, idempotencyToken=project, computeTypeOverride="BUILD_GENERAL1_LARGE")


def test_overrides_of_a_start_count_before_the_project_and_that_before_the_buildspec(builder: Builder) -> None:
    given = [{"name": "A", "value": "project"}, {"name": "B", "value": "project"}]
    buildspec = spec("echo $A $B $C", env={"variables": {"A": "spec", "B": "spec", "C": "spec"}})
    project = builder.project(buildspec, environment=environment(environmentVariables=given))

    build = builder.ended(builder.start(project, environmentVariablesOverride=[{"name": "A", "value": "start"}]))

    assert "\nstart project spec\n" in builder.log(build)


def test_a_build_sees_its_own_world_and_what_codebuild_tells_it(builder: Builder, tmp_path: Path) -> None:
    build = builder.built(
        spec(
            "echo home $HOME, id $CODEBUILD_BUILD_ID, number $CODEBUILD_BUILD_NUMBER, ci $CI",
            'test "$(pwd)" = "$CODEBUILD_SRC_DIR"',
            f"test ! -e {tmp_path}",
            'python -c \'import boto3; print("I am", boto3.client("sts").get_caller_identity()["Arn"])\'',
            "pip install --no-index boto3 && python -m venv --help > /dev/null",
        )
    )

    log = builder.log(build)
    assert build["buildStatus"] == "SUCCEEDED", log
    number = build["id"].rpartition(":")[2]
    assert f"id {build['id']}, number 1, ci true" in log
    assert f":assumed-role/{build['serviceRole'].rpartition('/')[2]}/AWSCodeBuild-{number}" in log


def test_secrets_and_parameters_are_looked_up_with_the_roles_rights_and_hidden_in_the_log(builder: Builder) -> None:
    parameter, secret = f"/{name('p')}", name("s")
    builder.world.client("ssm").put_parameter(Name=parameter, Value="from-the-store", Type="SecureString")
    text = json.dumps({"key": "from-the-manager"})
    builder.world.client("secretsmanager").create_secret(Name=secret, SecretString=text)
    env = {"parameter-store": {"P": parameter}, "secrets-manager": {"S": f"{secret}:key"}}
    buildspec = spec('echo "$P and $S and ${#P}"', "echo $AWS_ACCESS_KEY_ID", env=env)

    build = builder.built(buildspec, allow("ssm:GetParameters", "secretsmanager:GetSecretValue", "kms:Decrypt"))
    denied = builder.built(buildspec)

    log = builder.log(build)
    assert "\n*** and *** and 14\n" in log
    assert "from-the" not in log
    assert "ASIA" not in log
    assert context(denied)[0] == "Decrypted Variables Error"
    assert "ssm:GetParameters" in context(denied)[1]
    assert statuses(denied)["DOWNLOAD_SOURCE"] == "FAILED"


def test_a_role_that_may_not_write_logs_fails_the_build_before_it_begins(builder: Builder) -> None:
    build = builder.built(spec("true"), serviceRole=builder.world.role(service="codebuild.amazonaws.com"))

    assert statuses(build)["QUEUED"] == "FAILED"
    code, message = context(build)
    assert code == "ACCESS_DENIED"
    assert "does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams" in message
    assert "logs:CreateLogStream" in message


def test_a_project_that_writes_no_logs_builds_without_rights_to_any(builder: Builder) -> None:
    role = builder.world.role(service="codebuild.amazonaws.com")
    off = {"cloudWatchLogs": {"status": "DISABLED"}}

    build = builder.built(spec("true"), serviceRole=role, logsConfig=off)

    assert build["buildStatus"] == "SUCCEEDED"
    assert "groupName" not in build["logs"]


def test_a_docker_of_a_project_that_is_not_privileged_finds_no_daemon(builder: Builder) -> None:
    build = builder.built(spec("docker info"))

    assert build["buildStatus"] == "FAILED"
    assert "Cannot connect to the Docker daemon" in builder.log(build)


def test_sources_come_from_s3_and_a_secondary_one_lies_beside_the_first(builder: Builder) -> None:
    place = builder.put({"buildspec.yml": spec("cat a.txt $CODEBUILD_SRC_DIR_more/b.txt"), "a.txt": "first\n"})
    bucket = place.partition("/")[0]
    builder.world.client("s3").put_object(Bucket=bucket, Key="folder/b.txt", Body=b"second\n")
    read = allow("s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket")
    more = [{"type": "S3", "location": f"{bucket}/folder/", "sourceIdentifier": "more"}]

    build = builder.built("", read, source={"type": "S3", "location": place}, secondarySources=more)
    denied = builder.built("", source={"type": "S3", "location": place})

    assert "\nfirst\nsecond\n" in builder.log(build)
    assert context(denied)[0] == "CLIENT_ERROR"
    assert "AccessDenied" in context(denied)[1]


def test_files_of_a_build_are_put_into_s3_as_a_zip_file_or_as_they_are(builder: Builder) -> None:
    bucket = builder.put({}).partition("/")[0]
    s3 = builder.world.client("s3")
    write = allow("s3:PutObject")
    files = {"files": ["**/*"], "base-directory": "out", "name": "v-$CODEBUILD_BUILD_NUMBER"}
    buildspec = spec("mkdir -p out/deep", "echo 1 > out/deep/a", "ln -s /etc/passwd out/link", artifacts=files)
    zip_file = {"type": "S3", "location": bucket, "name": "out.zip", "packaging": "ZIP", "path": "p"}
    plain = {"type": "S3", "location": bucket, "packaging": "NONE", "overrideArtifactName": True}

    packed = builder.built(buildspec, write, artifacts=zip_file)
    unpacked = builder.built(buildspec, write, artifacts=plain)
    denied = builder.built(buildspec, artifacts=zip_file)

    assert packed["artifacts"]["location"] == f"arn:aws:s3:::{bucket}/p/out.zip"
    assert len(packed["artifacts"]["sha256sum"]) == 64
    assert s3.get_object(Bucket=bucket, Key="p/out.zip")["Body"].read()[:2] == zipped({})[:2]
    assert s3.get_object(Bucket=bucket, Key="v-1/deep/a")["Body"].read() == b"1\n"
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket, Prefix="v-1/link")
    assert unpacked["buildStatus"] == "SUCCEEDED"
    assert statuses(denied)["UPLOAD_ARTIFACTS"] == "FAILED"
    assert context(denied)[0] == "CLIENT_ERROR"


def test_outputs_that_nothing_matches_fail_the_build(builder: Builder) -> None:
    bucket = builder.put({}).partition("/")[0]
    artifacts = {"type": "S3", "location": bucket, "packaging": "ZIP"}

    build = builder.built(spec("true", artifacts={"files": ["none"]}), allow("s3:PutObject"), artifacts=artifacts)

    assert context(build) == ("CLIENT_ERROR", "no matching artifact paths found")
