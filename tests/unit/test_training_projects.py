"""A run of a model that has a document: its project's roles, places, tags and training, under what the input says."""

import json
from copy import replace
from typing import Any

import pytest
from tests.support.botocore_strict import check_request
from tests.support.training import (
    ARN,
    CONTAINER,
    EXECUTION_ARN,
    HOME,
    IMAGE,
    PACKAGE,
    SETTINGS,
    ports,
    question,
)

from signalbox.contracts.training import TrainingPlan
from signalbox.model_documents import ModelDocument, ModelRoles, ModelTest, ModelTraining
from signalbox.stages import Stage
from signalbox.training.model import InvalidRequestError
from signalbox.training.planning import plan

ROLE = "arn:aws:iam::123456789012:role/signalbox/projects/wine/"
TRAIN = "s3://data-bucket/models/wine/train/"
TRAINING = ModelTraining(problem="multiclass", image=IMAGE, channels={"training": TRAIN})
WINE = ModelDocument(
    model="wine",
    project="cellar",
    id="cellar-0123456789ab",
    roles=ModelRoles(f"{ROLE}job", f"{ROLE}test", f"{ROLE}model"),
    tags={"team": "x"},
    training=TRAINING,
)
DATA = {f"{TRAIN}a.csv": "9,M", "s3://data-bucket/models/wine/test/a.csv": "10,F"}
TAGS = {"sagemaker:project-name": "cellar", "sagemaker:project-id": "cellar-0123456789ab", "team": "x"}


def planned(document: ModelDocument = WINE, data: dict[str, str] | None = None, **given: Any) -> TrainingPlan:
    asked = {"model": "wine", "commit": "8c1d"} | given
    return plan(question(asked), ports(document=document, data=DATA | (data or {})))


def trained(document: ModelDocument = WINE, **given: Any) -> Any:
    """Return the training job of a run, which SageMaker would take."""
    request = planned(document, **given)["requests"]["training"]
    check_request("sagemaker", "CreateTrainingJob", json.loads(json.dumps(request)))
    return request


def with_training(**changes: Any) -> ModelDocument:
    return replace(WINE, training=replace(TRAINING, **changes))


def tags_of(request: Any) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in request["Tags"]}


def test_an_input_without_an_image_or_a_problem_takes_those_of_the_document() -> None:
    run = planned()

    assert trained()["AlgorithmSpecification"]["TrainingImage"] == IMAGE
    assert (run["evaluation"]["problem"], run["entry"], run["model"]) == ("multiclass", "image", "wine")


def test_everything_runs_as_the_projects_roles_and_is_tagged_as_the_projects() -> None:
    requests = planned()["requests"]

    assert trained()["RoleArn"] == f"{ROLE}job"
    assert requests["model"]["ExecutionRoleArn"] == f"{ROLE}test"
    for name in ("training", "model", "transform", "group"):
        assert TAGS.items() <= tags_of(requests[name]).items()


def test_what_a_run_writes_lies_in_folders_of_the_model() -> None:
    run = planned()

    home = "s3://artifacts-bucket"
    assert trained()["OutputDataConfig"]["S3OutputPath"] == f"{home}/training/wine/run-1"
    assert run["pinning"]["target"] == f"{home}/packages/wine/run-1/model.tar.gz"
    assert run["evaluation"]["predictions"] == f"{home}/transforms/wine/run-1/"
    assert run["evaluation"]["evidence"] == f"{home}/evaluations/wine/run-1/"
    assert run["evaluation"]["model_data"].startswith(f"{home}/training/wine/run-1/")


def test_a_training_is_as_the_document_says_and_what_the_input_says_counts_more() -> None:
    document = with_training(
        hyperparameters={"depth": "3", "rate": "0.1"},
        channels={"training": TRAIN, "extra": "s3://elsewhere/extra/"},
        instance_type="ml.g5.xlarge",
        instance_count=2,
        volume_gb=100,
        max_seconds=600,
        spot=True,
        environment={"LEVEL": "debug"},
        subnets=("subnet-1",),
        security_groups=("sg-1",),
        network_isolation=False,
        max_payload_mb=20,
    )
    request = trained(document, hyperparameters={"depth": "5"})

    assert request["HyperParameters"] == {"depth": "5", "rate": "0.1"}
    assert {one["ChannelName"]: one["DataSource"]["S3DataSource"]["S3Uri"] for one in request["InputDataConfig"]} == {
        "training": TRAIN,
        "extra": "s3://elsewhere/extra/",
    }
    assert request["ResourceConfig"] == {"InstanceType": "ml.g5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 100}
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 1_200}
    assert request["EnableManagedSpotTraining"]
    assert request["Environment"] == {"LEVEL": "debug"}
    assert request["VpcConfig"] == {"Subnets": ("subnet-1",), "SecurityGroupIds": ("sg-1",)}
    assert not request["EnableNetworkIsolation"]
    run = planned(document)
    model: Any = run["requests"]["model"]
    assert model["PrimaryContainer"]["Environment"] == {"LEVEL": "debug"}
    assert (model["VpcConfig"], model["EnableNetworkIsolation"]) == (request["VpcConfig"], False)
    transform: Any = run["requests"]["transform"]
    assert transform["MaxPayloadInMB"] == 20
    assert run["evaluation"]["fleet"] == {"instance_type": "ml.g5.xlarge", "instance_count": 2}
    assert run["training_seconds"] == 1_200


