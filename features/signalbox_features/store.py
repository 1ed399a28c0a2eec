"""The Feature Store of AWS as a writer of records: by BatchWriteRecord, or one by one where boto3 is older."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

from signalbox_features.writing import RecordAnswer, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signalbox_features.model import FeatureDefinition

# The operation's errors of botocore's model that pass by themselves, and what AWS calls throttling.
_PASSING = (
    "InternalFailure",
    "InternalServerError",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
)
_STORES = {"online": ["OnlineStore"], "offline": ["OfflineStore"]}  # both: nothing is said, which is all of the group's


class FeatureStoreWriter:
    """A feature group's stores, by a client of `sagemaker-featurestore-runtime`."""

    def __init__(self, client: Any, group: str, definition: FeatureDefinition) -> None:
        self._client, self._group = client, group
        self._keys = (definition.identifier.name, definition.event_time.name)
        stores = _STORES.get(definition.store)
        self._more: dict[str, Any] = {"TargetStores": stores} if stores else {}
        if definition.ttl:
            unit, count = definition.ttl
            self._more["TtlDuration"] = {"Unit": unit.capitalize(), "Value": count}

    def write(self, records: Sequence[dict[str, str]]) -> list[RecordAnswer]:
        """Write records, and return an answer for each; see `writing.RecordWriter`.

        Raises:
            StoreError: the group is not there, or may not be written.
        """
        if not hasattr(self._client, "batch_write_record"):
            return [self._one(record) for record in records]
        try:
            answer = self._client.batch_write_record(Entries=[self._entry(record) for record in records])
        except (ClientError, BotoCoreError) as error:
            return [self._failed(error)] * len(records)
        told = {
            self._key(entry): RecordAnswer(False, "it was not processed", again=True)
            for entry in answer["UnprocessedEntries"]
        }
        for one in answer["Errors"]:
            code = str(one["ErrorCode"])
            told[self._key(one["Entry"])] = RecordAnswer(
                False, f"{code}: {one['ErrorMessage']}", again=code in _PASSING
            )
        return [told.get(tuple(record[name] for name in self._keys), RecordAnswer(True)) for record in records]

    def _one(self, record: dict[str, str]) -> RecordAnswer:
        try:
            self._client.put_record(**self._entry(record))
        except ClientError as error:
            found = error.response["Error"]
            if found["Code"] in ("ValidationError", "ValidationException"):
                return RecordAnswer(False, f"{found['Code']}: {found['Message']}")
            return self._failed(error)
        except BotoCoreError as error:
            return self._failed(error)
        return RecordAnswer(True)

    def _failed(self, error: ClientError | BotoCoreError) -> RecordAnswer:
        """Return the answer to a call that may pass; a lost answer too: the record is written again as the same."""
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
        if code in _PASSING or isinstance(error, (NoConnectionError, HTTPClientError)):
            return RecordAnswer(False, str(error), again=True)
        raise StoreError(f"the feature group {self._group} takes no records: {error}") from error

    def _entry(self, record: dict[str, str]) -> dict[str, Any]:
        values = [{"FeatureName": name, "ValueAsString": value} for name, value in record.items()]
        return {"FeatureGroupName": self._group, "Record": values, **self._more}

    def _key(self, entry: Any) -> tuple[str, ...]:
        values = {one["FeatureName"]: one.get("ValueAsString", "") for one in entry["Record"]}
        return tuple(values.get(name, "") for name in self._keys)
