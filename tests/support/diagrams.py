"""The sequence diagrams of the documents, as far as tests look into them: who takes part, and who tells whom what."""

import re
from dataclasses import dataclass

from tests.support.documents import blocks

_TAKES_PART = re.compile(r"^ *(?P<kind>actor|participant) (?P<name>\w+)$", re.MULTILINE)
_MESSAGE = re.compile(r"^ *(?P<sender>\w+)-{1,2}>>(?P<receiver>\w+): (?P<text>.+)$", re.MULTILINE)
_FRAME = re.compile(r"^ *(sequenceDiagram|(alt|else|opt|loop|Note over \w+:) ?.*|end)$", re.MULTILINE)


@dataclass(frozen=True)
class Message:
    """One arrow."""

    sender: str
    receiver: str
    text: str


@dataclass(frozen=True)
class Diagram:
    """A sequence diagram: `people` are its actors, `parts` its other participants."""

    people: frozenset[str]
    parts: frozenset[str]
    messages: tuple[Message, ...]


def diagrams(text: str) -> list[Diagram]:
    """Return the sequence diagrams of a document, or of a part of one.

    Raises:
        ValueError: a line is neither a participant, a message nor a frame.
    """
    return [_read(block) for block in blocks(text, "mermaid")]


def _read(block: str) -> Diagram:
    left = [line for line in block.splitlines() if not any(one.match(line) for one in (_TAKES_PART, _MESSAGE, _FRAME))]
    if left:
        raise ValueError(f"the diagram has a line that is not understood: {left[0]!r}")
    taking_part = [(found["kind"], found["name"]) for found in _TAKES_PART.finditer(block)]
    return Diagram(
        people=frozenset(name for kind, name in taking_part if kind == "actor"),
        parts=frozenset(name for kind, name in taking_part if kind == "participant"),
        messages=tuple(Message(**found.groupdict()) for found in _MESSAGE.finditer(block)),
    )
