"""A Glue Data Catalog that remembers its databases and tables, with boto3's names and Glue's refusals."""

# ruff: noqa: N803 (the API writes its parameters so)
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError
from tests.support.botocore_strict import check_request


class AlreadyThereError(ClientError):
    """AlreadyExistsException."""

    def __init__(self, operation: str) -> None:
        super().__init__({"Error": {"Code": "AlreadyExistsException", "Message": "It exists."}}, operation)


class NotThereError(ClientError):
    """EntityNotFoundException."""

    def __init__(self, operation: str) -> None:
        super().__init__({"Error": {"Code": "EntityNotFoundException", "Message": "Not found."}}, operation)


class FakeGlue:
    """The catalog: table inputs by database and name."""

    exceptions = SimpleNamespace(AlreadyExistsException=AlreadyThereError, EntityNotFoundException=NotThereError)

    def __init__(self) -> None:
        self.databases: dict[str, dict[str, Any]] = {}

    def get_database(self, *, Name: str) -> None:
        """Find a database."""
        if Name not in self.databases:
            raise NotThereError("GetDatabase")

    def create_database(self, *, DatabaseInput: dict[str, str]) -> None:
        """Make a database once."""
        check_request("glue", "CreateDatabase", {"DatabaseInput": DatabaseInput})
        if DatabaseInput["Name"] in self.databases:
            raise AlreadyThereError("CreateDatabase")
        self.databases[DatabaseInput["Name"]] = {}

    def create_table(self, *, DatabaseName: str, TableInput: dict[str, Any]) -> None:
        """Make a table once."""
        check_request("glue", "CreateTable", {"DatabaseName": DatabaseName, "TableInput": TableInput})
        if TableInput["Name"] in self.databases[DatabaseName]:
            raise AlreadyThereError("CreateTable")
        self.databases[DatabaseName][TableInput["Name"]] = TableInput

    def update_table(self, *, DatabaseName: str, TableInput: dict[str, Any]) -> None:
        """Change a table that there is."""
        check_request("glue", "UpdateTable", {"DatabaseName": DatabaseName, "TableInput": TableInput})
        if TableInput["Name"] not in self.databases.get(DatabaseName, {}):
            raise NotThereError("UpdateTable")
        self.databases[DatabaseName][TableInput["Name"]] = TableInput
