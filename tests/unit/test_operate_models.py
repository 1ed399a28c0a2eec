"""The versions of each model are shown with what is known of them, and two of them compared."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from moto import mock_aws
from tests.support.botocore_strict import RecordingClient, client_error
from tests.support.dynamodb import created_table
from tests.support.reviews import World, payload
from tests.support.stack import OUTPUTS, CloudFormation
from typer.testing import CliRunner, Result

from signalbox import moments
from signalbox.aws.table import Table
from signalbox.reviews import requesting
from signalbox.reviews.adapters import DynamoReviews
from signalbox_operate import account, cli

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/signalbox-abalone/{}"
EVE = "arn:aws:sts::123456789012:assumed-role/Admin/eve"
COMMIT = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"
REPORT = {
    "primary": "mse",
    "metrics": {"mse": {"value": 4.5}, "mae": {"value": 1.5}},
    "rows": 638,
    "test_data": "s3://signalbox-artifacts/test/",
    "training": {"job": "train-1", "seconds": 60},
    "lineage": {"run": "signalbox-abalone-000001", "files": ["incoming/a.csv"], "train_rows": 2860},
}


class SageMaker(RecordingClient):
    """Two versions of abalone, of which prod serves the first, and somebody else's group."""

    def __init__(self) -> None:
        super().__init__("sagemaker")
        self.statuses = {1: "Approved", 2: "PendingManualApproval"}

    def _list_model_package_groups(self, **request: Any) -> dict[str, Any]:
        assert request["NameContains"] == "signalbox-"
        names = ["signalbox-abalone", "other-signalbox-abalone", "signalbox-abalone--abalone-feature-0a1b2c"]
        return {"ModelPackageGroupSummaryList": [{"ModelPackageGroupName": name} for name in names]}

    def _list_model_packages(self, **request: Any) -> dict[str, Any]:
        assert request["ModelPackageGroupName"] == "signalbox-abalone"
        listed = [self._summary(number) for number in reversed(self.statuses)]
        return {"ModelPackageSummaryList": listed}

    def _summary(self, number: int) -> dict[str, Any]:
        status = {"ModelPackageStatus": "Completed", "ModelApprovalStatus": self.statuses[number]}
        return {"ModelPackageArn": ARN.format(number), "CreationTime": NOW, **status}

    def _describe_model_package(self, **request: Any) -> dict[str, Any]:
        arn = request["ModelPackageName"]
        number = int(arn.rpartition("/")[2])
        if number not in self.statuses:
            raise client_error("ValidationException", "ModelPackage does not exist.")
        container = {"Image": f"registry/xgboost:{number}", "ModelDataUrl": "s3://signalbox-artifacts/model.tar.gz"}
        return {
            **self._summary(number),
            "InferenceSpecification": {"Containers": [container]},
            "CustomerMetadataProperties": {"report": f"s3://signalbox-artifacts/{number}/report.json"},
            "MetadataProperties": {"CommitId": COMMIT},
            "LastModifiedBy": {"UserProfileName": "ann"},
            "ApprovalDescription": "as good as the last",
        }

    def _list_endpoints(self, **_request: Any) -> dict[str, Any]:
        return {"Endpoints": [{"EndpointName": "signalbox-abalone-prod", "EndpointStatus": "InService"}]}

    def _describe_endpoint(self, **_request: Any) -> dict[str, Any]:
        return {"EndpointStatus": "InService", "EndpointConfigName": "config"}

    def _describe_endpoint_config(self, **_request: Any) -> dict[str, Any]:
        return {"ProductionVariants": [{"VariantName": "AllTraffic", "ModelName": "model"}]}

    def _describe_model(self, **_request: Any) -> dict[str, Any]:
        return {"Containers": [{"ModelPackageName": ARN.format(1)}]}

    def _describe_training_job(self, **_request: Any) -> dict[str, Any]:
        return {"HyperParameters": {"depth": "5"}}


