"""The local cloud as a process: what it listens on, what it starts, and that nothing of it stays behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagemaker_local.process import LocalCloud, Options, PortTakenError
from tests.contract.test_cloud_sagemaker import training
from tests.contract.world import World, image, until
from tests.sagemaker_local.support.jobs import container, executable
from tests.sagemaker_local.support.programs import environment

_LISTENING = "0A"


def _family(pid: int) -> set[int]:
    """Return a process and all that come from it."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def _sockets(pid: int) -> set[str]:
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(str(entry.readlink()))
        except OSError:
            continue
    return found


def _listening(pid: int) -> set[tuple[str, int]]:
    """Return the addresses and ports that a process itself listens on."""
    own, found = _sockets(pid), set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENING and f"socket:[{fields[9]}]" in own:
                address, _, port = fields[1].partition(":")
                found.add((address, int(port, 16)))
    return found


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="reads Linux's /proc")
def test_the_cloud_listens_on_one_port_of_the_loopback_and_on_nothing_else(local_cloud: LocalCloud) -> None:
    loopback = "0100007F"  # 127.0.0.1, as the kernel writes it
    assert _listening(local_cloud.pid) == {(loopback, local_cloud.port)}


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="reads Linux's /proc")
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_stays_behind(tmp_path: Path, ending: signal.Signals) -> None:
    containers = container(tmp_path / "containers", train="import time\ntime.sleep(600)", serve="", name="echo")
    with LocalCloud(Options(folder=tmp_path / "cloud", containers=containers)) as running:
        world = World(running.url, running.environment["AWS_SECRET_ACCESS_KEY"])
        world.endpoint(world.config())
        slow = {"TrainingImage": image("echo"), "TrainingInputMode": "File"}
        job = training(world, AlgorithmSpecification=slow)
        world.client("sagemaker").create_training_job(**job)
        world.client("lambda").invoke(FunctionName=world.function("def handler(event, context):\n    return 1\n"))
        until(lambda: len(_family(running.pid)) >= 4)  # the cloud, a model's server, a job, a function
        family = _family(running.pid)

        os.kill(running.pid, ending)
        until(lambda: not _alive(running.pid))
        running.stop()

    assert until(lambda: not [pid for pid in family if _alive(pid)])


def test_a_second_cloud_on_the_same_port_is_refused_in_a_sentence(local_cloud: LocalCloud, tmp_path: Path) -> None:
    taken = Options(folder=tmp_path, port=local_cloud.port)
    with pytest.raises(PortTakenError, match="is taken, perhaps by another local cloud"), LocalCloud(taken):
        pass


_STARTER = """
import json, sys, time
from pathlib import Path
from sagemaker_local.process import LocalCloud, Options
cloud = LocalCloud(Options(folder=Path(sys.argv[1]), containers=Path(sys.argv[2])))
cloud.wait()
print(json.dumps([cloud.pid, cloud.url, cloud.environment["AWS_SECRET_ACCESS_KEY"]]), flush=True)
time.sleep(600)
"""
_LEAVE_NOTHING = 5.0
_STORM, _MANY = 10, 12
_SLEEP = "import time\ntime.sleep(600)\n"


@pytest.fixture
def starter(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start a program that starts a cloud."""
    containers = container(tmp_path / "containers", train=_SLEEP, serve="", name="echo")
    container(containers, train=_SLEEP, name="heavy")
    (containers / "heavy" / "requirements.txt").write_text("pip\n")
    container(containers, train=_SLEEP, name="mute")
    executable(containers / "mute" / "serve", _SLEEP)
    with subprocess.Popen(
        [sys.executable, "-c", _STARTER, str(tmp_path / "cloud"), str(containers)],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def _keep_busy(world: World) -> None:
    """Let the cloud train, transform, update, make an image's environment, and run functions, all at once."""
    sagemaker = world.client("sagemaker")
    endpoint = world.endpoint(world.config())
    for name in ("echo", "heavy"):
        own = {"TrainingImage": image(name), "TrainingInputMode": "File"}
        sagemaker.create_training_job(**training(world, AlgorithmSpecification=own))
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=world.config("mute"))
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{world.bucket({'rows.csv': b'1'})}/"}
    sagemaker.create_transform_job(
        TransformJobName="transform",
        ModelName=world.model("mute"),
        TransformInput={"DataSource": {"S3DataSource": source}},
        TransformOutput={"S3OutputPath": f"s3://{world.bucket()}/"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    busy = world.function("def handler(event, context):\n    while True:\n        pass\n")
    for _ in range(_STORM):
        world.client("lambda").invoke(FunctionName=busy, InvocationType="Event")


def _guards(family: set[int]) -> list[int]:
    return [pid for pid in family if b"guard.py" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def _with_another_guard(cloud: int) -> set[int]:
    """Kill the guard of a cloud and return the cloud's family once it has another."""
    [first] = _guards(_family(cloud))
    os.kill(first, signal.SIGKILL)
    until(lambda: _guards(_family(cloud) - {first}))
    return _family(cloud)


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="reads Linux's /proc")
@pytest.mark.parametrize("killed", [("starter",), ("cloud",), ("starter", "cloud"), ("guard", "cloud")])
def test_five_seconds_after_a_kill_nothing_is_left_whichever_process_it_hit(
    starter: "subprocess.Popen[str]", killed: tuple[str, ...]
) -> None:
    assert starter.stdout is not None
    cloud, url, secret = json.loads(starter.stdout.readline())
    _keep_busy(World(url, secret))
    # The cloud, its guard, and of each a program and what it runs in: a server and the one that is to follow it, two
    # jobs, a transform's server, the making of an environment, and functions.
    until(lambda: len(_family(cloud)) >= _MANY)
    family = _family(cloud)

    for name in killed:
        if name == "guard":
            family = _with_another_guard(cloud)
        else:
            os.kill({"starter": starter.pid, "cloud": cloud}[name], signal.SIGKILL)

    end = time.monotonic() + _LEAVE_NOTHING
    while [pid for pid in family if _alive(pid)] and time.monotonic() < end:
        time.sleep(0.05)
    assert [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in family if _alive(pid)] == []
