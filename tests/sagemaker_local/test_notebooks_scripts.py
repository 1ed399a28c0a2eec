"""Lifecycle scripts really run, with what they find on an instance; what they leave behind runs until the stop."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sagemaker_local.support.jobs import until
from tests.sagemaker_local.support.notebooks import Instances
from tests.sagemaker_local.support.service import PREFIX

from sagemaker_local.lifecycle import agent

BASH = "#!/bin/bash\n"
HOME = "/home/ec2-user/SageMaker"
SLEEPER = f"{BASH}nohup bash -c 'while echo >> {HOME}/beat; do sleep 0.1; done' > /dev/null 2>&1 &\n"


@pytest.fixture(params=["in namespaces", "beside others"])
def instances(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Instances]:
    """A service, on a machine that gives namespaces and on one that gives none."""
    if request.param == "beside others":
        request.getfixturevalue("without_namespaces")
    made = Instances(tmp_path)
    yield made
    made.notebooks.close()


def test_on_create_runs_once_and_on_start_at_each_start_on_a_volume_that_stays(instances: Instances) -> None:
    instances.config(OnCreate=f"{BASH}echo created >> {HOME}/ran", OnStart=f"{BASH}echo started >> {HOME}/ran")
    assert instances.make(LifecycleConfigName="c") == "InService"
    assert instances.moved("Stop") == "Stopped"
    assert instances.moved("Start") == "InService"

    assert (instances.volume() / "ran").read_text().split() == ["created", "started", "started"]
    assert instances.told() == ["Pending", "InService", "Stopping", "Stopped", "Pending", "InService"]


def test_a_script_finds_its_instances_metadata_region_and_endpoint_and_no_credentials(instances: Instances) -> None:
    text = f"{BASH}env > {HOME}/env; cp /opt/ml/metadata/resource-metadata.json {HOME}/seen.json"
    instances.config(OnStart=text)
    assert instances.make("Mine", LifecycleConfigName="c") == "InService"

    seen = json.loads((instances.volume("Mine") / "seen.json").read_text())
    assert seen == {"ResourceArn": f"{PREFIX}notebook-instance/mine", "ResourceName": "Mine"}
    found = dict(line.split("=", 1) for line in (instances.volume("Mine") / "env").read_text().splitlines())
    assert found["AWS_REGION"] == "us-east-1"
    assert found["AWS_ENDPOINT_URL"] == instances.cloud.endpoint_url
    assert found["AWS_EC2_METADATA_SERVICE_ENDPOINT"].startswith("http://127.0.0.1:")
    assert not [name for name in found if "KEY" in name or "TOKEN" in name]


def test_what_scripts_print_is_in_a_stream_of_each_hook(instances: Instances) -> None:
    instances.config(OnCreate=f"{BASH}echo one", OnStart=f"{BASH}echo two >&2")
    instances.make(LifecycleConfigName="c")

    assert instances.log("OnCreate") == ["one"]
    assert instances.log("OnStart") == ["two"]


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        (f"{BASH}echo no\nexit 3\n", "3", "no"),
        # Of an interpreter that is not there bash says so since 5.2 and ends with 127, and before with 126.
        ("#!/bin/bash\r\ntouch /home/ec2-user/SageMaker/ran\r\n", "12[67]", "interpreter|not found"),
        ("#!/nowhere/bash\ntouch /home/ec2-user/SageMaker/ran\n", "12[67]", "interpreter|not found"),
        ("#!/bin/bash\nkill -9 $$\n", "137", ""),
    ],
)
def test_a_script_that_fails_fails_the_start_and_is_named(
    instances: Instances, script: str, code: str, said: str
) -> None:
    instances.config(OnCreate=script, OnStart=f"{BASH}touch {HOME}/started")
    assert instances.make(LifecycleConfigName="c") == "Failed"

    reason = instances.instance()["FailureReason"]
    assert reason.startswith(f"Notebook Instance Lifecycle Config '{PREFIX}notebook-instance-lifecycle-config/c' for ")
    assert re.search(rf"failed: OnCreate ended with {code}\.", reason)
    assert re.search(said, "\n".join(instances.log("OnCreate")))
    assert [path.name for path in instances.volume().iterdir()] == ["lost+found"]


def test_a_script_in_the_foreground_is_killed_with_its_group_when_its_time_is_up(instances: Instances) -> None:
    instances.config(OnStart=f"{SLEEPER}sleep 60")
    assert instances.make(LifecycleConfigName="c") == "Failed"

    reason = instances.instance()["FailureReason"]
    assert "' took longer than 0.0333333 minutes. Please check your CloudWatch logs for more details" in reason
    assert beats(instances) > 0
    assert is_quiet(instances)


def test_what_a_script_leaves_behind_goes_on_until_the_instance_is_stopped(instances: Instances) -> None:
    instances.config(OnStart=SLEEPER.replace("nohup", "setsid nohup"))
    assert instances.make(LifecycleConfigName="c") == "InService"
    before = beats(instances)
    until(lambda: beats(instances) > before)

    assert instances.moved("Stop") == "Stopped"
    assert is_quiet(instances)


def test_what_a_script_leaves_behind_ends_with_the_cloud(instances: Instances) -> None:
    instances.config(OnStart=SLEEPER)
    instances.make(LifecycleConfigName="c")
    until(lambda: beats(instances) > 0)

    instances.notebooks.close()

    assert is_quiet(instances)


def beats(instances: Instances) -> int:
    path = instances.volume() / "beat"
    return path.stat().st_size if path.exists() else 0


def is_quiet(instances: Instances) -> bool:
    """Tell whether nobody writes any more: three beats of the sleeper would be seen."""
    before = beats(instances)
    time.sleep(0.3)
    return beats(instances) == before


def test_where_nothing_else_does_it_the_agent_has_its_scripts_killed_however_it_ends(tmp_path: Path) -> None:
    beat, script = tmp_path / "beat", tmp_path / "script"
    script.write_text(f"{BASH}setsid nohup bash -c 'while echo >> {beat}; do sleep 0.1; done' > /dev/null 2>&1 &\n")
    script.chmod(0o755)
    one = {"name": "OnStart", "path": str(script), "log": str(tmp_path / "log")}
    (tmp_path / "plan.json").write_text(
        json.dumps({"limit": 10, "mark": tmp_path.name, "user": None, "scripts": [one]})
    )
    command = [sys.executable, "-I", "-S", agent.__file__, str(tmp_path)]
    with subprocess.Popen(command, start_new_session=True) as process:
        until(beat.exists)
        os.killpg(process.pid, signal.SIGKILL)

    until((tmp_path / "swept").exists)
    before = beat.stat().st_size
    time.sleep(0.3)
    assert beat.stat().st_size == before
