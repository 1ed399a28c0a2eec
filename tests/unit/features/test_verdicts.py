"""A run as a whole: how much may be in quarantine, how many rows, how far from what was fitted; and its report."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.support.features import UPLOADED, definition, file, fitted, quarantine, records, rows, run

from signalbox_features import fitting, job
from signalbox_features.model import FeatureDefinition

KEY = {"name": "record_id", "made": "string"}


def problems(tmp_path: Path, made: FeatureDefinition, *contents: str) -> list[str]:
    sources = [file(tmp_path, content, f"{number}.csv") for number, content in enumerate(contents)]
    return run(made, fitted(made, tmp_path), sources, tmp_path).problems


def test_a_run_fails_only_past_the_share_of_rows_that_may_be_in_quarantine(tmp_path: Path) -> None:
    half, more = rows("a,F,x", "b,F,1"), rows("a,F,x", "b,F,1", "c,F,y")
    made = definition(quarantine={"rows": 0.5})

    assert problems(tmp_path, made, half) == []
    (told,) = problems(tmp_path, made, more)
    assert told == (
        "2 of 3 rows are in quarantine, more than the share of 0.5 that quarantine.rows allows; most (2) for type, the "
        "first: 0.csv, line 2: length is 'x', wants a number"
    )


def test_without_a_word_about_it_one_row_in_a_hundred_may_be_in_quarantine(tmp_path: Path) -> None:
    good = [f"{number},F,1" for number in range(99)]
    made = definition(quarantine=None)

    assert problems(tmp_path, made, rows(*good, "x,F,x")) == []
    assert len(problems(tmp_path, made, rows(*good, "x,F,x", "y,F,x"))) == 1


def test_a_run_fails_past_the_share_of_files_where_one_is_given(tmp_path: Path) -> None:
    good = rows("a,F,1")
    assert problems(tmp_path, definition(), good, "PK\x03\x04") == []
    (told,) = problems(tmp_path, definition(quarantine={"files": 0.25}), good, "PK\x03\x04")
    assert told == (
        "1 of 2 files are in quarantine, more than the share of 0.25 that quarantine.files allows; the first: 1.csv is "
        "a zip archive: unpack it, and upload the files in it"
    )


@pytest.mark.parametrize(
    ("change", "content", "told"),
    [
        ({}, "", "no row can be used; the first file: 0.csv has no rows: the file is empty"),
        ({}, "id,sex,length\n", "no row can be used"),
        ({"rows": {"min": 3}}, rows("a,F,1", "b,F,1"), "the run has 2 rows that can be used, and rows.min is 3"),
        ({"rows": {"max": 1}}, rows("a,F,1", "b,F,1"), "the run has 2 rows that can be used, and rows.max is 1"),
    ],
)
def test_too_few_or_too_many_rows_fail_a_run(tmp_path: Path, change: dict[str, Any], content: str, told: str) -> None:
    assert problems(tmp_path, definition(**change), content) == [told]


def spread(by: int, sex: str = "F", count: int = 200) -> list[str]:
    return [f"{number},{sex if number % 2 else 'M'},{number % 100 + by}" for number in range(count)]


@pytest.mark.parametrize(
    ("lines", "drifted"),
    [
        (spread(0), []),
        (spread(40), ["length"]),
        (spread(0, sex="X"), ["sex"]),
        ([line.replace(",F,", ",,") for line in spread(0)], ["sex"]),
        ([line.rpartition(",")[0] + "," for line in spread(0)], ["length"]),
        (spread(40, count=99), []),  # too few to tell
    ],
)
def test_a_run_that_has_drifted_from_what_was_fitted_fails(
    tmp_path: Path, lines: list[str], drifted: list[str]
) -> None:
    made = definition(drift={"psi": 0.25})
    artefact = fitted(made, tmp_path, *spread(0))
    done = run(made, artefact, [file(tmp_path, rows(*lines))], tmp_path)

    assert [told.split()[0] for told in done.problems] == drifted
    assert all("drift.psi is 0.25; look at its distribution" in told for told in done.problems)


def test_drift_without_a_limit_is_told_and_fails_nothing(tmp_path: Path) -> None:
    made = definition()
    artefact = fitted(made, tmp_path, *spread(0))
    done = run(made, artefact, [file(tmp_path, rows(*spread(40)))], tmp_path)

    assert done.problems == []
    assert done.report["features"]["length"]["psi"] > 1
    assert done.report["features"]["sex"]["psi"] == pytest.approx(0)


def test_identifiers_are_made_of_the_version_and_the_line_and_never_of_the_line_alone(tmp_path: Path) -> None:
    made = definition(identifier=KEY)
    artefact = fitted(made, tmp_path)

    def identifiers(*sources: tuple[str, str]) -> list[str]:
        found = [file(tmp_path, rows("a,F,1", "a,F,1"), name, version) for name, version in sources]
        run(made, artefact, found, tmp_path)
        return [record["record_id"] for record in records(tmp_path)]

    first = identifiers(("a.csv", "1"))
    assert len(set(first)) == 2
    assert identifiers(("a.csv", "1")) == first
    assert identifiers(("b.csv", "1"), ("a.csv", "1"))[2:] == first
    assert not set(identifiers(("a.csv", "2"), ("b.csv", "1"))) & set(first)


def test_the_time_of_a_record_is_that_of_the_upload_or_its_own(tmp_path: Path) -> None:
    run(definition(), fitted(definition(), tmp_path), [file(tmp_path, rows("a,F,1"))], tmp_path)
    assert float(records(tmp_path)[0]["record_time"]) == UPLOADED

    columns = [{"name": name, "type": kind} for name, kind in (("id", "string"), ("at", "time"), ("length", "number"))]
    own = definition(
        columns=columns,
        event_time={"name": "t", "column": "at", "as": "iso"},
        features=[{"name": "length"}],
        quality=[{"column": "length", "unique": True}],
    )
    history = "id,at,length\na,2026-11-20T10:00:00+01:00,1\na,2026-11-21,2\na,2026-11-21,3\na,,4\nb,2026-11-21,1\n"
    source = file(tmp_path, history)
    run(own, fitting.fit(own, [source]), [source], tmp_path)
    assert [record["t"] for record in records(tmp_path)] == ["2026-11-20T09:00:00.000Z", "2026-11-21T00:00:00.000Z"]
    assert [kept["told"] for kept in quarantine(tmp_path)] == [
        "record a of the same time is there already, in a.csv, line 3",
        "at has no value, and a record needs one",
        "length 1.0 is there already, in a.csv, line 2",
    ]


def test_a_row_that_is_refused_takes_no_key_away(tmp_path: Path) -> None:
    made = definition(quality=[{"column": "length", "unique": True}])
    run(made, fitted(made, tmp_path), [file(tmp_path, rows("a,F,1", "b,F,1", "b,F,2"))], tmp_path)
    assert [record["record_id"] for record in records(tmp_path)] == ["a", "b"]


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    made, outputs = definition(), []
    for _ in range(2):
        run(made, fitted(made, tmp_path), [file(tmp_path, rows("a,F,1", "b,M,x", "c,M,3"))], tmp_path)
        outputs.append([path.read_bytes() for path in sorted((tmp_path / "out").iterdir())])
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) == 2


def test_the_distribution_after_is_that_before_in_the_features_own_scale(tmp_path: Path) -> None:
    made = definition(features=[{"name": "length", "scale": "standard"}, {"name": "sex", "encode": "one-hot"}])
    artefact = fitted(made, tmp_path, *spread(0))
    report = run(made, artefact, [file(tmp_path, rows(*spread(10)))], tmp_path).report

    before, after = report["features"]["length"]["before"], report["after"]["length"]
    assert after["shares"] == before["shares"] != report["features"]["length"]["fitted"]["shares"]
    assert after["mean"] == pytest.approx((before["mean"] - 49.5) / 28.866, rel=1e-3)
    assert (after["fitted"]["min"], len(after["fitted"]["edges"])) == (pytest.approx(-49.5 / 28.866, rel=1e-3), 9)
    assert report["after"]["sex_F"]["mean"] == pytest.approx(0.5)


def test_a_time_that_no_calendar_has_is_in_quarantine(tmp_path: Path) -> None:
    made = definition(event_time={"name": "t", "column": "length", "as": "iso"})
    run(made, fitted(made, tmp_path), [file(tmp_path, rows("a,F,1", "b,F,1e99", "c,F,-1e15"))], tmp_path)
    assert [kept["reason"] for kept in quarantine(tmp_path)] == ["time", "time"]
    assert [record["t"] for record in records(tmp_path)] == ["1970-01-01T00:00:01.000Z"]


class Page(HTMLParser):
    """What a page has: its elements, those that load something, and its texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append(tag)
        self.loads += [name for name, _ in attrs if name in {"src", "href", "srcset"} or name.startswith("on")]

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.texts.append(data)


