"""One file of the offline store: parquet with the group's features and the columns that SageMaker adds."""

import io
from datetime import datetime
from importlib.util import find_spec
from typing import Any

from sagemaker_local.core.errors import invalid


def check_installed() -> None:
    """See that parquet files can be written.

    Raises:
        ApiError: ValidationException: pyarrow is not installed.
    """
    if find_spec("pyarrow") is None:
        raise invalid("An offline store needs the Python package pyarrow, which is not installed here: install it.")


def write_offline(
    definitions: list[dict[str, Any]], rows: list[dict[str, Any]], now: datetime, *, deleted: bool
) -> bytes:
    """Return a parquet file of `rows`; columns api_invocation_time, write_time and is_deleted are added.

    Source: Developer Guide, feature-store-offline.
    """
    import pyarrow as pa  # noqa: PLC0415  # heavy, and most clouds never write a feature
    import pyarrow.parquet as pq  # noqa: PLC0415

    types = {"Integral": pa.int64(), "Fractional": pa.float64(), "String": pa.string()}
    read = {"Integral": int, "Fractional": float, "String": str}
    columns: dict[str, Any] = {}
    for item in definitions:
        name, kind = item["FeatureName"], item["FeatureType"]
        values = [None if row.get(name) is None else read[kind](row[name]) for row in rows]
        columns[name] = pa.array(values, type=types[kind])
    moment = pa.timestamp("ms", tz="UTC")
    columns["write_time"] = pa.array([now] * len(rows), type=moment)
    columns["api_invocation_time"] = pa.array([now] * len(rows), type=moment)
    columns["is_deleted"] = pa.array([deleted] * len(rows), type=pa.bool_())
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target)
    return target.getvalue()
