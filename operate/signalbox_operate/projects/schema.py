"""The JSON schema of `signalbox.yaml`, published as `docs/signalbox.schema.json`.

A description says what a field has to be, as the end of the sentence "… has to be …": errors are made of it.
"""

from typing import Any

from signalbox.contracts.problems import PROBLEMS

type Schema = dict[str, Any]

FILE = "signalbox.yaml"
MODEL_NAME = r"^(?=.{1,30}$)[a-z0-9](-?[a-z0-9])*$"
PIPELINE_NAME = r"^(?=.{1,20}$)[a-z0-9](-?[a-z0-9])*$"
TAKES = ("manifest", "url", "nothing")
_NAME = "lower-case letters and digits with single hyphens between them"
_PLACE = r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[A-Za-z0-9_.=/-]*$"
# Limits of SageMaker: botocore's `sagemaker` model, CreateTrainingJob and Tag.
_MOST_TAGS, _MOST_HYPERPARAMETERS, _MOST_VARIABLES = 40, 100, 100
_MOST_FURTHER_CHANNELS = 19
_CHANNEL = r"^[A-Za-z0-9._-]{1,64}$"
_DAYS_28 = 28 * 86_400


def _text(description: str, pattern: str = r"\S", **more: Any) -> Schema:
    return {"type": "string", "description": description, "pattern": pattern, **more}


def _whole(description: str, least: int, most: int) -> Schema:
    return {"type": "integer", "description": description, "minimum": least, "maximum": most}


def _flag(description: str) -> Schema:
    return {"type": "boolean", "description": f"true or false: {description}"}


def _list(description: str, item: Schema, most: int = 50) -> Schema:
    return {"type": "array", "description": description, "items": item, "maxItems": most, "uniqueItems": True}


