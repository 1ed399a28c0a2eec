"""House rules about how the file is written: reasons beside wildcards, one action a line, descriptions, short lines."""

import re
from collections.abc import Iterator
from typing import Any

from tests.gates.cfn_yaml import Written, written_below
from tests.gates.template import Problem, Template

from signalbox_operate.pipelines.images import ACCOUNTS

_STATEMENT_KEYS = frozenset(("Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal"))
_LONGEST_LINE = 120
_WILD_ACTION = re.compile(r"[a-z0-9-]+:[A-Za-z]*\*")
# They hold images and are the same for everybody.
_ACCOUNTS_OF_AWS = frozenset(ACCOUNTS.values())
_HARD_CODED = (
    (re.compile(r"arn:aws[a-z-]*:"), "a partition is written out: use ${AWS::Partition}"),
    (re.compile(r"(?<!\d)\d{12}(?!\d)"), "an account is written out: use ${AWS::AccountId}"),
    (re.compile(r"\b(?:us|eu|ap|sa|ca|me|af)-(?:north|south|east|west|central)\w*-\d\b"), "a region is written out"),
    (re.compile(r"amazonaws\.com/"), "an address is written out: use ${AWS::URLSuffix}"),
)


def check(template: Template) -> list[Problem]:
    """Return wildcards without a reason, lists of actions in one line, long lines, and what has no description."""
    problems = [*_wildcards(template), *_hard_coded(template), *_long_lines(template), *_parameters(template.sam)]
    for kind in ("Parameters", "Outputs"):
        for name, entry in template.sam.get(kind, {}).items():
            if not entry.get("Description"):
                problems.append(Problem(name, f"one of the {kind} without a Description"))
    return problems


def _wildcards(template: Template) -> Iterator[Problem]:
    lines = template.text.splitlines()
    for written in written_below(template.text, _STATEMENT_KEYS):
        if _is_wild(written) and "#" not in lines[written.line]:
            yield Problem(f"line {written.line + 1}", f"{written.key} {written.value!r} without a reason beside it")
        if written.flow and written.key == "Action":
            yield Problem(f"line {written.line + 1}", f"action {written.value} shares its line: one action a line")


def _is_wild(written: Written) -> bool:
    if written.key in {"Action", "NotAction"}:
        return "*" in written.value
    return written.value == "*" or bool(_WILD_ACTION.fullmatch(written.value))


def _hard_coded(template: Template) -> Iterator[Problem]:
    texts = {"template": template.text} | {name: machine.text for name, machine in template.machines.items()}
    for where, text in texts.items():
        for number, line in enumerate(text.splitlines(), 1):
            for pattern, what in _HARD_CODED:
                if set(pattern.findall(line.split("#", 1)[0])) - _ACCOUNTS_OF_AWS:
                    yield Problem(f"{where} line {number}", what)


def _long_lines(template: Template) -> Iterator[Problem]:
    for number, line in enumerate(template.text.splitlines(), 1):
        if len(line) > _LONGEST_LINE:
            yield Problem(f"line {number}", f"has {len(line)} characters, more than {_LONGEST_LINE}")


def _parameters(sam: dict[str, Any]) -> Iterator[Problem]:
    interface = sam.get("Metadata", {}).get("AWS::CloudFormation::Interface", {})
    grouped = [name for group in interface.get("ParameterGroups", []) for name in group["Parameters"]]
    for name, entry in sam.get("Parameters", {}).items():
        sentence = str(entry.get("ConstraintDescription", ""))
        if not (sentence.startswith(f"{name} ") and sentence.endswith(".")):
            yield Problem(name, "ConstraintDescription is not a sentence about it: a wrong value has to fail with one")
        if not {"AllowedPattern", "AllowedValues", "MinValue"} & set(entry):
            yield Problem(name, "takes any value: give it a pattern, values or bounds")
        if grouped.count(name) != 1:
            yield Problem(name, "is not in exactly one parameter group")
        labels = interface.get("ParameterLabels", {})
        if labels and name not in labels:
            yield Problem(name, "has no label")
        # Only the stack itself is deployed by people, who are asked for what has no default.
        if "Default" not in entry and "Transform" in sam and name not in {"Sender", "Approvers"}:
            yield Problem(name, "has no default: a guided deployment asks for the two addresses only")
        if "Default" in entry and not _allowed(entry, entry["Default"]):
            yield Problem(name, f"its own default {entry['Default']!r} is refused: a guided deployment would fail")


def _allowed(entry: dict[str, Any], value: Any) -> bool:
    """Tell whether CloudFormation takes a value for a parameter."""
    if "AllowedValues" in entry and value not in entry["AllowedValues"]:
        return False
    if "AllowedPattern" in entry and not re.fullmatch(entry["AllowedPattern"], str(value)):
        return False
    return bool(entry.get("MinValue", value) <= value <= entry.get("MaxValue", value))
