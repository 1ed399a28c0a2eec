"""What `signalbox new` finds in a table, and what it refuses or asks."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.support import tables

from signalbox_operate.new import files, profile
from signalbox_operate.new.model import Answers, Column, OpenQuestionError, Profile, TableError

DRAW = random.Random(3)  # noqa: S311  # repeatable, and no secret


def rows(count: int = 40) -> list[list[str]]:
    """Return rows of a size, a colour and a price that follows from the size, roughly."""
    made = []
    for _ in range(count):
        size = DRAW.uniform(1, 9)
        made.append([f"{size:.3f}", DRAW.choice(["red", "blue"]), f"{size * 3 + DRAW.gauss(0, 1):.2f}"])
    return made


def file(
    folder: Path, content: Sequence[Sequence[str]] | str | bytes, name: str = "table.csv", sign: str = ","
) -> Path:
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        text = content if isinstance(content, str) else "".join(f"{sign.join(row)}\n" for row in content)
        path.write_text(text, encoding="utf-8")
    return path


HEADER = ["size", "colour", "price"]


def look(path: Path, label: str | None = "price", **given: object) -> Profile:
    return profile.look(path, Answers(label=label, **given))  # type: ignore[arg-type]  # as each test names them


def column(found: Profile, name: str) -> Column:
    return next(one for one in found.columns if one.name == name)


def with_column(name: str, values: Sequence[str]) -> list[list[str]]:
    """Return a table of so many rows with one more column."""
    return [[name, *HEADER], *([value, *row] for value, row in zip(values, rows(len(values)), strict=True))]


@pytest.mark.parametrize("table", tables.TABLES, ids=lambda table: table.name)
def test_the_problem_and_the_header_of_a_public_table_are_found(table: tables.PublicTable, tmp_path: Path) -> None:
    found = look(table.write(tmp_path), table.label)
    assert (found.target.problem, found.table.format.header) == (table.problem, table.header)
    assert found.columns


def test_categories_dates_and_missing_values_are_found_and_free_text_is_left_out(tmp_path: Path) -> None:
    found = look(tables.named("cars").write(tmp_path), "Miles_per_Gallon")
    kinds = {one.name: one.kind for one in found.columns}
    assert (kinds["Origin"], kinds["Year"], kinds["Horsepower"], kinds["Name"]) == (
        "category",
        "date",
        "number",
        "text",
    )
    assert column(found, "Horsepower").missing == 6
    assert any("8 rows have no label" in sentence for sentence in found.sentences)


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_table_is_the_same_in_every_encoding_and_with_every_delimiter(
    sign: str, encoding: str, tmp_path: Path
) -> None:
    content = [["größe", "farbe", "preis"], *rows()]
    text = "".join(f"{sign.join(row)}\r\n" for row in content)
    found = look(file(tmp_path, text.encode(encoding)), "preis")
    assert found.table.names == ("größe", "farbe", "preis")
    assert found.table.rows == content[1:]
    assert [one.kind for one in found.columns] == ["number", "category"]


def test_decimal_commas_are_numbers_where_a_semicolon_separates(tmp_path: Path) -> None:
    content = [HEADER, *([cell.replace(".", ",") for cell in row] for row in rows())]
    found = look(file(tmp_path, content, sign=";"))
    assert found.table.format.decimal == ","
    assert (found.target.problem, column(found, "size").kind) == ("regression", "number")


def test_a_table_without_a_header_has_numbered_columns(tmp_path: Path) -> None:
    found = look(file(tmp_path, rows()), "3")
    assert (found.table.names, found.target.label, len(found.table.rows)) == (
        ("column1", "column2", "column3"),
        "column3",
        40,
    )


def test_a_quoted_cell_may_hold_the_delimiter_and_a_line_end(tmp_path: Path) -> None:
    content = [HEADER, *([size, f'"{colour}, very\nmuch so"', price] for size, colour, price in rows())]
    found = look(file(tmp_path, content))
    assert {row[1] for row in found.table.rows} <= {"red, very\nmuch so", "blue, very\nmuch so"}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([f"{number}" for number in range(1, 41)], "id"),
        ([f"K-{number}" for number in range(1, 41)], "id"),
        (["same"] * 40, "constant"),
        ([""] * 40, "empty"),
        ([f"a long text of number {number} that nobody repeats" for number in range(40)], "text"),
        (["2024-01-02T03:04:05Z", "2024-02-02T03:04:05Z"] * 20, "date"),
        (["1,234.5", "987.1"] * 20, "number"),
    ],
)
def test_a_column_is_what_its_values_are(values: list[str], kind: str, tmp_path: Path) -> None:
    quoted = [f'"{value}"' for value in values]
    assert column(look(file(tmp_path, with_column("extra", quoted))), "extra").kind == kind


def test_an_id_is_learnt_from_where_a_person_says_so(tmp_path: Path) -> None:
    path = file(tmp_path, with_column("row", [str(number) for number in range(40)]))
    assert column(look(path, keep=("row",)), "row").kind == "number"


def test_a_few_odd_texts_in_a_column_of_numbers_count_as_missing_and_are_shown(tmp_path: Path) -> None:
    values = [f"{number}.5" for number in range(99)] + ["n. d."]
    found = column(look(file(tmp_path, with_column("extra", values))), "extra")
    assert found.kind == "number"
    assert "'n. d.'" in found.why


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a\n1\n2\n", "one column"),
        ("", "is empty"),
        ([HEADER, rows(1)[0]], "has 1 row"),
        ([["size", "size", "price"], *rows()], "more than one column named 'size'"),
        ([HEADER, *([*row[:2], "5"] for row in rows())], "'5' in every row"),
        ([HEADER, *([*row[:2], ""] for row in rows())], "has no values"),
        ([HEADER, *rows(), ["1", "red"], *rows(2)], "row 42 has 2 cells, and the first has 3"),
        ([HEADER, *([*row[:2], f"class {number}"] for number, row in enumerate(rows()))], "too many to learn"),
        ([HEADER, *rows(), ["1", "red", "cheap"]], "no numbers, such as 'cheap'"),
        ([HEADER, *(["same", "same", row[2]] for row in rows())], "no column is left to learn from"),
        (b"PK\x03\x04rest of a workbook", "save the sheet as CSV"),
        (b"\x1f\x8brest", "gunzip"),
        (b"PAR1rest", "Parquet"),
        (b"a,b\0\0\0\0", "no text file"),
    ],
)
def test_a_table_that_cannot_be_learnt_from_is_refused_in_a_sentence(
    content: list[list[str]] | str | bytes, said: str, tmp_path: Path
) -> None:
    with pytest.raises(TableError, match=r"table\.csv|label|column") as refused:
        look(file(tmp_path, content))
    assert said in str(refused.value)


@pytest.mark.parametrize("label", [None, "prize", "7"])
def test_a_label_that_is_not_there_or_not_said_is_asked_with_the_columns(label: str | None, tmp_path: Path) -> None:
    with pytest.raises(OpenQuestionError, match="--label") as asked:
        look(file(tmp_path, [HEADER, *rows()]), label)
    assert asked.value.choices == tuple(HEADER)


def test_few_whole_numbers_as_label_are_asked_and_the_answer_decides(tmp_path: Path) -> None:
    path = file(tmp_path, [HEADER, *([*row[:2], str(3 + number % 5)] for number, row in enumerate(rows()))])
    with pytest.raises(OpenQuestionError, match="--problem"):
        look(path)
    assert look(path, problem="regression").target.metric == "mse"
    assert look(path, problem="multiclass").target.classes == ("3", "4", "5", "6", "7")


def test_dates_that_can_be_read_in_two_ways_are_asked_and_the_answer_decides(tmp_path: Path) -> None:
    path = file(tmp_path, with_column("day", ["01/02/2024", "03/04/2024"] * 20))
    with pytest.raises(OpenQuestionError, match="--dates"):
        look(path)
    assert column(look(path, dates="day-first"), "day").written == "%d/%m/%Y"
    assert column(look(path, dates="month-first"), "day").written == "%m/%d/%Y"


def test_dates_of_which_one_has_a_13th_month_otherwise_are_not_asked(tmp_path: Path) -> None:
    path = file(tmp_path, with_column("day", ["01/02/2024", "31/04/2024".replace("31", "30")] * 20))
    assert column(look(path), "day").written == "%d/%m/%Y"


def test_a_header_of_a_table_of_texts_is_asked(tmp_path: Path) -> None:
    content = [["shape", "colour"], *([DRAW.choice("AB"), DRAW.choice("CD")] for _ in range(40))]
    with pytest.raises(OpenQuestionError, match="--no-header"):
        look(file(tmp_path, content), "2")
    assert look(file(tmp_path, content), "colour").table.format.header  # a name that the first line has
    assert len(look(file(tmp_path, content), "2", header=False, problem="multiclass").table.rows) == 41


@pytest.mark.parametrize("problem", ["regression", "multiclass"])
def test_a_column_that_gives_the_label_away_is_asked_until_a_person_decides(problem: str, tmp_path: Path) -> None:
    made = rows(60)
    if problem == "regression":
        content = [[*HEADER, "double"], *([*row, str(2 * float(row[2]))] for row in made)]
    else:
        content = [[*HEADER, "double"]]
        content += [[*row[:2], "abc"[place % 3], "xyz"[place % 3]] for place, row in enumerate(made)]
    path = file(tmp_path, content)
    with pytest.raises(OpenQuestionError, match="'double' gives the label 'price' away"):
        look(path)
    assert not column(look(path, drop=("double",)), "double").used
    assert column(look(path, keep=("double",)), "double").used


def test_a_column_to_drop_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OpenQuestionError, match="no feature 'sice'"):
        look(file(tmp_path, [HEADER, *rows()]), drop=("sice",))


def test_of_a_large_file_a_bounded_part_from_all_of_it_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(files, "WHOLE", 20_000)
    monkeypatch.setattr(files, "PIECES", 8)
    monkeypatch.setattr(files, "PIECE", 2_000)
    ordered = [[*row[:2], kind] for kind in ("first", "second", "third") for row in rows(3000)]
    found = look(file(tmp_path, [HEADER, *ordered]))
    assert not found.table.whole
    assert 300 < len(found.table.rows) < 1500
    assert found.target.classes == ("first", "second", "third")
    assert 8000 < found.table.count < 10_000
    assert f"({len(found.table.rows):,} from all of it were looked at)" in found.sentences[0]


def test_a_file_of_two_gigabytes_is_looked_at_in_seconds(tmp_path: Path) -> None:
    """The file has a hole behind its first 5 MB, which takes no place: the pieces that lie in it have no rows."""
    text = file(tmp_path, rows(60)).read_bytes()
    path = file(tmp_path, [HEADER])
    with path.open("r+b") as stream:
        stream.seek(0, 2)
        stream.write(text * 5_000)
        stream.seek(2_000_000_000)
        stream.write(b"\n" + text)
    found = look(path)
    assert not found.table.whole
    assert found.table.size > 2_000_000_000
