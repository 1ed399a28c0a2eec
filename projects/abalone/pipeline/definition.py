"""The abalone pipeline: preprocess → train → evaluate → register for review, or fail and say by how much.

Where uploads cannot be used, and are more than the project allows, it fails and names them before anything is trained.

`signalbox deploy` runs this file and takes what it prints. Where the pipeline runs, and what it may use, it tells in
variables called SIGNALBOX_…, which `AbaloneSettings.told` reads.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from signalbox_operate.pipelines import (
    Json,
    Parameter,
    Pipeline,
    Step,
    at_least,
    at_most,
    condition,
    fail,
    features_job,
    features_problem,
    features_usable,
    get,
    images,
    job,
    join,
    json_get,
    output_of,
    retry,
)

MODEL = "abalone"
CODE = "/opt/ml/processing/code"
MESSAGE = "/opt/ml/output/message"  # its text becomes the ExitMessage of a processing job
CSV, JSON = "text/csv", "application/json"
# Of the test rows' features, in their order: an underscore is shown as a blank.
COLUMNS = "Sex Length Diameter Height Whole_weight Shucked_weight Viscera_weight Shell_weight"
# The job's whole time, so that one that hangs ends: preprocessing and evaluation take seconds, training a minute.
PROCESSING_SECONDS, TRAINING_SECONDS = 1800, 3600
VOLUME_GB = 10
CACHE_FOR = "P30d"
TOO_HIGH = "The model is not registered: its mean squared error on the held-out rows is "
ALLOWED = ", and the parameter MseThreshold allows at most "
STATUSES = ("PendingManualApproval", "Approved")
INSTANCES = ["ml.m5.large", "ml.m5.xlarge", "ml.c5.xlarge"]
_SERVICE_RETRY = retry("Step.SERVICE_FAULT", "Step.THROTTLING", interval=10, attempts=5)
_JOB_RETRIES = [
    _SERVICE_RETRY,
    retry("SageMaker.JOB_INTERNAL_ERROR", interval=30, attempts=2),
    retry("SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT", interval=120, attempts=5),
]


@dataclass(frozen=True)
class AbaloneSettings:
    """Where the pipeline runs and what it may use.

    `code_uri` is the folder that `signalbox deploy` puts the job code in: `code/` with the single programs, and
    `sourcedir.tar.gz`. Everything that the pipeline writes goes under `output_uri`, by execution, and is encrypted with
    `key_arn`. An image that is not given is the one of AWS in `region`. `bad_share` is the share of a run's files that
    may be bad, from 0 to 1; `features` are the variables that the step which makes features is made of.
    """

    name: str
    region: str
    job_role_arn: str
    key_arn: str
    code_uri: str
    output_uri: str
    package_group: str
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    xgboost_image: str | None = None
    scikit_learn_image: str | None = None
    bad_share: str = "0"
    features: Mapping[str, str] | None = None

    @classmethod
    def told(cls, variables: Mapping[str, str]) -> Self:
        """Return the settings in the environment that a definition is made in."""
        return cls(
            name=variables["SIGNALBOX_PIPELINE"],
            region=variables["SIGNALBOX_REGION"],
            job_role_arn=variables["SIGNALBOX_JOB_ROLE"],
            key_arn=variables["SIGNALBOX_KEY"],
            code_uri=variables["SIGNALBOX_CODE"],
            output_uri=variables["SIGNALBOX_OUTPUT"],
            package_group=next(iter(json.loads(variables["SIGNALBOX_GROUPS"]).values())),
            xgboost_image=variables.get("XGBOOST_IMAGE"),
            scikit_learn_image=variables.get("SCIKIT_LEARN_IMAGE"),
            bad_share=variables.get("SIGNALBOX_BAD_SHARE", "0"),
            features=variables if "SIGNALBOX_FEATURES" in variables else None,
        )

    @property
    def xgboost(self) -> str:
        """Return the image that trains, tests and serves."""
        return images.uri(images.XGBOOST, self.region, given=self.xgboost_image, override="the variable XGBOOST_IMAGE")

    @property
    def scikit_learn(self) -> str:
        """Return the image that prepares the data."""
        override = "the variable SCIKIT_LEARN_IMAGE"
        return images.uri(images.SCIKIT_LEARN, self.region, given=self.scikit_learn_image, override=override)


def definition(settings: AbaloneSettings) -> Json:
    """Return the checked definition.

    Raises:
        UnknownRegionError: no image is known in the region, and none was given.
        PipelineError: the settings make a definition that AWS would refuse.
    """
    parameters = [
        Parameter("InputManifest"),
        Parameter("ProcessingInstanceType", default="ml.m5.large"),
        Parameter("TrainingInstanceType", default="ml.m5.large"),
        Parameter("MseThreshold", "Float", 6.0),
        Parameter("ModelApprovalStatus", default=STATUSES[0], choices=STATUSES),
    ]
    mse = json_get("Evaluate", "EvaluationReport", "regression_metrics.mse.value")
    threshold = get("Parameters.MseThreshold")
    too_high = fail("MseTooHigh", join("", TOO_HIGH, mse, ALLOWED, threshold, "."))
    features = _features(settings)
    usable = [at_least(json_get("Preprocess", "Quarantine", "good"), 1)]
    usable += [features_usable(one.name) for one in features]
    problems = [features_problem(one.name) for one in features]
    unusable = fail("UnusableFiles", join(" ", json_get("Preprocess", "Quarantine", "problem"), *problems))
    steps = [
        _preprocess(settings),
        *features,
        # No condition may lie in another one's branch, and no step may wait for one: so the training is in the branch,
        # and what follows it waits for the training.
        condition("CheckFiles", usable, if_steps=[_train(settings)], else_steps=[unusable]),
        _evaluate(settings),
        condition("CheckMse", [at_most(mse, threshold)], if_steps=[_register(settings)], else_steps=[too_high]),
    ]
    return Pipeline(settings.name, parameters, steps).definition()


def _run_folder(settings: AbaloneSettings, name: str) -> Json:
    return join("/", settings.output_uri.rstrip("/"), get("Execution.PipelineExecutionId"), name)


def _input(name: str, uri: str | Json, folder: str, kind: str = "S3Prefix") -> Json:
    source = {"S3Uri": uri, "LocalPath": folder, "S3DataType": kind, "S3InputMode": "File"}
    return {"InputName": name, "S3Input": {**source, "S3DataDistributionType": "FullyReplicated"}}


def _output(settings: AbaloneSettings, name: str) -> Json:
    target = {"S3Uri": _run_folder(settings, name), "LocalPath": f"/opt/ml/processing/output/{name}"}
    return {"OutputName": name, "S3Output": {**target, "S3UploadMode": "EndOfJob"}}


def _processing(
    settings: AbaloneSettings, image: str, program: str, *, arguments: list[str], inputs: list[Json], outputs: list[str]
) -> Json:
    cluster = {"InstanceType": get("Parameters.ProcessingInstanceType"), "InstanceCount": 1}
    code = _input("code", f"{settings.code_uri.rstrip('/')}/code/", CODE)
    return {
        "AppSpecification": {
            "ImageUri": image,
            "ContainerEntrypoint": ["python3", f"{CODE}/{program}"],
            "ContainerArguments": [*arguments, "--message", MESSAGE],
        },
        "ProcessingResources": {"ClusterConfig": {**cluster, "VolumeSizeInGB": VOLUME_GB}},
        "ProcessingInputs": [*inputs, code],
        "ProcessingOutputConfig": {
            "Outputs": [_output(settings, name) for name in outputs],
            "KmsKeyId": settings.key_arn,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": PROCESSING_SECONDS},
        "RoleArn": settings.job_role_arn,
    }


def _preprocess(settings: AbaloneSettings) -> Step:
    raw = "/opt/ml/processing/raw"
    arguments = _processing(
        settings,
        settings.scikit_learn,
        "preprocess.py",
        arguments=["--input", raw, "--output", "/opt/ml/processing/output", "--bad-share", settings.bad_share],
        inputs=[_input("raw", get("Parameters.InputManifest"), raw, "ManifestFile")],
        outputs=["train", "validation", "test", "transform", "counts", "quarantine"],
    )
    read = {"RowCounts": ("counts", "counts.json"), "Quarantine": ("quarantine", "quarantine.json")}
    return job("Processing", "Preprocess", arguments, cache_for=CACHE_FOR, retries=_JOB_RETRIES, property_files=read)


def _features(settings: AbaloneSettings) -> list[Step]:
    if not settings.features:
        return []
    image, kept = settings.scikit_learn, CACHE_FOR
    return [features_job("Features", settings.features, image=image, cache_for=kept, retries=_JOB_RETRIES)]


def _channel(name: str, content_type: str) -> Json:
    place = output_of("Preprocess", name)
    source = {"S3DataType": "S3Prefix", "S3Uri": place, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, "ContentType": content_type}


def _train(settings: AbaloneSettings) -> Step:
    script = {
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": f"{settings.code_uri.rstrip('/')}/sourcedir.tar.gz",
        "sagemaker_region": settings.region,
    }
    arguments = {
        "AlgorithmSpecification": {
            "TrainingImage": settings.xgboost,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "validation:rmse", "Regex": "validation-rmse:([0-9.]+)"}],
        },
        # The script mode of the image reads its own hyperparameters as JSON.
        "HyperParameters": {**settings.hyperparameters, **{key: json.dumps(value) for key, value in script.items()}},
        "InputDataConfig": [_channel("train", CSV), _channel("validation", CSV), _channel("transform", JSON)],
        "OutputDataConfig": {"S3OutputPath": _run_folder(settings, "model"), "KmsKeyId": settings.key_arn},
        "ResourceConfig": {
            "InstanceType": get("Parameters.TrainingInstanceType"),
            "InstanceCount": 1,
            "VolumeSizeInGB": VOLUME_GB,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": TRAINING_SECONDS},
        "RoleArn": settings.job_role_arn,
    }
    return job("Training", "Train", arguments, cache_for=CACHE_FOR, retries=_JOB_RETRIES)


def _evaluate(settings: AbaloneSettings) -> Step:
    model, test = "/opt/ml/processing/model", "/opt/ml/processing/test"
    arguments = _processing(
        settings,
        settings.xgboost,
        "evaluate.py",
        arguments=["--model", model, "--test", test, "--output", "/opt/ml/processing/output/evaluation"],
        inputs=[
            _input("model", get("Steps.Train.ModelArtifacts.S3ModelArtifacts"), model),
            _input("test", output_of("Preprocess", "test"), test),
        ],
        outputs=["evaluation"],
    )
    report = {"EvaluationReport": ("evaluation", "evaluation.json")}
    return job("Processing", "Evaluate", arguments, cache_for=CACHE_FOR, retries=_JOB_RETRIES, property_files=report)


def _register(settings: AbaloneSettings) -> Step:
    report = join("/", output_of("Evaluate", "evaluation"), "evaluation.json")
    container = {
        "Image": settings.xgboost,
        "ModelDataUrl": get("Steps.Train.ModelArtifacts.S3ModelArtifacts"),
        "Environment": {
            "SAGEMAKER_PROGRAM": "inference.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            # What a caller who names no format gets; the image's own choice would be JSON.
            "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": CSV,
        },
    }
    arguments = {
        "ModelPackageGroupName": settings.package_group,
        "InferenceSpecification": {
            "Containers": [container],
            "SupportedContentTypes": [CSV],
            "SupportedResponseMIMETypes": [CSV, JSON],
            "SupportedRealtimeInferenceInstanceTypes": INSTANCES,
            "SupportedTransformInstanceTypes": INSTANCES,
        },
        "ModelMetrics": {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": report}}},
        "ModelApprovalStatus": get("Parameters.ModelApprovalStatus"),
        # The review's batch transform tests the model on these rows: label first, never seen by the training.
        # Columns, manifest, unused files, threshold and the number of training rows are shown to whoever decides.
        "CustomerMetadataProperties": {
            "test-data": output_of("Preprocess", "test"),
            "content-type": CSV,
            "problem": "regression",
            "columns": COLUMNS,
            "manifest": get("Parameters.InputManifest"),
            "quarantine": join("/", output_of("Preprocess", "quarantine"), "quarantine.json"),
            "threshold": join("", "MSE at most ", get("Parameters.MseThreshold")),
            "train-rows": join("", json_get("Preprocess", "RowCounts", "train")),
            **(
                {"features": join("/", output_of("Features", "features"), "quarantine.json")}
                if settings.features
                else {}
            ),
        },
        "SkipModelValidation": "None",
    }
    return job("RegisterModel", "Register", arguments, retries=[_SERVICE_RETRY])


if __name__ == "__main__":
    print(json.dumps(definition(AbaloneSettings.told(os.environ))))  # noqa: T201  # what deploy takes
