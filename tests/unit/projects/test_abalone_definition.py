"""The abalone pipeline asks SageMaker only for what SageMaker takes, and registers what a review needs."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from projects.abalone.pipeline.code import encoding
from projects.abalone.pipeline.definition import AbaloneSettings, definition
from tests.support.botocore_strict import check_request

from signalbox_operate.pipelines import UnknownRegionError

SETTINGS = AbaloneSettings(
    name="signalbox-abalone",
    region="us-east-1",
    job_role_arn="arn:aws:iam::123456789012:role/signalbox-JobRole",
    key_arn="arn:aws:kms:us-east-1:123456789012:key/stack",
    code_uri="s3://artifacts/pipelines/abalone/0123456789abcdef",
    output_uri="s3://artifacts/pipelines/abalone/runs",
    package_group="signalbox-abalone",
)
CALLS = {
    "Processing": ("CreateProcessingJob", {"ProcessingJobName": "pipelines-p4jn9xou8a8s-step-0123456789"}),
    "Training": ("CreateTrainingJob", {"TrainingJobName": "pipelines-p4jn9xou8a8s-step-0123456789"}),
    "RegisterModel": ("CreateModelPackage", {"ClientToken": "token"}),
}
RUN_VALUES = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "ModelApprovalStatus": "PendingManualApproval"}


def steps(settings: AbaloneSettings = SETTINGS) -> dict[str, dict[str, Any]]:
    def walk(found: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
        for step in found:
            yield step["Name"], step
            for branch in ("IfSteps", "ElseSteps"):
                yield from walk(step["Arguments"].get(branch, []))

    return dict(walk(definition(settings)["Steps"]))


def resolved(value: Any, key: str = "") -> Any:
    """Return the arguments as SageMaker would send them: a legal value for each reference."""
    if isinstance(value, dict):
        if set(value) & {"Get", "Std:Join", "Std:JsonGet"}:
            return RUN_VALUES.get(key, "s3://bucket/key")
        return {name: resolved(item, name) for name, item in value.items()}
    return [resolved(item, key) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", ["Preprocess", "Train", "Evaluate", "Register"])
def test_every_call_has_only_values_that_aws_takes(name: str) -> None:
    step = steps()[name]
    operation, made_by_service = CALLS[step["Type"]]
    check_request("sagemaker", operation, {**resolved(step["Arguments"]), **made_by_service})


@pytest.mark.parametrize(
    ("name", "config"),
    [("Preprocess", "ProcessingOutputConfig"), ("Evaluate", "ProcessingOutputConfig"), ("Train", "OutputDataConfig")],
)
def test_what_a_job_writes_is_encrypted_with_the_stacks_key(name: str, config: str) -> None:
    assert steps()[name]["Arguments"][config]["KmsKeyId"] == SETTINGS.key_arn


def test_only_the_data_has_to_be_given_at_the_start() -> None:
    parameters = definition(SETTINGS)["Parameters"]
    assert [parameter["Name"] for parameter in parameters if "DefaultValue" not in parameter] == ["InputManifest"]
    assert {p["Name"]: p.get("DefaultValue") for p in parameters}["MseThreshold"] == 6.0


def test_the_uploads_are_read_through_their_manifest() -> None:
    raw = steps()["Preprocess"]["Arguments"]["ProcessingInputs"][0]["S3Input"]
    assert raw["S3Uri"] == {"Get": "Parameters.InputManifest"}
    assert raw["S3DataType"] == "ManifestFile"


def test_every_job_ends_in_bounded_time_is_cached_and_is_tried_again_after_an_outage() -> None:
    for name in ("Preprocess", "Train", "Evaluate"):
        step = steps()[name]
        assert step["Arguments"]["StoppingCondition"]["MaxRuntimeInSeconds"] <= 3600
        assert step["CacheConfig"]["Enabled"]
        assert any("SageMaker.CAPACITY_ERROR" in policy["ExceptionType"] for policy in step["RetryPolicies"])


def test_every_run_writes_to_a_folder_of_its_own() -> None:
    found = steps()
    outputs = [
        *found["Preprocess"]["Arguments"]["ProcessingOutputConfig"]["Outputs"],
        *found["Evaluate"]["Arguments"]["ProcessingOutputConfig"]["Outputs"],
    ]
    uris = [output["S3Output"]["S3Uri"]["Std:Join"]["Values"] for output in outputs]
    uris.append(found["Train"]["Arguments"]["OutputDataConfig"]["S3OutputPath"]["Std:Join"]["Values"])
    assert all(parts[:2] == [SETTINGS.output_uri, {"Get": "Execution.PipelineExecutionId"}] for parts in uris)
    assert len({parts[2] for parts in uris}) == len(uris) == 8


def test_training_runs_our_script_with_the_hyperparameters_given() -> None:
    given = steps(replace(SETTINGS, hyperparameters={"max_depth": "3"}))["Train"]["Arguments"]["HyperParameters"]
    assert given == {
        "max_depth": "3",
        "sagemaker_program": '"train.py"',
        "sagemaker_submit_directory": '"s3://artifacts/pipelines/abalone/0123456789abcdef/sourcedir.tar.gz"',
        "sagemaker_region": '"us-east-1"',
    }


def test_the_package_waits_for_review_and_says_where_its_test_rows_and_metrics_are() -> None:
    package = steps()["Register"]["Arguments"]
    assert package["ModelPackageGroupName"] == "signalbox-abalone"
    assert package["ModelApprovalStatus"] == {"Get": "Parameters.ModelApprovalStatus"}
    assert package["CustomerMetadataProperties"] == {
        "test-data": {"Get": "Steps.Preprocess.ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri"},
        "content-type": "text/csv",
        "problem": "regression",
        "columns": " ".join(name.replace(" ", "_") for name in encoding.COLUMNS),
        "manifest": {"Get": "Parameters.InputManifest"},
        "quarantine": {
            "Std:Join": {
                "On": "/",
                "Values": [
                    {"Get": "Steps.Preprocess.ProcessingOutputConfig.Outputs['quarantine'].S3Output.S3Uri"},
                    "quarantine.json",
                ],
            }
        },
        "threshold": {
            "Std:Join": {"On": "", "Values": ["MSE at most ", {"Get": "Parameters.MseThreshold"}]},
        },
        "train-rows": {
            "Std:Join": {
                "On": "",
                "Values": [
                    {
                        "Std:JsonGet": {
                            "PropertyFile": {"Get": "Steps.Preprocess.PropertyFiles.RowCounts"},
                            "Path": "train",
                        }
                    }
                ],
            },
        },
    }
    assert package["InferenceSpecification"]["Containers"][0]["Environment"] == {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
    }
    report = package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]["Std:Join"]["Values"]
    assert report[-1] == "evaluation.json"


def test_a_model_that_is_not_good_enough_fails_with_its_error_beside_the_limit() -> None:
    found = steps()
    assert found["CheckMse"]["Arguments"]["Conditions"][0]["Type"] == "LessThanOrEqualTo"
    values = found["MseTooHigh"]["Arguments"]["ErrorMessage"]["Std:Join"]["Values"]
    assert values[1]["Std:JsonGet"]["Path"] == "regression_metrics.mse.value"
    assert values[3] == {"Get": "Parameters.MseThreshold"}


def test_nothing_is_trained_on_files_that_the_project_does_not_allow_and_the_run_says_which() -> None:
    found = steps()
    check = found["CheckFiles"]["Arguments"]
    assert [step["Name"] for step in check["IfSteps"]] == ["Train"]
    assert check["Conditions"][0]["LeftValue"]["Std:JsonGet"]["Path"] == "good"
    (said,) = found["UnusableFiles"]["Arguments"]["ErrorMessage"]["Std:Join"]["Values"]
    assert said["Std:JsonGet"] == {
        "PropertyFile": {"Get": "Steps.Preprocess.PropertyFiles.Quarantine"},
        "Path": "problem",
    }


def test_the_share_that_the_project_allows_reaches_the_job() -> None:
    arguments = steps(replace(SETTINGS, bad_share="0.1"))["Preprocess"]["Arguments"]["AppSpecification"]
    assert arguments["ContainerArguments"][4:6] == ["--bad-share", "0.1"]


def test_an_own_image_is_taken_where_the_region_has_none() -> None:
    away = replace(SETTINGS, region="mars-north-1")
    with pytest.raises(UnknownRegionError, match="with the variable SCIKIT_LEARN_IMAGE"):
        definition(away)
    own = replace(away, xgboost_image="own/xgboost:1", scikit_learn_image="own/sklearn:1")
    assert steps(own)["Train"]["Arguments"]["AlgorithmSpecification"]["TrainingImage"] == "own/xgboost:1"
