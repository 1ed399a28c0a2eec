"""What names the files of a set is read in three forms, a mistake in it is one sentence, and a run takes whole sets."""

import json
from typing import Any

import pytest
from tests.support.uploads import BUCKET

from signalbox.uploads import sets
from signalbox.uploads.model import Upload
from signalbox.uploads.sets import Lot, SetError, keys_of

FOLDER = "incoming/wine/"
WHEN = "2026-11-20T12:00:{:02d}.000000Z"


def an_upload(key: str, second: int = 0, size: int = 10, bucket: str = BUCKET, **more: Any) -> Upload:
    return Upload(bucket, f"{FOLDER}{key}", "v1", size, WHEN.format(second), **more)


MANIFEST = an_upload("manifest.json")


def wants_all(_: str) -> str:
    return ""


def named(text: str) -> list[str]:
    return [key.removeprefix(FOLDER) for key in keys_of(MANIFEST, text, wants_all)]


@pytest.mark.parametrize(
    "text",
    [
        '["b.csv", "shops/a.csv"]',
        '\ufeff[ "b.csv",\n"./shops/a.csv", "b.csv"]\n',
        json.dumps([{"prefix": f"s3://{BUCKET}/{FOLDER}"}, "b.csv", "shops/a.csv"]),
        json.dumps([{"prefix": f"s3://{BUCKET}/{FOLDER}sh"}, "ops/a.csv", f"s3://{BUCKET}/{FOLDER}b.csv"]),
        f"b.csv\r\n\r\n  ./shops/a.csv\ns3://{BUCKET}/{FOLDER}b.csv",
        '["s3://' + BUCKET + "/" + FOLDER + 'shops\\/a.csv", "b.csv"]',
    ],
)
def test_a_list_a_manifest_file_and_lines_name_the_same_files_relative_to_their_folder(text: str) -> None:
    assert named(text) == ["b.csv", "shops/a.csv"]


def test_a_name_with_blanks_commas_and_other_scripts_is_one_name() -> None:
    assert named("März 1, 2026 (a).csv\n表.csv") == ["März 1, 2026 (a).csv", "表.csv"]


def test_what_lies_at_the_top_of_a_bucket_names_its_neighbours() -> None:
    assert keys_of(MANIFEST._replace(key="manifest.json"), "a.csv", wants_all) == ("a.csv",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it names no file"),
        ("[]", "it names no file"),
        (' \n[{"prefix": "s3://b/"}]', "it names no file"),
        ('{"files": ["a.csv"]}', "it is no list of names"),
        ('"a.csv"', "it is no list of names"),
        ('["a.csv",', "it is no JSON: line 1, column 10: "),
        ("[" * 100_000, "it is no list of names"),
        ("a\ufffd.csv", "it is no text in UTF-8"),
        ('["a.csv", 7]', "entry 2 is 7, and has to be the name of a file"),
        ('["a.csv", " "]', 'entry 2 is " ", and has to be the name of a file'),
        ('[{"prefix": "incoming/"}, "a.csv"]', 'entry 1 has the prefix "incoming/", which is no S3 URI'),
        ("[{}]", "entry 1 has the prefix missing, which is no S3 URI"),
        ('["a.csv", {"prefix": "s3://b/"}]', 'entry 2 is {"prefix": "s3://b/"}, and has to be the name of a file'),
        ("a.csv\n\ns3://lake/a.csv", f'line 3 is "s3://lake/a.csv", which lies in another bucket than {BUCKET}'),
        ("a.csv\nbad.txt", f'line 2 is "{FOLDER}bad.txt", which is bad'),
        ("\n".join(f"{number}.csv" for number in range(5_001)), "it names more than the 5,000 files that a run takes"),
    ],
)
def test_a_mistake_is_said_with_its_place_and_what_to_do(text: str, problem: str) -> None:
    with pytest.raises(SetError) as told:
        keys_of(MANIFEST, text, lambda key: "which is bad" if "bad" in key else "")
    assert str(told.value).startswith(problem)
    assert str(told.value).endswith(": correct it, and upload it again")


