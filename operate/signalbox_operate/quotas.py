"""How many instances SageMaker grants, and how many a stack needs for one model."""

from collections import Counter
from typing import Any

from signalbox.stages import StagesDocument
from signalbox_operate.stack import Stack

# Names of SageMaker's quotas in Service Quotas: "<instance type> for <use>".
_ENDPOINT, _TRAINING, _TRANSFORM = "endpoint usage", "training job usage", "transform job usage"


def needed(stack: Stack, document: StagesDocument) -> dict[str, int]:
    """Return the instances that one model needs, by the name of their quota.

    An update is blue/green: while it runs, a stage has both fleets (Developer Guide, "Blue/Green Deployments").
    """
    hosting: Counter[str] = Counter()
    largest: Counter[str] = Counter()
    for stage in document.stages:
        hosting[stage.instance_type] += stage.instance_count
        largest[stage.instance_type] = max(largest[stage.instance_type], stage.instance_count)
    found = {f"{kind} for {_ENDPOINT}": count + largest[kind] for kind, count in hosting.items()}
    for parameter, use in (("TrainingInstanceType", _TRAINING), ("TransformInstanceType", _TRANSFORM)):
        if stack.parameters.get(parameter):
            found[f"{stack.parameters[parameter]} for {use}"] = 1
    return found


def values(service_quotas: Any) -> dict[str, float]:
    """Return SageMaker's quotas by name: the account's own value, else AWS's default.

    Service Quotas does not list a quota among the account's own whose value nobody has looked at (API reference,
    ListServiceQuotas).
    """
    found: dict[str, float] = {}
    for operation in ("list_aws_default_service_quotas", "list_service_quotas"):
        pages = service_quotas.get_paginator(operation).paginate(ServiceCode="sagemaker")
        found |= {one["QuotaName"]: one["Value"] for page in pages for one in page["Quotas"]}
    return found
