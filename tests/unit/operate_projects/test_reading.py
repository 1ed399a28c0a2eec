"""A signalbox.yaml is read as it is meant, and what is wrong is said with its line, its field and the way out."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.documents import read as read_document
from tests.support.project_folders import YAML, write

from signalbox_operate.projects.model import ProjectError, Uploads
from signalbox_operate.projects.reading import read
from signalbox_operate.projects.schema import SCHEMA

WHOLE = """\
project: wine
uploads:
  - {prefix: incoming/wine/red/, suffix: .csv, quiet_seconds: 5, longest_seconds: 900, batch: 20, pipeline: train}
  - {pipeline: train, complete: manifest.json, replace: true}
pipelines:
  train: {definition: pipeline.py, code: code, models: [wine, white], parameter: Data, takes: url,
    replace: {a: b}, golden: {wine: g}}
containers:
  iris:
    folder: code
    problem: multiclass
    hyperparameters: {max_leaf_nodes: 5, rate: 0.5, shuffle: true, name: x}
    train: code/train.py
    channels: {validation: code, folder: pipeline.py}
    instance_type: ml.m5.large
    spot: true
branches: {main: trunk, experiments: true}
approvers: [ann@example.com]
stages:
  - {name: prod, instance_type: ml.m5.large, instance_count: 1}
