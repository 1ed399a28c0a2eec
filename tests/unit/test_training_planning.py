"""Planning one run of the mlops machine."""

import json
from copy import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.botocore_strict import RecordingClient, check_request, client_error
from tests.support.evaluation import CONTENT
from tests.support.training import (
    ARN,
    CONTAINER,
    DATA,
    EXECUTION_ARN,
    HOME,
    IMAGE,
    IMAGE_INPUT,
    PACKAGE,
    SETTINGS,
    TEST_DATA,
    ports,
    question,
)

from signalbox.aws.errors import CallRefusedError
from signalbox.aws.s3 import ObjectStore
from signalbox.contracts.training import TrainingPlan
from signalbox.evaluation.requests import record
from signalbox.stages import StagesDocument, StagesDocumentError
from signalbox.training.model import InvalidRequestError
from signalbox.training.overlap import MOST_BYTES, digest
from signalbox.training.planning import plan

if TYPE_CHECKING:
    from signalbox.contracts.training import EvaluationQuestion, TrainingQuestion

KEY = SETTINGS.key_arn

OPERATIONS = {
    "training": "CreateTrainingJob",
    "model": "CreateModel",
    "transform": "CreateTransformJob",
    "group": "CreateModelPackageGroup",
}


def image_plan(**more: str) -> "TrainingPlan":
    return plan(question(IMAGE_INPUT | more), ports())


def test_an_image_gets_its_names_and_places_from_the_model_and_the_execution() -> None:
    planned = image_plan()
    assert (planned["entry"], planned["model"], planned["package"]) == ("image", "iris-decision-tree", None)
    assert len(set(planned["names"].values())) == 3
    evaluation = planned["evaluation"]
    assert evaluation == {
        "model": "iris-decision-tree",
        "group": "signalbox-iris-decision-tree",
        "package": None,
        "commit": "8c1d",
        "image": IMAGE,
        "model_data": f"s3://artifacts-bucket/training/run-1/{planned['names']['training']}/output/model.tar.gz",
        "content_type": "text/csv",
        "train_data": f"{HOME}/train/",
        "problem": "multiclass",
        "columns": 2,
        "test_data": f"{HOME}/test/",
        "registered_by": "",
        "predictions": "s3://artifacts-bucket/transforms/run-1/",
        "evidence": "s3://artifacts-bucket/evaluations/run-1/",
        "client_token": evaluation["client_token"],
        "fleet": {"instance_type": "ml.m5.xlarge", "instance_count": 1},
        "trained": None,
        "lineage": {"train_data": f"{HOME}/train/", "train_rows": 1},
    }


@pytest.mark.parametrize("machine_input", [IMAGE_INPUT, {"package": ARN}])
def test_every_request_is_one_that_sagemaker_takes(machine_input: dict[str, Any]) -> None:
    planned = plan(question(machine_input), ports())
    for name, request in planned["requests"].items():
        if request is not None:
            check_request("sagemaker", OPERATIONS[name], json.loads(json.dumps(request)))
    check_request("sagemaker", "StopTrainingJob", {"TrainingJobName": planned["names"]["training"]})
    check_request("sagemaker", "StopTransformJob", {"TransformJobName": planned["names"]["transform"]})
    evaluation = planned["evaluation"]
    token = {"ClientToken": evaluation["client_token"], "ModelPackageGroupName": evaluation["group"]}
    check_request("sagemaker", "CreateModelPackage", token)


def test_an_image_is_trained_on_its_training_data_as_the_stack_is_set_up() -> None:
    planned = image_plan()
    assert planned["requests"]["training"] == {
        "TrainingJobName": planned["names"]["training"],
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": "arn:aws:iam::123456789012:role/jobs",
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"{HOME}/train/",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
        ],
        "OutputDataConfig": {
            "S3OutputPath": "s3://artifacts-bucket/training/run-1",
            "CompressionType": "GZIP",
            "KmsKeyId": KEY,
        },
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 14400},
        "HyperParameters": {"max_leaf_nodes": "30"},
        "EnableNetworkIsolation": True,
        "Tags": [
            {"Key": "signalbox:model", "Value": "iris-decision-tree"},
            {"Key": "signalbox:execution", "Value": "run-1"},
        ],
    }


