"""The record of every decision that IAM took."""

from dataclasses import dataclass, field
from threading import Lock


@dataclass(frozen=True)
class Decision:
    """One authorised or refused call."""

    principal: str
    action: str
    resource: str
    allowed: bool


@dataclass
class Ledger:
    """Every decision that IAM took, in order."""

    decisions: list[Decision] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, decision: Decision) -> None:
        """Keep a decision."""
        with self._lock:
            self.decisions.append(decision)

    def all(self) -> list[Decision]:
        """Return the decisions so far."""
        with self._lock:
            return list(self.decisions)
