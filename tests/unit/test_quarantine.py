"""A report of files that are not used is a job's word: bounded, checked, kept once, and shown as nothing but text."""

import json
import re
from collections.abc import Iterator
from copy import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws
from projects.abalone.pipeline.code.quarantine import EMPTY, MOST_FAULTS, MOST_FILES, Quarantine
from tests.support.documents import blocks, read
from tests.support.dynamodb import created_table
from tests.support.notifications import in_both, in_neither, mailed_about_run
from tests.support.samples import sample
from tests.support.uploads import ABALONE, ARTIFACTS, EXECUTION, PIPELINE, Clock, a_project
from tests.unit.test_uploads_reporting import ARN, World

from signalbox import quarantine
from signalbox.aws.errors import ServiceBusyError
from signalbox.aws.table import Table
from signalbox.contracts.uploads import QuarantinedFile
from signalbox.quarantine import QuarantineError
from signalbox.uploads.quarantined import QuarantineTable

PLACE = f"s3://{ARTIFACTS}/pipelines/abalone/abalone/runs/p4jn9xou8a8s/quarantine/quarantine.json"
BAD: QuarantinedFile = {
    "file": "incoming/a.csv",
    "kind": "bad",
    "faults": [{"line": 3, "reason": "has 4 cells, and 5 are wanted"}, {"line": 9, "reason": "Height is 'tall'"}],
    "more": 1,
}
IGNORED: QuarantinedFile = {
    "file": "incoming/notes.txt",
    "kind": "ignored",
    "faults": [{"reason": "is not read, because only .csv is taken"}],
    "more": 0,
}
FAILED = sample("sagemaker/pipeline-execution-failed")
SUCCEEDED = sample("sagemaker/pipeline-execution-succeeded")


def report(*files: Any, **more: Any) -> str:
    return json.dumps({"good": 0, "problem": "bad", "quarantined": list(files), "more": 0} | more)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def table() -> Iterator[QuarantineTable]:
    with mock_aws():
        yield QuarantineTable(Table("uploads", created_table("uploads")))


def test_the_fixed_place_is_under_what_a_projects_pipeline_is_told_as_its_output() -> None:
    features = PLACE.replace("/quarantine/", "/features/")
    assert quarantine.places(ARTIFACTS, "abalone", "abalone", ARN) == (PLACE, features)


ROWS: QuarantinedFile = {
    "file": "incoming/b.csv",
    "kind": "rows",
    "faults": [{"line": 2, "reason": "height is 9, more than 2"}],
    "more": 0,
}


def test_a_file_whose_other_rows_are_used_is_named_and_is_not_to_be_left_out() -> None:
    (told,) = quarantine.sentences([ROWS])
    assert told == "incoming/b.csv, line 2 (its other rows are used): height is 9, more than 2"
    assert quarantine.wrong([ROWS, BAD]) == ["incoming/a.csv"]


def test_a_file_in_both_reports_is_one_and_bad_where_either_says_so() -> None:
    both: QuarantinedFile = {**ROWS, "file": "incoming/a.csv", "faults": [*BAD["faults"], *ROWS["faults"] * 4]}
    for one, other, first in ((BAD, both, BAD), (both, BAD, both)):
        found = quarantine.merged({"files": [one], "more": 1}, {"files": [other, ROWS], "more": 2, "features": "said"})
        assert [file["file"] for file in found["files"]] == ["incoming/a.csv", "incoming/b.csv"]
        merged = found["files"][0]
        assert (merged["kind"], len(merged["faults"]), merged["faults"][0]) == ("bad", 5, first["faults"][0])
        assert (found["more"], found["features"]) == (3, "said")


def test_what_the_job_of_the_features_reports_is_kept_and_mailed_beside_the_files(world: World) -> None:
    run = world.run("incoming/a.csv", "incoming/b.csv")
    world.reports.texts[PLACE] = report(BAD)
    world.reports.texts[PLACE.replace("/quarantine/", "/features/")] = report(ROWS, features="2 files, 9 rows")
    assert world.deliver() == "notified"
    assert world.mails[0]["quarantine"] == {"files": [BAD, ROWS], "more": 0, "features": "2 files, 9 rows"}
    assert set(world.quarantine.files[ARN]) == {"incoming/a.csv", "incoming/b.csv"}
    mail = mailed_about_run(run=run.id, quarantine=world.mails[0]["quarantine"])
    in_both(mail, "2 files, 9 rows", f"signalbox features report {run.id}")
    in_neither(mailed_about_run(run=run.id), "signalbox features report")


