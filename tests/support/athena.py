"""Athena with a stack and a feature group around it: each query gets the same result, and is kept."""

# ruff: noqa: N803 (the API writes its parameters so)
import io
from collections.abc import Sequence
from typing import Any

from tests.support.botocore_strict import check_request

TYPES = {"id": "varchar", "rings": "bigint", "weight": "double", "whole": "boolean", "written": "timestamp"}
FILE = (
    '"id","rings","weight","whole","written"\n'
    '"a, ""b""","7","1.5","true","2026-11-27 12:00:00.250"\n'
    '"",,,,\n'
    '"c","8","Infinity","false","2026-11-27 12:00:01.000"\n'
)


class FakeAthena:
    """Athena: each query goes through `states`, and its result is one file at the place that the query names."""

    def __init__(self, states: Sequence[str] = ("QUEUED", "RUNNING", "SUCCEEDED"), reason: str = "") -> None:
        self.states, self.reason = list(states), reason
        self.started: list[dict[str, Any]] = []
        self.stopped: list[str] = []
        self.types, self.content = TYPES, FILE
        self.read: list[tuple[str, str]] = []

    def start_query_execution(self, **request: Any) -> dict[str, str]:
        """Take a query."""
        check_request("athena", "StartQueryExecution", request)
        self.started.append(request)
        return {"QueryExecutionId": "q-1"}

    def get_query_execution(self, *, QueryExecutionId: str) -> dict[str, Any]:
        """Tell the next state; the last one lasts."""
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        status = {"State": state, **({"StateChangeReason": self.reason} if self.reason else {})}
        place = {"OutputLocation": f"s3://results/queries/{QueryExecutionId}.csv"}
        return {"QueryExecution": {"Status": status, "ResultConfiguration": place}}

    def stop_query_execution(self, *, QueryExecutionId: str) -> None:
        """Keep who was stopped."""
        self.stopped.append(QueryExecutionId)

    def get_query_results(self, *, QueryExecutionId: str, MaxResults: int) -> dict[str, Any]:
        """Tell the columns."""
        assert (QueryExecutionId, MaxResults) == ("q-1", 1)
        columns = [{"Name": name, "Type": kind} for name, kind in self.types.items()]
        return {"ResultSet": {"ResultSetMetadata": {"ColumnInfo": columns}}}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, io.BytesIO]:
        """Return the result's file."""
        self.read.append((Bucket, Key))
        return {"Body": io.BytesIO(self.content.encode())}


class FakeCloud:
    """A session whose clients are the fake Athena, a stack, and a feature group with or without a table."""

    region_name = "eu-west-1"

    def __init__(self, athena: FakeAthena, *, table: bool = True) -> None:
        self.athena, self.table = athena, table

    def client(self, service: str) -> Any:
        """Return the client of a service."""
        return self.athena if service in ("athena", "s3") else self

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        """Describe the stack."""
        outputs = [{"OutputKey": "ArtifactsBucket", "OutputValue": f"{StackName}-artifacts"}]
        return {"Stacks": [{"StackStatus": "UPDATE_COMPLETE", "Outputs": outputs}]}

    def describe_feature_group(self, *, FeatureGroupName: str) -> dict[str, Any]:
        """Describe the group."""
        names = {"TableName": f"{FeatureGroupName}_1", "Catalog": "AwsDataCatalog", "Database": "store"}
        features = ("record_id", "record_time", "length")
        described = {"FeatureDefinitions": [{"FeatureName": name, "FeatureType": "String"} for name in features]}
        return {**described, "OfflineStoreConfig": {"DataCatalogConfig": names}} if self.table else described
