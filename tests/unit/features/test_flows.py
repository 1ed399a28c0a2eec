"""A Data Wrangler flow becomes a features.yaml; each kind of node that is not taken is named in a sentence."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.abalone import lines
from tests.support.features import abalone, file, records, run

from signalbox_features import definition as definitions
from signalbox_features import fitting, flows, outputs
from signalbox_features.flows import FlowError, Imported
from signalbox_operate.features import importing, reading
from signalbox_operate.stack import OperateError

MEASURES = ("length", "diameter", "height", "whole_weight", "shucked_weight", "viscera_weight", "shell_weight")
TYPES = {"record_id": "long", "sex": "string", **dict.fromkeys(MEASURES, "float"), "rings": "long"}
SCALER = f"""
from sklearn.preprocessing import StandardScaler
import pandas as pd
measures = df.drop(["record_id", "sex", "rings"], axis=1)
scaled = pd.DataFrame(StandardScaler().fit_transform(measures), columns={list(MEASURES)!r})
df = pd.concat([scaled, df[["record_id", "sex", "rings"]]], axis=1)
"""
CLOCK = """
import time
name = "record_time"
df[name] = round(time.time())
"""


def node(name: str, operator: str, before: str = "", **more: Any) -> dict[str, Any]:
    inputs = [{"name": "default", "node_id": before, "output_name": "default"}] if before else []
    kind = "SOURCE" if "source" in operator else "TRANSFORM"
    return {"node_id": name, "type": kind, "operator": operator, "inputs": inputs, "parameters": {}, **more}


def source(*, header: bool = True, kind: str = "csv") -> dict[str, Any]:
    place = {"s3Uri": "s3://bucket/abalone.csv", "s3ContentType": kind, "s3HasHeader": header}
    given = {"dataset_definition": {"datasetSourceType": "S3", "name": "abalone.csv", "s3ExecutionContext": place}}
    return node("source", "sagemaker.s3_source_0.1", parameters=given)


def types(**kinds: str) -> dict[str, Any]:
    learnt = {"schema": kinds or TYPES}
    return node("types", "sagemaker.spark.infer_and_cast_type_0.1", "source", trained_parameters=learnt)


def pandas(name: str, code: str, before: str) -> dict[str, Any]:
    return node(name, "sagemaker.spark.custom_pandas_0.1", before, parameters={"code": code})


def encode(before: str, operator: str = "One-hot encode", **more: Any) -> dict[str, Any]:
    word = "one_hot" if operator.startswith("One") else "ordinal"
    given = {"invalid_handling_strategy": "Keep", "input_column": "sex", **more}
    parameters = {"operator": operator, f"{word}_encode_parameters": given}
    return node("encode", "sagemaker.spark.encode_categorical_0.1", before, parameters=parameters)


def scale(before: str, scaler: str = "Standard scaler", column: Any = "length") -> dict[str, Any]:
    word = scaler.lower().replace(" ", "_").replace("-", "_")
    given = {"scaler": scaler, f"{word}_parameters": {"input_column": column, "center": True, "scale": True}}
    parameters = {"operator": "Scale values", "scale_values_parameters": given}
    return node("scale", "sagemaker.spark.process_numeric_0.1", before, parameters=parameters)


def text(*nodes: dict[str, Any]) -> str:
    return json.dumps({"metadata": {"version": 1}, "nodes": nodes})


def seed() -> str:
    """A flow of the kinds of nodes that the seed for features has, the last first."""
    ended = [pandas("clock", CLOCK, "encode"), encode("scaler", output_style="Columns", drop_last=False)]
    return text(*ended, pandas("scaler", SCALER, "types"), types(), source())


def read(*nodes: dict[str, Any], **more: str) -> Imported:
    return flows.read(text(source(), *nodes), "shells", **more)


def feature(made: Imported, name: str) -> dict[str, Any]:
    return next(one for one in made.definition["features"] if one["name"] == name)


def test_the_seeds_flow_gives_the_same_columns_and_types_as_its_features_yaml(tmp_path: Path) -> None:
    made = definitions.parse(flows.read(seed(), "abalone", identifier="record_id").definition)
    table = [f"{number},{line}" for number, line in enumerate(lines(60))]
    rows = file(tmp_path, "\n".join([",".join(TYPES), *table, ""]), "abalone.csv")
    artefact = fitting.fit(made, [rows])

    assert outputs.kinds(made, artefact.features) == outputs.kinds(abalone(), {})
    done = run(made, artefact, [rows], tmp_path)
    assert done.problems == []
    assert len(records(tmp_path)) == 60


def test_what_would_give_each_run_other_values_is_taken_as_what_it_means() -> None:
    made = flows.read(seed(), "abalone")

    assert made.programs == {}
    assert all(feature(made, name)["scale"] == "standard" for name in MEASURES)
    assert feature(made, "sex") == {"name": "sex", "encode": "one-hot"}
    assert feature(made, "rings") == {"name": "rings"}
    assert made.definition["event_time"] == {"name": "record_time", "as": "epoch"}
    assert made.definition["identifier"] == {"name": "record_id", "made": "integer"}
    scaler, clock, key = made.notes
    assert scaler.startswith("node scaler fits a StandardScaler in each run")
    assert "it becomes scale: standard of length, diameter" in scaler
    assert clock.startswith("node clock writes the time of the run into record_time: it becomes the event time")
    assert key.endswith(
        "the flow's own record_id is not taken: say --identifier record_id if it is a key, and no row number"
    )


def test_scaling_encodings_casts_and_dropped_columns_are_taken() -> None:
    drop = {"operator": "Drop column", "drop_column_parameters": {"column_to_drop": "rings"}}
    made = read(
        types(),
        scale("types"),
        {**scale("scale", "Min-max scaler", ["height", "diameter"]), "node_id": "scale2"},
        encode("scale2", "Ordinal encode"),
        node(
            "cast",
            "sagemaker.spark.cast_single_data_type_0.1",
            "encode",
            parameters={"column": "shell_weight", "data_type": "string"},
        ),
        node("drop", "sagemaker.spark.manage_columns_0.1", "cast", parameters=drop),
    )

    assert feature(made, "length") == {"name": "length", "scale": "standard"}
    assert feature(made, "height") == {"name": "height", "scale": "minmax"}
    assert feature(made, "sex") == {"name": "sex", "encode": "ordinal"}
    assert {"name": "shell_weight", "type": "string"} in made.definition["columns"]
    assert "rings" not in {one["name"] for one in made.definition["features"]}
    assert {"name": "rings", "type": "integer"} in made.definition["columns"]


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (
            node("n", "sagemaker.spark.handle_missing_0.1", "types"),
            "node n (sagemaker.spark.handle_missing_0.1) is not taken",
        ),
        (
            node("n", "sagemaker.spark.custom_pyspark_0.1", "types", parameters={"code": ""}),
            "custom_pyspark_0.1) is not taken",
        ),
        (
            node("n", "sagemaker.spark.featurize_text_0.1", "types"),
            "this kind is not supported; write it as derive, or as a step",
        ),
        (
            scale("types", "Robust scaler"),
            "node scale: Robust scaler is not taken: there are Standard scaler, Min-max scaler",
        ),
        (encode("types", "Similarity encode"), "node encode: Similarity encode is not taken"),
        (encode("types", output_style="Vector"), "a vector is not taken: each category becomes a feature of its own"),
        (encode("types", drop_last=True), "the last category is kept too"),
        (encode("types", input_column="colour"), "node encode is about colour, which the flow has not"),
        (pandas("n", "df = (", "types"), "node n: its program is not taken, it is no Python"),
        (pandas("n", "df['area'] = df['length'] ** 2", "types"), "node n is a program, kept as step_1.py"),
        (
            node("n", "sagemaker.spark.manage_columns_0.1", "types", parameters={"operator": "Rename column"}),
            "Rename column is not",
        ),
    ],
)
def test_what_is_not_taken_is_named_in_a_sentence(last: dict[str, Any], told: str) -> None:
    notes = read(types(), last).notes
    assert any(told in note for note in notes), notes


def test_a_column_of_a_type_that_is_not_known_is_taken_as_a_string_and_named() -> None:
    made = read(types(id="bool", length="float"))
    assert {"name": "id", "type": "string"} in made.definition["columns"]
    assert made.notes[0] == "column id is a bool, which is taken as a string"


def test_the_end_of_a_flow_is_the_node_that_nothing_takes_from_and_one_of_several_has_to_be_named() -> None:
    two = (types(), encode("types"), scale("types"))
    with pytest.raises(FlowError, match=r"ends in several nodes, .*name one with --node, of encode, scale"):
        read(*two)
    made = read(*two, node="scale")
    assert "encode" not in feature(made, "sex")
    assert "scale" in feature(made, "length")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("{", "this is no Data Wrangler flow"),
        ("[]", "this is no Data Wrangler flow"),
        ('{"nodes": [{}]}', "this is no Data Wrangler flow"),
        (text(source()), "the flow says no types of its columns"),
        (
            text(source(), types(), {**encode("types"), "inputs": [{"node_id": "types"}, {"node_id": "source"}]}),
            "joins several",
        ),
    ],
)
def test_what_is_no_flow_or_cannot_be_followed_is_refused(given: str, told: str) -> None:
    with pytest.raises(FlowError, match=told):
        flows.read(given, "shells")


def test_a_circle_is_refused() -> None:
    with pytest.raises(FlowError, match="goes round in a circle"):
        flows.read(text(source(), types(), encode("scale"), scale("encode")), "shells", node="scale")


def test_a_key_that_the_flow_has_not_is_refused() -> None:
    with pytest.raises(FlowError, match="there is no column key: the flow has record_id, sex"):
        read(types(), identifier="key")


def test_an_imported_flow_is_a_project_file_that_can_be_read_and_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "dw.flow").write_text(
        text(source(header=False), types(), pandas("n", "df['area'] = df['length'] ** 2", "types"))
    )
    importing.write(tmp_path / "dw.flow", tmp_path / "project", "shells")

    made = reading.read(tmp_path / "project")
    assert (made.group, made.header) == ("shells", False)
    assert made.steps[0].code == "df['area'] = df['length'] ** 2\n"
    assert made.steps[0].columns[0].name == "area"
    before = (tmp_path / "project" / "features.yaml").read_bytes()
    with pytest.raises(OperateError, match=r"features\.yaml, step_1\.py in .* is there already"):
        importing.write(tmp_path / "dw.flow", tmp_path / "project", "other")
    assert (tmp_path / "project" / "features.yaml").read_bytes() == before


def test_a_flow_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OperateError, match=r"no\.flow cannot be read"):
        importing.write(tmp_path / "no.flow", tmp_path, "shells")
