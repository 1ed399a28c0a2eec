"""What a commit of the main branch has changed is published last: each pipeline and image by the commit that did it."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.project_cloud import ProjectCloud
from tests.support.project_folders import SCRIPT, YAML, write

from signalbox.pushes import documents
from signalbox.pushes.model import Published
from signalbox_operate.containers import building
from signalbox_operate.projects import reading
from signalbox_operate.pushes import publishing
from signalbox_operate.pushes.source import Source

CONTAINER = YAML + "containers:\n  bottles: {folder: bottles, problem: multiclass}\n"
FIRST, SECOND, THIRD = "1" * 40, "2" * 40, "3" * 40
NOW = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> ProjectCloud:
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(building, "pushed", lambda build, *_: f"registry/{build.name}:{build.tag}")
    made = ProjectCloud()
    made.clients["ecr"] = made.ssm  # nothing is asked of it
    return made


def publish(cloud: ProjectCloud, folder: Path, commit: str, script: str = SCRIPT, program: str = "") -> Published:
    """Publish a commit; return what the stack is told."""
    files = {"pipeline__py": script, "bottles/Dockerfile": "FROM scratch\n", "bottles/train": program}
    project = reading.read(write(folder, CONTAINER, **files))
    publishing.publish(project, Source(folder, "main", commit), cloud.place(), "ann", NOW)
    cloud.ssm.found |= {one["Name"]: one["Value"] for one in cloud.ssm.requests("PutParameter")}
    return documents.parse_published(cloud.ssm.found["/signalbox/published/wine"])


def test_an_image_is_tagged_by_its_container_commit_time_and_content(cloud: ProjectCloud, tmp_path: Path) -> None:
    (image,) = publish(cloud, tmp_path, FIRST).images

    assert (image.model, image.commit) == ("bottles", FIRST)
    assert re.fullmatch(rf"registry/signalbox/wine:bottles-{FIRST[:12]}-20261126t120000-[0-9a-f]{{12}}", image.image)


def test_a_commit_that_changes_nothing_writes_nothing(cloud: ProjectCloud, tmp_path: Path) -> None:
    before = publish(cloud, tmp_path, FIRST)

    assert publish(cloud, tmp_path, SECOND) == before
    assert cloud.said[-1] == "this commit changes no pipeline and no image of wine: nothing is started"


def test_each_change_has_the_commit_that_made_it_and_leaves_the_others_as_they_were(
    cloud: ProjectCloud, tmp_path: Path
) -> None:
    first = publish(cloud, tmp_path, FIRST)
    changed = SCRIPT.replace("ml.m5.large", "ml.m5.xlarge")
    second = publish(cloud, tmp_path, SECOND, changed)
    third = publish(cloud, tmp_path, THIRD, changed, program="true")

    assert [one.pipelines["train"].commit for one in (first, second, third)] == [FIRST, SECOND, SECOND]
    assert [one.pipelines["train"].number for one in (first, second, third)] == [1, 2, 2]
    assert [one.images[0].commit for one in (first, second, third)] == [FIRST, FIRST, THIRD]
