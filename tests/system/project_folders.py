"""Projects for the scenarios: two alike with two models each, and what the tutorial of pipelines begins with."""

import shutil
from pathlib import Path

from signalbox_local.demo.data import seeded
from signalbox_local.project import ROOT

_OTHERS = ROOT / "tests" / "fidelity" / "cases"
# A job that says how good each model is, and packs one: a row of an upload is `<model>,<accuracy>`.
JUDGE = """\
import json
import os
import pathlib
import tarfile

os.makedirs("/opt/ml/processing/output/judged", exist_ok=True)
rows = [line.split(",") for file in pathlib.Path("/opt/ml/processing/raw").rglob("*") if file.is_file()
        for line in file.read_text().split()]
pathlib.Path("/opt/ml/processing/output/judged/judged.json").write_text(
    json.dumps({model: {"accuracy": float(accuracy)} for model, accuracy in rows}))
with tarfile.open("/opt/ml/processing/output/judged/model.tar.gz", "w:gz") as archive:
    archive.add(pathlib.Path(__file__).with_name("answer.py"), "code/answer.py")
    archive.add("/opt/ml/processing/output/judged/judged.json", "judged.json")
"""
# Serves it: the answer to whatever is asked is which models the upload judged.
ANSWER = """\
import json
import pathlib


def model_fn(model_dir):
    return " ".join(sorted(json.loads((pathlib.Path(model_dir) / "judged.json").read_text())))


def input_fn(request_body, request_content_type):
    return request_body


def predict_fn(input_data, model):
    return model


def output_fn(prediction, accept):
    return prediction, accept
"""
DEFINITION = """\
import json
import os

from signalbox_operate.pipelines import (
    Parameter, Pipeline, at_least, condition, get, images, job, join, json_get, output_of
)

said = os.environ
groups = json.loads(said["SIGNALBOX_GROUPS"])
image = images.uri(images.SCIKIT_LEARN, said["SIGNALBOX_REGION"])


def given(name, uri, kind="S3Prefix"):
    place = {"S3Uri": uri, "LocalPath": f"/opt/ml/processing/{name}", "S3DataType": kind, "S3InputMode": "File"}
    return {"InputName": name, "S3Input": place}


target = {
    "S3Uri": join("/", said["SIGNALBOX_OUTPUT"], get("Execution.PipelineExecutionId")),
    "LocalPath": "/opt/ml/processing/output/judged",
    "S3UploadMode": "EndOfJob",
}
judge = job(
    "Processing",
    "Judge",
    {
        "AppSpecification": {"ImageUri": image, "ContainerEntrypoint": ["python3", "/opt/ml/processing/code/judge.py"]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
        },
        "ProcessingInputs": [
            given("raw", get("Parameters.InputManifest"), "ManifestFile"),
            given("code", said["SIGNALBOX_CODE"] + "/code/"),
        ],
        "ProcessingOutputConfig": {
            "Outputs": [{"OutputName": "judged", "S3Output": target}],
            "KmsKeyId": said["SIGNALBOX_KEY"],
        },
        "RoleArn": said["SIGNALBOX_JOB_ROLE"],
    },
    property_files={"Judged": ("judged", "judged.json")},
)


def registered(model):
    container = {
        "Image": image,
        "ModelDataUrl": join("/", output_of("Judge", "judged"), "model.tar.gz"),
        "Environment": {"SAGEMAKER_PROGRAM": "answer.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
    }
    specification = {
        "Containers": [container],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    name = model.replace("-", "")
    wanted = at_least(json_get("Judge", "Judged", f"{model}.accuracy"), 0.8)
    arguments = {"ModelPackageGroupName": groups[model], "InferenceSpecification": specification}
    arguments["ModelApprovalStatus"] = "PendingManualApproval"
    return condition(f"Check{name}", [wanted], if_steps=[job("RegisterModel", f"Register{name}", arguments)])


steps = [judge, *map(registered, sorted(groups))]
print(json.dumps(Pipeline(said["SIGNALBOX_PIPELINE"], [Parameter("InputManifest")], steps).definition()))
"""
_TWO = """\
project: {name}
uploads: {{suffix: .csv, quiet_seconds: 1}}
pipelines:
  judge: {{definition: definition.py, code: code, models: [{name}-good, {name}-weak]}}
approvers: [{name}@example.com]
tags: {{team: {name}}}
"""


def two_models(folder: Path, name: str) -> Path:
    """Write a project with the models `<name>-good` and `<name>-weak`, which one pipeline registers."""
    (folder / "code").mkdir(parents=True)
    (folder / "signalbox.yaml").write_text(_TWO.format(name=name))
    (folder / "definition.py").write_text(DEFINITION)
    (folder / "code" / "judge.py").write_text(JUDGE)
    (folder / "code" / "answer.py").write_text(ANSWER)
    return folder


def for_the_tutorial(folder: Path) -> None:
    """Write what docs/own-pipeline.md begins with: what the SageMaker SDK writes for its abalone example, and data."""
    shutil.copytree(_OTHERS / "abalone", folder / "code")
    shutil.copy(_OTHERS / "abalone-definition.json", folder / "pipeline.json")
    (folder / "abalone.csv").write_text(seeded(600))