def test_as_many_files_as_a_run_takes_are_a_set() -> None:
    assert len(named("\n".join(f"{number}.csv" for number in range(5_000)))) == 5_000


def test_a_set_has_all_versions_of_its_keys_in_its_own_bucket_and_says_what_is_missing() -> None:
    twice = [an_upload("a.csv"), an_upload("a.csv", 1)._replace(version="v2")]
    here = {(BUCKET, f"{FOLDER}a.csv"): twice, ("another", f"{FOLDER}b.csv"): [an_upload("b.csv", bucket="another")]}
    found = sets.matched(MANIFEST, (f"{FOLDER}a.csv", f"{FOLDER}b.csv"), here)
    assert found.came == tuple(twice)
    assert found.missing == (f"{FOLDER}b.csv",)


def a_lot(name: str, second: int, files: int = 1, size: int = 10, bucket: str = BUCKET, **more: Any) -> Lot:
    uploads = [an_upload(f"{name}{number}.csv", second, size, bucket) for number in range(files)]
    manifest = an_upload(f"{name}.json", second, bucket=bucket, names_files=True)
    return Lot((manifest, *uploads), WHEN.format(second), **more)


def fitting(*lots: Lot, most_bytes: int | None = None) -> list[str]:
    found = sets.that_fit(lots, (), most_bytes)
    return [lot.uploads[0].key.removeprefix(FOLDER).removesuffix(".json") for lot in found]


def test_whole_sets_are_taken_in_the_order_in_which_they_became_whole_up_to_what_a_run_takes() -> None:
    big = a_lot("big", 2, files=2_998)
    assert fitting(a_lot("late", 3, files=1_998), big, a_lot("early", 1)) == ["early", "big", "late"]
    assert fitting(a_lot("late", 3, files=2_500), big, a_lot("early", 1), a_lot("last", 4)) == ["early", "big"]


def test_a_set_that_fills_a_run_is_alone_in_it_and_whole() -> None:
    assert fitting(a_lot("full", 1, files=5_000), a_lot("late", 2)) == ["full"]


def test_sets_of_another_bucket_have_the_next_run_and_stop_nobody() -> None:
    assert fitting(a_lot("a", 1), a_lot("b", 2, bucket="another"), a_lot("c", 3)) == ["a", "c"]


def test_of_files_that_are_copied_as_many_sets_are_taken_as_have_room() -> None:
    lots = a_lot("a", 1, files=2, size=40), a_lot("b", 2, size=20), a_lot("c", 3, size=20)
    assert fitting(*lots, most_bytes=100) == ["a", "b"]
    assert fitting(*lots, most_bytes=50) == ["a"]


def test_a_set_that_a_run_has_begun_with_is_finished_before_others_and_whatever_there_is_room_for() -> None:
    taken = [an_upload("x.csv", size=90, run="r")]
    found = sets.that_fit([a_lot("a", 1), a_lot("begun", 5, size=90, begun=True)], taken, 100)
    assert [lot.since for lot in found] == [WHEN.format(5)]


def test_what_is_missing_is_named_up_to_twenty_and_counted() -> None:
    lot = a_lot("a", 1, lacks=tuple(f"{number:02d}" for number in range(22)))
    assert sets.lacking([lot, a_lot("b", 2)]).startswith("without 22 that did not come (00, 01, ")
    assert sets.lacking([lot]).endswith(", 19 and 2 more)")
    assert sets.lacking([a_lot("b", 2)]) == ""


def test_the_newest_version_is_the_one_that_s3_has_last_whenever_it_was_recorded() -> None:
    old = an_upload("a.csv", 9, modified="2026-11-20T11:00:00.000000Z")
    new = an_upload("a.csv", 1, modified="2026-11-20T11:00:01.000000Z")
    assert sets.newest([old, new]) == new
    assert sets.newest([old, old._replace(recorded_at=WHEN.format(8))]) == old
    assert sets.newest([an_upload("a.csv", 3), new]) == new  # of an earlier version, which did not write the time