def test_the_model_is_what_the_training_will_leave() -> None:
    planned = image_plan()
    assert planned["requests"]["model"] == {
        "ModelName": planned["names"]["model"],
        "PrimaryContainer": {
            "Image": IMAGE,
            "ModelDataUrl": planned["evaluation"]["model_data"],
            "Environment": {},
        },
        "ExecutionRoleArn": "arn:aws:iam::123456789012:role/tests",
        "EnableNetworkIsolation": True,
        "Tags": [
            {"Key": "signalbox:model", "Value": "iris-decision-tree"},
            {"Key": "signalbox:execution", "Value": "run-1"},
        ],
    }


def test_the_transform_hides_the_label_from_the_model_and_joins_it_again() -> None:
    planned = image_plan()
    assert planned["requests"]["transform"] == {
        "TransformJobName": planned["names"]["transform"],
        "ModelName": planned["names"]["model"],
        "BatchStrategy": "MultiRecord",
        "MaxPayloadInMB": 4,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{HOME}/test/"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": "s3://artifacts-bucket/transforms/run-1/",
            "Accept": "text/csv",
            "KmsKeyId": KEY,
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "DataProcessing": {"InputFilter": "$[1:]", "JoinSource": "Input"},
        "Tags": [
            {"Key": "signalbox:model", "Value": "iris-decision-tree"},
            {"Key": "signalbox:execution", "Value": "run-1"},
        ],
    }


@pytest.mark.parametrize("given", [IMAGE_INPUT, {"package": ARN}])
def test_containers_have_a_network_only_where_somebody_asks_for_it(given: dict[str, Any]) -> None:
    requests = plan(question(given | {"network_isolation": False}), ports())["requests"]

    assert requests["model"]["EnableNetworkIsolation"] is False
    assert requests["training"] is None or requests["training"]["EnableNetworkIsolation"] is False


@pytest.mark.parametrize("given", [IMAGE_INPUT, {"package": ARN}])
def test_containers_have_no_network_where_nobody_asks_for_one(given: dict[str, Any]) -> None:
    requests = plan(question(given), ports())["requests"]

    assert requests["model"]["EnableNetworkIsolation"] is True
    assert requests["training"] is None or requests["training"]["EnableNetworkIsolation"] is True


def test_an_image_is_registered_in_the_group_of_its_model() -> None:
    assert image_plan()["requests"]["group"] == {
        "ModelPackageGroupName": "signalbox-iris-decision-tree",
        "Tags": [{"Key": "signalbox:model", "Value": "iris-decision-tree"}],
    }


def test_the_same_execution_gets_the_same_plan_and_another_one_other_names() -> None:
    first = image_plan()
    assert image_plan() == first
    other = question(IMAGE_INPUT)
    other["execution"], other["execution_arn"] = "run-2", "arn:run-2"
    second = plan(other, ports())
    assert not set(first["names"].values()) & set(second["names"].values())
    assert second["evaluation"]["client_token"] != first["evaluation"]["client_token"]


def test_a_package_brings_its_container_and_its_test_data_and_is_not_trained() -> None:
    planned = plan(question({"package": ARN}), ports())
    assert (planned["entry"], planned["model"], planned["package"]) == ("package", "abalone", ARN)
    assert (planned["requests"]["training"], planned["requests"]["group"]) == (None, None)
    assert planned["requests"]["model"]["PrimaryContainer"] == CONTAINER
    assert (planned["evaluation"]["commit"], planned["evaluation"]["test_data"]) == ("8c1d", TEST_DATA)


@pytest.mark.parametrize("tag", ["", ":1.0", "@sha256:" + "a" * 64])
def test_a_package_is_tested_with_the_image_that_its_tag_had_when_it_was_registered(tag: str) -> None:
    repository = IMAGE.partition(":")[0].partition("@")[0]
    found = "sha256:" + ("a" if "@" in tag else "b") * 64
    container = CONTAINER | {"Image": f"{repository}{tag}", "ImageDigest": found}

    planned = plan(question({"package": ARN}), ports(described(Containers=[container])))

    assert planned["requests"]["model"]["PrimaryContainer"] == CONTAINER | {"Image": f"{repository}@{found}"}


def transform_of(planned: TrainingPlan) -> Any:
    """Return the batch transform of a run that tests."""
    assert planned["requests"]["transform"] is not None
    return planned["requests"]["transform"]


