"""The mlops machine for its tests: what it is deployed with, and answers with which every task of it succeeds.

Plans and evaluations are those that the functions really answer.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from signalbox.aws.objects import ObjectCopy
from signalbox.contracts.errors import BUSY, LAMBDA, STEP_FUNCTIONS, TIMEOUT
from signalbox.contracts.reviews import ReviewDecision
from signalbox.contracts.training import Evaluated, EvaluationPlan, Pinned, TrainingPlan
from signalbox.evaluation.evaluating import evaluate
from signalbox.training.pinning import PinningPorts, pin
from signalbox.training.planning import plan
from tests.support import evaluation, training
from tests.support.machines import EXECUTION_ARN, EXECUTION_NAME, Mock, Return
from tests.support.objects import RememberedObjects

MACHINE = Path(__file__).parents[2] / "statemachine/mlops.asl.json"
FUNCTIONS = ("PlanTraining", "PinModel", "EvaluateModel", "RequestReview", "CloseReview", "Announce")
SUBSTITUTIONS = {
    **{f"{name}Arn": f"arn:aws:lambda:us-east-1:123456789012:function:{name}" for name in FUNCTIONS},
    "ReleaseMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:release",
    "ReviewSeconds": "604800",
    "Partition": "aws",
}
PACKAGE = training.ARN
IMAGE_INPUT = training.IMAGE_INPUT
PACKAGE_INPUT = {"package": PACKAGE}


def _planned(machine_input: object, package: Mapping[str, object] = training.PACKAGE) -> TrainingPlan:
    asked = training.question(machine_input)
    asked["execution"], asked["execution_arn"] = EXECUTION_NAME, EXECUTION_ARN
    return plan(asked, training.ports(package))


def _evaluated(asked: EvaluationPlan) -> Evaluated:
    output, tested = f"{asked['predictions']}iris.csv.out", f"{asked['test_data']}iris.csv"
    objects = RememberedObjects({output: "9,1.0,9\n", tested: "9,1.0\n"})
    content = _pinned(PLAN if asked["package"] is None else PACKAGE_PLAN)["content"]
    return evaluate(
        {"plan": asked, "content": content, "training": None, "execution_arn": EXECUTION_ARN}, evaluation.ports(objects)
    )


class _Copies:
    def copy(self, source: str, target: str) -> ObjectCopy:
        """See `training.pinning.Copier`."""
        assert source.endswith("model.tar.gz")
        return ObjectCopy(target, "v1", "etag", "etag")

    def copy_under(self, source: str, target: str) -> ObjectCopy:
        """See `training.pinning.Copier`."""
        assert source.endswith("/")
        return ObjectCopy(target, None, "digest", "digest")


class _Images:
    def by_digest(self, image: str) -> str:
        """See `training.pinning.Images`."""
        return f"{image.partition(':')[0]}@sha256:{'a' * 64}"


def _pinned(planned: TrainingPlan) -> Pinned:
    return pin({"plan": planned["pinning"], "model": planned["requests"]["model"]}, PinningPorts(_Copies(), _Images()))


PLAN, PACKAGE_PLAN = _planned(IMAGE_INPUT), _planned(PACKAGE_INPUT)
PINNED, PACKAGE_PINNED = _pinned(PLAN), _pinned(PACKAGE_PLAN)
EVALUATION, PACKAGE_EVALUATION = _evaluated(PLAN["evaluation"]), _evaluated(PACKAGE_PLAN["evaluation"])
UNTESTED_PLAN = _planned(PACKAGE_INPUT, {**training.PACKAGE, "CustomerMetadataProperties": {"owner": "ann"}})
UNTESTED_EVALUATION = _evaluated(UNTESTED_PLAN["evaluation"])
APPROVED: ReviewDecision = {
    "review": "r1",
    "decision": "approved",
    "by": "ann@example.com",
    "at": "2026-11-20T10:00:00.000000Z",
    "reason": "",
}
REJECTED: ReviewDecision = {**APPROVED, "decision": "rejected", "reason": "too slow"}
EXPIRED: ReviewDecision = {**APPROVED, "decision": "expired", "by": ""}
TRAINED = {"ModelArtifacts": {"S3ModelArtifacts": PLAN["evaluation"]["model_data"]}, "TrainingTimeInSeconds": 61}
RELEASED = {"verdict": "released", "stages": [{"stage": "staging"}, {"stage": "prod"}]}
FAILED_JOB = json.dumps({"TrainingJobStatus": "Failed", "FailureReason": "AlgorithmError: exit code 1"})
CALLED_ERRORS = (*sorted(LAMBDA), BUSY)
JOB_ERRORS = ("SageMaker.ResourceLimitExceededException", "SageMaker.AmazonSageMakerException")
SDK_ERRORS = ("SageMaker.SageMakerException", "SageMaker.SdkClientException")
FUNCTION_ERRORS = (*CALLED_ERRORS, TIMEOUT)
# Which errors of which task pass by themselves.
RETRIED: dict[str, tuple[str, ...]] = {
    "PlanTraining": FUNCTION_ERRORS,
    "TrainModel": JOB_ERRORS,
    "PinModel": FUNCTION_ERRORS,
    "CreateModel": SDK_ERRORS,
    "FindModel": SDK_ERRORS,
    "TransformTestData": JOB_ERRORS,
    "EvaluateModel": FUNCTION_ERRORS,
    "CreateModelPackageGroup": ("SageMaker.SdkClientException",),
    "RegisterModel": (*SDK_ERRORS, "SageMaker.ConflictException"),
    "AttachEvidence": (*SDK_ERRORS, "SageMaker.ConflictException"),
    "RequestReview": (*CALLED_ERRORS, "DecisionNotPassedOnError"),
    "CloseReview": FUNCTION_ERRORS,
    "Release": tuple(sorted(STEP_FUNCTIONS)),
    "StopTrainingJob": ("SageMaker.SdkClientException",),
    "StopTransformJob": ("SageMaker.SdkClientException",),
    "Announce": CALLED_ERRORS,
}


def straight(*, package: bool = False) -> dict[str, Mock]:
    """Return mocks with which every task succeeds, for an image or for a package."""
    return {
        "PlanTraining": Return(PACKAGE_PLAN if package else PLAN),
        "TrainModel": Return(TRAINED),
        "PinModel": Return(PACKAGE_PINNED if package else PINNED),
        "CreateModel": Return({"ModelArn": "arn"}),
        "FindModel": Return({"ModelName": PLAN["names"]["model"]}),
        "TransformTestData": Return({"TransformJobStatus": "Completed"}),
        "EvaluateModel": Return(PACKAGE_EVALUATION if package else EVALUATION),
        "CreateModelPackageGroup": Return({"ModelPackageGroupArn": "arn"}),
        "RegisterModel": Return({"ModelPackageArn": PACKAGE}),
        "AttachEvidence": Return({"ModelPackageArn": PACKAGE}),
        "RequestReview": Return(APPROVED),
        "CloseReview": Return(EXPIRED),
        "Release": Return({"Output": RELEASED, "Status": "SUCCEEDED"}),
        "StopTrainingJob": Return({}),
        "StopTransformJob": Return({}),
        "Announce": Return({"mailed": 2}),
    }
