"""The template as the checks see it: its text, its SAM form, its translation, and its machines with values put in.

SAM is translated here, by the translator that AWS runs, because no linter does it any more; the definitions of the
machines are put into the translation, because nothing else reads the files behind DefinitionUri.
"""

import copy
import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from tests.gates.cfn_yaml import parse
from tests.gates.values import REGION, Values

ROOT = Path(__file__).parents[2]
_SUBSTITUTION = re.compile(r"\$\{(\w+)\}")


class TemplateError(Exception):
    """The template cannot be read or translated: every reason in one text."""

    def __init__(self, reasons: str) -> None:
        super().__init__(reasons)


@dataclass(frozen=True)
class Problem:
    """One finding of a check: the resource, parameter or file it is in, and what is wrong with it."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True)
class Machine:
    """A state machine: the text of its definition and the substitutions it is given, with their values."""

    text: str
    substitutions: Mapping[str, str]

    @property
    def wanted(self) -> set[str]:
        """Return the names that the text asks values for."""
        return set(_SUBSTITUTION.findall(self.text))

    @cached_property
    def definition(self) -> dict[str, Any]:
        """Return the definition with the values put in; a name without a value stays as it is."""
        text = _SUBSTITUTION.sub(lambda found: self.substitutions.get(found[1], found[0]), self.text)
        definition: dict[str, Any] = json.loads(text)
        return definition

    def states(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield every state with its name, those inside of Map and Parallel states too."""
        yield from _states(self.definition)


@dataclass(frozen=True)
class Template:
    """The template in all its forms; `values` answers what an intrinsic function comes to."""

    root: Path
    text: str
    sam: dict[str, Any]
    cfn: dict[str, Any]
    machines: dict[str, Machine]
    values: Values

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the properties of the translated resources of a type, by logical id."""
        return {
            name: entry.get("Properties", {}) for name, entry in self.cfn["Resources"].items() if entry["Type"] == kind
        }

    def resolved(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the same with every intrinsic function replaced by its value."""
        return {name: self.values.of(properties) for name, properties in self.resources(kind).items()}

    def made(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the same of those alone that a stack with these parameters makes."""
        conditions = {name: self.cfn["Resources"][name].get("Condition") for name in self.resources(kind)}
        wanted = [name for name, condition in conditions.items() if self.values.holds(condition)]
        return {name: self.values.of(self.resources(kind)[name]) for name in wanted}

    @cached_property
    def lintable(self) -> str:
        """Return the translation as JSON text, with the machines' definitions in it."""
        inlined = copy.deepcopy(self.cfn)
        for name, machine in self.machines.items():
            properties = inlined["Resources"][name]["Properties"]
            for source in ("DefinitionS3Location", "DefinitionString"):
                properties.pop(source, None)
            properties["Definition"] = machine.definition
        return json.dumps(inlined, indent=1)


def load(text: str | None = None, definitions: Mapping[str, str] | None = None, root: Path = ROOT) -> Template:
    """Return the template in `text` (else the file `template.yaml`).

    `definitions` replaces the text of machine files, by their path as the template gives it.

    Raises:
        TemplateError: it is not YAML, or the SAM translator refuses it.
    """
    text = (root / "template.yaml").read_text(encoding="utf-8") if text is None else text
    try:
        sam = parse(text)
    except ValueError as error:
        raise TemplateError(str(error)) from error
    cfn = _translate(sam)
    values = Values(sam, cfn)
    machines = {name: _machine(entry, values, definitions or {}, root) for name, entry in _machines_of(sam)}
    return Template(root, text, sam, cfn, machines, values)


def _translate(sam: Mapping[str, Any]) -> dict[str, Any]:
    document = copy.deepcopy(dict(sam))
    for entry in document["Resources"].values():
        for member in ("CodeUri", "ContentUri", "DefinitionUri"):
            if isinstance(entry.get("Properties", {}).get(member), str):
                entry["Properties"][member] = f"s3://built/{entry['Properties'][member]}"
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    try:
        with patch.dict(os.environ, {"AWS_DEFAULT_REGION": REGION}):
            translated: dict[str, Any] = transform(document, {}, _NoManagedPolicies())
    except InvalidDocumentException as error:
        reasons = [cause.message for cause in error.causes]
        raise TemplateError("; ".join(reasons) or error.message) from error
    translated.pop("Transform", None)
    return translated


class _NoManagedPolicies:
    """The translator asks AWS for the names of managed policies; this template uses none."""

    def load(self) -> dict[str, str]:
        return {}


def _machines_of(sam: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, entry in sam["Resources"].items():
        if entry.get("Type") == "AWS::Serverless::StateMachine":
            yield name, entry["Properties"]


def _machine(properties: Mapping[str, Any], values: Values, definitions: Mapping[str, str], root: Path) -> Machine:
    path = properties["DefinitionUri"]
    text = definitions[path] if path in definitions else (root / path).read_text(encoding="utf-8")
    given = properties.get("DefinitionSubstitutions", {})
    return Machine(text, {name: str(values.of(value)) for name, value in given.items()})


def _states(definition: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in definition.get("States", {}).items():
        yield name, state
        inner = [*state.get("Branches", []), state.get("ItemProcessor", {}), state.get("Iterator", {})]
        for branch in inner:
            yield from _states(branch)
