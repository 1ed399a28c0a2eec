"""A project's document: which uploads are its own, which pipelines take them, and which models those register.

    {"project": "wine", "id": "wine-0123456789ab",
     "uploads": [{"prefix": "incoming/wine/", "suffix": ".csv", "quiet_seconds": 60, "pipeline": "train"}],
     "pipelines": {"train": {"name": "signalbox-wine--train", "parameter": "InputManifest", "takes": "manifest",
                             "models": ["wine"]}},
     "approvers": [], "tags": {"team": "x"}}

It is the SSM parameter that `names.project_parameter` names.
"""

import json
import re
from collections.abc import Mapping
from typing import NamedTuple

from signalbox.model_documents import NAME, ModelDocument, approvers_in, document_fields, name_in
from signalbox.reading import Fields

MANIFEST, URL, NOTHING = "manifest", "url", "nothing"
QUIET_SECONDS = (0, 86_400)
LONGEST_SECONDS, LONGEST = (1, 604_800), 3_600
BATCH = (1, 5_000)  # a run takes no more (`uploads.rules.MOST_UPLOADS`)
PIPELINE_LIMIT = 20
PARAMETER = "InputManifest"
_PROJECT = ("project", "id", "uploads", "pipelines", "approvers", "tags")
_UPLOADS = ("prefix", "suffix", "quiet_seconds", "longest_seconds", "batch", "pipeline", "complete", "replace")
_PIPELINE = ("name", "parameter", "takes", "models")
_SAGEMAKER_NAME = (
    r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}"  # botocore's `sagemaker` model: PipelineName, PipelineParameterName
)
_PREFIX = r"[A-Za-z0-9_.=/-]*[A-Za-z0-9_.=-]/"
_SUFFIX = r"[A-Za-z0-9_.=-]{0,64}"
_COMPLETE = r"[A-Za-z0-9_.=-]{1,64}"


class ProjectUploads(NamedTuple):
    """Which keys of the data bucket start which of a project's pipelines, and when.

    A run starts once no upload came for `quiet_seconds`, the oldest waits for `longest_seconds` (None: an hour, or the
    quiet ones where they are more), or `batch` uploads wait (None: however many do).

    With `complete`, an object whose key ends so names the files of a set, and a run waits for all of them. With
    `replace`, a newer version of a key that still waits takes the place of the older.
    """

    prefix: str
    pipeline: str
    suffix: str = ""
    quiet_seconds: int = 60
    longest_seconds: int | None = None
    batch: int | None = None
    complete: str | None = None
    replace: bool | None = None

    def completes(self, key: str) -> bool:
        """Say whether the object under a key names the files of a set."""
        return self.complete is not None and key.endswith(self.complete)


class Window(NamedTuple):
    """When waiting uploads have their run: none came for so long, one waits so long, or so many wait (None: any)."""

    quiet_seconds: int
    longest_seconds: int
    batch: int | None


class ProjectPipeline(NamedTuple):
    """A project's pipeline: `name` is SageMaker's, and `models` are those that it registers.

    `takes` says what its `parameter` is given: `MANIFEST` the URI of a SageMaker ManifestFile over the uploads, `URL`
    that of the one upload, or of the folder of copies of several; with `NOTHING` it has no parameter and no uploads.
    """

    name: str
    models: tuple[str, ...] = ()
    takes: str = MANIFEST
    parameter: str | None = PARAMETER


class Project(NamedTuple):
    """A project's document; without approvers, those of the stack count. `id` is made once and kept."""

    project: str
    id: str
    uploads: tuple[ProjectUploads, ...] = ()
    pipelines: Mapping[str, ProjectPipeline] = {}
    approvers: tuple[str, ...] = ()
    tags: Mapping[str, str] = {}


def parse_project(text: str) -> Project:
    """Return the document in `text`.

    Raises:
        ProjectDocumentError: it is not JSON, or a field is missing, unknown or out of bounds.
    """
    fields = document_fields(text, _PROJECT)
    pipelines = {key: _pipeline(key, each) for key, each in fields.members("pipelines", _PIPELINE)}
    return Project(
        project=name_in(fields, "project"),
        id=fields.text("id"),
        uploads=tuple(_uploads(each, pipelines) for each in fields.objects("uploads", (0, 20), _UPLOADS)),
        pipelines=pipelines,
        approvers=approvers_in(fields),
        tags=fields.pairs("tags"),
    )


def to_json(document: Project | ModelDocument) -> str:
    """Return a document as the text of its parameter, which `parse_project` or `parse_model` reads back."""
    return json.dumps(_plain(document), ensure_ascii=False, separators=(",", ":"))


def _pipeline(key: str, fields: Fields) -> ProjectPipeline:
    if not re.fullmatch(NAME, key) or len(key) > PIPELINE_LIMIT:
        allowed = f"1 to {PIPELINE_LIMIT} lower-case letters and digits with single hyphens between them"
        raise fields.refuse("name", f"is that of the pipeline {key!r}: call it by {allowed}")
    takes, parameter = fields.choice("takes", (MANIFEST, URL, NOTHING)), None
    if takes != NOTHING:
        parameter = fields.text("parameter", _SAGEMAKER_NAME, "the pipeline's parameter that takes the uploads")
    elif "parameter" in fields:
        raise fields.refuse("parameter", f"is given where takes is {NOTHING!r}: leave it out, or say what it takes")
    return ProjectPipeline(
        name=fields.text("name", _SAGEMAKER_NAME, "the name of a SageMaker pipeline"),
        models=fields.texts("models", NAME, "the name of a model"),
        takes=takes,
        parameter=parameter,
    )


def _uploads(fields: Fields, pipelines: Mapping[str, ProjectPipeline]) -> ProjectUploads:
    taking = [key for key, pipeline in pipelines.items() if pipeline.takes != NOTHING]
    quiet = fields.whole("quiet_seconds", QUIET_SECONDS, 60)
    longest = fields.whole("longest_seconds", LONGEST_SECONDS) if "longest_seconds" in fields else None
    if longest is not None and longest < quiet:
        raise fields.refuse("longest_seconds", f"is {longest}: give at least the {quiet} of quiet_seconds")
    suffix = fields.text("suffix", _SUFFIX, "at most 64 letters, digits and _ . = -") if "suffix" in fields else ""
    return ProjectUploads(
        prefix=fields.text("prefix", _PREFIX, "letters, digits and _ . = / - with a slash at the end"),
        pipeline=fields.choice("pipeline", taking),
        suffix=suffix,
        quiet_seconds=quiet,
        longest_seconds=longest,
        batch=fields.whole("batch", BATCH) if "batch" in fields else None,
        complete=_complete(fields, suffix),
        replace=fields.flag("replace") or None,
    )


def _complete(fields: Fields, suffix: str) -> str | None:
    if "complete" not in fields:
        return None
    complete = fields.text("complete", _COMPLETE, "1 to 64 letters, digits and _ . = -, such as manifest.json")
    if suffix.endswith(complete):
        raise fields.refuse("complete", f"is {complete!r}, in which all keys with the suffix end: name another ending")
    return complete


def _plain(value: object) -> object:
    """Return a record as JSON has it, without the fields that have nothing."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(each) for name, each in value._asdict().items() if each is not None}
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value
