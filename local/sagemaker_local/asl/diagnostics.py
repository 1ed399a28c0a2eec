"""What is wrong with a definition, and where: the elements of ValidateStateMachineDefinition's answer."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple


class Diagnostic(NamedTuple):
    """One finding: a code (API reference, ValidateStateMachineDefinitionDiagnostic), AWS's words, and the place."""

    code: str
    message: str
    location: str | None = None

    def __str__(self) -> str:
        """Return it as CreateStateMachine writes it into its message: a missing place is `null` there."""
        return f"{self.code}: {self.message} at {self.location or 'null'}"


type Findings = Iterator[Diagnostic]
type Kind = Callable[[Any, str], Findings]
"""What a field may hold: from its value and its place to what is wrong with it."""


def wrong(message: str, location: str) -> Diagnostic:
    """Return what most findings are: the definition is not of the schema."""
    return Diagnostic("SCHEMA_VALIDATION_FAILED", message, location)


def only_one(names: list[str], found: int, location: str) -> Findings:
    """Yield what is wrong where exactly one of the fields has to be there and `found` are."""
    if found > 1:
        yield wrong(f"There should only be one of the following fields: [{', '.join(names)}]", location)
    elif not found:
        yield wrong(f"This object should have only one of the following fields: [{', '.join(names)}]", location)


def required(names: list[str], given: Any, location: str) -> Findings:
    """Yield what is wrong where an object lacks fields."""
    missing = [name for name in names if name not in given]
    if missing:
        yield wrong(f"These fields are required: [{', '.join(missing)}]", location or "/")