def test_a_document_that_leaves_all_out_trains_as_the_stack_does() -> None:
    request = trained()
    assert request["ResourceConfig"]["InstanceType"] == SETTINGS.training_instance_type
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 14_400}
    assert planned()["training_seconds"] == 14_400


def test_the_training_data_that_are_asked_for_take_the_place_of_the_one_channel() -> None:
    own = "s3://data-bucket/models/wine/other/"
    request: Any = planned(data={f"{own}a.csv": "9,M"}, train_data=own)["requests"]["training"]

    [channel] = request["InputDataConfig"]
    assert (channel["ChannelName"], channel["DataSource"]["S3DataSource"]["S3Uri"]) == ("training", own)


@pytest.mark.parametrize(
    ("document", "given", "said"),
    [
        (WINE, {"image": None, "package": ARN}, "is not a field|exactly one"),
        (with_training(image=None), {}, "exactly one of 'image'"),
        (with_training(channels={"a": TRAIN, "b": TRAIN}), {"train_data": TRAIN}, "has the channels a, b: leave it"),
        (with_training(channels={"training": "s3://data-bucket/none/"}), {}, "channel training .* holds no data"),
        (with_training(max_seconds=400_000), {}, "may take 400,000 seconds, and is waited for at most 345,600"),
    ],
)
def test_what_document_and_input_do_not_make_whole_is_refused(
    document: ModelDocument, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidRequestError, match=said):
        planned(document, **given)


def test_the_stages_of_the_model_are_those_that_its_package_has_to_support() -> None:
    types = {"SupportedRealtimeInferenceInstanceTypes": ["ml.m5.xlarge"]}
    package = PACKAGE | {"InferenceSpecification": PACKAGE["InferenceSpecification"] | types}
    own = replace(WINE, model="abalone", stages=(Stage("only", "ml.m5.xlarge", 1),), training=None)
    data = {"s3://artifacts-bucket/pipelines/cellar/test/a.csv": "9,M"}
    stated = {"test-data": "s3://artifacts-bucket/pipelines/cellar/test/", "problem": "regression"}
    package |= {"CustomerMetadataProperties": stated}
    asked = question({"package": ARN})

    run = plan(asked, ports(package, data=data, document=own))

    assert run["evaluation"]["test_data"] == stated["test-data"]
    with pytest.raises(InvalidRequestError, match="stage staging"):
        plan(asked, ports(package, data=data, document=replace(own, stages=())))


def test_a_package_is_not_tested_on_what_the_pipeline_of_another_project_wrote() -> None:
    """Its model is called as another project is, and projects do not read one another's data."""
    other = replace(WINE, model="abalone", training=None)
    with pytest.raises(InvalidRequestError, match="a folder under s3://artifacts-bucket/pipelines/cellar/"):
        plan(question({"package": ARN}), ports(document=other))


def test_a_package_that_is_not_tested_brings_the_golden_requests_and_the_content_type_of_its_document() -> None:
    golden = "s3://data-bucket/models/abalone/golden.jsonl"
    own = replace(WINE, model="abalone", training=None, test=ModelTest("application/json", golden))
    package = {**PACKAGE, "InferenceSpecification": {"Containers": [CONTAINER]}}

    run = plan(question({"package": ARN}), ports(package, document=own))

    untested = run["evaluation"]["untested"]
    assert untested is not None
    assert (untested["golden"], untested["takes"]) == (golden, ["application/json"])
    assert untested["reasons"] == ["It takes application/json, and test rows are text/csv."]


def test_a_model_without_a_document_is_planned_as_before() -> None:
    given = {"image": IMAGE, "commit": "8c1d", "problem": "multiclass"}
    run = plan({"execution": "run-1", "execution_arn": EXECUTION_ARN, "input": given}, ports(document=WINE))

    request: Any = run["requests"]["training"]
    assert (request["RoleArn"], request["InputDataConfig"][0]["ChannelName"]) == (SETTINGS.job_role_arn, "train")
    assert request["OutputDataConfig"]["S3OutputPath"] == "s3://artifacts-bucket/training/run-1"
    assert run["evaluation"]["train_data"] == f"{HOME}/train/"
    assert not TAGS.keys() & tags_of(request).keys()
