"""What a row has to be: of the columns' types, and within the quality rules. The same for the job and for serving."""

from __future__ import annotations

import hashlib
import sqlite3
from typing import TYPE_CHECKING, Any

from signalbox_features.model import RefusedRowError
from signalbox_features.values import WrongTypeError, reader, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from signalbox_features.model import FeatureDefinition, Rule, Value

_CACHE_KIB = 32_000
_KEY_BYTES = 16


class Checks:
    """The types and rules of a definition, ready for many rows."""

    def __init__(self, definition: FeatureDefinition) -> None:
        self._readers = {column.name: reader(column.type) for column in definition.columns}
        self._in_order = list(self._readers.items())
        self._rules = definition.rules

    def typed(self, cells: Sequence[Any]) -> dict[str, Value]:
        """Return a row with its values by column.

        Raises:
            RefusedRowError: a cell is of another type, or breaks a rule.
        """
        row: dict[str, Value] = {}
        problems: list[tuple[str, str]] = []
        for (name, read), cell in zip(self._in_order, cells):
            try:
                row[name] = read(cell)
            except WrongTypeError as error:
                problems.append(("type", f"{name} {error}"))
        for rule in self._rules:
            if rule.column in row:
                problems += broken(rule, row[rule.column])
        if problems:
            raise RefusedRowError(problems)
        return row

    def named(self, values: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Value]:
        """Return a row of the named columns alone, as a caller of a model gives it.

        Raises:
            RefusedRowError: a column is missing, of another type, or breaks a rule.
        """
        missing = [name for name in columns if name not in values]
        if missing:
            raise RefusedRowError(
                [("missing", f"{', '.join(missing)} is missing: give it, null where it has no value")]
            )
        row: dict[str, Value] = dict.fromkeys(self._readers)
        problems: list[tuple[str, str]] = []
        for name in columns:
            try:
                row[name] = self._readers[name](values[name])
            except WrongTypeError as error:
                problems.append(("type", f"{name} {error}"))
        for rule in self._rules:
            if rule.column in columns and not problems:
                problems += broken(rule, row[rule.column])
        if problems:
            raise RefusedRowError(problems)
        return row


def broken(rule: Rule, value: Value) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a value by a rule: a reason and a sentence. Uniqueness is not told by one row."""
    if value is None:
        if rule.not_null:
            yield "null", f"{rule.column} has no value"
        return
    if rule.min is not None and value < rule.min:  # type: ignore[operator]  # a rule with a bound is of numbers
        yield "range", f"{rule.column} is {text(value)}, wants at least {rule.min:g}"
    if rule.max is not None and value > rule.max:  # type: ignore[operator]  # the same
        yield "range", f"{rule.column} is {text(value)}, wants at most {rule.max:g}"
    if rule.allowed and value not in rule.allowed:
        wanted = ", ".join(sorted(map(str, rule.allowed))[:20])
        yield "allowed", f"{rule.column} is {str(value)[:40]!r}, wants one of {wanted}"


class Seen:
    """Keys that a run has had, in a file: any number of them in bounded memory."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "seen.sqlite"
        self._file.unlink(missing_ok=True)
        self._keys = sqlite3.connect(self._file)
        # Nothing of it outlives the run, so that nothing has to reach the disk.
        for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB}"):
            self._keys.execute(f"PRAGMA {setting}")
        self._keys.execute("CREATE TABLE seen (key BLOB PRIMARY KEY, place TEXT) WITHOUT ROWID")

    def before(self, key: tuple[str, ...], place: str) -> str:
        """Return the place where a key was first; nothing where this is the first, which is remembered."""
        digest = _digest(key)
        added = self._keys.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (digest, place))
        if added.rowcount:
            return ""
        found = self._keys.execute("SELECT place FROM seen WHERE key = ?", (digest,)).fetchone()
        return str(found[0])

    def forget(self, key: tuple[str, ...]) -> None:
        """Forget a key, whose row is not used after all."""
        self._keys.execute("DELETE FROM seen WHERE key = ?", (_digest(key),))

    def close(self) -> None:
        """Remove the file."""
        self._keys.close()
        self._file.unlink(missing_ok=True)


def _digest(key: tuple[str, ...]) -> bytes:
    return hashlib.sha256("\0".join(key).encode("utf-8", "surrogatepass")).digest()[:_KEY_BYTES]
