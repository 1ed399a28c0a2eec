"""What a run could not use, by file: the report that Signalbox reads of a pipeline's job, docs/own-pipeline.md has it.

The quarantine has every row; this has each file's first ones, bounded, and the verdict that a condition asks.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

FILE = "quarantine.json"
# What the stack reads of such a report (`signalbox.quarantine`).
MOST_FILES, MOST_FAULTS = 200, 5
_REASON = 300  # characters


def report(quarantine: Path, problems: Sequence[str], told: str) -> dict[str, Any]:
    """Return the report of a run.

    Args:
        quarantine: the run's quarantine, a JSON document in each line.
        problems: why the run is refused, in sentences; none where it is not.
        told: what it came to, in a line.

    Returns:
        `good` is 1 or 0; `quarantined` has files of the kind `bad`, or `rows` where the others of its rows are used,
        which is no file's of a run that is refused.
    """
    with quarantine.open(encoding="utf-8") as lines:
        files, more = _files(map(json.loads, lines), "bad" if problems else "rows")
    problem = f"Features: {'; '.join(problems)}." if problems else ""
    verdict = {"good": 0 if problems else 1, "problem": problem}
    return {**verdict, "features": told, "quarantined": files, "more": more}


def _files(rows: Iterable[dict[str, Any]], kind: str) -> tuple[list[dict[str, Any]], int]:
    """Return the first files with their first faults, and how many further files there are."""
    found: dict[str, dict[str, Any]] = {}
    more, last = 0, ""
    for row in rows:
        name = row["file"]
        if name not in found and len(found) == MOST_FILES:
            more += name != last  # a file's rows come together
            last = name
            continue
        file = found.setdefault(name, {"file": name, "kind": kind, "faults": [], "more": 0})
        _add(file, row)
    return list(found.values()), more


def _add(file: dict[str, Any], row: dict[str, Any]) -> None:
    if not row["line"]:
        file["kind"] = "bad"
    if len(file["faults"]) == MOST_FAULTS:
        file["more"] += 1
        return
    line = {"line": row["line"]} if row["line"] else {}
    file["faults"].append({**line, "reason": row["told"][:_REASON]})
