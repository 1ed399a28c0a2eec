"""The online store: the newest record of each id, until it expires or is deleted.

A record expires at its event time and a duration, its own or its group's (Developer Guide, "Time to live (TTL) duration
for records"). AWS takes it away some time later, in the background, and adds its deletion to the offline store; here
nobody finds it any more from that moment on, and the offline store gets no row of it.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

type Row = dict[str, Any]
type _Key = tuple[str, str]


class OnlineRecord(NamedTuple):
    """The newest record of an id: its event time, its values, None where it was deleted, and when it expires."""

    at: datetime
    row: Row | None
    expires: datetime | None = None


class OnlineStore:
    """The newest records of all groups, by the group's name and the record's id."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._kept: dict[_Key, OnlineRecord] = {}
        self._lock = threading.Lock()

    def keep(self, group: str, identifier: str, record: OnlineRecord) -> None:
        """Take a record, unless a newer one of its id is there."""
        with self._lock:
            known = self._kept.get((group, identifier))
            if known is None or record.at >= known.at:
                self._kept[group, identifier] = record

    def find(self, group: str, identifier: str) -> OnlineRecord | None:
        """Return the record of an id; None where there is none, it was deleted or has expired."""
        with self._lock:
            found = self._kept.get((group, identifier))
        if found is None or found.row is None:
            return None
        return None if found.expires and found.expires <= self._clock() else found

    def delete(self, group: str, identifier: str, at: datetime, *, hard: bool) -> None:
        """Delete the record of an id, unless it is newer; a soft deletion keeps its time, so none older returns."""
        with self._lock:
            known = self._kept.get((group, identifier))
            if known is None or at < known.at:
                return
            if hard:
                del self._kept[group, identifier]
            else:
                self._kept[group, identifier] = OnlineRecord(at, None)

    def forget(self, group: str) -> None:
        """Drop all records of a group."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == group]:
                del self._kept[key]


def expiry(at: datetime, own: Mapping[str, Any] | None, group: Mapping[str, Any]) -> datetime | None:
    """Return when a record expires; `own` is its TtlDuration, `group` its group, whose duration holds else."""
    duration = own or group.get("OnlineStoreConfig", {}).get("TtlDuration")
    return at + timedelta(**{duration["Unit"].lower(): duration["Value"]}) if duration else None


def shown(expires: datetime | None) -> dict[str, str]:
    """Return ExpiresAt of an answer; nothing where the record does not expire."""
    return {"ExpiresAt": f"{expires.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"} if expires else {}
