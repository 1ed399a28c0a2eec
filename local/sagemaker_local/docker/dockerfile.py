"""A Dockerfile as a list of instructions, with variables put in (docs.docker.com, "Dockerfile reference")."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sagemaker_local.docker.errors import DockerError

HONOURED = (
    "FROM",
    "ARG",
    "ENV",
    "COPY",
    "ADD",
    "RUN",
    "WORKDIR",
    "LABEL",
    "EXPOSE",
    "USER",
    "ENTRYPOINT",
    "CMD",
)
REFUSED = ("HEALTHCHECK", "MAINTAINER", "ONBUILD", "SHELL", "STOPSIGNAL", "VOLUME")
_VARIABLE = re.compile(r"\\\$|\$(?:(?P<plain>\w+)|\{(?P<name>\w+)(?::(?P<how>[-+])(?P<word>[^}]*))?\})")
_FLAG = re.compile(r"--([\w-]+)(?:=(\S+))?\s+")


@dataclass(frozen=True)
class Instruction:
    """One instruction: its line, its name, its flags and the rest of it."""

    line: int
    name: str
    flags: Mapping[str, str]
    rest: str

    @property
    def listed(self) -> list[str] | None:
        """The rest as the JSON list that it is; None where it is none."""
        if not self.rest.startswith("["):
            return None
        try:
            found = json.loads(self.rest)
        except ValueError:
            return None
        return found if isinstance(found, list) and all(isinstance(word, str) for word in found) else None

    def __str__(self) -> str:
        return f"line {self.line}: {self.name} {self.rest}"


def parse(text: str) -> list[Instruction]:
    """Return the instructions of a Dockerfile.

    Raises:
        DockerError: one is not known, or is not emulated here.
    """
    found = [_instruction(line, statement) for line, statement in _statements(text)]
    if not found:
        raise DockerError("the Dockerfile cannot be empty")
    return found


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield the instructions with the numbers of their first lines; comments between their lines do not count."""
    begun, parts = 0, list[str]()
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        begun = begun if parts else number
        parts.append(line.removesuffix("\\").rstrip())
        if not line.endswith("\\"):
            yield begun, " ".join(part for part in parts if part)
            parts = []
    if parts:
        yield begun, " ".join(parts)


def _instruction(line: int, statement: str) -> Instruction:
    word, _, rest = statement.partition(" ")
    name, rest = word.upper(), rest.strip()
    if name in REFUSED:
        raise DockerError(f"line {line}: {name} is not emulated here")
    if name not in HONOURED:
        raise DockerError(f"dockerfile parse error on line {line}: unknown instruction: {word}")
    if name in ("RUN", "COPY", "ADD") and "<<" in rest:
        raise DockerError(f"line {line}: a here-document is not emulated here")
    flags = {}
    while name in ("COPY", "ADD", "RUN", "FROM") and (match := _FLAG.match(rest)):
        flags[match[1]], rest = match[2] or "", rest[match.end() :]
    return Instruction(line, name, flags, rest)


def substituted(text: str, variables: Mapping[str, str]) -> str:
    """Return a text with variables put in: `$a`, `${a}`, `${a:-else}` and `${a:+instead}`."""

    def value(match: re.Match[str]) -> str:
        name = match["plain"] or match["name"]
        if name is None:
            return "$"
        known = variables.get(name, "")
        if match["how"] == "+":
            return match["word"] if known else ""
        return known or (match["word"] or "")

    return _VARIABLE.sub(value, text)


def pairs(instruction: Instruction, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the names and values of ENV and LABEL: `a=b c="d e"`, or the older `a b`.

    Raises:
        DockerError: it is neither.
    """
    first, _, rest = instruction.rest.partition(" ")
    if "=" not in first:
        if not rest:
            raise DockerError(f"{instruction}: must have two arguments")
        return {first: substituted(rest.strip(), variables)}
    found = {}
    for word in words(instruction):
        name, equals, value = word.partition("=")
        if not equals:
            raise DockerError(f"{instruction}: can't find = in {word!r}. Must be of the form: name=value")
        found[substituted(name, variables)] = substituted(value, variables)
    return found


def words(instruction: Instruction) -> list[str]:
    """Return the words of an instruction, without their quotes.

    Raises:
        DockerError: a quote is not closed.
    """
    try:
        return instruction.listed or shlex.split(instruction.rest)
    except ValueError as error:
        raise DockerError(f"{instruction}: {error}") from error
