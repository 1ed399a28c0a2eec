"""The pipeline of this project: prepare → train → evaluate → register for review, or fail and say by how much.

`signalbox deploy` and `signalbox run` run this file; it prints the pipeline's definition as JSON.
"""

import json
import os
import sys
from pathlib import Path

from signalbox_operate.pipelines import (
    Parameter,
    Pipeline,
    at_least,
    at_most,
    condition,
    fail,
    get,
    images,
    job,
    join,
    json_get,
    output_of,
    retry,
)

sys.path.insert(0, str(Path(__file__).parent / "code"))
import table  # lies with the jobs' code

INSTANCE, HOSTS = "__INSTANCE__", ["ml.m5.large", "ml.m5.xlarge", "ml.c5.xlarge"]
REGION, ROLE, KEY = (os.environ[f"SIGNALBOX_{name}"] for name in ("REGION", "JOB_ROLE", "KEY"))
CODE, OUTPUT = (os.environ[f"SIGNALBOX_{name}"].rstrip("/") for name in ("CODE", "OUTPUT"))
(GROUP,) = json.loads(os.environ["SIGNALBOX_GROUPS"]).values()  # of its one model
IMAGE = images.uri(images.SCIKIT_LEARN, REGION)
WORK = "/opt/ml/processing"
BAD_SHARE = os.environ.get("SIGNALBOX_BAD_SHARE", "0")  # of a run's files, from 0 to 1
RETRIES = [
    retry("Step.SERVICE_FAULT", "Step.THROTTLING", interval=10, attempts=5),
    retry("SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT", interval=120, attempts=5),
]
METRIC = "mse" if table.PROBLEM == "regression" else "accuracy"
METRICS = "regression_metrics" if table.PROBLEM == "regression" else f"{table.PROBLEM}_classification_metrics"


def of_run(name):
    """Return where a run writes."""
    return join("/", OUTPUT, get("Execution.PipelineExecutionId"), name)


def channel(name, uri, folder, kind="S3Prefix"):
    """Return an input of a processing job."""
    source = {"S3Uri": uri, "LocalPath": folder, "S3DataType": kind, "S3InputMode": "File"}
    return {"InputName": name, "S3Input": source}


def processing(name, program, inputs, outputs, words=(), **options):
    """Return a step that runs a program of the code folder with the words of its command line."""
    places = [
        {
            "OutputName": output,
            "S3Output": {"S3Uri": of_run(output), "LocalPath": f"{WORK}/output/{output}", "S3UploadMode": "EndOfJob"},
        }
        for output in outputs
    ]
    arguments = {
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", f"{WORK}/code/{program}", *words],
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": get("Parameters.ProcessingInstanceType"),
                "InstanceCount": 1,
                "VolumeSizeInGB": 30,
            }
        },
        "ProcessingInputs": [*inputs, channel("code", f"{CODE}/code/", f"{WORK}/code")],
        "ProcessingOutputConfig": {"Outputs": places, "KmsKeyId": KEY},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "RoleArn": ROLE,
    }
    return job("Processing", name, arguments, retries=RETRIES, **options)


def training():
    """Return the step that trains, by the image's script mode."""
    script = {
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": f"{CODE}/sourcedir.tar.gz",
        "sagemaker_region": REGION,
    }
    source = {"S3DataType": "S3Prefix", "S3Uri": output_of("Prepare", "train")}
    arguments = {
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "train:score", "Regex": "train:score=([-0-9.e]+)"}],
        },
        "HyperParameters": {name: json.dumps(value) for name, value in script.items()},
        "InputDataConfig": [
            {"ChannelName": "train", "DataSource": {"S3DataSource": source}, "ContentType": "text/csv"}
        ],
        "OutputDataConfig": {"S3OutputPath": of_run("model"), "KmsKeyId": KEY},
        "ResourceConfig": {
            "InstanceType": get("Parameters.TrainingInstanceType"),
            "InstanceCount": 1,
            "VolumeSizeInGB": 30,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "RoleArn": ROLE,
    }
    return job("Training", "Train", arguments, retries=RETRIES)


