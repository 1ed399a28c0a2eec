"""Every name comes from `NamePrefix`: a stack that others name makes the same names as soon as it has a prefix."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.gates.template import Problem, Template
from tests.gates.values import STACK, Values

from signalbox import names

_MADE_IN = "NamePrefix"
_OF_THE_STACK = re.compile(r"AWS::Stack(Name|Id)\b")
# As Service Catalog names a stack; it holds no prefix that is allowed.
_ELSEWHERE = "SC-123456789012-pp-abcdefghijklm"
_MODEL, _STAGE = "m" * 30, "s" * 20  # the longest that the parameter Model and a stages document take


def check(template: Template) -> list[Problem]:
    """Return what is named after the stack, and which prefixes are taken that no name can begin with."""
    return [*_written(template), *_resolved(template), *_patterns(template)]


def _written(template: Template) -> Iterator[Problem]:
    for where, node in _entries(template.cfn):
        if where != _MADE_IN and _OF_THE_STACK.search(json.dumps(node)):
            yield Problem(where, f"uses the stack's name or id: use {_MADE_IN}")


def _resolved(template: Template) -> Iterator[Problem]:
    """Resolve everything once more, in a stack that others named and that is given the usual prefix."""
    parameters = {**template.sam["Parameters"], "Prefix": {"Default": STACK}}
    elsewhere = Values({**template.sam, "Parameters": parameters}, template.cfn, _ELSEWHERE)
    unnamed = Values(template.sam, template.cfn, _ELSEWHERE)
    for where, node in _entries(template.cfn):
        if elsewhere.of(node) != template.values.of(node):
            yield Problem(where, f"is another in a stack called {_ELSEWHERE} with the prefix {STACK}")
    if unnamed.name(_MADE_IN) != _ELSEWHERE:
        yield Problem(_MADE_IN, "is not the stack's name where no prefix is given")


def _entries(cfn: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield resources and outputs, and what is in a resource by itself, as `Api.Body`."""
    for section in ("Resources", "Outputs"):
        for name, entry in cfn.get(section, {}).items():
            yield name, {member: value for member, value in entry.items() if member != "Properties"}
            for member, value in entry.get("Properties", {}).items():
                yield (name if name == _MADE_IN else f"{name}.{member}"), value


def _patterns(template: Template) -> Iterator[Problem]:
    """Hold both patterns against the same prefixes, and the longest of them against the room in SageMaker's names."""
    given = template.sam["Parameters"]["Prefix"]["AllowedPattern"]
    made = template.sam["Resources"][_MADE_IN]["Properties"]["AllowedPattern"]
    longest = "-".join("p" * 24)
    refused = (_ELSEWHERE, "dev-Box", "1st", "two--hyphens", "end-", "under_score", "p" * 25, "a.b", f"{longest}p")
    for prefix in ("p", "dev-signalbox", longest):
        if not (re.fullmatch(given, prefix) and re.fullmatch(made, prefix)):
            yield Problem(_MADE_IN, f"{prefix} is refused")
    for prefix in refused:
        if re.fullmatch(given, prefix) or re.fullmatch(made, prefix):
            yield Problem(_MADE_IN, f"{prefix} is taken for a prefix")
    group = names.package_group(longest, _MODEL)
    for name in (group, names.endpoint(longest, _MODEL, _STAGE), names.job(group, "execution", "training")):
        if not name.startswith(f"{longest}-"):
            yield Problem(_MADE_IN, f"{name} does not start with {longest}-, which is what the roles may name")
