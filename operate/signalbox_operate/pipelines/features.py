"""The step that makes the features of a run's files, as the project's `features.yaml` declares them."""

from collections.abc import Mapping, Sequence
from typing import Any

from signalbox_operate.pipelines.builder import Step, at_least, get, job, join, json_get
from signalbox_operate.pipelines.form import Json, PipelineError

_ROOT = "/opt/ml/processing"
_PROGRAM, _DATA, _VERSIONS, _OUTPUT = (f"{_ROOT}/{name}" for name in ("program", "data", "versions", "features"))
_MESSAGE = "/opt/ml/output/message"  # its text becomes the ExitMessage of a processing job
_VERDICT = "Features"  # the property file
_MANIFEST = get("Parameters.InputManifest")


def features_job(
    name: str,
    told: Mapping[str, str],
    *,
    image: str,
    manifest: Json = _MANIFEST,
    instance_type: str | Json = "ml.m5.large",
    volume_gb: int = 30,
    max_seconds: int = 14400,
    cache_for: str | None = None,
    retries: Sequence[Json] = (),
    depends_on: Sequence[str] = (),
) -> Step:
    """Return a processing step that writes records to the project's feature group.

    Beside them its output `features` has the records as files, the quarantine and the report. On a branch, where no
    group is told, it has these alone. Where the features refuse the files, nothing is written to the group and the step
    ends well, so that its output is kept: a condition asks `features_usable`, and a Fail step says `features_problem`.

    Args:
        name: the step's name, unique in the pipeline.
        told: the variables that the definition's script runs with (`os.environ`).
        image: a URI of an image with Python 3.8 or later, and with boto3.
        manifest: the reference to the parameter that has the run's manifest.
        instance_type: of the job, or a reference to it.
        volume_gb: the volume, which holds files and records.
        max_seconds: after which the job is ended.
        cache_for: see `job`; only equal features of the same manifest are taken from an earlier run.
        retries: policies made by `retry`.
        depends_on: steps to wait for.

    Raises:
        PipelineError: the project has no features.
    """
    if "SIGNALBOX_FEATURES" not in told:
        raise PipelineError(f"step {name}: the project has no features.yaml, and so nothing to make: write one")
    place, group = told["SIGNALBOX_FEATURES"], told["SIGNALBOX_FEATURE_GROUP"]
    cluster = {"InstanceType": instance_type, "InstanceCount": 1, "VolumeSizeInGB": volume_gb}
    to = join("/", told["SIGNALBOX_OUTPUT"].rstrip("/"), get("Execution.PipelineExecutionId"), "features")
    arguments = {
        "AppSpecification": {
            "ImageUri": image,
            "ContainerEntrypoint": ["python3", "-m", "signalbox_features.job"],
            "ContainerArguments": [*_arguments(), *(["--group", group] if group else [])],
        },
        "Environment": {"PYTHONPATH": _PROGRAM},
        "ProcessingResources": {"ClusterConfig": cluster},
        "ProcessingInputs": [
            _input("program", f"{place}/code/", _PROGRAM),
            _input("data", manifest, _DATA, "ManifestFile"),
            # What a manifest cannot say of its files is beside it, see "Files" in docs/events.md.
            _input("versions", join("", manifest, ".versions.json"), _VERSIONS),
        ],
        "ProcessingOutputConfig": {"Outputs": [_output(to)], "KmsKeyId": told["SIGNALBOX_KEY"]},
        "StoppingCondition": {"MaxRuntimeInSeconds": max_seconds},
        "RoleArn": told["SIGNALBOX_JOB_ROLE"],
    }
    read = {_VERDICT: ("features", "quarantine.json")}
    return job(
        "Processing",
        name,
        arguments,
        cache_for=cache_for,
        retries=retries,
        depends_on=depends_on,
        property_files=read,
    )


def features_usable(name: str) -> Json:
    """Return the condition that the features of a step, by its name, have taken a run's files."""
    return at_least(json_get(name, _VERDICT, "good"), 1)


def features_problem(name: str) -> Json:
    """Return the reference to the sentence that says why they have not; nothing where they have."""
    return json_get(name, _VERDICT, "problem")


def _arguments() -> list[str]:
    documents = ["--definition", f"{_PROGRAM}/features.json", "--artefact", f"{_PROGRAM}/features.fitted.json"]
    data = ["--manifest", _VERSIONS, "--input", _DATA, "--output", _OUTPUT]
    return [*data, *documents, "--message", _MESSAGE, "--end-well"]


def _input(name: str, uri: str | Json, folder: str, kind: str = "S3Prefix") -> dict[str, Any]:
    source = {"S3Uri": uri, "LocalPath": folder, "S3DataType": kind, "S3InputMode": "File"}
    return {"InputName": name, "S3Input": {**source, "S3DataDistributionType": "FullyReplicated"}}


def _output(uri: Json) -> dict[str, Any]:
    target = {"S3Uri": uri, "LocalPath": _OUTPUT, "S3UploadMode": "EndOfJob"}
    return {"OutputName": "features", "S3Output": target}
