"""The job code of a project of a table: whatever tables and requests come, each row means the same everywhere."""

import importlib
import json
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from signalbox_operate.new import profile, writing
from signalbox_operate.new.model import Answers

MODULES = ("table", "rows", "job", "quarantine", "files", "prepare", "train", "inference", "evaluate")
DRAW = random.Random(5)  # noqa: S311  # repeatable, and no secret
HEADER = ["size", "colour", "day", "price"]

type Code = Callable[..., Any]


@pytest.fixture
def code(tmp_path: Path) -> Iterator[Code]:
    """Return what writes a project of a table's text, and imports its jobs."""
    paths = list(sys.path)

    def made(text: str, label: str = "price", encoding: str = "utf-8", **answers: Any) -> Any:
        file = tmp_path / "table.csv"
        file.write_bytes(text.encode(encoding))
        folder = tmp_path / "project"
        writing.write("jobs", file, profile.look(file, Answers(label=label, **answers)), folder)
        sys.path.insert(0, str(folder / "pipeline" / "code"))
        found = {name: importlib.import_module(name) for name in MODULES}
        return SimpleNamespace(**found, data=folder / "data", work=tmp_path / "work")

    yield made
    sys.path[:] = paths
    for name in MODULES:
        sys.modules.pop(name, None)


def lines(count: int = 60) -> list[list[str]]:
    """Return rows whose price follows from their size and colour; some sizes are missing."""
    made = []
    for number in range(count):
        size, colour = DRAW.uniform(1, 9), DRAW.choice(["red", "blue", "green"])
        price = 10 * size + (20 if colour == "red" else 0)
        shown = "NA" if number % 10 == 9 else f"{size:.2f}"
        made.append([shown, colour, f"2024-0{1 + number % 9}-11", f"{price:.2f}"])
    return made


def text(rows: list[list[str]], sign: str = ",", header: bool = True) -> str:
    return "".join(f"{sign.join(row)}\n" for row in ([HEADER, *rows] if header else rows))


def learnt(jobs: Any) -> Path:
    """Prepare and train; return the folder of the model."""
    to_learn, to_test = jobs.prepare.split(jobs.prepare.read_uploads(jobs.data))
    jobs.prepare.write(to_learn, jobs.work / "train" / "train.csv")
    jobs.prepare.write(to_test, jobs.work / "test" / "test.csv")
    jobs.train.save(jobs.train.train(*jobs.train.read(jobs.work / "train")), jobs.work / "model")
    return Path(jobs.work / "model")


def ask(jobs: Any, model: Path, request: str, accept: str = "text/csv") -> str:
    data = jobs.inference.input_fn(request, "text/csv")
    answer, content_type = jobs.inference.output_fn(
        jobs.inference.predict_fn(data, jobs.inference.model_fn(str(model))), accept
    )
    assert content_type == accept
    return str(answer)


def test_a_request_has_raw_rows_with_gaps_and_categories_that_nobody_has_seen(code: Code) -> None:
    jobs = code(text(lines()))
    model = learnt(jobs)
    answers = ask(jobs, model, "5.00,red,2024-03-11\r\n,violet,never\n5.00,blue,2024-03-11\n").splitlines()
    red, unknown, blue = map(float, answers)
    assert red - blue == pytest.approx(20, abs=8)
    assert 10 < unknown < 110
    assert json.loads(ask(jobs, model, "5.00,red,2024-03-11", "application/json")) == [red]


def test_labels_are_answered_as_they_were_written_whatever_they_have_in_them(code: Code) -> None:
    rows = lines()
    classes = ['"sun, bright"', '"the ""best"""', "größer"]
    labelled = [[*row[:3], classes[["red", "blue", "green"].index(row[1])]] for row in rows]
    jobs = code(text(labelled), keep=("colour",))
    model = learnt(jobs)
    answered = ask(jobs, model, "5.00,red,2024-03-11\n5.00,blue,2024-03-11\n5.00,green,2024-03-11\n")
    assert answered.splitlines() == classes
    held_out, _ = jobs.evaluate.read_test(jobs.work / "test")
    assert set(held_out) <= {"sun, bright", 'the "best"', "größer"}


def test_decimal_commas_and_another_encoding_become_numbers_with_a_point(code: Code) -> None:
    rows = [[cell.replace(".", ",") for cell in row] for row in lines()]
    rows = [[*row[:1], "größer" if row[1] == "red" else row[1], *row[2:]] for row in rows]
    jobs = code(text(rows, ";"), encoding="cp1252")
    found = jobs.prepare.read_uploads(jobs.data)
    assert not any("," in cell for name in ("size", "price") for cell in found[name])
    assert set(found["colour"]) == {"größer", "blue", "green"}
    assert float(ask(jobs, learnt(jobs), "5.0,größer,2024-03-11")) == pytest.approx(70, abs=8)


def test_thousands_are_numbers_as_the_profile_read_them(code: Code) -> None:
    jobs = code(text([['"1,234.5"' if number % 2 else "7", *row[1:]] for number, row in enumerate(lines())]))
    assert set(jobs.prepare.read_uploads(jobs.data)["size"]) == {"1234.5", "7"}


def test_files_without_a_header_are_read_together_and_equal_rows_count_once(code: Code) -> None:
    rows = lines()
    jobs = code(text(rows, header=False), label="column4")
    (jobs.data / "again.csv").write_text(text(rows[:10], header=False))
    (jobs.data / ".hidden").write_text("not a table")
    assert len(jobs.prepare.read_uploads(jobs.data)) == len({tuple(row) for row in rows})


