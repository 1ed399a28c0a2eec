"""What a feature group may be, and what may be added to it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sagemaker_local.core.errors import invalid

type Definition = Mapping[str, Any]

# The columns that the offline store adds (API reference, FeatureDefinition).
_RESERVED = {"is_deleted", "write_time", "api_invocation_time"}


def check_group(request: Mapping[str, Any]) -> None:
    """See that a new group's features can be kept, and that its identifier and event time are among them.

    Raises:
        ApiError: ValidationException: they cannot, or are not.
    """
    _check_names(request["FeatureDefinitions"])
    if not stores_of(request):
        raise invalid("A feature group needs an online store, an offline store, or both.")
    kinds = {item["FeatureName"]: item["FeatureType"] for item in request["FeatureDefinitions"]}
    for member in ("RecordIdentifierFeatureName", "EventTimeFeatureName"):
        if request[member] not in kinds:
            raise invalid(f"{member} {request[member]!r} is not among the FeatureDefinitions.")
    if kinds[request["EventTimeFeatureName"]] == "Integral":
        raise invalid("The event time feature has to be Fractional (epoch seconds) or String (ISO-8601).")


def check_additions(group: Mapping[str, Any], added: Sequence[Definition]) -> None:
    """See that features can be added to a group.

    Raises:
        ApiError: ValidationException: the group has one of that name, or the name is reserved.
    """
    known = {item["FeatureName"] for item in group["FeatureDefinitions"]}
    there = sorted(known & {item["FeatureName"] for item in added})
    if there:
        raise invalid(f"The feature group {group['FeatureGroupName']} has the features {there} already.")
    _check_names(added)


def lasting(group: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return the OnlineStoreConfig of a group whose further records last for another time.

    Raises:
        ApiError: ValidationException: it has no online store.
    """
    if "OnlineStore" not in stores_of(group):
        raise invalid(f"FeatureGroup {group['FeatureGroupName']} has no online store.")
    return {**group["OnlineStoreConfig"], **change}


def stores_of(group: Mapping[str, Any]) -> set[str]:
    """Return the stores that a group has: `OnlineStore`, `OfflineStore`."""
    online = group.get("OnlineStoreConfig", {}).get("EnableOnlineStore")
    return ({"OnlineStore"} if online else set()) | ({"OfflineStore"} if "OfflineStoreConfig" in group else set())


def _check_names(definitions: Sequence[Definition]) -> None:
    names = [item["FeatureName"] for item in definitions]
    if len(set(names)) != len(names):
        raise invalid("The FeatureDefinitions name a feature twice.")
    reserved = sorted(set(names) & _RESERVED)
    if reserved:
        raise invalid(f"The feature names {reserved} are reserved for the offline store.")
