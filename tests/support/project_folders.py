"""Folders of projects for tests of the command line: one that can be deployed, and changes to it."""

import json
from pathlib import Path
from typing import Any

YAML = """\
project: wine
uploads: {prefix: incoming/wine/, suffix: .csv}
pipelines:
  train:
    definition: pipeline.py
    code: code
    models: [wine]
"""
SCRIPT = """\
import json
import os

said = os.environ
process = {
    "Name": "Prepare",
    "Type": "Processing",
    "Arguments": {
        "AppSpecification": {"ImageUri": "image"},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
        },
        "ProcessingInputs": [
            {
                "InputName": "raw",
                "S3Input": {
                    "S3Uri": {"Get": "Parameters.InputManifest"},
                    "S3DataType": "ManifestFile",
                    "LocalPath": "/opt/ml/processing/raw",
                },
            }
        ],
        "RoleArn": said["SIGNALBOX_JOB_ROLE"],
    },
}
register = {
    "Name": "Register",
    "Type": "RegisterModel",
    "Arguments": {"ModelPackageGroupName": json.loads(said["SIGNALBOX_GROUPS"])["wine"]},
}
parameters = [{"Name": "InputManifest", "Type": "String"}]
print(json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": [process, register]}))
"""


def write(folder: Path, yaml: str = YAML, **files: str) -> Path:
    """Write a project into a folder; `files` are further ones, or take the place of ours: `__` is the dot of a name."""
    (folder / "code").mkdir(parents=True, exist_ok=True)
    (folder / "signalbox.yaml").write_text(yaml)
    for name, text in {"pipeline__py": SCRIPT, "code/train__py": "print('trained')\n", **files}.items():
        path = folder / name.replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def printing(definition: Any) -> str:
    """Return a script that prints a definition."""
    return f"print({json.dumps(json.dumps(definition))})\n"
