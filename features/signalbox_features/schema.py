"""The JSON schema of `features.yaml`, published as `docs/features.schema.json`.

A description says what a field has to be, as the end of the sentence "… has to be …": errors are made of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from signalbox_features.model import TYPES

if TYPE_CHECKING:
    Schema = dict[str, Any]

FILE = "features.yaml"
# Names of features and groups: botocore's `sagemaker` model, FeatureName and FeatureGroupName.
FEATURE_NAME = r"^[a-zA-Z0-9]([-_]*[a-zA-Z0-9]){0,63}$"
SCALES = ("standard", "minmax")
ENCODINGS = ("one-hot", "ordinal")
STORES = ("online", "offline", "both")
TTL_UNITS = ("seconds", "minutes", "hours", "days", "weeks")
# FeatureDefinitions, of the same model: at most 2500.
_MOST = 2500
_NAME = "1 to 64 letters and digits, with - and _ between them"


def _text(description: str, pattern: str = r"\S") -> Schema:
    return {"type": "string", "description": description, "pattern": pattern}


def _one_of(values: tuple[str, ...]) -> Schema:
    return {"enum": list(values), "description": f"one of {', '.join(values)}"}


def _flag(description: str) -> Schema:
    return {"type": "boolean", "description": f"true or false: {description}"}


def _number(description: str, **bounds: float) -> Schema:
    return {"type": "number", "description": description, **bounds}


def _whole(description: str, **bounds: int) -> Schema:
    return {"type": "integer", "description": description, **bounds}


def _list(description: str, item: Schema, **more: Any) -> Schema:
    return {"type": "array", "description": description, "items": item, "maxItems": _MOST, **more}


def _fields(description: str, fields: dict[str, Schema], *required: str) -> Schema:
    made = {"type": "object", "description": description, "properties": fields, "additionalProperties": False}
    return {**made, "required": list(required)} if required else made


_COLUMN_NAME = _text("the name of a column")
_FEATURE = _text(f"a feature's name: {_NAME}", FEATURE_NAME)
_SHARE = {"minimum": 0, "maximum": 1}
_COLUMN = _fields("fields: a column's name and type", {"name": _COLUMN_NAME, "type": _one_of(TYPES)}, "name", "type")
_STEP = _fields(
    "fields: a program that adds columns",
    {
        "name": _text("a step's name"),
        "file": _text("a Python file of the project, which has the pandas frame df and leaves df", r"\.py$"),
        "columns": _list("a list of the columns that it adds", _COLUMN, minItems=1),
    },
    "name",
    "file",
    "columns",
)
_MADE = _fields(
    "fields: how a feature is made",
    {
        "name": _FEATURE,
        "column": _COLUMN_NAME,
        "derive": _text("an expression of numeric columns, such as log1p(length * height)"),
        "type": _one_of(TYPES),
        "scale": _one_of(SCALES),
        "encode": _one_of(ENCODINGS),
        "categories": _list("a list of the values that an encoded column has", _text("a text"), uniqueItems=True),
        "fill": {"type": ["string", "number"], "description": "what stands for a missing value: a value, or mean"},
    },
    "name",
)
_RULE = _fields(
    "fields: what the cells of a column have to be",
    {
        "column": _COLUMN_NAME,
        "not_null": _flag("each row has a value"),
        "min": _number("the smallest value"),
        "max": _number("the largest value"),
        "allowed": _list(
            "a list of values",
            {"type": ["string", "number"], "description": "a text or a number"},
            uniqueItems=True,
            minItems=1,
        ),
        "unique": _flag("no two rows of a run have the same value"),
    },
    "column",
)

SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": f"{FILE}: the features of a project of Signalbox",
    **_fields(
        "fields: the features of a project",
        {
            "group": _text(f"the feature group's name: {_NAME}", FEATURE_NAME),
            "header": _flag("the first line of a CSV file names the columns"),
            "delimiter": _text("one character, such as ;", r"^[^\"\r\n]$"),
            "columns": _list("a list of the columns of the files, in their order", _COLUMN, minItems=1),
            "steps": _list("a list of programs that add columns", _STEP),
            "identifier": _fields(
                "fields: the feature that identifies a record, from a column, or made",
                {"name": _FEATURE, "column": _COLUMN_NAME, "made": _one_of(("string", "integer"))},
                "name",
            ),
            "event_time": _fields(
                "fields: the feature with a record's time, from a column, or that of the upload",
                {"name": _FEATURE, "column": _COLUMN_NAME, "as": _one_of(("epoch", "iso"))},
                "name",
            ),
            "features": _list("a list of features", _MADE, minItems=1),
            "quality": _list("a list of rules for columns", _RULE),
            "rows": _fields(
                "fields: how many rows a run has",
                {
                    "min": _whole("a whole number of rows, at least 0", minimum=0),
                    "max": _whole("a whole number of rows, at least 1", minimum=1),
                },
            ),
            "drift": _fields(
                "fields: how far a run may be from what was fitted",
                {"psi": _number("a number above 0: the largest population stability index", exclusiveMinimum=0)},
                "psi",
            ),
            "quarantine": _fields(
                "fields: which share of a run may be in quarantine",
                {
                    "rows": _number("a share of the rows from 0 to 1", **_SHARE),
                    "files": _number("a share of the files from 0 to 1", **_SHARE),
                },
            ),
            "store": _one_of(STORES),
            "ttl": _fields(
                "one field: how long a record stays in the online store, such as {days: 30}",
                {unit: _whole("a whole number, at least 1", minimum=1) for unit in TTL_UNITS},
            ),
        },
        "group",
        "columns",
        "identifier",
        "event_time",
        "features",
    ),
}
