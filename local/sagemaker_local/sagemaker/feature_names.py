"""The features of a group: which names they may have, and further ones of a group that is there."""

from typing import Any

from sagemaker_local.core.errors import invalid
from sagemaker_local.core.resources import FEATURE_GROUP, Resources

type Features = list[dict[str, Any]]

# The columns that the offline store adds (API reference, FeatureDefinition).
_RESERVED = {"is_deleted", "write_time", "api_invocation_time"}
_MOST = 2500  # botocore's `sagemaker` model, FeatureDefinitions


def check_names(features: Features) -> None:
    """Check the features that a group has, or would have.

    Raises:
        ApiError: ValidationException: one is named twice, or as a column of the offline store, or there are too many.
    """
    names = [item["FeatureName"] for item in features]
    if len(set(names)) != len(names):
        raise invalid("The FeatureDefinitions name a feature twice.")
    reserved = sorted(set(names) & _RESERVED)
    if reserved:
        raise invalid(f"The feature names {reserved} are reserved for the offline store.")
    if len(names) > _MOST:
        raise invalid(f"A feature group has at most {_MOST} features.")


def extend(groups: Resources, request: dict[str, Any]) -> dict[str, Any]:
    """Add features to a group (UpdateFeatureGroup); here that is over at once.

    Raises:
        ApiError: there is no such group, or it would have features that none may have.
    """
    group = groups.get(FEATURE_GROUP, request["FeatureGroupName"])
    features = [*group["FeatureDefinitions"], *request.get("FeatureAdditions", [])]
    check_names(features)
    name, status = group["FeatureGroupName"], {"Status": "Successful"}
    made = groups.update(FEATURE_GROUP, name, FeatureDefinitions=features, LastUpdateStatus=status)
    return {"FeatureGroupArn": made["FeatureGroupArn"]}
