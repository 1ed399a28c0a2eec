"""The Feature Store: groups, the newest record of each id online, every record in the offline store's layout."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlparse

from sagemaker_local.core.cloud import Call, Cloud, Handler, short_name
from sagemaker_local.core.errors import ApiError, invalid, not_found
from sagemaker_local.core.resources import FEATURE_GROUP, Resources
from sagemaker_local.core.roles import pass_role, tag_at_creation
from sagemaker_local.core.store import Record
from sagemaker_local.sagemaker import catalog, online
from sagemaker_local.sagemaker.catalog import FeatureCatalog
from sagemaker_local.sagemaker.groups import check_additions, check_group, lasting, stores_of
from sagemaker_local.sagemaker.offline import check_installed, write_offline
from sagemaker_local.sagemaker.online import OnlineRecord, OnlineStore

type Row = dict[str, Any]

_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")


class FeatureStore:
    """Feature groups and their records. All values are strings on the wire."""

    def __init__(self, cloud: Cloud, resources: Resources) -> None:
        self._cloud = cloud
        self._resources = resources
        self._catalog = FeatureCatalog(cloud)
        self._online = OnlineStore(cloud.clock)

    def operations(self) -> dict[str, Handler]:
        """Return the handlers by operation."""
        groups = self._resources
        return {
            "CreateFeatureGroup": self.create,
            "DescribeFeatureGroup": lambda call: groups.describe(FEATURE_GROUP, call.request["FeatureGroupName"]),
            "UpdateFeatureGroup": self.update,
            "ListFeatureGroups": lambda call: groups.list(FEATURE_GROUP, "ListFeatureGroups", call.request),
            "DeleteFeatureGroup": self.delete,
            "PutRecord": self.put,
            "BatchWriteRecord": self.batch_write,
            "GetRecord": self.get,
            "BatchGetRecord": self.batch_get,
            "DeleteRecord": self.delete_record,
        }

    def create(self, call: Call) -> dict[str, Any]:
        """Keep a feature group whose identifier and event time are among its features, and make its Glue table."""
        request = call.request
        tag_at_creation(self._cloud, call, self._resources.arn(FEATURE_GROUP, request["FeatureGroupName"]))
        check_group(request)
        if "OfflineStoreConfig" in request:
            check_installed()
            if "RoleArn" not in request:
                raise invalid("RoleArn is required for a feature group with an offline store.")
            pass_role(self._cloud, call, request["RoleArn"])
        made = self._resources.create(FEATURE_GROUP, self._with_output(request), FeatureGroupStatus="Created")
        try:
            if catalog.makes_table(made):
                self._catalog.create(call, made)
        except ApiError:
            self._resources.delete(FEATURE_GROUP, request["FeatureGroupName"])
            raise
        self._send_event(made, "Active")
        return {"FeatureGroupArn": made["FeatureGroupArn"]}

    def update(self, call: Call) -> dict[str, Any]:
        """Add features to a group, and columns to its table, or let further records last for another time."""
        request = call.request
        group = self._group(request["FeatureGroupName"])
        added = request.get("FeatureAdditions", [])
        check_additions(group, added)
        definitions = [*group["FeatureDefinitions"], *added]
        if added and catalog.makes_table(group):
            self._catalog.update(call, {**group, "FeatureDefinitions": definitions})
        changed: Row = {"FeatureDefinitions": definitions, "LastUpdateStatus": {"Status": "Successful"}}
        if "OnlineStoreConfig" in request:
            changed["OnlineStoreConfig"] = lasting(group, request["OnlineStoreConfig"])
        self._resources.update(FEATURE_GROUP, group["FeatureGroupName"], **changed)
        return {"FeatureGroupArn": group["FeatureGroupArn"]}

    def _with_output(self, request: Row) -> Row:
        offline = request.get("OfflineStoreConfig")
        if not offline:
            return request
        offline, storage = deepcopy(offline), offline["S3StorageConfig"]
        epoch = int(self._cloud.clock().timestamp())
        place = (
            f"{storage['S3Uri'].rstrip('/')}/{self._cloud.account}/sagemaker/{self._cloud.region}/offline-store/"
            f"{request['FeatureGroupName']}-{epoch}/data"
        )
        offline["S3StorageConfig"]["ResolvedOutputS3Uri"] = place
        names = catalog.named(request, epoch)
        offline.update({"DataCatalogConfig": names} if names else {})
        return {**request, "OfflineStoreConfig": offline, "OfflineStoreStatus": {"Status": "Active"}}

    def delete(self, call: Call) -> dict[str, Any]:
        """Forget a group and its online records; offline data stay, as on AWS."""
        group = self._resources.delete(FEATURE_GROUP, call.request["FeatureGroupName"])
        self._online.forget(group["FeatureGroupName"])
        return {}

    def put(self, call: Call) -> dict[str, Any]:
        """Write one record."""
        group, given = self._group(call.request["FeatureGroupName"]), call.request
        self._write(group, [(_row(given["Record"]), given.get("TtlDuration"))], given.get("TargetStores"))
        return {}

    def batch_write(self, call: Call) -> dict[str, Any]:
        """Write up to 25 records, of any groups; the good ones are written, the others answered with their error."""
        self._allow(call, [entry["FeatureGroupName"] for entry in call.request["Entries"]])
        errors: list[Row] = []
        good: dict[tuple[str, ...], list[Row]] = {}
        for entry in call.request["Entries"]:
            with _answered(errors, [entry]):
                group, targets = self._group(entry["FeatureGroupName"]), entry.get("TargetStores", [])
                _check(group, _row(entry["Record"]), targets)
                good.setdefault((group["FeatureGroupName"], *targets), []).append(entry)
        for (name, *targets), entries in good.items():
            with _answered(errors, entries):
                of_all = call.request.get("TtlDuration")
                rows = [(_row(entry["Record"]), entry.get("TtlDuration", of_all)) for entry in entries]
                self._write(self._group(name), rows, targets)
        return {"Errors": errors, "UnprocessedEntries": []}

    def get(self, call: Call) -> dict[str, Any]:
        """Return the newest record of an id; nothing where it is deleted or was never written."""
        group = self._group(call.request["FeatureGroupName"])
        if "OnlineStore" not in stores_of(group):
            raise invalid(f"FeatureGroup {group['FeatureGroupName']} has no online store.")
        return self._find(group, call.request["RecordIdentifierValueAsString"], call.request.get("FeatureNames"), call)

    def batch_get(self, call: Call) -> dict[str, Any]:
        """Return the newest records of many ids; ids without a record are left out, as on AWS."""
        self._allow(call, [wanted["FeatureGroupName"] for wanted in call.request["Identifiers"]])
        records, errors = [], []
        for wanted in call.request["Identifiers"]:
            name = wanted["FeatureGroupName"]
            for identifier in wanted["RecordIdentifiersValueAsString"]:
                where = {"FeatureGroupName": name, "RecordIdentifierValueAsString": identifier}
                try:
                    found = self._find(self._group(name), identifier, wanted.get("FeatureNames"), call)
                except ApiError as error:
                    errors.append({**where, "ErrorCode": _code(error), "ErrorMessage": error.message})
                    continue
                if found:
                    records.append({**where, **found})
        return {"Records": records, "Errors": errors, "UnprocessedIdentifiers": []}

    def delete_record(self, call: Call) -> dict[str, Any]:
        """Delete a record softly (its features go, a later event time may bring it back) or for good."""
        group = self._group(call.request["FeatureGroupName"])
        identifier, when = call.request["RecordIdentifierValueAsString"], call.request["EventTime"]
        targets = _targets(group, call.request.get("TargetStores"))
        at = moment(when, _event_time_kind(group))
        if "OnlineStore" in targets:
            hard = call.request.get("DeletionMode") == "HardDelete"
            self._online.delete(group["FeatureGroupName"], identifier, at, hard=hard)
        row = {group["RecordIdentifierFeatureName"]: identifier, group["EventTimeFeatureName"]: when}
        if "OfflineStore" in targets:
            self._offline(group, [row], deleted=True)
        return {}

    def _group(self, name_or_arn: str) -> Record:
        try:
            return self._resources.get(FEATURE_GROUP, name_or_arn)
        except ApiError as error:
            raise not_found(error.message) from error

    def _allow(self, call: Call, groups: list[str]) -> None:
        """Decide a batch on each of its groups; the first was decided before the request came here."""
        for name in dict.fromkeys(groups[1:]):
            if name != groups[0]:
                arn = self._resources.arn(FEATURE_GROUP, short_name(name))
                self._cloud.access.require(call.access_key, f"sagemaker:{call.operation}", arn)

    def _find(self, group: Record, identifier: str, names: list[str] | None, call: Call) -> Row:
        """Return Record and, where it is asked for, ExpiresAt of an answer; nothing where there is no such record."""
        known = self._online.find(group["FeatureGroupName"], identifier)
        if known is None or known.row is None:
            return {}
        found = [_value(name, value) for name, value in known.row.items() if not names or name in names]
        expires = known.expires if call.request.get("ExpirationTimeResponse") == "Enabled" else None
        return {"Record": found, **online.shown(expires)}

    def _write(self, group: Record, rows: list[tuple[Row, Row | None]], targets: list[str] | None) -> None:
        """Write rows, each with its own TtlDuration, None where it has none."""
        stores = _targets(group, targets)
        for row, _ in rows:
            _check(group, row, targets)
        if "OnlineStore" in stores:
            for row, lasts in rows:
                at = moment(row[group["EventTimeFeatureName"]])
                record = OnlineRecord(at, row, online.expiry(at, lasts, group))
                self._online.keep(group["FeatureGroupName"], row[group["RecordIdentifierFeatureName"]], record)
        if "OfflineStore" in stores:
            self._offline(group, [row for row, _ in rows], deleted=False)

    def _offline(self, group: Record, rows: list[Row], *, deleted: bool) -> None:
        storage = group["OfflineStoreConfig"]["S3StorageConfig"]
        place, key_of_kms = urlparse(storage["ResolvedOutputS3Uri"]), storage.get("KmsKeyId", "")
        session = f"offline-{group['FeatureGroupName']}"[:64]
        s3: Any = self._cloud.access.client("s3", group["RoleArn"], session, key_of_kms)
        hours: dict[str, list[Row]] = {}  # AWS gathers what comes within minutes; here a file has what came together
        for row in rows:
            hour = f"{moment(row[group['EventTimeFeatureName']]):year=%Y/month=%m/day=%d/hour=%H}"
            hours.setdefault(hour, []).append(row)
        for hour, some in hours.items():
            file = _file(moment(some[0][group["EventTimeFeatureName"]]))
            body = write_offline(group["FeatureDefinitions"], some, self._cloud.clock(), deleted=deleted)
            s3.put_object(Bucket=place.netloc, Key=f"{place.path.lstrip('/')}/{hour}/{file}", Body=body)

    def _send_event(self, group: Record, status: str) -> None:
        detail = {"FeatureGroupName": group["FeatureGroupName"], "FeatureGroupArn": group["FeatureGroupArn"]}
        detail["FeatureGroupStatus"] = status  # the event says Active where the API says Created
        self._cloud.events.send("SageMaker Feature Group State Change", [group["FeatureGroupArn"]], detail)


def _targets(group: Row, wanted: list[str] | None) -> set[str]:
    """Return the stores that a record goes to: those asked for, else all that the group has."""
    missing = sorted(set(wanted or []) - stores_of(group))
    if missing:
        raise invalid(f"Validation Error: the feature group {group['FeatureGroupName']} has no {missing[0]}.")
    return set(wanted) if wanted else stores_of(group)


def _code(error: ApiError) -> str:
    # The run-time API spells this one code differently.
    return "ValidationError" if error.code == "ValidationException" else error.code


def _file(when: datetime) -> str:
    return f"{when:%Y%m%dT%H%M%SZ}_{secrets.token_hex(8)}.parquet"


def _row(record: list[Row]) -> Row:
    names = [item["FeatureName"] for item in record]
    if len(set(names)) != len(names):
        raise invalid("Validation Error: a feature is named twice in one record.")
    return {item["FeatureName"]: item.get("ValueAsString", item.get("ValueAsStringList")) for item in record}


def _value(name: str, value: str | list[str]) -> Row:
    return {"FeatureName": name, "ValueAsString" if isinstance(value, str) else "ValueAsStringList": value}


@contextmanager
def _answered(errors: list[Row], entries: list[Row]) -> Iterator[None]:
    """Let a refusal be the answer to entries of a batch."""
    try:
        yield
    except ApiError as error:
        errors += [{"Entry": entry, "ErrorCode": _code(error), "ErrorMessage": error.message} for entry in entries]


def _check(group: Record, row: Row, targets: list[str] | None) -> None:
    _targets(group, targets)
    kinds = {item["FeatureName"]: item["FeatureType"] for item in group["FeatureDefinitions"]}
    for member in ("RecordIdentifierFeatureName", "EventTimeFeatureName"):
        if not row.get(group[member]):
            raise invalid(f"Validation Error: the record has no value for {group[member]}.")
    for name, value in row.items():
        if name not in kinds:
            raise invalid(f"Validation Error: feature {name} is not in the feature group {group['FeatureGroupName']}.")
        number = {"Integral": int, "Fractional": float}.get(kinds[name])
        if number is not None and isinstance(value, str):
            try:
                number(value)
            except ValueError:
                raise invalid(f"Validation Error: {value!r} of feature {name} is not {kinds[name]}.") from None
    moment(row[group["EventTimeFeatureName"]], _event_time_kind(group))


def _event_time_kind(group: Record) -> str:
    kinds = {item["FeatureName"]: item["FeatureType"] for item in group["FeatureDefinitions"]}
    return str(kinds[group["EventTimeFeatureName"]])


def moment(value: str, kind: str | None = None) -> datetime:
    """Return an event time: epoch seconds (`kind` Fractional), or ISO-8601 `yyyy-MM-ddTHH:mm:ss[.SSS]Z` (String).

    Raises:
        ApiError: it is neither, or not of its kind.
    """
    is_text = bool(_ISO.fullmatch(value))
    try:
        if kind in (None, "String" if is_text else "Fractional"):
            return datetime.fromisoformat(value) if is_text else datetime.fromtimestamp(float(value), UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise invalid(f"Validation Error: {value!r} is not an event time{f' of type {kind}' if kind else ''}.")
