"""A run gets what its pipeline takes: a manifest, the file's own address, or a folder of copies."""

import json
from copy import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.uploads import (
    ARTIFACTS,
    BUCKET,
    Clock,
    MemoryCopier,
    MemoryExecutions,
    MemoryObjects,
    MemoryTable,
    a_project,
)

from signalbox import moments
from signalbox.aws.errors import CallRefusedError
from signalbox.projects import Project, owner
from signalbox.uploads import rules, versions
from signalbox.uploads.launching import COPYING, LaunchingPorts, launch
from signalbox.uploads.model import CLAIMED, Run, RunPostponedError, RunRefusedError, Upload
from signalbox_features import sources

PIPELINE = "signalbox-photos"
URL = a_project("photos", "incoming/photos/", takes="url")
FOLDER = "s3://artifacts/inputs/signalbox-photos/signalbox-photos-000001-20261120T120000Z/"


class World:
    """One sealed run, and what launches it."""

    def __init__(self, project: Project = URL) -> None:
        self.clock = Clock()
        self.began = self.clock()
        self.table = MemoryTable(PIPELINE)
        self.copier = MemoryCopier()
        self.executions = MemoryExecutions()
        self.objects = MemoryObjects()
        self.owned = owner((project,), PIPELINE)

    def seal(self, *keys: str, **more: Any) -> None:
        """Let a run take uploads, and seal it."""
        recorded = moments.text_of(self.clock())
        uploads = [
            Upload(BUCKET, f"incoming/photos/{key}", f"v{number}", 10, recorded) for number, key in enumerate(keys)
        ]
        for upload in uploads:
            self.table.record(upload)
        run = rules.next_run(PIPELINE, None, self.clock())._replace(**more)
        self.table.open(run)
        self.table.take(run, uploads)
        self.table.move(run, CLAIMED, at=self.clock())

    @property
    def run(self) -> Run:
        """Return the run."""
        run = self.table.latest()
        assert run is not None
        return run

    def launch(self) -> str:
        """Launch the run; return what its pipeline's parameter is given."""
        ports = LaunchingPorts(
            ARTIFACTS, self.table, self.objects, self.copier, self.executions, self.clock, self.began
        )
        launch(self.run, self.owned, ports)
        return str(self.executions.started[-1]["input"])


def test_one_file_is_given_by_its_own_address_and_not_copied() -> None:
    world = World()
    world.seal("a b+ü.jpg")
    assert world.launch() == f"s3://{BUCKET}/incoming/photos/a b+ü.jpg"
    assert world.copier.copies == {}


def test_several_files_are_given_as_a_folder_of_copies_with_their_own_names() -> None:
    world = World()
    world.seal("b/two.jpg", "a/one.jpg")
    assert world.launch() == FOLDER
    assert world.copier.copies == {
        f"{FOLDER}{name}.jpg": f"s3://{BUCKET}/incoming/photos/{folder}/{name}.jpg"
        for folder, name in (("a", "one"), ("b", "two"))
    }
    assert world.objects.written == {}


def test_copies_of_files_with_one_name_and_of_long_names_are_told_apart() -> None:
    keys = ["a/x.csv", "b/x.csv", f"c/{'ü' * 400}.csv", "d/y.csv"]
    called = rules.names_of_copies(keys)
    assert called["d/y.csv"] == "y.csv"
    assert len(set(called.values())) == len(keys)
    assert all(name.endswith(".csv") and len(name.encode()) <= 210 for name in called.values())


def test_two_versions_of_one_file_are_one_file() -> None:
    world = World()
    world.seal("a.jpg", "a.jpg")
    assert world.launch() == f"s3://{BUCKET}/incoming/photos/a.jpg"


def test_a_file_that_is_gone_is_left_out_of_the_copies() -> None:
    world = World()
    world.copier.gone = {f"s3://{BUCKET}/incoming/photos/a.jpg"}
    world.seal("a.jpg", "b.jpg")
    assert world.launch() == FOLDER
    assert list(world.copier.copies) == [f"{FOLDER}b.jpg"]


def test_copies_that_take_longer_than_a_function_has_are_gone_on_with_later(monkeypatch: pytest.MonkeyPatch) -> None:
    world, copy = World(), MemoryCopier.copy

    def slow(copier: MemoryCopier, source: str, target: str) -> Any:
        world.clock.now += COPYING / 2
        return copy(copier, source, target)

    monkeypatch.setattr(MemoryCopier, "copy", slow)
    world.seal("a.jpg", "b.jpg", "c.jpg")
    with pytest.raises(RunPostponedError, match="the run waits: its files are being copied"):
        world.launch()
    assert (world.run.copied, world.run.waits_for, world.executions.started) == (2, "its files are being copied", [])
    world.began = world.clock()
    assert world.launch() == FOLDER
    assert (len(world.copier.copies), world.copier.calls) == (3, 3)


def test_a_function_without_time_left_begins_no_copy() -> None:
    world = World()
    world.seal("a.jpg", "b.jpg")
    world.clock.now += COPYING + timedelta(seconds=1)
    with pytest.raises(RunPostponedError):
        world.launch()
    assert world.copier.calls == 0