def stating(problem: str | None) -> dict[str, Any]:
    stated = {"problem": problem} if problem else {}
    return PACKAGE | {"CustomerMetadataProperties": {"test-data": TEST_DATA} | stated}


def described(**changes: Any) -> dict[str, Any]:
    return PACKAGE | {"InferenceSpecification": PACKAGE["InferenceSpecification"] | changes}


def data_source(**more: str) -> dict[str, Any]:
    place = {"S3Uri": "s3://artifacts-bucket/model/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    return {"S3DataSource": place | more}


NO_PROBLEM = "It does not say which problem it solves (the customer metadata property 'problem')."
NO_DATA = "It does not say where its test data are (the customer metadata property 'test-data')."
STATISTICS = "s3://artifacts-bucket/pipelines/abalone/evaluation.json"


@pytest.mark.parametrize(
    ("package", "reasons"),
    [
        (stating(None), [NO_PROBLEM]),
        (PACKAGE | {"CustomerMetadataProperties": {"problem": "binary"}}, [NO_DATA]),
        (PACKAGE | {"CustomerMetadataProperties": {"owner": "ann"}}, [NO_PROBLEM, NO_DATA]),
        (
            described(SupportedContentTypes=["application/jsonlines", "image/png"]),
            ["It takes application/jsonlines, image/png, and test rows are text/csv."],
        ),
        (
            PACKAGE
            | {
                "CustomerMetadataProperties": PACKAGE["CustomerMetadataProperties"]
                | {"content-type": "application/json"}
            },
            ["It takes application/json, and test rows are text/csv."],
        ),
    ],
)
def test_a_package_that_does_not_say_how_it_is_tested_is_planned_without_a_test_and_with_the_reasons(
    package: dict[str, Any], reasons: list[str]
) -> None:
    metrics = {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": STATISTICS}}}
    planned = plan(question({"package": ARN}), ports(package | {"ModelMetrics": metrics}, data={}))

    untested = planned["evaluation"]["untested"]
    assert untested is not None
    assert (untested["reasons"], untested["statistics"], untested["golden"]) == (reasons, STATISTICS, None)
    assert planned["requests"]["transform"] is None
    assert "problem" not in planned["evaluation"]
    assert planned["evaluation"]["test_data"] == ""


def test_a_package_that_is_not_tested_may_support_other_types_for_transforms_than_the_stacks() -> None:
    specification = PACKAGE["InferenceSpecification"] | {"SupportedTransformInstanceTypes": ["ml.m5.4xlarge"]}

    planned = plan(question({"package": ARN}), ports(stating(None) | {"InferenceSpecification": specification}))

    assert planned["evaluation"]["untested"] is not None
    assert planned["requests"]["transform"] is None


def test_a_package_without_metrics_of_its_own_has_none_to_be_reviewed_by() -> None:
    untested = plan(question({"package": ARN}), ports(stating(None)))["evaluation"]["untested"]
    assert untested is not None
    assert untested["statistics"] is None


def test_a_pipeline_of_containers_is_tested_as_one_model_each_with_its_own_data() -> None:
    bare, unpacked = {"Image": IMAGE}, {"Image": IMAGE, "ModelDataSource": data_source()}
    planned = plan(question({"package": ARN}), ports(described(Containers=[bare, unpacked, CONTAINER])))

    model = planned["requests"]["model"]
    assert model["Containers"] == [bare | {"Environment": {}}, unpacked | {"Environment": {}}, CONTAINER]
    assert planned["evaluation"]["problem"] == "regression"
    check_request("sagemaker", "CreateModel", json.loads(json.dumps(model)))


def test_every_container_lies_in_a_registry_that_the_stack_names() -> None:
    foreign = {"Image": IMAGE.replace("123456789012", "999999999999")}
    with pytest.raises(InvalidRequestError, match='registry of "999999999999"'):
        plan(question({"package": ARN}), ports(described(Containers=[CONTAINER, foreign])))


@pytest.mark.parametrize(
    ("package", "message"),
    [
        (client_error("ValidationException", "the package does not exist"), "is not in the registry"),
        (PACKAGE | {"ModelPackageStatus": "Failed"}, "is Failed"),
        (PACKAGE | {"InferenceSpecification": {"SupportedContentTypes": ["text/csv"]}}, "has no containers"),
        (
            described(Containers=[{**CONTAINER, "AdditionalS3DataSource": {"S3Uri": "s3://b/k"}}]),
            "has AdditionalS3DataSource, which cannot be kept by its content",
        ),
        (
            described(Containers=[{"Image": IMAGE, "ModelDataSource": data_source(ManifestS3Uri="s3://b/k")}]),
            "has ManifestS3Uri, which cannot be kept",
        ),
        (stating("classification"), "says that its problem is 'classification': give it"),
        (
            described(SupportedTransformInstanceTypes=["ml.g5.xlarge", "ml.c5.xlarge"]),
            "supports ml.g5.xlarge, ml.c5.xlarge, and TransformInstanceType is ml.m5.large: register the package with",
        ),
        (
            described(SupportedRealtimeInferenceInstanceTypes=["ml.m5.large"]),
            "supports ml.m5.large, and instance_type of the stage prod is ml.m5.xlarge",
        ),
        (
            PACKAGE
            | {
                "CustomerMetadataProperties": {"problem": "regression", "test-data": TEST_DATA}
                | {f"p{n}": "x" for n in range(47)}
            },
            "would have 51 customer metadata properties",
        ),
        (
            PACKAGE
            | {
                "CustomerMetadataProperties": {"problem": "regression", "test-data": TEST_DATA, "max-payload-mb": "6_0"}
            },
            "'max-payload-mb' with '6_0': give a whole number of megabytes from 1 to 100",
        ),
        (
            PACKAGE
            | {
                "CustomerMetadataProperties": {"problem": "regression", "test-data": TEST_DATA, "max-payload-mb": "101"}
            },
            "'max-payload-mb' with '101'",
        ),
    ],
)
def test_a_package_that_cannot_be_evaluated_is_refused_with_the_reason(package: Any, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        plan(question({"package": ARN}), ports(package))


@pytest.mark.parametrize(
    "types", [["text/csv; charset=utf-8"], ["application/json", "text/csv"], ["TEXT/CSV;header=absent"], []]
)
def test_a_package_that_takes_csv_among_others_or_with_parameters_is_tested_with_csv(types: list[str]) -> None:
    planned = plan(question({"package": ARN}), ports(described(SupportedContentTypes=types)))
    given = transform_of(planned)["TransformInput"]
    assert given["ContentType"] == planned["evaluation"]["content_type"] == "text/csv"


@pytest.mark.parametrize("problem", ["regression", "binary", "multiclass"])
def test_a_package_states_its_problem_and_its_test_data_have_the_columns(problem: str) -> None:
    data = {f"{TEST_DATA}a.csv": "\n \n", f"{TEST_DATA}b.csv": '\ufeff9,"M, F",0.4\r\n8,I,0.3\r\n'}
    evaluation = plan(question({"package": ARN}), ports(stating(problem), data=data))["evaluation"]
    assert (evaluation["problem"], evaluation["columns"]) == (problem, 3)


@pytest.mark.parametrize(
    ("problem", "text", "message"),
    [
        ("regression", "Rings,Sex,Length\n9,M,0.4\n", "line 1 of .*a.csv begins with 'Rings'. A header?"),
        ("regression", "Rings,Sex\n9,M\n", "a number for a regression: correct the file"),
        ("regression", '"1,234.5",M\n', "begins with '1,234.5'"),
        ("multiclass", "kind,size\nsetosa,1.4\n", "begins with 'kind'. A header?"),
        ("multiclass", "kind,size\nsetosa,\nsetosa,?\nsetosa,1.4\n", "begins with 'kind'. A header?"),
        ("binary", "kind,colour\n1,red\n0,blue\n", "begins with 'kind'. A header?"),
        ("regression", "\n9\n", "line 2 of .*a.csv has 1 columns: a label and features are needed"),
        ("regression", "\n\n", "the test data have no rows"),
        ("regression", '9,"I\nJ",0.4\n', "line 1 of .*a.csv ends inside a quoted cell"),
    ],
)
def test_test_data_that_cannot_be_evaluated_are_refused_by_file_and_line_before_anything_is_paid_for(
    problem: str, text: str, message: str
) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        plan(question({"package": ARN}), ports(stating(problem), data={f"{TEST_DATA}a.csv": text}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "unknown"}, "train_data s3://data-bucket/models/unknown/train/ holds no data"),
        ({"test_data": "s3://other-bucket/test/"}, "test_data s3://other-bucket/test/ are not those of the model"),
        ({"train_data": "s3://data-bucket"}, "train_data is 's3://data-bucket': give an S3 prefix"),
        ({"train_data": "s3://data-bucket/a\nb/"}, "give an S3 prefix"),
        ({"train_data": "s3://other-bucket/train/"}, "train_data is in the bucket other-bucket: jobs may read"),
        (
            {"test_data": "s3://data-bucket/a\tb/"},
            "are not those of the model iris-decision-tree: leave them out",
        ),
    ],
)
def test_missing_or_foreign_data_are_refused_before_anything_runs(changes: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        image_plan(**changes)


@pytest.mark.parametrize("machine_input", [IMAGE_INPUT, {"package": ARN}])
@pytest.mark.parametrize(
    ("execution", "message"),
    [("it's", r"name is \"it's\", with \"'\""), ("e" * 257, "name has 257 characters: .* takes 256; shorten it")],
)
def test_an_execution_whose_name_fits_no_tag_is_refused_before_anything_runs(
    machine_input: dict[str, Any], execution: str, message: str
) -> None:
    with pytest.raises(InvalidRequestError, match=f"the execution's {message}"):
        plan({"execution": execution, "execution_arn": EXECUTION_ARN, "input": machine_input}, ports())


@pytest.mark.parametrize(
    ("machine_input", "properties", "megabytes"),
    [
        (IMAGE_INPUT, {}, 4),
        (IMAGE_INPUT | {"max_payload_mb": 25}, {}, 25),
        ({"package": ARN}, {}, 4),
        ({"package": ARN}, {"max-payload-mb": "6"}, 6),
        ({"package": ARN, "max_payload_mb": 1}, {"max-payload-mb": "6"}, 1),
    ],
)
def test_a_model_is_sent_requests_that_its_web_server_takes_unless_it_says_otherwise(
    machine_input: dict[str, Any], properties: dict[str, str], megabytes: int
) -> None:
    package = PACKAGE | {"CustomerMetadataProperties": {"test-data": TEST_DATA, "problem": "regression", **properties}}

    planned = plan(question(machine_input), ports(package))

    assert transform_of(planned)["MaxPayloadInMB"] == megabytes


@pytest.mark.parametrize("machine_input", [IMAGE_INPUT, {"package": ARN}])
def test_a_stages_document_that_the_evaluation_could_not_read_is_refused_before_anything_runs(
    machine_input: dict[str, Any],
) -> None:
    def broken() -> StagesDocument:
        raise StagesDocumentError("the text is not JSON")

    with pytest.raises(StagesDocumentError):
        plan(question(machine_input), replace(ports(), stages=broken))


def test_a_package_may_support_the_very_types_that_it_is_to_run_on() -> None:
    types = {
        "SupportedTransformInstanceTypes": ["ml.m5.large"],
        "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large", "ml.m5.xlarge"],
    }
    assert plan(question({"package": ARN}), ports(described(**types)))["entry"] == "package"


@given(
    execution=st.text(st.sampled_from("aZ0-_'(é\n +"), min_size=1, max_size=80),
    folder=st.text(st.sampled_from("aZ9/_.=(,&é\n\t "), min_size=1, max_size=300),
    hyperparameters=st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=3),
)
def test_whatever_is_asked_for_is_refused_at_once_or_taken_by_sagemaker_to_the_end(
    execution: str, folder: str, hyperparameters: dict[str, str]
) -> None:
    train_data = f"{HOME}/train/{folder}/"
    machine_input = IMAGE_INPUT | {"train_data": train_data, "hyperparameters": hyperparameters}
    asked: TrainingQuestion = {"execution": execution, "execution_arn": EXECUTION_ARN, "input": machine_input}
    try:
        planned = plan(asked, ports(data=DATA | {f"{train_data}a.csv": "9,M"}))
    except InvalidRequestError:
        return
    for name, operation in OPERATIONS.items():
        check_request("sagemaker", operation, json.loads(json.dumps(planned["requests"][name])))  # type: ignore[literal-required]  # its own names
    kept: EvaluationQuestion = {
        "execution_arn": EXECUTION_ARN,
        "plan": planned["evaluation"],
        "content": CONTENT,
        "training": None,
    }
    evidence = planned["evaluation"]["evidence"]
    registration = record(kept, f"{evidence}report.json", f"{evidence}golden.json", "good")
    check_request("sagemaker", "CreateModelPackage", json.loads(json.dumps(registration)))


