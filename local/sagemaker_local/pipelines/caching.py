"""Step caching: a step that succeeded before with the same input is not run again."""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sagemaker_local.core.cloud import Cloud
from sagemaker_local.core.store import NameTakenError, NoRecordError, Record
from sagemaker_local.pipelines.model import Step

_KIND = "PipelineStepCache"

# The arguments that must be equal, by step type (developer guide, "Default cache key attributes by pipeline step
# type"). Instances, the role and output locations are not among them.
_KEYS = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": (
        "AlgorithmSpecification",
        "CheckpointConfig",
        "DebugHookConfig",
        "DebugRuleConfigurations",
        "Environment",
        "HyperParameters",
        "InputDataConfig",
    ),
    "Transform": ("DataProcessing", "Environment", "ModelName", "TransformInput"),
}
CACHEABLE_TYPES = frozenset({*_KEYS, "Lambda"})

_DURATION = re.compile(
    r"P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.IGNORECASE
)
# A year and a month have no fixed length: 365 and 30 days here.
_SECONDS = (365 * 86400, 30 * 86400, 7 * 86400, 86400, 3600, 60, 1)


def duration(text: str) -> timedelta:
    """Return an ISO-8601 duration such as `P30d` or `PT12H`.

    Raises:
        ValueError: it is none.
    """
    match = _DURATION.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not an ISO-8601 duration")
    return timedelta(seconds=sum(int(n or 0) * unit for n, unit in zip(match.groups(), _SECONDS, strict=True)))


def cache_problems(config: Any) -> Iterator[str]:
    """Yield what is wrong with the CacheConfig of a step."""
    if not isinstance(config, dict) or not isinstance(config.get("Enabled"), bool):
        yield "CacheConfig must be an object with Enabled, true or false"
        return
    yield from (f"CacheConfig: '{name}' is not a member" for name in sorted(set(config) - {"Enabled", "ExpireAfter"}))
    text = config.get("ExpireAfter")
    try:
        duration("P1D" if text is None else str(text))
    except ValueError as error:
        yield f"CacheConfig: ExpireAfter {error}"


class StepCache:
    """The successful steps of one pipeline. A pipeline deleted and made anew has another `identity`."""

    def __init__(self, cloud: Cloud, identity: str) -> None:
        self._cloud = cloud
        self._identity = identity

    def key(self, step: Step, arguments: dict[str, Any]) -> str | None:
        """Return the key of a step with evaluated arguments, or None where the step asks for no caching."""
        config = step.fields.get("CacheConfig") or {}
        if not config.get("Enabled"):
            return None
        chosen = {name: arguments.get(name) for name in _KEYS.get(step.type, arguments)}
        content = json.dumps([self._identity, step.name, step.type, chosen], sort_keys=True, default=str)
        return hashlib.sha256(content.encode()).hexdigest()

    def find(self, key: str, step: Step) -> Record | None:
        """Return the most recent success under `key` that has not expired: Execution, Metadata, Properties."""
        try:
            entry = self._cloud.store.get(_KIND, key)
        except NoRecordError:
            return None
        text = step.fields["CacheConfig"].get("ExpireAfter")
        if text is not None and entry["Time"] + duration(text) <= self._cloud.clock():
            return None
        return entry

    def keep(self, key: str, execution_arn: str, metadata: dict[str, Any], properties: dict[str, Any]) -> None:
        """Remember a success; a later one under the same key takes its place."""
        entry = {
            "Execution": execution_arn,
            "Metadata": metadata,
            "Properties": properties,
            "Time": self._cloud.clock(),
        }
        try:
            self._cloud.store.create(_KIND, key, entry)
        except NameTakenError:
            self._cloud.store.update(_KIND, key, **entry)
