"""The job from its arguments to its exit code: as a process, and within this one where the store is the test's."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.support.documents import ROOT
from tests.support.features import UPLOADED, definition, file, fitted, given, records, rows

from signalbox import quarantine
from signalbox_features import fitting, job, unused, writing
from signalbox_features.model import FeaturesError
from signalbox_features.sources import of_manifest, of_paths
from signalbox_features.store import FeatureStoreWriter
from signalbox_features.writing import RecordAnswer

TIME = "2026-11-27T12:00:00Z"


class Store:
    """A store that takes what it is said to take."""

    def __init__(self, *answers: RecordAnswer) -> None:
        self.taken: list[dict[str, str]] = []
        self._answers = answers

    def write(self, found: Any) -> list[RecordAnswer]:
        """Take records."""
        self.taken += found
        return [*self._answers, *[RecordAnswer(True)] * (len(found) - len(self._answers))]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a compiled definition, what was fitted for it, and a manifest of two files."""
    made = definition(quarantine={"rows": 0.4})
    fitting.save(fitted(made, tmp_path), tmp_path / "fitted.json")
    (tmp_path / "definition.json").write_text(json.dumps(made.given))
    (tmp_path / "input").mkdir()
    manifest(tmp_path, a=rows("a,F,1"), b=rows("b,M,3", "c,F,x"))
    return tmp_path


def manifest(folder: Path, **contents: str) -> None:
    entries = []
    for name, content in contents.items():
        file(folder / "input", content, f"{name}.csv")
        entries.append({"file": f"{name}.csv", "name": f"in/{name}.csv", "version": "v1", "uploaded": TIME})
    (folder / "manifest.json").write_text(json.dumps({"files": entries}))


def words(folder: Path, *more: str) -> list[str]:
    named = {"manifest": "manifest.json", "input": "input", "definition": "definition.json", "artefact": "fitted.json"}
    given = {**named, "output": "out", "message": "message/text"}
    return [word for name, path in given.items() for word in (f"--{name}", str(folder / path))] + list(more)


def test_the_job_is_a_program_that_needs_nothing_but_python(place: Path) -> None:
    environment = {"PYTHONPATH": str(ROOT / "features"), "PATH": os.environ["PATH"]}
    program = [sys.executable, "-S", "-m", "signalbox_features.job", *words(place)]  # without any installed library
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "2 files, 3 rows: 2 records, 1 rows and 0 files in quarantine" in done.stderr
    assert [(one["file"], one["record_time"]) for one in records(place)] == [
        ("in/a.csv", str(UPLOADED)),
        ("in/b.csv", str(UPLOADED)),
    ]
    assert not (place / "message").exists()


def test_a_failure_is_one_sentence_in_the_message_and_the_report_is_there(place: Path) -> None:
    manifest(place, a=rows("a,F,x", "b,F,1"))
    assert job.main(words(place)) == 1
    assert (
        (place / "message" / "text").read_text().startswith("1 of 2 rows are in quarantine, more than the share of 0.4")
    )
    assert json.loads((place / "out" / job.REPORT).read_text())["problems"]


def test_files_that_are_refused_end_the_job_well_where_it_is_told_so_and_its_report_names_them(place: Path) -> None:
    manifest(place, a=rows("a,F,x", *(f"{number},F,y" for number in range(6)), "b,F,1"), b="")
    assert job.main(words(place, "--end-well")) == 0
    assert not (place / "message").exists()
    found = json.loads((place / "out" / unused.FILE).read_text())
    assert (found["good"], found["more"]) == (0, 0)
    assert found["problem"].startswith("Features: 7 of 8 rows are in quarantine")
    assert found["features"] == "2 files, 8 rows: 1 records, 7 rows and 1 files in quarantine"
    first, second = found["quarantined"]
    assert (first["file"], first["kind"], first["more"], len(first["faults"])) == ("in/a.csv", "bad", 2, 5)
    assert first["faults"][0] == {"line": 2, "reason": "length is 'x', wants a number"}
    assert (second["file"], second["kind"]) == ("in/b.csv", "bad")
    assert "line" not in second["faults"][0]
    assert quarantine.parse(json.dumps(found))["features"] == found["features"]


