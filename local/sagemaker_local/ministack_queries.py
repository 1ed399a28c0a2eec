"""What ministack 1.5.33 does otherwise than Athena: whose rights a query has, what it reads, how its result is kept.

Its engine is DuckDB, which knows neither Trino's functions of times, nor that a table's columns are those of Glue.
What a query may do is decided on `glue:GetTable`, `s3:ListBucket`, and `s3:GetObject` and `s3:PutObject` of what it
reads and writes; not on keys of KMS, and not on single objects in a table's location.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import Any
from urllib.parse import urlparse

from sagemaker_local import ministack
from sagemaker_local.core.cloud import HttpResponse
from sagemaker_local.later import when_loaded
from sagemaker_local.ministack import ServiceHandler, buckets, queries, tables

_ATHENA = "ministack.services.athena"
_caller: ContextVar[str] = ContextVar("caller")
# Trino's functions that the queries of training sets have, in DuckDB's words; times are in UTC, as in Athena.
_FUNCTIONS = (
    "SET TimeZone = 'UTC'; "
    "CREATE MACRO from_unixtime(seconds) AS to_timestamp(seconds); "
    "CREATE MACRO to_unixtime(moment) AS epoch(moment); "
    "CREATE MACRO from_iso8601_timestamp(text) AS CAST(text AS TIMESTAMPTZ); "
)


class QueryRefusedError(Exception):
    """A query may not go on; the sentence becomes the reason of its failure."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)


def hold_queries_to_the_callers_rights() -> None:
    """Gap: a query reads every table, and every file of this machine, whoever asks for it in whichever work group."""
    ministack.around_service("athena", _as_the_caller)
    ministack.name_resource("athena", _work_group)
    when_loaded(_ATHENA, _hold_queries)


