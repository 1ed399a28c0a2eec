"""A Data Wrangler flow becomes a `features.yaml`: the kinds of nodes that are known, and a sentence for each other.

The shape of a flow (nodes with an operator, parameters, what was learnt, and the nodes that they take their rows from)
is that of flows which AWS publishes: aws-samples/amazon-sagemaker-reusable-components, notebooks/dw-flow.flow, and
aws/amazon-sagemaker-examples, end_to_end/customers.flow. AWS documents no schema of it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from signalbox_features.flow_programs import FlowProgram
from signalbox_features.model import INTEGER, NUMBER, STRING, TIME, FeaturesError
from signalbox_features.schema import FEATURE_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

_TYPES = {
    "long": INTEGER,
    "integer": INTEGER,
    "float": NUMBER,
    "double": NUMBER,
    "string": STRING,
    "date": TIME,
    "datetime": TIME,
}
_SCALERS = {"Standard scaler": "standard", "Min-max scaler": "minmax"}
_ENCODINGS = {"One-hot encode": "one-hot", "Ordinal encode": "ordinal"}


class FlowError(FeaturesError):
    """A file is no flow that can be read."""


class Imported(NamedTuple):
    """The definition that a flow becomes, the programs of its steps by file, and what is to be known of it."""

    definition: dict[str, Any]
    programs: dict[str, str]
    notes: list[str]


class _Flow:
    def __init__(self) -> None:
        self.header = True
        self.columns: dict[str, str] = {}
        self.features: dict[str, dict[str, Any]] = {}
        self.event_time = "record_time"
        self.steps: list[dict[str, Any]] = []
        self.programs: dict[str, str] = {}
        self.notes: list[str] = []


def read(text: str, group: str, identifier: str = "", node: str = "") -> Imported:
    """Return what a flow becomes.

    Args:
        text: the flow.
        group: the feature group's name.
        identifier: the column that is the rows' own key; without one, identifiers are made.
        node: the id of the last node, where the flow has several ends.

    Raises:
        FlowError: it is no flow, or has no types, several ends, or no such column.
    """
    try:
        nodes = {one["node_id"]: one for one in json.loads(text)["nodes"]}
        chain = _chain(nodes, node)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FlowError(f"this is no Data Wrangler flow ({error!r})") from error
    flow = _Flow()
    for one in chain:
        _take(one, flow)
    if not flow.columns:
        raise FlowError(
            "the flow says no types of its columns: run it in Data Wrangler once, which writes them into it"
        )
    if identifier and identifier not in flow.columns:
        raise FlowError(f"there is no column {identifier}: the flow has {', '.join(flow.columns)}")
    return Imported(_definition(flow, group, identifier), flow.programs, flow.notes)


def _chain(nodes: dict[str, Any], last: str) -> list[Any]:
    """Return the nodes from the source to the end, by who takes from whom, not by where they stand in the file."""
    kept = {name: one for name, one in nodes.items() if one.get("type") in ("SOURCE", "TRANSFORM")}
    taken = {given["node_id"] for one in kept.values() for given in one.get("inputs", ())}
    ends = [last] if last else [name for name in kept if name not in taken]
    if len(ends) != 1 or ends[0] not in kept:
        known = ", ".join(name for name in kept if name not in taken)
        raise FlowError(f"the flow ends in several nodes, or not in the one named: name one with --node, of {known}")
    chain: list[Any] = []
    at: str | None = ends[0]
    while at is not None:
        one = nodes[at]
        if one in chain:
            raise FlowError(f"the flow goes round in a circle, at node {at}")
        chain.insert(0, one)
        given = [before["node_id"] for before in one.get("inputs", ())]
        if len(given) > 1:
            raise FlowError(f"node {at} ({one['operator']}) joins several: join the data before they are uploaded")
        at = given[0] if given else None
    return chain


def _take(node: Any, flow: _Flow) -> None:
    kind = re.sub(r"_\d+\.\d+$", "", str(node["operator"])).rpartition(".")[2]
    take = _KINDS.get(kind)
    if take is None:
        flow.notes.append(
            f"node {node['node_id']} ({node['operator']}) is not taken: this kind is not supported; write it as "
            "derive, or as a step"
        )
    else:
        take(node, node.get("parameters") or {}, flow)


def _source(_: Any, parameters: dict[str, Any], flow: _Flow) -> None:
    context = parameters["dataset_definition"].get("s3ExecutionContext", {})
    flow.header = bool(context.get("s3HasHeader", True))
    kind = str(context.get("s3ContentType", "csv")).lower()
    if kind not in ("csv", "parquet"):
        flow.notes.append(f"the flow reads {kind}: upload CSV or Parquet")


def _infer(node: Any, parameters: dict[str, Any], flow: _Flow) -> None:
    schema = (node.get("trained_parameters") or {}).get("schema") or parameters.get("schema") or {}
    for name, kind in schema.items():
        flow.columns[name] = _TYPES.get(kind, STRING)
        if kind not in _TYPES:
            flow.notes.append(f"column {name} is a {kind}, which is taken as a string")
        flow.features[name] = {"name": name}


def _cast(node: Any, parameters: dict[str, Any], flow: _Flow) -> None:
    for name in _listed(parameters["column"]):
        kind = _TYPES.get(parameters["data_type"], STRING)
        feature = _feature(flow, name, node)
        if feature is None:
            continue
        if name in flow.columns and "encode" not in feature and "scale" not in feature:
            flow.columns[name] = kind
        else:
            feature["type"] = kind


def _encode(node: Any, parameters: dict[str, Any], flow: _Flow) -> None:
    operator = parameters["operator"]
    if operator not in _ENCODINGS:
        flow.notes.append(f"node {node['node_id']}: {operator} is not taken: there are {', '.join(_ENCODINGS)}")
        return
    given = parameters[f"{'one_hot' if operator.startswith('One') else 'ordinal'}_encode_parameters"]
    for name in _listed(given["input_column"]):
        feature = _feature(flow, name, node)
        if feature is not None:
            feature["encode"] = _ENCODINGS[operator]
    if given.get("output_style", "Columns") != "Columns":
        flow.notes.append(f"node {node['node_id']}: a vector is not taken: each category becomes a feature of its own")
    if given.get("drop_last"):
        flow.notes.append(
            f"node {node['node_id']}: the last category is kept too: drop its feature where a model needs it"
        )


def _scale(node: Any, parameters: dict[str, Any], flow: _Flow) -> None:
    given = parameters["scale_values_parameters"]
    scaler = given.get("scaler", "Standard scaler")
    if scaler not in _SCALERS:
        flow.notes.append(f"node {node['node_id']}: {scaler} is not taken: there are {', '.join(_SCALERS)}")
        return
    inner = given.get(f"{_SCALERS[scaler].replace('minmax', 'min_max')}_scaler_parameters") or given
    for name in _listed(inner["input_column"]):
        feature = _feature(flow, name, node)
        if feature is not None:
            feature["scale"] = _SCALERS[scaler]


def _drop(node: Any, parameters: dict[str, Any], flow: _Flow) -> None:
    if parameters["operator"] != "Drop column":
        flow.notes.append(
            f"node {node['node_id']}: {parameters['operator']} is not taken: name the feature as you want it"
        )
        return
    for name in _listed(parameters["drop_column_parameters"]["column_to_drop"]):
        flow.features.pop(name, None)


def _pandas(node: Any, parameters: dict[str, Any], flow: _Flow) -> None:
    """Take a program: two kinds of it as what they mean, since they would give a row other values in each run."""
    code = str(parameters["code"])
    try:
        program = FlowProgram.of(code)
    except SyntaxError as error:
        flow.notes.append(f"node {node['node_id']}: its program is not taken, it is no Python ({error.msg})")
        return
    if program.fits_scaler:
        _scaled_inside(node, program, flow)
    elif program.reads_clock and program.assigned:
        flow.event_time = program.assigned
        flow.notes.append(
            f"node {node['node_id']} writes the time of the run into {flow.event_time}: it becomes the event time, "
            "which is that of the upload, the same each time that a file is run"
        )
    else:
        _step(node, code, program, flow)


def _scaled_inside(node: Any, program: FlowProgram, flow: _Flow) -> None:
    names = [name for name in program.listed if flow.columns.get(name) in (INTEGER, NUMBER)]
    for name in names:
        flow.features.setdefault(name, {"name": name})["scale"] = "standard"
    flow.notes.append(
        f"node {node['node_id']} fits a StandardScaler in each run, by which features of two files cannot be compared: "
        f"it becomes scale: standard of {', '.join(names) or 'no column, since it names none'}, fitted once"
    )


def _step(node: Any, code: str, program: FlowProgram, flow: _Flow) -> None:
    name = f"step_{len(flow.steps) + 1}"
    added = program.assigned
    column = added if added and added not in flow.columns else f"{added or name}_made"
    flow.programs[f"{name}.py"] = code if code.endswith("\n") else f"{code}\n"
    flow.steps.append({"name": name, "file": f"{name}.py", "columns": [{"name": column, "type": NUMBER}]})
    flow.notes.append(
        f"node {node['node_id']} is a program, kept as {name}.py: see that it leaves the column {column}, or correct "
        f"steps; it may look at one row at a time only, and a feature of its column is yours to add"
    )


def _feature(flow: _Flow, name: str, node: Any) -> dict[str, Any] | None:
    if name not in flow.features:
        flow.notes.append(f"node {node['node_id']} is about {name}, which the flow has not (any more): it is left out")
        return None
    return flow.features[name]


def _listed(given: Any) -> list[str]:
    return [str(one) for one in given] if isinstance(given, list) else [str(given)]


_KINDS: dict[str, Callable[[Any, dict[str, Any], _Flow], None]] = {
    "s3_source": _source,
    "infer_and_cast_type": _infer,
    "cast_single_data_type": _cast,
    "encode_categorical": _encode,
    "process_numeric": _scale,
    "manage_columns": _drop,
    "custom_pandas": _pandas,
}


def _definition(flow: _Flow, group: str, identifier: str) -> dict[str, Any]:
    name = identifier or "record_id"
    if not identifier:
        own = f"; the flow's own {name} is not taken: say --identifier {name} if it is a key, and no row number"
        flow.notes.append(f"identifiers are made of the upload and the line{own if name in flow.columns else ''}")
    for feature in flow.features.values():
        if not re.match(FEATURE_NAME, feature["name"]):
            flow.notes.append(
                f"{feature['name']!r} cannot be the name of a feature: give it a name, and column: the old one"
            )
    made: dict[str, Any] = {"group": group}
    if not flow.header:
        made["header"] = False
    made["columns"] = [{"name": one, "type": kind} for one, kind in flow.columns.items()]
    if flow.steps:
        made["steps"] = flow.steps
    made["identifier"] = {"name": name, "column": name} if identifier else {"name": name, "made": INTEGER}
    made["event_time"] = {"name": flow.event_time, "as": "epoch"}
    made["features"] = [one for key, one in flow.features.items() if key != name]
    return made
