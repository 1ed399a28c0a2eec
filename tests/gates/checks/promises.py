"""What the template promises about files: substitutions, handlers, code folders, and the settings of each function."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.gates.template import Problem, Template

from signalbox import settings

_NOT_SETTINGS = "POWERTOOLS_"


def check(template: Template) -> list[Problem]:
    """Return names without a value, values without a use, and code that is not there."""
    problems = list(_substitutions(template))
    for name, entry in template.sam["Resources"].items():
        if entry["Type"] == "AWS::Serverless::Function":
            problems += [Problem(name, what) for what in _function(template, entry["Properties"])]
        elif entry["Type"] == "AWS::Serverless::LayerVersion":
            problems += [Problem(name, what) for what in _layer(template.root, name, entry)]
    return problems


def _substitutions(template: Template) -> Iterator[Problem]:
    for name, machine in template.machines.items():
        given = set(machine.substitutions)
        for missing in sorted(machine.wanted - given):
            yield Problem(name, f"${{{missing}}} is given no value")
        for unused in sorted(given - machine.wanted):
            yield Problem(name, f"the value of {unused} is not used")


def _function(template: Template, properties: dict[str, Any]) -> Iterator[str]:
    common = template.sam["Globals"]["Function"]
    folder = template.root / properties["CodeUri"]
    module, _, function = str(properties.get("Handler", common["Handler"])).rpartition(".")
    source = folder / f"{module.replace('.', '/')}.py"
    if not folder.is_dir():
        yield f"CodeUri {properties['CodeUri']} is not a folder"
    elif not source.is_file():
        yield f"there is no module {module} in {properties['CodeUri']}"
    elif function not in _functions_of(source):
        yield f"{source.relative_to(template.root)} has no function {function}"
    yield from _settings(folder.name, properties)


def _functions_of(source: Path) -> set[str]:
    tree = ast.parse(source.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def _settings(name: str, properties: dict[str, Any]) -> Iterator[str]:
    wanted_class = getattr(settings, name.title().replace("_", ""), None)
    variables = properties.get("Environment", {}).get("Variables", {})
    given = {key for key in variables if not key.startswith(_NOT_SETTINGS)}
    if wanted_class is None:
        if given:
            yield f"settings.py has no class for {name}"
        return
    wanted = {name.upper() for name in wanted_class.__annotations__}
    for key in sorted(wanted - given):
        yield f"is not given the setting {key}"
    for key in sorted(given - wanted):
        yield f"is given {key}, which it does not read"


def _layer(root: Path, name: str, entry: dict[str, Any]) -> Iterator[str]:
    makefile = root / entry["Properties"]["ContentUri"] / "Makefile"
    if entry.get("Metadata", {}).get("BuildMethod") != "makefile":
        yield "is not built by its Makefile"
    elif not makefile.is_file() or f"build-{name}:" not in makefile.read_text(encoding="utf-8"):
        yield f"has no target build-{name} in its Makefile"