class Reports(RecordingClient):
    """S3 with the reports of both versions; the second's model is better and was trained on more rows."""

    def __init__(self) -> None:
        super().__init__("s3")
        better: dict[str, Any] = {"metrics": {"mse": {"value": 4.1}, "mae": {"value": 1.5}}}
        lineage = {"lineage": {**REPORT["lineage"], "train_rows": 5720}}  # type: ignore[dict-item]  # it is a mapping
        self.reports = {"1": REPORT, "2": REPORT | better | lineage}

    def _get_object(self, **request: Any) -> dict[str, Any]:
        report = self.reports.get(request["Key"].partition("/")[0])
        if report is None:
            raise client_error("NoSuchKey", status=404)
        text = json.dumps(report).encode()
        return {"Body": io.BytesIO(text), "ContentLength": len(text)}


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The clients of a stack with a model."""
    settings = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        found: dict[str, Any] = {
            "cloudformation": CloudFormation(),
            "dynamodb": created_table(OUTPUTS["ReviewsTable"]),
            "sagemaker": SageMaker(),
            "s3": Reports(),
        }
        monkeypatch.setattr(account, "client", found.__getitem__)
        yield found


def ask(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["models", *arguments])


def rows(result: Result) -> list[list[str]]:
    assert result.exit_code == 0, result.output
    return [line.split("\t") for line in result.output.splitlines()]


def test_versions_are_shown_with_their_metric_status_and_stages(clients: dict[str, Any]) -> None:
    assert rows(ask()) == [
        ["signalbox-abalone/2", "MSE 4.1", "PendingManualApproval", "", "", "0a1b2c3"],
        ["signalbox-abalone/1", "MSE 4.5", "Approved", "ann", "prod", "0a1b2c3"],
    ]


def test_who_decided_is_who_answered_the_review_where_there_was_one(clients: dict[str, Any]) -> None:
    world = World(store=DynamoReviews(Table(OUTPUTS["ReviewsTable"], clients["dynamodb"])), now=moments.now())
    event = payload(token="A" * 40, package=ARN.format(1))
    name = requesting.request(event, world.requesting_ports())["review"]
    changed = {"status": "approved", "by": EVE, "reason": "the numbers are good"}
    assert world.store.change(name, {"status": "open"}, changed)

    (found,) = [one for one in json.loads(ask("--json").output) if one["package"].endswith("/1")]

    assert (found["decided_by"], found["reason"]) == (EVE, "the numbers are good")
    assert found["metrics"] == {"mse": 4.5, "mae": 1.5}
    assert found["stages"] == ["prod"]
    assert found["commit"] == COMMIT


@pytest.mark.parametrize("name", ["abalone", "signalbox-abalone"])
def test_one_model_may_be_asked_for(clients: dict[str, Any], name: str) -> None:
    assert len(rows(ask("--model", name, "--most", "1"))) == 1


def test_a_model_that_is_unknown_is_told_with_those_that_there_are(clients: dict[str, Any]) -> None:
    done = ask("--model", "whales")

    assert done.exit_code == 1
    assert "there is no model 'whales': the groups of packages are signalbox-abalone" in done.stderr


def test_a_version_without_a_report_is_shown_all_the_same(clients: dict[str, Any]) -> None:
    del clients["s3"].reports["2"]

    assert rows(ask())[0] == ["signalbox-abalone/2", "", "PendingManualApproval", "", "", "0a1b2c3"]


@pytest.mark.parametrize(("first", "second"), [("abalone/1", "abalone/2"), (ARN.format(1), "signalbox-abalone/2")])
def test_two_packages_differ_in_these_facts(clients: dict[str, Any], first: str, second: str) -> None:
    shown = rows(ask("diff", first, second))

    assert shown[:-1] == [
        ["status", "Approved", "PendingManualApproval"],
        ["MSE", "4.5", "4.1"],
        ["training rows", "2860", "5720"],
        ["image", "registry/xgboost:1", "registry/xgboost:2"],
    ]
    (last,) = shown[-1]
    assert last.startswith("the same: MAE, test rows, test data, run, files, model data, commit, hyperparameter depth")


def test_hyperparameters_of_a_job_that_is_gone_are_not_known(clients: dict[str, Any]) -> None:
    clients["sagemaker"].answers["describe_training_job"] = client_error("ValidationException")

    found = json.loads(ask("diff", "abalone/1", "abalone/2", "--json").output)

    assert [one["fact"] for one in found if one["fact"].startswith("hyperparameter")] == []
    assert {"fact": "commit", "first": COMMIT, "second": COMMIT} in found


def test_a_package_that_is_not_registered_is_told(clients: dict[str, Any]) -> None:
    done = ask("diff", "abalone/1", "abalone/9")

    assert done.exit_code == 1
    assert "no package 'abalone/9' is registered: name it as `signalbox models` shows it" in done.stderr