def test_each_file_is_named_with_its_first_line_the_reason_and_how_many_more_lines() -> None:
    assert quarantine.sentences([BAD, IGNORED]) == [
        "incoming/a.csv, line 3: has 4 cells, and 5 are wanted (and 2 more lines)",
        "incoming/notes.txt (ignored): is not read, because only .csv is taken",
    ]
    assert quarantine.wrong([BAD, IGNORED]) == ["incoming/a.csv"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no json", "is not JSON"),
        ("[]", "the text is []: give an object"),
        ("{}", "quarantined is missing"),
        (report("a.csv"), 'quarantined[0] is "a.csv": give an object'),
        (
            report({**BAD, "kind": "odd"}),
            'quarantined[0].kind is "odd": allowed are bad, empty, ignored, missing, rows',
        ),
        (report({**BAD, "faults": []}), "quarantined[0].faults is []: give a list of 1 to 5 objects"),
        (report({**BAD, "faults": [{"line": 0, "reason": "x"}]}), "faults[0].line is 0: give a whole number from 1"),
        (report({**BAD, "file": ""}), 'quarantined[0].file is ""'),
        (report(*[BAD] * 201), "give a list of 0 to 200 objects"),
        (report(more=-1), "more is -1: give a whole numbe"),
    ],
)
def test_a_report_that_cannot_be_read_says_which_field_is_wrong(text: str, said: str) -> None:
    with pytest.raises(QuarantineError, match=re.escape(said)):
        quarantine.parse(text)


@given(st.text(min_size=1), st.text(min_size=1))
def test_what_a_job_writes_is_one_line_of_bounded_length(file: str, reason: str) -> None:
    text = report({"file": f"{file}x", "kind": "bad", "faults": [{"reason": f"x{reason * 9}"}]})
    (found,) = quarantine.parse(text)["files"]
    (sentence,) = quarantine.sentences([found])
    assert len(sentence.splitlines()) == 1
    assert len(found["faults"][0]["reason"]) <= 300


def test_the_report_that_the_documents_show_is_one_that_is_read() -> None:
    (example,) = blocks(read("docs/own-pipeline.md"), "json")
    found = quarantine.parse(example)
    assert quarantine.sentences(found["files"])[0].startswith("incoming/rings/a.csv, line 3: has 9 columns")
    assert [one["kind"] for one in found["files"]] == ["bad", "ignored"]


def test_what_a_seeds_job_writes_is_what_is_read_of_it(tmp_path: Path) -> None:
    written = Quarantine(".csv")
    for line in range(1, 9):
        written.add("incoming/a.csv", f"row {line} is bad", line)
    written.add("incoming/b.csv", "has no rows", kind=EMPTY)
    written.ignore("incoming/notes.txt")
    written.write(tmp_path, written.problem(0))
    files = quarantine.parse((tmp_path / quarantine.FILE).read_text())["files"]
    assert [one["kind"] for one in files] == [quarantine.BAD, quarantine.EMPTY, quarantine.IGNORED]
    assert (len(files[0]["faults"]), files[0]["more"]) == (5, 3)
    assert (MOST_FILES, MOST_FAULTS) == (quarantine.MOST_FILES, quarantine.MOST_FAULTS)


def test_what_is_kept_of_an_execution_is_found_again_and_kept_once(table: QuarantineTable) -> None:
    table.keep(ARN, [IGNORED, BAD], Clock().now)
    table.keep(ARN, [BAD, IGNORED], Clock().now)
    assert table.of(ARN) == [BAD, IGNORED]
    assert table.find(ARN, "incoming/a.csv") == BAD
    assert table.find(ARN, "incoming/b.csv") is None
    assert table.of(f"{EXECUTION}another") == []


