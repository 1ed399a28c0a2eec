"""Ask the offline store of a feature group in SQL, by Athena: rows for the command line, a DataFrame for a notebook.

A result is a CSV file that Athena writes into the stack's artifacts bucket under `queries/`, from where it goes after a
week; the bucket encrypts it. A work group that has a place of its own for results overrides that.
"""

import csv
import io
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import boto3

from signalbox_features import optional
from signalbox_operate import stack as stacks
from signalbox_operate.stack import OperateError

FOLDER = "queries"
"""Where the artifacts bucket has the results; a rule of the template deletes them."""
PRIMARY = "primary"
LONGEST = 30 * 60
"""Seconds that a query may take: as long as Athena lets one run, where no quota was raised."""
_PAUSES = (0.2, 0.5, 1.0, 2.0)
_INTEGERS = ("tinyint", "smallint", "integer", "bigint")
_NUMBERS = ("float", "real", "double")
_TIMES = ("timestamp", "timestamp with time zone", "date")

type Cell = str | int | float | bool | None


class FeatureTable(NamedTuple):
    """The Glue table of a feature group's offline store, and the group's features in their order."""

    database: str
    name: str
    features: tuple[str, ...]

    @property
    def quoted(self) -> str:
        """Return the table's name as a query has it."""
        return '"' + self.name.replace('"', '""') + '"'


