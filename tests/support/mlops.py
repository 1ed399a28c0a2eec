"""The mlops machine for its tests: what it is deployed with, and answers with which every task of it succeeds."""

import json
from pathlib import Path
from typing import Any

from tests.support.machines import Mock, Return

MACHINE = Path(__file__).parents[2] / "statemachine/mlops.asl.json"
FUNCTIONS = ("PlanTraining", "EvaluateModel", "RequestReview", "CloseReview", "Announce")
SUBSTITUTIONS = {
    **{f"{name}Arn": f"arn:aws:lambda:us-east-1:123456789012:function:{name}" for name in FUNCTIONS},
    "ReleaseMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:release",
    "JobRoleArn": "arn:aws:iam::123456789012:role/jobs",
    "TrainingInstanceType": "ml.m5.large",
    "TransformInstanceType": "ml.m5.large",
    "ReviewSeconds": "604800",
}
PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/signalbox-iris/4"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris:8c1d"
IMAGE_INPUT = {"image": IMAGE, "commit": "8c1d"}
PACKAGE_INPUT = {"package": PACKAGE}
EVALUATION = {
    "report": "s3://artifacts/evaluations/execution-1/report.json",
    "golden": "s3://artifacts/evaluations/execution-1/golden.json",
    "primary": "accuracy",
    "value": 0.96,
    "better": None,
    "summary": "Accuracy 0.96 on 50 rows.",
}
APPROVED = {"review": "r1", "decision": "approved", "by": "ann@example.com", "at": "2026-11-20T10:00:00Z", "reason": ""}
REJECTED = APPROVED | {"decision": "rejected", "reason": "too slow"}
PLAN: dict[str, Any] = {
    "entry": "image",
    "model": "iris",
    "group": "signalbox-iris",
    "package": None,
    "commit": "8c1d",
    "image": IMAGE,
    "model_data": None,
    "environment": {},
    "content_type": "text/csv",
    "train_data": "s3://data/models/iris/train/",
    "test_data": "s3://data/models/iris/test/",
    "hyperparameters": {"max_leaf_nodes": "30"},
    "names": {"training": "iris-training-1", "model": "iris-model-1", "transform": "iris-transform-1"},
    "outputs": {
        "training": "s3://artifacts/training/execution-1/",
        "transform": "s3://artifacts/transforms/execution-1/",
        "evaluation": "s3://artifacts/evaluations/execution-1/",
    },
    "client_token": "a" * 36,
}
PACKAGE_PLAN = PLAN | {
    "entry": "package",
    "package": PACKAGE,
    "model_data": "s3://artifacts/model.tar.gz",
    "environment": {"SAGEMAKER_PROGRAM": "serve.py"},
    "train_data": None,
    "hyperparameters": {},
}
TRAINED = {"ModelArtifacts": {"S3ModelArtifacts": "s3://artifacts/training/model.tar.gz"}, "TrainingTimeInSeconds": 61}
RELEASED = {"verdict": "released", "stages": [{"stage": "staging"}, {"stage": "prod"}], "decision": None}
FAILED_JOB = json.dumps({"TrainingJobStatus": "Failed", "FailureReason": "AlgorithmError: exit code 1"})
LAMBDA_ERRORS = (
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
)
JOB_ERRORS = ("SageMaker.ResourceLimitExceededException", "SageMaker.AmazonSageMakerException")
SDK_ERRORS = ("SageMaker.SageMakerException", "SageMaker.SdkClientException")
# Which errors of which task pass by themselves.
RETRIED: dict[str, tuple[str, ...]] = {
    "PlanTraining": LAMBDA_ERRORS,
    "TrainModel": JOB_ERRORS,
    "CreateModel": SDK_ERRORS,
    "TransformTestData": JOB_ERRORS,
    "EvaluateModel": LAMBDA_ERRORS,
    "CreateModelPackageGroup": ("SageMaker.SdkClientException",),
    "RegisterModel": (*SDK_ERRORS, "SageMaker.ConflictException"),
    "AttachEvidence": (*SDK_ERRORS, "SageMaker.ConflictException"),
    "RequestReview": LAMBDA_ERRORS,
    "CloseReview": LAMBDA_ERRORS,
    "Release": ("StepFunctions.ExecutionLimitExceededException", "StepFunctions.SdkClientException"),
    "AnnounceRelease": LAMBDA_ERRORS,
    "AnnounceRejected": LAMBDA_ERRORS,
    "AnnounceExpired": LAMBDA_ERRORS,
    "StopTrainingJob": ("SageMaker.SdkClientException",),
    "StopTransformJob": ("SageMaker.SdkClientException",),
    "AnnounceFailure": LAMBDA_ERRORS,
}


def straight(plan: dict[str, Any] = PLAN) -> dict[str, Mock]:
    """Return mocks with which every task succeeds."""
    announced = dict.fromkeys(("AnnounceRelease", "AnnounceRejected", "AnnounceExpired", "AnnounceFailure"))
    return {
        "PlanTraining": Return(plan),
        "TrainModel": Return(TRAINED),
        "CreateModel": Return({"ModelArn": "arn"}),
        "TransformTestData": Return({"TransformJobStatus": "Completed"}),
        "EvaluateModel": Return(EVALUATION),
        "CreateModelPackageGroup": Return({"ModelPackageGroupArn": "arn"}),
        "RegisterModel": Return({"ModelPackageArn": PACKAGE}),
        "AttachEvidence": Return({"ModelPackageArn": PACKAGE}),
        "RequestReview": Return(APPROVED),
        "CloseReview": Return({"review": "r1", "decision": "expired"}),
        "Release": Return({"Output": RELEASED, "Status": "SUCCEEDED"}),
        "StopTrainingJob": Return({}),
        "StopTransformJob": Return({}),
        **{state: Return({"mailed": 2}) for state in announced},
    }
