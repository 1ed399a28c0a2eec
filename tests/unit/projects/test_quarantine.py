"""What is no table is found out without reading more than a line of it, and named with its line and what to do."""

import csv
import gzip
import json
import zipfile
from pathlib import Path

import pytest
from projects.abalone.pipeline.code import quarantine
from projects.abalone.pipeline.code.quarantine import FileError, Quarantine
from tests.support.documents import ROOT


def refused(path: Path, content: bytes, encoding: str = "utf-8-sig") -> tuple[str, int | None]:
    """Return why a file is not read to its end, and in which line."""
    path.write_bytes(content)
    with pytest.raises(FileError) as caught:
        list(quarantine.lines(path, encoding))
    return str(caught.value), caught.value.line


def zipped(path: Path) -> bytes:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "1,2\n")
    return path.read_bytes()


def test_packed_files_and_utf_16_are_told_by_their_first_bytes_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    assert refused(path, gzip.compress(b"1,2\n"))[0].startswith("is packed with gzip: unpack it")
    assert refused(path, zipped(tmp_path / "b.zip"))[0].startswith("is a zip archive, or an Excel workbook: unpack it")
    for encoding in ("utf-16-le", "utf-16-be"):
        content = "\ufeff1,2\n".encode(encoding)
        assert refused(path, content) == ("is UTF-16 text: save it as UTF-8", None)


def test_another_encoding_and_zero_bytes_are_told_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    latin = b"1,2\n" * 5_000 + "3,gr\u00f6\u00dfer\n".encode("latin-1")
    assert refused(path, latin) == ("is not UTF-8 text: save the file as UTF-8", 5_001)
    assert refused(path, b"1,2\n1,\x00\n") == ("has a zero byte, which no text has: save the file as CSV", 2)


def test_a_file_in_the_encoding_that_the_project_has_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("\ufeff1,gr\u00f6\u00dfer\r\n".encode("utf-16-le"))
    assert list(quarantine.lines(path, "utf-16")) == ["1,gr\u00f6\u00dfer\r\n"]
    path.write_bytes(b"1,2\r3,4")
    assert list(csv.reader(quarantine.lines(path, "utf-8-sig"))) == [["1", "2"], ["3", "4"]]


def test_a_line_without_an_end_is_refused_once_it_is_too_long_and_no_more_of_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "LONGEST_LINE", 100)
    path = tmp_path / "a.csv"
    assert list(_read(path, "x" * 99 + "\n")) == ["x" * 99 + "\n"]
    assert refused(path, b"1,2\n" + b"x" * 101)[1] == 2
    path.write_text("1,2\n")
    with path.open("ab") as sparse:
        sparse.truncate(5 * 1024**3)  # 5 GB of one line, of which the disk keeps nothing
    with pytest.raises(FileError, match="longer than 100 characters: write one row in each line"):
        list(quarantine.lines(path, "utf-8-sig"))


def _read(path: Path, text: str) -> list[str]:
    path.write_text(text)
    return list(quarantine.lines(path, "utf-8-sig"))


@pytest.mark.parametrize(
    ("good", "bad", "share", "goes_on"),
    [
        (19, 2, 0.1, True),
        (18, 2, 0.1, True),
        (17, 2, 0.1, False),
        (71, 29, 0.29, True),
        (5, 0, 0, True),
        (0, 1, 1, False),
    ],
)
def test_a_run_goes_on_up_to_the_share_and_with_one_good_file_at_least(
    good: int, bad: int, share: float, goes_on: bool
) -> None:
    found = Quarantine(".csv")
    for number in range(bad):
        found.add(f"bad-{number}.csv", "is bad", 1)
    for number in range(good):
        assert found.accept(f"good-{number}.csv")
    found.ignore("notes.txt")
    assert (found.problem(share) == "") is goes_on


def test_the_report_and_the_problem_are_bounded_however_many_files_and_lines_are_bad(tmp_path: Path) -> None:
    found = Quarantine(".csv")
    for number in range(1_000):
        for line in range(1, 9):
            found.add(f"incoming/{number:04d}.csv", "x" * 5_000, line)
    problem = found.problem(0)
    found.write(tmp_path, problem)
    text = (tmp_path / "quarantine.json").read_text()
    report = json.loads(text)
    assert len(text) < 500_000
    assert (len(report["quarantined"]), report["more"]) == (200, 800)
    assert len(problem) <= 1_000
    assert problem.endswith("more files: the report names them.")


def test_both_seeds_have_the_same_module() -> None:
    seed = ROOT / "operate/signalbox_operate/new/seed/pipeline/code/quarantine.py"
    assert seed.read_text() == Path(quarantine.__file__).read_text()
