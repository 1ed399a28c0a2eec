"""Lists: filtered, sorted by any of their keys, paged; and the words of refusals."""

from pathlib import Path
from typing import Any

import pytest
from tests.sagemaker_local.support.service import PREFIX, SageMaker

from sagemaker_local.core.resources import ENDPOINT, MODEL, TRAINING, ResourceKind, Resources, answer_list


@pytest.fixture
def sagemaker(tmp_path: Path) -> SageMaker:
    """A service with three models; the clock goes on by a second with each."""
    made = SageMaker(tmp_path)
    for name in ("beta", "alpha", "gamma-1"):
        made.model(name)
    return made


def names(sagemaker: SageMaker, **request: Any) -> list[str]:
    return [item["ModelName"] for item in sagemaker.call("ListModels", **request)["Models"]]


def test_the_newest_comes_first_unless_asked_otherwise(sagemaker: SageMaker) -> None:
    assert names(sagemaker) == ["gamma-1", "alpha", "beta"]
    assert names(sagemaker, SortOrder="Ascending") == ["beta", "alpha", "gamma-1"]
    assert names(sagemaker, SortBy="Name", SortOrder="Ascending") == ["alpha", "beta", "gamma-1"]


def test_names_are_found_by_a_part_in_any_case(sagemaker: SageMaker) -> None:
    assert names(sagemaker, NameContains="GAMMA") == ["gamma-1"]
    assert names(sagemaker, NameContains="-2") == []


def test_times_bound_a_list_on_both_sides(sagemaker: SageMaker) -> None:
    middle = sagemaker.call("DescribeModel", ModelName="alpha")["CreationTime"]
    assert names(sagemaker, CreationTimeAfter=middle) == ["gamma-1"]
    assert names(sagemaker, CreationTimeBefore=middle) == ["beta"]


def test_pages_follow_each_other_to_the_end(sagemaker: SageMaker) -> None:
    first = sagemaker.call("ListModels", MaxResults=2)
    second = sagemaker.call("ListModels", MaxResults=2, NextToken=first["NextToken"])
    assert [len(page["Models"]) for page in (first, second)] == [2, 1]
    assert "NextToken" not in second
    assert len(names(sagemaker)) == 3


@pytest.mark.parametrize("token", ["made-up", "-1", "1.5", ""])
def test_a_token_that_was_never_given_is_refused(sagemaker: SageMaker, token: str) -> None:
    assert sagemaker.refused("ListModels", NextToken=token).startswith("ValidationException: Invalid NextToken")


@pytest.mark.parametrize(("operation", "first"), [("ListTrainingJobs", "one"), ("ListEndpoints", "two")])
def test_the_order_that_is_not_asked_for_is_that_of_the_operation(
    sagemaker: SageMaker, operation: str, first: str
) -> None:
    kind: ResourceKind = TRAINING if "Training" in operation else ENDPOINT
    resources, members = Resources(sagemaker.cloud), {"StatusEquals": "Failed"}
    for name, status in (("one", "Failed"), ("two", "Failed"), ("three", "InService")):
        resources.create(kind, {kind.name_field: name}, **{str(kind.status): status})
    listed = resources.list(kind, operation, members)
    (records,) = (value for value in listed.values() if isinstance(value, list))
    assert records[0][kind.name_field] == first
    assert len(records) == 2


def test_a_status_sorts_and_filters_where_the_kind_has_one() -> None:
    records = [
        {"EndpointName": name, "EndpointStatus": status} for name, status in (("a", "InService"), ("b", "Failed"))
    ]
    for record in records:
        record["CreationTime"] = record["LastModifiedTime"] = "2026"
    sorted_ = answer_list(ENDPOINT, "ListEndpoints", {"SortBy": "Status", "SortOrder": "Ascending"}, records)
    assert [item["EndpointName"] for item in sorted_["Endpoints"]] == ["b", "a"]
    group = ResourceKind("FeatureGroup", "feature-group", "", "", status="FeatureGroupStatus")
    made = {"FeatureGroupName": "g", "FeatureGroupStatus": "Created", "CreationTime": "", "LastModifiedTime": ""}
    wanted = {"FeatureGroupStatusEquals": "Deleting"}
    assert answer_list(group, "ListFeatureGroups", wanted, [made])["FeatureGroupSummaries"] == []


def test_a_refusal_names_the_resource(sagemaker: SageMaker) -> None:
    resources = Resources(sagemaker.cloud)
    assert str(resources.missing(MODEL, "x")) == f'ValidationException: Could not find model "{PREFIX}model/x".'
    assert sagemaker.refused("DeleteModel", ModelName="x").endswith(f'"{PREFIX}model/x".')
    assert sagemaker.refused("DescribeModel", ModelName="x").startswith("ValidationException")
    assert resources.exists(MODEL, "alpha")
    assert not resources.exists(MODEL, "x")
    with pytest.raises(type(resources.missing(MODEL, "x"))):
        resources.update(MODEL, "x", A=1)
