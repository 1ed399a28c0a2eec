"""The feature group of a project: created, or extended by features that are new, and never deleted. Safe to repeat."""

import time
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from botocore.exceptions import ClientError

from signalbox.aws.errors import code_of
from signalbox_operate.stack import OperateError

type Outcome = Literal["created", "extended", "unchanged"]

_POLL_SECONDS = (0.5, 5.0)  # the first wait, and the longest
_PATIENCE_SECONDS = 900


class OfflinePlace(NamedTuple):
    """Where a group keeps every record: a folder in S3, the ARN of the key, and the role that writes there."""

    uri: str
    key_arn: str
    role_arn: str


class WantedGroup(NamedTuple):
    """A feature group as a project declares it; `features` are the types by the names. Without `place` it is online."""

    name: str
    arn: str
    identifier: str
    event_time: str
    features: Mapping[str, str]
    online: bool
    place: OfflinePlace | None


def problems(wanted: WantedGroup, sagemaker: Any) -> list[str]:
    """Return why the group that is there cannot become the wanted one, in sentences; none where it can."""
    found = _find(wanted.name, sagemaker)
    return [] if found is None else [f"features.yaml: {told}" for told in _contradictions(wanted, found)]


def _contradictions(wanted: WantedGroup, found: Mapping[str, Any]) -> Iterator[str]:
    other = f"give another name as group, for a new one beside {wanted.name}, or take the change back"
    if found["FeatureGroupStatus"] in ("CreateFailed", "DeleteFailed"):
        reason = found.get("FailureReason", "for a reason that it does not say")
        yield (
            f"the feature group {wanted.name} is {found['FeatureGroupStatus']} ({reason}): delete it by `aws sagemaker "
            f"delete-feature-group --feature-group-name {wanted.name}`, and deploy again"
        )
        return
    for what, member, name in (
        ("identifier", "RecordIdentifierFeatureName", wanted.identifier),
        ("event_time", "EventTimeFeatureName", wanted.event_time),
    ):
        if found[member] != name:
            yield f"{what} is {name}, and the feature group {wanted.name} has {found[member]} for good: {other}"
    have = _kinds(found)
    for name, kind in wanted.features.items():
        if have.get(name, kind) != kind:
            yield f"the feature {name} is {kind}, and {have[name]} in the feature group {wanted.name}: {other}"
    stores = bool(found.get("OnlineStoreConfig", {}).get("EnableOnlineStore")), "OfflineStoreConfig" in found
    if stores != (wanted.online, wanted.place is not None):
        yield f"store is another than the feature group {wanted.name} was made with: {other}"
    elif wanted.place and found["RoleArn"] != wanted.place.role_arn:
        yield f"the feature group {wanted.name} writes as the role {found['RoleArn']}, which is none of ours: {other}"


def put(wanted: WantedGroup, tags: list[dict[str, str]], sagemaker: Any) -> Outcome:
    """Create the group, or add the features that it lacks, and wait until it takes records.

    Raises:
        OperateError: SageMaker could not make or extend it, or is not done with it in a quarter of an hour.
    """
    found = _find(wanted.name, sagemaker)
    if found is None:
        sagemaker.create_feature_group(**_request(wanted), Tags=tags)
        _settled(wanted.name, sagemaker)
        return "created"
    have = _kinds(_settled(wanted.name, sagemaker))
    sagemaker.add_tags(ResourceArn=wanted.arn, Tags=tags)
    further = {name: kind for name, kind in wanted.features.items() if name not in have}
    if not further:
        return "unchanged"
    sagemaker.update_feature_group(FeatureGroupName=wanted.name, FeatureAdditions=_definitions(further))
    _settled(wanted.name, sagemaker)
    return "extended"


def _request(wanted: WantedGroup) -> dict[str, Any]:
    made: dict[str, Any] = {
        "FeatureGroupName": wanted.name,
        "RecordIdentifierFeatureName": wanted.identifier,
        "EventTimeFeatureName": wanted.event_time,
        "FeatureDefinitions": _definitions(wanted.features),
    }
    if wanted.online:
        made["OnlineStoreConfig"] = {"EnableOnlineStore": True}
    if wanted.place:
        storage = {"S3Uri": wanted.place.uri, "KmsKeyId": wanted.place.key_arn}
        made |= {"OfflineStoreConfig": {"S3StorageConfig": storage}, "RoleArn": wanted.place.role_arn}
    return made


def _settled(name: str, sagemaker: Any) -> dict[str, Any]:
    """Return the group once nothing changes it any more."""
    wait, end = _POLL_SECONDS[0], time.monotonic() + _PATIENCE_SECONDS
    while True:
        found = _find(name, sagemaker)
        status = found["FeatureGroupStatus"] if found else "gone"
        update = found.get("LastUpdateStatus", {}) if found else {}
        if found and status == "Created" and update.get("Status") != "InProgress":
            _check_updated(name, update)
            return found
        if status != "Creating" and not (status == "Created" and update.get("Status") == "InProgress"):
            reason = (found or {}).get("FailureReason", "for a reason that it does not say")
            raise OperateError(f"the feature group {name} is {status}: {reason}")
        if time.monotonic() > end:
            raise OperateError(f"the feature group {name} is {status} for a quarter of an hour: look why, then repeat")
        time.sleep(wait)
        wait = min(wait * 1.5, _POLL_SECONDS[1])


def _check_updated(name: str, update: Mapping[str, Any]) -> None:
    if update.get("Status") == "Failed":
        reason = update.get("FailureReason", "for a reason that it does not say")
        raise OperateError(f"the features of {name} could not be added, and it is as it was before: {reason}")


def _find(name: str, sagemaker: Any) -> dict[str, Any] | None:
    """Return the group with all of its features, which come in pages; None where there is none."""
    try:
        found: dict[str, Any] = sagemaker.describe_feature_group(FeatureGroupName=name)
    except ClientError as error:
        if code_of(error) != "ResourceNotFound":
            raise
        return None
    features, more = list(found["FeatureDefinitions"]), found.get("NextToken")
    while more:
        page = sagemaker.describe_feature_group(FeatureGroupName=name, NextToken=more)
        features, more = [*features, *page["FeatureDefinitions"]], page.get("NextToken")
    return {**found, "FeatureDefinitions": features}


def _kinds(found: Mapping[str, Any]) -> dict[str, str]:
    return {one["FeatureName"]: one["FeatureType"] for one in found["FeatureDefinitions"]}


def _definitions(features: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"FeatureName": name, "FeatureType": kind} for name, kind in features.items()]
