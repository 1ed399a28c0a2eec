"""Bad files and rows: each is in quarantine with file, line and reason, and the other rows are records."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.support.features import definition, file, fitted, quarantine, records, rows, run

from signalbox_features import optional, reading
from signalbox_features.model import FeaturesError


def zipped() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a.csv", rows("x,F,1"))
    return made.getvalue()


WHOLE = {
    "empty": (b"", "has no rows: the file is empty"),
    "blank": (b"\n\n", "has no rows: the file is empty"),
    "picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is no text (it has bytes of zero)"),
    "zip": (zipped(), "is a zip archive: unpack it"),
    "utf-16": (rows("x,F,1").encode("utf-16"), "is UTF-16: save it as UTF-8"),
    "broken gzip": (gzip.compress(rows("x,F,1").encode())[:-9], "is a broken gzip"),
    "no Parquet": (b"PAR1 and then nothing of it", "is no Parquet file that can be read"),
    "page": (b"<!doctype html>\n<title>Sign in</title>\n", "line 1: column id, sex, length is missing"),
    "renamed column": (b"id,sex,size\nx,F,1\n", "line 1: column length is missing: the file has id, sex, size"),
    "unknown column": (b"id,sex,length,age\nx,F,1,3\n", "line 1: column age is not in features.yaml: add it"),
    "no header": (b"x,F,1\ny,M,2\n", "line 1: column id, sex, length is missing"),
    "column twice": (b"id,sex,length,sex\nx,F,1,F\n", "line 1: a column is named twice"),
    "header in Latin-1": ("id,sex,länge\n".encode("latin-1"), "line 1: the line is not UTF-8"),
}


@pytest.mark.parametrize(("content", "told"), WHOLE.values(), ids=list(WHOLE))
def test_a_file_that_cannot_be_read_is_left_out_and_the_others_are_used(
    tmp_path: Path, content: bytes, told: str
) -> None:
    made = definition()
    sources = [file(tmp_path, content, "bad.csv"), file(tmp_path, rows("good,F,1"), "good.csv")]
    done = run(made, fitted(made, tmp_path), sources, tmp_path)

    (kept,) = quarantine(tmp_path)
    assert kept["told"].startswith(told)
    assert (kept["file"], kept["line"], kept["reason"]) == ("bad.csv", 0, "file")
    assert done.problems == []
    assert done.report["files"] == {"in": 2, "refused": 1, "reasons": [{"file": "bad.csv", "told": kept["told"]}]}
    assert [one["record_id"] for one in records(tmp_path)] == ["good"]


LINES = {
    "text for a number": ("b,M,long", 3, "type", "length is 'long', wants a number"),
    "digits of another script": ("b,M,١", 3, "type", "length is '١', wants a number"),
    "underscore": ("b,M,1_0", 3, "type", "length is '1_0', wants a number"),
    "not a number": ("b,M,nan", 3, "type", "length is 'nan', wants a number that is finite, and at most 1e+100"),
    "too large": ("b,M,1e101", 3, "type", "length is '1e101', wants a number that is finite, and at most 1e+100"),
    "too few cells": ("b,M", 3, "line", "the row has 2 cells, and there are 3 columns"),
    "too many cells": ("b,M,1,2", 3, "line", "the row has 4 cells, and there are 3 columns"),
    "no value": ("b,,1", 3, "null", "sex has no value"),
    "out of range": ("b,M,1000", 3, "range", "length is 1000.0, wants at most 9"),
    "negative": ("b,M,-1", 3, "range", "length is -1.0, wants at least 0"),
    "not allowed": ("b,X,1", 3, "allowed", "sex is 'X', wants one of F, M"),
    "no key": (",M,1", 3, "null", "id has no value, and a record needs one"),
    "key twice": ("a,M,1", 3, "unique", "record a of the same time is there already, in a.csv, line 2"),
    "several": ("b,X,-1", 3, "allowed", "sex is 'X', wants one of F, M; length is -1.0, wants at least 0"),
}
RULES = [{"column": "sex", "not_null": True, "allowed": ["F", "M"]}, {"column": "length", "min": 0, "max": 9}]


@pytest.mark.parametrize(("line", "number", "reason", "told"), LINES.values(), ids=list(LINES))
def test_a_row_that_fails_is_in_quarantine_with_line_and_reason(
    tmp_path: Path, line: str, number: int, reason: str, told: str
) -> None:
    made = definition(quality=RULES)
    done = run(made, fitted(made, tmp_path), [file(tmp_path, rows("a,F,1", line, "c,M,2"))], tmp_path)

    (kept,) = quarantine(tmp_path)
    assert (kept["file"], kept["line"], kept["reason"], kept["told"]) == ("a.csv", number, reason, told)
    assert kept["row"] == line.split(",")
    assert [one["record_id"] for one in records(tmp_path)] == ["a", "c"]
    assert done.report["rows"] == {
        "in": 3,
        "out": 2,
        "quarantined": 1,
        "reasons": [{"reason": reason, "rows": 1, "first": f"a.csv, line 3: {told}"}],
    }


def raw(tmp_path: Path, content: bytes) -> tuple[list[dict[str, Any]], list[str]]:
    made = definition()
    run(made, fitted(made, tmp_path), [file(tmp_path, content)], tmp_path)
    return quarantine(tmp_path), [one["record_id"] for one in records(tmp_path)]


def test_a_line_in_another_encoding_is_named_and_the_others_are_used(tmp_path: Path) -> None:
    (kept,), used = raw(tmp_path, b"id,sex,length\nx,F,1\nm\xfcller,F,1\ny,M,2\n")
    assert (kept["line"], kept["told"]) == (3, "the line is not UTF-8 (byte 0xfc): save the file as UTF-8")
    assert kept["begins"] == "m\ufffdller,F,1\n"
    assert used == ["x", "y"]


def test_a_line_that_is_far_too_long_is_skipped_without_being_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LONGEST_LINE", 1000)
    monkeypatch.setattr(reading, "_BLOCK", 100)
    (kept,), used = raw(tmp_path, b"id,sex,length\nx,F,1\n" + b"z" * 5000 + b"\ny,M,2\n")
    assert (kept["line"], kept["told"]) == (3, "the line has more than 1,000 bytes: is it CSV?")
    assert len(kept["begins"]) == 1000
    assert used == ["x", "y"]


def test_a_quote_that_is_not_closed_is_named_with_the_lines_that_it_takes(tmp_path: Path) -> None:
    (kept,), used = raw(tmp_path, b'id,sex,length\nx,F,1\ny,"M,2\nz,F,3\n')
    assert kept["line"] == 3
    assert kept["told"].startswith("the row cannot be read up to line 4 (")
    assert kept["told"].endswith("is a quote opened and not closed?")
    assert used == ["x"]


def test_rows_after_a_field_without_an_end_are_read_again(tmp_path: Path) -> None:
    lines = b"".join(b"k%d,F,1\n" % number for number in range(20_000))
    kept, used = raw(tmp_path, b'id,sex,length\nx,F,1\ny,"M,2\n' + lines + b"last,M,1\n")
    assert kept[0]["line"] == 3
    assert "field larger than field limit" in kept[0]["told"]
    assert used[0] == "x"
    assert used[-1] == "last"
    swallowed = int(kept[0]["told"].partition("line ")[2].partition(" ")[0]) - 2
    assert swallowed + len(used) == 20_003


def test_gzip_a_byte_order_mark_other_orders_of_columns_and_blank_lines_are_read(tmp_path: Path) -> None:
    content = "\ufefflength,id,sex\n\n1,x,F\n\n2,y,M\n".encode()
    assert raw(tmp_path, gzip.compress(content)) == ([], ["x", "y"])
    assert [one["line"] for one in records(tmp_path)] == ["3", "5"]


def test_a_file_without_a_header_is_read_by_position_and_one_with_is_refused(tmp_path: Path) -> None:
    made = definition(header=False, delimiter=";")
    artefact = fitted(definition(), tmp_path)
    sources = [file(tmp_path, "x;F;1\n"), file(tmp_path, "id;sex;length\ny;F;1\n", "b.csv")]
    run(made, artefact, sources, tmp_path)
    assert [one["record_id"] for one in records(tmp_path)] == ["x"]
    (kept,) = quarantine(tmp_path)
    assert kept["told"] == "begins with the columns' names, and header is false: set it to true"


def parquet(folder: Path, name: str, **columns: Any) -> bytes:
    pq.write_table(pa.table(columns), folder / name)
    return (folder / name).read_bytes()


def test_parquet_is_read_as_csv_is_and_its_bad_rows_are_named(tmp_path: Path) -> None:
    content = parquet(tmp_path, "p.parquet", length=[1.0, None, float("nan")], sex=["F", "M", None], id=["x", "y", "z"])
    (kept,), used = raw(tmp_path, content)
    assert used == ["x", "y"]
    assert (kept["line"], kept["reason"], kept["told"]) == (
        3,
        "type",
        "length is 'nan', wants a number that is finite, and at most 1e+100",
    )
    assert records(tmp_path)[1]["length"] == ""


def test_parquet_with_another_schema_is_refused_as_a_whole(tmp_path: Path) -> None:
    (kept,), used = raw(tmp_path, parquet(tmp_path, "p.parquet", id=["x"], sex=["F"], size=[1.0]))
    assert kept["told"].startswith("line 1: column length is missing")
    assert used == []


def test_parquet_without_its_library_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(optional, "import_module", missing)
    with pytest.raises(FeaturesError, match=r"a.csv is Parquet, which needs the Python package pyarrow"):
        raw(tmp_path, parquet(tmp_path, "p.parquet", id=["x"], sex=["F"], length=[1.0]))


def test_a_quarantined_row_comes_back_as_the_record_that_it_would_have_been(tmp_path: Path) -> None:
    made = definition(identifier={"name": "record_id", "made": "integer"}, quality=RULES)
    artefact = fitted(made, tmp_path)
    whole = file(tmp_path, rows("a,F,1", "b,M,2"))
    run(made, artefact, [whole], tmp_path)
    wanted = records(tmp_path)[1]

    run(made, artefact, [file(tmp_path, rows("a,F,1", "b,M,-2"))], tmp_path)
    (kept,) = quarantine(tmp_path)
    kept["row"][2] = "2"
    run(made, artefact, [file(tmp_path, json.dumps(kept) + "\n", "mended-quarantine.jsonl", "9")], tmp_path)

    assert records(tmp_path) == [wanted]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda _: "no json", "the line is none of a quarantine file"),
        (lambda kept: json.dumps({**kept, "row": None}), "the row has to be a list of 3 cells"),
        (lambda kept: json.dumps({**kept, "row": ["b"]}), "the row has to be a list of 3 cells"),
        (json.dumps, "length is -2.0, wants at least 0"),
    ],
)
def test_what_was_not_mended_is_in_quarantine_again(
    tmp_path: Path, change: Callable[[dict[str, Any]], str], told: str
) -> None:
    made = definition(quality=RULES)
    artefact = fitted(made, tmp_path)
    run(made, artefact, [file(tmp_path, rows("b,M,-2"))], tmp_path)
    (kept,) = quarantine(tmp_path)

    run(made, artefact, [file(tmp_path, change(kept), "quarantine.jsonl")], tmp_path)

    (again,) = quarantine(tmp_path)
    assert again["told"].startswith(told)
