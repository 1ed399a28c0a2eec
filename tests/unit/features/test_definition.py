"""A features.yaml is read with line and field of each error; its schema is published; contradictions are named."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.documents import ROOT, read
from tests.support.features import abalone, definition

from signalbox_features import definition as definitions
from signalbox_features import outputs
from signalbox_features.model import DefinitionError, FeaturesError
from signalbox_features.schema import SCHEMA
from signalbox_operate.features import reading
from signalbox_operate.projects.model import ProjectError

YAML = """\
group: shells
columns:
  - {name: id, type: string}
  - {name: sex, type: string}
  - {name: length, type: number}
identifier: {name: record_id, column: id}
event_time: {name: record_time}
features:
  - {name: length, scale: standard}
  - {name: sex, encode: one-hot}
"""
# What the standard library has only since: names, methods, arguments, as ruff proposes them for a later Python.
LATER = {"UTC", "StrEnum", "batched", "cache", "kw_only", "pairwise", "removeprefix", "removesuffix", "slots"}
SEED_FLOW = {
    "rings": "Integral",
    **dict.fromkeys(("length", "diameter", "height", "whole_weight", "shucked_weight"), "Fractional"),
    **dict.fromkeys(("viscera_weight", "shell_weight", "sex_F", "sex_I", "sex_M"), "Fractional"),
    "record_id": "Integral",
    "record_time": "Fractional",
}


def problems(folder: Path, text: str) -> list[str]:
    (folder / "features.yaml").write_text(text)
    with pytest.raises(ProjectError) as refused:
        reading.read(folder)
    return list(refused.value.problems)


def test_the_published_schema_is_the_one_that_is_checked() -> None:
    assert json.loads(read("docs/features.schema.json")) == SCHEMA


def test_abalone_gives_the_columns_and_types_of_the_flow_that_it_replaces() -> None:
    assert outputs.kinds(abalone(), {}) == SEED_FLOW


def test_a_file_is_read_as_it_is_compiled_and_read_again(tmp_path: Path) -> None:
    (tmp_path / "features.yaml").write_text(YAML)
    made = reading.read(tmp_path)

    assert made == definition(quarantine=None)
    (tmp_path / "compiled.json").write_text(json.dumps(made.given))
    assert definitions.read(tmp_path / "compiled.json") == made


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("scale: standard", "scal: standard", "line 9, features[0].scal: there is no such field: did you mean scale?"),
        ("scale: standard", "scale: robust", 'line 9, features[0].scale: "robust" has to be one of standard, minmax'),
        ("group: shells\n", "", "features.yaml, line 1: group is missing: it has to be there"),
        (
            "name: sex, encode",
            "name: sx, encode",
            "line 10, features[1].name: there is no column sx: did you mean sex?",
        ),
        ("column: id", "column: key", "line 6, identifier.column: there is no column key: there are id, sex, length"),
        ("group: shells", "group: a_", 'line 1, group: "a_" has to be the feature group\'s name'),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_field(tmp_path: Path, old: str, new: str, told: str) -> None:
    (problem,) = problems(tmp_path, YAML.replace(old, new, 1))
    assert told in problem


def test_an_empty_file_says_what_it_has_to_have(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "# nothing yet\n")
    assert problem == "features.yaml is empty: it has to have group, columns, identifier, event_time, features at least"


def test_all_problems_are_said_at_once_in_the_order_of_their_lines(tmp_path: Path) -> None:
    text = YAML.replace("column: id", "column: key").replace("name: length, scale", "name: lenght, scale")
    first, second = problems(tmp_path, text)
    assert "line 6, identifier.column" in first
    assert "line 9, features[0].name: there is no column lenght: did you mean length?" in second


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"columns": [{"name": "id", "type": "string"}] * 2}, "columns.1: there is a column id already"),
        ({"features": [{"name": "length"}] * 2}, "are the same to Athena"),
        ({"features": [{"name": "length"}, {"name": "Length", "column": "length"}]}, "length and Length are the same"),
        ({"features": [{"name": "write_time", "column": "length"}]}, "the offline store adds write_time itself"),
        ({"features": [{"name": "record_id", "column": "id"}]}, "features record_id and record_id are the same"),
        ({"features": [{"name": "sex", "scale": "minmax"}]}, "features.0.scale: sex is a string: numbers are scaled"),
        ({"features": [{"name": "length", "scale": "minmax", "encode": "ordinal"}]}, "scaled or encoded, and not both"),
        ({"features": [{"name": "l", "derive": "log(size)"}]}, "features.0.derive: there is no column size"),
        ({"features": [{"name": "l", "derive": "sex * 2"}]}, "column sex is a string: an expression takes numbers"),
        ({"features": [{"name": "l", "derive": "2 * 3"}]}, "names no column"),
        ({"features": [{"name": "l", "derive": "length", "column": "length"}]}, "a column or derive, and not both"),
        ({"features": [{"name": "l", "derive": "length", "encode": "one-hot"}]}, "numbers, which are not encoded"),
        ({"features": [{"name": "length", "categories": ["a"]}]}, "categories: are of an encoding"),
        ({"features": [{"name": "length", "scale": "minmax", "type": "integer"}]}, "has its type by that"),
        ({"features": [{"name": "sex", "type": "number"}]}, "sex is a string: give the column its type"),
        ({"features": [{"name": "length", "fill": "median"}]}, "give a number, or mean"),
        ({"features": [{"name": "sex", "fill": 0}]}, "is a number, and sex is a string"),
        ({"features": [{"name": "sex", "encode": "one-hot", "categories": ["a b", "a/b"]}]}, "sex_a_b and sex_a_b are"),
        ({"features": [{"name": "sex", "encode": "one-hot", "categories": ["x" * 70]}]}, "and may have 64"),
        ({"identifier": {"name": "i"}}, "identifier: say column, for the rows' own key, or made"),
        ({"identifier": {"name": "i", "column": "id", "made": "string"}}, "has a column or is made, and not both"),
        ({"identifier": {"name": "i", "column": "length"}}, "an identifier is a string or an integer"),
        (
            {"event_time": {"name": "t", "column": "sex"}},
            "event_time.column: is a string: give the column the type time",
        ),
        ({"quality": [{"column": "size", "not_null": True}]}, "quality.0.column: there is no column size"),
        ({"quality": [{"column": "sex", "min": 1}]}, "sex is a string: min and max are of numbers"),
        ({"quality": [{"column": "length", "min": 2, "max": 1}]}, "quality.0.min: is 2, more than max, which is 1"),
        ({"quality": [{"column": "length", "allowed": ["F"]}]}, "'F' can be no value of length, which is a number"),
        ({"quality": [{"column": "length"}]}, "says nothing of length"),
        ({"ttl": {"days": 3}}, "ttl: is about the online store, and store is offline"),
        ({"ttl": {"days": 3, "weeks": 1}, "store": "both"}, "ttl: has to have one of its fields"),
        ({"rows": {"min": 9, "max": 3}}, "rows.max: is 3, less than min, which is 9"),
        (
            {"steps": [_step := {"name": "s", "code": "", "columns": [{"name": "id", "type": "number"}]}]},
            "column id already",
        ),
        ({"steps": [{**_step, "columns": [{"name": n, "type": "number"}]} for n in "xy"]}, "there is a step s already"),
    ],
)
def test_what_contradicts_itself_is_named(change: dict[str, Any], told: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        definition(**change)
    assert told in str(refused.value)


def test_a_step_is_compiled_with_its_program(tmp_path: Path) -> None:
    steps = "steps:\n  - {name: area, file: area.py, columns: [{name: area, type: number}]}\n"
    (tmp_path / "area.py").write_text("df['area'] = df['length'] ** 2\n")
    (tmp_path / "features.yaml").write_text(YAML + steps)

    assert reading.read(tmp_path).steps[0].code == "df['area'] = df['length'] ** 2\n"


@pytest.mark.parametrize(
    ("file", "program", "told"),
    [
        ("gone.py", None, "line 12, steps[0].file: there is no gone.py in"),
        ("bad.py", "df = (", "line 12, steps[0].file: bad.py is no Python"),
        ("../out.py", None, "line 12, steps[0].file: ../out.py leads out of the project's folder"),
    ],
)
def test_a_step_without_a_usable_program_is_named(tmp_path: Path, file: str, program: str | None, told: str) -> None:
    if program is not None:
        (tmp_path / file).write_text(program)
    steps = f"steps:\n  - {{name: area, file: {file}, columns: [{{name: area, type: number}}]}}\n"
    (problem,) = problems(tmp_path, YAML + steps)
    assert told in problem


@pytest.mark.parametrize("text", ["{", "[]", '{"group": "x"}', '{"columns": 3}'])
def test_a_file_that_is_no_compiled_definition_says_how_one_is_made(tmp_path: Path, text: str) -> None:
    (tmp_path / "d.json").write_text(text)
    with pytest.raises(FeaturesError, match=r"no compiled definition .*make it with `signalbox features check --json`"):
        definitions.read(tmp_path / "d.json")


@pytest.mark.parametrize("path", sorted((ROOT / "features").rglob("*.py")), ids=lambda path: path.stem)
def test_the_package_is_written_in_the_python_of_the_jobs_image(path: Path) -> None:
    tree = ast.parse(path.read_text(), feature_version=(3, 8))
    named = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    named |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg}
    named |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert named & LATER == set()
    imported = {
        alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in (node.names if isinstance(node, ast.Import) else [ast.alias(str(node.module))])
    }
    assert imported & {"yaml", "jsonschema", "numpy", "pandas", "pyarrow", "signalbox", "signalbox_operate"} == set()