def test_a_row_stays_in_its_part_when_more_files_come(code: Code) -> None:
    jobs = code(text(lines()))
    before = [
        set(part.itertuples(index=False, name=None))
        for part in jobs.prepare.split(jobs.prepare.read_uploads(jobs.data))
    ]
    (jobs.data / "more.csv").write_text(text(lines(40)))
    after = [
        set(part.itertuples(index=False, name=None))
        for part in jobs.prepare.split(jobs.prepare.read_uploads(jobs.data))
    ]
    assert all(one < other for one, other in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("size,colour,day\n1,red,2024-01-01\n", "more.csv: line 1 has to name the columns size, colour, day, price"),
        (text([["1", "red", "2024-01-01", "5"], ["1", "red"]]), "more.csv: line 3 has 2 cells, and 4 are wanted"),
        (text([["1", "red", "2024-01-01", "5", "6"]]), "more.csv: line 2 has 5 cells"),
        ("a,b,c,d\n1,red,2024-01-01,5\n", "line 1 has to name the columns size, colour, day, price; it has a, b, c, d"),
        (text([["1", "red", "2024-01-01", "cheap"]]), "more.csv: line 2 has the label 'cheap': price has to be a num"),
        ("", "more.csv: has no rows"),
    ],
)
def test_a_file_that_does_not_fit_is_named_with_what_is_wrong(content: str, said: str, code: Code) -> None:
    jobs = code(text(lines()))
    (jobs.data / "more.csv").write_text(content)
    with pytest.raises(jobs.rows.RowsError) as refused:
        jobs.prepare.read_uploads(jobs.data)
    assert said in str(refused.value)
    assert "1 of 2 files cannot be used" in str(refused.value)


def test_a_run_that_cannot_go_on_keeps_a_report_that_names_every_file(code: Code) -> None:
    jobs = code(text(lines()))
    for name, content in {"b.csv": "x", "c.csv": "", "d.txt": "hello", ".e.csv": "y"}.items():
        (jobs.data / name).write_text(content)
    jobs.prepare.prepare(jobs.data, jobs.work, 0.1)
    report = json.loads((jobs.work / "quarantine" / "quarantine.json").read_text())
    assert [(one["file"], one["kind"]) for one in report["quarantined"]] == [
        ("b.csv", "bad"),
        ("c.csv", "empty"),
        (".e.csv", "ignored"),
        ("d.txt", "ignored"),
    ]
    assert report["problem"].startswith("2 of 3 files cannot be used, and the project allows a share of 0.1")
    assert (report["good"], (jobs.work / "train" / "train.csv").read_text()) == (0, "")


def test_where_the_project_allows_a_share_the_good_files_are_learnt_from(code: Code) -> None:
    jobs = code(text(lines()))
    (jobs.data / "more.csv").write_text(text([["1", "red", "2024-01-01", "5"], ["1", "red", "2024-01-01", "cheap"]]))
    rows = len(jobs.prepare.read_uploads(jobs.data, share=0.5))
    assert rows == len(lines()), "a bad file gives none of its rows, also not its good ones"
    jobs.prepare.prepare(jobs.data, jobs.work, 0.5)
    report = json.loads((jobs.work / "quarantine" / "quarantine.json").read_text())
    assert (report["good"], report["problem"]) == (1, "")
    (bad,) = report["quarantined"]
    assert bad["faults"] == [{"line": 3, "reason": "has the label 'cheap': price has to be a number"}]


def test_too_few_rows_are_the_runs_problem_with_no_file_to_blame(code: Code) -> None:
    jobs = code(text(lines()))
    (jobs.data / "table.csv").write_text(text([["1", "red", "2024-01-01", "5"]]))
    jobs.prepare.prepare(jobs.data, jobs.work, 0.0)
    report = json.loads((jobs.work / "quarantine" / "quarantine.json").read_text())
    assert report == {
        "good": 0,
        "problem": "1 different rows are too few to learn from and to test on: upload more",
        "quarantined": [],
        "more": 0,
    }


@pytest.mark.parametrize(
    ("request_text", "content_type", "said"),
    [
        ("1,red", "text/csv", "row 1 has 2 cells, and 3 are wanted: size, colour, day"),
        ("\n\n", "text/csv", "no rows"),
        ("{}", "application/json", "send text/csv"),
    ],
)
def test_a_request_that_cannot_be_answered_says_why(
    request_text: str, content_type: str, said: str, code: Code
) -> None:
    jobs = code(text(lines()))
    with pytest.raises(ValueError, match=said):
        jobs.inference.input_fn(request_text, content_type)


def test_a_third_label_of_a_binary_table_is_refused(code: Code) -> None:
    jobs = code(text([[*row[:3], "yes" if number % 2 else "no"] for number, row in enumerate(lines())]))
    (jobs.data / "more.csv").write_text(text([["1", "red", "2024-01-01", "maybe"]]))
    with pytest.raises(jobs.rows.RowsError, match="more than two values: maybe, no, yes"):
        jobs.prepare.read_uploads(jobs.data)


def test_a_cell_with_a_line_end_stays_one_line_for_the_test(code: Code) -> None:
    jobs = code(text([[row[0], f'"very\n{row[1]}"', *row[2:]] for row in lines()]))
    learnt(jobs)
    written = (jobs.work / "test" / "test.csv").read_text()
    assert "very red" in written or "very blue" in written
    assert all(line.count(",") == 3 for line in written.splitlines())


def test_a_large_table_is_learnt_by_boosted_trees(code: Code) -> None:
    jobs = code(text(lines()))
    assert "HistGradientBoosting" in type(jobs.train.candidates(10_000)["trees"]).__name__
