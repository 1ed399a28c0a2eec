"""What SageMaker refuses of an endpoint configuration by itself."""

from collections.abc import Mapping
from typing import Any

from sagemaker_local.core.errors import invalid

# What a serverless variant excludes (Developer Guide, "Serverless Inference", feature exclusions).
_ON_INSTANCES_ONLY = ("DataCaptureConfig", "AsyncInferenceConfig", "ShadowProductionVariants")


def check_config(request: Mapping[str, Any]) -> None:
    """Refuse an endpoint configuration that could not be served.

    Raises:
        ApiError: ValidationException: a variant or a combination does not fit.
    """
    production, shadows = request["ProductionVariants"], request.get("ShadowProductionVariants", [])
    for variant in (*production, *shadows):
        _check_variant(variant)
    names = [variant["VariantName"] for variant in (*production, *shadows)]
    if len(set(names)) != len(names):
        raise invalid(f"The variant names {names} are not unique.")
    if shadows and (len(production), len(shadows)) != (1, 1):
        raise invalid("With ShadowProductionVariants there is one variant in ProductionVariants and one shadow of it.")
    if any("ServerlessConfig" in variant for variant in (*production, *shadows)):
        _check_serverless(request)
    outputs = request.get("AsyncInferenceConfig", {}).get("OutputConfig")
    if outputs is not None and "S3OutputPath" not in outputs:
        raise invalid("AsyncInferenceConfig.OutputConfig needs an S3OutputPath.")


def _check_serverless(request: Mapping[str, Any]) -> None:
    given = next((member for member in _ON_INSTANCES_ONLY if member in request), None)
    if given or len(request["ProductionVariants"]) > 1:
        raise invalid(f"A serverless variant does not go with {given or 'other variants'}: use instances.")


def _check_variant(variant: Mapping[str, Any]) -> None:
    name, serverless = variant["VariantName"], variant.get("ServerlessConfig")
    on_instances = [member for member in ("InstanceType", "InitialInstanceCount") if member in variant]
    if serverless is None and len(on_instances) < len(("InstanceType", "InitialInstanceCount")):
        raise invalid(f"Variant {name} needs InstanceType and InitialInstanceCount, or a ServerlessConfig.")
    if serverless is not None and on_instances:
        raise invalid(f"Variant {name} is serverless: it takes no {on_instances[0]}.")
    if serverless is not None and serverless["MemorySizeInMB"] % 1024:
        raise invalid(f"Variant {name}: MemorySizeInMB goes in steps of 1024, from 1024 to 6144.")
