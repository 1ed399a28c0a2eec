"""A run: every row of the files is checked, transformed, and written to a file or into quarantine; then it is judged.

Nothing reaches the Feature Store before the whole run was judged. Safe to repeat: the same files, definition and
artefact give the same records, byte for byte.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from signalbox_features import chunks, outputs
from signalbox_features.checks import Seen
from signalbox_features.chunks import RefusedFile, RefusedRow
from signalbox_features.model import RefusedRowError
from signalbox_features.tables import RecordsFile
from signalbox_features.transform import Transform, based, made_identifier
from signalbox_features.values import iso
from signalbox_features.watching import Watched

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from signalbox_features.chunks import CheckedRow
    from signalbox_features.fitting import Artefact
    from signalbox_features.model import FeatureDefinition, Value
    from signalbox_features.reading import Found
    from signalbox_features.sources import SourceFile

RECORDS, QUARANTINE = "records.csv", "quarantine.jsonl"
_SHOWN = 100  # characters of a value
_SHOWN_FILES = 100  # refused files that the report has with their reasons; the quarantine has all


class RunResult(NamedTuple):
    """What became of a run's files; `problems` are the sentences that fail it."""

    report: dict[str, Any]
    problems: list[str]


def run(definition: FeatureDefinition, artefact: Artefact, sources: Sequence[SourceFile], folder: Path) -> RunResult:
    """Write the records and the quarantine of files into a folder, and return what is to be said of them.

    Raises:
        FeaturesError: a step does not do what a step has to do, or a library is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    seen = Seen(folder)
    try:
        records = (folder / RECORDS).open("w", newline="", encoding="utf-8")
        with records, (folder / QUARANTINE).open("w", encoding="utf-8") as quarantine:
            one = _Run(definition, artefact, seen, records, quarantine)
            for found in chunks.read(definition, sources):
                one.take(found)
    finally:
        seen.close()
    return RunResult(one.report(len(sources)), one.problems(len(sources)))


class _Run:
    def __init__(
        self, definition: FeatureDefinition, artefact: Artefact, seen: Seen, records: IO[str], quarantine: IO[str]
    ) -> None:
        self._definition, self._artefact, self._seen = definition, artefact, seen
        self._transform = Transform(definition, artefact.features)
        self._unique = [rule.column for rule in definition.rules if rule.unique]
        self._watched = Watched(definition, artefact.features, self._transform)
        self._records, self._quarantine = (
            RecordsFile(records, list(outputs.kinds(definition, artefact.features))),
            quarantine,
        )
        self._out = self._refused = 0
        self._reasons: Counter[str] = Counter()
        self._first: dict[str, str] = {}
        self._files: list[dict[str, str]] = []
        self._files_refused = 0

    def take(self, one: CheckedRow | RefusedRow | RefusedFile) -> None:
        """Write a row, or what is wrong with it or with a whole file."""
        if isinstance(one, RefusedFile):
            self._refuse_file(one)
        elif isinstance(one, RefusedRow):
            self._refuse(one.found, one.problems)
        else:
            try:
                self._keep(one)
            except RefusedRowError as error:
                self._refuse(one.found, error.problems)

    def _keep(self, one: CheckedRow) -> None:
        found = based(self._transform.bases, one.row)
        features = self._transform.features(found)
        identifier, moment = self._keys(one)
        self._check_unique(one, str(identifier), str(moment))
        self._watched.add(found, features)
        self._records.add(one.found.source.name, one.found.line, [identifier, moment, *features.values()])
        self._out += 1

    def _keys(self, one: CheckedRow) -> tuple[Value, Value]:
        known, event = self._definition.identifier, self._definition.event_time
        source = one.found.source
        if known.column:
            identifier = one.row[known.column]
        else:
            identifier = made_identifier(known.type, source.name, source.version, one.found.line)
        moment = one.row[event.column] if event.column else source.uploaded
        if identifier is None or moment is None:
            column = known.column if identifier is None else event.column
            raise RefusedRowError([("null", f"{column} has no value, and a record needs one")])
        if event.form != "iso":
            return identifier, float(moment)
        try:
            return identifier, iso(float(moment))
        except (OverflowError, ValueError, OSError):
            raise RefusedRowError([("time", f"{event.column} is {moment!r}, which is no time of a calendar")]) from None

    def _check_unique(self, one: CheckedRow, identifier: str, moment: str) -> None:
        keys: list[tuple[str, str, str]] = (
            [("record", identifier, moment)] if self._definition.identifier.column else []
        )
        keys += [("column", name, str(one.row[name])) for name in self._unique if one.row[name] is not None]
        place = f"{one.found.source.name}, line {one.found.line}"
        before = {key: self._seen.before(key, place) for key in keys}
        if not any(before.values()):
            return
        for key in keys:
            if not before[key]:
                self._seen.forget(key)
        raise RefusedRowError([("unique", _there_already(key, at)) for key, at in before.items() if at])

    def _refuse(self, found: Found, problems: list[tuple[str, str]]) -> None:
        reason, told = problems[0][0], "; ".join(sentence for _, sentence in problems)
        self._refused += found.lines
        self._reasons[reason] += found.lines
        self._first.setdefault(reason, f"{found.source.name}, line {found.line}: {told}")
        row = [None if cell is None else str(cell) for cell in found.cells] or None
        kept = {"reason": reason, "told": told, "row": row, **({"begins": found.raw} if found.raw else {})}
        self._put(found.source, found.line, kept)

    def _refuse_file(self, one: RefusedFile) -> None:
        self._files_refused += 1
        if len(self._files) < _SHOWN_FILES:
            self._files.append({"file": one.source.name, "told": one.told})
        self._put(one.source, 0, {"reason": "file", "told": one.told, "row": None})

    def _put(self, source: SourceFile, line: int, kept: dict[str, Any]) -> None:
        place = {"file": source.name, "version": source.version, "uploaded": source.uploaded, "line": line}
        self._quarantine.write(json.dumps({**place, **kept}, ensure_ascii=False) + "\n")

    def report(self, files: int) -> dict[str, Any]:
        """Return what is known of the run, as JSON has it."""
        reasons = [
            {"reason": reason, "rows": count, "first": self._first[reason]}
            for reason, count in self._reasons.most_common()
        ]
        return {
            "group": self._definition.group,
            "artefact": self._artefact.version,
            "files": {"in": files, "refused": self._files_refused, "reasons": self._files},
            "rows": {
                "in": self._out + self._refused,
                "out": self._out,
                "quarantined": self._refused,
                "reasons": reasons,
            },
            **self._watched.summary(),
        }

    def problems(self, files: int) -> list[str]:
        """Return why the run fails, in sentences; none where it does not."""
        return [*self._too_many(files), *self._wrong_count(), *self._drifted()]

    def _too_many(self, files: int) -> list[str]:
        made, found, total = self._definition, [], self._out + self._refused
        worst = self._reasons.most_common(1)
        if worst and self._refused / total > made.most_rows_refused:
            found.append(
                f"{self._refused:,} of {total:,} rows are in quarantine, more than the share of "
                f"{made.most_rows_refused:g} that quarantine.rows allows; most ({worst[0][1]:,}) for {worst[0][0]}, "
                f"the first: {self._first[worst[0][0]]}"
            )
        if self._files and self._files_refused / files > made.most_files_refused:
            found.append(
                f"{self._files_refused:,} of {files:,} files are in quarantine, more than the share of "
                f"{made.most_files_refused:g} that quarantine.files allows; the first: {self._files[0]['file']} "
                f"{self._files[0]['told']}"
            )
        return found

    def _wrong_count(self) -> list[str]:
        least, most = self._definition.least_rows, self._definition.most_rows
        if not self._out:
            first = f"; the first file: {self._files[0]['file']} {self._files[0]['told']}" if self._files else ""
            return [f"no row can be used{first}"]
        if self._out < least:
            return [f"the run has {self._out:,} rows that can be used, and rows.min is {least:,}"]
        if most is not None and self._out > most:
            return [f"the run has {self._out:,} rows that can be used, and rows.max is {most:,}"]
        return []

    def _drifted(self) -> list[str]:
        limit = self._definition.max_psi
        return [
            f"{name} has drifted from what was fitted: its population stability index is {found:.3f}, and drift.psi is "
            f"{limit:g}; look at its distribution in the report, and fit the features anew if it is right"
            for name, found in self._watched.drift().items()
            if limit is not None and found is not None and found > limit
        ]


def _there_already(key: tuple[str, str, str], place: str) -> str:
    what = (
        f"{key[1][:_SHOWN]} {key[2][:_SHOWN]}" if key[0] == "column" else f"record {key[1][:_SHOWN]} of the same time"
    )
    return f"{what} is there already, in {place}"
