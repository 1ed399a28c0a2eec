"""Every rule lets exactly its samples through, of all samples and near misses in `events/`; the trail records them."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.gates.patterns import matches, pattern_error
from tests.gates.template import Problem, Template
from tests.support.samples import sample, sample_names

_WRITTEN = (
    "complete-multipart-upload",
    "copy-object",
    "put-object",
    "put-object-without-version",
    "put-object-encoded",
    "put-object-other-suffix",
)
_POSTED = ("post-object", "post-object-without-key")
# Empty objects, folder markers and endings that no project wants come through; the function drops them and says so.
_NATIVE = ("", "-empty", "-folder-marker", "-other-suffix", "-unversioned")
_UNHAPPY = ("failed", "stopped", "completed-with-failures")
_STOPPED = ("release-stopped", "release-timed-out", "mlops-stopped", "mlops-stopped-without-input")
_NEW = ("pending", "pending-no-fields", "pending-null-fields", "created-approved")
_ABOUT_APPROVAL = (*_NEW, "approved", "rejected")
LETS_THROUGH = {
    "UploadsTrailRule": {f"s3/{name}-cloudtrail" for name in _WRITTEN + _POSTED},
    "UploadsNativeRule": {f"s3/object-created{variant}" for variant in _NATIVE},
    "PipelineStatusRule": {f"sagemaker/pipeline-execution-{status}" for status in ("succeeded", *_UNHAPPY)},
    "ProjectsRule": {f"ssm/project-{done}" for done in ("created", "updated", "deleted")} | {"ssm/grant-updated"},
    "PublishedRule": {"ssm/published-updated"},
    "ExecutionStoppedRule": {f"states/{name}" for name in _STOPPED},
    "ModelPackageRule": {f"sagemaker/model-package-{change}" for change in _ABOUT_APPROVAL},
}


def check(template: Template) -> list[Problem]:
    """Return invalid patterns, samples that a rule misses, and events that it should not see."""
    rules = template.resolved("AWS::Events::Rule")
    events = {name: sample(name) for folder in ("s3", "sagemaker", "ssm", "states") for name in sample_names(folder)}
    unlisted = sorted(set(rules) ^ set(LETS_THROUGH))
    problems = [Problem(name, "a rule and its samples have to be listed together") for name in unlisted]
    for name, rule in rules.items():
        error = pattern_error(rule["EventPattern"])
        if error is not None:
            problems.append(Problem(name, f"EventBridge refuses the pattern: {error}"))
            continue
        through = {event for event, content in events.items() if matches(rule["EventPattern"], content)}
        wanted = LETS_THROUGH.get(name, set())
        problems += [Problem(name, f"misses {event}") for event in sorted(wanted - through)]
        problems += [Problem(name, f"lets {event} through") for event in sorted(through - wanted)]
    return [*problems, *_unrecorded(template, {name: events[name] for name in LETS_THROUGH["UploadsTrailRule"]})]


def _unrecorded(template: Template, events: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what no rule can see, because the trail's selectors do not choose it."""
    for trail, properties in template.resolved("AWS::CloudTrail::Trail").items():
        for name, event in sorted(events.items()):
            if not any(_selects(selector, event["detail"]) for selector in properties["AdvancedEventSelectors"]):
                yield Problem(trail, f"does not record {name}")


def _selects(selector: Mapping[str, Any], detail: Mapping[str, Any]) -> bool:
    (stored,) = (resource for resource in detail["resources"] if resource["type"] == "AWS::S3::Object")
    values = {
        "eventCategory": detail["eventCategory"],
        "eventName": detail["eventName"],
        "readOnly": str(detail["readOnly"]).lower(),
        "resources.type": stored["type"],
        "resources.ARN": stored["ARN"],
    }
    return all(
        values[condition["Field"]] in condition.get("Equals", [])
        or values[condition["Field"]].startswith(tuple(condition.get("StartsWith", [])))
        for condition in selector["FieldSelectors"]
    )