@pytest.mark.parametrize(
    "elsewhere",
    [
        "s3://data-bucket/models/somebody-elses/test/",
        f"{HOME}/train/",
        f"{HOME}/test/zz/",
        f"{HOME}/test/zz",
        f"{HOME}/test-more/",
        "s3://artifacts-bucket/pipelines/abalone/runs/",
        "s3://artifacts-bucket/pipelines/iris-decision-tree/runs/",
        "s3://artifacts-bucket/training/run-0/",
    ],
)
def test_test_data_are_the_models_and_not_chosen_by_who_asks(elsewhere: str) -> None:
    data = DATA | {f"{elsewhere}a.csv": "7,M"}

    with pytest.raises(InvalidRequestError, match=f"put its test data under {HOME}/test/"):
        plan(question(IMAGE_INPUT | {"test_data": elsewhere}), ports(data=data))


@pytest.mark.parametrize("account", ["999999999999", "683313688379"])
def test_an_image_of_an_account_that_the_stack_does_not_name_is_refused_before_anything_is_paid(account: str) -> None:
    image = IMAGE.replace("123456789012", account)
    registered = CONTAINER | {"Image": image}
    package = PACKAGE | {"InferenceSpecification": {"Containers": [registered], "SupportedContentTypes": ["text/csv"]}}

    for machine_input in (IMAGE_INPUT | {"image": image}, {"package": ARN}):
        with pytest.raises(InvalidRequestError, match=f'registry of "{account}", which is neither this account'):
            plan(question(machine_input), ports(package))