def test_a_run_that_failed_because_of_its_files_is_mailed_with_them_and_they_are_kept(world: World) -> None:
    run = world.run("incoming/a.csv", "incoming/b.csv")
    world.reports.texts[PLACE] = report(BAD, IGNORED)
    assert [world.deliver(), world.deliver()] == ["notified", "notified-before"]
    assert world.mails[0]["quarantine"] == {"files": [BAD, IGNORED], "more": 0}
    assert world.mails[0]["run"] == run.id
    assert world.quarantine.files == {ARN: {"incoming/a.csv": BAD, "incoming/notes.txt": IGNORED}}


def test_a_run_that_succeeded_without_some_files_has_them_kept_and_nobody_is_mailed(world: World) -> None:
    world.run("incoming/a.csv")
    world.reports.texts[PLACE] = report(IGNORED)
    assert world.deliver(SUCCEEDED) == "passed-on"
    assert list(world.quarantine.files[ARN]) == ["incoming/notes.txt"]


def test_a_run_without_a_report_or_with_an_empty_one_writes_nothing(world: World) -> None:
    assert world.deliver() == "notified"
    world.reports.texts[PLACE] = report()
    world.deliver()
    assert world.quarantine.writes == 0


@pytest.mark.parametrize("text", ["no json", "x" * 1_000_001])
def test_a_report_that_cannot_be_used_keeps_no_mail_back(world: World, text: str) -> None:
    world.reports.texts[PLACE] = text
    assert world.deliver() == "notified"
    assert world.mails[0]["quarantine"] == {"files": [], "more": 0}


def test_files_are_kept_before_the_mail_so_that_a_death_between_loses_neither(world: World) -> None:
    world.reports.texts[PLACE] = report(BAD)

    def dies(_: object) -> None:
        raise ServiceBusyError("ses", "throttled")

    world.notify = dies
    with pytest.raises(ServiceBusyError):
        world.deliver()
    assert list(world.quarantine.files[ARN]) == ["incoming/a.csv"]
    assert world.requests.asked == [FAILED], "the next run does not wait for it"


def test_the_copies_that_a_job_has_seen_are_named_by_the_keys_of_their_uploads(world: World) -> None:
    world.projects.found = (a_project("abalone", "incoming/", takes="url"),)
    world.run("incoming/x/a.csv", "incoming/b.csv")
    world.reports.texts[PLACE] = report({**BAD, "file": "a.csv"}, {**BAD, "file": "other.csv"})
    world.deliver()
    assert list(world.quarantine.files[ARN]) == ["incoming/x/a.csv", "other.csv"]


def test_an_execution_of_a_removed_project_is_reported_without_a_look_for_its_files(world: World) -> None:
    world.run("incoming/a.csv")
    world.reports.texts[PLACE] = report(BAD)
    world.projects.found = (replace(ABALONE, pipelines={}),)
    assert world.deliver() == "notified"
    assert world.mails[0]["project"] == PIPELINE
    assert world.quarantine.files == {}


def test_the_mail_lists_the_first_twenty_files_how_many_more_and_what_to_do() -> None:
    files = [{**BAD, "file": f"incoming/{number:02d}.csv"} for number in range(23)]
    mail = mailed_about_run(run="run-1", step="UnusableFiles", quarantine={"files": files, "more": 2})
    in_both(mail, "incoming/19.csv, line 3: has 4 cells, and 5 are wanted (and 2 more lines)", "and 5 more")
    in_both(mail, "signalbox quarantine run-1")
    in_neither(mail, "incoming/20.csv, line", "signalbox rerun", "Correct the data, or the pipeline's parameters")


def test_the_mail_has_the_command_that_runs_the_other_files_again() -> None:
    odd: QuarantinedFile = {**BAD, "file": "incoming/it's.csv"}
    found = {"files": [BAD, odd, IGNORED], "more": 0}
    mail = mailed_about_run(run="run-1", step="UnusableFiles", quarantine=found)
    assert "signalbox rerun run-1 --without incoming/a.csv --without 'incoming/it'\"'\"'s.csv'" in mail.text
    in_both(mail, "incoming/notes.txt (ignored): is not read, because only .csv is taken")


def test_what_a_job_calls_a_file_becomes_neither_markup_nor_a_link() -> None:
    evil: QuarantinedFile = {**BAD, "file": "https://evil.example/<b>now</b>"}
    mail = mailed_about_run(run="run-1", step="UnusableFiles", quarantine={"files": [evil], "more": 0})
    in_neither(mail, "https://evil.example")
    assert "<b>now" not in (mail.html or "")