class Answer(NamedTuple):
    """A result: its columns with Athena's types, and its rows as texts; None is NULL."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: Iterator[list[str | None]]


@dataclass(frozen=True)
class QueryDesk:
    """Where queries are asked: clients, the place of results, and how long and how loudly a query is waited for.

    `told` gets a line for each change of a query's state; `pause` gets seconds.
    """

    athena: Any
    s3: Any
    output: str
    work_group: str = PRIMARY
    longest: float = LONGEST
    told: Callable[[str], None] = lambda _: None
    pause: Callable[[float], None] = time.sleep

    def ask(self, sql: str, database: str | None = None) -> Answer:
        """Run a query to its end and return its result, whose rows are read as they are asked for.

        Raises:
            OperateError: the query failed, or takes too long, and is then stopped.
            ClientError: a call was refused.
        """
        context = {"QueryExecutionContext": {"Database": database}} if database else {}
        started = self.athena.start_query_execution(
            QueryString=sql,
            WorkGroup=self.work_group,
            ResultConfiguration={"OutputLocation": self.output},
            **context,
        )["QueryExecutionId"]
        place = urlsplit(self._ended(started)["ResultConfiguration"]["OutputLocation"])
        described = self.athena.get_query_results(QueryExecutionId=started, MaxResults=1)
        columns = described["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
        body = self.s3.get_object(Bucket=place.netloc, Key=place.path.lstrip("/"))["Body"]
        return Answer(
            tuple(one["Name"] for one in columns), tuple(one["Type"] for one in columns), _rows(body, len(columns))
        )

    def _ended(self, started: str) -> Mapping[str, Any]:
        waited, state, pauses = 0.0, "", iter(_PAUSES)
        while waited < self.longest:
            found: Mapping[str, Any] = self.athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]
            if found["Status"]["State"] != state:
                state = found["Status"]["State"]
                self.told(f"query {started}: {state.lower()}")
            if state == "SUCCEEDED":
                return found
            if state in ("FAILED", "CANCELLED"):
                why = found["Status"].get("StateChangeReason") or "Athena does not say why"
                raise OperateError(f"query {started} {state.lower()}: {why}")
            seconds = next(pauses, _PAUSES[-1])
            self.pause(seconds)
            waited += seconds
        self.athena.stop_query_execution(QueryExecutionId=started)
        raise OperateError(
            f"query {started} was stopped after {self.longest / 60:g} minutes: ask for less, such as by the partitions "
            "year, month and day"
        )


def desk(
    session: Any, stack: str, work_group: str = PRIMARY, told: Callable[[str], None] = lambda _: None
) -> QueryDesk:
    """Return where queries are asked in the account and region of a boto3 session.

    Raises:
        OperateError: there is no such stack.
    """
    bucket = stacks.read(stack, session.client("cloudformation")).output("ArtifactsBucket")
    output = f"s3://{bucket}/{FOLDER}/"
    return QueryDesk(session.client("athena"), session.client("s3"), output, work_group, told=told)


def table_of(group: str, sagemaker: Any) -> FeatureTable:
    """Return the table of a feature group.

    Raises:
        OperateError: it has no offline store, or no table.
        ClientError: there is no such group.
    """
    described = sagemaker.describe_feature_group(FeatureGroupName=group)
    names = described.get("OfflineStoreConfig", {}).get("DataCatalogConfig")
    if not names:
        raise OperateError(
            f"feature group {group} has no table to query: it needs an offline store with a table in Glue"
        )
    features = tuple(item["FeatureName"] for item in described["FeatureDefinitions"])
    return FeatureTable(names["Database"], names["TableName"], features)


def query(
    sql: str,
    group: str | None = None,
    *,
    stack: str = "signalbox",
    session: Any = None,
    work_group: str = PRIMARY,
) -> Any:
    """Return the result of a query as a DataFrame, with numbers, booleans and times as such; for notebooks.

    Args:
        sql: the query; `{table}` in it stands for the group's table.
        group: the feature group that is meant.
        stack: the deployed stack, whose artifacts bucket gets the result.
        session: a boto3 session; else one of the environment.
        work_group: Athena's work group.

    Raises:
        OperateError: the query failed, takes too long, or names `{table}` without a group.
        FeaturesError: pandas is not installed.
        ClientError: a call was refused.
    """
    session = session or boto3.session.Session()
    text, database = resolved(sql, group, session.client("sagemaker"))
    return frame(desk(session, stack, work_group).ask(text, database))


def resolved(sql: str, group: str | None, sagemaker: Any) -> tuple[str, str | None]:
    """Return a query with the group's table in place of `{table}`, and the table's database.

    Raises:
        OperateError: it names `{table}`, and there is no group; or the group has no table.
    """
    if group is None:
        if "{table}" in sql:
            raise OperateError("the query has {table}: say with --group which feature group's table is meant")
        return sql, None
    table = table_of(group, sagemaker)
    return sql.replace("{table}", table.quoted), table.database


def frame(answer: Answer) -> Any:
    """Return a result as a DataFrame; NULL is a missing value.

    Raises:
        FeaturesError: pandas is not installed, without which the command line does.
    """
    pd = optional.load("pandas", "a DataFrame")
    cells = pd.DataFrame(list(answer.rows), columns=list(answer.columns), dtype="object")
    for place, kind in enumerate(answer.types):
        cells.isetitem(place, _series(pd, cells.iloc[:, place], kind))
    return cells


def _series(pd: Any, cells: Any, kind: str) -> Any:
    """Return a column of texts as its type has it: `Int64`, `float64`, `boolean`, a time, else `string`."""
    if kind in _INTEGERS:
        return pd.array([None if one is None else int(one) for one in cells], dtype="Int64")
    if kind in _NUMBERS:
        return cells.astype("float64")
    if kind == "boolean":
        return pd.array([None if one is None else one == "true" for one in cells], dtype="boolean")
    if kind in _TIMES:
        zoned = kind.endswith("zone")
        return pd.to_datetime(
            cells.str.replace(" UTC", "", regex=False) if zoned else cells, utc=zoned, format="ISO8601"
        )
    return cells.astype("string")


def values(answer: Answer) -> Iterator[dict[str, Cell]]:
    """Yield the rows of a result as JSON may have them."""
    for row in answer.rows:
        cells = (_cell(text, kind) for text, kind in zip(row, answer.types, strict=True))
        yield dict(zip(answer.columns, cells, strict=True))


def _cell(text: str | None, kind: str) -> Cell:
    if text is None:
        return None
    if kind in _INTEGERS:
        return int(text)
    if kind in _NUMBERS:  # JSON has no infinity
        return float(text) if math.isfinite(float(text)) else text
    return text == "true" if kind == "boolean" else text


def first(answer: Answer, most: int) -> tuple[list[Sequence[str | None]], int]:
    """Return the first rows of a result, and how many there are besides."""
    return list(islice(answer.rows, most)), sum(1 for _ in answer.rows)


def _rows(body: Any, width: int) -> Iterator[list[str | None]]:
    """Yield the rows of Athena's file, in which a cell without quotes is NULL; of one NULL alone the line is empty."""
    with io.TextIOWrapper(io.BufferedReader(_Readable(body)), encoding="utf-8", newline="") as text:
        rows = csv.reader(text, quoting=csv.QUOTE_NOTNULL, strict=True)
        next(rows, None)
        for row in rows:
            yield [*row] if row else [None] * width


class _Readable(io.RawIOBase):
    """An object's body as the standard library reads files."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer and return how many bytes there were; 0 at the end."""
        data: bytes = self._body.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