KEPT_PACKAGE = PACKAGE | {
    "ModelApprovalStatus": "Approved",
    "CustomerMetadataProperties": PACKAGE["CustomerMetadataProperties"]
    | {"report": "s3://artifacts-bucket/report.json"},
    "AdditionalInferenceSpecifications": [{"Name": "signalbox-1", "Containers": [CONTAINER]}],
}


def test_what_was_tested_and_approved_is_not_tested_again() -> None:
    with pytest.raises(InvalidRequestError, match="what was approved is not tested again: reject it first"):
        plan(question({"package": ARN}), ports(KEPT_PACKAGE))


@pytest.mark.parametrize(
    "changes",
    [
        {"ModelApprovalStatus": "Rejected"},
        {"ModelApprovalStatus": "PendingManualApproval"},
        {"AdditionalInferenceSpecifications": [{"Name": "batch", "Containers": [CONTAINER]}]},
        {"CustomerMetadataProperties": PACKAGE["CustomerMetadataProperties"]},
    ],
)
def test_a_package_that_nobody_approved_by_its_content_is_tested_again(changes: dict[str, Any]) -> None:
    assert plan(question({"package": ARN}), ports(KEPT_PACKAGE | changes))["package"] == ARN


def test_the_test_data_of_a_model_may_be_named_with_or_without_the_slash_of_a_folder_and_are_there() -> None:
    for place in (f"{HOME}/test", f"{HOME}/test/"):
        planned = plan(question(IMAGE_INPUT | {"test_data": place}), ports())
        assert planned["evaluation"]["test_data"] == f"{HOME}/test/"
        with pytest.raises(InvalidRequestError, match=f"test_data {HOME}/test/ holds no data"):
            plan(question(IMAGE_INPUT | {"test_data": place}), ports(data={f"{HOME}/train/a.csv": "9,M"}))


