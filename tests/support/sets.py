"""Sets of uploads in the world in which runs are started: what names their files, and what becomes of them."""

import json
from collections.abc import Sequence
from typing import Any

from signalbox import moments
from signalbox.projects import Project, ProjectPipeline, ProjectUploads
from signalbox.uploads.model import Upload
from tests.support.starting import REQUEST, World, a_world
from tests.support.uploads import BUCKET, PIPELINE

LONGEST = 3_600


def with_sets(takes: str = "manifest", **more: Any) -> Project:
    """Return a project whose uploads come in sets, of CSV files; `more` are further fields of its uploads."""
    uploads = ProjectUploads("incoming/", "abalone", ".csv", 0, complete="manifest.json", longest_seconds=LONGEST)
    pipeline = ProjectPipeline(PIPELINE, ("abalone",), takes)
    return Project("abalone", "abalone-0123456789ab", (uploads._replace(**more),), {"abalone": pipeline})


def a_world_with_sets(*projects: Project) -> World:
    """Return a world in which nothing has happened yet, with a project that takes sets, or with these."""
    return a_world(*(projects or (with_sets(),)))


def send(world: World, key: str, version: str = "v1", text: str | None = None, size: int = 10, by: str = "") -> Upload:
    """Let an upload be recorded, a second after what was before; `text` is what it says."""
    world.clock.forward(1)
    now = moments.text_of(world.clock())
    upload = Upload(BUCKET, f"incoming/{key}", version, size, now, by=by, modified=now)
    world.objects.put(upload.key, version, size)
    if text is not None:
        world.objects.texts[upload.uri, version] = text
    world.table.record(upload)
    return upload


def name_set(world: World, files: Sequence[str], key: str = "manifest.json", version: str = "v1") -> Upload:
    """Let what names the files of a set be recorded, relative to its folder."""
    return send(world, key, version, json.dumps(list(files)), by="user/ann")


def look(world: World) -> None:
    """Let the runs' queue be worked off once."""
    assert world.deliver(REQUEST) == []


def input_of(world: World, run: str) -> list[str]:
    """Return the names of the files in a run's manifest."""
    return [key.removeprefix("incoming/") for key in json.loads(world.objects.manifests[run])[1:]]


def inputs(world: World) -> list[list[str]]:
    """Return the names of the files of each run, in their order."""
    return [input_of(world, run.id) for run in world.table.runs]


def finish(world: World) -> None:
    """Let the running execution end, and what comes of that."""
    assert world.deliver(world.over()) == []
