"""docs/projects.md says what the schema, the words and the commands of a project are."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.support.documents import ROOT, read, table
from tests.support.project_folders import write

from signalbox_operate.features import project_features
from signalbox_operate.projects import reading, target
from signalbox_operate.projects.schema import SCHEMA, Schema

PAGE = read("docs/projects.md")
# Fields of names that people choose, each with a value: the page has a row for all.
_WHOLE = ("tags", "environment", "hyperparameters", "replace", "golden", "channels")


def fields(schema: Schema, path: str = "") -> Iterator[str]:
    """Yield the path of every field that has none in it; names that people choose are `<name>`."""
    inner = {
        **{f"{path}{name}": one for name, one in schema.get("properties", {}).items()},
        **({f"{path}<name>": one for one in schema.get("patternProperties", {}).values()}),
    }
    for name, one in inner.items():
        below = list(fields(one, f"{name}."))
        yield from (below if below and not name.endswith(_WHOLE) else [name])


def test_the_page_has_every_field_of_the_schema() -> None:
    rows = [field for row in table(PAGE, "field", "what it says", "left out") for field in row[0].split(", ")]

    assert set(fields(SCHEMA)) <= set(rows)
    assert [row for row in rows if row not in set(fields(SCHEMA))] == [
        "uploads",
        "pipelines.<name>",
        "containers.<name>",
    ]


def test_the_page_has_every_word_that_a_definition_is_told(tmp_path: Path) -> None:
    rows = {row[0]: row[1] for row in table(PAGE, "variable", "word", "what it is")}

    project = replace(reading.read(write(tmp_path)), features=project_features.read(ROOT / "projects" / "abalone"))
    entry = project.pipelines["train"]
    told = target.variables(project, entry, target.example("us-east-1"))
    words = {re.sub(r":.*", ":<model>", word) for word in target.words(project, entry, target.example("us-east-1"))}
    assert set(rows) == set(told)
    assert set(rows.values()) == {f"{{{word}}}" for word in words}


def test_the_example_of_the_page_is_a_project(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    files = {"pipeline/definition__py": "", "pipeline/code/x__py": "", "container/Dockerfile": ""}
    project = reading.read(write(tmp_path, example, **files, **{"data/train__csv": "", "data/test__csv": ""}))
    assert project.models == ("wine", "bottles")
