"""The variants of an endpoint as they are deployed: their counts and weights may differ from their configuration's."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sagemaker_local.core.errors import invalid
from sagemaker_local.sagemaker.capture import capture_summary

type DeployedVariant = dict[str, Any]

# A property of VariantPropertyType, and where it stands in a variant.
_RETAINED = {"DesiredInstanceCount": "InitialInstanceCount", "DesiredWeight": "InitialVariantWeight"}


def retained(
    variants: Sequence[DeployedVariant], current: Sequence[DeployedVariant], without: Collection[str] = ()
) -> list[DeployedVariant]:
    """Return new variants with the counts and weights of the current ones (API reference, RetainAllVariantProperties).

    `without` names the properties that are not retained.
    """
    kept = [member for name, member in _RETAINED.items() if name not in without]
    before = {one["VariantName"]: {key: one[key] for key in kept if key in one} for one in current}
    return [{**one, **before.get(one["VariantName"], {})} for one in variants]


def hosted(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an endpoint keeps of its configuration, which may be deleted while it serves."""
    return {
        "Variants": config["ProductionVariants"],
        "Shadows": config.get("ShadowProductionVariants", []),
        "DataCaptureConfig": capture_summary(config),
        "AsyncInferenceConfig": config.get("AsyncInferenceConfig"),
    }


def scaled(endpoint: Mapping[str, Any], wanted: Iterable[Mapping[str, Any]]) -> dict[str, list[DeployedVariant]]:
    """Return an endpoint's variants and shadows with the counts and weights that UpdateEndpointWeights… asks for.

    Raises:
        ApiError: it names a variant that the endpoint does not have, or the concurrency of one on instances.
    """
    found = {one["VariantName"]: dict(one) for one in (*endpoint["Variants"], *endpoint["Shadows"])}
    for change in wanted:
        name = change["VariantName"]
        if name not in found:
            raise invalid(f"The endpoint has no variant {name}, but {', '.join(found)}.")
        found[name] |= {member: change[given] for given, member in _RETAINED.items() if given in change}
        if serverless := change.get("ServerlessUpdateConfig"):
            found[name]["ServerlessConfig"] = _rescaled(found[name], serverless)
    return {kind: [found[one["VariantName"]] for one in endpoint[kind]] for kind in ("Variants", "Shadows")}


def _rescaled(variant: DeployedVariant, wanted: Mapping[str, Any]) -> dict[str, Any]:
    if "ServerlessConfig" not in variant:
        raise invalid(f"Variant {variant['VariantName']} is on instances: it takes no ServerlessUpdateConfig.")
    members = ("MaxConcurrency", "ProvisionedConcurrency")
    return {**variant["ServerlessConfig"], **{name: wanted[name] for name in members if name in wanted}}


def summary(variant: Mapping[str, Any]) -> dict[str, Any]:
    """Return a variant as DescribeEndpoint has it."""
    weight, count = variant.get("InitialVariantWeight", 1.0), variant.get("InitialInstanceCount", 1)
    serverless = variant.get("ServerlessConfig")
    concurrency = {"CurrentServerlessConfig": serverless, "DesiredServerlessConfig": serverless} if serverless else {}
    return {
        **concurrency,
        "VariantName": variant["VariantName"],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
        "CurrentInstanceCount": count,
        "DesiredInstanceCount": count,
        "DeployedImages": variant.get("DeployedImages", []),
    }


def told(variant: Mapping[str, Any]) -> dict[str, Any]:
    """Return a variant as an event has it."""
    shown = summary(variant)
    return {
        "DesiredWeight": shown["DesiredWeight"],
        "DesiredInstanceCount": float(shown["DesiredInstanceCount"]),
    }
