"""The record of calls: what IAM decided about whom, action and resource."""

from dataclasses import dataclass, field
from threading import Lock


@dataclass(frozen=True)
class RecordedCall:
    """One authorised or refused call."""

    principal: str
    action: str
    resource: str
    allowed: bool


@dataclass
class CallRecord:
    """Every call that IAM decided, in order. Thread-safe."""

    calls: list[RecordedCall] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, call: RecordedCall) -> None:
        """Keep a call."""
        with self._lock:
            self.calls.append(call)

    def all(self) -> list[RecordedCall]:
        """Return the calls so far."""
        with self._lock:
            return list(self.calls)