def register():
    """Return the step that registers the model; its properties tell the review what to test it on, and what to show."""
    model = get("Steps.Train.ModelArtifacts.S3ModelArtifacts")
    environment = {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
    }
    report = join("/", output_of("Evaluate", "evaluation"), "evaluation.json")
    bound = "MSE at most " if METRIC == "mse" else "accuracy at least "
    arguments = {
        "ModelPackageGroupName": GROUP,
        "InferenceSpecification": {
            "Containers": [{"Image": IMAGE, "ModelDataUrl": model, "Environment": environment}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv", "application/json"],
            "SupportedRealtimeInferenceInstanceTypes": HOSTS,
            "SupportedTransformInstanceTypes": HOSTS,
        },
        "ModelMetrics": {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": report}}},
        "ModelApprovalStatus": "PendingManualApproval",
        "CustomerMetadataProperties": {
            "test-data": output_of("Prepare", "test"),
            "content-type": "text/csv",
            "problem": table.PROBLEM,
            "manifest": get("Parameters.InputManifest"),
            "quarantine": join("/", output_of("Prepare", "quarantine"), "quarantine.json"),
            "threshold": join("", bound, get("Parameters.Threshold")),
            "train-rows": join("", json_get("Prepare", "Counts", "train")),
            **({"columns": table.SHOWN} if table.SHOWN else {}),
        },
        "SkipModelValidation": "None",
    }
    return job("RegisterModel", "Register", arguments, retries=RETRIES[:1])


def check_files():
    """Return the step that trains where files are good enough, and says of the others what is wrong.

    SageMaker lets no condition lie in another one's branch, and no step wait for one: so the training is in the branch,
    and what follows it waits for the training.
    """
    return condition(
        "CheckFiles",
        [at_least(json_get("Prepare", "Quarantine", "good"), 1)],
        if_steps=[training()],
        else_steps=[fail("UnusableFiles", join("", json_get("Prepare", "Quarantine", "problem")))],
    )


def check():
    """Return the step that registers a model that is good enough, and says of another how far it is off."""
    metric = json_get("Evaluate", "Report", f"{METRICS}.{METRIC}.value")
    compared = at_most if METRIC == "mse" else at_least
    bound = "at most" if METRIC == "mse" else "at least"
    reason = join(
        "",
        f"The model is not registered: its {METRIC} on the held-out rows is ",
        metric,
        f", and the parameter Threshold wants {bound} ",
        get("Parameters.Threshold"),
        ".",
    )
    return condition(
        "CheckThreshold",
        [compared(metric, get("Parameters.Threshold"))],
        if_steps=[register()],
        else_steps=[fail("NotGoodEnough", reason)],
    )


def definition():
    """Return the definition, seen to be one that SageMaker takes."""
    parameters = [
        Parameter("InputManifest"),
        Parameter("ProcessingInstanceType", default=INSTANCE),
        Parameter("TrainingInstanceType", default=INSTANCE),
        Parameter("Threshold", "Float", table.THRESHOLD),
    ]
    uploads = channel("uploads", get("Parameters.InputManifest"), f"{WORK}/input", "ManifestFile")
    model = channel("model", get("Steps.Train.ModelArtifacts.S3ModelArtifacts"), f"{WORK}/model")
    test = channel("test", output_of("Prepare", "test"), f"{WORK}/test")
    steps = [
        processing(
            "Prepare",
            "prepare.py",
            [uploads],
            ["train", "test", "counts", "quarantine"],
            ["--bad-share", BAD_SHARE],
            property_files={
                "Counts": ("counts", "counts.json"),
                "Quarantine": ("quarantine", "quarantine.json"),
            },
        ),
        check_files(),
        processing(
            "Evaluate",
            "evaluate.py",
            [model, test],
            ["evaluation"],
            property_files={"Report": ("evaluation", "evaluation.json")},
        ),
        check(),
    ]
    return Pipeline(os.environ["SIGNALBOX_PIPELINE"], parameters, steps).definition()


if __name__ == "__main__":
    print(json.dumps(definition()))