def test_the_report_is_a_page_of_its_own_that_shows_strangers_text_as_text(tmp_path: Path) -> None:
    made = definition(group="shells", quarantine={"rows": 1})
    artefact = fitted(made, tmp_path, *spread(0))
    source = file(tmp_path, rows(*spread(3), "<b>x</b>,F,<img src=x onerror=alert(1)>"), "<i>.csv")

    job.apply(made, artefact, [source, file(tmp_path, "", "none.csv")], tmp_path / "out")

    page = Page((tmp_path / "out" / job.PAGE).read_text())
    assert page.loads == []
    assert {"script", "img", "b", "i", "link"} & set(page.tags) == set()
    assert page.tags.count("svg") == 2 + 3  # the drift of both; of length before and after, of sex before
    told = " ".join(page.texts)
    assert "<i>.csv, line 202: length is '<img src=x onerror=alert(1)>', wants a number" in told
    assert "none.csv" in told
    assert artefact.version in told


def test_a_page_is_made_of_a_run_without_any_row(tmp_path: Path) -> None:
    made = definition()
    artefact = fitted(made, tmp_path)
    with pytest.raises(job.RunFailedError, match="no row can be used"):
        job.apply(made, artefact, [file(tmp_path, "")], tmp_path / "out")
    assert "no row can be used" in " ".join(Page((tmp_path / "out" / job.PAGE).read_text()).texts)
