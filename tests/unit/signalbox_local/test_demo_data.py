"""The table of the demo: given, downloaded, or made here."""

import urllib.request
from pathlib import Path
from typing import Self

import pytest

from signalbox_local.demo import data
from signalbox_local.project import ROOT


def test_a_table_that_is_given_comes_first_and_then_the_one_downloaded_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, cached = tmp_path / "own.csv", tmp_path / "cached.data"
    cached.write_text("M,1\n")
    monkeypatch.setattr(data, "CACHE", cached)
    assert data.find(own, tmp_path).path == own
    assert "downloaded before" in data.find(None, tmp_path).origin


def test_a_download_is_kept_and_where_there_is_none_a_table_is_made_and_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Answer:
        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def read(self) -> bytes:
            return b"M,2\n"

    cache = tmp_path / "cache" / "abalone.data"
    monkeypatch.setattr(data, "CACHE", cache)

    def offline(*_: object, **__: object) -> Answer:
        raise OSError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", offline)
    made = data.find(None, tmp_path)
    assert "not the real data" in made.origin
    assert len(made.path.read_text().splitlines()) == 2000
    assert not cache.exists()
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: Answer())
    assert "downloaded now" in data.find(None, tmp_path).origin
    assert cache.read_bytes() == b"M,2\n"


def test_the_made_table_has_abalones_columns_and_ranges_and_is_the_same_each_time() -> None:
    table = data.seeded(rows=300, seed=7)
    rows = [line.split(",") for line in table.splitlines()]
    assert table == data.seeded(rows=300, seed=7) != data.seeded(rows=300, seed=8)
    assert {len(row) for row in rows} == {9}
    assert {row[0] for row in rows} == {"M", "F", "I"}
    assert all(0.075 <= float(row[1]) <= 0.815 and 1 <= int(row[8]) <= 29 for row in rows)
    assert all(float(value) > 0 for row in rows for value in row[1:8])


def test_the_sample_is_such_a_table() -> None:
    assert (ROOT / "projects/abalone/sample.csv").read_text() == data.seeded(800)
