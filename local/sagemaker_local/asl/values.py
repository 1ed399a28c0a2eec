"""What a field may hold. A kind takes a value and its place, and yields what is wrong with it.

The words, and the smallest and largest numbers, are AWS's where somebody has published its answer; the largest wait and
timeout are those of the States Language.
"""

import re
from typing import Any

from sagemaker_local.asl.diagnostics import Diagnostic, Findings, Kind, wrong
from sagemaker_local.asl.expressions import is_expression
from sagemaker_local.asl.paths import is_intrinsic, is_path, is_reference

# Names of machines, executions and labels hold none of these (API reference, CreateStateMachine).
FORBIDDEN_IN_NAMES = re.compile(r'[\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff\U0010ffff]')
_LONGEST_LABEL = 40
_TIMESTAMP = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})"
)


def anything(_value: Any, _where: str) -> Findings:
    """Take every value."""
    yield from ()


def of_type(name: str, *types: type) -> Kind:
    """Return the kind of values of these Python types; no boolean counts as a number."""

    def check(value: Any, where: str) -> Findings:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            yield wrong(f"Expected value of type {name}", where)

    return check


text = of_type("[STRING]", str)
flag = of_type("[BOOLEAN]", bool)
mapping = of_type("[OBJECT]", dict)
number = of_type("[NUMBER]", int, float)


def between(least: float, most: float | None = None, *, whole: bool = True) -> Kind:
    """Return the kind of numbers in a range, whole ones unless it is said otherwise."""
    numeric = of_type("Integer", int) if whole else number

    def check(value: Any, where: str) -> Findings:
        problems = list(numeric(value, where))
        yield from problems
        if not problems and value < least:
            yield wrong(f"Minimum value is {least}", where)
        if not problems and most is not None and value > most:
            yield wrong(f"Maximum value is {most}", where)

    return check


def one_of(*options: str) -> Kind:
    """Return the kind of texts that are one of a few."""

    def check(value: Any, where: str) -> Findings:
        if not isinstance(value, str):
            yield from text(value, where)
        elif value not in options:
            yield wrong(f"Value should be one of the following: [{', '.join(options)}]", where)

    return check


def or_expression(kind: Kind) -> Kind:
    """Return a kind that takes a JSONata expression too."""

    def check(value: Any, where: str) -> Findings:
        if not is_expression(value):
            yield from kind(value, where)

    return check


def expression(value: Any, where: str) -> Findings:
    """Take a JSONata expression only."""
    if not is_expression(value):
        yield wrong("JSONata string must start with {% and end with %}", where)


def timestamp(value: Any, where: str) -> Findings:
    """Take an RFC 3339 timestamp with an upper-case T, and Z or an offset."""
    if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value):
        yield wrong("String does not match RFC3339 timestamp", where)


def label(value: Any, where: str) -> Findings:
    """Take the label of a distributed map."""
    if not isinstance(value, str):
        yield from text(value, where)
    elif len(value) > _LONGEST_LABEL:
        message = f"Label '{value}' exceeds the {_LONGEST_LABEL}-character limit allowed by the service"
        yield Diagnostic("INVALID_LABEL_NAME", message, where)
    elif FORBIDDEN_IN_NAMES.search(value):
        yield Diagnostic("INVALID_LABEL_NAME", f"Label '{value}' contains invalid characters", where)


# --- JSONPath -------------------------------------------------------------------------------------------------------
def nullable(kind: Kind) -> Kind:
    """Return a kind that takes null too."""

    def check(value: Any, where: str) -> Findings:
        if value is not None:
            yield from kind(value, where)

    return check


def path(value: Any, where: str) -> Findings:
    """Take a JSONPath of the input, the context object or a variable."""
    if not isinstance(value, str) or not is_path(value):
        yield wrong("Value must be a valid JSONPath.", where)


def path_or_call(value: Any, where: str) -> Findings:
    """Take a JSONPath, or a call of an intrinsic function."""
    if not isinstance(value, str) or not (is_path(value) or is_intrinsic(value)):
        yield wrong("Value must be a valid JSONPath or a valid intrinsic function call", where)


def reference(value: Any, where: str) -> Findings:
    """Take a path that names one node, in the input, the context object or a variable."""
    if not isinstance(value, str) or not value.startswith("$"):
        yield wrong("Value is not a Reference Path: Reference path didn't start with '$'", where)
    elif not is_reference(value):
        yield wrong("Value is not a Reference Path", where)


def reference_below(value: Any, where: str) -> Findings:
    """Take a path that names one node outside the context object."""
    if isinstance(value, str) and value.startswith("$$"):
        yield wrong("Value is not a Reference Path", where)
    else:
        yield from reference(value, where)


def template(value: Any, where: str) -> Findings:
    """Take a payload template: a field whose name ends in `.$` holds a path or a call of an intrinsic function."""
    if isinstance(value, list):
        for position, inner in enumerate(value):
            yield from template(inner, f"{where}[{position}]")
    elif isinstance(value, dict):
        for name, inner in value.items():
            if not name.endswith(".$"):
                yield from template(inner, f"{where}/{name}")
            elif not isinstance(inner, str) or not (is_path(inner) or is_intrinsic(inner)):
                words = "must be a valid JSONPath or a valid intrinsic function call"
                yield wrong(f"The value for the field '{name}' {words}", where)
