"""A stack of the version before projects is updated in place, as the documents say."""

import io
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sagemaker_local import inbox
from sagemaker_local.process import LocalCloud, Options
from signalbox_local import deploy
from signalbox_local.project import ROOT, ProjectCloud
from tests.system.test_uploads import queue_named
from tests.system.world import PARAMETERS, PIPELINE, World

# The last version whose template has the parameters Model, UploadSuffix and QuietSeconds.
BEFORE = "603bd3504a76f78b808238345c84c3a493e4ca26"
ROW = "5.1,3.5,1.4,0.2"


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the files of that version."""
    archive = subprocess.run(["git", "archive", BEFORE], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip(f"this clone's history has no commit {BEFORE[:7]}: git fetch --unshallow")
    folder = tmp_path_factory.mktemp("before")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as packed:
        packed.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, containers: Path) -> Iterator[LocalCloud]:
    """Start a cloud of its own."""
    options = Options(folder=tmp_path_factory.mktemp("updated"), containers=containers, startup_seconds=20)
    with ProjectCloud(options) as running:
        yield running


@pytest.fixture(scope="module")
def old(cloud: LocalCloud, earlier: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Deploy that version."""
    deploy.build(cloud.environment, earlier)
    outputs = deploy.deploy(cloud, deploy.parameters(cloud, **PARAMETERS, QuietSeconds=1), earlier)
    iris = tmp_path_factory.mktemp("iris")
    subprocess.run([sys.executable, str(ROOT / "projects" / "iris" / "data.py"), str(iris)], check=True)
    return World(cloud, outputs, iris)


def put(world: World, *keys: str) -> None:
    """Upload files without rows, whose runs end soon and in a mail."""
    for key in keys:
        world.client("s3").put_object(Bucket=world.outputs["DataBucket"], Key=f"incoming/{key}", Body=b"\n\n")


def waiting(world: World) -> int:
    """Return how many uploads the table has under any pipeline and in no run."""
    items = world.client("dynamodb").scan(
        TableName=world.outputs["UploadsTable"],
        FilterExpression="begins_with(pk, :waiting)",
        ExpressionAttributeValues={":waiting": {"S": "waiting#"}},
    )
    return int(items["Count"])


@contextmanager
def at_rest(world: World) -> Iterator[None]:
    """Let no run be started meanwhile.

    The local cloud ends a function's process in the middle when its code changes, and the message comes back after six
    minutes; on AWS, what a function has begun it brings to its end.
    """
    client = world.client("lambda")
    (mapping,) = client.list_event_source_mappings(FunctionName=queue_named(world, "StartRunFunction"))[
        "EventSourceMappings"
    ]
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    queue = queue_named(world, "RunsQueue")

    def none_in_flight() -> bool:
        name = "ApproximateNumberOfMessagesNotVisible"
        found = world.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=[name])["Attributes"]
        return bool(found[name] == "0")

    world.wait_for("the end of what start_run has begun", none_in_flight)
    yield
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def ask(world: World) -> bytes:
    """Ask prod without naming a model."""
    return world.signalbox("invoke", "prod", "--data", ROW).strip()


def test_a_stack_from_before_projects_is_updated_serves_on_and_its_waiting_uploads_run(
    old: World, build: Callable[[LocalCloud], None], tmp_path: Path
) -> None:
    old.release("abalone", "c1", 1)
    served, config = ask(old), old.endpoint("abalone", "prod")
    assert served in {b"setosa", b"versicolor", b"virginica"}
    put(old, "first.csv")  # taken by a run that cannot start: there is no pipeline
    old.mail("abalone", "the pipeline run cannot start")
    put(old, "second.csv")  # waits behind it
    old.wait_for("the second upload to wait", lambda: waiting(old) == 1)

    build(old.cloud)
    with at_rest(old):
        world = World(old.cloud, deploy.deploy(old.cloud, deploy.parameters(old.cloud, **PARAMETERS)), old.iris)

    assert ask(world) == served
    after = world.endpoint("abalone", "prod")
    assert config is not None
    assert after is not None
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", config["EndpointConfigName"])
    put(world, "third.csv")  # after the update, before the project
    # The second one waits no more behind a run of which nobody knows when it may start.
    world.wait_for("two to wait unclaimed", lambda: b"2 waiting that nobody claims" in world.signalbox("uploads"))
    said = world.signalbox("uploads").decode()
    assert f"1 waiting for {PIPELINE}: " in said
    assert said.count(".csv") == 3

    world.signalbox("deploy", str(project(tmp_path)))

    world.wait_for("all uploads to have run", lambda: world.signalbox("uploads") == b"no upload waits\n")
    fates = [world.signalbox("uploads", f"incoming/{name}.csv").decode() for name in ("first", "second", "third")]
    assert all(f"run {PIPELINE}-00000" in fate for fate in fates), fates
    told = world.mail("abalone", "the pipeline run has failed in UnusableFiles")
    assert "row" in inbox.text(told)
    assert ask(world) == served


def project(folder: Path) -> Path:
    """Return abalone's project with the place that its stack's people upload to."""
    made = shutil.copytree(ROOT / "projects" / "abalone", folder / "abalone")
    file = made / "signalbox.yaml"
    text, number = re.subn(r"(?m)^uploads: .*$", "uploads: {prefix: incoming/, quiet_seconds: 1}", file.read_text())
    assert number == 1
    file.write_text(text)
    return made