def held_out_in(test_data: str) -> dict[str, Any]:
    return PACKAGE | {"CustomerMetadataProperties": {"problem": "regression", "test-data": test_data}}


@pytest.mark.parametrize(
    "elsewhere",
    [f"{HOME}/test/", "s3://data-bucket/models/abalone/test/zz/", "s3://artifacts-bucket/pipelines/abalone-2/test/"],
)
def test_a_package_is_tested_on_data_of_its_own_model(elsewhere: str) -> None:
    with pytest.raises(InvalidRequestError, match="are not those of the model abalone: register the package"):
        plan(question({"package": ARN}), ports(held_out_in(elsewhere), data={f"{elsewhere}a.csv": "9,M"}))


@pytest.mark.parametrize(
    "place", ["s3://data-bucket/models/abalone/test", "s3://artifacts-bucket/pipelines/abalone/runs/1/output/test"]
)
def test_a_package_that_names_a_folder_without_its_slash_is_not_tested_on_what_only_begins_so(place: str) -> None:
    data = {f"{place}/a.csv": "9,M", f"{place}-more.csv": "a row of another shape"}

    planned = plan(question({"package": ARN}), ports(held_out_in(place), data=data))

    assert planned["evaluation"]["test_data"] == f"{place}/"
    given = transform_of(planned)["TransformInput"]
    assert given["DataSource"]["S3DataSource"]["S3Uri"] == f"{place}/"


