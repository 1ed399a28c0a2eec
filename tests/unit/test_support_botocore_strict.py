"""The check of requests finds what AWS refuses, and the recording client behaves as boto3's does."""

from collections.abc import Mapping
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from tests.support.botocore_strict import RecordingClient, check_request, check_response, client_error

from sagemaker_local.core.shapes import compiled

TOKEN = "t" * 64
ARN = "arn:aws:sagemaker:us-east-1:123456789012"
START: dict[str, Any] = {"PipelineName": "abalone", "ClientRequestToken": TOKEN}


def test_a_request_as_aws_wants_it_passes() -> None:
    check_request("sagemaker", "StartPipelineExecution", {**START, "PipelineParameters": [{"Name": "A", "Value": "1"}]})
    check_request("sqs", "ListQueues", {})
    check_request("sagemaker", "AddTags", {"ResourceArn": f"{ARN}:model/m", "Tags": [{"Key": "stück é", "Value": ""}]})


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        ({"PipelineName": "abalone"}, 'Missing required parameter in input: "ClientRequestToken"'),
        ({**START, "Wrong": 1}, 'Unknown parameter in input: "Wrong"'),
        ({**START, "PipelineName": 7}, "Invalid type"),
        ({**START, "ClientRequestToken": "short"}, "ClientRequestToken: 5 is under the minimum 32"),
        ({**START, "PipelineExecutionDisplayName": "run 1"}, "DisplayName: 'run 1' does not match"),
        ({**START, "PipelineExecutionDisplayName": "run-1\n"}, "does not match"),
        ({**START, "PipelineExecutionDescription": "x" * 3073}, "3073 is over the maximum 3072"),
        ({**START, "PipelineParameters": [{"Name": "A", "Value": "1"}] * 201}, "201 is over the maximum 200"),
        (
            {**START, "PipelineParameters": [{"Name": "A", "Value": "1" * 1025}]},
            r"PipelineParameters\[0\].Value: 1025 is over",
        ),
    ],
)
def test_a_request_that_aws_refuses_is_refused_with_the_reason(request_: dict[str, Any], problem: str) -> None:
    with pytest.raises(AssertionError, match=problem):
        check_request("sagemaker", "StartPipelineExecution", request_)


def test_a_value_outside_its_enum_is_refused() -> None:
    with pytest.raises(AssertionError, match="'Yes' is none of"):
        check_request("sagemaker", "UpdateModelPackage", {"ModelPackageArn": "arn:x", "ModelApprovalStatus": "Yes"})


def test_map_keys_and_numbers_are_checked_too() -> None:
    update = {"ModelPackageArn": "arn:aws:x", "CustomerMetadataProperties": {"": "v"}}
    with pytest.raises(AssertionError, match="key '': 0 is under the minimum 1"):
        check_request("sagemaker", "UpdateModelPackage", update)
    with pytest.raises(AssertionError, match="MaxResults: 0 is under"):
        check_request("sagemaker", "ListEndpoints", {"MaxResults": 0})


def test_an_operation_that_does_not_exist_is_refused() -> None:
    with pytest.raises(AssertionError, match="sagemaker has no operation 'CreateWorld'"):
        check_request("sagemaker", "CreateWorld", {})


def test_an_operation_without_parameters_takes_none() -> None:
    check_request("sagemaker", "EnableSagemakerServicecatalogPortfolio", {})
    with pytest.raises(AssertionError):
        check_request("sagemaker", "EnableSagemakerServicecatalogPortfolio", {"A": 1})


def test_an_answer_may_leave_members_out_but_not_make_them_up() -> None:
    check_response("sagemaker", "DescribeEndpoint", {"EndpointStatus": "InService", "ResponseMetadata": {}})
    with pytest.raises(AssertionError, match="'Status' is not in the model"):
        check_response("sagemaker", "DescribeEndpoint", {"Status": "InService"})
    with pytest.raises(AssertionError, match="'IN_SERVICE' is none of"):
        check_response("sagemaker", "DescribeEndpoint", {"EndpointStatus": "IN_SERVICE"})
    with pytest.raises(AssertionError, match="'X' is not in the model"):
        check_response("sagemaker", "AddAssociation", {"SourceArn": "arn:aws:x", "X": 1})
    with pytest.raises(AssertionError, match="'X' is not in the model"):
        check_response("sagemaker", "DeleteModel", {"X": 1})


@pytest.mark.parametrize("service", ["sagemaker", "sagemaker-runtime", "dynamodb", "sqs", "s3", "ssm", "stepfunctions"])
def test_every_pattern_of_the_services_in_use_can_be_read(service: str) -> None:
    model = botocore.session.get_session().get_service_model(service)
    patterns = {shape.metadata.get("pattern") for shape in map(model.shape_for, model.shape_names)} - {None}
    assert [compiled(pattern) for pattern in patterns if pattern] or not patterns


def test_the_client_remembers_its_calls_and_answers_as_told() -> None:
    client = RecordingClient(
        "sagemaker",
        {
            "start_pipeline_execution": [
                client_error("ConflictException"),
                {"PipelineExecutionArn": f"{ARN}:pipeline/p/execution/1"},
            ],
            "describe_model": lambda **request: {"ModelName": request["ModelName"]},
        },
    )
    with pytest.raises(client.exceptions.ConflictException):
        client.start_pipeline_execution(**START)
    assert client.start_pipeline_execution(**START) == {"PipelineExecutionArn": f"{ARN}:pipeline/p/execution/1"}
    assert client.describe_model(ModelName="m") == {"ModelName": "m"}
    assert client.delete_model(ModelName="m") == {}
    assert [operation for operation, _ in client.calls] == [
        "StartPipelineExecution",
        "StartPipelineExecution",
        "DescribeModel",
        "DeleteModel",
    ]
    assert client.requests("DescribeModel") == [{"ModelName": "m"}]


def test_a_list_of_answers_that_is_used_up_fails() -> None:
    client = RecordingClient("sagemaker", {"delete_model": []})
    with pytest.raises(AssertionError, match="no answer is left for call 1"):
        client.delete_model(ModelName="m")


def test_a_code_without_a_class_of_its_own_is_a_plain_client_error() -> None:
    client = RecordingClient("sagemaker", {"delete_model": client_error("ThrottlingException", "slow down")})
    with pytest.raises(ClientError, match="slow down") as caught:
        client.delete_model(ModelName="m")
    assert caught.value.response["Error"]["Code"] == "ThrottlingException"


def test_a_method_that_boto3_does_not_have_does_not_exist() -> None:
    with pytest.raises(AttributeError, match="no method 'create_world'"):
        RecordingClient("sagemaker").create_world()


class _Models(RecordingClient):
    def _list_models(self, **request: Any) -> Mapping[str, Any]:
        page = int(request.get("NextToken", "0"))
        return {"Models": [{"ModelName": f"m{page}"}], **({"NextToken": str(page + 1)} if page < 2 else {})}


def test_a_subclass_answers_and_botocores_paginator_walks_its_pages() -> None:
    client = _Models("sagemaker")
    pages = client.get_paginator("list_models").paginate(NameContains="m")
    assert [model["ModelName"] for page in pages for model in page["Models"]] == ["m0", "m1", "m2"]
    assert client.can_paginate("list_models")
    assert not client.can_paginate("delete_model")
