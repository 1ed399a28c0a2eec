"""The job: files become records of a feature group, or quarantine. `python -m signalbox_features.job --help`.

It runs wherever Python 3.8 does. Without `--group` it writes files alone, and needs no AWS.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signalbox_features import definition as definitions
from signalbox_features import fitting, running, sources, unused, writing
from signalbox_features.model import FeaturesError
from signalbox_features.page import page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signalbox_features.fitting import Artefact
    from signalbox_features.model import FeatureDefinition
    from signalbox_features.sources import SourceFile
    from signalbox_features.writing import RecordWriter, Written

logger = logging.getLogger(__name__)
REPORT, PAGE = "report.json", "report.html"


class RunFailedError(FeaturesError):
    """A run does not hold what its definition says; its report is written."""


class RunRefusedError(RunFailedError):
    """The files of a run are not within what its definition allows, so nothing of them was written to the store."""


def apply(
    definition: FeatureDefinition,
    artefact: Artefact,
    found: Sequence[SourceFile],
    folder: Path,
    store: RecordWriter | None = None,
) -> dict[str, Any]:
    """Make the records of files, write them to a store if there is one, and return the report, which is written too.

    Raises:
        RunRefusedError: the run is not within what the definition allows, and nothing was written to the store.
        RunFailedError: the store refused too much, or did not take all.
        FeaturesError: a step, a library or the store does not do what it has to.
    """
    made = running.run(definition, artefact, found, folder)
    report = {**made.report, "problems": made.problems, "written": None}
    _save(report, folder)
    if made.problems:
        raise RunRefusedError("; ".join(made.problems))
    if store is not None:
        written = writing.write(folder / running.RECORDS, store, time.sleep)
        report.update(written=written._asdict(), problems=_unwritten(definition, written))
        _save(report, folder)
    if report["problems"]:
        raise RunFailedError("; ".join(report["problems"]))
    return report


def _unwritten(definition: FeatureDefinition, written: Written) -> list[str]:
    total = written.written + written.before + written.refused + written.left
    if written.left:
        return [
            (
                f"{written.left:,} records were not taken after {writing.TRIES} tries ({written.first}): run it again, "
                f"what is written is skipped by {written.file}"
            )
        ]
    if total and written.refused / total > definition.most_rows_refused:
        return [
            (
                f"the Feature Store refused {written.refused:,} of {total:,} records, more than the share of "
                f"{definition.most_rows_refused:g} that quarantine.rows allows; the first: {written.first}"
            )
        ]
    return []


def _save(report: dict[str, Any], folder: Path) -> None:
    (folder / REPORT).write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / PAGE).write_text(page(report), encoding="utf-8")
    found = unused.report(folder / running.QUARANTINE, report["problems"], told(report))
    (folder / unused.FILE).write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def told(report: dict[str, Any]) -> str:
    """Return what a run came to, in a line."""
    rows, files = report["rows"], report["files"]
    written = report["written"]
    stored = f", {written['written'] + written['before']:,} written" if written else ""
    return (
        f"{files['in']:,} files, {rows['in']:,} rows: {rows['out']:,} records{stored}, {rows['quarantined']:,} rows "
        f"and {files['refused']:,} files in quarantine"
    )


def _store(group: str, region: str | None, definition: FeatureDefinition) -> RecordWriter:
    # Only a job that writes has boto3, or needs the time that it takes to load.
    import boto3  # noqa: PLC0415

    from signalbox_features.store import FeatureStoreWriter  # noqa: PLC0415

    return FeatureStoreWriter(boto3.client("sagemaker-featurestore-runtime", region_name=region), group, definition)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m signalbox_features.job", description=__doc__)
    parser.add_argument(
        "--manifest",
        type=Path,
        required=True,
        help="JSON with the files, versions and times of upload, or a folder with it alone",
    )
    parser.add_argument("--input", type=Path, required=True, help="folder with the files")
    parser.add_argument("--definition", type=Path, required=True, help="compiled definition")
    parser.add_argument("--artefact", type=Path, required=True, help="what was fitted for it")
    parser.add_argument("--output", type=Path, required=True, help="folder that gets records, quarantine and report")
    parser.add_argument("--group", help="feature group that gets the records; without it they are only files")
    parser.add_argument("--region", help="its region, where the environment does not say it")
    parser.add_argument("--message", type=Path, help="file for the reason of a failure")
    parser.add_argument(
        "--end-well",
        action="store_true",
        help=f"end with 0 also where the files are refused, which {unused.FILE} says: SageMaker keeps no output of a "
        "job that fails",
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job; 0 is success, else the reason is in the message file and on the error output."""
    given = _arguments(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        definition = definitions.read(given.definition)
        artefact = fitting.load(given.artefact, definition)
        found = sources.of_manifest(sources.manifest_in(given.manifest), given.input)
        store = _store(given.group, given.region, definition) if given.group else None
        report = apply(definition, artefact, found, given.output, store)
    except FeaturesError as error:
        if given.end_well and isinstance(error, RunRefusedError):
            logger.warning("%s", error)
            return 0
        if given.message:
            given.message.parent.mkdir(parents=True, exist_ok=True)
            given.message.write_text(str(error), encoding="utf-8")
        logger.error("%s", error)  # noqa: TRY400  # the reason is the message; a traceback would hide it
        return 1
    logger.info("%s", told(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