def _as_the_caller(handler: ServiceHandler) -> ServiceHandler:
    """Let a query know who asks, and be one statement: others could do what the first one's limits forbid."""

    async def answer(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> HttpResponse:
        token = _caller.set(ministack.access_key(headers, query))
        try:
            sentence = _refusal(str(ministack.json_object(body).get("QueryString", "")))
            if sentence is not None:
                return ministack.json_refusal("InvalidRequestException", sentence)
            return await handler(method, path, headers, body, query)
        finally:
            _caller.reset(token)

    return answer


def _refusal(text: str) -> str | None:
    if text and queries.get_athena_engine() != "duckdb":  # else ministack makes up the rows
        return "Athena needs the Python package duckdb, which is not installed here: install it."
    return f"Only one sql statement is allowed. Got: {text[:200]}" if _statements(text) > 1 else None


def _statements(text: str) -> int:
    tokens = [(kind, token) for kind, token, _, _ in queries._sql_tokens(text)]
    while tokens and tokens[-1] == ("punct", ";"):
        tokens.pop()
    return 1 + tokens.count(("punct", ";"))


def _work_group(_query: Mapping[str, Any], body: bytes) -> str | None:
    """Return the work group of a request that names none: the query's own, which is `primary` if none is named.

    Service Authorization Reference, Athena.
    """
    asked = ministack.json_object(body)
    if "QueryString" in asked:
        return "workgroup/primary"
    found = queries._executions.get(asked.get("QueryExecutionId"))
    return f"workgroup/{found['WorkGroup']}" if found else None


def _hold_queries() -> None:
    rewrite = queries._rewrite_data_paths

    async def rewritten(query: str, database: str, catalog: str | None = None) -> Any:
        for reference in queries._table_references(query):
            _require_table(reference.database or database, reference.table)
        text, attached, folders = await rewrite(query, database, catalog)
        return _FUNCTIONS + ("" if attached else _closed(folders)) + text, attached, folders

    queries._rewrite_data_paths = rewritten


def _closed(folders: Sequence[str]) -> str:
    """Return statements after which a query reads nothing but the copies of its tables' files."""
    listed = ", ".join(f"'{folder}'" for folder in folders)
    return f"SET allowed_directories = [{listed}]; SET enable_external_access = false; SET lock_configuration = true; "


def _require_table(database: str, table: str) -> None:
    """See that the caller may read a table that there is, and its files."""
    found = tables._tables.get(f"{database}/{table}")
    if found is None:
        return
    account, region = ministack.scope()
    _require("glue:GetTable", f"arn:aws:glue:{region}:{account}:table/{database}/{table}")
    place = urlparse(found["StorageDescriptor"]["Location"])
    _require("s3:ListBucket", f"arn:aws:s3:::{place.netloc}")
    _require("s3:GetObject", f"arn:aws:s3:::{place.netloc}/{place.path.strip('/')}/*")


def _require(action: str, resource: str) -> None:
    sentence = ministack.refusal(_caller.get(), action, resource, ministack.scope()[1])
    if sentence is not None:
        raise QueryRefusedError(f"Insufficient permissions to execute the query. {sentence}")


def read_columns_as_glue_has_them() -> None:
    """Gap: Parquet has the columns of its files; in Athena the table's, without a value where a file has none.

    User Guide, "Handle schema updates": a column that is added is null in files from before.
    """
    when_loaded(_ATHENA, _read_columns)


def _read_columns() -> None:
    relation = queries._table_relation

    def read(table: dict[str, Any], files: list[str]) -> str:
        found = str(relation(table, files))
        columns = [*table["StorageDescriptor"].get("Columns", []), *table.get("PartitionKeys", [])]
        if not columns or queries._data_format(table) != "parquet":
            return found
        wanted = ", ".join(_column(one) for one in columns)
        all_columns = queries._empty_relation(table)
        return f"(SELECT {wanted} FROM (FROM {all_columns} UNION ALL BY NAME FROM {found}))"  # noqa: S608  # of names

    queries._table_relation = read


def _column(column: Mapping[str, str]) -> str:
    name = '"' + column["Name"].replace('"', '""') + '"'
    return f"CAST({name} AS {queries._duckdb_type(column)}) AS {name}"


def keep_results_as_athena_does() -> None:
    """Gap: a result is written by nobody, elsewhere than the query says, and without telling NULL from an empty text.

    User Guide, "Work with query results": a file <query id>.csv in the output location, every value in quotes.
    """
    when_loaded(_ATHENA, _keep_results)


def _keep_results() -> None:
    start = queries._start_query_execution
    queries._datum_text, queries._save_query_results = text_of, _save

    def started(request: dict[str, Any]) -> HttpResponse:
        answer: HttpResponse = start(request)
        found = queries._executions.get(ministack.json_object(answer[2]).get("QueryExecutionId"))
        if found:
            name = f"{found['QueryExecutionId']}.csv"
            configured = found["ResultConfiguration"]
            folder = configured["OutputLocation"].removesuffix(name).rstrip("/")
            configured["OutputLocation"] = f"{folder}/{name}"
        return answer

    queries._start_query_execution = started


def text_of(value: object) -> str:
    """Return a value as Athena spells it: `true`, and a time without its zone to the millisecond."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        moment = value.replace(tzinfo=None).isoformat(" ", "milliseconds")
        return f"{moment} UTC" if value.tzinfo else moment
    return str(value)


async def _save(query: str) -> None:
    execution = queries._executions[query]
    place, results = urlparse(execution["ResultConfiguration"]["OutputLocation"]), execution["_results"]
    key = place.path.lstrip("/")
    _require("s3:PutObject", f"arn:aws:s3:::{place.netloc}/{key}")
    lines = map(_line, [results["columns"], *results["rows"]])
    answer = buckets._put_object(place.netloc, key, "".join(lines).encode(), {"content-type": "text/csv"})
    if answer[0] >= ministack.REFUSED:
        raise QueryRefusedError(f"The result could not be written to {place.geturl()}: {answer[2].decode()}")


def _line(values: Iterable[object]) -> str:
    return ",".join("" if value is None else '"' + text_of(value).replace('"', '""') + '"' for value in values) + "\n"
