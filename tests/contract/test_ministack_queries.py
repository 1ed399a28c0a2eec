"""Athena over the tables of the Feature Store: with the caller's rights, the table's columns, and Athena's results."""

import io
import time
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from sagemaker_local.server import ACCOUNT, REGION
from tests.contract.world import World, allow, name, until

CLOSED = "plain ministack has no such gap any more: remove its function from ministack_queries.py, and this test"
_HIVE = "org.apache.hadoop.hive.ql.io.parquet"
_PRIMARY = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/primary"


class Asked:
    """A table of one file, with a column that the file does not have, and a client that asks for it."""

    def __init__(self, world: World) -> None:
        self.world, self.database = world, name("db").replace("-", "_")
        file = io.BytesIO()
        pq.write_table(pa.table({"Id": ["a", "", None], "weight": [1.5, None, 2.0]}), file)
        self.bucket = world.bucket({"place/data/year=2026/one.parquet": file.getvalue(), "other/secret": b"x"})
        columns = {"id": "string", "weight": "double", "later": "bigint"}
        glue = world.client("glue")
        glue.create_database(DatabaseInput={"Name": self.database})
        storage = {
            "Columns": [{"Name": column, "Type": kind} for column, kind in columns.items()],
            "Location": f"s3://{self.bucket}/place/data",
            "InputFormat": f"{_HIVE}.MapredParquetInputFormat",
            "SerdeInfo": {"SerializationLibrary": f"{_HIVE}.serde.ParquetHiveSerDe"},
        }
        years = [{"Name": "year", "Type": "string"}]
        table = {"Name": "shells", "StorageDescriptor": storage, "PartitionKeys": years}
        glue.create_table(DatabaseName=self.database, TableInput=table)
        self.athena = world.client("athena")

    def start(self, query: str, client: Any = None, **more: Any) -> str:
        """Start a query and return its id."""
        output = {"OutputLocation": f"s3://{self.bucket}/results"}
        context = {"Database": self.database}
        asked = {"QueryExecutionContext": context, "ResultConfiguration": output, **more}
        return str((client or self.athena).start_query_execution(QueryString=query, **asked)["QueryExecutionId"])

    def ended(self, query: str, client: Any = None, **more: Any) -> Mapping[str, Any]:
        """Run a query to its end and return its description."""
        started = self.start(query, client, **more)

        def found() -> Mapping[str, Any] | None:
            answer = (client or self.athena).get_query_execution(QueryExecutionId=started)["QueryExecution"]
            return answer if answer["Status"].get("CompletionDateTime") else None

        return until(found)

    def told(self, query: str, client: Any = None) -> str:
        """Return how a query failed; empty where it did not."""
        return str(self.ended(query, client)["Status"]["StateChangeReason"])

    def of_role(self, *statements: Mapping[str, Any]) -> Any:
        """Return Athena as a role sees it that may ask it, and `statements`."""
        asking = allow("athena:StartQueryExecution", "athena:GetQueryExecution", resource=_PRIMARY)
        return self.world.as_role(self.world.role(asking, *statements), "athena")


def test_a_query_has_the_rights_of_its_caller_and_reads_no_file_of_this_machine(plain: World, cloud: World) -> None:
    local = "SELECT count(*) FROM read_text('/etc/hostname')"
    seen = Asked(plain)
    assert seen.told(local) == "", CLOSED
    assert seen.told("SELECT * FROM shells", seen.of_role(allow("athena:*"))) == "", CLOSED
    asked = Asked(cloud)

    assert "file system operations are disabled" in asked.told(local)
    with pytest.raises(ClientError, match="Only one sql statement is allowed"):
        asked.start("SELECT 1; SELECT 2")
    assert asked.told("SELECT ';' FROM shells;") == ""

    rights = {
        "glue:GetTable": f"arn:aws:glue:{REGION}:{ACCOUNT}:table/{asked.database}/shells",
        "s3:ListBucket": f"arn:aws:s3:::{asked.bucket}",
        "s3:GetObject": f"arn:aws:s3:::{asked.bucket}/place/data/*",
        "s3:PutObject": f"arn:aws:s3:::{asked.bucket}/results/*",
    }
    for lacking in rights:
        given = [allow(action, resource=on) for action, on in rights.items() if action != lacking]
        assert f"perform: {lacking}" in asked.told("SELECT * FROM shells", asked.of_role(*given))
    whole = asked.of_role(*(allow(action, resource=on) for action, on in rights.items()))
    assert asked.told("SELECT * FROM shells", whole) == ""
    with pytest.raises(ClientError, match="not authorized to perform: athena:StartQueryExecution"):
        asked.start("SELECT 1", whole, WorkGroup="other")


