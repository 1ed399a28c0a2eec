"""One store for every kind of resource: records by kind and name, guarded by one lock."""

import threading
from collections.abc import Callable
from copy import deepcopy
from typing import Any

Record = dict[str, Any]


class NameTakenError(Exception):
    """A record of that kind and name exists."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"{kind} {name!r} exists")


class NoRecordError(Exception):
    """No record of that kind and name exists."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"{kind} {name!r} does not exist")


class Store:
    """Records in memory. What goes in and comes out is copied, so nobody shares a record by accident.

    Names that differ in case only are one: SageMaker writes its ARNs in lower case, and a resource is found by the name
    in its ARN. (botocore's `sagemaker` model says so of CreateEndpoint: its name "is case-insensitive".)
    """

    def __init__(self) -> None:
        self._records: dict[str, dict[str, Record]] = {}
        self._lock = threading.RLock()

    def create(self, kind: str, name: str, record: Record) -> None:
        """Keep a new record.

        Raises:
            NameTakenError: the name is taken.
        """
        with self._lock:
            records = self._records.setdefault(kind, {})
            if name.lower() in records:
                raise NameTakenError(kind, name)
            records[name.lower()] = deepcopy(record)

    def get(self, kind: str, name: str) -> Record:
        """Return a copy of a record.

        Raises:
            NoRecordError: there is none.
        """
        with self._lock:
            try:
                return deepcopy(self._records[kind][name.lower()])
            except KeyError:
                raise NoRecordError(kind, name) from None

    def all(self, kind: str) -> list[Record]:
        """Return copies of all records of a kind, oldest first."""
        with self._lock:
            return [deepcopy(record) for record in self._records.get(kind, {}).values()]

    def change(self, kind: str, name: str, change: Callable[[Record], None]) -> Record:
        """Let `change` alter a record in place, alone, and return a copy of the result.

        An exception in `change` leaves the record as it was.

        Raises:
            NoRecordError: there is none.
        """
        with self._lock:
            record = self.get(kind, name)
            change(record)
            self._records[kind][name.lower()] = deepcopy(record)
            return record

    def update(self, kind: str, name: str, **members: Any) -> Record:
        """Set members of a record and return a copy of the result.

        Raises:
            NoRecordError: there is none.
        """
        return self.change(kind, name, lambda record: record.update(members))

    def delete(self, kind: str, name: str) -> Record:
        """Forget a record and return it.

        Raises:
            NoRecordError: there is none.
        """
        with self._lock:
            try:
                return self._records[kind].pop(name.lower())
            except KeyError:
                raise NoRecordError(kind, name) from None