def _fields(description: str, fields: dict[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    made = {"type": "object", "description": description, "properties": fields, "additionalProperties": False}
    return {**made, "required": list(required)} if required else made


def _named(description: str, pattern: str, value: Schema, most: int = 50) -> Schema:
    """Return an object whose keys people choose."""
    patterns = {"patternProperties": {pattern: value}, "additionalProperties": False, "maxProperties": most}
    return {"type": "object", "description": description, **patterns}


_FOLDER = _text("a folder of the project")
_INSTANCE = _text("a SageMaker instance type, such as ml.m5.large", r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")
_MODEL = _text(f"a model's name: 1 to 30 {_NAME}", MODEL_NAME)
_PIPELINE = _text(f"a pipeline's name: 1 to 20 {_NAME}", PIPELINE_NAME)

_UPLOADS = _fields(
    "fields: which uploads start which pipeline",
    {
        "prefix": _text(
            "a prefix in the data bucket that ends with a slash, such as incoming/wine/", r"^[A-Za-z0-9_.=/-]*[^/]/$"
        ),
        "suffix": _text("what the keys end in, such as .csv", r"^[A-Za-z0-9_.=-]{0,64}$"),
        "quiet_seconds": _whole(
            "a whole number of seconds from 0 to 86400: a run starts when no upload came for so long", 0, 86_400
        ),
        "longest_seconds": _whole(
            "a whole number of seconds from 1 to 604800: a run starts when the first upload waits for so long, even if "
            "others still come",
            1,
            604_800,
        ),
        "batch": _whole(
            "a whole number from 1 to 5000: a run starts when so many uploads wait, even if others still come", 1, 5_000
        ),
        "pipeline": _PIPELINE,
        "complete": _text(
            "what the keys of objects end in that name the files of a set, such as manifest.json: a run waits for all",
            r"^[A-Za-z0-9_.=-]{1,64}$",
        ),
        "replace": _flag("a newer version of an object that still waits takes the place of the older"),
    },
)
_PIPELINES = _fields(
    "fields: where the definition is, and what it does",
    {
        "definition": _text(
            "a file of the project: a script (.py) that prints a definition, or a .json", r"\.(py|json)$"
        ),
        "code": _FOLDER,
        "models": _list("a list of the names of the models that it registers", _MODEL),
        "parameter": _text("the name of the parameter that gets the uploads", r"^[A-Za-z0-9][A-Za-z0-9_-]{0,255}$"),
        "takes": {
            "enum": list(TAKES),
            "description": "manifest (the parameter gets a SageMaker manifest), url (it gets an S3 URI) or nothing",
        },
        "golden": _named(
            "models that the pipeline registers, each with a file of the code that has golden requests",
            MODEL_NAME,
            _text("a file of the pipeline's code, such as golden.jsonl"),
        ),
        "bad_share": {
            "type": "number",
            "description": "a number from 0 to 1: the share of a run's files that may be bad, and are left out then",
            "minimum": 0,
            "maximum": 1,
        },
        "replace": _named("texts of the definition, each with what stands in its place", r"^.+$", _text("a text", r"")),
    },
    ("definition",),
)
_CONTAINERS = _fields(
    "fields: how the container is built, trained and tested",
    {
        "folder": _FOLDER,
        "model": _MODEL,
        "image": _text("an image's URI, <account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>", r"^\S+/\S+$"),
        "problem": {"enum": list(PROBLEMS), "description": f"one of {', '.join(PROBLEMS)}"},
        "hyperparameters": _named(
            "names with values",
            r"^.{1,256}$",
            {"type": ["string", "number", "boolean"], "description": "a text or a number"},
            _MOST_HYPERPARAMETERS,
        ),
        "channel": _text("the name of the channel with the training data, such as train", _CHANNEL),
        "channels": _named(
            "further channels, each with a file or folder of the project",
            _CHANNEL,
            _text("a file or folder of the project, with the channel's data"),
            _MOST_FURTHER_CHANNELS,
        ),
        "train": _text("a file or folder of the project, with the training data"),
        "test": _text("a file or folder of the project, with the test data"),
        "instance_type": _INSTANCE,
        "instance_count": _whole("a whole number of instances from 1 to 100", 1, 100),
        "volume_gb": _whole("a whole number of GB from 1 to 16384", 1, 16_384),
        "max_seconds": _whole("a whole number of seconds from 1 to 2419200, which is 28 days", 1, _DAYS_28),
        "spot": _flag("train on spare capacity"),
        "environment": _named(
            "variables with values", r"^[a-zA-Z_][a-zA-Z0-9_]{0,511}$", _text("a text", r""), _MOST_VARIABLES
        ),
        "subnets": _list("a list of subnet ids", _text("a subnet's id", r"^[-0-9a-zA-Z]{1,32}$"), 16),
        "security_groups": _list(
            "a list of security group ids", _text("a security group's id", r"^[-0-9a-zA-Z]{1,32}$"), 5
        ),
        "network_isolation": _flag("keep the container from any network"),
        "max_payload_mb": _whole("a whole number of MB from 1 to 100: the largest request of the test", 1, 100),
        "content_type": _text("a content type such as text/csv", r"^[\w.+-]+/[\w.+-]+$"),
    },
    ("problem",),
)

SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": f"{FILE}: a project of Signalbox",
    **_fields(
        "fields: a project",
        {
            "project": _text(f"the project's name: 1 to 30 {_NAME}", MODEL_NAME),
            "uploads": {
                **_UPLOADS,
                "type": ["object", "array"],
                "description": "one set of fields, or a list of such: which uploads start which pipeline",
                "items": _UPLOADS,
                "maxItems": 10,
            },
            "pipelines": _named(f"pipelines by name: 1 to 20 {_NAME}", PIPELINE_NAME, _PIPELINES, 20),
            "containers": _named(f"containers by name: 1 to 30 {_NAME}", MODEL_NAME, _CONTAINERS, 20),
            "branches": _fields(
                "fields: what a push to a branch does",
                {
                    "main": _text("the name of the main branch"),
                    "experiments": _flag("other branches get pipelines of their own"),
                },
            ),
            "approvers": _list(
                "a list of e-mail addresses",
                _text("an e-mail address", r"^[^@\s,<>\"]+@[^@\s,<>\"]+\.[^@\s,<>\"]+$"),
                50,
            ),
            "stages": {
                "type": "array",
                "description": "a list of stages, as in the stages document",
                "items": {"type": "object", "description": "a stage's fields"},
                "maxItems": 10,
            },
            "tags": _named(
                "tags: keys that do not begin with aws: or sagemaker:, with values",
                r"^(?!aws:|sagemaker:)[\w .:/=+@-]{1,128}$",
                _text("a text of at most 256 letters, digits, blanks and _ . : / = + - @", r"^[\w .:/=+@-]{0,256}$"),
                _MOST_TAGS,
            ),
            "access": _fields(
                "fields: further places that the jobs may use",
                {
                    "read": _list("a list of S3 URIs", _text("an S3 URI, s3://bucket/prefix", _PLACE)),
                    "write": _list("a list of S3 URIs", _text("an S3 URI, s3://bucket/prefix", _PLACE)),
                },
            ),
        },
        ("project",),
    ),
}