def test_a_table_has_the_columns_of_glue_whatever_its_files_have(plain: World, cloud: World) -> None:
    query = "SELECT later, weight, year FROM shells WHERE id = 'a'"
    assert "later" in Asked(plain).told(query), CLOSED
    asked = Asked(cloud)

    ended = asked.ended(query)

    answer = asked.athena.get_query_results(QueryExecutionId=ended["QueryExecutionId"])["ResultSet"]
    assert answer["Rows"][1]["Data"] == [{}, {"VarCharValue": "1.5"}, {"VarCharValue": "2026"}]
    types = [column["Type"] for column in answer["ResultSetMetadata"]["ColumnInfo"]]
    assert types == ["bigint", "double", "varchar"]


def test_a_result_is_where_the_query_says_and_tells_null_from_an_empty_text(plain: World, cloud: World) -> None:
    query = """SELECT id, weight, true AS "yes", from_unixtime(1.5) AS "at",
               to_unixtime(from_iso8601_timestamp('1970-01-01T00:00:02Z')) AS "then" FROM shells ORDER BY weight"""

    def found(asked: Asked, query: str) -> str:
        place = asked.ended(query)["ResultConfiguration"]["OutputLocation"]
        key = place.removeprefix(f"s3://{asked.bucket}/")
        assert key.startswith("results/")
        return str(asked.world.client("s3").get_object(Bucket=asked.bucket, Key=key)["Body"].read().decode())

    with pytest.raises((ClientError, AssertionError)):  # CLOSED
        found(Asked(plain), "SELECT * FROM shells")
    lines = found(Asked(cloud), query).splitlines()

    assert lines[0] == '"id","weight","yes","at","then"'
    assert sorted(lines[1:]) == [
        '"","","true","1970-01-01 00:00:01.500 UTC","2.0"'.replace('"","",', '"",,', 1),
        '"a","1.5","true","1970-01-01 00:00:01.500 UTC","2.0"',
        ',"2.0","true","1970-01-01 00:00:01.500 UTC","2.0"',
    ]


def test_a_feature_groups_records_are_queried_by_the_table_that_it_names(cloud: World) -> None:
    group, bucket, sagemaker = name("shells"), cloud.bucket(), cloud.client("sagemaker")
    kinds = {"id": "String", "at": "Fractional", "Rings": "Integral"}
    sagemaker.create_feature_group(
        FeatureGroupName=group,
        RecordIdentifierFeatureName="id",
        EventTimeFeatureName="at",
        FeatureDefinitions=[{"FeatureName": one, "FeatureType": kind} for one, kind in kinds.items()],
        OfflineStoreConfig={"S3StorageConfig": {"S3Uri": f"s3://{bucket}/f"}},
        RoleArn=cloud.role(allow("s3:*")),
    )
    records = cloud.client("sagemaker-featurestore-runtime")

    def put(**values: object) -> None:
        record = [{"FeatureName": one, "ValueAsString": str(value)} for one, value in values.items()]
        records.put_record(FeatureGroupName=group, Record=record)

    put(id="a", at=1.5, Rings=7)
    weight = {"FeatureName": "weight", "FeatureType": "Fractional"}
    sagemaker.update_feature_group(FeatureGroupName=group, FeatureAdditions=[weight])
    put(id="b", at=time.time(), Rings=8, weight=0.5)
    names = sagemaker.describe_feature_group(FeatureGroupName=group)["OfflineStoreConfig"]["DataCatalogConfig"]
    query = f"""SELECT id, rings, "weight", year, is_deleted, write_time > timestamp '2020-01-01 00:00:00' AS written
                FROM "{names["Database"]}"."{names["TableName"]}" ORDER BY id"""  # noqa: S608  # our own names
    athena = cloud.client("athena")
    output = {"OutputLocation": f"s3://{bucket}/results/"}
    started = athena.start_query_execution(QueryString=query, ResultConfiguration=output)["QueryExecutionId"]

    def ended() -> bool:
        status = athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]["Status"]
        assert status["State"] != "FAILED", status
        return bool(status["State"] == "SUCCEEDED")

    until(ended)
    rows = athena.get_query_results(QueryExecutionId=started)["ResultSet"]["Rows"]
    values = [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows]
    year = str(time.gmtime().tm_year)
    assert values == [
        ["id", "rings", "weight", "year", "is_deleted", "written"],
        ["a", "7", None, "1970", "false", "true"],
        ["b", "8", "0.5", year, "false", "true"],
    ]