def test_a_copy_that_s3_refuses_refuses_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise CallRefusedError("s3:CopyObject of s3://b/a.jpg", "AccessDenied", "Access Denied")

    world = World()
    monkeypatch.setattr(world.copier, "copy", refuse)
    world.seal("a.jpg", "b.jpg")
    with pytest.raises(RunRefusedError, match="s3:CopyObject"):
        world.launch()
    assert "Access Denied" in str(world.run.waits_for)


def test_a_run_takes_what_the_document_says_at_its_start() -> None:
    world = World(a_project("photos", "incoming/photos/"))
    world.seal("a.jpg", "b.jpg")
    world.executions.quota = 0
    with pytest.raises(RunPostponedError):
        world.launch()
    world.executions.quota, world.owned = 20, owner((URL,), PIPELINE)
    assert world.launch() == FOLDER
    assert len(world.copier.copies) == 2


def test_a_pipeline_that_takes_no_uploads_any_more_leaves_its_run_waiting() -> None:
    nothing = a_project("photos", "incoming/photos/", takes="nothing")
    world = World(replace(nothing, uploads=()))
    world.seal("a.jpg")
    with pytest.raises(RunRefusedError, match=f"the project photos gives no uploads to the pipeline {PIPELINE}"):
        world.launch()


def test_a_run_that_an_earlier_version_opened_has_its_manifest_where_that_one_writes_it() -> None:
    world = World(a_project("photos", "incoming/photos/"))
    world.seal("a.jpg", folder="manifests")
    assert world.launch() == f"s3://artifacts/manifests/{world.run.id}.json"


def test_a_run_that_an_earlier_version_had_refused_has_its_manifest_where_its_projects_jobs_may_read() -> None:
    world = World(a_project("photos", "incoming/photos/"))
    world.seal("a.jpg", folder="manifests", has_manifest=True)
    world.table.note(world.run, "the pipeline signalbox-photos does not exist")
    world.executions.quota = 0
    with pytest.raises(RunPostponedError):
        world.launch()
    world.executions.quota = 20
    uri = f"s3://artifacts/manifests/{PIPELINE}/{world.run.id}.json"
    assert (world.launch(), list(world.objects.written)) == (uri, [f"{uri}.versions.json", uri])


def test_beside_its_manifest_a_run_has_the_newest_version_of_each_file_with_its_time() -> None:
    world = World(a_project("photos", "incoming/photos/"))
    world.seal("b.csv", "a.csv", "b.csv")
    world.launch()

    (text,) = world.objects.versions.values()
    made = json.loads(text)
    assert [(one["name"], one["version"]) for one in made["files"]] == [
        ("incoming/photos/a.csv", "v1"),
        ("incoming/photos/b.csv", "v2"),
    ]
    assert {one["uploaded"] for one in made["files"]} == {moments.text_of(world.clock())}


def test_of_two_versions_that_a_run_took_the_one_that_s3_has_later_counts_and_not_the_one_recorded_later() -> None:
    late = Upload(BUCKET, "k", "new", 1, "2026-11-20T12:00:00.000000Z", modified="2026-11-20T11:00:02.000000Z")
    early = late._replace(
        version="old", recorded_at="2026-11-20T12:00:09.000000Z", modified="2026-11-20T11:00:01.000000Z"
    )

    (found,) = versions.of([late, early])["files"]
    assert (found["version"], found["uploaded"]) == ("new", "2026-11-20T11:00:02.000000Z")


def test_the_features_job_reads_what_a_run_has_beside_its_manifest(tmp_path: Path) -> None:
    world = World(a_project("photos", "incoming/photos/"))
    world.seal("a b+ü.csv")
    world.launch()
    (text,) = world.objects.versions.values()
    (tmp_path / "run.json.versions.json").write_text(text, encoding="utf-8")
    data = tmp_path / "incoming/photos/a b+ü.csv"  # where SageMaker puts a key of a manifest
    data.parent.mkdir(parents=True)
    data.write_text("x")

    (found,) = sources.of_manifest(tmp_path / "run.json.versions.json", tmp_path)
    assert found == (data, "incoming/photos/a b+ü.csv", "v0", world.clock().timestamp())


@pytest.mark.parametrize(
    ("taken", "waiting", "fitting"),
    [
        ([], [1, 1, 1], 3),
        ([], [rules.MOST_COPIED], 1),
        ([], [rules.MOST_COPIED + 1, 1], 1),
        ([], [1, rules.MOST_COPIED, 1], 1),
        ([1], [rules.MOST_COPIED], 0),
        ([1], [rules.MOST_COPIED - 1, 1], 1),
    ],
)
def test_as_many_files_go_together_as_are_copied_in_time(taken: list[int], waiting: list[int], fitting: int) -> None:
    first, rest = ([Upload(BUCKET, str(size), "v1", size, "t") for size in sizes] for sizes in (taken, waiting))
    assert rules.that_fit_a_copy(first, rest) == rest[:fitting]