def test_the_report_of_unused_rows_is_bounded_and_counts_the_files_that_it_leaves_out(tmp_path: Path) -> None:
    lines = [{"file": f"{number}.csv", "line": line, "told": "x" * 999} for number in range(203) for line in (2, 3)]
    (tmp_path / "q").write_text("".join(json.dumps(one) + "\n" for one in lines))
    found = unused.report(tmp_path / "q", [], "said")
    assert (len(found["quarantined"]), found["more"], found["good"], found["problem"]) == (200, 3, 1, "")
    assert {one["kind"] for one in found["quarantined"]} == {"rows"}
    assert quarantine.parse(json.dumps(found))["more"] == 3


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("definition.json", "{", "is no compiled definition of features"),
        ("definition.json", json.dumps(given(features=[{"name": "sex"}])), "was fitted for other columns"),
        ("definition.json", json.dumps(given(rows={"min": 2, "max": 1})), "rows.max: is 1, less than min"),
        ("fitted.json", "[]", "is no artefact"),
        ("manifest.json", "{}", "is no manifest of files"),
        (
            "manifest.json",
            '{"files": [{"file": "a.csv", "version": "1", "uploaded": "noon"}]}',
            "is no manifest of files",
        ),
        ("manifest.json", '{"files": [{"file": "a.csv", "version": 1, "uploaded": "2026-11-27"}]}', "is no manifest"),
        ("manifest.json", '{"files": [{"file": "z.csv", "version": "1", "uploaded": "2026-11-27"}]}', "there is no"),
    ],
)
def test_a_job_that_is_given_something_wrong_says_what(place: Path, name: str, content: str, told: str) -> None:
    (place / name).write_text(content)
    assert job.main(words(place)) == 1
    assert told in (place / "message" / "text").read_text()


def test_records_are_written_to_the_group_that_is_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store()
    monkeypatch.setattr(job, "_store", lambda *asked: store if asked[:2] == ("shells", "eu-west-1") else None)
    assert job.main(words(place, "--group", "shells", "--region", "eu-west-1")) == 0

    assert [record["record_id"] for record in store.taken] == ["a", "b"]
    written = json.loads((place / "out" / job.REPORT).read_text())["written"]
    assert (written["written"], written["refused"], written["left"]) == (2, 0, 0)


def test_the_group_is_written_by_a_client_of_its_region(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(boto3, "client", lambda service, **more: asked.append((service, more)))
    assert isinstance(job._store("shells", "eu-west-1", definition()), FeatureStoreWriter)
    assert asked == [("sagemaker-featurestore-runtime", {"region_name": "eu-west-1"})]


def test_nothing_is_written_of_a_run_that_fails(tmp_path: Path) -> None:
    made, store = definition(quarantine={"rows": 0}), Store()
    artefact = fitted(definition(), tmp_path)
    with pytest.raises(job.RunFailedError, match="1 of 2 rows are in quarantine"):
        job.apply(made, artefact, [file(tmp_path, rows("a,F,1", "b,F,x"))], tmp_path / "out", store)
    assert store.taken == []


@pytest.mark.parametrize(
    ("answer", "share", "told"),
    [
        (RecordAnswer(False, "no"), 0.4, "the Feature Store refused 1 of 2 records, more than the share of 0.4"),
        (
            RecordAnswer(False, "busy", again=True),
            1,
            r"1 records were not taken after 8 tries \(a.csv, line 2: busy\): run it again",
        ),
    ],
)
def test_a_run_whose_records_were_not_all_taken_fails_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: RecordAnswer, share: float, told: str
) -> None:
    monkeypatch.setattr(writing, "_FIRST_PAUSE", 0)
    made = definition(quarantine={"rows": share})
    with pytest.raises(job.RunFailedError, match=told):
        job.apply(
            made, fitted(made, tmp_path), [file(tmp_path, rows("a,F,1", "b,F,1"))], tmp_path / "out", Store(answer)
        )
    assert json.loads((tmp_path / "out" / job.REPORT).read_text())["problems"]


def test_what_the_store_refuses_within_the_share_fails_nothing(tmp_path: Path) -> None:
    made = definition(quarantine={"rows": 0.5})
    sources = [file(tmp_path, rows("a,F,1", "b,F,1"))]
    report = job.apply(made, fitted(made, tmp_path), sources, tmp_path / "out", Store(RecordAnswer(False, "no")))
    assert report["written"]["refused"] == 1
    assert "1 written" in job.told(report)


def test_a_version_that_is_named_twice_is_read_once(place: Path) -> None:
    entry = {"file": "a.csv", "version": "1", "uploaded": TIME}
    (place / "manifest.json").write_text(json.dumps({"files": [entry, entry, {**entry, "version": "2"}]}))
    assert [source.version for source in of_manifest(place / "manifest.json", place / "input")] == ["1", "2"]


def test_a_file_of_this_machine_has_its_content_as_its_version(tmp_path: Path) -> None:
    first, second = file(tmp_path, "x", "a.csv"), file(tmp_path, "y", "b.csv")
    versions = [source.version for source in of_paths([first.path, second.path])]
    assert len(set(versions)) == 2
    file(tmp_path, "y", "a.csv")
    assert of_paths([first.path])[0].version == versions[1]
    with pytest.raises(FeaturesError, match=r"there is no file .*none\.csv"):
        of_paths([tmp_path / "none.csv"])
