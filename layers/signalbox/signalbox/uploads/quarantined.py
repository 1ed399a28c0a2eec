"""The files that executions did not use, in the uploads table.

Their items are `quarantine#<execution>`, `<digest of the file's name>`, with the file's name, its kind, its faults as
JSON, and how many more it has. They are of an execution and not of an upload: a corrected file is another version, and
one that is run again may be good for the pipeline's next code.
"""

import json
from datetime import datetime
from typing import TYPE_CHECKING

from signalbox import moments, names
from signalbox.aws.table import Item, Table, key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signalbox.contracts.uploads import QuarantinedFile


class QuarantineTable:
    """The quarantined files of executions. Every method raises what those of `Table` raise."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def keep(self, execution: str, files: "Sequence[QuarantinedFile]", at: datetime) -> None:
        """Write down until some time after `at` the files that an execution did not use; a repetition does the same."""
        for one in files:
            self._table.put({**_key(execution, one["file"]), **_facts(one), "expires": moments.expiry(at)})

    def of(self, execution: str) -> "list[QuarantinedFile]":
        """Return the files that an execution did not use, by their names."""
        found = [_file(item) for item in self._table.query(_partition(execution))]
        return sorted(found, key=lambda one: one["file"])

    def find(self, execution: str, file: str) -> "QuarantinedFile | None":
        """Return what an execution had against a file; None where it used it, or nobody said so."""
        item = self._table.get(*map(str, _key(execution, file).values()))
        return _file(item) if item else None


def _partition(execution: str) -> str:
    return f"quarantine#{execution}"


def _key(execution: str, file: str) -> Item:
    return key(_partition(execution), names.token(file))


def _facts(file: "QuarantinedFile") -> Item:
    return {"file": file["file"], "kind": file["kind"], "faults": json.dumps(file["faults"]), "more": file["more"]}


def _file(item: Item) -> "QuarantinedFile":
    return {
        "file": str(item["file"]),
        "kind": str(item["kind"]),
        "faults": json.loads(str(item["faults"])),
        "more": int(item["more"]),
    }
