"""The Glue table of an offline store, as Feature Store makes it: its name, its columns, and who may have it made.

The names are those of the API reference (OfflineStoreConfig, DataCatalogConfig). That the table's name is the group's
in lower case, with `_` for `-` and the seconds since 1970 of its creation, that the columns' types are as here, and
that Feature Store makes database and table with the rights of who makes the group (which is what the managed policy
AmazonSageMakerFullAccess grants them for), is from memory.
"""

from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from sagemaker_local.core.cloud import Call, Cloud
from sagemaker_local.core.errors import invalid
from sagemaker_local.core.store import Record

type Row = dict[str, Any]

CATALOG, DATABASE = "AwsDataCatalog", "sagemaker_featurestore"
TYPES = {"Integral": "bigint", "Fractional": "double", "String": "string"}
_ADDED = {"write_time": "timestamp", "api_invocation_time": "timestamp", "is_deleted": "boolean"}
_PARTITIONS = ("year", "month", "day", "hour")
_HIVE = "org.apache.hadoop.hive.ql.io.parquet"


def named(request: Row, epoch: int) -> Row | None:
    """Return the DataCatalogConfig of a new group's offline store: the one asked for, else one that is made up.

    Args:
        request: CreateFeatureGroup's.
        epoch: when the group is made, in seconds since 1970.

    Returns:
        None where no table is wanted.

    Raises:
        ApiError: ValidationException: it is to be in another catalog than Glue's own, which is all that is here.
    """
    offline = request["OfflineStoreConfig"]
    given: Row | None = offline.get("DataCatalogConfig")
    if given and given["Catalog"] != CATALOG:
        raise invalid(f"DataCatalogConfig.Catalog {given['Catalog']} is not here: name {CATALOG}.")
    if given or offline.get("DisableGlueTableCreation"):
        return given
    table = f"{request['FeatureGroupName']}_{epoch}".replace("-", "_").lower()
    return {"TableName": table, "Catalog": CATALOG, "Database": DATABASE}


def makes_table(group: Record) -> bool:
    """Tell whether Feature Store makes the table of a group, and changes it with the group."""
    offline = group.get("OfflineStoreConfig", {})
    return "DataCatalogConfig" in offline and not offline.get("DisableGlueTableCreation")


class FeatureCatalog:
    """The tables of feature groups in the Glue Data Catalog."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def create(self, call: Call, group: Record) -> None:
        """Make the table of a new group, and its database where there is none.

        Raises:
            ApiError: AccessDeniedException: the caller may not make them; ValidationException: there is such a table.
        """
        names, glue = group["OfflineStoreConfig"]["DataCatalogConfig"], self._cloud.root_client("glue")
        self._require(call, "glue:CreateTable", names)
        self._require_database(call, glue, names["Database"])
        try:
            glue.create_table(DatabaseName=names["Database"], TableInput=_table(group))
        except glue.exceptions.AlreadyExistsException:
            raise invalid(
                f"Glue table {names['TableName']} of database {names['Database']} exists already: name another one in "
                "DataCatalogConfig."
            ) from None

    def update(self, call: Call, group: Record) -> None:
        """Give the table of a group the columns of all its features.

        Raises:
            ApiError: AccessDeniedException: the caller may not; ValidationException: the table is gone.
        """
        names, glue = group["OfflineStoreConfig"]["DataCatalogConfig"], self._cloud.root_client("glue")
        self._require(call, "glue:UpdateTable", names)
        try:
            glue.update_table(DatabaseName=names["Database"], TableInput=_table(group))
        except ClientError as error:
            raise invalid(f"Glue table {names['TableName']} of database {names['Database']}: {error}") from None

    def _require(self, call: Call, action: str, names: Row) -> None:
        table = f"table/{names['Database']}/{names['TableName']}"
        self._cloud.access.require(call.access_key, action, self._arn(table))

    def _require_database(self, call: Call, glue: Any, name: str) -> None:
        try:
            glue.get_database(Name=name)
        except glue.exceptions.EntityNotFoundException:
            self._cloud.access.require(call.access_key, "glue:CreateDatabase", self._arn(f"database/{name}"))
            with suppress(glue.exceptions.AlreadyExistsException):  # another group makes it meanwhile
                glue.create_database(DatabaseInput={"Name": name})

    def _arn(self, resource: str) -> str:
        return f"arn:aws:glue:{self._cloud.region}:{self._cloud.account}:{resource}"


def _table(group: Record) -> Row:
    """Return a group's table as Glue's TableInput."""
    offline = group["OfflineStoreConfig"]
    features = {item["FeatureName"].lower(): TYPES[item["FeatureType"]] for item in group["FeatureDefinitions"]}
    return {
        "Name": offline["DataCatalogConfig"]["TableName"],
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "classification": "parquet"},
        "StorageDescriptor": {
            "Columns": [{"Name": name, "Type": kind} for name, kind in {**features, **_ADDED}.items()],
            "Location": offline["S3StorageConfig"]["ResolvedOutputS3Uri"],
            "InputFormat": f"{_HIVE}.MapredParquetInputFormat",
            "OutputFormat": f"{_HIVE}.MapredParquetOutputFormat",
            "SerdeInfo": {"SerializationLibrary": f"{_HIVE}.serde.ParquetHiveSerDe"},
        },
        "PartitionKeys": [{"Name": name, "Type": "string"} for name in _PARTITIONS],
    }