tags: {team: x}
access: {read: ["s3://lake/public/"], write: ["s3://lake/out/"]}
"""


def problems(folder: Path) -> list[str]:
    with pytest.raises(ProjectError) as told:
        read(folder)
    return list(told.value.problems)


def test_every_field_of_a_project_is_read(tmp_path: Path) -> None:
    project = read(write(tmp_path, WHOLE))

    assert project.name == "wine"
    assert project.models == ("wine", "white", "iris")
    assert project.uploads == (
        Uploads("incoming/wine/red/", ".csv", 5, "train", 900, 20),
        Uploads("incoming/wine/", "", 60, "train", complete="manifest.json", replace=True),
    )
    train, iris = project.pipelines["train"], project.containers["iris"]
    assert (train.parameter, train.takes, train.replace) == ("Data", "url", {"a": "b"})
    assert train.golden == {"wine": "g"}
    assert iris.hyperparameters == {"max_leaf_nodes": "5", "rate": "0.5", "shuffle": "true", "name": "x"}
    assert (iris.model, iris.channel, iris.train) == ("iris", "training", tmp_path / "code/train.py")
    further = {"validation": tmp_path / "code", "folder": tmp_path / "pipeline.py"}  # a file may be called `folder`
    assert iris.channels == further
    assert iris.data == {
        "train": tmp_path / "code/train.py",
        **{f"channels/{name}": path for name, path in further.items()},
    }
    assert iris.given == {"instance_type": "ml.m5.large", "spot": True}
    assert (project.approvers, project.tags) == (("ann@example.com",), {"team": "x"})
    assert (project.read, project.write) == (("s3://lake/public/",), ("s3://lake/out/",))
    assert project.branches == {"main": "trunk", "experiments": True}
    assert len(project.stages) == 1


def test_the_published_schema_is_that_of_the_reader() -> None:
    assert json.loads(read_document("docs/signalbox.schema.json")) == SCHEMA


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ("project: Wine", 'line 1, project: "Wine" has to be the project\'s name: 1 to 30 lower-case letters'),
        ("uploads: {longest_seconds: 5}", "longest_seconds is 5, and has to be at least quiet_seconds, which is 60"),
        ("uploads: {batch: 6000}", "line 2, uploads.batch: 6000 has to be a whole number from 1 to 5000"),
        ("uploads: {complete: ''}", 'line 2, uploads.complete: "" has to be what the keys of objects end in that name'),
        (
            "uploads: {complete: a b.json}",
            'line 2, uploads.complete: "a b.json" has to be what the keys of objects end',
        ),
        (
            "uploads: {suffix: .csv, complete: csv}",
            "line 2, uploads: complete is csv, in which all keys with the suffix",
        ),
        (
            "uploads: [{suffix: .csv, complete: m.json, pipeline: train}, {complete: m.json, pipeline: other}]",
            "uploads[1]: another entry has this prefix and complete: a set starts one pipeline",
        ),
        ("uploads: {replace: maybe}", 'line 2, uploads.replace: "maybe" has to be true or false: a newer version'),
        ("uploads: {quiet_seconds: 60s}", 'line 2, uploads.quiet_seconds: "60s" has to be a whole number of seconds'),
        ("uploads: {prefix: incoming}", 'uploads.prefix: "incoming" has to be a prefix in the data bucket that ends'),
        ("uploads: {prefx: incoming/}", "line 2, uploads.prefx: there is no such field: did you mean prefix?"),
        ("uploads: {pipeline: other}", "line 2, uploads: there is no pipeline other: it has train"),
        ("tags: {due: 2026-01-01}", 'tags.due: "2026-01-01" has to be a text: put it in quotes'),
        ('tags: {"aws:x": y}', 'tags.aws:x: the name "aws:x" is not allowed'),
        ("access: {read: [lake]}", 'access.read[0]: "lake" has to be an S3 URI, s3://bucket/prefix'),
        ("access: {read: ['s3://lake/*']}", 'access.read[0]: "s3://lake/*" has to be an S3 URI'),
        ("stages: [{name: prod}]", "stages: stages document: stages[0].instance_count is missing"),
        ("colour: red", "colour: there is no such field: the fields are project, uploads, pipelines"),
        ("uploads: [{}, {suffix: ''}]", "uploads[1]: another entry has this prefix and suffix"),
        ("containers: {wine: {problem: binary}}", "containers.wine: the model wine is that of pipelines.train already"),
        ("containers: {c: {problem: maybe}}", 'containers.c.problem: "maybe" has to be one of regression'),
        ("containers: {c: {}}", "containers.c: problem is missing"),
        ("containers: {c: {problem: binary, folder: gone}}", "containers.c.folder: there is no gone in"),
        ("containers: {c: {problem: binary, folder: pipeline.py}}", "pipeline.py is a file, and has to be a folder"),
        ("containers: {c: {problem: binary, test: ../x}}", "../x leads out of the project's folder"),
        ("containers: {c: {problem: binary, channels: {v: gone}}}", "containers.c.channels.v: there is no gone in"),
        ("containers: {c: {problem: binary, channels: {code: gone.txt}}}", "channels.code: there is no gone.txt in"),
        (
            "containers: {c: {problem: binary, channels: {training: code}}}",
            "containers.c.channels.training: that channel has the training data: name another",
        ),
        ("uploads: null", "uploads: nothing has to be one set of fields"),
    ],
)
def test_a_field_that_does_not_fit_is_said_with_its_line(tmp_path: Path, changed: str, told: str) -> None:
    field = changed.partition(":")[0]
    lines = [line for line in YAML.splitlines() if not line.startswith(f"{field}:")]
    place = 0 if field == "project" else 1
    text = "\n".join([*lines[:place], changed, *lines[place:]]) + "\n"

    said = problems(write(tmp_path, text))

    assert any(told in line for line in said), said
    assert all(line.startswith("signalbox.yaml, line ") for line in said)


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    said = problems(write(tmp_path, "project: A\napprovers: me\npipelines: {p: {}}\n"))
    assert [line.split(":")[0] for line in said] == [
        "signalbox.yaml, line 1, project",
        "signalbox.yaml, line 2, approvers",
        "signalbox.yaml, line 3, pipelines.p",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("project: wine\n\tuploads: x\n", "signalbox.yaml, line 2, column 1: this is not YAML"),
        ("project: [wine\n", "this is not YAML"),
        ("", "signalbox.yaml is empty"),
        ("project: wine\nproject: beer\n", "line 2: 'project' is there already, in line 1"),
        ("project: &a wine\ntags: {x: *a}\n", "uses an anchor"),
        ("- wine\n", 'signalbox.yaml, line 1: ["wine"] has to be fields: a project'),
        ("project: " + "x" * 300_000, "more than the 262,144 it may have"),
        ("project: wine\n---\nproject: beer\n", "this is not YAML"),
    ],
)
def test_a_file_that_is_no_such_yaml_is_said(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "signalbox.yaml").write_text(text)
    assert told in problems(tmp_path)[0]


def test_a_folder_without_the_file_and_a_file_that_is_not_utf_8_are_said(tmp_path: Path) -> None:
    assert problems(tmp_path) == [f"there is no signalbox.yaml in {tmp_path}: name the project's folder"]
    (tmp_path / "signalbox.yaml").write_bytes("project: gänse".encode("latin-1"))
    assert "is not UTF-8" in problems(tmp_path)[0]


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "signalbox.yaml").write_bytes(b"\xef\xbb\xbf" + YAML.encode())
    assert read(tmp_path).name == "wine"


def descriptions(schema: Any) -> list[str]:
    found = [schema["description"]] if "description" in schema else []
    for inner in [*schema.get("properties", {}).values(), *schema.get("patternProperties", {}).values()]:
        found += descriptions(inner) or [""]
    return found + (descriptions(schema["items"]) if "items" in schema else [])


def test_every_field_of_the_schema_says_what_it_has_to_be() -> None:
    assert all(descriptions(SCHEMA))