ROWS = [f"{label},M,{label / 8}\n" for label in range(40)]


@pytest.mark.parametrize(
    ("shared", "said"),
    [
        (ROWS[20:], "20 of the 20 rows"),
        ([f" {row.strip()} \n" for row in ROWS[20:22]], "2 of the 20 rows"),
        ([row.replace(",M,", ".0, M ,") for row in ROWS[20:22]], "2 of the 20 rows"),
    ],
)
def test_a_model_is_not_tested_on_rows_that_it_is_trained_on(shared: list[str], said: str) -> None:
    data = {f"{HOME}/train/a.csv": "".join(ROWS[:20]), f"{HOME}/train/b.csv": "".join(shared)}

    with pytest.raises(InvalidRequestError, match=said):
        plan(question(IMAGE_INPUT), ports(data=data | {f"{HOME}/test/a.csv": "".join(ROWS[20:])}))


def test_rows_that_are_equal_by_chance_are_let_pass_and_large_data_are_not_compared() -> None:
    test = {f"{HOME}/test/a.csv": "".join(ROWS[20:])}
    one = {f"{HOME}/train/a.csv": "".join(ROWS[:21])}
    assert plan(question(IMAGE_INPUT), ports(data=one | test))["entry"] == "image"

    large = {f"{HOME}/train/a.csv": "".join(ROWS), f"{HOME}/train/b.csv": "1,M,2\n" * (MOST_BYTES // 6)}
    assert plan(question(IMAGE_INPUT), ports(data=large | test))["entry"] == "image"


def test_a_line_that_is_no_csv_is_compared_as_it_is() -> None:
    assert digest('"a' + "x" * 200_000) == digest('"a' + "x" * 200_000)


def test_folder_markers_and_empty_files_are_no_data_however_many_there_are() -> None:
    empty = {f"{HOME}/train/": "", f"{HOME}/train/a.csv": "", f"{HOME}/train/b.csv": "", f"{HOME}/test/a.csv": "9,M"}
    with pytest.raises(InvalidRequestError, match=f"train_data {HOME}/train/ holds no data"):
        plan(question(IMAGE_INPUT), ports(data=empty))
    planned = plan(question(IMAGE_INPUT), ports(data=empty | {f"{HOME}/train/c.csv": "8,M"}))
    assert planned["entry"] == "image"


def test_a_bucket_that_does_not_exist_holds_no_data() -> None:
    with pytest.raises(InvalidRequestError, match="holds no data"):
        plan(question(IMAGE_INPUT), ports(data={}))


def test_a_refused_listing_is_not_taken_for_missing_data() -> None:
    client: Any = RecordingClient("s3", {"list_objects_v2": client_error("AccessDenied")})
    with pytest.raises(CallRefusedError, match="AccessDenied"):
        plan(question(IMAGE_INPUT), replace(ports(), objects=ObjectStore(client)))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1,2.50,cat", " 1.0 , 2.5 ,cat", True),
        ("10,nan", "10,NaN", False),
        ("1_0,a", "10,a", False),
        ("٣,a", "3,a", False),
    ],
)
def test_rows_are_equal_by_the_numbers_that_the_project_knows_and_by_their_texts(
    one: str, other: str, same: bool
) -> None:
    assert (digest(one) == digest(other)) is same
